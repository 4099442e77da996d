"""The quality of neighbours, measured without a known truth: on hidden courses, and on what neighbours share."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from kindred.matrices import at_most_one, best_of_rows, holds

SCORE_DECIMALS = 12
"""Votes are tied if they are equal to this many decimals: sums in another order differ in their last bits."""


def hits_of_votes(
    indices: np.ndarray,
    similarities: np.ndarray,
    rows: np.ndarray,
    views: sparse.csr_array,
    hidden: sparse.csr_array,
    places: int,
) -> np.ndarray:
    """Recommend the courses that neighbours viewed, by the sum of their similarities, and find the hidden ones.

    Parameters
    ----------
    indices, similarities
        Arrays of shape (rows, k): rows of the neighbours, -1 in free places, and their similarities.
    rows
        Integer array of shape (rows,): the users whose neighbours they are.
    views, hidden
        CSR arrays of shape (users, courses): 1 where a course is known, or hidden.
    places
        How many courses are recommended: those with the most votes that the user is not known to have viewed.

    Returns
    -------
    Boolean array of shape (rows, places): whether the course at each place is one of the user's hidden courses. Courses
    with equal votes are sorted by their numbers.

    """
    own, listed = np.nonzero(indices >= 0)
    votes = sparse.csr_array(
        (similarities[own, listed], (own, indices[own, listed])), shape=(len(rows), views.shape[0])
    )
    sums = sparse.csr_array(votes @ views)
    users = np.repeat(np.arange(len(rows)), np.diff(sums.indptr))
    is_seen = holds(views, rows[users], sums.indices)
    sums.data = np.where(is_seen, 0, np.round(sums.data, SCORE_DECIMALS))
    return hits_of_scores(sums, hidden[rows], places)


def hits_of_popularity(rows: np.ndarray, views: sparse.csr_array, hidden: sparse.csr_array, places: int) -> np.ndarray:
    """Recommend to everybody the most viewed courses that they have not viewed; see `hits_of_votes`."""
    viewers = np.asarray(views.sum(axis=0)).ravel()
    own = views[rows]
    # Enough of the most popular courses to leave `places` of them for every user, whatever the user has viewed.
    popular = np.argsort(-viewers, kind="stable")[: places + int(np.diff(own.indptr).max(initial=0))]
    popular = popular[viewers[popular] > 0]
    is_new = own[:, popular].toarray() == 0
    ranks = np.cumsum(is_new, axis=1) - 1
    users, columns = np.nonzero(is_new & (ranks < places))
    hits = np.zeros((len(rows), places), dtype=bool)
    hits[users, ranks[users, columns]] = holds(hidden, rows[users], popular[columns])
    return hits


def recall(hits: np.ndarray, hidden_counts: np.ndarray) -> np.ndarray:
    """Return for every user the hits as a share of the possible ones, min(places, hidden courses). Shape (rows,)."""
    shares: np.ndarray = hits.sum(axis=1) / np.minimum(hits.shape[1], hidden_counts)
    return shares


def ndcg(hits: np.ndarray, hidden_counts: np.ndarray) -> np.ndarray:
    """Return for every user the normalised discounted cumulative gain of the hits. Shape (rows,).

    A hit at place p, from 1, counts 1 / log2(p + 1). The sum is divided by that of the best possible order (Jarvelin,
    Kekalainen 2002: Cumulated gain-based evaluation of IR techniques).
    """
    gains = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    best = np.cumsum(gains)[np.minimum(hits.shape[1], hidden_counts) - 1]
    return at_most_one(hits @ gains / best)


def bootstrap_interval(values: np.ndarray, seed: int, draws: int = 1000) -> tuple[float, float]:
    """Return the 95% interval of the mean of values; see `bootstrap_intervals`."""
    low, high = bootstrap_intervals(values[:, None], seed, draws)[0].tolist()
    return low, high


def bootstrap_intervals(values: np.ndarray, seed: int, draws: int = 1000) -> np.ndarray:
    """Return the 95% intervals of the means of several columns by resampling rows (Efron 1979: Bootstrap methods).

    Parameters
    ----------
    values
        Float array of shape (rows, columns). All columns are resampled with the same rows.
    seed
        The same seed draws the same rows.
    draws
        How many samples are drawn, each with as many rows as there are.

    Returns
    -------
    Float array of shape (columns, 2): the lower and the upper end of each interval; NaN without rows.

    """
    rows, columns = values.shape
    if not rows:
        return np.full((columns, 2), np.nan)
    rng = np.random.default_rng(seed)
    means = np.empty((draws, columns))
    # Column by column, so that an interval does not depend on the other columns, to the last bit.
    contiguous = np.ascontiguousarray(values.T)
    for draw in range(draws):
        drawn = rng.integers(0, rows, rows)
        means[draw] = [column[drawn].mean() for column in contiguous]
    return np.percentile(means, [2.5, 97.5], axis=0).T


def overlap_lift(
    indices: np.ndarray, rows: np.ndarray, sets: sparse.csr_array, candidates: np.ndarray, seed: int
) -> float:
    """Measure how much more neighbours have in common than random users.

    Parameters
    ----------
    indices
        Integer array of shape (rows, k): rows of the neighbours, -1 in free places.
    rows
        Integer array of shape (rows,): the users whose neighbours they are.
    sets
        CSR array of shape (users, items): 1 where a user has an item.
    candidates
        Boolean array of shape (users,): the users who count as neighbours and may be drawn as random users.
    seed
        The seed of the random users. Each user gets as many of them as neighbours that count.

    Returns
    -------
    The mean Jaccard index of users and their neighbours, divided by that of the same users and random others; NaN if it
    is undefined.

    """
    own, listed = np.nonzero(indices >= 0)
    neighbours = indices[own, listed]
    counted = candidates[neighbours]
    users, neighbours = rows[own[counted]], neighbours[counted]
    pool = np.flatnonzero(candidates)
    if not len(users):
        return float("nan")
    drawn = pool[np.random.default_rng(seed).integers(0, len(pool), len(users))]
    is_other = drawn != users
    if not is_other.any():
        return float("nan")
    by_chance = jaccard(sets, users[is_other], drawn[is_other]).mean()
    return float(jaccard(sets, users, neighbours).mean() / by_chance) if by_chance > 0 else float("nan")


def jaccard(sets: sparse.csr_array, rows: np.ndarray, other_rows: np.ndarray) -> np.ndarray:
    """Return the Jaccard index of pairs of rows of a 0/1 matrix; 0 if both are empty. Shape (pairs,)."""
    sizes = np.diff(sets.indptr)
    shared = np.asarray(sets[rows].multiply(sets[other_rows]).sum(axis=1)).ravel()
    either = sizes[rows] + sizes[other_rows] - shared
    indices = np.zeros(len(rows))
    np.divide(shared, either, out=indices, where=either > 0)
    return indices


def hits_of_scores(scores: sparse.csr_array, hidden: sparse.csr_array, places: int) -> np.ndarray:
    """Return the ranks of hidden courses among each user's courses by score, without courses of score 0.

    Parameters
    ----------
    scores, hidden
        CSR arrays of shape (users, courses): the scores of recommended courses, and 1 where a course is hidden.
    places
        See `hits_of_votes`.

    """
    entries, users, ranks = best_of_rows(scores.indptr, scores.indices, scores.data, places)
    hits = np.zeros((scores.shape[0], places), dtype=bool)
    hits[users, ranks] = holds(hidden, users, scores.indices[entries])
    return hits
