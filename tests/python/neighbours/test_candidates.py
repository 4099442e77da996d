"""Neighbour lists, their re-ranking by cluster and against hubs, and the table of the similar users."""

import math
import warnings
from fractions import Fraction
from unittest.mock import ANY

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity
from ties import key_of, tie_order

from kindred.build.tables import in_parts
from kindred.neighbours import candidates, lists, reranking
from kindred.neighbours.candidates import candidate_lists, candidates_needed, find_candidates
from kindred.neighbours.lists import NEIGHBOURHOOD_USERS, NeighbourLists
from kindred.neighbours.reranking import rerank, similar_users
from kindred.profiles.facets import ProfileColumns
from kindred.profiles.matrix import Profiles

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

FACET_IDS = 1000  # feature ids of one facet
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
        self.users = 100 + 3 * np.arange(len(weights))  # their handles
        self.numbers = np.arange(len(weights))
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
            "user_number": rows,
            "feature_id": feature_ids[columns],
            "matching_feature_id": matching_ids[columns],
            "weight": weights[rows, columns].astype(float),
        }

    @property
    def base(self):
        long = self._long(self.weights, self.feature_ids, self.feature_ids[self.match])
        return Profiles.from_long(long, self.numbers)

    @property
    def one_hot(self):
        long = self._long(self.weights > 0, self.feature_ids, self.feature_ids)
        del long["weight"], long["matching_feature_id"]
        return Profiles.from_long(long, self.numbers)

    @property
    def complete(self):
        """The profiles with the cluster as one more feature each, as user_features holds them."""
        clusters = np.unique(self.labels[self.labels >= 0])
        root = np.sqrt(self.cluster_weight)
        weights = np.hstack([self.weights, root * (self.labels[:, None] == clusters)])
        cluster_ids = CLUSTER * FACET_IDS + clusters
        ids = np.concatenate([self.feature_ids, cluster_ids])
        matching_ids = np.concatenate([self.feature_ids[self.match], cluster_ids])
        return Profiles.from_long(self._long(weights, ids, matching_ids), self.numbers)

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

    def nearest(self, one, listed):
        """Sort all others that have any similarity without the cluster by it, then tie order, and keep the best."""
        others = [other for other in range(len(self.users)) if self.scores[one][other] > 0]
        return sorted(others, key=lambda other: (-self.scores[one][other], tie_order(one, other)))[:listed]

    def closest(self, one, k, listed):
        """Sort the nearest by falling total, then tie order, and keep the k best; the tie key is the row."""
        nearest = self.nearest(one, listed)
        return sorted(nearest, key=lambda other: (-self.total(one, other), tie_order(one, other)))[:k]

    def rerank(self, listed, k, **rows):
        return rerank(
            candidate_lists(self.base, listed),
            k,
            hub_correction=float(self.hub_correction),
            labels=self.labels,
            cluster_weight=self.cluster_weight,
            **rows,
        )

    def part(self, one, other, number):
        if number == CLUSTER:
            return self.cluster_weight * self.same_cluster(one, other)
        of_facet = self.facet_of_feature == number
        return (self.weights[one] * self.weights[other][self.match])[of_facet].sum()

    def columns(self, facets):
        """Name the columns of the complete profiles; next courses are compared with taken ones."""
        numbers = sorted(facets)
        partners = {NEXT: TAKEN, TAKEN: NEXT}
        ids = self.complete.features
        return ProfileColumns(
            [facets[number] for number in numbers],
            np.array([numbers.index(partners.get(number, number)) for number in numbers]),
            np.searchsorted(numbers, ids // FACET_IDS),
            np.array([f"feature {number}" for number in ids.tolist()], dtype=object),
        )

    def table(self, listed, k, one_hot=None, facets=None):
        """Make the table of similar users by way of the nearest `listed` users."""
        closest = self.rerank(listed, k)
        parts = list(
            similar_users(
                self.complete,
                self.users,
                one_hot or self.one_hot,
                closest,
                self.columns(facets or FACETS),
                self.labels,
                candidate_lists(self.base, listed).neighbourhood_similarity(),
                hub_correction=float(self.hub_correction),
            )
        )
        # By way of Arrow, as DuckDB gets it.
        table = in_parts(parts).read_all()
        return {
            name: np.array(column.to_pylist(), dtype=object) if name == "top_reasons" else column.to_numpy()
            for name, column in zip(table.column_names, table.columns, strict=True)
        }


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


def lists_of(table, users, column):
    return [table[column][table["user_handle"] == user].tolist() for user in users]


def as_lists(indices):
    """Return lists without the places that are empty, which come last."""
    for row in indices:
        assert (row[(row >= 0).sum() :] == -1).all()
    return [row[row >= 0].tolist() for row in indices]


# --- lists and back ----------------------------------------------------------------------------------------


def texts_of(users):
    return pa.array([f"user {user}" for user in users], pa.string())


def nearest_table(profiles, k):
    """Make the table of nearest users, as DuckDB holds it."""
    rows = np.arange(len(profiles.users))
    found = find_candidates(profiles, texts_of(profiles.users), rows.astype(np.uint64), rows, k)
    return duckdb.from_arrow(in_parts(found).read_all())


@SEARCH
@given(platform=platforms(), k=st.integers(1, 30))
def test_nearest_users_are_listed_nearest_first_and_read_back(platform, k):
    table = nearest_table(platform.base, k).to_arrow_table()
    # Some are listed to spare.
    length = k + math.ceil(0.16 * k)
    nearest = [platform.nearest(row, length) for row in range(len(platform.users))]
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (
            row,
            f"user {row}",
            nearest[row],
            [platform.scores[row][other] for other in nearest[row]],
            len(nearest[row]) < length,
            pytest.approx(float(platform.neighbourhood(row))) if k >= 10 else ANY,
            row,
            row,
        )
        for row in range(len(platform.users))
    ]

    # The order of the table's rows does not matter to who reads it, and no more than asked for is read.
    shuffled = table.take(np.random.default_rng(0).permutation(len(platform.users)))
    read = NeighbourLists.read(duckdb.from_arrow(shuffled), platform.numbers, k)
    assert read.indices.tolist() == [(others + [-1] * k)[:k] for others in nearest]
    direct = candidate_lists(platform.base, k)
    np.testing.assert_array_equal(read.indices, direct.indices)
    np.testing.assert_array_equal(read.scores, direct.scores)


