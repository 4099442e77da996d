"""Sparse 0/1 matrices, the best entries of their rows, and when two scores are tied."""

from __future__ import annotations

import numpy as np
from scipy import sparse

BLOCK_ROWS = 256
"""Rows whose k-th largest value is looked for at a time; bounds memory, whatever the number of rows."""

TIE_DECIMALS = 10
"""Scores that agree to so many decimals are tied: sums of the same terms in another order differ in the last bits."""


def best_of_rows(
    starts: np.ndarray, columns: np.ndarray, values: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the k largest values above 0 of every row.

    Parameters
    ----------
    starts
        Integer array of shape (rows + 1,): where the entries of each row start, as the indptr of a CSR array.
    columns, values
        Arrays of shape (entries,): the column and the value of each entry, in any order within a row.
    k
        How many to find, at least 1.

    Returns
    -------
    entries, rows, ranks
        Integer arrays of one length, by row and rank: where the entry stands, its row, and its rank from 0 among those
        of the row, by falling value and then rising column.

    """
    lengths = np.diff(starts)
    # Few reach the k-th largest value, so that only those need sorting.
    is_candidate = (values > 0) & (values >= np.repeat(_kth_of_rows(starts, values, k), lengths))
    entries = np.flatnonzero(is_candidate)
    rows = np.repeat(np.arange(len(lengths)), lengths)[entries]
    order = np.lexsort((columns[entries], -values[entries], rows))
    entries = entries[order]
    ranks = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = ranks < k
    return entries[kept], rows[kept], ranks[kept]


def _kth_of_rows(starts: np.ndarray, values: np.ndarray, k: int) -> np.ndarray:
    """Return the k-th largest of the values of every row, -inf where there are fewer. Shape (rows,)."""
    lengths = np.diff(starts)
    kth = np.full(len(lengths), -np.inf)
    # Rows of about the same length are filled up to a block.
    longer = np.flatnonzero(lengths > k)
    longer = longer[np.argsort(lengths[longer], kind="stable")]
    for start in range(0, len(longer), BLOCK_ROWS):
        rows = longer[start : start + BLOCK_ROWS]
        places = np.arange(lengths[rows[-1]])
        is_there = places < lengths[rows, None]
        block = np.where(is_there, values[np.where(is_there, starts[rows, None] + places, 0)], -np.inf)
        kth[rows] = np.partition(block, len(places) - k, axis=1)[:, len(places) - k]
    return kth


def incidence(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """Build a CSR array of a shape that holds 1 at the given places, float64, and 0 elsewhere; each place once."""
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)


def holds(matrix: sparse.csr_array, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Tell at which of the given places a matrix is above 0. Boolean array of the shape of rows, that of columns."""
    # scipy returns a matrix, not an array, for no places.
    if not len(rows):
        return np.zeros(0, dtype=bool)
    return np.asarray(matrix[rows, columns]).ravel() > 0
