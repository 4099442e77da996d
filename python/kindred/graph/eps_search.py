"""The choice of eps: the clusters of every eps, and the loosest eps that is allowed."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from kindred.graph.hierarchy import NO_CLUSTER, by_size, cluster_links, core_levels, labels_of_links
from kindred.graph.shared_neighbours import shared_neighbour_graph

MIN_SHARED = 2
"""The loosest eps: users who list each other share at least the two of them."""


def neighbours_to_compare(users: int, neighbours: int, min_samples: int) -> tuple[int, int]:
    """Scale the settings of the clustering down for few users.

    Lists that are longer than a group of users overlap for everybody, so they tell no groups apart.

    Returns
    -------
    The neighbours to compare: at most 5% of the users, and at least 1. And the users within eps that make a core user:
    at most a tenth of the neighbours, or 3 if that is more.

    """
    compared = min(neighbours, max(1, users // 20))
    return compared, min(min_samples, max(3, compared // 10))


def search_eps(graph: sparse.csr_array, neighbours: int, min_samples: int, max_share: float) -> dict[str, np.ndarray]:
    """Compute the clusters of every eps, and choose the loosest eps whose largest cluster is not too large.

    The distance is 1 - shared / (neighbours + 1) (Ertoz, Steinbach, Kumar 2003: Finding clusters of different sizes,
    shapes, and densities in noisy, high dimensional data). So eps has one value for each number of neighbours that two
    lists can share. The clusters of all values come from one maximum spanning tree (the hierarchy of HDBSCAN: Campello,
    Moulavi, Sander 2013). Take two users who share s neighbours, and are core users if min_shared is at most a and b:
    they are linked if min_shared is at most min(a, b, s). The tree keeps the links that join clusters. This costs as
    much as one DBSCAN instead of one for every eps, and a test compares the counts with those of DBSCAN.

    Parameters
    ----------
    graph
        What `shared_neighbour_graph` returns.
    neighbours
        The length of the neighbour lists.
    min_samples
        How many users within eps, the user included, make a user a core user; at least 1.
    max_share
        The largest share of the users that a cluster may hold, above 0 and at most 1.

    Returns
    -------
    Columns of a table with a row per eps, the tightest first; no rows without users: min_shared, eps, min_samples,
    core_users, clusters, clustered_users, noise_share, largest_cluster_share, is_allowed, is_chosen and reason. At
    most one eps is chosen, and none if no allowed eps gives any cluster.

    Raises
    ------
    ValueError
        If min_samples or max_share is out of range.

    """
    if not 0 < max_share <= 1:
        raise ValueError(f"max_share must be above 0 and at most 1, not {max_share}")
    levels = core_levels(graph, min_samples)
    users = len(levels)
    considered = np.arange(neighbours + 1, MIN_SHARED - 1, -1) if users else np.arange(0)

    links = cluster_links(graph, levels)
    core_users, clusters, clustered_users, largest = np.zeros((4, len(considered)), dtype=np.int64)
    for place, min_shared in enumerate(considered.tolist()):
        labels = labels_of_links(links, levels, min_shared)
        sizes = np.bincount(labels[labels >= 0])
        sizes = sizes[sizes > 0]
        core_users[place], clusters[place] = (levels >= min_shared).sum(), len(sizes)
        clustered_users[place], largest[place] = sizes.sum(), sizes.max(initial=0)

    largest_share = largest / max(users, 1)
    is_allowed = largest_share <= max_share
    is_chosen = np.zeros(len(considered), bool)
    allowed = np.flatnonzero(is_allowed)
    if len(allowed) and clusters[allowed[-1]]:
        is_chosen[allowed[-1]] = True
    return {
        "min_shared": considered,
        "eps": 1 - considered / (neighbours + 1),
        "min_samples": np.full(len(considered), min_samples),
        "core_users": core_users,
        "clusters": clusters,
        "clustered_users": clustered_users,
        "noise_share": 1 - clustered_users / max(users, 1),
        "largest_cluster_share": largest_share,
        "is_allowed": is_allowed,
        "is_chosen": is_chosen,
        "reason": _reasons(clusters, largest_share, is_allowed, is_chosen, max_share),
    }


def cluster_lists(indices: np.ndarray, min_samples: int, max_share: float) -> np.ndarray:
    """Cluster users by their neighbour lists as a build does, at the eps that `search_eps` chooses.

    The clusters are those of `shared_neighbour_dbscan`, which a test checks, but they come from the tree of the search.
    Clusters only grow and merge as eps grows, so a bisection finds the eps.

    Parameters
    ----------
    indices
        Integer array of shape (users, k) as `top_k` returns it: -1 in free places.
    min_samples, max_share
        See `search_eps`.

    Returns
    -------
    int64 array of shape (users,): clusters by falling size from 0, -1 for no cluster.

    """
    graph = shared_neighbour_graph(indices)
    levels = core_levels(graph, min_samples)
    links = cluster_links(graph, levels)
    # No two users share as many neighbours as this, so there is no cluster that could be too large.
    loosest, too_loose = indices.shape[1] + 2, MIN_SHARED - 1
    labels = np.full(len(indices), NO_CLUSTER)
    while len(indices) and loosest - too_loose > 1:
        min_shared = (loosest + too_loose) // 2
        found = labels_of_links(links, levels, min_shared)
        if np.bincount(found[found >= 0]).max(initial=0) / len(indices) <= max_share:
            loosest, labels = min_shared, found
        else:
            too_loose = min_shared
    return by_size(labels)


def _reasons(
    clusters: np.ndarray, largest_share: np.ndarray, is_allowed: np.ndarray, is_chosen: np.ndarray, max_share: float
) -> np.ndarray:
    """Return for every eps why it was chosen or not."""
    limit = f"{100 * max_share:.4g}% (cluster_max_share)"
    return np.select(
        [is_chosen, ~is_allowed, clusters == 0],
        [
            f"taken: the loosest eps whose largest cluster holds at most {limit} of the users",
            np.array([f"too loose: the largest cluster holds {100 * share:.1f}% of the users, above {limit}"
                      for share in largest_share], dtype=str),
            "too tight: nobody is near enough to enough users to be a core user",
        ],
        "tighter than the eps taken, which puts more users into clusters",
    ).astype(object)  # fmt: skip