@pytest.mark.parametrize("users", [0, 1, 3])
def test_where_nobody_has_neighbours_lists_are_empty(users):
    numbers = np.arange(users)
    table = nearest_table(Profiles.from_long({"user_number": [], "feature_id": []}, numbers), k=3)
    assert table.fetchall() == [(row, f"user {row}", [], [], True, 0, row, row) for row in range(users)]
    read = NeighbourLists.read(table, numbers, 2)
    assert read.indices.tolist() == [[-1, -1]] * users
    assert read.scores.tolist() == [[0, 0]] * users


@SEARCH
@given(platform=platforms(), listed=LISTED)
def test_a_neighbourhood_is_the_ten_nearest_whether_there_are_so_many_or_not(platform, listed):
    nearest = candidate_lists(platform.base, listed)
    expected = [float(platform.neighbourhood(user)) for user in range(len(platform.users))]
    assert NEIGHBOURHOOD_USERS == 10
    assert nearest.neighbourhood_similarity().tolist() == pytest.approx(expected)


def test_what_is_listed_serves_clusters_lists_and_neighbourhoods():
    assert candidates_needed(top_k=1, cluster_neighbours=3) == NEIGHBOURHOOD_USERS
    assert candidates_needed(top_k=20, cluster_neighbours=130) == 130
    # More compete for a place than there are places.
    assert candidates_needed(top_k=50, cluster_neighbours=100) >= 200


# --- the closest of the nearest ----------------------------------------------------------------------------


@settings(parent=SEARCH, max_examples=400)
@given(platform=platforms(), listed=LISTED, k=st.integers(1, 12), data=st.data())
def test_the_closest_of_the_nearest_are_listed_by_what_is_left_of_their_similarity(platform, listed, k, data):
    last = len(platform.users) - 1
    rows = np.array(data.draw(st.lists(st.integers(0, last), unique=True)), dtype=np.int64)
    for wanted, asked in ((range(last + 1), {}), (rows.tolist(), {"rows": rows})):
        closest = platform.rerank(listed, k, **asked)
        expected = [platform.closest(row, k, listed) for row in wanted]
        assert closest.indices.shape == closest.scores.shape == (len(wanted), k)
        assert as_lists(closest.indices) == expected
        similarities = [
            [platform.similarity(row, other) for other in others] for row, others in zip(wanted, expected, strict=True)
        ]
        for found, others in zip(closest.scores.tolist(), similarities, strict=True):
            assert found == pytest.approx(others + [0] * (k - len(others)))

    # Without labels there are no clusters, and by default there is no correction.
    by_default = rerank(candidate_lists(platform.base, listed), k)
    assert as_lists(by_default.indices) == [platform.nearest(row, min(k, listed)) for row in range(last + 1)]


