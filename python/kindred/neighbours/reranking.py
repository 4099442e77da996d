"""Re-ranking: the most similar users among the candidates, with the reasons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from kindred.build.tables import ListColumn
from kindred.matrices import TIE_DECIMALS, best_of_rows
from kindred.neighbours.lists import BLOCK_USERS, NeighbourLists
from kindred.neighbours.pairs import pairs_of_lists, shared_features, shared_weights, sums_by_group
from kindred.profiles.facets import FACET_IDS
from kindred.profiles.matrix import Profiles

if TYPE_CHECKING:
    pass


TOP_REASONS = 3
"""Features that are listed with a pair: those that add most to its similarity."""


def closest_lists(
    nearest: NeighbourLists,
    k: int,
    *,
    hub_correction: float = 0.0,
    labels: np.ndarray | None = None,
    cluster_weight: float = 0.0,
    rows: np.ndarray | None = None,
) -> NeighbourLists:
    """List the k closest of everybody's nearest users: by similarity, less a correction for hubs.

    A hub is close to everybody and hence on many lists without being anybody's best match. What is taken off a
    candidate's similarity is hub_correction times the candidate's neighbourhood similarity, a constant per candidate
    (after CSLS; Conneau et al. 2018: Word translation without parallel data). Candidates are a user's nearest only:
    correction and cluster rank those who are near, and bring nobody near who is not.

    Parameters
    ----------
    nearest
        The lists by the profiles without the cluster, at least NEIGHBOURHOOD_USERS long and longer than k.
    k
        The length of the lists.
    hub_correction
        How much of the candidate's neighbourhood similarity is taken off, from 0 to 1.
    labels
        Integer array of shape (users,): the cluster of each user, negative for none.
    cluster_weight
        What sharing a cluster adds to the similarity.
    rows
        Integer array: the rows whose lists are wanted, by default all.

    Returns
    -------
    Lists of shape (rows, k), closest first, with the similarity as score, the cluster counting and nothing taken off.
    What ranks is tied where it agrees to TIE_DECIMALS; ties stand in the order of rows.

    """
    rows = np.arange(len(nearest.indices)) if rows is None else np.asarray(rows)
    crowding = nearest.neighbourhood_similarity()
    closest = NeighbourLists(np.full((len(rows), k), -1, dtype=np.int32), np.zeros((len(rows), k)))
    for start in range(0, len(rows), BLOCK_USERS):
        block = rows[start : start + BLOCK_USERS]
        candidates = nearest.indices[block]
        similarities = nearest.scores[block]
        if labels is not None:
            shares_cluster = (labels[candidates] == labels[block, None]) & (labels[candidates] >= 0)
            similarities = np.where(candidates >= 0, similarities + cluster_weight * shares_cluster, 0)
        totals = np.round(similarities - hub_correction * crowding[candidates], TIE_DECIMALS)
        best = np.lexsort((candidates, np.where(candidates >= 0, -totals, np.inf)), axis=1)[:, :k]
        places = np.s_[start : start + BLOCK_USERS, : best.shape[1]]
        closest.indices[places] = np.take_along_axis(candidates, best, axis=1)
        closest.scores[places] = np.take_along_axis(similarities, best, axis=1)
    return closest


def closest_users(
    profiles: Profiles,
    one_hot: Profiles,
    closest: NeighbourLists,
    neighbourhood_similarity: np.ndarray,
    facets: dict[int, str],
    features: np.ndarray,
    labels: np.ndarray,
    hub_correction: float,
) -> Iterator[dict[str, np.ndarray | ListColumn]]:
    """Make the table of the closest users of every user, with the parts of their similarity.

    Parameters
    ----------
    profiles
        Weighted profiles, the cluster included, whose dot product is the similarity (the table user_features).
    one_hot
        Profiles of the same users without weights, for the plain cosine.
    closest
        What `closest_lists` finds for all of them.
    neighbourhood_similarity
        float64 array of shape (users,): see `NeighbourLists.neighbourhood_similarity`.
    facets
        The name of each facet by its number.
    features
        Array of shape (features,), object: the name of each column of the profiles.
    labels
        Integer array of shape (users,): the cluster of each user.
    hub_correction
        See `closest_lists`.

    Yields
    ------
    Parts of a table with a row per user and neighbour, by user and then rank: user_handle, rank (from 1),
    similar_user_handle, similarity, <facet>_part for every facet (they sum to similarity), neighbourhood_similarity of
    the similar user, ranking_score (similarity less hub_correction times that), cosine_similarity, similar_cluster_id,
    and top_reasons, a list of at most TOP_REASONS records of facet, feature and contribution, the largest first.

    """
    numbers = np.array(sorted(facets))
    facet_names = np.array([facets[number] for number in numbers.tolist()], dtype=object)
    groups = np.searchsorted(numbers, profiles.features // FACET_IDS)
    matching_groups = np.searchsorted(numbers, profiles.matching_features // FACET_IDS)
    lengths = np.sqrt(one_hot.matrix.sum(axis=1))
    for start in range(0, max(len(closest.indices), 1), BLOCK_USERS):
        block = slice(start, start + BLOCK_USERS)
        rows, places, neighbours = pairs_of_lists(closest.indices[block])
        listed, others = np.unique(neighbours, return_inverse=True)
        parts = np.empty((len(rows), len(numbers)))
        reasons = []
        for pairs, products in shared_features(profiles.matrix[block], rows, others, profiles.counterparts[listed]):
            parts[pairs] = sums_by_group(products, groups, len(numbers))
            entries, owners, _ = best_of_rows(products.indptr, products.indices, products.data, TOP_REASONS)
            reasons.append((owners + pairs.start, products.indices[entries], products.data[entries]))
        similarity = _summed_alike_both_ways(parts, groups, matching_groups)
        shared = shared_weights(one_hot.matrix[block], rows, others, counterparts=one_hot.matrix[listed])[:, 0]
        both = lengths[block][rows] * lengths[neighbours]
        yield {
            "user_handle": profiles.users[block][rows],
            "rank": places + 1,
            "similar_user_handle": profiles.users[neighbours],
            "similarity": similarity,
            **{f"{facets[number]}_part": parts[:, place] for place, number in enumerate(numbers.tolist())},
            "neighbourhood_similarity": neighbourhood_similarity[neighbours],
            "ranking_score": similarity - hub_correction * neighbourhood_similarity[neighbours],
            "cosine_similarity": np.divide(shared, both, out=np.zeros(len(both)), where=both > 0),
            "similar_cluster_id": labels[neighbours],
            "top_reasons": _reasons_by_pair(reasons, len(rows), facet_names[groups], features),
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


def _summed_alike_both_ways(parts: np.ndarray, groups: np.ndarray, matching_groups: np.ndarray) -> np.ndarray:
    """Sum parts in an order that is the same seen from either user, to the last bit.

    Seen from the other, the part of a facet is that of the facet which it meets: the two are added first.
    """
    partner = np.arange(parts.shape[1])
    partner[groups] = matching_groups
    paired = parts + np.where(partner == np.arange(parts.shape[1]), 0, parts[:, partner])
    return paired[:, partner >= np.arange(parts.shape[1])].sum(axis=1)
