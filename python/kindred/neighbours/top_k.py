"""The exact nearest neighbours of sparse profiles."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
from scipy import sparse

from kindred.matrices import at_most_one
from kindred.neighbours import scipy_kernel

COMPILED_FROM_PRODUCTS = 1_000_000_000
"""Products of rows and stored weights from which the compiled kernels save more time than it takes to load them."""

COMPILED_ROWS = 256
"""Rows that the compiled kernel takes at a time: enough to be worth waking a thread, few enough to share out."""


def top_k(
    profiles: sparse.csr_matrix | sparse.csr_array,
    k: int,
    *,
    metric: str = "cosine",
    counterparts: sparse.csr_matrix | sparse.csr_array | None = None,
    rows: np.ndarray | None = None,
    tie_keys: np.ndarray | None = None,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find for every row the k most similar other rows, exactly.

    Four kernels give the same result, to the last bit, and none of them ever holds users x users. Small inputs are
    scored by scipy, a block of rows at a time; so is everything where numba (the extra `scale`) is not installed. Large
    inputs go to compiled loops over an inverted index. One scores each pair once and offers it to the lists of both
    rows (`all_pairs`, from COMPILED_FROM_PRODUCTS on). A second does the same, but leaves pairs out by a bound on what
    the hottest features can add; it takes over once the lists are long enough for that to pay. A third scores one row
    at a time, where only some rows are wanted (`numba_kernel`).

    Parameters
    ----------
    profiles
        Users x features, CSR, finite weights of 0 or more, of any real dtype. It is not changed.
    k
        How many neighbours to find, at least 1.
    metric
        "cosine" scales every row to length 1 first. "dot" takes the rows as they are, for profiles whose dot product
        already is the similarity (a weighted sum of cosines, as in the table user_features).
    counterparts
        What a row is compared with, for the metric "dot"; by default the profiles themselves. It holds the same rows
        with columns exchanged in pairs, so that a feature in one column meets a feature in another, and a pair scores
        the same both ways.
    rows
        Integer array: the rows whose neighbours are wanted, by default all. They are compared with all rows.
    tie_keys
        Integer array of shape (users,): a number of each row that is its own whatever the order of rows, such as a hash
        of its name. Of equally similar rows, those come first whose pair has the lowest hash of two keys, so that none
        is on every list, or on no list, because of its place. By default the row's index.
    threads
        Threads that work side by side; the result does not depend on their number.
    progress
        Called now and then, from the calling thread, with the share of the work that is done, from 0 to 1.

    Returns
    -------
    indices, scores
        Arrays of shape (users, k), int32 and float64: the neighbours of each row by falling score, then rising hash
        of the two tie keys, then rising index (of shape (len(rows), k) where rows are given). A row is never its own
        neighbour, and a neighbour's score is above 0. Where a row has fewer than k neighbours, the rest is -1 and 0.

    Raises
    ------
    TypeError
        If profiles or counterparts is not a sparse matrix, or tie_keys are not integers.
    ValueError
        If k or threads is below 1, the metric is unknown or cosine with counterparts, a weight is negative or not
        finite, or the shapes differ.

    Notes
    -----
    Scores are summed in float64 in the order of features, so they are bit-identical in both directions of a pair.
    Scores that agree to ten decimals count as tied. Sources of the symmetric and the pruned kernel: Bayardo, Ma,
    Srikant 2007, Scaling up all pairs similarity search; Anastasiu, Karypis 2014, L2AP: Fast cosine similarity search
    with prefix L-2 norm bounds.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> indices, scores = top_k(csr_array([[1.0, 0.0], [2.0, 0.0], [1.0, 1.0], [0.0, 0.0]]), k=2)
    >>> indices.tolist()
    [[1, 2], [0, 2], [1, 0], [-1, -1]]
    >>> scores.round(3).tolist()
    [[1.0, 0.707], [1.0, 0.707], [0.707, 0.707], [0.0, 0.0]]

    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    if threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    if metric not in ("cosine", "dot"):
        raise ValueError(f"metric must be 'cosine' or 'dot', not {metric!r}")
    if metric == "cosine" and counterparts is not None:
        raise ValueError("counterparts are compared by the metric 'dot' only")
    matrix = checked(profiles)
    if metric == "cosine":
        matrix = _unit_rows(matrix)
    others = matrix if counterparts is None else checked(counterparts)
    if others.shape != matrix.shape:
        raise ValueError(f"counterparts must have the shape of profiles, {matrix.shape}, not {others.shape}")
    wanted = np.arange(matrix.shape[0]) if rows is None else np.asarray(rows, dtype=np.int64)
    progress = progress or (lambda share: None)
    keys = checked_keys(tie_keys, matrix.shape[0])

    all_pairs = compiled_kernels() if is_large(len(wanted), others) else None
    if all_pairs and rows is None:
        indices, scores = all_pairs.best_of_all(matrix, others, keys, k, threads, progress)
        return indices, _bounded(scores, metric)
    indices = np.full((len(wanted), k), -1, dtype=np.int32)
    scores = np.zeros((len(wanted), k), dtype=np.float64)
    if all_pairs:
        block_rows, score_block = COMPILED_ROWS, all_pairs.scorer_of_rows(matrix, others, keys)
    else:
        block_rows = scipy_kernel.rows_of_block(matrix.shape[0], threads)
        score_block = scipy_kernel.scorer_of_rows(matrix, others, keys)

    def score(start: int) -> int:
        block = slice(start, start + block_rows)
        score_block(wanted[block], indices[block], scores[block])
        return min(block.stop, len(wanted))

    with ThreadPoolExecutor(threads) as pool:
        for done in pool.map(score, range(0, len(wanted), block_rows)):
            progress(done / len(wanted))
    return indices, _bounded(scores, metric)


def is_large(rows: int, profiles: sparse.csr_array) -> bool:
    """Tell whether comparing this many rows with all profiles is worth loading the compiled kernels."""
    return rows * profiles.nnz >= COMPILED_FROM_PRODUCTS


def compiled_kernels() -> ModuleType | None:
    """Return the module of the compiled kernels, or None where numba is not installed."""
    try:
        from kindred.neighbours import all_pairs
    except ImportError:
        return None
    return all_pairs


def checked(profiles: sparse.csr_matrix | sparse.csr_array) -> sparse.csr_array:
    """Return profiles as canonical CSR of float64, copied where they are not; raise if `top_k` cannot take them."""
    if not sparse.issparse(profiles):
        raise TypeError(f"profiles must be a scipy sparse matrix, not {type(profiles).__name__}")
    rows = sparse.csr_array(profiles).astype(np.float64, copy=False)
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    if not np.isfinite(rows.data).all() or (rows.data < 0).any():
        raise ValueError("profiles must hold finite weights of 0 or more")
    return rows


def _bounded(scores: np.ndarray, metric: str) -> np.ndarray:
    return at_most_one(scores) if metric == "cosine" else scores


def checked_keys(tie_keys: np.ndarray | None, users: int) -> np.ndarray:
    """Return tie keys as uint64, the indices of rows where there are none; raise if `top_k` cannot take them."""
    keys = np.arange(users) if tie_keys is None else np.asarray(tie_keys)
    if keys.dtype.kind not in "iu":
        raise TypeError(f"tie_keys must be integers, not {keys.dtype}")
    if keys.shape != (users,):
        raise ValueError(f"tie_keys must have the shape ({users},), not {keys.shape}")
    return keys.astype(np.uint64)


def _unit_rows(rows: sparse.csr_array) -> sparse.csr_array:
    """Scale every row to length 1; rows without weight stay as they are."""
    row_numbers = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    # By the largest weight first, so that squares neither overflow nor vanish.
    largest = np.zeros(rows.shape[0])
    np.maximum.at(largest, row_numbers, rows.data)
    largest[largest == 0] = 1
    scaled = rows.data / largest[row_numbers]
    norms = np.sqrt(np.bincount(row_numbers, weights=scaled * scaled, minlength=rows.shape[0]))
    norms[norms == 0] = 1
    return sparse.csr_array((scaled / norms[row_numbers], rows.indices, rows.indptr), rows.shape)