@SEARCH
@given(platform=platforms(), listed=LISTED, k=st.integers(1, 12), seed=st.integers(0, 2**32))
def test_users_in_another_order_have_the_same_closest(platform, listed, k, seed):
    tie_keys = np.array([key_of(user) for user in platform.users])

    def closest(order):
        """List the closest of every user by handle, where users stand in another order."""
        moved = Platform(platform.weights[order], platform.labels[order], platform.cluster_weight)
        moved.users = np.arange(len(order))
        texts, fingerprints = texts_of(platform.users[order]), np.zeros(len(order), np.uint64)
        found = in_parts(find_candidates(moved.base, texts, fingerprints, tie_keys[order], listed))
        nearest = NeighbourLists.read(duckdb.from_arrow(found.read_all()), moved.users, listed)
        lists = rerank(
            nearest, k, hub_correction=0.5, labels=moved.labels, cluster_weight=1.0, tie_keys=tie_keys[order]
        )
        names = platform.users[order]
        return {name: names[others].tolist() for name, others in zip(names, as_lists(lists.indices), strict=True)}

    users = len(platform.users)
    assert closest(np.random.default_rng(seed).permutation(users)) == closest(np.arange(users))


def test_users_in_no_cluster_gain_nothing_from_each_other():
    nearest = NeighbourLists(np.array([[1, 2], [0, 2], [0, 1]]), np.array([[2.0, 1.0], [2.0, 1.5], [1.5, 1.0]]))
    closest = rerank(nearest, 2, labels=np.array([-1, -1, -1]), cluster_weight=100.0)
    assert closest.indices.tolist() == nearest.indices.tolist()
    assert closest.scores.tolist() == nearest.scores.tolist()


@pytest.mark.parametrize("block", [1, 7, 64])
def test_lists_are_ranked_alike_in_blocks(monkeypatch, block):
    rng = np.random.default_rng(block)
    weights = rng.integers(1, 4, (64, 6)) * (rng.random((64, 6)) < 0.5)
    platform = Platform(weights, rng.integers(-1, 3, 64), 0.25, pairs=2, hub_correction=Fraction(1, 4))
    whole = platform.rerank(12, 5)
    for module in (candidates, lists, reranking):
        monkeypatch.setattr(module, "BLOCK_USERS", block)
    in_blocks = platform.rerank(12, 5)
    np.testing.assert_array_equal(in_blocks.indices, whole.indices)
    np.testing.assert_array_equal(in_blocks.scores, whole.scores)


# --- the similar users -------------------------------------------------------------------------------------


@SEARCH
@given(platform=platforms(), listed=LISTED, k=st.integers(1, 12))
def test_the_table_has_the_closest_with_their_parts(platform, listed, k):
    table = platform.table(listed, k)
    closest = [platform.closest(row, k, listed) for row in range(len(platform.users))]
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
        "neighbourhood_similarity", "ranking_score", "cosine_similarity", "similar_cluster_id", "top_reasons",
    }  # fmt: skip
    assert table["similar_cluster_id"].tolist() == [platform.labels[other] for _, other in pairs]


