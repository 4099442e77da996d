"""The exact neighbours of all users, by compiled loops: blocks of users are compared in turn, each pair once.

The symmetric kernel walks an inverted index of one block for each user of another, and offers each score to the lists
of both users (All-Pairs: Bayardo, Ma, Srikant 2007: Scaling up all pairs similarity search). The pruned kernel takes
over once a block has been compared with several others. Its index leaves out the hottest features: they cost most, and
few pairs owe them a place on a list. Cauchy's inequality on the lengths of what is left out bounds what they can add
(the suffix norms of L2AP: Anastasiu, Karypis 2014: L2AP: Fast cosine similarity search with prefix L-2 norm bounds),
and only pairs that can still enter a list are completed. The threshold is each user's k-th best score so far, so
nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from kindred.neighbours import numba_kernel
from kindred.neighbours.numba_kernel import Bounds, Compressed, Heaps

if TYPE_CHECKING:
    from kindred.neighbours.lists import KnownLists

BLOCK_USERS = 8192
"""The most users in a block: their scores stay in the second-level cache, and an index needs 2 bytes for a user."""

BLOCKS_PER_THREAD = 2
"""The fewest blocks for each thread: blocks are compared in pairs, so fewer would leave threads idle."""

INDEX_ID_BYTES = 2
"""Bytes that an index needs for a user, in addition to the weight."""

BOUNDED_FROM_MEETINGS = 0.25
"""Comparisons of a block, for each place on the lists, after which few pairs reach the lists and bounds pay."""

HOT_FEATURES = 64
"""The most features that the index leaves out; with more, the bound lets too many pairs through."""

HOT_PRODUCTS_SHARE = 0.75
"""The share of all multiplications that the features left out make up, if HOT_FEATURES are enough for it."""

UNBEATABLE = 1e100
"""A score that nobody reaches: it keeps a list empty of which nothing is left, since others may score higher."""

INDEXES_MB = 1024
"""Megabytes for the inverted indexes of blocks; where all do not fit, fewer are held at a time."""

PARTS = 16
"""The parts of a profile whose lengths are compared: one cache line of float32."""


def best_of_all(
    matrix: sparse.csr_array,
    counterparts: sparse.csr_array,
    keys: np.ndarray,
    k: int,
    threads: int,
    progress: Callable[[float], None],
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k best of every user, as `kindred.top_k` describes it.

    Parameters
    ----------
    matrix, counterparts
        Users x features, CSR, float64, canonical and non-negative; the score must be the same both ways.
    keys
        uint64 array of shape (users,): what orders tied neighbours, see `kindred.matrices.tie_order`.
    k, threads, progress
        See `kindred.top_k`.

    Returns
    -------
    indices, scores
        int32 and float64 arrays of shape (users, k).

    """
    users = matrix.shape[0]
    heaps = Heaps(np.full((users, k), -np.inf), np.full((users, k), numba_kernel.NOBODY, dtype=np.int32), keys)
    everybody = np.arange(users, dtype=np.int32)
    offer_pairs(matrix, counterparts, everybody, everybody[:0], heaps, threads, progress)
    return heaps.ids, heaps.scores


