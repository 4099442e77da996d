"""Sparse 0/1 matrices, the best entries of their rows, and the order of ties."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from ties import key_of
from ties import tie_order as expected_order

from kindred import matrices
from kindred.matrices import at_most_one, best_of_rows, holds, incidence, tie_key, tie_order


@settings(deadline=None, max_examples=200, derandomize=True)
@given(
    lengths=st.lists(st.integers(0, 12), max_size=9),
    k=st.integers(1, 8),
    levels=st.integers(1, 9),
    seed=st.integers(0, 2**32),
)
def test_the_best_of_rows_are_those_of_sorting_each(lengths, k, levels, seed):
    rng = np.random.default_rng(seed)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(int)
    columns = np.concatenate([np.zeros(0, int), *(rng.permutation(30)[:length] for length in lengths)])
    # Few levels, so many values are equal; some are not above 0.
    values = rng.integers(-1, levels, len(columns)) / 4
    expected = []
    for row, (start, stop) in enumerate(itertools.pairwise(starts)):
        entries = sorted((entry for entry in range(start, stop) if values[entry] > 0),
                         key=lambda entry: (-values[entry], columns[entry]))  # fmt: skip
        expected += [(entry, row, rank) for rank, entry in enumerate(entries[:k])]
    found = best_of_rows(starts, columns, values, k)
    assert list(zip(*(part.tolist() for part in found), strict=True)) == expected


@pytest.mark.parametrize("block", [1, 3, 1000])
def test_rows_of_any_length_in_blocks_of_any_size_get_the_same(monkeypatch, block):
    rng = np.random.default_rng(1)
    starts = np.concatenate([[0], np.cumsum(rng.integers(0, 60, 50))])
    columns, values = np.arange(starts[-1]), rng.random(starts[-1])
    expected = [part.tolist() for part in best_of_rows(starts, columns, values, 5)]
    monkeypatch.setattr(matrices, "BLOCK_ROWS", block)
    assert [part.tolist() for part in best_of_rows(starts, columns, values, 5)] == expected
    assert max(expected[2]) == 4


def test_incidence_holds_1_at_the_given_positions():
    matrix = incidence(np.array([2, 0]), np.array([1, 1]), (3, 2))
    assert matrix.dtype == np.float64
    assert matrix.toarray().tolist() == [[0, 1], [0, 0], [0, 1]]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (3, 2)])
def test_incidence_without_positions_is_0_everywhere(shape):
    matrix = incidence(np.zeros(0, dtype=int), np.zeros(0, dtype=int), shape)
    assert matrix.shape == shape
    assert not matrix.toarray().any()


def test_holds_finds_positions_above_0_in_any_order_and_repeatedly():
    rng = np.random.default_rng(5)
    dense = rng.integers(0, 3, (6, 4))
    rows, columns = rng.integers(0, 6, 40), rng.integers(0, 4, 40)
    found = holds(sparse.csr_array(dense), rows, columns)
    assert found.dtype == bool
    assert found.tolist() == [dense[row, column] > 0 for row, column in zip(rows, columns, strict=True)]
    assert 0 < found.sum() < 40


def test_a_zero_that_is_stored_is_not_held():
    matrix = sparse.csr_array((np.array([0.0, 1.0]), (np.array([0, 0]), np.array([0, 1]))), shape=(1, 2))
    assert holds(matrix, np.array([0, 0]), np.array([0, 1])).tolist() == [False, True]


@pytest.mark.parametrize("shape", [(0, 0), (3, 2)])
def test_holds_of_no_positions_is_empty(shape):
    found = holds(sparse.csr_array(shape), np.zeros(0, dtype=int), np.zeros(0, dtype=int))
    assert isinstance(found, np.ndarray)
    assert (found.shape, found.dtype) == ((0,), bool)


def test_what_rounding_puts_above_one_is_one_and_other_numbers_stay():
    numbers = [0.0, 0.5, 1.0, np.nextafter(1, 2), 1 + 1e-10, 1.001, 4.0]
    assert at_most_one(np.array(numbers)).tolist() == [0.0, 0.5, 1.0, 1.0, 1.0, 1.001, 4.0]


# --- ties --------------------------------------------------------------------------------------------------

KEYS = st.integers(0, 2**64 - 1)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_tie_key_is_the_first_sixty_bits_of_the_md5_sum(text):
    assert tie_key(text) == key_of(text) < 2**60


def test_the_md5_sum_is_that_of_rfc_1321():
    assert tie_key("abc") == 0x900150983CD24FB


@given(one=KEYS, other=KEYS, third=KEYS)
def test_the_order_is_the_same_for_both_of_a_pair_and_differs_between_keys(one, other, third):
    keys = np.array([one, other, third], dtype=np.uint64)
    order = tie_order(keys[:, None], keys)
    np.testing.assert_array_equal(order, order.T)
    assert order.tolist() == [[expected_order(a, b) for b in (one, other, third)] for a in (one, other, third)]
    assert (order[0, 1] == order[0, 2]) == (other == third)


def test_the_mixing_is_that_of_splitmix64():
    # The first number of the generator whose state is 0: the mixing of its increment.
    assert int(tie_order(np.array([0x9E3779B97F4A7C15], np.uint64), np.uint64(0))[0]) == 0xE220A8397B1DCDAF
