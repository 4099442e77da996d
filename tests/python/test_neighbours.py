"""Neighbour lists, their re-ranking by cluster and against hubs, and the table of the closest users."""

import warnings
from fractions import Fraction

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from kindred import neighbours
from kindred.neighbours import (
    FACET_IDS,
    NEIGHBOURHOOD_USERS,
    NeighbourLists,
    closest_lists,
    closest_users,
    nearest_lists,
    nearest_users,
    rerank,
)
from kindred.profiles import Profiles
from kindred.similarity import top_k
from kindred.tables import in_parts

SEARCH = settings(deadline=None, max_examples=150, derandomize=True)

CLUSTER, NEXT, TAKEN = 7, 3, 8
FACETS = {
    CLUSTER: "cluster",
    2: "courses",
    5: "interests",
    TAKEN: "taken",
    NEXT: "next",
}  # neither in order nor complete

# Squares, so that the weight of the cluster feature, its root, is exact and ties are ties.
CLUSTER_WEIGHTS = [0.0, 0.25, 1.0, 4.0, 9.0, 10_000.0]
HUB_CORRECTIONS = [Fraction(0), Fraction(1, 10), Fraction(1, 4), Fraction(1, 2), Fraction(9, 10), Fraction(1)]

SHORTEST = 10  # lists are at least as long as the neighbourhood whose mean is taken off
LISTED = st.integers(SHORTEST, 15)


class Platform:
    """Users with whole weights in four facets, some of them in a cluster; and what follows from it by brute force.

    The first `pairs` features are next courses and the same number after them the taken courses that they meet; of the
    others half are courses and half are interests, and meet themselves.
    """

    def __init__(self, weights, labels, cluster_weight, pairs=0, hub_correction=Fraction(0)):
        self.weights = weights
        self.labels = labels
        self.cluster_weight = cluster_weight
        self.hub_correction = hub_correction
        self.users = 100 + 3 * np.arange(len(weights))
        count = weights.shape[1]
        plain = np.arange(count - 2 * pairs)
        plain_facets = np.where(plain < len(plain) / 2, 2, 5)
        self.facet_of_feature = np.concatenate([np.repeat([NEXT, TAKEN], pairs), plain_facets]).astype(np.int64)
        place = np.concatenate([np.arange(pairs), np.arange(pairs), plain]).astype(np.int64)
        self.feature_ids = self.facet_of_feature * FACET_IDS + place
        self.match = [*range(pairs, 2 * pairs), *range(pairs), *range(2 * pairs, count)]
        self.scores = [
            [self._dot(one, other) if one != other else 0 for other in range(len(weights))]
            for one in range(len(weights))
        ]

    def _dot(self, one, other):
        mine, theirs = self.weights[one].tolist(), self.weights[other].tolist()
        return sum(mine[feature] * theirs[self.match[feature]] for feature in range(len(mine)))

    def _long(self, weights, feature_ids, matching_ids):
        rows, columns = np.nonzero(weights)
        return {
            "user_handle": self.users[rows],
            "feature_id": feature_ids[columns],
            "matching_feature_id": matching_ids[columns],
            "weight": weights[rows, columns].astype(float),
        }

    @property
    def base(self):
        long = self._long(self.weights, self.feature_ids, self.feature_ids[self.match])
        return Profiles.from_long(long, self.users)

    @property
    def one_hot(self):
        long = self._long(self.weights > 0, self.feature_ids, self.feature_ids)
        del long["weight"], long["matching_feature_id"]
        return Profiles.from_long(long, self.users)

    @property
    def complete(self):
        """The profiles with the cluster as one more feature each, as user_features holds them."""
        clusters = np.unique(self.labels[self.labels >= 0])
        root = np.sqrt(self.cluster_weight)
        weights = np.hstack([self.weights, root * (self.labels[:, None] == clusters)])
        cluster_ids = CLUSTER * FACET_IDS + clusters
        ids = np.concatenate([self.feature_ids, cluster_ids])
        matching_ids = np.concatenate([self.feature_ids[self.match], cluster_ids])
        return Profiles.from_long(self._long(weights, ids, matching_ids), self.users)

    def same_cluster(self, one, other):
        return self.labels[one] == self.labels[other] >= 0

    def similarity(self, one, other):
        return self.scores[one][other] + self.cluster_weight * self.same_cluster(one, other)

    def neighbourhood(self, user):
        """Sum the ten best similarities without the cluster, and divide by ten however many there are."""
        return Fraction(sum(sorted(self.scores[user], reverse=True)[:10])) / 10

    def total(self, one, other):
        """Return what ranks another user, without rounding, so that ties are ties."""
        return Fraction(self.similarity(one, other)) - self.hub_correction * self.neighbourhood(other)

    def closest(self, one, k):
        """Sort all others that have any similarity by falling total, then rising index, and keep the k best."""
        others = [other for other in range(len(self.users)) if other != one and self.similarity(one, other) > 0]
        totals = {other: self.total(one, other) for other in others}
        return sorted(others, key=lambda other: (-totals[other], other))[:k]

    def part(self, one, other, number):
        if number == CLUSTER:
            return self.cluster_weight * self.same_cluster(one, other)
        of_facet = self.facet_of_feature == number
        return (self.weights[one] * self.weights[other][self.match])[of_facet].sum()

    def table(self, listed, k, threads=1):
        """Make the table of closest users by way of the nearest `listed` users."""
        nearest = nearest_lists(self.base, listed)
        return closest_table(
            self.complete,
            self.one_hot,
            nearest,
            self.labels,
            FACETS,
            cluster_weight=self.cluster_weight,
            hub_correction=float(self.hub_correction),
            k=k,
            threads=threads,
        )

    def rerank(self, nearest, k, rows=None):
        rows = np.arange(len(self.users)) if rows is None else rows
        return rerank(nearest, k, rows, float(self.hub_correction), self.labels, self.cluster_weight)


