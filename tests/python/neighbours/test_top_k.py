"""The kernels: exact nearest neighbours, the weights that two profiles share, and pairs from lists."""

import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from ties import key_of, tie_order

from kindred import neighbours
from kindred.neighbours import all_pairs, pairs, scipy_kernel
from kindred.neighbours import top_k as top_k_module
from kindred.neighbours.pairs import pairs_of_lists, shared_features, shared_weights, sums_by_group
from kindred.neighbours.scipy_kernel import BLOCK_ROWS
from kindred.neighbours.top_k import COMPILED_ROWS, top_k

SEARCH = settings(deadline=None, max_examples=120, derandomize=True)
WIDE_SEARCH = settings(deadline=None, max_examples=40, derandomize=True)

METRICS = ("cosine", "dot")
FORMATS = (sparse.csr_array, sparse.csr_matrix)
TIE = 1e-10


KERNELS = {
    "scipy": {"COMPILED_FROM_PRODUCTS": np.inf},
    "rows": {"COMPILED_FROM_PRODUCTS": 0},
    "symmetric": {"COMPILED_FROM_PRODUCTS": 0, "BOUNDED_FROM_MEETINGS": np.inf},
    "pruned": {"COMPILED_FROM_PRODUCTS": 0, "BOUNDED_FROM_MEETINGS": 0},
    "both": {"COMPILED_FROM_PRODUCTS": 0, "BOUNDED_FROM_MEETINGS": 0.2},
}


def force(patch, kernel):
    """Have top_k take a kernel whatever the size, in blocks of which a test has many."""
    for name, value in KERNELS[kernel].items():
        patch.setattr(top_k_module if hasattr(top_k_module, name) else all_pairs, name, value)
    patch.setattr(all_pairs, "BLOCK_USERS", BLOCK_ROWS)


@pytest.fixture(scope="module", autouse=True, params=KERNELS)
def kernel(request):
    """Run every test of this module with every kernel."""
    with pytest.MonkeyPatch.context() as patch:
        force(patch, request.param)
        if request.param == "rows":

            def all_as_rows(profiles, k, rows=None, **arguments):
                if rows is None and sparse.issparse(profiles):
                    rows = np.arange(profiles.shape[0])
                return top_k_module.top_k(profiles, k, rows=rows, **arguments)

            patch.setitem(globals(), "top_k", all_as_rows)
        yield request.param


# --- references, written without the code under test -------------------------------------------------------


def sort_keys(weights, metric):
    """Return for every pair of rows a number that orders the others of a row as their scores do.

    Small whole weights make it exact. The squared cosine, times the row's own squared length, is shared^2 divided by
    the other's squared length: one division of whole numbers, the same float for the same score, so that ties are
    ties.
    """
    shared = weights @ weights.T
    if metric == "dot":
        return shared.astype(float)
    squared_lengths = np.maximum(np.diag(shared), 1)
    return shared**2 / squared_lengths[None, :]


def reference_scores(weights, metric):
    count = len(weights)
    lengths = np.sqrt((weights.astype(float) ** 2).sum(axis=1))
    scores = np.zeros((count, count))
    for one in range(count):
        for other in range(count):
            dot = float(np.dot(weights[one].astype(float), weights[other].astype(float)))
            if metric == "cosine" and dot > 0:
                dot /= lengths[one] * lengths[other]
            scores[one, other] = dot
    return scores


def reference_lists(weights, k, metric, tie_keys=None):
    """Sort all others of every row by falling score, ties by the hash of the pair of tie keys, then by index."""
    tie_keys = range(len(weights)) if tie_keys is None else tie_keys
    keys = sort_keys(weights, metric)
    lists = np.full((len(weights), k), -1)
    for row in range(len(weights)):
        others = [other for other in range(len(weights)) if other != row and keys[row, other] > 0]
        others.sort(key=lambda other: (-keys[row, other], tie_order(tie_keys[row], tie_keys[other]), other))
        lists[row, : min(k, len(others))] = others[:k]
    return lists


def picked_scores(weights, lists, metric):
    """Return the reference's score for every place of the lists, 0 where the place is empty."""
    weights = weights.astype(float)
    rows = np.arange(len(weights))[:, None]
    dots = (weights[rows] * weights[lists]).sum(axis=2)
    if metric == "cosine":
        lengths = np.sqrt((weights**2).sum(axis=1))
        dots = dots / np.where(dots > 0, lengths[rows] * lengths[lists], 1)
    return np.where(lists >= 0, dots, 0)


