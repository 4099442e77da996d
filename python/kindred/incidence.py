"""Who has what, as sparse 0/1 matrices."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def incidence(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """Build a CSR array of a shape that holds 1 at the given places, float64, and 0 elsewhere; each place once."""
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)


def holds(matrix: sparse.csr_array, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Tell at which of the given places a matrix is above 0. Boolean array of the shape of rows, that of columns."""
    # scipy returns a matrix, not an array, for no places.
    if not len(rows):
        return np.zeros(0, dtype=bool)
    return np.asarray(matrix[rows, columns]).ravel() > 0
