"""The exact neighbours of users by compiled loops; of all at once by blocks that meet in turn, each pair once.

An inverted index of one block is walked for each user of another, and what comes out is offered to the lists of both
users (the symmetric part of All-Pairs: Bayardo, Ma, Srikant 2007: Scaling up all pairs similarity search). From
PRUNED_FROM_USERS on, the index leaves out the hottest features, which few pairs owe their place on a list to but which
cost most; what they can add is bounded by Cauchy's inequality on the lengths of what is left out (the suffix norms of
L2AP: Anastasiu, Karypis 2014: L2AP: Fast cosine similarity search with prefix L-2 norm bounds), and only pairs that
the bound lets through are completed. The threshold is each user's k-th best so far, hence nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from scipy import sparse

from kindred import compiled_kernel

BLOCK_USERS = 8192
"""Users of a block at most: their scores stay in the second-level cache, and an index needs 2 bytes for a user."""

BLOCKS_PER_THREAD = 2
"""Blocks for each thread at least: blocks meet in pairs, so that fewer would leave threads idle."""

INDEX_ID_BYTES = 2
"""What an index needs for a user beside the weight."""

PRUNED_FROM_USERS = 150_000
"""From so many users on the bounds save more than they cost."""

HOT_FEATURES = 64
"""Features that the index leaves out at most; more of them, and the bound lets too many pairs through."""

HOT_PRODUCTS_SHARE = 0.75
"""The hottest features that make up so much of all multiplications are left out, or HOT_FEATURES if they are fewer."""

PARTS = 16
"""Parts whose lengths are compared each: one cache line of float32."""


class Bounds(NamedTuple):
    """What the hottest features can add to a score.

    Attributes
    ----------
    rests, counter_rests
        float32 arrays of shape (users,): the length of the rest of each profile, and of each counterpart.
    parts, counter_parts
        float32 arrays of shape (users, PARTS): the lengths of parts of it. All are rounded up.

    """

    rests: np.ndarray
    counter_rests: np.ndarray
    parts: np.ndarray
    counter_parts: np.ndarray


def best_of_all(
    matrix: sparse.csr_array,
    counterparts: sparse.csr_array,
    k: int,
    penalties: np.ndarray | None,
    threads: int,
    memory_mb: float,
    progress: Callable[[float], None],
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k best of every user, as `kindred.similarity.top_k` describes it.

    Parameters
    ----------
    matrix, counterparts
        Users x features, CSR, float64, canonical and non-negative; the score must be the same both ways.
    k, penalties, threads, memory_mb, progress
        See `kindred.similarity.top_k`.

    Returns
    -------
    indices, scores
        int32 and float64 arrays of shape (users, k).

    """
    users = matrix.shape[0]
    size = max(1, min(BLOCK_USERS, -(-users // (BLOCKS_PER_THREAD * threads))))
    blocks = [(start, min(start + size, users)) for start in range(0, users, size)]
    kept, counter_kept, bounds = matrix, counterparts, None
    if users >= PRUNED_FROM_USERS:
        kept, counter_kept, bounds = _bounded(matrix, counterparts)
    kept_rows, rows, counter_rows = _arrays(kept), _arrays(matrix), _arrays(counterparts)
    scores = np.full((users, k), -np.inf)
    ids = np.full((users, k), compiled_kernel.NOBODY, dtype=np.int32)
    index_mb = counter_kept.nnz * (counter_kept.dtype.itemsize + INDEX_ID_BYTES) / 1e6
    group = max(BLOCKS_PER_THREAD * threads, int(len(blocks) * memory_mb / max(index_mb, memory_mb)))

    met, meetings = 0, len(blocks) * (len(blocks) + 1) / 2
    with ThreadPoolExecutor(threads) as pool:
        for first in range(0, len(blocks), group):
            indexed = list(range(first, min(first + group, len(blocks))))
            indexes = dict(zip(indexed, pool.map(lambda one: _index(counter_kept, *blocks[one]), indexed), strict=True))

            def meet(pair: tuple[int, int], indexes: dict = indexes) -> None:
                one, other = (blocks[block] for block in pair)
                compiled_kernel.meet(
                    one, other, kept_rows, indexes[pair[1]], rows, counter_rows, penalties, bounds, scores, ids
                )

            for pairs in _rounds(indexed, list(range(indexed[-1] + 1, len(blocks)))):
                list(pool.map(meet, pairs))
                met += len(pairs)
                progress(met / meetings)

        def finish(block: tuple[int, int]) -> None:
            compiled_kernel.sort_lists(block, scores, ids)
            if counterparts is not matrix:
                compiled_kernel.rescore_lists(block, rows, counter_rows, matrix.shape[1], penalties, scores, ids)

        list(pool.map(finish, blocks))
    return ids, scores


def scorer_of_rows(
    matrix: sparse.csr_array, counterparts: sparse.csr_array, penalties: np.ndarray | None
) -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
    """Return what fills the indices and scores, shapes (rows, k), of a block of rows from an index of everybody."""
    rows, index = _arrays(matrix), _arrays(sparse.csc_array(counterparts))

    def score_block(block: np.ndarray, indices: np.ndarray, scores: np.ndarray) -> None:
        compiled_kernel.score_rows(block, rows, index, penalties, indices, scores)

    return score_block


def _rounds(indexed: list[int], others: list[int]) -> Iterator[list[tuple[int, int]]]:
    """Yield pairs of blocks of which the second is indexed, such that no block is in two pairs of a round.

    So every list has one writer at a time. First every indexed block with itself, which gives its lists something to
    beat; then those with each other by the circle method of tournaments; then all others with each of them.
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


def _bounded(
    matrix: sparse.csr_array, counterparts: sparse.csr_array
) -> tuple[sparse.csr_array, sparse.csr_array, Bounds]:
    """Leave the hottest features out of profiles and counterparts, as float32, and bound what they can add."""
    features = matrix.shape[1]
    products = _users_of_features(matrix) * _users_of_features(counterparts)
    hottest = np.argsort(-products, kind="stable")
    enough = np.searchsorted(np.cumsum(products[hottest]), HOT_PRODUCTS_SHARE * products.sum()) + 1
    hottest = hottest[: min(enough, HOT_FEATURES)]
    part_of = np.full(features, -1)
    part_of[hottest] = np.arange(len(hottest)) % PARTS
    # Each weight and length is rounded up by more than adding up float32 can lose.
    longest = max(np.diff(matrix.indptr).max(initial=0), np.diff(counterparts.indptr).max(initial=0))
    margin = 1 + (longest + 16) * np.finfo(np.float32).eps

    def split(profiles: sparse.csr_array) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
        of_entry = part_of[profiles.indices]
        is_kept = of_entry < 0
        starts = np.concatenate([[0], np.cumsum(is_kept)])[profiles.indptr]
        kept = sparse.csr_array(
            ((profiles.data[is_kept] * margin).astype(np.float32), profiles.indices[is_kept], starts), profiles.shape
        )
        left_out = np.flatnonzero(~is_kept)
        users = np.searchsorted(profiles.indptr, left_out, side="right") - 1
        squares = np.bincount(
            users * PARTS + of_entry[left_out],
            weights=profiles.data[left_out] ** 2,
            minlength=profiles.shape[0] * PARTS,
        ).reshape(-1, PARTS)
        lengths = (np.sqrt(squares.sum(axis=1)) * margin).astype(np.float32)
        return kept, lengths, (np.sqrt(squares) * margin).astype(np.float32)

    kept, rests, parts = split(matrix)
    if counterparts is matrix:
        counter_kept, counter_rests, counter_parts = kept, rests, parts
    else:
        counter_kept, counter_rests, counter_parts = split(counterparts)
    return kept, counter_kept, Bounds(rests, counter_rests, parts, counter_parts)


def _users_of_features(profiles: sparse.csr_array) -> np.ndarray:
    return np.bincount(profiles.indices, minlength=profiles.shape[1]).astype(np.float64)


def _index(profiles: sparse.csr_array, first: int, last: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the inverted index of a block: where each feature's list begins, users counted from first, weights."""
    columns = sparse.csc_array(profiles[first:last])
    return columns.indptr.astype(np.int64), columns.indices.astype(np.uint16), columns.data


def _arrays(compressed: sparse.csr_array | sparse.csc_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return indptr, indices and data, in types that are always the same: for others all would be compiled again."""
    return compressed.indptr.astype(np.int64), compressed.indices.astype(np.int32, copy=False), compressed.data