@st.composite
def platforms(draw, least_users=1, cluster_weights=CLUSTER_WEIGHTS):
    users, features = draw(st.integers(least_users, 32)), draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    density = draw(st.sampled_from([0.1, 0.3, 0.8]))
    weights = rng.integers(1, 4, (users, features)) * (rng.random((users, features)) < density)
    if draw(st.booleans()):  # some are hubs, on many lists
        weights[rng.random(users) < 0.2] *= 5
    labels = rng.integers(-1, draw(st.integers(0, 4)), users)
    return Platform(
        weights,
        labels,
        draw(st.sampled_from(cluster_weights)),
        pairs=draw(st.integers(0, features // 2)),
        hub_correction=draw(st.sampled_from(HUB_CORRECTIONS)),
    )


def closest_table(*arguments, **settings):
    """Make the table of closest users as one."""
    parts = list(closest_users(*arguments, **settings))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def lists_of(table, users, column):
    return [table[column][table["user_handle"] == user].tolist() for user in users]


def as_lists(indices):
    """Return lists without the places that are empty, which come last."""
    for row in indices:
        assert (row[(row >= 0).sum() :] == -1).all()
    return [row[row >= 0].tolist() for row in indices]


# --- lists and back ----------------------------------------------------------------------------------------


def without_cluster_and_correction(platform):
    pairs = platform.match[0] if platform.match else 0
    return Platform(platform.weights, np.full(len(platform.users), -1), 0.0, pairs)


@SEARCH
@given(platform=platforms(), k=st.integers(1, 30))
def test_nearest_users_are_listed_nearest_first_and_read_back(platform, k):
    table = duckdb.from_arrow(in_parts(nearest_users(platform.base, k))).to_arrow_table()
    alone = without_cluster_and_correction(platform)
    closest = [alone.closest(row, k) for row in range(len(platform.users))]
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (
            user,
            [platform.users[other] for other in closest[row]],
            [alone.similarity(row, other) for other in closest[row]],
        )
        for row, user in enumerate(platform.users)
    ]

    # The order of the table's rows does not matter to who reads it.
    shuffled = table.take(np.random.default_rng(0).permutation(len(platform.users)))
    read = NeighbourLists.read(duckdb.from_arrow(shuffled), platform.users)
    width = max(map(len, closest), default=0) or 1
    assert read.indices.tolist() == [others + [-1] * (width - len(others)) for others in closest]
    direct = nearest_lists(platform.base, width)
    np.testing.assert_array_equal(read.indices, direct.indices)
    np.testing.assert_array_equal(read.scores, direct.scores)


@pytest.mark.parametrize("users", [[], [4], [4, 8, 15]])
def test_where_nobody_has_neighbours_lists_are_empty(users):
    users = np.array(users, dtype=np.int64)
    table = duckdb.from_arrow(
        in_parts(nearest_users(Profiles.from_long({"user_handle": [], "feature_id": []}, users), k=3)).read_all()
    )
    assert table.fetchall() == [(user, [], []) for user in users.tolist()]
    read = NeighbourLists.read(table, users)
    assert read.indices.tolist() == [[-1]] * len(users)
    assert read.scores.tolist() == [[0]] * len(users)


@SEARCH
@given(platform=platforms(), listed=LISTED)
def test_a_neighbourhood_is_the_ten_nearest_whether_there_are_so_many_or_not(platform, listed):
    nearest = nearest_lists(platform.base, listed)
    expected = [float(platform.neighbourhood(user)) for user in range(len(platform.users))]
    assert NEIGHBOURHOOD_USERS == 10
    assert nearest.neighbourhood_similarity().tolist() == pytest.approx(expected)


# --- re-ranking --------------------------------------------------------------------------------------------


@settings(parent=SEARCH, max_examples=400)
@given(platform=platforms(), listed=LISTED, k=st.integers(1, 12))
def test_settled_lists_are_the_closest_of_all_users(platform, listed, k):
    indices, is_settled = platform.rerank(nearest_lists(platform.base, listed), k)
    assert indices.shape == (len(platform.users), k)
    lists = as_lists(indices)
    for row in np.flatnonzero(is_settled):
        assert lists[row] == platform.closest(row, k)


@SEARCH
@given(platform=platforms(), k=st.integers(1, 12))
def test_lists_of_all_users_are_complete_before_they_are_settled(platform, k):
    # Where the lists hold everybody who has anything in common and clusters add nothing, there is nobody to add.
    platform.cluster_weight = 0.0
    indices, _ = platform.rerank(nearest_lists(platform.base, max(SHORTEST, len(platform.users))), k)
    assert as_lists(indices) == [platform.closest(row, k) for row in range(len(platform.users))]


@pytest.mark.parametrize("hub_correction", [Fraction(0), Fraction(1, 4), Fraction(1, 2)])
def test_lists_are_settled_where_the_cluster_weighs_little(hub_correction):
    # A ring of 40 users: neighbours share 19 features, the next but one 18, and so on. 20 are listed, the last of them
    # share 10; the fifth shares 17, and a neighbourhood's mean is 17 as well: 17 / 2 is more than 10 / 2 and a cluster.
    ring = np.arange(40)
    weights = ((ring[None, :] - ring[:, None]) % 40 < 20).astype(np.int64)
    platform = Platform(weights, ring % 2, 1.0, hub_correction=hub_correction)
    indices, is_settled = platform.rerank(nearest_lists(platform.base, 20), k=5)
    assert is_settled.all()
    assert as_lists(indices) == [platform.closest(row, 5) for row in range(40)]


def test_a_list_that_somebody_beyond_may_enter_is_not_settled():
    # User 0 lists 1 and 2. User 3 is in its cluster and may score as much as 2 without it, hence 3 + weight with it.
    nearest = NeighbourLists(np.array([[1, 2], [0, -1], [0, -1], [-1, -1]]), np.array([[5, 3], [5, 0], [3, 0], [0, 0]]))
    for weight, settled in ((0.0, True), (1.0, True), (2.0, False), (3.0, False)):
        _, is_settled = rerank(nearest, 1, np.arange(4), labels=np.array([0, -1, -1, 0]), cluster_weight=weight)
        assert is_settled[0] == settled, weight


def test_who_has_a_user_in_their_own_neighbourhood_may_enter_the_list_of_that_user():
    # User 0 is a hub: its list is full of hubs, 1 to 10, that are close to one another. User 11 is near to nobody but
    # it, less than all of them are, and is not on its list; but for the correction that is closest.
    weights = np.zeros((12, 2), dtype=np.int64)
    weights[:11, 0] = 4
    weights[[0, 11], 1] = [3, 1]
    platform = Platform(weights, np.full(12, -1), 0.0, hub_correction=Fraction(1))
    nearest = nearest_lists(platform.base, 10)
    assert 11 not in nearest.indices[0]
    indices, is_settled = platform.rerank(nearest, 1)
    assert is_settled[0]
    assert indices[0].tolist() == [11] == platform.closest(0, 1)


def test_users_in_no_cluster_gain_nothing_from_each_other():
    nearest = NeighbourLists(np.array([[1, 2], [0, 2], [0, 1]]), np.array([[2.0, 1.0], [2.0, 1.5], [1.5, 1.0]]))
    indices, _ = rerank(nearest, 2, np.arange(3), labels=np.array([-1, -1, -1]), cluster_weight=100.0)
    assert indices.tolist() == nearest.indices.tolist()


@pytest.mark.parametrize("block", [1, 7, 64])
def test_lists_are_re_ranked_alike_in_blocks_and_for_some_rows(monkeypatch, block):
    rng = np.random.default_rng(block)
    weights = rng.integers(1, 4, (64, 6)) * (rng.random((64, 6)) < 0.5)
    platform = Platform(weights, rng.integers(-1, 3, 64), 0.25, pairs=2, hub_correction=Fraction(1, 4))
    nearest = nearest_lists(platform.base, 12)
    whole, whole_settled = platform.rerank(nearest, 5)
    assert 0 < whole_settled.sum() < 64
    monkeypatch.setattr(neighbours, "BLOCK_USERS", block)
    rows = rng.permutation(64)[:50]
    for wanted in (np.arange(64), rows):
        indices, is_settled = platform.rerank(nearest, 5, wanted)
        np.testing.assert_array_equal(indices, whole[wanted])
        np.testing.assert_array_equal(is_settled, whole_settled[wanted])


# --- the closest users -------------------------------------------------------------------------------------


@SEARCH
@given(platform=platforms(), listed=LISTED, k=st.integers(1, 12), data=st.data())
def test_the_closest_lists_of_some_rows_are_those_of_all(platform, listed, k, data):
    last = len(platform.users) - 1
    rows = np.array(data.draw(st.lists(st.integers(0, last), unique=True)), dtype=np.int64)
    nearest = nearest_lists(platform.base, listed)
    lists = closest_lists(
        platform.complete,
        nearest,
        k,
        hub_correction=float(platform.hub_correction),
        labels=platform.labels,
        cluster_weight=platform.cluster_weight,
        rows=rows,
    )
    assert as_lists(lists) == [platform.closest(row, k) for row in rows]

    # Without labels there are no clusters, and by default there is no correction.
    alone = without_cluster_and_correction(platform)
    by_default = closest_lists(platform.base, nearest, k)
    assert as_lists(by_default) == [alone.closest(row, k) for row in range(len(platform.users))]


@SEARCH
@given(platform=platforms(), listed=LISTED, k=st.integers(1, 12))
def test_the_closest_users_are_those_by_the_complete_profile(platform, listed, k):
    table = platform.table(listed, k)
    closest = [platform.closest(row, k) for row in range(len(platform.users))]
    pairs = [(row, other) for row, others in enumerate(closest) for other in others]
    assert table["user_handle"].tolist() == [platform.users[row] for row, _ in pairs]
    assert table["similar_user_handle"].tolist() == [platform.users[other] for _, other in pairs]
    assert table["rank"].tolist() == [rank for others in closest for rank in range(1, len(others) + 1)]
    assert table["similarity"].tolist() == pytest.approx([platform.similarity(*pair) for pair in pairs])
    for number, name in FACETS.items():
        expected = [platform.part(*pair, number) for pair in pairs]
        assert table[f"{name}_part"].tolist() == pytest.approx(expected), name
    crowding = [float(platform.neighbourhood(other)) for _, other in pairs]
    assert table["neighbourhood_similarity"].tolist() == pytest.approx(crowding)
    totals = [float(platform.total(*pair)) for pair in pairs]
    assert table["ranking_score"].tolist() == pytest.approx(totals, rel=1e-12, abs=1e-9)
    assert set(table) == {
        "user_handle", "rank", "similar_user_handle", "similarity",
        "courses_part", "interests_part", "next_part", "taken_part", "cluster_part",
        "neighbourhood_similarity", "ranking_score", "cosine_similarity",
    }  # fmt: skip

    # The same by the kernel alone, which knows nothing of lists.
    complete = platform.complete
    penalties = np.array(
        [float(platform.hub_correction * platform.neighbourhood(user)) for user in range(len(closest))]
    )
    indices, _ = top_k(complete.matrix, k, metric="dot", counterparts=complete.counterparts, penalties=penalties)
    assert closest == as_lists(indices)


@pytest.mark.parametrize("hub_correction", [Fraction(0), Fraction(1, 4), Fraction(1)])
@pytest.mark.parametrize("cluster_weight", [0.04, 0.3, 50.0])
@pytest.mark.parametrize("threads", [1, 2])
def test_lists_that_are_not_settled_are_found_anew(cluster_weight, hub_correction, threads):
    # Real-valued profiles of more users than a block of the kernel, as a build has them.
    rng = np.random.default_rng(6)
    weights = rng.random((300, 30)) * (rng.random((300, 30)) < 0.15)
    platform = Platform(weights, rng.integers(-1, 6, 300), cluster_weight, pairs=9, hub_correction=hub_correction)
    nearest = nearest_lists(platform.base, 20)
    _, is_settled = platform.rerank(nearest, 10)
    assert is_settled.mean() < 1 if cluster_weight > 0.1 else is_settled.any()
    table = platform.table(20, 10, threads)

    similarity = weights @ weights[:, platform.match].T
    np.fill_diagonal(similarity, 0)
    crowding = np.sort(similarity, axis=1)[:, -10:].mean(axis=1)
    labels = platform.labels
    similarity += cluster_weight * ((labels[:, None] == labels) & (labels[:, None] >= 0))
    np.fill_diagonal(similarity, 0)
    for row, found in enumerate(lists_of(table, platform.users, "similar_user_handle")):
        totals = np.where(similarity[row] > 0, similarity[row] - float(hub_correction) * crowding, -np.inf)
        order = np.lexsort((np.arange(300), -totals.round(9)))[:10]
        assert found == platform.users[order[similarity[row, order] > 0]].tolist()


def test_a_hub_comes_after_who_is_as_close_to_fewer():
    # Users 0 and 12 share 3 with each other and with the hub, which ten others are close to as well.
    weights = np.zeros((13, 2), dtype=np.int64)
    weights[[0, 12], 0] = 2
    weights[1:12, 1] = 3
    weights[1, 0] = 2
    platform = Platform(weights, np.full(13, -1), 0.0)
    assert lists_of(platform.table(12, 2), platform.users, "similar_user_handle")[0] == [103, 136]
    platform.hub_correction = Fraction(1, 4)
    table = platform.table(12, 2)
    assert lists_of(table, platform.users, "similar_user_handle")[0] == [136, 103]
    assert lists_of(table, platform.users, "similarity")[0] == [4, 4]
    # The hub's ten nearest share 9 with it; user 12 has two only, who share 4.
    assert lists_of(table, platform.users, "neighbourhood_similarity")[0] == pytest.approx([0.8, 9])
    assert lists_of(table, platform.users, "ranking_score")[0] == pytest.approx([4 - 0.2, 4 - 2.25])


def test_users_may_have_nothing_in_common_but_the_cluster():
    platform = Platform(np.diag([1, 2, 3, 0]), np.array([0, 0, -1, 0]), cluster_weight=0.25)
    table = platform.table(listed=10, k=2)
    assert lists_of(table, platform.users, "similar_user_handle") == [[103, 109], [100, 109], [], [100, 103]]
    assert table["similarity"].tolist() == table["cluster_part"].tolist() == [0.25] * 6
    assert not table["courses_part"].any()


def test_the_parts_sum_to_the_similarity_which_is_the_same_in_both_directions():
    rng = np.random.default_rng(7)
    weights = rng.random((80, 12)) * (rng.random((80, 12)) < 0.4)
    platform = Platform(weights, rng.integers(-1, 3, 80), 0.15, pairs=4, hub_correction=Fraction(1, 4))
    table = platform.table(listed=20, k=10)
    parts = sum(table[f"{name}_part"] for name in FACETS.values())
    np.testing.assert_allclose(parts, table["similarity"], rtol=1e-12)
    similarity = {
        (one, other): value
        for one, other, value in zip(
            table["user_handle"], table["similar_user_handle"], table["similarity"], strict=True
        )
    }
    both = [pair for pair in similarity if pair[::-1] in similarity]
    assert len(both) > 100
    assert [similarity[pair] for pair in both] == [similarity[pair[::-1]] for pair in both]


def test_a_facet_without_features_adds_nothing():
    platform = Platform(np.array([[1, 1], [1, 1]]), np.array([-1, -1]), cluster_weight=0.25)
    nearest = nearest_lists(platform.base, 5)
    table = closest_table(
        platform.complete,
        platform.one_hot,
        nearest,
        platform.labels,
        {1: "levels", **FACETS, 9: "authors"},
        cluster_weight=0.25,
        hub_correction=0.25,
        k=5,
    )
    for name, expected in {"levels": 0, "courses": 1, "interests": 1, "next": 0, "taken": 0, "authors": 0}.items():
        assert table[f"{name}_part"].tolist() == [expected] * 2, name


# --- the plain cosine --------------------------------------------------------------------------------------


@SEARCH
@given(platform=platforms())
def test_cosine_similarity_is_that_of_the_one_hot_profiles(platform):
    table = platform.table(listed=10, k=5)
    expected = cosine_similarity((platform.weights > 0).astype(float))
    row = {user: place for place, user in enumerate(platform.users)}
    for user, other, found in zip(
        table["user_handle"], table["similar_user_handle"], table["cosine_similarity"], strict=True
    ):
        assert found == pytest.approx(expected[row[user], row[other]], abs=1e-12)


def test_a_user_without_one_hot_features_has_a_cosine_of_0_and_no_warning():
    platform = Platform(np.array([[1, 1], [1, 0], [1, 0]]), np.array([0, 0, -1]), cluster_weight=1.0)
    nearest = nearest_lists(platform.base, 2)
    nothing = Profiles.from_long({"user_handle": [], "feature_id": []}, platform.users)
    with_one = Profiles.from_long({"user_handle": [103, 106], "feature_id": [1, 1]}, platform.users)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for one_hot, expected in ((nothing, [0, 0, 0, 0, 0, 0]), (with_one, [0, 0, 0, 1, 0, 1])):
            table = closest_table(platform.complete, one_hot, nearest, platform.labels, FACETS, 1.0, 0.0, k=2)
            assert lists_of(table, platform.users, "similar_user_handle") == [[103, 106], [100, 106], [100, 103]]
            assert table["cosine_similarity"].tolist() == pytest.approx(expected)


def test_the_table_does_not_depend_on_the_users_in_a_part(monkeypatch):
    rng = np.random.default_rng(8)
    weights = rng.random((50, 12)) * (rng.random((50, 12)) < 0.4)
    platform = Platform(weights, rng.integers(-1, 3, 50), 0.15, pairs=4, hub_correction=Fraction(1, 4))
    whole = platform.table(listed=20, k=10)
    monkeypatch.setattr(neighbours, "BLOCK_USERS", 7)
    for name, values in platform.table(listed=20, k=10).items():
        np.testing.assert_array_equal(values, whole[name], err_msg=name)


def test_no_users_have_no_closest_users():
    platform = Platform(np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.int64), cluster_weight=0.25)
    table = platform.table(listed=5, k=3)
    assert {name: len(values) for name, values in table.items()} == dict.fromkeys(table, 0)
