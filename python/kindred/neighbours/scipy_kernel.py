"""Exact neighbours by scipy's sparse product, block by block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from kindred.matrices import TIE_DECIMALS, tie_order

BLOCK_ROWS = 64
"""Rows scored at a time: wide enough for the inner loop to run over whole vector registers, small enough for cache."""

SCORE_COPIES = 3
"""Copies of a block's scores that are held at the same time: as they are, rounded, and as a mask."""

SCORES_MB = 1024
"""Megabytes for the scores of all threads; blocks get smaller where there are many users."""


def rows_of_block(users: int, threads: int) -> int:
    """Return how many rows each thread can score at a time within SCORES_MB, at least one."""
    row_mb = SCORE_COPIES * threads * users * np.dtype(np.float64).itemsize / 1e6
    return max(1, min(BLOCK_ROWS, int(SCORES_MB / row_mb))) if row_mb else BLOCK_ROWS


def scorer_of_rows(
    matrix: sparse.csr_array, others: sparse.csr_array, keys: np.ndarray
) -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
    """Return a function that fills the indices and scores, shapes (rows, k), of a block of rows; keys are uint64."""

    def score_block(block: np.ndarray, indices: np.ndarray, scores: np.ndarray) -> None:
        block_scores = others @ matrix[block].toarray().T
        block_scores[block, np.arange(len(block))] = 0
        indices[:], scores[:] = _best_of_columns(block_scores, indices.shape[1], keys, keys[block])

    return score_block


def _best_of_columns(
    scores: np.ndarray, k: int, row_keys: np.ndarray, column_keys: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return row indices and scores of the k best entries above 0 of every column, shapes (columns, k)."""
    floor = np.nextafter(0, 1)
    count, columns = scores.shape
    indices = np.full((columns, k), -1, dtype=np.int64)
    best = np.zeros((columns, k))

    # The k-th largest maximum of disjoint slices is at most the k-th largest score, so nothing below it is among the
    # best. Finding it takes one pass over the block, which is cheaper than a partition.
    slice_rows = max(1, min(64, count // (4 * k)))
    whole = count // slice_rows * slice_rows
    maxima = scores[:whole].reshape(-1, slice_rows, columns).max(axis=1)
    if whole < count:
        maxima = np.vstack([maxima, scores[whole:].max(axis=0)])
    place = len(maxima) - k
    bound = np.partition(maxima, place, axis=0)[place] if place >= 0 else np.full(columns, floor)
    least = np.maximum(bound - 10.0**-TIE_DECIMALS, floor)
    row_numbers, column_numbers = np.divmod(np.flatnonzero(scores >= least), columns)

    values = scores[row_numbers, column_numbers]
    # The sort is stable: where keys are equal too, rows stay in their order.
    ties = tie_order(row_keys[row_numbers], column_keys[column_numbers])
    order = np.lexsort((ties, -np.round(values, TIE_DECIMALS), column_numbers))
    row_numbers, column_numbers, values = row_numbers[order], column_numbers[order], values[order]
    first = np.searchsorted(column_numbers, np.arange(columns))
    places = np.arange(len(column_numbers)) - first[column_numbers]
    kept = places < k
    indices[column_numbers[kept], places[kept]] = row_numbers[kept]
    best[column_numbers[kept], places[kept]] = values[kept]
    return indices, best