def exchanged(weights, involution):
    """Return what rows are compared with: each column holds what its partner holds."""
    return weights[:, involution]


def reference_exchanged(weights, involution, k):
    """Compare every row with the exchanged others, and sort those with a score by it, then tie order.

    Returns lists and scores, -1 and 0 where there are fewer. Whole weights make all of it exact.
    """
    count = len(weights)
    lists, scores = np.full((count, k), -1), np.zeros((count, k))
    for row in range(count):
        totals = {}
        for other in range(count):
            score = sum(int(weights[row, c]) * int(weights[other, involution[c]]) for c in range(weights.shape[1]))
            if other != row and score > 0:
                totals[other] = score
        best = sorted(totals, key=lambda other: (-totals[other], tie_order(row, other)))[:k]
        lists[row, : len(best)] = best
        scores[row, : len(best)] = [totals[other] for other in best]
    return lists, scores


# --- strategies --------------------------------------------------------------------------------------------


@st.composite
def small_whole_weights(draw):
    """Draw a few users and few weights each: duplicates, empty rows and ties are common, and shrink well."""
    users, features = draw(st.integers(0, 9)), draw(st.integers(0, 5))
    cells = draw(st.lists(st.integers(0, 3), min_size=users * features, max_size=users * features))
    return np.array(cells, dtype=np.int64).reshape(users, features)


@st.composite
def many_whole_weights(draw):
    """Draw more users than a block, most of them like some other."""
    users, features = draw(st.integers(BLOCK_ROWS + 1, 3 * BLOCK_ROWS + 5)), draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    weights = rng.integers(1, 1 + draw(st.integers(1, 4)), (users, features))
    return weights * (rng.random((users, features)) < draw(st.sampled_from([0.1, 0.4, 0.9])))


@st.composite
def fractional_weights(draw):
    users, features = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    weights = rng.lognormal(0, 2, (users, features)) * (rng.random((users, features)) < 0.5)
    return weights[rng.integers(0, users, users)] if draw(st.booleans()) else weights


@st.composite
def involutions(draw, columns):
    """Draw which column meets which: some of them exchanged in pairs, the others with themselves."""
    order = draw(st.permutations(range(columns)))
    involution = np.arange(columns)
    for pair in range(draw(st.integers(0, columns // 2))):
        one, other = order[2 * pair : 2 * pair + 2]
        involution[[one, other]] = other, one
    return involution


def stored(weights, make=sparse.csr_array, dtype=np.float64):
    return make(weights.astype(dtype))


def untidy(weights, rng):
    """Store the same weights unsorted, some split into two entries that add up, with explicit zeros."""
    rows, columns = np.nonzero(weights)
    values = weights[rows, columns].astype(float)
    is_split = rng.random(len(rows)) < 0.5
    zero_rows, zero_columns = np.nonzero((weights == 0) & (rng.random(weights.shape) < 0.3))
    rows = np.concatenate([rows, rows[is_split], zero_rows])
    columns = np.concatenate([columns, columns[is_split], zero_columns])
    # A whole weight less 1, and 1: the parts add up to it exactly.
    values = np.concatenate([values - is_split, np.ones(is_split.sum()), np.zeros(len(zero_rows))])
    shuffled = rng.permutation(len(rows))
    order = shuffled[np.argsort(rows[shuffled], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(weights)))])
    return sparse.csr_array((values[order], columns[order], starts), shape=weights.shape)


# --- the lists ---------------------------------------------------------------------------------------------


def assert_exact(result, weights, k, metric, tie_keys=None):
    indices, scores = result
    assert indices.dtype == np.int32
    assert scores.dtype == np.float64
    expected = reference_lists(weights, k, metric, tie_keys)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(scores, picked_scores(weights, expected, metric), rtol=1e-12, atol=0)


@pytest.mark.parametrize("metric", METRICS)
@SEARCH
@given(weights=small_whole_weights(), k=st.integers(1, 12), make=st.sampled_from(FORMATS))
def test_lists_are_by_falling_score_then_tie_order(metric, weights, k, make):
    assert_exact(top_k(stored(weights, make), k, metric=metric), weights, k, metric)


@pytest.mark.parametrize("metric", METRICS)
@WIDE_SEARCH
@given(weights=many_whole_weights(), k=st.integers(1, 12))
def test_lists_are_exact_over_several_blocks_and_with_many_ties(metric, weights, k):
    assert_exact(top_k(stored(weights), k, metric=metric), weights, k, metric)


@pytest.mark.parametrize("metric", METRICS)
@WIDE_SEARCH
@given(weights=fractional_weights(), k=st.integers(1, 12), dtype=st.sampled_from([np.float64, np.float32]))
def test_fractional_weights_give_the_best_scores(metric, weights, k, dtype):
    weights = weights.astype(dtype)
    indices, scores = top_k(stored(weights, dtype=dtype), k, metric=metric)
    reference = reference_scores(weights, metric)
    np.fill_diagonal(reference, 0)
    for row in range(len(weights)):
        found = indices[row][indices[row] >= 0]
        assert len(found) == len(set(found)) == min(k, (reference[row] > 0).sum())
        np.testing.assert_allclose(scores[row, : len(found)], reference[row, found], rtol=1e-12)
        # Nobody left out is better than the last one in, by more than a tie.
        left_out = np.delete(reference[row], found)
        assert left_out.max(initial=0) <= reference[row, found].min(initial=np.inf) * (1 + 1e-12) + TIE
        ranks = [(-round(score, 10), tie_order(row, other)) for other, score in zip(found, scores[row], strict=False)]
        assert ranks == sorted(ranks)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("users", "k"), [(1_003, 3), (531, 8), (1_300, 1)])
