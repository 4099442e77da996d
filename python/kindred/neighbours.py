"""The tables of nearest and closest users: neighbour lists, re-ranked, with the parts of each similarity."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
from scipy import sparse

from kindred.profiles import Profiles
from kindred.similarity import TIE_DECIMALS, pairs_of_lists, shared_weights, top_k
from kindred.tables import Lists, read_parts

FACET_IDS = 1_000_000_000
"""Feature ids of one facet: facet number x FACET_IDS and up, as the macro feature_id assigns them."""

NEIGHBOURHOOD_USERS = 10
"""A user's neighbourhood, for the hub correction: the nearest so many users."""

BLOCK_USERS = 4096
"""Users whose lists are re-ranked, read or written at a time; bounds memory, whatever the number of users."""


@dataclass(frozen=True)
class NeighbourLists:
    """The nearest users of every user.

    Attributes
    ----------
    indices
        Integer array of shape (users, k): rows of the neighbours, nearest first, -1 where there is none.
    scores
        float64 array of shape (users, k): their scores, 0 where there is none.

    """

    indices: np.ndarray
    scores: np.ndarray

    @classmethod
    def read(cls, table: duckdb.DuckDBPyRelation, users: np.ndarray) -> NeighbourLists:
        """Read lists back from the table that `nearest_users` makes; users are its rows, rising.

        Indices are int32, half of what a list of 100 neighbours of a million users would take otherwise.
        """
        longest = table.aggregate("max(len(near_user_handles))").fetchall()[0][0]
        indices = np.full((len(users), longest or 1), -1, dtype=np.int32)
        scores = np.zeros(indices.shape)
        for part in read_parts(table.select("user_handle, near_user_handles, scores"), BLOCK_USERS):
            near = part["near_user_handles"]
            rows = np.searchsorted(users, part["user_handle"])[near.owners]
            indices[rows, near.places] = np.searchsorted(users, near.values)
            scores[rows, near.places] = part["scores"].values
        return cls(indices, scores)

    def neighbourhood_similarity(self) -> np.ndarray:
        """Return each user's mean score with the nearest NEIGHBOURHOOD_USERS; missing ones count 0. Shape (users,)."""
        return self.scores[:, :NEIGHBOURHOOD_USERS].sum(axis=1) / NEIGHBOURHOOD_USERS


def nearest_users(
    profiles: Profiles, k: int, threads: int = 1, progress: Callable[[float], None] | None = None
) -> Iterator[dict[str, np.ndarray | Lists]]:
    """List the k nearest users of every user by the similarity of their profiles, see `top_k`.

    Yields
    ------
    Parts of a table with a row per user, by user: user_handle, near_user_handles and scores, two lists of one length,
    nearest first.

    """
    nearest = nearest_lists(profiles, k, threads, progress=progress)
    for start in range(0, max(len(profiles.users), 1), BLOCK_USERS):
        block = slice(start, start + BLOCK_USERS)
        is_listed = nearest.indices[block] >= 0
        lengths = is_listed.sum(axis=1)
        yield {
            "user_handle": profiles.users[block],
            "near_user_handles": Lists(lengths, profiles.users[nearest.indices[block][is_listed]]),
            "scores": Lists(lengths, nearest.scores[block][is_listed]),
        }


def nearest_lists(
    profiles: Profiles,
    k: int,
    threads: int = 1,
    *,
    rows: np.ndarray | None = None,
    progress: Callable[[float], None] | None = None,
) -> NeighbourLists:
    """List the k nearest users of every user, or of some rows, by the similarity of their profiles, see `top_k`."""
    return NeighbourLists(
        *top_k(
            profiles.matrix,
            k,
            metric="dot",
            counterparts=profiles.counterparts,
            rows=rows,
            threads=threads,
            progress=progress,
        )
    )


def closest_lists(
    profiles: Profiles,
    nearest: NeighbourLists,
    k: int,
    *,
    hub_correction: float = 0.0,
    labels: np.ndarray | None = None,
    cluster_weight: float = 0.0,
    rows: np.ndarray | None = None,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
) -> np.ndarray:
    """List the k closest users of every user: by similarity, less a correction for hubs.

    A hub is close to everybody and hence on many lists without being anybody's best match. What is taken off a
    candidate's similarity is hub_correction times the candidate's neighbourhood similarity, a constant per candidate
    (after CSLS; Conneau et al. 2018: Word translation without parallel data).

    Parameters
    ----------
    profiles
        Profiles whose similarity ranks, the cluster included where labels are given.
    nearest
        The lists by the profiles without the cluster, at least NEIGHBOURHOOD_USERS long.
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
    threads, progress
        See `top_k`; the kernel finds the lists anew that re-ranking does not settle.

    Returns
    -------
    Integer array of shape (rows, k): rows of the closest users, closest first, -1 where there are fewer.

    """
    rows = np.arange(len(profiles.users)) if rows is None else np.asarray(rows)
    indices, is_settled = rerank(nearest, k, rows, hub_correction, labels, cluster_weight)
    unsettled = np.flatnonzero(~is_settled)
    if not len(unsettled):
        return indices  # counterparts would be made for nothing
    indices[unsettled], _ = top_k(
        profiles.matrix,
        k,
        metric="dot",
        counterparts=profiles.counterparts,
        penalties=hub_correction * nearest.neighbourhood_similarity() if hub_correction else None,
        rows=rows[unsettled],
        threads=threads,
        progress=progress,
    )
    return indices


