"""Re-ranking: the most similar users among the candidates, with the reasons."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kindred.build.tables import ListColumn
from kindred.matrices import TIE_DECIMALS, at_most_one, best_of_rows, tie_order
from kindred.neighbours.lists import BLOCK_USERS, NeighbourLists
from kindred.neighbours.pairs import pairs_of_lists, shared_features, shared_weights, sums_by_group
from kindred.neighbours.top_k import checked_keys
from kindred.profiles.facets import ProfileColumns
from kindred.profiles.matrix import Profiles

TOP_REASONS = 3
"""Features that are listed with a pair: those that add most to its similarity."""


def rerank(
    candidates: NeighbourLists,
    k: int,
    *,
    hub_correction: float = 0.0,
    labels: np.ndarray | None = None,
    cluster_weight: float = 0.0,
    tie_keys: np.ndarray | None = None,
    rows: np.ndarray | None = None,
) -> NeighbourLists:
    """List the k most similar of every user's candidates: by similarity with the cluster, less a correction for hubs.

    A hub is close to everybody, so it is on many lists without being anybody's best match. A candidate's similarity is
    reduced by hub_correction times the candidate's own neighbourhood similarity, a constant per candidate (after CSLS;
    Conneau et al. 2018: Word translation without parallel data). Only candidates are ranked: neither the correction nor
    the cluster brings in anybody else.

    Parameters
    ----------
    candidates
        The lists by the profiles without the cluster, at least NEIGHBOURHOOD_USERS long and longer than k.
    k
        The length of the lists.
    hub_correction
        The share of the candidate's neighbourhood similarity that is taken off, from 0 to 1.
    labels
        Integer array of shape (users,): the cluster of each user, negative for none.
    cluster_weight
        What sharing a cluster adds to the similarity.
    tie_keys
        Integer array of shape (users,): what orders tied candidates, see `top_k`.
    rows
        Integer array: the rows whose lists are wanted, by default all.

    Returns
    -------
    ListColumn of shape (rows, k), best first. The score is the similarity, with the cluster and without the correction.
    Candidates are tied whose ranking scores agree to TIE_DECIMALS; ties stand as in the lists of `top_k`.

    """
    rows = np.arange(len(candidates.indices)) if rows is None else np.asarray(rows)
    keys = checked_keys(tie_keys, len(candidates.indices))
    crowding = candidates.neighbourhood_similarity()
    listed = NeighbourLists(np.full((len(rows), k), -1, dtype=np.int32), np.zeros((len(rows), k)))
    for start in range(0, len(rows), BLOCK_USERS):
        block = rows[start : start + BLOCK_USERS]
        others = candidates.indices[block]
        similarities = candidates.scores[block]
        if labels is not None:
            shares_cluster = (labels[others] == labels[block, None]) & (labels[others] >= 0)
            similarities = np.where(others >= 0, similarities + cluster_weight * shares_cluster, 0)
        totals = np.round(similarities - hub_correction * crowding[others], TIE_DECIMALS)
        ties = tie_order(keys[others], keys[block, None])
        best = np.lexsort((others, ties, np.where(others >= 0, -totals, np.inf)), axis=1)[:, :k]
        places = np.s_[start : start + BLOCK_USERS, : best.shape[1]]
        listed.indices[places] = np.take_along_axis(others, best, axis=1)
        listed.scores[places] = np.take_along_axis(similarities, best, axis=1)
    return listed


def similar_users(
    profiles: Profiles,
    handles: np.ndarray,
    one_hot: Profiles,
    listed: NeighbourLists,
    columns: ProfileColumns,
    labels: np.ndarray,
    neighbourhood_similarity: np.ndarray,
    hub_correction: float,
) -> Iterator[dict[str, np.ndarray | ListColumn]]:
    """Make the table of every user's similar users, with the parts of their similarity.

    Parameters
    ----------
    profiles
        Weighted profiles, the cluster included, whose dot product is the similarity (the table user_features).
    handles
        Array of shape (users,), of integers or of texts (dtype object): the handle of each user.
    one_hot
        Profiles of the same users without weights, for the plain cosine.
    listed
        What `rerank` finds for all of them.
    columns
        The facet and the name of each column of the profiles.
    labels
        Integer array of shape (users,): the cluster of each user.
    neighbourhood_similarity
        float64 array of shape (users,): see `NeighbourLists.neighbourhood_similarity`.
    hub_correction
        See `rerank`.

    Yields
    ------
    Parts of a table with a row per user and neighbour, by user and then rank: user_handle, rank (from 1),
    similar_user_handle, similarity, <facet>_part for every facet (they sum to similarity), neighbourhood_similarity of
    the similar user, ranking_score (similarity less hub_correction times that), cosine_similarity, similar_cluster_id,
    and top_reasons, a list of at most TOP_REASONS records of facet, feature and contribution, the largest first.

    """
    facet_names = np.array(columns.facets, dtype=object)
    sizes = np.asarray(one_hot.matrix.sum(axis=1))
    for start in range(0, max(len(listed.indices), 1), BLOCK_USERS):
        block = slice(start, start + BLOCK_USERS)
        rows, places, neighbours = pairs_of_lists(listed.indices[block])
        distinct, others = np.unique(neighbours, return_inverse=True)
        parts = np.empty((len(rows), len(columns.facets)))
        reasons = []
        for pairs, products in shared_features(profiles.matrix[block], rows, others, profiles.counterparts[distinct]):
            parts[pairs] = at_most_one(sums_by_group(products, columns.groups, len(columns.facets)))
            entries, owners, _ = best_of_rows(products.indptr, products.indices, products.data, TOP_REASONS)
            reasons.append((owners + pairs.start, products.indices[entries], products.data[entries]))
        similarity = at_most_one(_summed_alike_both_ways(parts, columns.partners))
        shared = shared_weights(one_hot.matrix[block], rows, others, one_hot.matrix[distinct])
        # The root of one exact product, so that no cosine rounds to above 1 and that of equal users is 1.
        both = np.sqrt(sizes[block][rows] * sizes[neighbours])
        yield {
            "user_handle": handles[block][rows],
            "rank": places + 1,
            "similar_user_handle": handles[neighbours],
            "similarity": similarity,
            **{f"{facet}_part": parts[:, place] for place, facet in enumerate(columns.facets)},
            "neighbourhood_similarity": neighbourhood_similarity[neighbours],
            "ranking_score": similarity - hub_correction * neighbourhood_similarity[neighbours],
            "cosine_similarity": np.divide(shared, both, out=np.zeros(len(both)), where=both > 0),
            "similar_cluster_id": labels[neighbours],
            "top_reasons": _reasons_by_pair(reasons, len(rows), facet_names[columns.groups], columns.names),
        }


def _reasons_by_pair(
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]], pairs: int, facets: np.ndarray, features: np.ndarray
) -> ListColumn:
    """Make lists of records of parts with the pair, the column and the contribution of every reason, by pair."""
    none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    owners, columns, contributions = (np.concatenate(arrays) for arrays in zip(none, *parts, strict=True))
    return ListColumn(
        np.bincount(owners, minlength=pairs),
        {
            "facet": facets[columns],
            "feature": features[columns],
            "contribution": contributions,
        },
    )


def _summed_alike_both_ways(parts: np.ndarray, partners: np.ndarray) -> np.ndarray:
    """Sum parts in an order that is the same seen from either user, to the last bit.

    Seen from the other user, a facet's part is that of its partner, so the two are added first.
    """
    places = np.arange(parts.shape[1])
    paired = parts + np.where(partners == places, 0, parts[:, partners])
    return np.asarray(paired[:, partners >= places].sum(axis=1))