@SEARCH
@given(platform=platforms(least_users=2), k=st.integers(1, 5))
def test_the_table_has_the_three_features_that_add_most_to_each_pair(platform, k):
    table = platform.table(10, k)
    whole, counterparts = platform.complete.matrix.toarray(), platform.complete.counterparts.toarray()
    ids = platform.complete.features
    rows = dict(zip(platform.users.tolist(), range(len(platform.users)), strict=True))
    for user, other, reasons in zip(
        table["user_handle"], table["similar_user_handle"], table["top_reasons"], strict=True
    ):
        products = whole[rows[user]] * counterparts[rows[other]]
        best = sorted(np.flatnonzero(products), key=lambda column: (-products[column], ids[column]))[:3]
        assert [dict(reason) for reason in reasons] == [
            {
                "facet": FACETS[ids[column] // FACET_IDS],
                "feature": f"feature {ids[column]}",
                "contribution": products[column],
            }
            for column in best
        ]


def test_a_hub_comes_after_who_is_as_close_to_fewer():
    # Users 0 and 1 share 4 with each other and with the hub, the last, which ten others are close to as well.
    weights = np.zeros((13, 2), dtype=np.int64)
    weights[[0, 1], 0] = 2
    weights[2:, 1] = 3
    weights[12, 0] = 2
    platform = Platform(weights, np.full(13, -1), 0.0)
    assert lists_of(platform.table(12, 2), platform.users, "similar_user_handle")[0] == [136, 103]
    platform.hub_correction = Fraction(1, 4)
    table = platform.table(12, 2)
    assert lists_of(table, platform.users, "similar_user_handle")[0] == [103, 136]
    assert lists_of(table, platform.users, "similarity")[0] == [4, 4]
    # The hub's ten nearest share 9 with it; user 1 has two only, who share 4.
    assert lists_of(table, platform.users, "neighbourhood_similarity")[0] == pytest.approx([0.8, 9])
    assert lists_of(table, platform.users, "ranking_score")[0] == pytest.approx([4 - 0.2, 4 - 2.25])


def test_a_cluster_brings_nobody_near_who_has_nothing_else_in_common():
    platform = Platform(np.diag([1, 2, 3, 0]), np.array([0, 0, -1, 0]), cluster_weight=0.25)
    assert not len(platform.table(listed=10, k=2)["user_handle"])


def test_equal_users_are_similar_by_one_and_not_by_more():
    # Pairs of equal users with 1 to 120 features; the weights of each have length 1 but for rounding.
    weights = np.repeat(np.tril(np.random.default_rng(11).random((120, 120)) + 0.01), 2, axis=0)
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    table = Platform(weights, np.full(len(weights), -1), 0.0).table(listed=20, k=10)
    pair = (table["user_handle"] - 100) // 6
    equal = pair == (table["similar_user_handle"] - 100) // 6
    assert equal.sum() == len(weights)
    assert (table["cosine_similarity"][equal] == 1).all()
    np.testing.assert_allclose(table["similarity"][equal], 1, rtol=1e-12)
    for name in ("similarity", "cosine_similarity", *(f"{name}_part" for name in FACETS.values())):
        assert table[name].min() >= 0
        assert table[name].max() <= 1, name


def test_a_neighbourhood_of_equal_users_is_similar_by_one_and_not_by_more():
    scores = np.nextafter(np.ones((1, 10)), 2)
    assert NeighbourLists(np.arange(10)[None], scores).neighbourhood_similarity().tolist() == [1]


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
    table = platform.table(5, 5, facets={1: "levels", **FACETS, 9: "authors"})
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
    platform = Platform(np.array([[2, 1], [1, 0], [1, 0]]), np.array([0, 0, -1]), cluster_weight=1.0)
    nothing = Profiles.from_long({"user_number": [], "feature_id": []}, platform.numbers)
    with_one = Profiles.from_long({"user_number": [1, 2], "feature_id": [1, 1]}, platform.numbers)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for one_hot, expected in ((nothing, [0, 0, 0, 0, 0, 0]), (with_one, [0, 0, 0, 1, 0, 1])):
            table = platform.table(10, 2, one_hot)
            assert lists_of(table, platform.users, "similar_user_handle") == [[103, 106], [100, 106], [100, 103]]
            assert table["cosine_similarity"].tolist() == pytest.approx(expected)


def test_the_table_does_not_depend_on_the_users_in_a_part(monkeypatch):
    rng = np.random.default_rng(8)
    weights = rng.random((50, 12)) * (rng.random((50, 12)) < 0.4)
    platform = Platform(weights, rng.integers(-1, 3, 50), 0.15, pairs=4, hub_correction=Fraction(1, 4))
    whole = platform.table(listed=20, k=10)
    for module in (candidates, lists, reranking):
        monkeypatch.setattr(module, "BLOCK_USERS", 7)
    for name, values in platform.table(listed=20, k=10).items():
        np.testing.assert_array_equal(values, whole[name], err_msg=name)


def test_no_users_have_no_closest_users():
    platform = Platform(np.zeros((0, 2), dtype=np.int64), np.zeros(0, dtype=np.int64), cluster_weight=0.25)
    table = platform.table(listed=5, k=3)
    assert {name: len(values) for name, values in table.items()} == dict.fromkeys(table, 0)