def offer_pairs(
    matrix: sparse.csr_array,
    counterparts: sparse.csr_array,
    some: np.ndarray,
    others: np.ndarray,
    heaps: Heaps,
    threads: int,
    progress: Callable[[float], None],
) -> None:
    """Offer every pair of some users, and every pair of one of them and one of the others, to the lists of both.

    Parameters
    ----------
    matrix, counterparts, threads, progress
        See `best_of_all`.
    some, others
        int32 arrays of rows, together each user once.
    heaps
        What each list holds already; it is changed in place. Afterwards it holds lists by falling score, with -1 and 0
        in free places.

    """
    blocks = _blocks(some, threads)
    meeting = len(blocks)
    blocks += _blocks(others, threads)
    enough = BOUNDED_FROM_MEETINGS * heaps.ids.shape[1]
    # The lists of the others are full already.
    met = [0.0] * meeting + [enough] * (len(blocks) - meeting)
    bounds = _bounded(matrix, counterparts) if len(blocks) > enough else None
    rows, counter_rows = _arrays(matrix), _arrays(counterparts)
    index_mb = counterparts.nnz * (counterparts.dtype.itemsize + INDEX_ID_BYTES) / 1e6
    group = max(BLOCKS_PER_THREAD * threads, int(len(blocks) * INDEXES_MB / max(index_mb, INDEXES_MB)))

    done, meetings = 0, meeting * (len(blocks) - (meeting - 1) / 2)
    with ThreadPoolExecutor(threads) as pool:
        for first in range(0, meeting, group):
            indexed = range(first, min(first + group, meeting))
            indexes: dict[int, Compressed] = {}
            indexed_for: Bounds | str | None = "nothing"
            for pairs in _rounds(list(indexed), list(range(indexed.stop, len(blocks)))):
                applied = bounds if all(met[block] >= enough for pair in pairs for block in pair) else None
                if applied is not indexed_for:
                    made = pool.map(lambda block, to=applied: _index(counterparts[blocks[block]], to), indexed)
                    indexes, indexed_for = dict(zip(indexed, made, strict=True)), applied

                def meet(
                    pair: tuple[int, int], indexes: dict[int, Compressed] = indexes, applied: Bounds | None = applied
                ) -> None:
                    one, other = (blocks[block] for block in pair)
                    numba_kernel.meet(one, other, indexes[pair[1]], rows, counter_rows, applied, heaps)

                for _ in pool.map(meet, pairs):
                    done += 1
                    progress(done / meetings)
                for block in {block for pair in pairs for block in pair}:
                    met[block] += 1

        def finish(block: int) -> None:
            numba_kernel.sort_lists(blocks[block], heaps)
            # An entry on the list of one of the others was scored from that side already.
            if counterparts is not matrix and block < meeting:
                numba_kernel.rescore_lists(blocks[block], rows, counter_rows, matrix.shape[1], heaps)

        list(pool.map(finish, range(len(blocks))))


def refresh(
    matrix: sparse.csr_array,
    counterparts: sparse.csr_array,
    keys: np.ndarray,
    known: KnownLists,
    changed: np.ndarray,
    threads: int,
    progress: Callable[[float], None],
) -> None:
    """Bring lists up to date, in place, where some users have changed; see `refresh_lists` of `refresh`.

    The list of an unchanged user keeps its unchanged neighbours. Other unchanged users come after all of them, so the
    free places hold copies of the last one: a user who is offered must come before it. Copies that are left at the end
    stand for users who are not known.

    Parameters
    ----------
    matrix, counterparts, keys, threads, progress
        See `best_of_all`.
    known
        Lists by falling score, with -1 in free places. A complete list holds everybody with a score, except for users
        who have changed.
    changed
        Boolean array of shape (users,).

    """
    scores, ids, is_complete = known.scores, known.indices, known.is_complete
    for start in range(0, len(ids), BLOCK_USERS):
        block = slice(start, start + BLOCK_USERS)
        is_kept = (ids[block] >= 0) & ~changed[ids[block]] & ~changed[block, None]
        order = np.argsort(~is_kept, axis=1, kind="stable")
        kept_ids = np.take_along_axis(ids[block], order, axis=1)
        kept_scores = np.take_along_axis(scores[block], order, axis=1)
        lengths = is_kept.sum(axis=1)
        last = np.maximum(lengths - 1, 0)[:, None]
        is_open = (is_complete[block] | changed[block])[:, None]
        is_lost = ~is_open & (lengths == 0)[:, None]
        blank_ids = np.where(is_open | is_lost, numba_kernel.NOBODY, np.take_along_axis(kept_ids, last, axis=1))
        blanks = np.where(
            is_open, -np.inf, np.where(is_lost, UNBEATABLE, np.take_along_axis(kept_scores, last, axis=1))
        )
        is_free = np.arange(ids.shape[1]) >= lengths[:, None]
        # From worst to best, a list is a heap.
        ids[block] = np.where(is_free, blank_ids, kept_ids)[:, ::-1]
        scores[block] = np.where(is_free, blanks, kept_scores)[:, ::-1]
    rows = np.arange(len(ids), dtype=np.int32)
    offer_pairs(matrix, counterparts, rows[changed], rows[~changed], Heaps(scores, ids, keys), threads, progress)
    is_copy = ids[:, 1:] == ids[:, :-1]
    ids[:, 1:][is_copy] = -1
    scores[:, 1:][is_copy] = 0


def scorer_of_rows(
    matrix: sparse.csr_array, counterparts: sparse.csr_array, keys: np.ndarray
) -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
    """Return a function that fills the indices and scores, shapes (rows, k), of a block of rows."""
    rows, index = _arrays(matrix), _arrays(sparse.csc_array(counterparts))

    def score_block(block: np.ndarray, indices: np.ndarray, scores: np.ndarray) -> None:
        numba_kernel.score_rows(block, rows, index, keys, indices, scores)

    return score_block


