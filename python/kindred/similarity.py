"""Exact nearest neighbours of sparse profiles, and what two profiles have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
from scipy import sparse

BLOCK_ROWS = 64
"""Rows scored at a time: wide enough for the inner loop to run over whole vector registers, small enough for cache."""

TIE_DECIMALS = 10
"""Scores that agree to so many decimals are tied: sums of the same terms in another order differ in the last bits."""

COMPILED_FROM_PRODUCTS = 1_000_000_000
"""From so many products of rows and stored weights on, loading the compiled kernels takes less time than it saves."""

COMPILED_ROWS = 256
"""Rows that the compiled kernel takes at a time: enough for a thread to be worth waking, few enough to share out."""

SCORE_COPIES = 4
"""How often scipy's kernel holds the scores of a block at most: with and without penalties, rounded, and as a mask."""

PAIR_CHUNK = 20_000
"""Pairs compared at a time by `shared_features`; bounds its memory, whatever the number of pairs."""


def top_k(
    profiles: sparse.csr_matrix | sparse.csr_array,
    k: int,
    *,
    metric: str = "cosine",
    counterparts: sparse.csr_matrix | sparse.csr_array | None = None,
    penalties: np.ndarray | None = None,
    rows: np.ndarray | None = None,
    threads: int = 1,
    memory_mb: float = 1024,
    progress: Callable[[float], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find for every row the k most similar other rows, exactly.

    Four kernels find the same, to the last bit, and none of them ever holds users x users. Small inputs, and all where
    numba is not installed (the extra `scale`): each block of rows is scored against all rows by one sparse-times-dense
    product of scipy. Large ones are compiled: an inverted index that scores each pair once and offers it to the lists
    of both (`kindred.all_pairs`, from COMPILED_FROM_PRODUCTS on); the same, once lists are long enough for it to pay,
    pruned by bounds on what the hottest features can add; and where only some rows are wanted, an inverted index that
    scores a row at a time (`kindred.compiled_kernel`).

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
        What a row is compared with, for the metric "dot": the same rows with columns exchanged in pairs, so that what
        one has in one column meets what another has in a second, and a pair scores the same both ways; by default the
        profiles themselves.
    penalties
        Float array of shape (users,), 0 or more: what is taken off a row's score wherever it is a candidate.
    rows
        Integer array: the rows whose neighbours are wanted, by default all. They are compared with all rows.
    threads
        Threads that score blocks side by side; the result does not depend on it.
    memory_mb
        Megabytes for blocks of scores and for inverted indexes, beyond the profiles, a copy of those by row where they
        are normalised, not float64 or pruned, and the result; blocks get fewer or smaller. At least one block for
        each thread is held, and an inverted index of everybody where only some rows are wanted. The result does not
        depend on it.
    progress
        Called now and then, from the calling thread, with the share of the work that is done, from 0 to 1.

    Returns
    -------
    indices, scores
        Arrays of shape (users, k), int32 and float64: the neighbours of each row by falling score, then rising index
        (of shape (len(rows), k) where rows are given). A row is never its own neighbour, and only those count that
        score above 0 before the penalty: where there are fewer than k, the rest is -1 and 0.

    Raises
    ------
    TypeError
        If profiles or counterparts is no sparse matrix.
    ValueError
        If k or threads is below 1, memory_mb is not above 0, the metric is unknown or cosine for counterparts, a
        weight is negative or not finite, a penalty is negative or no number, or the shapes differ.

    Notes
    -----
    Scores are summed in float64 in the order of features, hence are bit-identical in both directions of a pair.
    Scores that agree to ten decimals count as tied. Sources of the symmetric and the pruned kernel: Bayardo, Ma,
    Srikant 2007, Scaling up all pairs similarity search; Anastasiu, Karypis 2014, L2AP: Fast cosine similarity search
    with prefix L-2 norm bounds.

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
    if not memory_mb > 0:
        raise ValueError(f"memory_mb must be above 0, not {memory_mb}")
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
    if penalties is not None:
        penalties = np.asarray(penalties, dtype=np.float64)
        if penalties.shape != matrix.shape[:1]:
            raise ValueError(f"penalties must have the shape {matrix.shape[:1]}, not {penalties.shape}")
        if not (penalties >= 0).all():
            raise ValueError("penalties must be 0 or more")
    wanted = np.arange(matrix.shape[0]) if rows is None else np.asarray(rows, dtype=np.int64)
    progress = progress or (lambda share: None)

    all_pairs = compiled_kernels() if is_large(len(wanted), others) else None
    if all_pairs and rows is None:
        return all_pairs.best_of_all(matrix, others, k, penalties, threads, memory_mb, progress)
    indices = np.full((len(wanted), k), -1, dtype=np.int32)
    scores = np.zeros((len(wanted), k), dtype=np.float64)
    if all_pairs:
        block_rows, score_block = COMPILED_ROWS, all_pairs.scorer_of_rows(matrix, others, penalties)
    else:
        row_mb = SCORE_COPIES * threads * matrix.shape[0] * scores.itemsize / 1e6
        block_rows = max(1, min(BLOCK_ROWS, int(memory_mb / row_mb))) if row_mb else BLOCK_ROWS
        score_block = _scorer_of_rows(matrix, others, penalties)

    def score(start: int) -> int:
        block = slice(start, start + block_rows)
        score_block(wanted[block], indices[block], scores[block])
        return min(block.stop, len(wanted))

    with ThreadPoolExecutor(threads) as pool:
        for done in pool.map(score, range(0, len(wanted), block_rows)):
            progress(done / len(wanted))
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
    if groups is None:
        groups = np.zeros(profiles.shape[1], dtype=np.int64)
    parts = np.empty((len(rows), group_count))
    for pairs, shared in shared_features(profiles, rows, other_rows, counterparts):
        parts[pairs] = sums_by_group(shared, groups, group_count)
    return parts


def shared_features(
    profiles: sparse.csr_matrix | sparse.csr_array,
    rows: np.ndarray,
    other_rows: np.ndarray,
    counterparts: sparse.csr_matrix | sparse.csr_array | None = None,
) -> Iterator[tuple[slice, sparse.csr_array]]:
    """Compare pairs of rows, feature by feature; the arguments are those of `shared_weights`.

    Yields
    ------
    Parts of the pairs, each with a float64 CSR array of shape (pairs, features): the product of the two weights of
    every feature that both have.

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


def is_large(rows: int, profiles: sparse.csr_array) -> bool:
    """Tell whether comparing so many rows with all profiles is worth loading the compiled kernels."""
    return rows * profiles.nnz >= COMPILED_FROM_PRODUCTS


def compiled_kernels() -> ModuleType | None:
    """Return the module of the compiled kernels, or None where what it needs is not installed."""
    try:
        from kindred import all_pairs
    except ImportError:
        return None
    return all_pairs


def _scorer_of_rows(
    matrix: sparse.csr_array, others: sparse.csr_array, penalties: np.ndarray | None
) -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
    """Return what fills the indices and scores, shapes (rows, k), of a block of rows by scipy's product."""
    least = np.nextafter(0, 1) if penalties is None else np.finfo(np.float64).min

    def score_block(block: np.ndarray, indices: np.ndarray, scores: np.ndarray) -> None:
        block_scores = others @ matrix[block].toarray().T
        block_scores[block, np.arange(len(block))] = 0
        if penalties is not None:
            block_scores = np.where(block_scores > 0, block_scores - penalties[:, None], -np.inf)
        indices[:], scores[:] = _best_of_columns(block_scores, indices.shape[1], least)

    return score_block


def checked(profiles: sparse.csr_matrix | sparse.csr_array) -> sparse.csr_array:
    """Return profiles as canonical CSR of float64, copied where they are not; raise if `top_k` cannot take them."""
    if not sparse.issparse(profiles):
        raise TypeError(f"profiles must be a scipy sparse matrix, not {type(profiles).__name__}")
    rows = sparse.csr_array(profiles, dtype=np.float64)
    if not rows.has_canonical_format:
        rows = rows.copy()
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