def test_lists_are_exact_where_slices_bound_the_search(metric, users, k):
    # Far more users than 4 * k, so that a slice holds up to 64 of them, and a rest that fills no slice.
    rng = np.random.default_rng(users)
    weights = rng.integers(1, 4, (users, 9)) * (rng.random((users, 9)) < 0.3)
    weights[-2:] = weights[0]  # two of the best are in the rest
    assert_exact(top_k(stored(weights), k, metric=metric), weights, k, metric)


def test_the_best_in_one_slice_are_all_found():
    # The search is bounded by one user of each slice, whereas here all the closest are next to each other.
    weights = np.zeros((1_000, 3), dtype=np.int64)
    weights[:, 0] = 1
    weights[300:308, 1] = np.arange(1, 9)
    weights[:8, 1] = 1
    assert_exact(top_k(stored(weights), 8, metric="dot"), weights, 8, "dot")


def test_cosine_is_the_default():
    weights = np.array([[1, 0], [9, 9], [2, 0]])
    indices, scores = top_k(stored(weights), 1)
    assert indices[0, 0] == 2
    assert scores[0, 0] == pytest.approx(1)
    assert top_k(stored(weights), 1, metric="dot")[0][0, 0] == 1


def test_the_cosine_of_equal_rows_is_at_most_one():
    rows = np.repeat(np.random.default_rng(5).random((200, 7)), 2, axis=0)
    _, scores = top_k(sparse.csr_array(rows), 1)
    assert scores.max() == 1
    np.testing.assert_allclose(scores, 1, rtol=1e-12)


@pytest.mark.parametrize("users", [20, 1_000])
def test_scores_that_differ_in_the_last_bits_are_tied(users):
    # All point the same way, but 3 * 0.1 is not 0.3: their cosines come out as 1, a little less and a little more.
    rng = np.random.default_rng(3)
    direction = np.array([0.1, 0.7, 0.3, 0.9, 0.2])
    weights = direction * rng.lognormal(0, 1, (users, 1))
    indices, scores = top_k(stored(weights), 5)
    assert len(np.unique(scores)) > 1
    for row in range(users):
        others = sorted((tie_order(row, other), other) for other in range(users) if other != row)
        assert indices[row].tolist() == [other for _, other in others[:5]]


def test_scores_a_millionth_apart_are_not_tied():
    weights = np.array([[1.0], [1.0], [1.000001], [1.000002]])
    assert top_k(stored(weights), 3, metric="dot")[0][0].tolist() == [3, 2, 1]


