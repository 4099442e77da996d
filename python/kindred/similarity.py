"""Exact nearest neighbours of sparse profiles, and what two profiles have in common."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import sparse

BLOCK_ROWS = 64
"""Rows scored at a time: wide enough for the inner loop to run over whole vector registers, small enough for cache."""

TIE_DECIMALS = 10
"""Scores that agree to so many decimals are tied: sums of the same terms in another order differ in the last bits."""

COMPILED_FROM_PRODUCTS = 1_000_000_000
"""From so many products of rows and stored weights on, loading the compiled kernel takes less time than it saves."""

COMPILED_ROWS = 256
"""Rows that the compiled kernel takes at a time: enough for a thread to be worth waking, few enough to share out."""

PAIR_CHUNK = 20_000
"""Pairs compared at a time by `shared_weights`; bounds its memory, whatever the number of pairs."""


def top_k(
    profiles: sparse.csr_matrix | sparse.csr_array,
    k: int,
    *,
    metric: str = "cosine",
    counterparts: sparse.csr_matrix | sparse.csr_array | None = None,
    penalties: np.ndarray | None = None,
    rows: np.ndarray | None = None,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Find for every row the k most similar other rows, exactly.

    Two kernels find the same, to the last bit. Small inputs, and all where numba is not installed (the extra `scale`):
    each block of rows is scored against all rows by one sparse-times-dense product of scipy. Large ones: a compiled
    inverted index scores a row at a time (`kindred.compiled_kernel`). Either keeps the best by the maxima of slices, so
    that memory is one block of scores for each thread and never users x users.

    Parameters
    ----------
    profiles
        Users x features, CSR, any non-negative weights of any real dtype. It is not changed.
    k
        How many neighbours to find, at least 1.
    metric
        "cosine" normalises every row to length 1 first. "dot" takes the rows as they are, for profiles whose dot
        product already is the similarity (a weighted sum of cosines, as in the table user_features).
    counterparts
        What a row is compared with, for the metric "dot": the same rows with columns exchanged, so that what one has
        in one column meets what another has in a second; by default the profiles themselves.
    penalties
        Float array of shape (users,), 0 or more: what is taken off a row's score wherever it is a candidate.
    rows
        Integer array: the rows whose neighbours are wanted, by default all. They are compared with all rows.
    threads
        Threads that score blocks side by side; the result does not depend on it.

    Returns
    -------
    indices, scores
        Arrays of shape (users, k), int64 and float64: the neighbours of each row by falling score, then rising index
        (of shape (len(rows), k) where rows are given). A row is never its own neighbour, and only those count that
        score above 0 before the penalty: where there are fewer than k, the rest is -1 and 0.

    Raises
    ------
    TypeError
        If profiles or counterparts is no sparse matrix.
    ValueError
        If k or threads is below 1, the metric is unknown or cosine for counterparts, a weight is negative or not
        finite, a penalty is negative or no number, or the shapes differ.

    Notes
    -----
    Scores are summed in float64 in the order of features, hence are bit-identical in both directions of a pair.
    Scores that agree to ten decimals count as tied.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> indices, scores = top_k(csr_array([[1.0, 0.0], [2.0, 0.0], [1.0, 1.0], [0.0, 0.0]]), k=2)
    >>> indices.tolist()
    [[1, 2], [0, 2], [0, 1], [-1, -1]]
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
    matrix = _checked(profiles)
    if metric == "cosine":
        matrix = _unit_rows(matrix)
    others = matrix if counterparts is None else _checked(counterparts)
    if others.shape != matrix.shape:
        raise ValueError(f"counterparts must have the shape of profiles, {matrix.shape}, not {others.shape}")
    if penalties is not None and np.shape(penalties) != matrix.shape[:1]:
        raise ValueError(f"penalties must have the shape {matrix.shape[:1]}, not {np.shape(penalties)}")
    if penalties is not None and not (np.asarray(penalties) >= 0).all():
        raise ValueError("penalties must be 0 or more")
    wanted = np.arange(matrix.shape[0]) if rows is None else np.asarray(rows, dtype=np.int64)

    indices = np.full((len(wanted), k), -1, dtype=np.int64)
    scores = np.zeros((len(wanted), k), dtype=np.float64)

    offsets = np.zeros(0) if penalties is None else np.asarray(penalties, dtype=np.float64)
    best_of_rows = _compiled_kernel() if len(wanted) * others.nnz >= COMPILED_FROM_PRODUCTS else None
    inverted = sparse.csc_array(others) if best_of_rows else None

    def score_compiled(start: int) -> None:
        block = slice(start, start + COMPILED_ROWS)
        best_of_rows(
            wanted[block],
            (matrix.indptr, matrix.indices, matrix.data),
            (inverted.indptr, inverted.indices, inverted.data),
            k,
            offsets,
            indices[block],
            scores[block],
        )

    def score_by_scipy(start: int) -> None:
        block = wanted[start : start + BLOCK_ROWS]
        block_scores = others @ matrix[block].toarray().T
        block_scores[block, np.arange(len(block))] = 0
        if len(offsets):
            block_scores = np.where(block_scores > 0, block_scores - offsets[:, None], -np.inf)
        least = np.finfo(np.float64).min if len(offsets) else np.nextafter(0, 1)
        indices[start : start + len(block)], scores[start : start + len(block)] = _best_of_columns(
            block_scores, k, least
        )

    score_block, block_rows = (score_compiled, COMPILED_ROWS) if best_of_rows else (score_by_scipy, BLOCK_ROWS)
    starts = range(0, len(wanted), block_rows)
    if threads == 1:
        for start in starts:
            score_block(start)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(score_block, starts))
    return indices, scores


def shared_weights(
    profiles: sparse.csr_matrix | sparse.csr_array,
    rows: np.ndarray,
    other_rows: np.ndarray,
    groups: np.ndarray | None = None,
    group_count: int = 1,
    counterparts: sparse.csr_matrix | sparse.csr_array | None = None,
) -> np.ndarray:
    """Compare pairs of rows: the dot product of each pair, split by groups of features.

    Parameters
    ----------
    profiles
        Users x features, CSR, non-negative.
    rows, other_rows
        Integer arrays of shape (pairs,): which rows to compare.
    groups
        Integer array of shape (features,): the group of each feature, from 0. Without it there is one group.
    group_count
        How many groups there are, also those without features.
    counterparts
        What other_rows are taken from, see `top_k`; by default the profiles themselves.

    Returns
    -------
    float64 array of shape (pairs, group_count): the dot product of the pair over the features of each group.

    """
    matrix = sparse.csr_array(profiles).astype(np.float64)
    others = matrix if counterparts is None else sparse.csr_array(counterparts).astype(np.float64)
    if groups is None:
        groups = np.zeros(matrix.shape[1], dtype=np.int64)
    membership = sparse.csr_array(
        (np.ones(groups.size), (np.arange(groups.size), groups)), shape=(groups.size, group_count)
    )
    parts = np.empty((len(rows), group_count))
    for start in range(0, len(rows), PAIR_CHUNK):
        pairs = slice(start, start + PAIR_CHUNK)
        common = matrix[rows[pairs]].multiply(others[other_rows[pairs]])
        parts[pairs] = (sparse.csr_array(common) @ membership).toarray()
    return parts


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


def _compiled_kernel() -> Callable[..., None] | None:
    """Return the compiled kernel, or None where it is not installed."""
    try:
        from kindred.compiled_kernel import best_of_rows
    except ImportError:
        return None
    return best_of_rows


def _checked(profiles: sparse.csr_matrix | sparse.csr_array) -> sparse.csr_array:
    """Return a float64 CSR copy in canonical form; raise if it is not what `top_k` takes."""
    if not sparse.issparse(profiles):
        raise TypeError(f"profiles must be a scipy sparse matrix, not {type(profiles).__name__}")
    rows = sparse.csr_array(profiles, dtype=np.float64, copy=True)
    rows.sum_duplicates()
    if not np.isfinite(rows.data).all() or (rows.data < 0).any():
        raise ValueError("profiles must hold finite weights of 0 or more")
    return rows


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


def _best_of_columns(scores: np.ndarray, k: int, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Return row indices and scores of the k best entries of every column from floor up, shapes (columns, k)."""
    count, columns = scores.shape
    indices = np.full((columns, k), -1, dtype=np.int64)
    best = np.zeros((columns, k))

    # The k-th largest maximum of disjoint slices is at most the k-th largest score, so that what is below it cannot
    # be among the best; finding it costs one pass over the block instead of a partition of it.
    slice_rows = max(1, min(64, count // (4 * k)))
    whole = count // slice_rows * slice_rows
    maxima = scores[:whole].reshape(-1, slice_rows, columns).max(axis=1)
    if whole < count:
        maxima = np.vstack([maxima, scores[whole:].max(axis=0)])
    place = len(maxima) - k
    bound = np.partition(maxima, place, axis=0)[place] if place >= 0 else np.full(columns, floor)
    least = np.maximum(bound - 10.0**-TIE_DECIMALS, floor)
    row_numbers, column_numbers = np.divmod(np.flatnonzero(scores >= least), columns)

    values = scores[row_numbers, column_numbers]
    order = np.lexsort((row_numbers, -np.round(values, TIE_DECIMALS), column_numbers))
    row_numbers, column_numbers, values = row_numbers[order], column_numbers[order], values[order]
    first = np.searchsorted(column_numbers, np.arange(columns))
    places = np.arange(len(column_numbers)) - first[column_numbers]
    kept = places < k
    indices[column_numbers[kept], places[kept]] = row_numbers[kept]
    best[column_numbers[kept], places[kept]] = values[kept]
    return indices, best
