"""Density clusters of users by the neighbours that they share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from kindred.tables import Lists, read_parts

NO_CLUSTER = -1

BLOCK_USERS = 64
"""Users whose lists are compared at a time; bounds memory, whatever the number of users."""

PART_USERS = 4096
"""Users whose part of the graph is read or written at a time."""

LEAST_SHARED = 2
"""Users who list each other have at least each other in common: nothing is looser than that."""


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

    """

    labels: np.ndarray
    is_core: np.ndarray
    linked_users: np.ndarray


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
    # Column `users` stands for a missing neighbour and is in nobody's list.
    members = np.empty((users, indices.shape[1] + 1), dtype=np.int32)
    members[:, 0] = np.arange(users)
    members[:, 1:] = np.where(indices >= 0, indices, users)
    is_listed = np.zeros((BLOCK_USERS, users + 1), dtype=bool)
    found = [(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int32))]
    for start in range(0, users, BLOCK_USERS):
        block = members[start : start + BLOCK_USERS]
        # Both directions of a pair are the same: that with the lower row first is counted.
        own, places = np.nonzero((block > block[:, :1]) & (block < users))
        others = block[own, places]
        lists = members[others]
        is_mutual = (lists[:, 1:] == block[own, :1]).any(axis=1)
        own, others, lists = own[is_mutual], others[is_mutual], lists[is_mutual]
        is_listed[np.arange(len(block))[:, None], block] = True
        is_listed[:, users] = False
        counts = is_listed[own[:, None], lists].sum(axis=1, dtype=np.int32)
        is_listed[np.arange(len(block))[:, None], block] = False
        found.append((block[own, 0], others, counts))
    rows, columns, shared = (np.concatenate(parts) for parts in zip(*found, strict=True))
    upper = sparse.csr_array((shared.astype(np.float64), (rows, columns)), shape=(users, users))
    return sparse.csr_array(upper + upper.T)


def shared_neighbours(indices: np.ndarray, users: np.ndarray) -> Iterator[dict[str, np.ndarray | Lists]]:
    """Yield the graph of `shared_neighbour_graph` as parts of a table with a row per user.

    Its columns are user_handle, near_user_handles (mutual neighbours, rising) and shared_neighbours, two lists of one
    length.
    """
    graph = shared_neighbour_graph(indices)
    for start in range(0, max(len(users), 1), PART_USERS):
        part = graph[start : start + PART_USERS]
        lengths = np.diff(part.indptr)
        yield {
            "user_handle": users[start : start + PART_USERS],
            "near_user_handles": Lists(lengths, users[part.indices]),
            "shared_neighbours": Lists(lengths, part.data.astype(np.int64)),
        }


def read_graph(table: duckdb.DuckDBPyRelation, users: np.ndarray) -> sparse.csr_array:
    """Read the graph back from the table that `shared_neighbours` makes; users are its rows, rising."""
    lengths, columns, shared = [], [], []
    by_user = table.order("user_handle").select("near_user_handles, shared_neighbours")
    for part in read_parts(by_user, PART_USERS):
        lengths.append(part["near_user_handles"].lengths)
        columns.append(np.searchsorted(users, part["near_user_handles"].values).astype(np.int32))
        shared.append(part["shared_neighbours"].values.astype(np.int32))
    starts = np.concatenate([np.zeros(1, np.int32), *lengths]).cumsum(dtype=np.int32)
    data = np.concatenate([np.zeros(0, np.int32), *shared]).astype(np.float64)
    return sparse.csr_array((data, np.concatenate([np.zeros(0, np.int32), *columns]), starts), shape=2 * (len(users),))


def shared_neighbour_dbscan(graph: sparse.csr_array, min_shared: int, min_samples: int) -> Clusters:
    """Cluster users by scikit-learn's DBSCAN on the neighbours that they share.

    Users are near who list each other and share at least min_shared neighbours. DBSCAN leaves open which cluster a user
    joins who is near core users of several. Here it is that of the core user through whom they are in a cluster from
    the tightest eps on, so that clusters only grow and merge as eps does (`search_eps` counts the same clusters).

    Parameters
    ----------
    graph
        What `shared_neighbour_graph` returns.
    min_shared
        The neighbours that two users share to be near, at least 1; eps is 1 - min_shared / (neighbours listed + 1).
    min_samples
        Users within eps, oneself included, that make a user a core user; at least 1.

    Raises
    ------
    ValueError
        If min_shared or min_samples is below 1.

    """
    # Slow to import, and the search needs none of it.
    from sklearn.cluster import DBSCAN

    if min_shared < 1:
        raise ValueError(f"min_shared must be at least 1, not {min_shared}")
    levels = _core_levels(graph, min_samples)
    users = len(levels)
    owners = _owners(graph)
    kept = graph.data >= min_shared
    rows, columns = owners[kept], graph.indices[kept]
    # All that is left is near: a distance of 1 within an eps of 1, and nothing else is stored.
    distances = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(users, users))
    found = DBSCAN(eps=1, min_samples=min_samples, metric="precomputed").fit(distances)
    is_core = np.zeros(users, bool)
    is_core[found.core_sample_indices_] = True
    labels = found.labels_.astype(np.int64)
    border, through, border_levels = _border_links(graph, levels)
    at_border = (border_levels >= min_shared) & ~is_core[border]
    labels[border[at_border]] = labels[through[at_border]]
    return Clusters(_by_size(labels), is_core, np.bincount(rows, minlength=users))