def rerank(
    nearest: NeighbourLists,
    k: int,
    rows: np.ndarray,
    hub_correction: float = 0.0,
    labels: np.ndarray | None = None,
    cluster_weight: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Re-rank neighbour lists when sharing a cluster adds to a score and a candidate's neighbourhood takes from it.

    Parameters
    ----------
    nearest, k, rows, hub_correction, labels, cluster_weight
        See `closest_lists`.

    Returns
    -------
    indices
        Integer array of shape (rows, k), -1 where there are fewer.
    is_settled
        Boolean array of shape (rows,): whether the list is exact. Somebody who is neither on a user's list nor has
        the user in their own neighbourhood scores at most what the last on the list does, and less than their own
        neighbourhood similarity; hence at most (1 - hub_correction) times the last score plus the cluster's weight
        after correction. Where the k-th new score is above that, nobody else can enter. The other lists have to be
        found anew.

    """
    users = len(nearest.indices)
    crowding = nearest.neighbourhood_similarity()
    near_rows, places = np.nonzero(nearest.indices[:, :NEIGHBOURHOOD_USERS] >= 0)
    neighbourhoods = sparse.csc_array(
        (nearest.scores[near_rows, places], (near_rows, nearest.indices[near_rows, places])), shape=(users, users)
    )
    indices = np.full((len(rows), k), -1, dtype=np.int64)
    kth_totals = np.full(len(rows), -np.inf)
    for start in range(0, len(rows), BLOCK_USERS):
        block = rows[start : start + BLOCK_USERS]
        own, listed = np.nonzero(nearest.indices[block] >= 0)
        back = neighbourhoods[:, block].tocoo()
        places = np.concatenate([own, back.col])
        candidates = np.concatenate([nearest.indices[block[own], listed], back.row])
        scores = np.concatenate([nearest.scores[block[own], listed], back.data])
        _, first = np.unique(places * users + candidates, return_index=True)
        places, candidates, totals = places[first], candidates[first], scores[first]
        if labels is not None:
            shares_cluster = (labels[candidates] == labels[block[places]]) & (labels[candidates] >= 0)
            totals = totals + cluster_weight * shares_cluster
        totals = np.round(totals - hub_correction * crowding[candidates], TIE_DECIMALS)
        order = np.lexsort((candidates, -totals, places))
        places, candidates, totals = places[order], candidates[order], totals[order]
        ranks = np.arange(len(places)) - np.searchsorted(places, places)
        kept = ranks < k
        indices[start + places[kept], ranks[kept]] = candidates[kept]
        last = ranks == k - 1
        kth_totals[start + places[last]] = totals[last]
    bound = (1 - hub_correction) * nearest.scores[rows, -1] + cluster_weight
    return indices, kth_totals > bound + 2 * 10.0**-TIE_DECIMALS


def closest_users(
    profiles: Profiles,
    one_hot: Profiles,
    nearest: NeighbourLists,
    labels: np.ndarray,
    facets: dict[int, str],
    cluster_weight: float,
    hub_correction: float,
    k: int,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Iterator[dict[str, np.ndarray]]:
    """List the k closest users of every user, with the parts of their similarity.

    Parameters
    ----------
    profiles
        Weighted profiles, the cluster included, whose dot product is the similarity (the table user_features).
    one_hot
        Profiles of the same users without weights, for the plain cosine.
    nearest, labels, cluster_weight, hub_correction, k, threads, progress
        See `closest_lists`.
    facets
        The name of each facet by its number.

    Yields
    ------
    Parts of a table with a row per user and neighbour, by user and then rank: user_handle, rank (from 1),
    similar_user_handle, similarity, <facet>_part for every facet (they sum to similarity), neighbourhood_similarity of
    the similar user, ranking_score (similarity less hub_correction times that) and cosine_similarity.

    """
    indices = closest_lists(
        profiles,
        nearest,
        k,
        hub_correction=hub_correction,
        labels=labels,
        cluster_weight=cluster_weight,
        threads=threads,
        progress=progress,
    )
    numbers = np.array(sorted(facets))
    groups = np.searchsorted(numbers, profiles.features // FACET_IDS)
    matching_groups = np.searchsorted(numbers, profiles.matching_features // FACET_IDS)
    crowding = nearest.neighbourhood_similarity()
    lengths = np.sqrt(one_hot.matrix.sum(axis=1))
    for start in range(0, max(len(indices), 1), BLOCK_USERS):
        block = slice(start, start + BLOCK_USERS)
        rows, places, neighbours = pairs_of_lists(indices[block])
        listed, others = np.unique(neighbours, return_inverse=True)
        parts = shared_weights(
            profiles.matrix[block], rows, others, groups, len(numbers), counterparts=profiles.counterparts[listed]
        )
        similarity = _summed_alike_both_ways(parts, groups, matching_groups)
        shared = shared_weights(one_hot.matrix[block], rows, others, counterparts=one_hot.matrix[listed])[:, 0]
        both = lengths[block][rows] * lengths[neighbours]
        yield {
            "user_handle": profiles.users[block][rows],
            "rank": places + 1,
            "similar_user_handle": profiles.users[neighbours],
            "similarity": similarity,
            **{f"{facets[number]}_part": parts[:, place] for place, number in enumerate(numbers.tolist())},
            "neighbourhood_similarity": crowding[neighbours],
            "ranking_score": similarity - hub_correction * crowding[neighbours],
            "cosine_similarity": np.divide(shared, both, out=np.zeros(len(both)), where=both > 0),
        }


def _summed_alike_both_ways(parts: np.ndarray, groups: np.ndarray, matching_groups: np.ndarray) -> np.ndarray:
    """Sum parts in an order that is the same seen from either user, to the last bit.

    Seen from the other, the part of a facet is that of the facet which it meets: the two are added first.
    """
    partner = np.arange(parts.shape[1])
    partner[groups] = matching_groups
    paired = parts + np.where(partner == np.arange(parts.shape[1]), 0, parts[:, partner])
    return paired[:, partner >= np.arange(parts.shape[1])].sum(axis=1)
