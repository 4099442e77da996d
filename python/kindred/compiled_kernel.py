"""The compiled kernel of `kindred.similarity.top_k`: an inverted index, one row at a time."""

from __future__ import annotations

import numpy as np
from numba import njit

from kindred.similarity import TIE_DECIMALS

SLICE_USERS = 64
"""Users whose best score is looked at before each of them: a fixed width that compiles to a few vector operations."""

TIES_PER_UNIT = 10.0**TIE_DECIMALS
"""Scores are tied that agree when multiplied by this and rounded."""


@njit(nogil=True, cache=True)
def best_of_rows(rows, matrix, inverted, k, penalties, indices, scores):
    """Find the k best of every user for some rows, exactly.

    For each row, the lists of its features are added to one accumulator over all users, in the order of the features,
    which is the order in which scipy's product adds them: the scores are the same to the last bit.

    Parameters
    ----------
    rows
        int64 array: the rows whose neighbours are wanted; a row is not its own.
    matrix
        indptr, indices and data (float64) of the profiles by row.
    inverted
        indptr, indices and data (float64) of what they are compared with, by column.
    k
        How many to find.
    penalties
        float64 array of shape (users,), what is taken off a score above 0; of shape (0,) for nothing.
    indices, scores
        Arrays of shape (rows, k) that are filled: by falling score, tied ones by index; -1 and 0 where there are fewer.

    """
    row_starts, row_features, row_weights = matrix
    list_starts, list_users, list_weights = inverted
    users = len(row_starts) - 1
    totals = np.empty(users)
    best = np.empty(k)
    for place in range(len(rows)):
        row = rows[place]
        totals[:] = 0
        for entry in range(row_starts[row], row_starts[row + 1]):
            feature, weight = row_features[entry], row_weights[entry]
            for listed in range(list_starts[feature], list_starts[feature + 1]):
                totals[list_users[listed]] += weight * list_weights[listed]
        totals[row] = 0
        for user in range(users):
            if totals[user] <= 0:
                totals[user] = -np.inf
            elif len(penalties):
                totals[user] -= penalties[user]
        least = _kth_best(totals, best) - 1 / TIES_PER_UNIT

        candidates = np.flatnonzero((totals >= least) & (totals > -np.inf))
        order = np.argsort(-np.rint(totals[candidates] * TIES_PER_UNIT), kind="mergesort")
        for rank in range(min(k, len(candidates))):
            found = candidates[order[rank]]
            indices[place, rank] = found
            scores[place, rank] = totals[found]


@njit(nogil=True, cache=True, inline="always")
def _kth_best(totals, best):
    """Return the k-th largest total, -inf if there are fewer; best is a heap of k, the least of them first."""
    best[:] = -np.inf
    users = len(totals)
    for start in range(0, users, SLICE_USERS):
        stop = min(start + SLICE_USERS, users)
        greatest = -np.inf
        for user in range(start, stop):
            greatest = max(greatest, totals[user])
        if greatest <= best[0]:
            continue
        for user in range(start, stop):
            value = totals[user]
            if value > best[0]:
                parent = 0
                while True:
                    child = 2 * parent + 1
                    if child >= len(best):
                        break
                    if child + 1 < len(best) and best[child + 1] < best[child]:
                        child += 1
                    if best[child] >= value:
                        break
                    best[parent] = best[child]
                    parent = child
                best[parent] = value
    return best[0]
