"""Measures of neighbours: hidden courses, votes for them, gains with intervals, and what neighbours share."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from kindred.evaluation.hold_outs import hide
from kindred.evaluation.ranking_metrics import (
    bootstrap_interval,
    bootstrap_intervals,
    hits_of_popularity,
    hits_of_votes,
    jaccard,
    ndcg,
    overlap_lift,
    recall,
)

SEARCH = settings(deadline=None, max_examples=150, derandomize=True)


# --- references, written without the code under test -------------------------------------------------------


def reference_places(scores, seen, hidden, places):
    """Recommend unseen courses by score, above 0, with equal scores the first; return which are hidden."""
    wanted = [course for course, score in scores.items() if course not in seen and round(score, 12) > 0]
    best = sorted(wanted, key=lambda course: (-round(scores[course], 12), course))[:places]
    return [course in hidden for course in best] + [False] * (places - len(best))


def reference_votes(indices, similarities, rows, views, hidden, places):
    found = []
    for user, neighbours, similarity_of in zip(rows, indices, similarities, strict=True):
        votes = dict.fromkeys(range(views.shape[1]), 0.0)
        for neighbour, similarity in zip(neighbours, similarity_of, strict=True):
            if neighbour >= 0:
                for course in np.flatnonzero(views[neighbour]):
                    votes[int(course)] += similarity
        found.append(reference_places(votes, courses_of(views, user), courses_of(hidden, user), places))
    return found


def reference_popularity(rows, views, hidden, places):
    viewers = {course: sum(views[:, course]) for course in range(views.shape[1])}
    return [reference_places(viewers, courses_of(views, user), courses_of(hidden, user), places) for user in rows]


def reference_ndcg(hits, hidden):
    gain = sum(1 / math.log2(place + 1) for place, is_hit in enumerate(hits, start=1) if is_hit)
    return gain / sum(1 / math.log2(place + 1) for place in range(1, min(hidden, len(hits)) + 1))


def courses_of(matrix, user):
    return set(np.flatnonzero(matrix[user]).tolist())


# --- strategies --------------------------------------------------------------------------------------------


@st.composite
def hidden_courses(draw):
    """Draw known and hidden courses of users, disjoint; some users have none."""
    users, courses = draw(st.integers(1, 10)), draw(st.integers(0, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    viewed = rng.random((users, courses)) < draw(st.sampled_from([0.2, 0.5, 0.9]))
    is_hidden = rng.random((users, courses)) < 0.3
    return (viewed & ~is_hidden).astype(float), (viewed & is_hidden).astype(float)


@st.composite
def voters(draw):
    """Draw lists of neighbours for some users: short ones, empty ones, and similarities whose sums tie."""
    views, hidden = draw(hidden_courses())
    users, k = len(views), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = rng.permutation(users)[: draw(st.integers(0, users))]
    indices, similarities = np.full((len(rows), k), -1), np.zeros((len(rows), k))
    for place, user in enumerate(rows):
        others = rng.permutation([other for other in range(users) if other != user])[: rng.integers(0, k + 1)]
        indices[place, : len(others)] = others
        # 0.1 + 0.2 differs from 0.3 in the last bit, and is still the same vote.
        similarities[place, : len(others)] = rng.choice([0.1, 0.2, 0.3, 0.6], len(others))
    return indices, similarities, rows, views, hidden


# --- hidden courses ----------------------------------------------------------------------------------------


@SEARCH
@given(
    views=hidden_courses().map(sum),
    share=st.sampled_from([0.1, 0.2, 0.45, 1.0]),
    min_courses=st.integers(1, 8),
    seed=st.integers(0, 2**32),
)
def test_a_share_of_the_courses_of_those_who_have_enough_is_hidden(views, share, min_courses, seed):
    kept, hidden = hide(sparse.csr_array(views), share, min_courses, seed)
    np.testing.assert_array_equal(kept.toarray() + hidden.toarray(), views)
    assert not (kept.toarray() * hidden.toarray()).any()
    assert kept.shape == hidden.shape == views.shape
    counts = views.sum(axis=1).astype(int).tolist()
    expected = [max(1, round(share * count)) if count >= min_courses else 0 for count in counts]
    assert hidden.toarray().sum(axis=1).tolist() == expected
    # Users with hidden courses are found by the number of stored entries, so no 0 may be stored.
    assert np.diff(hidden.indptr).tolist() == expected


def test_a_fifth_is_rounded_and_at_least_one():
    counts = [0, 3, 4, 5, 7, 8, 12, 13]
    views = np.array([[1] * count + [0] * (13 - count) for count in counts])
    _, hidden = hide(sparse.csr_array(views), 0.2, 4, seed=1)
    assert hidden.sum(axis=1).tolist() == [0, 0, 1, 1, 1, 2, 2, 3]


def test_the_same_seed_hides_the_same_courses_and_another_seed_others():
    views = sparse.csr_array((np.random.default_rng(1).random((50, 30)) < 0.4).astype(float))
    first, again, other = (hide(views, 0.2, 5, seed)[1].toarray() for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=1).mean() > 0.8


def test_every_course_is_hidden_equally_often_and_independently_for_each_user():
    hidden = np.array([hide(sparse.csr_array(np.ones((2, 5))), 0.2, 5, seed)[1].toarray() for seed in range(1000)])
    # Each 200 times; the standard deviation is 12.6.
    assert abs(hidden.sum(axis=0) - 200).max() < 60
    both = (hidden[:, 0] == hidden[:, 1]).all(axis=1).sum()
    assert abs(both - 200) < 60


def test_without_users_or_courses_nothing_is_hidden():
    for shape in ((0, 0), (0, 4), (4, 0), (4, 4)):
        kept, hidden = hide(sparse.csr_array(shape), 0.2, 5, 1)
        assert (kept.shape, hidden.shape, kept.nnz, hidden.nnz) == (shape, shape, 0, 0)


# --- votes and popularity ----------------------------------------------------------------------------------


@SEARCH
@given(drawn=voters(), places=st.integers(1, 8))
def test_hits_of_votes_are_those_of_counting_by_hand(drawn, places):
    indices, similarities, rows, views, hidden = drawn
    hits = hits_of_votes(indices, similarities, rows, sparse.csr_array(views), sparse.csr_array(hidden), places)
    assert (hits.shape, hits.dtype) == ((len(rows), places), bool)
    assert hits.tolist() == reference_votes(indices, similarities, rows, views, hidden, places)


@SEARCH
@given(platform=hidden_courses(), places=st.integers(1, 8), data=st.data())
def test_hits_of_popularity_are_those_of_counting_by_hand(platform, places, data):
    views, hidden = platform
    rows = np.array(data.draw(st.lists(st.integers(0, len(views) - 1), unique=True)), dtype=int)
    hits = hits_of_popularity(rows, sparse.csr_array(views), sparse.csr_array(hidden), places)
    assert (hits.shape, hits.dtype) == ((len(rows), places), bool)
    assert hits.tolist() == reference_popularity(rows, views, hidden, places)


def votes_of(views, hidden, similarities, places):
    """Let all other users vote for the courses of user 0."""
    return hits_of_votes(
        np.array([range(1, len(views))]),
        np.array([similarities]),
        np.array([0]),
        sparse.csr_array(np.array(views, dtype=float)),
        sparse.csr_array(np.array(hidden, dtype=float)),
        places,
    ).tolist()


def test_with_equal_votes_the_first_course_counts_even_if_sums_differ_in_the_last_bits():
    assert 0.1 + 0.2 > 0.3
    views = [[0, 0], [0, 1], [0, 1], [1, 0]]
    nobody = [[0, 0]] * 3
    assert votes_of(views, [[1, 0], *nobody], [0.1, 0.2, 0.3], 1) == [[True]]
    assert votes_of(views, [[0, 1], *nobody], [0.1, 0.2, 0.3], 2) == [[False, True]]


def test_a_known_course_is_not_recommended():
    views = [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    hidden = [[0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert votes_of(views, hidden, [0.5, 0.5], 2) == [[False, True]]
    popularity = hits_of_popularity(np.array([0]), sparse.csr_array(views), sparse.csr_array(hidden), 2)
    assert popularity.tolist() == [[False, True]]


def test_without_neighbours_there_are_no_hits():
    views, hidden = sparse.csr_array(np.eye(2)), sparse.csr_array(1 - np.eye(2))
    hits = hits_of_votes(np.full((2, 3), -1), np.zeros((2, 3)), np.arange(2), views, hidden, 4)
    assert hits.tolist() == [[False] * 4] * 2


def test_without_rows_there_are_no_hits():
    views = sparse.csr_array(np.eye(3))
    nobody = np.zeros(0, dtype=int)
    assert hits_of_votes(np.zeros((0, 5), dtype=int), np.zeros((0, 5)), nobody, views, views, 4).shape == (0, 4)
    assert hits_of_popularity(nobody, views, views, 4).shape == (0, 4)
    empty = sparse.csr_array((0, 0))
    assert hits_of_popularity(nobody, empty, empty, 4).shape == (0, 4)


# --- gains -------------------------------------------------------------------------------------------------


def test_gains_by_hand():
    hits = np.array([[True, False, True], [False, True, False], [False, False, False], [True, True, True]])
    counts = np.array([2, 1, 4, 9])
    # Only three of nine hidden courses fit into three places.
    assert recall(hits, counts).tolist() == [1, 1, 0, 1]
    second, third = 1 / math.log2(3), 1 / 2
    assert ndcg(hits, counts).tolist() == pytest.approx([(1 + third) / (1 + second), second, 0, 1])


@SEARCH
@given(
    hits=st.lists(st.lists(st.booleans(), min_size=6, max_size=6), max_size=8),
    extra=st.lists(st.integers(0, 9), min_size=8, max_size=8),
)
def test_gains_are_those_of_their_formulas(hits, extra):
    counts = [max(1, sum(of_user) + more) for of_user, more in zip(hits, extra, strict=False)]
    arrays = np.array(hits, dtype=bool).reshape(-1, 6), np.array(counts, dtype=int)
    expected = [reference_ndcg(of_user, count) for of_user, count in zip(hits, counts, strict=True)]
    assert ndcg(*arrays).tolist() == pytest.approx(expected)
    expected = [sum(of_user) / min(6, count) for of_user, count in zip(hits, counts, strict=True)]
    assert recall(*arrays).tolist() == pytest.approx(expected)


# --- intervals ---------------------------------------------------------------------------------------------


def test_an_interval_is_about_as_wide_as_that_of_a_normal_distribution_and_holds_the_mean():
    values = np.random.default_rng(2).normal(3, 2, 400)
    low, high = bootstrap_interval(values, seed=1)
    error = 1.96 * values.std() / math.sqrt(400)
    assert low == pytest.approx(values.mean() - error, abs=error / 5)
    assert high == pytest.approx(values.mean() + error, abs=error / 5)


def test_intervals_of_several_columns_are_those_of_each():
    values = np.random.default_rng(3).normal(0, [1, 2, 3], (200, 3))
    expected = [bootstrap_interval(column, seed=4) for column in values.T]
    assert bootstrap_intervals(values, seed=4).tolist() == [list(interval) for interval in expected]
    assert bootstrap_intervals(np.zeros((0, 2)), seed=4).shape == (2, 2)


def test_an_interval_shrinks_as_values_increase():
    values = np.random.default_rng(2).random(6400)
    widths = [high - low for low, high in (bootstrap_interval(values[:count], 1) for count in (100, 1600, 6400))]
    # By the square root of their number: 4 and 2 times.
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.2)
    assert widths[1] / widths[2] == pytest.approx(2, rel=0.2)


def test_an_interval_is_a_function_of_its_seed():
    values = np.random.default_rng(2).random(50)
    assert bootstrap_interval(values, 5) == bootstrap_interval(values, 5) != bootstrap_interval(values, 6)


def test_without_values_the_interval_is_nan_and_for_equal_values_it_has_no_width():
    assert all(math.isnan(end) for end in bootstrap_interval(np.zeros(0), 1))
    assert bootstrap_interval(np.full(9, 0.25), 1) == (0.25, 0.25)


def test_about_95_of_100_intervals_hold_the_mean_of_the_distribution():
    rng = np.random.default_rng(8)
    intervals = [bootstrap_interval(rng.exponential(1, 80), seed, draws=200) for seed in range(400)]
    assert 0.9 < np.mean([low < 1 < high for low, high in intervals]) < 0.98
    # The mean is missed on both sides.
    assert min(sum(low > 1 for low, _ in intervals), sum(high < 1 for _, high in intervals)) > 0


# --- what neighbours have in common ------------------------------------------------------------------------


@SEARCH
@given(platform=hidden_courses(), seed=st.integers(0, 2**32))
def test_the_jaccard_index_is_that_of_sets(platform, seed):
    sets, _ = platform
    rows, others = np.random.default_rng(seed).integers(0, len(sets), (2, 20))
    expected = []
    for row, other in zip(rows, others, strict=True):
        one, two = courses_of(sets, row), courses_of(sets, other)
        expected.append(len(one & two) / len(one | two) if one | two else 0)
    assert jaccard(sparse.csr_array(sets), rows, others).tolist() == expected


def test_the_jaccard_index_of_no_pairs():
    assert jaccard(sparse.csr_array(np.eye(2)), np.zeros(0, dtype=int), np.zeros(0, dtype=int)).shape == (0,)


def twins(pairs):
    """Give every user an item that all have, and each pair of twins an item of its own: strangers share 1/3."""
    users = np.arange(2 * pairs)
    sets = np.zeros((2 * pairs, 1 + pairs))
    sets[:, 0] = sets[users, 1 + users // 2] = 1
    return sets, users


def test_the_lift_is_how_much_more_neighbours_have_in_common_than_random_users():
    sets, users = twins(200)
    twin = (users ^ 1)[:, None]
    # A random user is the twin only once in 400 draws.
    everybody = np.ones(len(users), dtype=bool)
    assert overlap_lift(twin, users, sparse.csr_array(sets), everybody, 1) == pytest.approx(3, rel=0.02)
    stranger = ((users + 2) % 400)[:, None]
    assert overlap_lift(stranger, users, sparse.csr_array(sets), everybody, 1) == pytest.approx(1, rel=0.02)
    both = np.hstack([twin, stranger, np.full_like(twin, -1)])
    assert overlap_lift(both, users, sparse.csr_array(sets), everybody, 1) == pytest.approx(2, rel=0.02)


def test_the_lift_of_random_neighbours_is_about_1():
    rng = np.random.default_rng(4)
    sets = sparse.csr_array((rng.random((300, 40)) < rng.random(300)[:, None] / 2).astype(float))
    everybody = np.ones(300, dtype=bool)
    lifts = [overlap_lift(rng.integers(0, 300, (300, 20)), np.arange(300), sets, everybody, seed) for seed in range(9)]
    # One in 300 of these neighbours is the user, who shares everything.
    assert np.mean(lifts) == pytest.approx(1, abs=0.05)


def test_only_candidates_count_as_neighbours_and_are_drawn():
    sets, users = twins(100)
    is_candidate = np.ones(200, dtype=bool)
    # The first twenty users, user 1 included, have every item; if they counted, the lift would be different.
    sets[:20] = 1
    is_candidate[:20] = False
    rows = users[20:]
    indices = np.column_stack([rows ^ 1, np.full_like(rows, 1)])
    assert overlap_lift(indices, rows, sparse.csr_array(sets), is_candidate, 1) == pytest.approx(3, rel=0.05)


def test_the_lift_is_a_function_of_its_seed():
    rng = np.random.default_rng(4)
    sets = sparse.csr_array((rng.random((60, 20)) < 0.3).astype(float))
    first, again, other = (
        overlap_lift(np.roll(np.arange(60), 1)[:, None], np.arange(60), sets, np.ones(60, dtype=bool), seed)
        for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("sets", "indices", "candidates"),
    [
        (np.ones((2, 1)), [[-1], [-1]], [True, True]),
        (np.ones((2, 1)), [[1], [0]], [False, False]),
        (np.eye(2), [[1], [0]], [True, True]),
        (np.ones((2, 0)), [[1], [0]], [True, True]),
    ],
    ids=["no neighbours", "no candidates", "nothing in common", "nothing at all"],
)
def test_if_the_ratio_is_undefined_there_is_no_lift(sets, indices, candidates):
    for seed in range(8):  # some seeds draw only the user
        lift = overlap_lift(np.array(indices), np.arange(2), sparse.csr_array(sets), np.array(candidates), seed)
        assert math.isnan(lift)


@pytest.mark.filterwarnings("error")
def test_if_only_the_user_is_drawn_there_is_no_lift():
    lifts = [
        overlap_lift(np.array([[1]]), np.array([0]), sparse.csr_array(np.ones((2, 1))), np.ones(2, dtype=bool), seed)
        for seed in range(20)
    ]
    assert {"nan", "1.0"} == {str(lift) for lift in lifts}


def test_without_users_there_is_no_lift():
    nobody = np.zeros(0, dtype=int)
    assert math.isnan(overlap_lift(np.zeros((0, 3), dtype=int), nobody, sparse.csr_array((0, 4)), nobody > 0, 1))
