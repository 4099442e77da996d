"""Neighbour lists, their re-ranking by cluster, and the table of the closest users."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from kindred.neighbours import FACET_IDS, NeighbourLists, closest_users, nearest_users, rerank_by_cluster
from kindred.profiles import Profiles
from kindred.similarity import top_k

SEARCH = settings(deadline=None, max_examples=150, derandomize=True)

CLUSTER = 7
FACETS = {CLUSTER: "cluster", 2: "courses", 5: "interests"}  # neither in order nor without gaps

# Squares, so that the weight of the cluster feature, its root, is exact and ties are ties.
CLUSTER_WEIGHTS = [0.0, 0.25, 1.0, 4.0, 9.0, 10_000.0]


class Platform:
    """Users with whole weights in two facets, some of them in a cluster; and what follows from it by brute force."""

    def __init__(self, weights, labels, cluster_weight):
        self.weights = weights
        self.labels = labels
        self.cluster_weight = cluster_weight
        self.users = 100 + 3 * np.arange(len(weights))
        # The first half of the features are courses, the others interests.
        features = np.arange(weights.shape[1])
        self.facet_of_feature = np.where(features < weights.shape[1] / 2, 2, 5)
        self.feature_ids = self.facet_of_feature * FACET_IDS + features

    def _long(self, weights, feature_ids):
        rows, columns = np.nonzero(weights)
        return {
            "user_handle": self.users[rows],
            "feature_id": feature_ids[columns],
            "weight": weights[rows, columns].astype(float),
        }

    @property
    def base(self):
        return Profiles.from_long(self._long(self.weights, self.feature_ids), self.users)

    @property
    def one_hot(self):
        long = self._long(self.weights > 0, self.feature_ids)
        del long["weight"]
        return Profiles.from_long(long, self.users)

    @property
    def complete(self):
        """The profiles with the cluster as one more feature each, as user_features holds them."""
        clusters = np.unique(self.labels[self.labels >= 0])
        root = np.sqrt(self.cluster_weight)
        weights = np.hstack([self.weights, root * (self.labels[:, None] == clusters)])
        ids = np.concatenate([self.feature_ids, CLUSTER * FACET_IDS + clusters])
        return Profiles.from_long(self._long(weights, ids), self.users)

    def same_cluster(self, one, other):
        return self.labels[one] == self.labels[other] >= 0

    def similarity(self, one, other):
        shared = sum(int(a) * int(b) for a, b in zip(self.weights[one], self.weights[other], strict=True))
        return shared + self.cluster_weight * self.same_cluster(one, other)

    def closest(self, one, k):
        """Sort all others by falling similarity, then rising index, and keep the k best that have any."""
        others = [(-self.similarity(one, other), other) for other in range(len(self.users)) if other != one]
        return [other for negative, other in sorted(others) if negative < 0][:k]

    def part(self, one, other, number):
        if number == CLUSTER:
            return self.cluster_weight * self.same_cluster(one, other)
        of_facet = self.facet_of_feature == number
        return (self.weights[one] * self.weights[other])[of_facet].sum()

    def table(self, listed, k):
        """Make the table of closest users by way of the nearest `listed` users."""
        nearest = NeighbourLists.from_long(nearest_users(self.base, listed), self.users)
        return closest_users(
            self.complete, self.one_hot, nearest, self.labels, FACETS, cluster_weight=self.cluster_weight, k=k
        )


@st.composite
def platforms(draw, cluster_weights=CLUSTER_WEIGHTS):
    users, features = draw(st.integers(1, 25)), draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    density = draw(st.sampled_from([0.1, 0.3, 0.8]))
    weights = rng.integers(1, 4, (users, features)) * (rng.random((users, features)) < density)
    labels = rng.integers(-1, draw(st.integers(0, 4)), users)
    return Platform(weights, labels, draw(st.sampled_from(cluster_weights)))


def lists_of(table, users, column):
    return [table[column][table["user_handle"] == user].tolist() for user in users]


# --- lists and back ----------------------------------------------------------------------------------------


@SEARCH
@given(platform=platforms(), k=st.integers(1, 30))
def test_nearest_users_are_listed_by_user_then_rank_and_read_back(platform, k):
    table = nearest_users(platform.base, k)
    alone = Platform(platform.weights, np.full(len(platform.users), -1), 0.0)
    closest = [alone.closest(row, k) for row in range(len(platform.users))]
    expected = [
        (user, rank, platform.users[other], alone.similarity(row, other))
        for row, user in enumerate(platform.users)
        for rank, other in enumerate(closest[row], start=1)
    ]
    columns = ("user_handle", "rank", "near_user_handle", "score")
    assert list(zip(*(table[name].tolist() for name in columns), strict=True)) == expected

    # The order of the long table's rows does not matter to who reads it.
    shuffled = np.random.default_rng(0).permutation(len(table["rank"]))
    read = NeighbourLists.from_long({name: values[shuffled] for name, values in table.items()}, platform.users)
    width = max(map(len, closest), default=0) or 1
    assert read.indices.tolist() == [others + [-1] * (width - len(others)) for others in closest]
    indices, scores = top_k(platform.base.matrix, width, metric="dot")
    np.testing.assert_array_equal(read.indices, indices)
    np.testing.assert_array_equal(read.scores, scores)


@pytest.mark.parametrize("users", [[], [4], [4, 8, 15]])
def test_where_nobody_has_neighbours_lists_are_empty(users):
    users = np.array(users, dtype=np.int64)
    table = nearest_users(Profiles.from_long({"user_handle": [], "feature_id": []}, users), k=3)
    assert {name: len(values) for name, values in table.items()} == dict.fromkeys(table, 0)
    read = NeighbourLists.from_long(table, users)
    assert read.indices.tolist() == [[-1]] * len(users)
    assert read.scores.tolist() == [[0]] * len(users)


# --- re-ranking --------------------------------------------------------------------------------------------


@SEARCH
@given(platform=platforms(), listed=st.integers(1, 12), k=st.integers(1, 12))
def test_settled_lists_are_the_closest_of_all_users(platform, listed, k):
    nearest = NeighbourLists(*top_k(platform.base.matrix, listed, metric="dot"))
    indices, is_settled = rerank_by_cluster(nearest, platform.labels, platform.cluster_weight, k)
    assert indices.shape == (len(platform.users), k)
    for row in np.flatnonzero(is_settled):
        assert indices[row].tolist() == platform.closest(row, k)


def test_most_lists_are_settled_where_the_cluster_weighs_little():
    # 40 users who share less and less with the first: 20 are listed, 5 wanted.
    weights = np.zeros((40, 1), dtype=np.int64)
    weights[:, 0] = np.arange(40, 0, -1)
    platform = Platform(weights, np.arange(40) % 2, cluster_weight=4.0)
    nearest = NeighbourLists(*top_k(platform.base.matrix, 20, metric="dot"))
    indices, is_settled = rerank_by_cluster(nearest, platform.labels, 4.0, k=5)
    assert is_settled.sum() > 30
    assert [indices[row].tolist() for row in np.flatnonzero(is_settled)] == [
        platform.closest(row, 5) for row in np.flatnonzero(is_settled)
    ]


def test_a_list_that_somebody_beyond_may_enter_is_not_settled():
    # User 0 lists 1 and 2. User 3 is in its cluster and may score as much as 2 without it, hence 3 + weight with it.
    nearest = NeighbourLists(np.array([[1, 2], [0, -1], [0, -1], [-1, -1]]), np.array([[5, 3], [5, 0], [3, 0], [0, 0]]))
    for weight, settled in ((0.0, True), (1.0, True), (2.0, False), (3.0, False)):
        _, is_settled = rerank_by_cluster(nearest, np.array([0, -1, -1, 0]), weight, k=1)
        assert is_settled[0] == settled, weight


def test_users_in_no_cluster_gain_nothing_from_each_other():
    nearest = NeighbourLists(np.array([[1, 2], [0, 2], [0, 1]]), np.array([[2.0, 1.0], [2.0, 1.5], [1.5, 1.0]]))
    indices, _ = rerank_by_cluster(nearest, np.array([-1, -1, -1]), 100.0, k=2)
    assert indices.tolist() == nearest.indices.tolist()


# --- the closest users -------------------------------------------------------------------------------------


@SEARCH
@given(platform=platforms(), listed=st.integers(1, 12), k=st.integers(1, 12))
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
    assert set(table) == {
        "user_handle", "rank", "similar_user_handle", "similarity",
        "courses_part", "interests_part", "cluster_part", "cosine_similarity",
    }  # fmt: skip

    # The same by the kernel alone, which knows nothing of lists.
    indices, _ = top_k(platform.complete.matrix, k, metric="dot")
    assert closest == [[other for other in row if other >= 0] for row in indices.tolist()]


@pytest.mark.parametrize("cluster_weight", [0.04, 0.3, 50.0])
@pytest.mark.parametrize("threads", [1, 2])
def test_lists_that_are_not_settled_are_found_anew(cluster_weight, threads):
    # Real-valued profiles of more users than a block of the kernel, as a build has them.
    rng = np.random.default_rng(6)
    weights = rng.random((300, 30)) * (rng.random((300, 30)) < 0.15)
    platform = Platform(weights, rng.integers(-1, 6, 300), cluster_weight)
    nearest = NeighbourLists.from_long(nearest_users(platform.base, 20), platform.users)
    _, is_settled = rerank_by_cluster(nearest, platform.labels, cluster_weight, 10)
    assert is_settled.mean() < 1 if cluster_weight > 0.1 else is_settled.any()
    table = closest_users(
        platform.complete, platform.one_hot, nearest, platform.labels, FACETS, cluster_weight, k=10, threads=threads
    )

    similarity = weights @ weights.T
    labels = platform.labels
    similarity += cluster_weight * ((labels[:, None] == labels) & (labels[:, None] >= 0))
    np.fill_diagonal(similarity, 0)
    for row, found in enumerate(lists_of(table, platform.users, "similar_user_handle")):
        order = np.lexsort((np.arange(300), -similarity[row].round(9)))[:10]
        assert found == platform.users[order[similarity[row, order] > 0]].tolist()


def test_users_may_have_nothing_in_common_but_the_cluster():
    platform = Platform(np.diag([1, 2, 3, 0]), np.array([0, 0, -1, 0]), cluster_weight=0.25)
    table = platform.table(listed=2, k=2)
    assert lists_of(table, platform.users, "similar_user_handle") == [[103, 109], [100, 109], [], [100, 103]]
    assert table["similarity"].tolist() == table["cluster_part"].tolist() == [0.25] * 6
    assert not table["courses_part"].any()


def test_the_parts_sum_to_the_similarity_which_is_the_same_in_both_directions():
    rng = np.random.default_rng(7)
    weights = rng.random((80, 12)) * (rng.random((80, 12)) < 0.4)
    platform = Platform(weights, rng.integers(-1, 3, 80), cluster_weight=0.15)
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
    nearest = NeighbourLists.from_long(nearest_users(platform.base, 5), platform.users)
    table = closest_users(
        platform.complete, platform.one_hot, nearest, platform.labels, {1: "levels", **FACETS, 9: "authors"}, 0.25, k=5
    )
    for name, expected in {"levels": 0, "courses": 1, "interests": 1, "cluster": 0, "authors": 0}.items():
        assert table[f"{name}_part"].tolist() == [expected] * 2, name


# --- the plain cosine --------------------------------------------------------------------------------------


@SEARCH
@given(platform=platforms())
def test_cosine_similarity_is_that_of_the_one_hot_profiles(platform):
    table = platform.table(listed=5, k=5)
    expected = cosine_similarity((platform.weights > 0).astype(float))
    row = {user: place for place, user in enumerate(platform.users)}
    for user, other, found in zip(
        table["user_handle"], table["similar_user_handle"], table["cosine_similarity"], strict=True
    ):
        assert found == pytest.approx(expected[row[user], row[other]], abs=1e-12)


def test_a_user_without_one_hot_features_has_a_cosine_of_0_and_no_warning():
    platform = Platform(np.array([[1, 1], [1, 0], [1, 0]]), np.array([0, 0, -1]), cluster_weight=1.0)
    nearest = NeighbourLists.from_long(nearest_users(platform.base, 2), platform.users)
    nothing = Profiles.from_long({"user_handle": [], "feature_id": []}, platform.users)
    with_one = Profiles.from_long({"user_handle": [103, 106], "feature_id": [1, 1]}, platform.users)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for one_hot, expected in ((nothing, [0, 0, 0, 0, 0, 0]), (with_one, [0, 0, 0, 1, 0, 1])):
            table = closest_users(platform.complete, one_hot, nearest, platform.labels, FACETS, 1.0, k=2)
            assert lists_of(table, platform.users, "similar_user_handle") == [[103, 106], [100, 106], [100, 103]]
            assert table["cosine_similarity"].tolist() == pytest.approx(expected)


def test_no_users_have_no_closest_users():
    platform = Platform(np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.int64), cluster_weight=0.25)
    table = platform.table(listed=5, k=3)
    assert {name: len(values) for name, values in table.items()} == dict.fromkeys(table, 0)
