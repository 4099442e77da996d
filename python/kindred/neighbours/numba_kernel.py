"""The compiled loops behind `kindred.top_k`: inverted indexes of profiles, and heaps of the best so far."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from kindred.matrices import TIE_DECIMALS, tie_order

Array = np.ndarray
"""An array of the dtype and shape that each function states."""

Compressed = tuple[np.ndarray, np.ndarray, np.ndarray]
"""indptr, indices and data of a compressed sparse matrix."""

SLICE_USERS = 64
"""Users that are checked together before each is checked alone: a fixed width that compiles to vector operations."""

TIES_PER_UNIT = 10.0**TIE_DECIMALS
"""Scores are tied if they agree when multiplied by this and rounded."""

NOBODY = np.iinfo(np.int32).max
"""The entry in a free place of a heap, whose score sorts it after everybody else."""

MIN_SCORE = np.float64(np.finfo(np.float32).tiny)
"""Scores below this are 0 to an accumulator of float32."""

FLOAT32_MARGIN, FLOAT64_MARGIN = 4e-7, 1e-15
"""More than rounding to the type can change, as a share of the number."""


class Bounds(NamedTuple):
    """What the hottest features can add to a score.

    Attributes
    ----------
    part_of
        int8 array of shape (features,): the part of each hottest feature, -1 for features in the index.
    margin
        float32 above 1: the factor by which weights and lengths are rounded up.
    rests, counter_rests
        float32 arrays of shape (users,): the length of the hottest features of each profile, and of each counterpart.
    parts, counter_parts
        float32 arrays of shape (users, parts): the lengths of parts of them. All are rounded up.

    """

    part_of: np.ndarray
    margin: np.float32
    rests: np.ndarray
    counter_rests: np.ndarray
    parts: np.ndarray
    counter_parts: np.ndarray


class Heaps(NamedTuple):
    """The best found so far for every user, changed in place: a heap each, whose worst entry stands first.

    Attributes
    ----------
    scores
        float64 array of shape (users, k); -inf where a place is free.
    ids
        int32 array of shape (users, k): the rows of the neighbours; NOBODY where a place is free.
    keys
        uint64 array of shape (users,): what orders tied neighbours, see `tie_order`.

    """

    scores: np.ndarray
    ids: np.ndarray
    keys: np.ndarray


_tie_order = njit(nogil=True, cache=True)(tie_order)


@njit(nogil=True, cache=True)
def score_rows(
    rows: Array, matrix: Compressed, inverted: Compressed, keys: Array, indices: Array, scores: Array
) -> None:
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
    keys
        uint64 array of shape (users,), see `tie_order`.
    indices, scores
        Arrays of shape (rows, k) that are filled: by falling score, tied ones by tie order and then index; -1 and 0
        where there are fewer.

    """
    row_starts, row_features, row_weights = matrix
    list_starts, list_users, list_weights = inverted
    users, k = len(row_starts) - 1, indices.shape[1]
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
        least = _kth_best(totals, best) - 1 / TIES_PER_UNIT

        candidates = np.flatnonzero((totals >= least) & (totals > -np.inf))
        candidates = candidates[np.argsort(_tie_order(keys[candidates], keys[row]), kind="mergesort")]
        order = np.argsort(-np.rint(totals[candidates] * TIES_PER_UNIT), kind="mergesort")
        for rank in range(min(k, len(candidates))):
            found = candidates[order[rank]]
            indices[place, rank] = found
            scores[place, rank] = totals[found]