@pytest.mark.parametrize("metric", METRICS)
@WIDE_SEARCH
@given(weights=fractional_weights())
def test_scores_are_the_same_in_both_directions_bit_for_bit(metric, weights):
    users = len(weights)
    # Entries in any order: each row is stored from left to right or from right to left.
    profiles = stored(weights)
    for row in range(0, users, 2):
        entries = slice(*profiles.indptr[row : row + 2])
        profiles.indices[entries], profiles.data[entries] = (
            profiles.indices[entries][::-1],
            profiles.data[entries][::-1],
        )
    profiles = sparse.csr_array((profiles.data, profiles.indices, profiles.indptr), shape=weights.shape)
    indices, scores = top_k(profiles, users, metric=metric)
    dense = np.zeros((users, users))
    for row in range(users):
        found = indices[row] >= 0
        dense[row, indices[row][found]] = scores[row][found]
    np.testing.assert_array_equal(dense, dense.T)
    assert not dense.diagonal().any()


@pytest.mark.parametrize("metric", METRICS)
@WIDE_SEARCH
@given(weights=small_whole_weights(), seed=st.integers(0, 2**32), k=st.integers(1, 10))
def test_unsorted_repeated_and_zero_entries_change_nothing(metric, weights, seed, k):
    profiles = untidy(weights, np.random.default_rng(seed))
    np.testing.assert_array_equal(profiles.toarray(), weights)
    before = [array.copy() for array in (profiles.data, profiles.indices, profiles.indptr)]
    assert_exact(top_k(profiles, k, metric=metric), weights, k, metric)
    for array, old in zip((profiles.data, profiles.indices, profiles.indptr), before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("make", FORMATS)
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.float32, np.float64, bool])
def test_every_real_dtype_is_taken_and_left_as_it_was(dtype, make):
    # 100 * 100 does not fit into the small integers: the scores must be summed as floats.
    weights = (np.random.default_rng(1).random((90, 6)) < 0.4) * (1 if dtype is bool else 100)
    profiles = stored(weights, make, dtype)
    before = profiles.copy()
    for metric in METRICS:
        assert_exact(top_k(profiles, 4, metric=metric), weights, 4, metric)
    assert profiles.dtype == before.dtype
    np.testing.assert_array_equal(profiles.data, before.data)
    np.testing.assert_array_equal(profiles.indices, before.indices)


@pytest.mark.parametrize("scale", [1e-200, 1e-160, 1e-100, 1e-6, 1e6, 1e100, 1e160, 1e200])
def test_cosine_does_not_depend_on_the_scale_of_a_row(scale):
    weights = np.array([[3.0, 4.0], [4.0, 3.0], [0.0, 1.0]])
    indices, scores = top_k(stored(weights * [[1], [scale], [1]]), 2)
    assert indices.tolist() == [[1, 2], [0, 2], [0, 1]]
    np.testing.assert_allclose(scores, [[0.96, 0.8], [0.96, 0.6], [0.8, 0.6]])


# --- ties --------------------------------------------------------------------------------------------------


@SEARCH
@given(
    weights=many_whole_weights(),
    k=st.integers(1, 12),
    # Few keys are equal keys, where the index decides; the others are as large as they may be, and below 0.
    largest=st.sampled_from([1, 3, 2**60]),
    dtype=st.sampled_from([np.int64, np.uint64, np.int32]),
)
def test_ties_are_broken_by_the_hash_of_the_two_keys(weights, k, largest, dtype):
    lowest = 0 if dtype is np.uint64 else -min(largest, 2**30)
    tie_keys = np.random.default_rng(k).integers(lowest, min(largest, np.iinfo(dtype).max), len(weights)).astype(dtype)
    expected = [int(key) % 2**64 for key in tie_keys]
    assert_exact(top_k(stored(weights), k, metric="dot", tie_keys=tie_keys), weights, k, "dot", expected)


@WIDE_SEARCH
@given(weights=many_whole_weights(), k=st.integers(1, 12), seed=st.integers(0, 2**32), threads=st.integers(1, 2))
def test_users_in_another_order_have_the_same_lists(weights, k, seed, threads):
    tie_keys = np.array([key_of(user) for user in range(len(weights))])
    # Row i of the new order is user order[i].
    order = np.random.default_rng(seed).permutation(len(weights))
    indices, scores = top_k(stored(weights), k, tie_keys=tie_keys)
    moved, moved_scores = top_k(stored(weights[order]), k, tie_keys=tie_keys[order], threads=threads)
    np.testing.assert_array_equal(np.where(moved >= 0, order[moved], -1), indices[order])
    np.testing.assert_array_equal(moved_scores, scores[order])