def search_eps(graph: sparse.csr_array, neighbours: int, min_samples: int, max_share: float) -> dict[str, np.ndarray]:
    """Look at the clusters of every eps, and take the loosest whose largest cluster is not too large.

    The distance is 1 - shared / (neighbours + 1) (Ertoz, Steinbach, Kumar 2003: Finding clusters of different sizes,
    shapes, and densities in noisy, high dimensional data), so that eps has as many values as two lists can share
    neighbours. All are counted from one maximum spanning tree: two users who are core users from min_shared a and b on
    and share s neighbours hold together while min_shared is at most min(a, b, s), and the tree keeps, of all such
    links, those that join clusters (the hierarchy of HDBSCAN: Campello, Moulavi, Sander 2013). That is the cost of one
    DBSCAN instead of one for every eps, and a test holds the counts to those of DBSCAN.

    Parameters
    ----------
    graph
        What `shared_neighbour_graph` returns.
    neighbours
        How many neighbours the lists hold.
    min_samples
        Users within eps, oneself included, that make a user a core user; at least 1.
    max_share
        The largest share of the users that a cluster may hold, above 0 and at most 1.

    Returns
    -------
    Arrays of one length, a row per eps from the tightest on, none without users: min_shared, eps, min_samples,
    core_users, clusters, clustered_users, noise_share, largest_cluster_share, is_allowed, is_chosen and reason. At
    most one is chosen; none where every eps that is allowed finds no cluster.

    Raises
    ------
    ValueError
        If min_samples or max_share is out of range.

    """
    if not 0 < max_share <= 1:
        raise ValueError(f"max_share must be above 0 and at most 1, not {max_share}")
    levels = _core_levels(graph, min_samples)
    users = len(levels)
    considered = np.arange(neighbours + 1, LEAST_SHARED - 1, -1) if users else np.arange(0)

    links = _cluster_links(graph, levels)
    core_users, clusters, clustered_users, largest = np.zeros((4, len(considered)), dtype=np.int64)
    for place, min_shared in enumerate(considered.tolist()):
        labels = _labels_of_links(links, levels, min_shared)
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
    """Cluster users by their neighbour lists as the tables do, by the eps that `search_eps` takes.

    The clusters are those of `shared_neighbour_dbscan`, to which a test holds them, but come from the tree of the
    search itself; and since they only grow and merge with eps, a bisection finds it.

    Parameters
    ----------
    indices
        Integer array of shape (users, k) as `top_k` returns it: -1 where there is no neighbour.
    min_samples, max_share
        See `search_eps`.

    Returns
    -------
    int64 array of shape (users,): clusters by falling size from 0, -1 for no cluster.

    """
    graph = shared_neighbour_graph(indices)
    levels = _core_levels(graph, min_samples)
    links = _cluster_links(graph, levels)
    # Nobody shares more neighbours than these, so that there are no clusters, and they are not too large.
    loosest, too_loose = indices.shape[1] + 2, LEAST_SHARED - 1
    labels = np.full(len(indices), NO_CLUSTER)
    while len(indices) and loosest - too_loose > 1:
        min_shared = (loosest + too_loose) // 2
        found = _labels_of_links(links, levels, min_shared)
        if np.bincount(found[found >= 0]).max(initial=0) / len(indices) <= max_share:
            loosest, labels = min_shared, found
        else:
            too_loose = min_shared
    return _by_size(labels)