@njit(nogil=True, cache=True, inline="always")
def _kth_best(totals: Array, best: Array) -> Any:
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


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz"})
def meet(
    block: Array,
    other: Array,
    index: Compressed,
    matrix: Compressed,
    counterparts: Compressed,
    bounds: Bounds | None,
    heaps: Heaps,
) -> None:
    """Compare the users of one block with those of another, or of the same, each pair once, and keep the best of both.

    The score of a pair is added up over an inverted index of the other block and offered to the lists of both users.
    Where there are bounds, the index lacks the hottest features: a pair is completed only where what the index gives
    and the most that the rest can add are enough for one of the two lists.

    Parameters
    ----------
    block, other
        int32 arrays: the users of two blocks without common users, or twice those of the same.
    index
        indptr (by feature), users counted within other, and weights of the counterparts of other: float64, or float32
        and without the hottest features where there are bounds.
    matrix, counterparts
        indptr, indices and data (float64) of all profiles, and of what they are compared with, by row.
    bounds
        What the hottest features can add; None where the index has them all.
    heaps
        The best so far.

    """
    scores, ids, keys = heaps
    list_starts, list_users, list_weights = index
    row_starts, row_features, row_weights = matrix
    is_same = block[0] == other[0]
    count = len(other)
    padded = (count + SLICE_USERS - 1) // SLICE_USERS * SLICE_USERS
    totals = np.zeros(padded, list_weights.dtype)
    # The score needed to enter a list. Nobody reaches it in the places that pad the last slice.
    own_threshold = np.empty(1, list_weights.dtype)
    thresholds = np.full(padded, np.inf, list_weights.dtype)
    # What a tied score needs to enter a list. It is kept, since where many are tied each asks for it.
    ties = np.zeros(count, np.uint64)
    for place in range(count):
        thresholds[place] = _threshold(scores[other[place], 0], bounds)
        ties[place] = _tie(keys, other[place], ids[other[place], 0])
    rests = None
    if bounds is not None:
        rests = np.zeros(padded, np.float32)
        rests[:count] = bounds.counter_rests[other]
    margin = 1.0 if bounds is None else float(bounds.margin)
    dense = np.zeros(len(list_starts) - 1)
    begins = list_starts[:-1].copy()
    reaching = np.zeros(SLICE_USERS, np.uint8)
    eights = reaching.view(np.uint64)

    for own, user in enumerate(block):
        totals[:] = 0
        for entry in range(row_starts[user], row_starts[user + 1]):
            feature, weight = row_features[entry], list_weights.dtype.type(row_weights[entry] * margin)
            begin, end = begins[feature], list_starts[feature + 1]
            if is_same:
                while begin < end and list_users[begin] <= own:
                    begin += 1
                begins[feature] = begin
            listed, weights = list_users[begin:end], list_weights[begin:end]
            for place in range(len(listed)):
                totals[listed[place]] += weight * weights[place]

        own_threshold[0] = _threshold(scores[user, 0], bounds)
        own_tie = _tie(keys, user, ids[user, 0])
        own_rest = np.float32(0)
        if bounds is not None:
            own_rest = bounds.rests[user]
            for entry in range(row_starts[user], row_starts[user + 1]):
                dense[row_features[entry]] = row_weights[entry]
        for start in range(own // SLICE_USERS * SLICE_USERS if is_same else 0, padded, SLICE_USERS):
            if not _reach(start, totals, rests, own_rest, thresholds, own_threshold, reaching):
                continue
            for step in range(SLICE_USERS):
                place = start + step
                if eights[step // 8] == 0 or reaching[step] == 0 or place >= count or (is_same and place <= own):
                    continue
                found = other[place]
                score = float(totals[place])
                if bounds is not None:
                    most = totals[place] + _most_of_rest(bounds.parts, user, bounds.counter_parts, found)
                    if most < own_threshold[0] and most < thresholds[place]:
                        continue
                    score = _score(dense, counterparts, found)
                if score <= 0:
                    continue
                rounded = np.rint(score * TIES_PER_UNIT)
                own_worst, worst = np.rint(scores[user, 0] * TIES_PER_UNIT), np.rint(scores[found, 0] * TIES_PER_UNIT)
                tie = _tie(keys, user, found) if rounded in (own_worst, worst) else np.uint64(0)
                if _is_first(rounded, tie, found, own_worst, own_tie, ids[user, 0]):
                    _sift(scores, ids, keys, user, scores.shape[1], score, found)
                    own_threshold[0] = _threshold(scores[user, 0], bounds)
                    own_tie = _tie(keys, user, ids[user, 0])
                if _is_first(rounded, tie, user, worst, ties[place], ids[found, 0]):
                    _sift(scores, ids, keys, found, scores.shape[1], score, user)
                    thresholds[place] = _threshold(scores[found, 0], bounds)
                    ties[place] = _tie(keys, found, ids[found, 0])
        if is_same:
            thresholds[own] = own_threshold[0]
        if bounds is not None:
            for entry in range(row_starts[user], row_starts[user + 1]):
                dense[row_features[entry]] = 0


@njit(nogil=True, cache=True)
def sort_lists(block: Array, heaps: Heaps) -> None:
    """Turn the heaps of a block into lists from best to worst; -1 and 0 in free places."""
    scores, ids, keys = heaps
    for user in block:
        for size in range(scores.shape[1] - 1, 0, -1):
            score, found = scores[user, size], ids[user, size]
            scores[user, size], ids[user, size] = scores[user, 0], ids[user, 0]
            _sift(scores, ids, keys, user, size, score, found)
        for place in range(scores.shape[1]):
            if ids[user, place] == NOBODY:
                scores[user, place], ids[user, place] = 0, -1


@njit(nogil=True, cache=True)
def rescore_lists(block: Array, matrix: Compressed, counterparts: Compressed, features: int, heaps: Heaps) -> None:
    """Add up the scores of a block's lists again, as seen from the user whose list it is.

    The terms are then in the order of `score_rows` and of scipy's product. Where counterparts are not the profiles
    themselves, the order differs as seen from the other side, and so do the last bits.
    """
    scores, ids, _ = heaps
    row_starts, row_features, row_weights = matrix
    dense = np.zeros(features)
    for user in block:
        for entry in range(row_starts[user], row_starts[user + 1]):
            dense[row_features[entry]] = row_weights[entry]
        for place in range(scores.shape[1]):
            found = ids[user, place]
            if found >= 0:
                scores[user, place] = _score(dense, counterparts, found)
        for entry in range(row_starts[user], row_starts[user + 1]):
            dense[row_features[entry]] = 0


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz"})
def _reach(
    start: int,
    totals: Array,
    rests: Array | None,
    own_rest: np.float32,
    thresholds: Array,
    own_threshold: Array,
    reaching: Array,
) -> bool:
    """Mark the scores of a slice that may be enough for either list, and tell whether there is any."""
    stop = start + SLICE_USERS
    scores, least, own_least = totals[start:stop], thresholds[start:stop], own_threshold[0]
    is_any = False
    for place in range(SLICE_USERS):
        score = scores[place]
        if rests is not None:
            score += own_rest * rests[start:stop][place]
        is_any |= (score >= own_least) | (score >= least[place])
    if not is_any:
        return False
    for place in range(SLICE_USERS):
        score = scores[place]
        if rests is not None:
            score += own_rest * rests[start:stop][place]
        reaching[place] = (score >= own_least) | (score >= least[place])
    return True


@njit(nogil=True, cache=True)
def _threshold(score: float, bounds: Bounds | None) -> float:
    """Return the score that is as good as the given one, the worst on a list; rounded down."""
    least = _rounded_down((np.rint(score * TIES_PER_UNIT) - 0.5) / TIES_PER_UNIT, bounds)
    return max(least, MIN_SCORE)


@njit(nogil=True, cache=True)
def _rounded_down(value: float, bounds: Bounds | None) -> float:
    """Return a little less than the value: by more than rounding to the accumulator's type can add."""
    return value - abs(value) * (FLOAT64_MARGIN if bounds is None else FLOAT32_MARGIN)


# "reassoc" lets the sum run over vector registers; bounds are rounded up by more than its order can matter.
@njit(nogil=True, cache=True, fastmath={"nnan", "nsz", "reassoc"})
def _most_of_rest(parts: Array, user: int, counter_parts: Array, found: int) -> np.float32:
    most = np.float32(0)
    for part in range(parts.shape[1]):
        most += parts[user, part] * counter_parts[found, part]
    return most


@njit(nogil=True, cache=True)
def _score(dense: Array, counterparts: Compressed, found: int) -> float:
    """Add up the products of a dense profile and a sparse counterpart in the order of the features."""
    starts, features, weights = counterparts
    score = 0.0
    for entry in range(starts[found], starts[found + 1]):
        score += dense[features[entry]] * weights[entry]
    return score


@njit(nogil=True, cache=True)
def _sift(scores: Array, ids: Array, keys: Array, user: int, size: int, score: float, found: int) -> None:
    """Replace the first entry of a heap of the given size, and restore its order."""
    rounded = np.rint(score * TIES_PER_UNIT)
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            break
        worst = np.rint(scores[user, child] * TIES_PER_UNIT)
        if child + 1 < size:
            other = np.rint(scores[user, child + 1] * TIES_PER_UNIT)
            if other < worst or (other == worst and _is_first_tied(keys, user, ids[user, child], ids[user, child + 1])):
                child, worst = child + 1, other
        if worst > rounded or (worst == rounded and _is_first_tied(keys, user, ids[user, child], found)):
            break
        scores[user, parent], ids[user, parent] = scores[user, child], ids[user, child]
        parent = child
    scores[user, parent], ids[user, parent] = score, found


@njit(nogil=True, cache=True)
def _is_first_tied(keys: Array, user: int, found: int, other: int) -> bool:
    """Tell whether the first of two comes before the second on a user's list, if their scores are tied."""
    return _is_first(0.0, _tie(keys, user, found), found, 0.0, _tie(keys, user, other), other)


@njit(nogil=True, cache=True)
def _is_first(rounded: float, tie: Any, found: int, other_rounded: float, other_tie: Any, other: int) -> bool:
    """Tell whether the first of two comes before the second: by falling score, then rising tie, then rising index."""
    return rounded > other_rounded or (
        rounded == other_rounded and (tie < other_tie or (tie == other_tie and found < other))
    )


@njit(nogil=True, cache=True)
def _tie(keys: Array, user: int, found: int) -> Any:
    """Return what orders one of a user's tied neighbours, see `tie_order`; 0 for a free place."""
    return np.uint64(0) if found == NOBODY else _tie_order(keys[user], keys[found])
