"""How good clusters are, measured without knowing the truth: on hidden courses and on repeated runs."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def cluster_lift(
    labels: np.ndarray,
    viewed: tuple[np.ndarray, np.ndarray],
    hidden: tuple[np.ndarray, np.ndarray],
    assigned: np.ndarray | None = None,
) -> dict[str, float]:
    """Measure how much likelier the members of a user's cluster are to have viewed a hidden course of the user.

    For every hidden course of a user with a cluster: the share of the cluster's other members who viewed it, and the
    share of all other users who did. The lift is the ratio of the two means over all these courses. A mean of ratios
    would be that of rare courses alone.

    Parameters
    ----------
    labels
        Integer array of shape (users,): the cluster of each user, negative for none.
    viewed
        Two integer arrays of shape (views,): rows of users and numbers of courses, what the clusters were made from.
        A pair that occurs repeatedly counts once.
    hidden
        Two integer arrays of shape (hidden,): rows of users and numbers of courses that were kept from the clustering.
        None of these pairs is among those viewed.
    assigned
        Integer array of shape (users,): the cluster whose members are assigned about each user's courses, negative for
        users whose courses do not count. By default the user's own, as labels has it.

    Returns
    -------
    hidden_courses, how many were counted; cluster_share and overall_share, the two means; lift, their ratio. NaN where
    there is nothing to divide by. In a cluster of one there is nobody else: its share is 0.

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
    # The user viewed none of the hidden courses as far as the clustering knows, hence is in no count of viewers.
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
    both_clustered, the index among users who are in a cluster both times; all_users, that among all, where those in
    no cluster count as one more group; shared_users, the share of the users who are in a cluster both times; and
    same_noise, the share of those in no cluster one time who are in none the other time either (Jaccard; NaN without).

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
    """Compare two groupings of the same things (Hubert, Arabie 1985: Comparing partitions).

    Parameters
    ----------
    labels, other_labels
        Integer arrays of one length: the group of each thing in either grouping.

    Returns
    -------
    1 where the groupings are the same, about 0 where they have nothing to do with each other; 1 for fewer than two
    things.

    """
    things = len(labels)
    _, rows = np.unique(labels, return_inverse=True)
    _, columns = np.unique(other_labels, return_inverse=True)
    together = _pairs(np.unique(rows * (columns.max(initial=0) + 1) + columns, return_counts=True)[1])
    pairs, other_pairs = _pairs(np.bincount(rows)), _pairs(np.bincount(columns))
    all_pairs = things * (things - 1) / 2
    if pairs == other_pairs == together:
        return 1.0
    by_chance = pairs * other_pairs / all_pairs
    return float((together - by_chance) / ((pairs + other_pairs) / 2 - by_chance))


def _pairs(sizes: np.ndarray) -> float:
    """Return how many pairs groups of these sizes hold."""
    sizes = sizes.astype(np.float64)
    return float((sizes * (sizes - 1) / 2).sum())


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
