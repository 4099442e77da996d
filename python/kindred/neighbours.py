"""The tables of nearest and closest users: neighbour lists, re-ranked by cluster, with the parts of each similarity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kindred.profiles import Profiles
from kindred.similarity import TIE_DECIMALS, pairs_of_lists, shared_weights, top_k

FACET_IDS = 1_000_000_000
"""Feature ids of one facet: facet number x FACET_IDS and up, as the macro feature_id assigns them."""


@dataclass(frozen=True)
class NeighbourLists:
    """The nearest users of every user.

    Attributes
    ----------
    indices
        int64 array of shape (users, k): rows of the neighbours, nearest first, -1 where there is none.
    scores
        float64 array of shape (users, k): their scores, 0 where there is none.

    """

    indices: np.ndarray
    scores: np.ndarray

    @classmethod
    def from_long(cls, columns: dict[str, np.ndarray], users: np.ndarray) -> NeighbourLists:
        """Read lists back from the long table that `nearest_users` makes; users are its rows, rising."""
        rows = np.searchsorted(users, columns["user_handle"])
        places = np.asarray(columns["rank"]) - 1
        k = int(places.max()) + 1 if len(places) else 1
        indices = np.full((len(users), k), -1, dtype=np.int64)
        scores = np.zeros((len(users), k))
        indices[rows, places] = np.searchsorted(users, columns["near_user_handle"])
        scores[rows, places] = columns["score"]
        return cls(indices, scores)


def nearest_users(profiles: Profiles, k: int, threads: int = 1) -> dict[str, np.ndarray]:
    """List the k nearest users of every user by the dot product of their profiles.

    Returns
    -------
    Arrays of one length, a row per user and neighbour, by user and then rank: user_handle, rank (from 1),
    near_user_handle, score.

    """
    indices, scores = top_k(profiles.matrix, k, metric="dot", threads=threads)
    rows, places, neighbours = pairs_of_lists(indices)
    return {
        "user_handle": profiles.users[rows],
        "rank": places + 1,
        "near_user_handle": profiles.users[neighbours],
        "score": scores[rows, places],
    }


def rerank_by_cluster(
    nearest: NeighbourLists, labels: np.ndarray, cluster_weight: float, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Re-rank neighbour lists when sharing a cluster adds a constant to the score.

    Parameters
    ----------
    nearest
        Lists of m neighbours by the score without the cluster.
    labels
        Integer array of shape (users,): the cluster of each user, negative for none.
    cluster_weight
        What sharing a cluster adds, 0 or more.
    k
        The length of the new lists.

    Returns
    -------
    indices
        Integer array of shape (users, k), -1 where there are fewer.
    is_settled
        Boolean array of shape (users,): whether the list is exact. A user beyond the m listed scores at most the m-th
        score plus the cluster's weight: where the k-th new score is above that, nobody beyond can enter. The other
        lists have to be found anew.

    """
    indices, scores = nearest.indices, nearest.scores
    if indices.shape[1] < k:
        missing = k - indices.shape[1]
        indices = np.pad(indices, ((0, 0), (0, missing)), constant_values=-1)
        scores = np.pad(scores, ((0, 0), (0, missing)))
    is_listed = indices >= 0
    shares_cluster = is_listed & (labels[indices] == labels[:, None]) & (labels[:, None] >= 0)
    totals = np.where(is_listed, np.round(scores + cluster_weight * shares_cluster, TIE_DECIMALS), -1.0)
    by_index = np.argsort(indices, axis=1, kind="stable")
    by_total = np.argsort(-np.take_along_axis(totals, by_index, axis=1), axis=1, kind="stable")[:, :k]
    order = np.take_along_axis(by_index, by_total, axis=1)
    kth_total = np.take_along_axis(totals, order[:, -1:], axis=1)[:, 0]
    is_settled = kth_total > scores[:, -1] + cluster_weight + 10.0**-TIE_DECIMALS
    return np.take_along_axis(indices, order, axis=1), is_settled


def closest_users(
    profiles: Profiles,
    one_hot: Profiles,
    nearest: NeighbourLists,
    labels: np.ndarray,
    facets: dict[int, str],
    cluster_weight: float,
    k: int,
    threads: int = 1,
) -> dict[str, np.ndarray]:
    """List the k closest users of every user.

    Parameters
    ----------
    profiles
        Weighted profiles, the cluster included, whose dot product is the similarity (the table user_features).
    one_hot
        Profiles of the same users without weights, for the plain cosine.
    nearest
        The lists of `nearest_users` by the profiles without the cluster.
    labels
        Integer array of shape (users,): the cluster of each user, negative for none.
    facets
        The name of each facet by its number.
    cluster_weight
        What sharing a cluster adds to the similarity.
    k
        Neighbours per user.
    threads
        Threads of the similarity kernel.

    Returns
    -------
    Arrays of one length, a row per user and neighbour, by user and then rank: user_handle, rank (from 1),
    similar_user_handle, similarity, <facet>_part for every facet (they sum to similarity) and cosine_similarity.

    """
    indices, is_settled = rerank_by_cluster(nearest, labels, cluster_weight, k)
    unsettled = np.flatnonzero(~is_settled)
    indices[unsettled], _ = top_k(profiles.matrix, k, metric="dot", rows=unsettled, threads=threads)

    rows, places, neighbours = pairs_of_lists(indices)
    numbers = sorted(facets)
    groups = np.searchsorted(numbers, profiles.features // FACET_IDS)
    parts = shared_weights(profiles.matrix, rows, neighbours, groups, len(numbers))
    lengths = np.sqrt(one_hot.matrix.sum(axis=1))
    shared = shared_weights(one_hot.matrix, rows, neighbours)[:, 0]
    both = lengths[rows] * lengths[neighbours]
    return {
        "user_handle": profiles.users[rows],
        "rank": places + 1,
        "similar_user_handle": profiles.users[neighbours],
        "similarity": parts.sum(axis=1),
        **{f"{facets[number]}_part": parts[:, place] for place, number in enumerate(numbers)},
        "cosine_similarity": np.divide(shared, both, out=np.zeros(len(both)), where=both > 0),
    }