@pytest.mark.parametrize("users", [22, 30, 64, 500])
@pytest.mark.parametrize("keys", ["handles", "rows"])
def test_equal_users_are_on_about_as_many_lists(users, keys):
    tie_keys = np.array([key_of(user) for user in range(users)]) if keys == "handles" else None
    indices, _ = top_k(stored(np.ones((users, 2))), 20, tie_keys=tie_keys)
    lists = np.bincount(indices.ravel(), minlength=users)
    # Everybody is on 20 lists in the mean. Were each pair drawn by itself, this is the standard deviation.
    spread = np.sqrt(20 * (1 - 20 / (users - 1)))
    assert lists.mean() == 20
    assert lists.min() > 20 - 4.5 * spread
    assert lists.max() < 20 + 4.5 * spread
    assert lists.std() < 1.5 * spread


@pytest.mark.parametrize(
    ("tie_keys", "error", "message"),
    [
        (np.arange(2), ValueError, r"tie_keys must have the shape \(3,\), not \(2,\)"),
        (np.zeros((3, 1), int), ValueError, r"tie_keys must have the shape \(3,\), not \(3, 1\)"),
        ([0.0, 1.0, 2.0], TypeError, "tie_keys must be integers, not float64"),
        (["a", "b", "c"], TypeError, "tie_keys must be integers, not <U1"),
    ],
)
def test_wrong_tie_keys_are_refused(tie_keys, error, message):
    with pytest.raises(error, match=message):
        top_k(stored(np.eye(3)), 1, tie_keys=tie_keys)


# --- counterparts ------------------------------------------------------------------------------------------


def assert_exact_with_counterparts(result, weights, involution, k):
    indices, scores = result
    expected, expected_scores = reference_exchanged(weights, involution, k)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_array_equal(scores, expected_scores)


@SEARCH
@given(data=st.data(), weights=small_whole_weights(), k=st.integers(1, 12), make=st.sampled_from(FORMATS))
def test_rows_are_compared_with_their_counterparts(data, weights, k, make):
    involution = data.draw(involutions(weights.shape[1]))
    counterparts = stored(exchanged(weights, involution), make)
    with_counterparts = top_k(stored(weights, make), k, metric="dot", counterparts=counterparts)
    assert_exact_with_counterparts(with_counterparts, weights, involution, k)
    without = top_k(stored(weights, make), k, metric="dot")
    assert_exact_with_counterparts(without, weights, np.arange(weights.shape[1]), k)


