"""The map of users: the ties between them, the layout of a sample, and the places of all others."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from kindred.graph.layout import two_dimensions
from kindred.matrices import best_of_rows

NEAREST_USERS = 10
"""Each user is tied to this many of their nearest users, besides the users with whom they share neighbours."""

NEAREST_SHARE = 0.3
"""The total weight of the ties to the nearest users; that of the ties by shared neighbours is 1."""

MAX_LAID_OUT_USERS = 20_000
"""If there are more users, this many are laid out and the others are placed among them."""

MAX_SAMPLE_EDGES = 40
"""How many of the strongest ties of each user are kept within a sample."""

TIE_POWER = 4
"""Ties are raised to this power when users are placed among others: a plain mean of many is near none of them."""


def map_users(
    shared: sparse.csr_array, nearest: np.ndarray, fingerprints: np.ndarray, tie_keys: np.ndarray
) -> np.ndarray:
    """Place users on a map on which users who share neighbours are near each other.

    Up to MAX_LAID_OUT_USERS users are laid out by `two_dimensions`. If there are more, a sample of them is, those
    with the lowest tie keys; there the tie of two users is the sum over all paths of two steps between them. All other
    users are placed at the mean of the users they are tied to, weighted in favour of the strongest ties. This happens
    in rounds: first the users tied to the sample, then the users tied to those.

    Parameters
    ----------
    shared
        CSR array of shape (users, users), symmetric: what `shared_neighbour_graph` returns. Its data are overwritten.
    nearest
        Integer array of shape (users, k): rows of the nearest users, nearest first, -1 in free places.
    fingerprints
        uint64 array of shape (users,): equal for equal profiles. Users with equal profiles get the mean of their
        positions.
    tie_keys
        Integer array of shape (users,): a hash of each user, which stays while others come and go.

    Returns
    -------
    float64 array of shape (users, 2). Users without ties cannot be placed. If there is a sample, nor can users from
    whom no chain of ties leads to it. They all lie in the lower right corner of the map.

    """
    ties = ties_of(shared, nearest)
    has_ties = np.diff(ties.indptr) > 0
    sample = _sample(tie_keys, has_ties)
    graph = ties[sample][:, sample] if len(sample) == has_ties.sum() else _ties_of_sample(ties, sample)
    is_tied = np.diff(graph.indptr) > 0
    sample, graph = sample[is_tied], graph[is_tied][:, is_tied]
    positions = np.zeros((len(tie_keys), 2))
    positions[sample] = two_dimensions(graph)
    is_placed = np.zeros(len(tie_keys), dtype=bool)
    is_placed[sample] = True
    _place_others(positions, is_placed, ties)
    if is_placed.any():
        corner = positions[is_placed].max(axis=0)[0], positions[is_placed].min(axis=0)[1]
        positions[~is_placed] = corner
    return _means_of_equals(positions, fingerprints)


def ties_of(shared: sparse.csr_array, nearest: np.ndarray) -> sparse.csr_array:
    """Return the ties between users: symmetric; each user gives the same total weight, and hubs receive more."""
    users = len(nearest)
    listed = nearest[:, :NEAREST_USERS]
    rows, places = np.nonzero(listed >= 0)
    counts = np.bincount(rows, minlength=users)
    weights = NEAREST_SHARE / counts[rows]
    ties = sparse.csr_array((weights, (rows, listed[rows, places])), shape=(users, users))
    ties = sparse.csr_array(ties + ties.T)
    totals = shared.sum(axis=1)
    parts = np.divide(1.0, totals, out=np.zeros(users), where=totals > 0)
    # In place, as this is the largest array here. The transpose has the same entries.
    factors = np.repeat(parts, np.diff(shared.indptr))
    factors += parts[shared.indices]
    shared.data *= factors
    return sparse.csr_array(ties + shared)


def _sample(tie_keys: np.ndarray, has_ties: np.ndarray) -> np.ndarray:
    """Return the rows of the users to lay out, rising: at most MAX_LAID_OUT_USERS, those with the lowest keys."""
    rows = np.flatnonzero(has_ties)
    return np.sort(rows[np.argsort(tie_keys[rows], kind="stable")[:MAX_LAID_OUT_USERS]])


def _ties_of_sample(ties: sparse.csr_array, sample: np.ndarray) -> sparse.csr_array:
    """Return the strongest ties within the sample by paths of two steps, through any user; symmetric."""
    from_sample = ties[sample]
    paths = sparse.csr_array(from_sample @ sparse.csr_array(from_sample.T))
    paths.setdiag(0)
    entries, rows, ranks = best_of_rows(paths.indptr, paths.indices, paths.data, MAX_SAMPLE_EDGES)
    is_last = ranks == MAX_SAMPLE_EDGES - 1
    weakest = np.zeros(len(sample))
    weakest[rows[is_last]] = paths.data[entries[is_last]]
    # Ties as strong as the last one are kept too: otherwise rounding would decide between equals.
    owners = np.repeat(np.arange(len(sample)), np.diff(paths.indptr))
    is_kept = paths.data > (1 - 1e-9) * weakest[owners]
    kept = sparse.csr_array((paths.data[is_kept], (owners[is_kept], paths.indices[is_kept])), shape=paths.shape)
    totals = kept.sum(axis=1)
    kept.data /= np.repeat(totals, np.diff(kept.indptr))
    return sparse.csr_array(kept + kept.T)


def _place_others(positions: np.ndarray, is_placed: np.ndarray, ties: sparse.csr_array) -> None:
    """Place users at the weighted mean of the placed users they are tied to, in rounds; changes positions in place."""
    while not is_placed.all():
        to_placed = ties[~is_placed][:, is_placed] ** TIE_POWER
        totals = to_placed.sum(axis=1)
        rows = np.flatnonzero(~is_placed)[totals > 0]
        if not len(rows):
            break
        positions[rows] = (to_placed @ positions[is_placed])[totals > 0] / totals[totals > 0, None]
        is_placed[rows] = True


def _means_of_equals(positions: np.ndarray, fingerprints: np.ndarray) -> np.ndarray:
    """Give users with equal profiles the mean of their positions."""
    _, places, counts = np.unique(fingerprints, return_inverse=True, return_counts=True)
    return np.stack([np.bincount(places, axis)[places] / counts[places] for axis in positions.T], axis=1)
