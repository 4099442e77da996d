"""Who has what, as sparse 0/1 matrices."""

import numpy as np
import pytest
from scipy import sparse

from kindred.incidence import holds, incidence


def test_incidence_holds_1_where_it_is_told():
    matrix = incidence(np.array([2, 0]), np.array([1, 1]), (3, 2))
    assert matrix.dtype == np.float64
    assert matrix.toarray().tolist() == [[0, 1], [0, 0], [0, 1]]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (3, 2)])
def test_incidence_of_no_places_is_0_everywhere(shape):
    matrix = incidence(np.zeros(0, dtype=int), np.zeros(0, dtype=int), shape)
    assert matrix.shape == shape
    assert not matrix.toarray().any()


def test_holds_tells_in_any_order_and_repeatedly_where_a_matrix_is_above_0():
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
def test_no_places_hold_nothing(shape):
    found = holds(sparse.csr_array(shape), np.zeros(0, dtype=int), np.zeros(0, dtype=int))
    assert isinstance(found, np.ndarray)
    assert (found.shape, found.dtype) == ((0,), bool)
