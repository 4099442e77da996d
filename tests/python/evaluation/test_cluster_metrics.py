"""Measures of clusters, compared with counts by hand and by brute force."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from kindred.evaluation.cluster_metrics import adjusted_rand_index, agreement, cluster_lift

SEARCH = settings(deadline=None, max_examples=150, derandomize=True)


@st.composite
def platforms(draw):
    """Draw clusters of users, the courses that each viewed, some repeatedly, and hidden courses."""
    users, courses = draw(st.integers(1, 20)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = rng.integers(-1, draw(st.integers(0, 4)), users)
    kind = rng.choice(3, size=(users, courses), p=[0.5, 0.3, 0.2])
    viewed, hidden = np.nonzero(kind == 1), np.nonzero(kind == 2)
    repeated = rng.integers(0, 3, len(viewed[0]))
    assigned = np.where(rng.random(users) < 0.5, labels, rng.integers(-1, 4, users)) if draw(st.booleans()) else labels
    return labels, tuple(np.repeat(part, 1 + repeated) for part in viewed), hidden, assigned


def shares_by_brute_force(labels, viewed, hidden, assigned):
    pairs = {(int(user), int(course)) for user, course in zip(*viewed, strict=True)}
    users = range(len(labels))
    in_cluster, in_all = [], []
    for user, course in zip(*hidden, strict=True):
        if assigned[user] >= 0:
            others = [other for other in users if other != user]
            members = [other for other in others if labels[other] == assigned[user]]
            in_cluster.append(sum((other, course) in pairs for other in members) / max(1, len(members)))
            in_all.append(sum((other, course) in pairs for other in others) / max(1, len(others)))
    return in_cluster, in_all


@SEARCH
@given(platform=platforms())
def test_the_lift_is_the_ratio_of_the_mean_shares_among_members_and_among_all(platform):
    in_cluster, in_all = shares_by_brute_force(*platform)
    measured = cluster_lift(*platform)
    assert measured["hidden_courses"] == len(in_cluster)
    if in_cluster:
        assert measured["cluster_share"] == pytest.approx(np.mean(in_cluster))
        assert measured["overall_share"] == pytest.approx(np.mean(in_all))
    if sum(in_all):
        assert measured["lift"] == pytest.approx(np.mean(in_cluster) / np.mean(in_all))
    else:
        assert math.isnan(measured["lift"])


def test_the_lift_by_hand():
    # Users 0 to 2 are one cluster and 3 to 5 another; 6 is in none. Course 0 is hidden for user 0. User 1, one of two
    # others in the cluster, viewed it; so did 1 and 3 of the six other users. Nothing counts for user 6.
    labels = np.array([0, 0, 0, 1, 1, 1, -1])
    measured = cluster_lift(
        labels, (np.array([1, 1, 3, 2]), np.array([0, 0, 0, 1])), (np.array([0, 6]), np.array([0, 1]))
    )
    assert measured == {"hidden_courses": 1, "cluster_share": 1 / 2, "overall_share": 2 / 6, "lift": 1.5}


def test_by_default_users_are_compared_with_their_own_cluster():
    labels, viewed, hidden = np.array([0, 0, -1, -1]), (np.array([1, 3]), np.array([0, 0])), (np.array([0, 2]), [0, 0])
    assert cluster_lift(labels, viewed, hidden) == cluster_lift(labels, viewed, hidden, assigned=labels)
    assert cluster_lift(labels, viewed, hidden)["hidden_courses"] == 1


def test_without_hidden_courses_or_clusters_there_is_no_lift():
    nothing = np.zeros(0, dtype=int)
    for labels, hidden in [([0, 0], (nothing, nothing)), ([-1, -1], (np.array([0]), np.array([5])))]:
        measured = cluster_lift(np.array(labels), (np.array([1]), np.array([0])), hidden)
        assert measured["hidden_courses"] == 0
        assert math.isnan(measured["lift"])


def rand_by_brute_force(one, other):
    """Count pairs that are together in both and in either; the margins give the number expected by chance."""
    pairs = list(combinations(range(len(one)), 2))
    both = sum(one[a] == one[b] and other[a] == other[b] for a, b in pairs)
    first, second = sum(one[a] == one[b] for a, b in pairs), sum(other[a] == other[b] for a, b in pairs)
    chance = first * second / len(pairs)
    return (both - chance) / ((first + second) / 2 - chance)


groupings = st.integers(0, 25).flatmap(
    lambda length: st.tuples(*[st.lists(st.integers(-1, 4), min_size=length, max_size=length).map(np.array)] * 2)
)


@SEARCH
@given(pair=groupings)
def test_the_adjusted_rand_index_is_that_of_scikit_learn(pair):
    assert adjusted_rand_index(*pair) == pytest.approx(adjusted_rand_score(*pair) if len(pair[0]) else 1)


def test_the_adjusted_rand_index_by_pairs():
    one, other = np.array([0, 0, 0, 1, 1, 2]), np.array([4, 4, 7, 7, 9, 9])
    assert adjusted_rand_index(one, other) == pytest.approx(rand_by_brute_force(one, other))
    assert adjusted_rand_index(one, 5 - one) == 1


@SEARCH
@given(pair=groupings)
def test_agreement_is_among_users_clustered_both_times_and_among_all(pair):
    one, other = pair
    measured = agreement(one, other)
    both = [user for user in range(len(one)) if one[user] >= 0 and other[user] >= 0]
    no_longer = [user for user in range(len(one)) if user not in both]
    assert measured["both_clustered"] == pytest.approx(adjusted_rand_index(one[both], other[both]) if both else 1)
    assert measured["all_users"] == pytest.approx(adjusted_rand_index(one, other))
    if len(one):
        assert measured["shared_users"] == pytest.approx(len(both) / len(one))
    if no_longer:
        in_none = sum(one[user] < 0 and other[user] < 0 for user in no_longer)
        assert measured["same_noise"] == pytest.approx(in_none / len(no_longer))
