"""Density-based clusters of users, by the neighbours that they share."""

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
        Boolean array of shape (users,): whether a user is a core user of a cluster, not one at its border.
    linked_users
        int64 array of shape (users,): the number of other users within eps, who share at least min_shared neighbours.

    """

    labels: np.ndarray
    is_core: np.ndarray
    linked_users: np.ndarray


def shared_neighbour_dbscan(graph: sparse.csr_array, min_shared: int, min_samples: int) -> Clusters:
    """Cluster users by the neighbours that they share, with scikit-learn's DBSCAN.

    Two users are within eps if they list each other and share at least min_shared neighbours. DBSCAN does not define
    which cluster a border user joins if core users of several clusters are within eps. Here the user joins the core
    user who links them to a cluster at the tightest eps. As a result clusters only grow and merge as eps grows, and
    `search_eps` counts the same clusters.

    Parameters
    ----------
    graph
        What `shared_neighbour_graph` returns.
    min_shared
        How many neighbours two users share to be within eps, at least 1. eps is 1 - min_shared / (list length + 1).
    min_samples
        How many users within eps, the user included, make a user a core user; at least 1.

    Raises
    ------
    ValueError
        If min_shared or min_samples is below 1.

    """
    # The import is slow, and the search does not need it.
    from sklearn.cluster import DBSCAN

    if min_shared < 1:
        raise ValueError(f"min_shared must be at least 1, not {min_shared}")
    levels = core_levels(graph, min_samples)
    users = len(levels)
    owners = owners_of(graph)
    kept = graph.data >= min_shared
    rows, columns = owners[kept], graph.indices[kept]
    # Only pairs within eps are stored, all at distance 1, so eps is 1 here.
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
    """Find the nearest cluster of users in no cluster: the one that most of their nearest users are in.

    Parameters
    ----------
    labels
        Integer array of shape (users,): the cluster of each user, negative for none.
    voters
        Integer array of shape (users, voters): rows of the users who vote, -1 in free places.

    Returns
    -------
    nearest
        int64 array of shape (users,): the user's own cluster, if there is one. Otherwise the cluster of most voters;
        with equal votes the lower number, which is the larger cluster; -1 if no voter is in a cluster.
    shares
        float64 array of shape (users,): the share of the user's voters who are in that cluster. Voters in no cluster
        count as voters. 0 if there is no cluster.

    """
    is_voter = voters >= 0
    votes = np.sort(np.where(is_voter, labels[voters], NO_CLUSTER), axis=1)
    nearest, most_votes = np.where(labels >= 0, labels, NO_CLUSTER).astype(np.int64), np.zeros(len(labels), np.int64)
    most_votes[labels >= 0] = (votes == labels[:, None]).sum(axis=1)[labels >= 0]
    # Votes are sorted, so a run of equal votes belongs to one cluster. The first of the longest runs wins.
    run = np.zeros(len(labels), np.int64)
    for place in range(votes.shape[1]):
        vote = votes[:, place]
        run = np.where(vote == votes[:, place - 1], run + 1, 1) if place else np.ones(len(labels), np.int64)
        wins = (labels < 0) & (vote >= 0) & (run > most_votes)
        nearest[wins], most_votes[wins] = vote[wins], run[wins]
    voter_counts = is_voter.sum(axis=1)
    return nearest, np.divide(most_votes, voter_counts, out=np.zeros(len(labels)), where=voter_counts > 0)


def cluster_users(
    users: np.ndarray, graph: sparse.csr_array, voters: np.ndarray, chosen: tuple[int, int] | None
) -> dict[str, np.ndarray]:
    """Cluster users, and find the nearest cluster of users who are in none.

    Parameters
    ----------
    users
        int64 array of shape (users,), rising: the user of each row.
    graph
        What `shared_neighbour_graph` returns.
    voters
        Integer array of shape (users, voters): rows of the nearest users of each user, -1 in free places.
    chosen
        min_shared and min_samples of the eps that `search_eps` chose; None if it chose none, then nobody is clustered.

    Returns
    -------
    Columns of a table with a row per user: user_number, cluster_id, is_core, linked_users, nearest_cluster_id and
    nearest_cluster_share.

    """
    if chosen is None:
        count = len(users)
        found = Clusters(np.full(count, NO_CLUSTER), np.zeros(count, bool), np.zeros(count, np.int64))
    else:
        found = shared_neighbour_dbscan(graph, *chosen)
    nearest, shares = nearest_clusters(found.labels, voters)
    return {
        "user_number": users,
        "cluster_id": found.labels,
        "is_core": found.is_core,
        "linked_users": found.linked_users,
        "nearest_cluster_id": nearest,
        "nearest_cluster_share": shares,
    }
