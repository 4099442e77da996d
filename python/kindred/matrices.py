"""Sparse 0/1 matrices, the best entries of their rows, and when two scores are tied and who comes first then."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from scipy import sparse

BLOCK_ROWS = 256
"""The k-th largest value is found for this many rows at a time, which limits memory."""

ROUNDING = 1e-9
"""How far rounding puts a sum from what it is."""

TIE_DECIMALS = 10
"""Scores are tied if they are equal to this many decimals: sums in another order differ in their last bits."""

KEY_DIGITS = 15
"""Hexadecimal digits of an MD5 sum that are a tie key: 60 bits, which fit into the signed integers of any database."""


def tie_key(text: str) -> int:
    """Return the tie key of a text, from 0 to 2^60 - 1: what the macro stable_hash makes of it in SQL."""
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:KEY_DIGITS], 16)


def tie_order(keys: Any, other_keys: Any) -> Any:
    """Return what orders tied pairs, the lowest first: a hash of the two tie keys, the same for both users of a pair.

    It is one to one for each user, so that only equal keys give equal numbers. For equal users the lists are those of a
    random graph: everybody is on about as many. Without the mixing, equal users would fall into groups whose keys begin
    alike, who list each other: clusters that mean nothing. Source of the mixing: SplitMix64, from Steele, Lea,
    Flood 2014: Fast splittable pseudorandom number generators.

    Parameters
    ----------
    keys, other_keys
        uint64 arrays that broadcast; compiled loops pass single numbers.

    Returns
    -------
    uint64 array, or number, of the common shape.

    """
    mixed = keys ^ other_keys
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def best_of_rows(
    starts: np.ndarray, columns: np.ndarray, values: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the k largest values above 0 of every row.

    Parameters
    ----------
    starts
        Integer array of shape (rows + 1,): where the entries of each row start, like indptr of a CSR array.
    columns, values
        Arrays of shape (entries,): the column and the value of each entry, in any order within a row.
    k
        How many values to find per row, at least 1.

    Returns
    -------
    entries, rows, ranks
        Integer arrays of one length, sorted by row and rank: the position of the entry, its row, and its rank within
        the row from 0, by falling value and then rising column.

    """
    lengths = np.diff(starts)
    # Only entries that reach the k-th largest value are sorted: they are few.
    is_candidate = (values > 0) & (values >= np.repeat(_kth_of_rows(starts, values, k), lengths))
    entries = np.flatnonzero(is_candidate)
    rows = np.repeat(np.arange(len(lengths)), lengths)[entries]
    order = np.lexsort((columns[entries], -values[entries], rows))
    entries = entries[order]
    ranks = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = ranks < k
    return entries[kept], rows[kept], ranks[kept]


def _kth_of_rows(starts: np.ndarray, values: np.ndarray, k: int) -> np.ndarray:
    """Return the k-th largest value of every row, -inf for rows with at most k values. Shape (rows,)."""
    lengths = np.diff(starts)
    kth = np.full(len(lengths), -np.inf)
    # Rows of similar length form a block and are padded to the same length.
    longer = np.flatnonzero(lengths > k)
    longer = longer[np.argsort(lengths[longer], kind="stable")]
    for start in range(0, len(longer), BLOCK_ROWS):
        rows = longer[start : start + BLOCK_ROWS]
        offsets = np.arange(lengths[rows[-1]])
        is_entry = offsets < lengths[rows, None]
        block = np.where(is_entry, values[np.where(is_entry, starts[rows, None] + offsets, 0)], -np.inf)
        kth[rows] = np.partition(block, len(offsets) - k, axis=1)[:, len(offsets) - k]
    return kth


def incidence(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """Build a CSR array, float64, with 1 at the given positions and 0 elsewhere; no position may repeat."""
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)


def holds(matrix: sparse.csr_array, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return whether a matrix is above 0 at each of the given positions. Boolean array of the shape of rows."""
    # For no positions, scipy returns a matrix instead of an array.
    if not len(rows):
        return np.zeros(0, dtype=bool)
    return np.asarray(matrix[rows, columns]).ravel() > 0


def at_most_one(values: np.ndarray) -> np.ndarray:
    """Return similarities or shares with 1 in place of those that rounding has put just above it.

    Sums of the parts of equal profiles are 1 but for their last bits. What is above 1 by more than ROUNDING is another
    scale, or an error, and stays. Shape and dtype stay too.
    """
    return np.where((values > 1) & (values <= 1 + ROUNDING), 1.0, values)
