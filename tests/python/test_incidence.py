"""Who has what, as sparse 0/1 matrices."""

import numpy as np
import pytest

from kindred.incidence import incidence


def test_incidence_holds_1_where_it_is_told():
    matrix = incidence(np.array([2, 0]), np.array([1, 1]), (3, 2))
    assert matrix.dtype == np.float64
    assert matrix.toarray().tolist() == [[0, 1], [0, 0], [0, 1]]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (3, 2)])
def test_incidence_of_no_places_is_0_everywhere(shape):
    matrix = incidence(np.zeros(0, dtype=int), np.zeros(0, dtype=int), shape)
    assert matrix.shape == shape
    assert not matrix.toarray().any()