@settings(parent=WIDE_SEARCH, max_examples=10)
@given(data=st.data(), weights=many_whole_weights(), k=st.integers(1, 12), threads=st.integers(1, 2))
def test_counterparts_over_several_blocks_threads_and_some_rows(data, weights, k, threads):
    involution = data.draw(involutions(weights.shape[1]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    rows = rng.permutation(len(weights))[: data.draw(st.integers(0, len(weights)))]
    arguments = {"metric": "dot", "counterparts": stored(exchanged(weights, involution))}
    whole = top_k(stored(weights), k, **arguments, threads=threads)
    assert_exact_with_counterparts(whole, weights, involution, k)
    some = top_k(stored(weights), k, **arguments, rows=rows, threads=threads)
    for of_rows, of_all in zip(some, whole, strict=True):
        np.testing.assert_array_equal(of_rows, of_all[rows])


@pytest.mark.parametrize("users", [531, pytest.param(1_300, marks=pytest.mark.proof)])
def test_counterparts_where_slices_bound_the_search(users):
    # As above, far more users than 4 * k; most candidates have no score.
    rng = np.random.default_rng(users)
    weights = rng.integers(1, 4, (users, 9)) * (rng.random((users, 9)) < 0.1)
    weights[-2:] = weights[0]
    involution = np.array([1, 0, 2, 3, 5, 4, 6, 8, 7])
    result = top_k(stored(weights), 8, metric="dot", counterparts=stored(exchanged(weights, involution)))
    assert_exact_with_counterparts(result, weights, involution, 8)


# --- shapes, rows and threads ------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (1, 0), (1, 3), (5, 0), (5, 3), (70, 0)])
def test_without_weights_there_are_no_neighbours(metric, shape):
    indices, scores = top_k(sparse.csr_array(shape), 4, metric=metric)
    assert indices.shape == scores.shape == (shape[0], 4)
    assert (indices == -1).all()
    assert (scores == 0).all()


def test_a_single_user_has_no_neighbours():
    indices, scores = top_k(stored(np.array([[1.0, 2.0]])), 2)
    assert indices.tolist() == [[-1, -1]]
    assert scores.tolist() == [[0, 0]]


@WIDE_SEARCH
@given(weights=small_whole_weights().filter(len), data=st.data())
def test_rows_get_the_lists_that_they_have_among_all(weights, data):
    rows = np.array(data.draw(st.lists(st.integers(0, len(weights) - 1))), dtype=np.int64)
    indices, scores = top_k(stored(weights), 3, rows=rows)
    all_indices, all_scores = top_k(stored(weights), 3)
    assert indices.shape == (len(rows), 3)
    np.testing.assert_array_equal(indices, all_indices[rows])
    np.testing.assert_array_equal(scores, all_scores[rows])


def test_rows_over_several_blocks_keep_their_order():
    rng = np.random.default_rng(2)
    weights = rng.random((300, 10)) * (rng.random((300, 10)) < 0.4)
    rows = rng.permutation(300)[:200]
    indices, scores = top_k(stored(weights), 3, rows=rows)
    all_indices, all_scores = top_k(stored(weights), 3)
    np.testing.assert_array_equal(indices, all_indices[rows])
    np.testing.assert_array_equal(scores, all_scores[rows])


@pytest.mark.parametrize("metric", METRICS)
def test_threads_change_nothing(metric):
    rng = np.random.default_rng(4)
    profiles = stored(rng.random((700, 20)) * (rng.random((700, 20)) < 0.3))
    for rows in (None, np.arange(0, 700, 3)):
        one, two = (top_k(profiles, 7, metric=metric, rows=rows, threads=threads) for threads in (1, 2))
        np.testing.assert_array_equal(one[0], two[0])
        np.testing.assert_array_equal(one[1], two[1])


# --- errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k must be at least 1, not 0"),
        ({"k": -3}, "k must be at least 1, not -3"),
        ({"threads": 0}, "threads must be at least 1, not 0"),
        ({"metric": "euclidean"}, "metric must be .* not 'euclidean'"),
    ],
)
def test_wrong_settings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        top_k(stored(np.eye(3)), **{"k": 1, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"counterparts": sparse.eye_array(3)}, "the metric 'dot' only"),
        ({"counterparts": sparse.eye_array(3, 2), "metric": "dot"}, r"the shape of profiles, \(3, 3\), not \(3, 2\)"),
        ({"counterparts": sparse.eye_array(4, 3), "metric": "dot"}, r"the shape of profiles, \(3, 3\), not \(4, 3\)"),
        ({"counterparts": -sparse.eye_array(3), "metric": "dot"}, "finite weights of 0 or more"),
    ],
)
def test_wrong_counterparts_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        top_k(stored(np.eye(3)), 1, **arguments)


# --- the kernels -----------------------------------------------------------------------------------


