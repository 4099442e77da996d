"""The compiled loops behind `kindred.top_k`: inverted indexes of profiles, and heaps of the best so far."""

from __future__ import annotations

import numpy as np
from numba import njit

from kindred.matrices import TIE_DECIMALS

SLICE_USERS = 64
"""Users that are looked at together before each of them: a fixed width that compiles to a few vector operations."""

TIES_PER_UNIT = 10.0**TIE_DECIMALS
"""Scores are tied that agree when multiplied by this and rounded."""

NOBODY = np.iinfo(np.int32).max
"""What stands on a list where nobody has been found yet: after everybody else."""

LEAST_SCORE = np.float64(np.finfo(np.float32).tiny)
"""Scores below this are 0 to an accumulator of float32."""

FLOAT32_MARGIN, FLOAT64_MARGIN = 4e-7, 1e-15
"""More than what rounding to the type can change, as a part of the number."""


@njit(nogil=True, cache=True)
def score_rows(rows, matrix, inverted, indices, scores):
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
    indices, scores
        Arrays of shape (rows, k) that are filled: by falling score, tied ones by index; -1 and 0 where there are fewer.

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


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz"})
def meet(block, other, index, matrix, counterparts, bounds, heaps):
    """Let the users of one block meet those of another, or of the same, each pair once, and keep the best of both.

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
        None, or a `Bounds` of kindred.neighbours.all_pairs.
    heaps
        The `Heaps` of kindred.neighbours.all_pairs: the best so far, see `_offer`.

    """
    scores, ids = heaps
    list_starts, list_users, list_weights = index
    row_starts, row_features, row_weights = matrix
    is_same = block[0] == other[0]
    count = len(other)
    padded = (count + SLICE_USERS - 1) // SLICE_USERS * SLICE_USERS
    totals = np.zeros(padded, list_weights.dtype)
    # What a score must reach to count; nobody reaches it in the places that fill up the last slice.
    own_asked = np.empty(1, list_weights.dtype)
    asked = np.full(padded, np.inf, list_weights.dtype)
    for place in range(count):
        asked[place] = _asked(scores[other[place], 0], bounds)
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

        own_asked[0] = _asked(scores[user, 0], bounds)
        own_rest = np.float32(0)
        if bounds is not None:
            own_rest = bounds.rests[user]
            for entry in range(row_starts[user], row_starts[user + 1]):
                dense[row_features[entry]] = row_weights[entry]
        for start in range(own // SLICE_USERS * SLICE_USERS if is_same else 0, padded, SLICE_USERS):
            if not _reach(start, totals, rests, own_rest, asked, own_asked, reaching):
                continue
            for step in range(SLICE_USERS):
                place = start + step
                if eights[step // 8] == 0 or reaching[step] == 0 or place >= count or (is_same and place <= own):
                    continue
                found = other[place]
                score = float(totals[place])
                if bounds is not None:
                    most = totals[place] + _most_of_rest(bounds.parts, user, bounds.counter_parts, found)
                    if most < own_asked[0] and most < asked[place]:
                        continue
                    score = _score(dense, counterparts, found)
                if score <= 0:
                    continue
                _offer(scores, ids, user, score, found)
                _offer(scores, ids, found, score, user)
                own_asked[0] = _asked(scores[user, 0], bounds)
                asked[place] = _asked(scores[found, 0], bounds)
        if is_same:
            asked[own] = own_asked[0]
        if bounds is not None:
            for entry in range(row_starts[user], row_starts[user + 1]):
                dense[row_features[entry]] = 0


@njit(nogil=True, cache=True)
def sort_lists(block, heaps):
    """Turn the heaps of a block into lists from best to worst; -1 and 0 in free places."""
    scores, ids = heaps
    for user in block:
        for size in range(scores.shape[1] - 1, 0, -1):
            score, found = scores[user, size], ids[user, size]
            scores[user, size], ids[user, size] = scores[user, 0], ids[user, 0]
            _sift(scores, ids, user, size, score, found)
        for place in range(scores.shape[1]):
            if ids[user, place] == NOBODY:
                scores[user, place], ids[user, place] = 0, -1


@njit(nogil=True, cache=True)
def rescore_lists(block, matrix, counterparts, features, heaps):
    """Add up the scores of a block's lists anew, as seen from the user whose list it is, of so many features.

    The order of the terms is then that of `score_rows` and of scipy's product; seen from the other side, where
    counterparts are not the profiles themselves, it is another, and so are the last bits.
    """
    scores, ids = heaps
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
def _reach(start, totals, rests, own_rest, asked, own_asked, reaching):
    """Find which scores of the slice from start on may be enough for either list, and tell whether any is."""
    stop = start + SLICE_USERS
    scores, least, own_least = totals[start:stop], asked[start:stop], own_asked[0]
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
def _asked(score, bounds):
    """Return what a score must reach to be as good as the given one, the worst on a list; rounded down."""
    least = _rounded_down((np.rint(score * TIES_PER_UNIT) - 0.5) / TIES_PER_UNIT, bounds)
    return max(least, LEAST_SCORE)


@njit(nogil=True, cache=True)
def _rounded_down(value, bounds):
    """Return a number that is a little less than value, by more than its rounding to the accumulator's type."""
    return value - abs(value) * (FLOAT64_MARGIN if bounds is None else FLOAT32_MARGIN)


# "reassoc" lets the sum run over vector registers; bounds are rounded up by more than its order can matter.
@njit(nogil=True, cache=True, fastmath={"nnan", "nsz", "reassoc"})
def _most_of_rest(parts, user, counter_parts, found):
    most = np.float32(0)
    for part in range(parts.shape[1]):
        most += parts[user, part] * counter_parts[found, part]
    return most


@njit(nogil=True, cache=True)
def _score(dense, counterparts, found):
    """Add up the products of a dense profile and a sparse counterpart in the order of the features."""
    starts, features, weights = counterparts
    score = 0.0
    for entry in range(starts[found], starts[found + 1]):
        score += dense[features[entry]] * weights[entry]
    return score


@njit(nogil=True, cache=True)
def _offer(scores, ids, user, score, found):
    """Put somebody on a user's list, a heap whose worst stands first, in place of the worst, if they are better."""
    if _is_better(score, found, scores[user, 0], ids[user, 0]):
        _sift(scores, ids, user, scores.shape[1], score, found)


@njit(nogil=True, cache=True)
def _sift(scores, ids, user, size, score, found):
    """Replace the first of a heap of that size and restore its order."""
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            break
        if child + 1 < size and _is_better(
            scores[user, child], ids[user, child], scores[user, child + 1], ids[user, child + 1]
        ):
            child += 1
        if _is_better(scores[user, child], ids[user, child], score, found):
            break
        scores[user, parent], ids[user, parent] = scores[user, child], ids[user, child]
        parent = child
    scores[user, parent], ids[user, parent] = score, found


@njit(nogil=True, cache=True)
def _is_better(score, found, other_score, other_found):
    """Tell whether the first comes before the second: by falling score, tied ones by rising index."""
    key, other_key = np.rint(score * TIES_PER_UNIT), np.rint(other_score * TIES_PER_UNIT)
    return key > other_key or (key == other_key and found < other_found)
