"""The quality of clusters, measured without a known truth: on hidden courses and on repeated runs."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def cluster_lift(
    labels: np.ndarray,
    viewed: tuple[np.ndarray, np.ndarray],
    hidden: tuple[np.ndarray, np.ndarray],
    assigned: np.ndarray | None = None,
) -> dict[str, float]:
    """Measure how much more likely the members of a user's cluster are to have viewed a hidden course of the user.

    For every hidden course of a user with a cluster, there are two shares: that of the cluster's other members who
    viewed it, and that of all other users who did. The lift is the ratio of the means of these shares over all such
    courses. In a mean of ratios, rare courses would outweigh all others.

    Parameters
    ----------
    labels
        Integer array of shape (users,): the cluster of each user, negative for none.
    viewed
        Two integer arrays of shape (views,): rows of users and numbers of courses that the clusters were made from.
        A repeated pair counts once.
    hidden
        Two integer arrays of shape (hidden,): rows of users and numbers of courses that were hidden from the
        clustering. None of these pairs may be among those viewed.
    assigned
        Integer array of shape (users,): the cluster to compare each user with, negative for users whose courses do not
        count. By default the user's own cluster.

    Returns
    -------
    hidden_courses, the number counted; cluster_share and overall_share, the two means; and lift, their ratio, NaN if
    it is undefined. The share of a cluster without other members is 0.

    """
    rows, courses = (np.asarray(part, dtype=np.int64) for part in hidden)
    assigned = labels if assigned is None else assigned
    counted = assigned[rows] >= 0
    rows, courses = rows[counted], courses[counted]
    users = len(labels)
    course_count = 1 + int(max(courses.max(initial=-1), np.max(viewed[1], initial=-1)))
    clusters = 1 + int(max(labels.max(initial=-1), assigned.max(initial=-1)))
    views = sparse.csr_array((np.ones(len(viewed[0])), (viewed[0], viewed[1])), shape=(users, course_count))
    views.sum_duplicates()
    views.data[:] = 1
    clustered = np.flatnonzero(labels >= 0)
    membership = sparse.csr_array((np.ones(len(clustered)), (labels[clustered], clustered)), shape=(clusters, users))
    viewers = sparse.csr_array(membership @ views)
    sizes = np.bincount(labels[clustered], minlength=clusters)
    # In these views no user viewed their own hidden courses, so users are never counted for themselves.
    others = np.maximum(sizes[assigned[rows]] - (labels[rows] == assigned[rows]), 1)
    of_cluster = viewers[assigned[rows], courses].ravel() / others if len(rows) else np.zeros(0)
    of_all = np.asarray(views.sum(axis=0)).ravel()[courses] / max(users - 1, 1)
    cluster_share, overall_share = _mean(of_cluster), _mean(of_all)
    return {
        "hidden_courses": len(rows),
        "cluster_share": cluster_share,
        "overall_share": overall_share,
        "lift": cluster_share / overall_share if overall_share > 0 else float("nan"),
    }


def agreement(labels: np.ndarray, other_labels: np.ndarray) -> dict[str, float]:
    """Measure how far two clusterings of the same users agree, by the adjusted Rand index.

    Parameters
    ----------
    labels, other_labels
        Integer arrays of shape (users,): the cluster of each user in either, negative for none.

    Returns
    -------
    both_clustered, the index for users in a cluster both times; all_users, the index for all, with users in no cluster
    as one more group; shared_users, the share of users in a cluster both times; and same_noise, of the users in no
    cluster at least once, the share in no cluster both times (the Jaccard index; NaN if there are no such users).

    """
    is_clustered, is_other_clustered = labels >= 0, other_labels >= 0
    both, either_noise = is_clustered & is_other_clustered, ~is_clustered | ~is_other_clustered
    return {
        "both_clustered": adjusted_rand_index(labels[both], other_labels[both]),
        "all_users": adjusted_rand_index(np.maximum(labels, -1), np.maximum(other_labels, -1)),
        "shared_users": _mean(both),
        "same_noise": _mean((~is_clustered & ~is_other_clustered)[either_noise]),
    }


def adjusted_rand_index(labels: np.ndarray, other_labels: np.ndarray) -> float:
    """Compare two groupings of the same items (Hubert, Arabie 1985: Comparing partitions).

    Parameters
    ----------
    labels, other_labels
        Integer arrays of one length: the group of each item in either grouping.

    Returns
    -------
    1 if the groupings are the same, about 0 if they are unrelated; 1 for fewer than two items.

    """
    items = len(labels)
    _, rows = np.unique(labels, return_inverse=True)
    _, columns = np.unique(other_labels, return_inverse=True)
    together = _pairs(np.unique(rows * (columns.max(initial=0) + 1) + columns, return_counts=True)[1])
    pairs, other_pairs = _pairs(np.bincount(rows)), _pairs(np.bincount(columns))
    all_pairs = items * (items - 1) / 2
    if pairs == other_pairs == together:
        return 1.0
    by_chance = pairs * other_pairs / all_pairs
    return float((together - by_chance) / ((pairs + other_pairs) / 2 - by_chance))


def _pairs(sizes: np.ndarray) -> float:
    """Return the number of pairs within groups of these sizes."""
    sizes = sizes.astype(np.float64)
    return float((sizes * (sizes - 1) / 2).sum())


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
