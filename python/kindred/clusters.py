"""Density clusters of users by the neighbours that they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.cluster import DBSCAN

NO_CLUSTER = -1

BLOCK_USERS = 64
"""Users whose lists are compared at a time; bounds memory, whatever the number of users."""


@dataclass(frozen=True)
class Clusters:
    """The outcome of `shared_neighbour_dbscan`.

    Attributes
    ----------
    labels
        int64 array of shape (users,): clusters by falling size from 0, -1 for no cluster.
    is_core
        Boolean array of shape (users,): users that found a cluster rather than lie at its border.
    linked_users
        int64 array of shape (users,): other users within eps, that is sharing at least min_shared neighbours.
    min_shared
        The eps that was chosen, as shared neighbours; None if there is no cluster.

    """

    labels: np.ndarray
    is_core: np.ndarray
    linked_users: np.ndarray
    min_shared: int | None


def neighbours_to_compare(users: int, neighbours: int, min_samples: int) -> tuple[int, int]:
    """Scale the settings of the clustering down where there are few users.

    Lists that hold a larger share of the users than a group of them overlap for everyone and tell nothing apart.

    Returns
    -------
    The neighbours to compare, at most 5% of the users and at least 1; and the users that make a core user, at most a
    tenth of that and at least 3.

    """
    compared = min(neighbours, max(1, users // 20))
    return compared, min(min_samples, max(3, compared // 10))


def shared_neighbour_graph(indices: np.ndarray) -> sparse.csr_array:
    """Count the neighbours that mutual neighbours share.

    Parameters
    ----------
    indices
        Integer array of shape (users, k) as `top_k` returns it: -1 where there is no neighbour.

    Returns
    -------
    CSR array of shape (users, users), float64 and symmetric: for every two users who list each other, how many users
    both lists hold, each user counting as in their own list; 0 elsewhere.

    """
    users = len(indices)
    rows, places = np.nonzero(indices >= 0)
    lists = sparse.csr_array((np.ones(len(rows)), (rows, indices[rows, places])), shape=(users, users))
    mutual = sparse.csr_array(lists.multiply(lists.T))
    # Column `users` stands for a missing neighbour and is in nobody's list.
    members = np.column_stack([np.arange(users), np.where(indices >= 0, indices, users)])
    for start in range(0, users, BLOCK_USERS):
        stop = min(start + BLOCK_USERS, users)
        is_listed = np.zeros((stop - start, users + 1), dtype=bool)
        is_listed[np.arange(stop - start)[:, None], members[start:stop]] = True
        is_listed[:, users] = False
        entries = slice(mutual.indptr[start], mutual.indptr[stop])
        own = np.repeat(np.arange(stop - start), np.diff(mutual.indptr[start : stop + 1]))
        mutual.data[entries] = is_listed[own[:, None], members[mutual.indices[entries]]].sum(axis=1)
    return mutual


def shared_neighbour_dbscan(indices: np.ndarray, min_samples: int, max_share: float) -> Clusters:
    """Cluster users by DBSCAN on the share of neighbours that mutual neighbours have in common.

    The distance is 1 - shared / (k + 1) (Ertoz, Steinbach, Kumar 2003: Finding clusters of different sizes, shapes,
    and densities in noisy, high dimensional data). eps is the loosest at which the largest cluster holds at most
    max_share of the users, by bisection: clusters grow and merge as eps does, but for users at a border.

    Parameters
    ----------
    indices
        Integer array of shape (users, k) as `top_k` returns it.
    min_samples
        Users within eps, oneself included, that make a user a core user; at least 1.
    max_share
        The largest share of the users that a cluster may hold, above 0 and at most 1.

    Raises
    ------
    ValueError
        If min_samples or max_share is out of range.

    """
    if min_samples < 1:
        raise ValueError(f"min_samples must be at least 1, not {min_samples}")
    if not 0 < max_share <= 1:
        raise ValueError(f"max_share must be above 0 and at most 1, not {max_share}")
    users, k = indices.shape
    graph = shared_neighbour_graph(indices)

    nothing_found = Clusters(np.full(users, NO_CLUSTER), np.zeros(users, bool), np.zeros(users, np.int64), None)
    chosen = nothing_found
    tightest, loosest = k + 1, 1
    while users and loosest <= tightest:
        min_shared = (loosest + tightest) // 2
        tried = _dbscan(graph, min_shared, min_samples)
        largest = np.bincount(tried.labels[tried.labels >= 0], minlength=1).max()
        if largest / users <= max_share:
            chosen, tightest = tried, min_shared - 1
        else:
            loosest = min_shared + 1
    return chosen if chosen.is_core.any() else nothing_found


def _dbscan(graph: sparse.csr_array, min_shared: int, min_samples: int) -> Clusters:
    """Run DBSCAN where users are near who share at least min_shared neighbours."""
    users = graph.shape[0]
    near = graph.tocoo()
    kept = near.data >= min_shared
    rows, columns = near.row[kept], near.col[kept]
    linked = np.bincount(rows, minlength=users)
    # All that is left is near: a distance of 1 within an eps of 1, and nothing else is stored.
    distances = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(users, users))
    found = DBSCAN(eps=1, min_samples=min_samples, metric="precomputed").fit(distances)
    is_core = np.zeros(users, bool)
    is_core[found.core_sample_indices_] = True
    return Clusters(_by_size(found.labels_.astype(np.int64)), is_core, linked, min_shared)


def _by_size(labels: np.ndarray) -> np.ndarray:
    """Renumber clusters by falling size, then by their first user, so that ids do not depend on the search."""
    clustered = labels[labels >= 0]
    if not len(clustered):
        return labels
    sizes = np.bincount(clustered)
    first = np.full(len(sizes), len(labels))
    np.minimum.at(first, clustered, np.flatnonzero(labels >= 0))
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return np.where(labels >= 0, rank[labels], NO_CLUSTER)
