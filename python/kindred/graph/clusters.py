"""Density clusters of users by the neighbours that they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from kindred.graph.hierarchy import NO_CLUSTER, border_links, by_size, core_levels, owners_of


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
    levels = core_levels(graph, min_samples)
    users = len(levels)
    owners = owners_of(graph)
    kept = graph.data >= min_shared
    rows, columns = owners[kept], graph.indices[kept]
    # All that is left is near: a distance of 1 within an eps of 1, and nothing else is stored.
    distances = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(users, users))
    found = DBSCAN(eps=1, min_samples=min_samples, metric="precomputed").fit(distances)
    is_core = np.zeros(users, bool)
    is_core[found.core_sample_indices_] = True
    labels = found.labels_.astype(np.int64)
    border, through, border_levels = border_links(graph, levels)
    at_border = (border_levels >= min_shared) & ~is_core[border]
    labels[border[at_border]] = labels[through[at_border]]
    return Clusters(by_size(labels), is_core, np.bincount(rows, minlength=users))


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
