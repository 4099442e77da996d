"""Exact neighbours by scipy's sparse product, block by block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from kindred.matrices import TIE_DECIMALS

BLOCK_ROWS = 64
"""Rows scored at a time: wide enough for the inner loop to run over whole vector registers, small enough for cache."""

SCORE_COPIES = 4
"""How often scipy's kernel holds the scores of a block at most: with and without penalties, rounded, and as a mask."""


def rows_of_block(users: int, threads: int, memory_mb: float) -> int:
    """Return how many rows each thread can score at a time within the given memory, at least one."""
    row_mb = SCORE_COPIES * threads * users * np.dtype(np.float64).itemsize / 1e6
    return max(1, min(BLOCK_ROWS, int(memory_mb / row_mb))) if row_mb else BLOCK_ROWS


def scorer_of_rows(
    matrix: sparse.csr_array, others: sparse.csr_array, penalties: np.ndarray | None
) -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
    """Return what fills the indices and scores, shapes (rows, k), of a block of rows by scipy's product."""
    least = np.nextafter(0, 1) if penalties is None else np.finfo(np.float64).min

    def score_block(block: np.ndarray, indices: np.ndarray, scores: np.ndarray) -> None:
        block_scores = others @ matrix[block].toarray().T
        block_scores[block, np.arange(len(block))] = 0
        if penalties is not None:
            block_scores = np.where(block_scores > 0, block_scores - penalties[:, None], -np.inf)
        indices[:], scores[:] = _best_of_columns(block_scores, indices.shape[1], least)

    return score_block


def _best_of_columns(scores: np.ndarray, k: int, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Return row indices and scores of the k best entries of every column from floor up, shapes (columns, k)."""
    count, columns = scores.shape
    indices = np.full((columns, k), -1, dtype=np.int64)
    best = np.zeros((columns, k))

    # The k-th largest maximum of disjoint slices is at most the k-th largest score, so that what is below it cannot
    # be among the best; finding it costs one pass over the block instead of a partition of it.
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
    order = np.lexsort((row_numbers, -np.round(values, TIE_DECIMALS), column_numbers))
    row_numbers, column_numbers, values = row_numbers[order], column_numbers[order], values[order]
    first = np.searchsorted(column_numbers, np.arange(columns))
    places = np.arange(len(column_numbers)) - first[column_numbers]
    kept = places < k
    indices[column_numbers[kept], places[kept]] = row_numbers[kept]
    best[column_numbers[kept], places[kept]] = values[kept]
    return indices, best