def _rounds(indexed: list[int], others: list[int]) -> Iterator[list[tuple[int, int]]]:
    """Yield pairs of blocks of which the second is indexed, such that no block is in two pairs of a round.

    Every list therefore has one writer at a time. First comes every indexed block with itself, which fills its lists;
    then the indexed blocks with each other, by the circle method of tournaments; then all others with each of them.
    """
    yield [(block, block) for block in indexed]
    circle = indexed + [-1] * (len(indexed) % 2)
    for _ in range(len(circle) - 1):
        pairs = zip(circle[: len(circle) // 2], reversed(circle[len(circle) // 2 :]), strict=True)
        yield [pair for pair in pairs if min(pair) >= 0]
        circle = [circle[0], circle[-1], *circle[1:-1]]
    seats = others + [-1] * (len(indexed) - len(others))
    for shift in range(len(seats) if others else 0):
        turned = seats[shift:] + seats[:shift]
        yield [(other, block) for other, block in zip(turned, indexed, strict=False) if other >= 0]


def _bounded(matrix: sparse.csr_array, counterparts: sparse.csr_array) -> Bounds:
    """Choose the hottest features, and bound what they can add to a score."""
    products = _users_of_features(matrix) * _users_of_features(counterparts)
    hottest = np.argsort(-products, kind="stable")
    enough = np.searchsorted(np.cumsum(products[hottest]), HOT_PRODUCTS_SHARE * products.sum()) + 1
    hottest = hottest[: min(enough, HOT_FEATURES)]
    part_of = np.full(matrix.shape[1], -1, dtype=np.int8)
    part_of[hottest] = np.arange(len(hottest)) % PARTS
    # Each weight and length is rounded up by more than adding up float32 can lose.
    longest = max(np.diff(matrix.indptr).max(initial=0), np.diff(counterparts.indptr).max(initial=0))
    margin = np.float32(1 + (longest + 16) * np.finfo(np.float32).eps)

    parts = _lengths_of_parts(matrix, part_of, margin)
    counter_parts = parts if counterparts is matrix else _lengths_of_parts(counterparts, part_of, margin)
    rests, counter_rests = (np.sqrt((each**2).sum(axis=1)) * margin for each in (parts, counter_parts))
    return Bounds(part_of, margin, rests, counter_rests, parts, counter_parts)


def _lengths_of_parts(profiles: sparse.csr_array, part_of: np.ndarray, margin: np.float32) -> np.ndarray:
    """Return the lengths, rounded up, of the parts of the hottest features of every user: float32, (users, PARTS)."""
    lengths = np.empty((profiles.shape[0], PARTS), dtype=np.float32)
    for start in range(0, len(lengths), BLOCK_USERS):
        block = profiles[start : start + BLOCK_USERS]
        parts = part_of[block.indices]
        is_hot = parts >= 0
        users = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))[is_hot]
        squares = np.bincount(
            users * PARTS + parts[is_hot], weights=block.data[is_hot] ** 2, minlength=block.shape[0] * PARTS
        )
        lengths[start : start + BLOCK_USERS] = np.sqrt(squares).reshape(-1, PARTS) * margin
    return lengths


def _users_of_features(profiles: sparse.csr_array) -> np.ndarray:
    return np.bincount(profiles.indices, minlength=profiles.shape[1]).astype(np.float64)


def _blocks(rows: np.ndarray, threads: int) -> list[np.ndarray]:
    size = max(1, min(BLOCK_USERS, -(-len(rows) // (BLOCKS_PER_THREAD * threads))))
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _index(profiles: sparse.csr_array, bounds: Bounds | None) -> Compressed:
    """Return the inverted index of a block: where each feature's list begins, users counted in the block, weights.

    With bounds, the hottest features have no lists, and weights are float32 and rounded up.
    """
    if bounds is not None:
        is_kept = bounds.part_of[profiles.indices] < 0
        starts = np.concatenate([[0], np.cumsum(is_kept)])[profiles.indptr]
        weights = (profiles.data[is_kept] * bounds.margin).astype(np.float32)
        profiles = sparse.csr_array((weights, profiles.indices[is_kept], starts), profiles.shape)
    columns = sparse.csc_array(profiles)
    return columns.indptr.astype(np.int64), columns.indices.astype(np.uint16), columns.data


def _arrays(compressed: sparse.csr_array | sparse.csc_array) -> Compressed:
    """Return indptr, indices and data, in types that are always the same: for others all would be compiled again."""
    return compressed.indptr.astype(np.int64), compressed.indices.astype(np.int32, copy=False), compressed.data