def nearest_clusters(labels: np.ndarray, voters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the cluster that most of a user's nearest users are in, for those in no cluster.

    Parameters
    ----------
    labels
        Integer array of shape (users,): the cluster of each user, negative for none.
    voters
        Integer array of shape (users, voters): rows of the users who vote, -1 where there is none.

    Returns
    -------
    nearest
        int64 array of shape (users,): the own cluster of a user who is in one; else the cluster of most voters, of
        equals the lower number, which is the larger cluster; -1 where no voter is in a cluster.
    shares
        float64 array of shape (users,): how many of the user's voters are in that cluster, those in no cluster counting
        among the voters; 0 where there is none.

    """
    is_voter = voters >= 0
    votes = np.sort(np.where(is_voter, labels[voters], NO_CLUSTER), axis=1)
    nearest, most = np.where(labels >= 0, labels, NO_CLUSTER).astype(np.int64), np.zeros(len(labels), np.int64)
    most[labels >= 0] = (votes == labels[:, None]).sum(axis=1)[labels >= 0]
    # Votes rise from place to place: a run of equal ones is one cluster's, and the first of the longest wins.
    run = np.zeros(len(labels), np.int64)
    for place in range(votes.shape[1]):
        vote = votes[:, place]
        run = np.where(vote == votes[:, place - 1], run + 1, 1) if place else np.ones(len(labels), np.int64)
        wins = (labels < 0) & (vote >= 0) & (run > most)
        nearest[wins], most[wins] = vote[wins], run[wins]
    voter_counts = is_voter.sum(axis=1)
    return nearest, np.divide(most, voter_counts, out=np.zeros(len(labels)), where=voter_counts > 0)


def cluster_users(
    users: np.ndarray, graph: sparse.csr_array, voters: np.ndarray, chosen: tuple[int, int] | None
) -> dict[str, np.ndarray]:
    """Cluster users and find the nearest cluster of those in none.

    Parameters
    ----------
    users
        int64 array of shape (users,), rising: the user of each row.
    graph
        What `shared_neighbour_graph` returns.
    voters
        Integer array of shape (users, voters): rows of the nearest users of each, -1 where there is none.
    chosen
        min_shared and min_samples of the eps that `search_eps` chose; None if it chose none: there are no clusters.

    Returns
    -------
    Arrays of one length, a row per user: user_handle, cluster_id, is_core, linked_users, nearest_cluster_id and
    nearest_cluster_share.

    """
    if chosen is None:
        count = len(users)
        found = Clusters(np.full(count, NO_CLUSTER), np.zeros(count, bool), np.zeros(count, np.int64))
    else:
        found = shared_neighbour_dbscan(graph, *chosen)
    nearest, shares = nearest_clusters(found.labels, voters)
    return {
        "user_handle": users,
        "cluster_id": found.labels,
        "is_core": found.is_core,
        "linked_users": found.linked_users,
        "nearest_cluster_id": nearest,
        "nearest_cluster_share": shares,
    }


def _owners(graph: sparse.csr_array) -> np.ndarray:
    """Return the row of every stored entry."""
    return np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))


def _core_levels(graph: sparse.csr_array, min_samples: int) -> np.ndarray:
    """Return for every user the most shared neighbours at which they are a core user; 0 if at none."""
    if min_samples < 1:
        raise ValueError(f"min_samples must be at least 1, not {min_samples}")
    most = int(graph.data.max(initial=0)) + 1
    if min_samples == 1:
        return np.full(graph.shape[0], np.iinfo(np.int64).max)
    # Ascending within each row, so that the last but min_samples - 2 is that of the farthest user who has to be near.
    keys = np.sort(_owners(graph) * most + graph.data.astype(np.int64))
    place = graph.indptr[1:] - (min_samples - 1)
    has_enough = place >= graph.indptr[:-1]
    levels = np.zeros(graph.shape[0], dtype=np.int64)
    levels[has_enough] = keys[place[has_enough]] % most
    return levels


def _border_links(graph: sparse.csr_array, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return users who are near a core user before they are one, that core user, and the most shared neighbours then.

    Of several the one who is there from the tightest eps on, then the one who shares most, then the first.
    """
    owners = _owners(graph)
    reached = np.minimum(graph.data.astype(np.int64), levels[graph.indices])
    entries = np.flatnonzero(reached > levels[owners])
    order = np.lexsort((graph.indices[entries], -graph.data[entries], -reached[entries], owners[entries]))
    border, first = np.unique(owners[entries[order]], return_index=True)
    best = entries[order[first]]
    return border, graph.indices[best], reached[best]


def _cluster_links(graph: sparse.csr_array, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the links that make the clusters of every eps: two users, and the most shared neighbours that join them.

    Until a user at the border is a core user, the link to one core user is all they have; from then on they are in the
    cluster of that core user by links of their own, so that the link changes nothing.
    """
    owners = _owners(graph)
    link_levels = np.minimum(graph.data.astype(np.int64), np.minimum(levels[owners], levels[graph.indices]))
    kept = (link_levels > 0) & (owners < graph.indices)
    tightest = int(link_levels.max(initial=0)) + 1
    # The lightest tree by tightest - level, which is above 0: what is not stored is no link.
    weights = sparse.csr_array((tightest - link_levels[kept], (owners[kept], graph.indices[kept])), shape=graph.shape)
    tree = minimum_spanning_tree(weights).tocoo()
    border, through, border_levels = _border_links(graph, levels)
    return (
        np.concatenate([tree.row, border]),
        np.concatenate([tree.col, through]),
        np.concatenate([tightest - tree.data.astype(np.int64), border_levels]),
    )


def _labels_of_links(
    links: tuple[np.ndarray, np.ndarray, np.ndarray], levels: np.ndarray, min_shared: int
) -> np.ndarray:
    """Return the clusters of an eps by the links of `_cluster_links`: numbers in no order, -1 for no cluster."""
    one, other, link_levels = links
    kept = link_levels >= min_shared
    joined = sparse.coo_array((np.ones(kept.sum()), (one[kept], other[kept])), shape=(len(levels), len(levels)))
    count, component = connected_components(joined, directed=False)
    has_core = np.bincount(component[levels >= min_shared], minlength=count) > 0
    return np.where(has_core[component], component, NO_CLUSTER).astype(np.int64)


def _reasons(
    clusters: np.ndarray, largest_share: np.ndarray, is_allowed: np.ndarray, is_chosen: np.ndarray, max_share: float
) -> np.ndarray:
    """Say for every eps why it was taken or not."""
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
