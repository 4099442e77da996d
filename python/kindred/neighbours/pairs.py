"""Pairs of profiles: what they have in common, for many pairs at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

PAIR_CHUNK = 20_000
"""Pairs compared at a time by `shared_features`; bounds its memory, whatever the number of pairs."""


def shared_weights(
    profiles: sparse.csr_matrix | sparse.csr_array,
    rows: np.ndarray,
    other_rows: np.ndarray,
    counterparts: sparse.csr_matrix | sparse.csr_array | None = None,
) -> np.ndarray:
    """Return the dot product of each pair, float64 of shape (pairs,); the arguments are those of `shared_features`."""
    products = np.empty(len(rows))
    for pairs, shared in shared_features(profiles, rows, other_rows, counterparts):
        products[pairs] = shared @ np.ones(shared.shape[1])
    return products


def shared_features(
    profiles: sparse.csr_matrix | sparse.csr_array,
    rows: np.ndarray,
    other_rows: np.ndarray,
    counterparts: sparse.csr_matrix | sparse.csr_array | None = None,
) -> Iterator[tuple[slice, sparse.csr_array]]:
    """Compare pairs of rows, feature by feature.

    Parameters
    ----------
    profiles
        Users x features, CSR, non-negative.
    rows, other_rows
        Integer arrays of shape (pairs,): the rows to compare.
    counterparts
        The matrix that other_rows are rows of, see `top_k`; by default the profiles.

    Yields
    ------
    Parts of the pairs, each with a float64 CSR array of shape (pairs, features): the product of the two weights of
    every feature that both rows have.

    """
    matrix = sparse.csr_array(profiles).astype(np.float64)
    others = matrix if counterparts is None else sparse.csr_array(counterparts).astype(np.float64)
    for start in range(0, len(rows), PAIR_CHUNK):
        pairs = slice(start, start + PAIR_CHUNK)
        yield pairs, sparse.csr_array(matrix[rows[pairs]].multiply(others[other_rows[pairs]]))


def sums_by_group(shared: sparse.csr_array, groups: np.ndarray, group_count: int) -> np.ndarray:
    """Sum the columns of each group: a float64 array of shape (rows, group_count)."""
    membership = sparse.csr_array(
        (np.ones(groups.size), (np.arange(groups.size), groups)), shape=(groups.size, group_count)
    )
    return (shared @ membership).toarray()


def pairs_of_lists(indices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn the neighbour lists of `top_k` into pairs.

    Parameters
    ----------
    indices
        Integer array of shape (users, k) with -1 where there is no neighbour.

    Returns
    -------
    rows, places, neighbours
        Three int64 arrays of shape (pairs,), by row and then place; the first neighbour is at place 0.

    """
    rows, places = np.nonzero(indices >= 0)
    return rows, places, indices[rows, places]