def random_profiles(users, features, seed):
    """Return profiles of irregular weights, many rows alike, and their counterparts."""
    rng = np.random.default_rng(seed)
    weights = rng.random((users, features)) * (rng.random((users, features)) < 0.1)
    weights[: users // 4] = weights[users // 4 : 2 * (users // 4)]
    involution = np.arange(features).reshape(-1, 2)[:, ::-1].ravel()
    return sparse.csr_array(weights), sparse.csr_array(weights[:, involution])


@pytest.mark.parametrize("threads", [1, 3])
def test_every_kernel_finds_the_same_to_the_last_bit(kernel, threads):
    profiles, counterparts = random_profiles(700, 60, seed=11)
    rows = np.random.default_rng(1).permutation(700)[:600]
    arguments = [
        {"metric": "cosine"},
        {"metric": "cosine", "tie_keys": np.random.default_rng(2).integers(0, 2**60, 700)},
        {"metric": "dot", "counterparts": counterparts, "rows": rows},
        {"metric": "dot", "counterparts": counterparts},
    ]
    own = [top_k(profiles, 30, threads=threads, **each) for each in arguments]
    for (indices, scores), each in zip(own, arguments, strict=True):
        with pytest.MonkeyPatch.context() as patch:
            force(patch, "scipy")
            scipy_indices, scipy_scores = top_k_module.top_k(profiles, 30, **each)
        assert (indices.dtype, scores.dtype) == (np.int32, np.float64)
        assert np.array_equal(indices, scipy_indices)
        assert np.array_equal(scores, scipy_scores)


@pytest.mark.parametrize("blocks", [1, 2, 5, 8])
@pytest.mark.parametrize("threads", [1, 2])
def test_less_memory_changes_nothing(monkeypatch, blocks, threads):
    profiles, counterparts = random_profiles(BLOCK_ROWS * blocks - 3, 40, seed=5)
    arguments = {"metric": "dot", "counterparts": counterparts, "threads": threads}
    expected = top_k(profiles, 9, **arguments)
    for memory_mb in (1e-9, 1e-3, 3e-2):
        monkeypatch.setattr(scipy_kernel, "SCORES_MB", memory_mb)
        monkeypatch.setattr(all_pairs, "INDEXES_MB", memory_mb)
        for found, wanted in zip(top_k(profiles, 9, **arguments), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("users", [1, 63, 400])
def test_progress_rises_from_the_calling_thread_and_ends_with_the_whole(users):
    shares, threads = [], set()

    def note(share):
        shares.append(share)
        threads.add(threading.get_ident())

    profiles, _ = random_profiles(users, 10, seed=2)
    top_k(profiles, 3, threads=2, progress=note)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) >= users / COMPILED_ROWS
    assert threads == {threading.get_ident()}


def test_the_compiled_kernels_take_large_inputs_only(kernel, monkeypatch):
    used = []
    found = top_k_module.compiled_kernels
    monkeypatch.setattr(top_k_module, "compiled_kernels", lambda: used.append(1) or found())
    monkeypatch.setattr(top_k_module, "COMPILED_FROM_PRODUCTS", 3 * 3)
    top_k_module.top_k(stored(np.eye(3)), 1)
    assert used
    used.clear()
    top_k_module.top_k(stored(np.eye(3)), 1, rows=np.arange(2))
    assert not used


def test_where_they_are_not_installed_scipy_does_all(kernel, monkeypatch):
    profiles, _ = random_profiles(80, 10, seed=3)
    expected = top_k(profiles, 5)
    for module in ("all_pairs", "numba_kernel"):
        monkeypatch.delattr(neighbours, module)
        monkeypatch.delitem(sys.modules, f"kindred.neighbours.{module}")
    monkeypatch.setitem(sys.modules, "numba", None)
    assert top_k_module.compiled_kernels() is None
    for found, wanted in zip(top_k_module.top_k(profiles, 5), expected, strict=True):
        assert np.array_equal(found, wanted)


def test_counterparts_that_are_not_sparse_are_refused():
    with pytest.raises(TypeError, match="sparse"):
        top_k(stored(np.eye(3)), 1, metric="dot", counterparts=np.eye(3))


@pytest.mark.parametrize("weight", [-1.0, -1e-300, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("metric", METRICS)
def test_weights_that_are_negative_or_not_finite_are_refused(weight, metric):
    with pytest.raises(ValueError, match="finite weights of 0 or more"):
        top_k(sparse.csr_array(([1.0, weight], ([0, 1], [0, 1])), shape=(2, 2)), 1, metric=metric)


@pytest.mark.parametrize("profiles", [np.eye(3), [[1.0, 0.0]], None])
def test_profiles_that_are_not_sparse_are_refused(profiles):
    with pytest.raises(TypeError, match="sparse"):
        top_k(profiles, 1)


# --- shared weights ----------------------------------------------------------------------------------------


def parts_by_group(profiles, rows, other_rows, groups, group_count, counterparts=None):
    """Split the dot product of each pair by groups of features, as the table of similar users does."""
    parts = np.empty((len(rows), group_count))
    for some, shared in shared_features(profiles, rows, other_rows, counterparts):
        parts[some] = sums_by_group(shared, groups, group_count)
    return parts


def reference_parts(weights, rows, other_rows, groups, group_count):
    parts = np.zeros((len(rows), group_count))
    for pair, (one, other) in enumerate(zip(rows, other_rows, strict=True)):
        for feature, group in enumerate(groups):
            parts[pair, group] += weights[one, feature] * weights[other, feature]
    return parts


@SEARCH
@given(weights=small_whole_weights(), data=st.data())
def test_shared_weights_are_dot_products_by_group(weights, data):
    users, features = weights.shape
    row = st.integers(0, max(0, users - 1))
    pairs = data.draw(st.lists(st.tuples(row, row), max_size=12 if users else 0))
    rows, other_rows = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    group_count = data.draw(st.integers(1, 4))
    groups = np.array(
        data.draw(st.lists(st.integers(0, group_count - 1), min_size=features, max_size=features)), dtype=np.int64
    )
    group_count += data.draw(st.integers(0, 2))  # the last may have no features
    expected = reference_parts(weights, rows, other_rows, groups, group_count)
    for profiles in (stored(weights), stored(weights, sparse.csr_matrix, np.int8)):
        parts = parts_by_group(profiles, rows, other_rows, groups, group_count)
        assert parts.dtype == np.float64
        np.testing.assert_array_equal(parts, expected)
    whole = shared_weights(stored(weights), rows, other_rows)
    np.testing.assert_array_equal(whole, expected.sum(axis=1))


@SEARCH
@given(weights=small_whole_weights().filter(len), data=st.data())
def test_shared_weights_with_counterparts_are_those_of_columns_that_meet(weights, data):
    users, features = weights.shape
    involution = data.draw(involutions(features))
    row = st.integers(0, users - 1)
    rows, other_rows = np.array(data.draw(st.lists(st.tuples(row, row), max_size=12)), dtype=np.int64).reshape(-1, 2).T
    groups = np.array(data.draw(st.lists(st.integers(0, 2), min_size=features, max_size=features)), dtype=np.int64)
    # The group is that of the column of the first of the pair.
    expected = np.zeros((len(rows), 3))
    for pair, (one, other) in enumerate(zip(rows, other_rows, strict=True)):
        for column in range(features):
            expected[pair, groups[column]] += weights[one, column] * weights[other, involution[column]]
    counterparts = stored(exchanged(weights, involution))
    parts = parts_by_group(stored(weights), rows, other_rows, groups, 3, counterparts=counterparts)
    np.testing.assert_array_equal(parts, expected)


@pytest.mark.parametrize("chunk", [1, 7, 40, 99, 100, 101])
def test_pairs_in_chunks_give_the_same(monkeypatch, chunk):
    rng = np.random.default_rng(5)
    weights = rng.random((30, 8)) * (rng.random((30, 8)) < 0.5)
    rows, other_rows = rng.integers(0, 30, (2, 100))
    groups = rng.integers(0, 3, 8)
    monkeypatch.setattr(pairs, "PAIR_CHUNK", chunk)
    parts = parts_by_group(stored(weights), rows, other_rows, groups, 3)
    np.testing.assert_allclose(parts, reference_parts(weights, rows, other_rows, groups, 3), rtol=1e-12)
    swapped = parts_by_group(stored(weights), other_rows, rows, groups, 3)
    np.testing.assert_array_equal(parts, swapped)
    np.testing.assert_allclose(shared_weights(stored(weights), rows, other_rows), parts.sum(axis=1), rtol=1e-12)


# --- pairs -------------------------------------------------------------------------------------------------


def test_lists_become_pairs_by_row_then_place():
    rows, places, neighbours = pairs_of_lists(np.array([[2, 1, -1], [-1, -1, -1], [0, 3, 1], [2, -1, -1]]))
    assert rows.tolist() == [0, 0, 2, 2, 2, 3]
    assert places.tolist() == [0, 1, 0, 1, 2, 0]
    assert neighbours.tolist() == [2, 1, 0, 3, 1, 2]
    assert {array.dtype for array in (rows, places, neighbours)} == {np.dtype(np.int64)}


@pytest.mark.parametrize("shape", [(0, 3), (4, 2)])
def test_empty_lists_become_no_pairs(shape):
    assert [len(array) for array in pairs_of_lists(np.full(shape, -1))] == [0, 0, 0]
