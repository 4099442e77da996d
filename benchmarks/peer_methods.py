"""Ways to find the k most similar users of all users in sparse profiles: kindred and its peers, one run per process.

`benchmarks/peers.py` starts this file for every run and reads its output.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

import numpy as np
from scipy import sparse

WARM_USERS = 1000
"""Users of the warm-up run, for imports, compiled caches and thread pools."""

BLOCK_SCORES = 100_000_000
"""Scores that cosine_similarity of scikit-learn computes at a time: all for 10,000 users, blocks of rows for more."""

BLOCK_PAIRS = 10_000_000
"""Pairs that DuckDB groups at a time; all of them would not fit into memory."""

SCIPY_ROWS = 256
DENSE_ROWS = 2048
SVD_DIMENSIONS = 256
HNSW_LINKS, HNSW_EFFORT = 16, 100
HNSW_SETTINGS = f"M {HNSW_LINKS}, ef {HNSW_EFFORT}"

Search = Callable[[np.ndarray], np.ndarray]
"""It takes rows and returns the indices of their neighbours, nearest first: shape (rows, k), -1 in free places."""


@dataclass(frozen=True)
class Method:
    """A way to find neighbours: `start` takes the profiles, k and threads, and returns the search."""

    title: str
    package: str
    how: str
    start: Callable[[sparse.csr_array, int, int], Search]
    is_exact: bool = True
    takes_rows: bool = True
    max_users: int = 100_000


def kindred_top_k(profiles: sparse.csr_array, k: int, threads: int) -> Search:
    from kindred.neighbours.top_k import top_k

    def search(rows: np.ndarray) -> np.ndarray:
        is_all = len(rows) == profiles.shape[0]
        return top_k(profiles, k, rows=None if is_all else rows, threads=threads)[0]

    return search


def sklearn_cosine_similarity(profiles: sparse.csr_array, k: int, threads: int) -> Search:
    from sklearn.metrics.pairwise import cosine_similarity

    def search(rows: np.ndarray) -> np.ndarray:
        blocks = blocks_of(rows, max(1, BLOCK_SCORES // profiles.shape[0]))
        return np.vstack([best_of_block(cosine_similarity(profiles[block], profiles), block, k) for block in blocks])

    return search


def sklearn_nearest_neighbors(profiles: sparse.csr_array, k: int, threads: int) -> Search:
    from sklearn.neighbors import NearestNeighbors

    fitted = NearestNeighbors(n_neighbors=k + 1, metric="cosine", algorithm="brute", n_jobs=threads).fit(profiles)
    return lambda rows: without_self(fitted.kneighbors(profiles[rows], return_distance=False), rows, k)


def scipy_blocks(profiles: sparse.csr_array, k: int, threads: int) -> Search:
    transposed = sparse.csr_array(profiles.T)

    def search(rows: np.ndarray) -> np.ndarray:
        blocks = blocks_of(rows, SCIPY_ROWS)
        return np.vstack([best_of_block((profiles[block] @ transposed).toarray(), block, k) for block in blocks])

    return search


def sparse_dot_topn(profiles: sparse.csr_array, k: int, threads: int) -> Search:
    from sparse_dot_topn import sp_matmul_topn

    matrix = sparse.csr_matrix(profiles)
    transposed = sparse.csr_matrix(matrix.T)

    def search(rows: np.ndarray) -> np.ndarray:
        found = sp_matmul_topn(matrix[rows], transposed, top_n=k + 1, sort=True, n_threads=threads)
        return without_self(lists_of(found, k + 1), rows, k)

    return search


def implicit_all_pairs(profiles: sparse.csr_array, k: int, threads: int) -> Search:
    from implicit.nearest_neighbours import CosineRecommender

    def search(rows: np.ndarray) -> np.ndarray:
        recommender = CosineRecommender(K=k + 1, num_threads=threads)
        recommender.fit(sparse.csr_matrix(profiles.T), show_progress=False)
        found = recommender.similarity
        # Rows are not sorted by score.
        by_score = np.lexsort((-found.data, np.repeat(np.arange(found.shape[0]), np.diff(found.indptr))))
        found.indices = found.indices[by_score]
        return without_self(lists_of(found, k + 1), rows, k)

    return search


def faiss_flat(profiles: sparse.csr_array, k: int, threads: int) -> Search:
    import faiss

    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatIP(profiles.shape[1])
    for block in blocks_of(np.arange(profiles.shape[0]), DENSE_ROWS):
        index.add(profiles[block].toarray())

    def search(rows: np.ndarray) -> np.ndarray:
        found = [index.search(profiles[block].toarray(), k + 1)[1] for block in blocks_of(rows, DENSE_ROWS)]
        return without_self(np.vstack(found), rows, k)

    return search


def hnswlib_dense(profiles: sparse.csr_array, k: int, threads: int) -> Search:
    return hnswlib_search(profiles.shape, lambda rows: profiles[rows].toarray(), k, threads)


def hnswlib_svd(profiles: sparse.csr_array, k: int, threads: int) -> Search:
    from sklearn.decomposition import TruncatedSVD

    reduced = TruncatedSVD(SVD_DIMENSIONS, random_state=0).fit_transform(profiles)
    return hnswlib_search(reduced.shape, lambda rows: reduced[rows], k, threads)


def hnswlib_search(shape: tuple[int, int], vectors: Callable[[np.ndarray], np.ndarray], k: int, threads: int) -> Search:
    import hnswlib

    index = hnswlib.Index(space="cosine", dim=shape[1])
    index.init_index(max_elements=shape[0], M=HNSW_LINKS, ef_construction=HNSW_EFFORT, random_seed=0)
    index.set_num_threads(threads)
    index.set_ef(HNSW_EFFORT)
    for block in blocks_of(np.arange(shape[0]), DENSE_ROWS):
        index.add_items(vectors(block), block)

    def search(rows: np.ndarray) -> np.ndarray:
        found = [index.knn_query(vectors(block), k + 1)[0].astype(np.int64) for block in blocks_of(rows, DENSE_ROWS)]
        return without_self(np.vstack(found), rows, k)

    return search


def pynndescent_graph(profiles: sparse.csr_array, k: int, threads: int) -> Search:
    from pynndescent import NNDescent

    matrix = sparse.csr_matrix(profiles)

    def search(rows: np.ndarray) -> np.ndarray:
        found = NNDescent(matrix, metric="cosine", n_neighbors=30, random_state=0, n_jobs=threads)
        return without_self(found.neighbor_graph[0][:, : k + 1], rows, k)

    return search


def duckdb_join(profiles: sparse.csr_array, k: int, threads: int) -> Search:
    import duckdb
    import pyarrow

    connection = duckdb.connect(config={"threads": threads, "temp_directory": tempfile.mkdtemp()})
    users = np.repeat(np.arange(profiles.shape[0], dtype=np.int32), np.diff(profiles.indptr))
    columns = {"user_id": users, "feature_id": profiles.indices, "weight": profiles.data}
    connection.register("profiles", pyarrow.table(columns))
    connection.execute("create table weights as from profiles")
    query = f"""
        with scores as (
            select one.user_id, other.user_id as other_id, sum(one.weight * other.weight) as score
            from (from weights where user_id in (select unnest($users))) as one
            inner join weights as other on one.feature_id = other.feature_id and one.user_id != other.user_id
            group by one.user_id, other.user_id
        )
        select scores.user_id, max_by(scores.other_id, scores.score, {k}) as neighbours from scores group by 1
    """

    def search(rows: np.ndarray) -> np.ndarray:
        place_of = {int(row): place for place, row in enumerate(rows)}
        found = np.full((len(rows), k), -1)
        for block in blocks_of(rows, max(1, BLOCK_PAIRS // profiles.shape[0])):
            for user, neighbours in connection.execute(query, {"users": block.tolist()}).fetchall():
                found[place_of[user], : len(neighbours)] = neighbours
        return found

    return search


METHODS = {
    "kindred": Method("kindred top_k", "numba", "`kindred.top_k`, float64", kindred_top_k, max_users=1_000_000),
    "sparse_dot_topn": Method(
        "sparse_dot_topn", "sparse_dot_topn", "`sp_matmul_topn` of the rows and their transpose", sparse_dot_topn
    ),
    "implicit": Method(
        "implicit",
        "implicit",
        "`CosineRecommender`, which is `all_pairs_knn`; float64; finds all pairs or nothing",
        implicit_all_pairs,
        takes_rows=False,
    ),
    "scipy": Method(
        "scipy rows @ X.T", "scipy", f"{SCIPY_ROWS} rows at a time, `argpartition`; one thread", scipy_blocks
    ),
    "cosine_similarity": Method(
        "scikit-learn cosine_similarity",
        "scikit-learn",
        "and `argpartition`; 10,000 users at once, more in blocks of rows with a hundred million scores; one thread",
        sklearn_cosine_similarity,
    ),
    "nearest_neighbors": Method(
        "scikit-learn NearestNeighbors",
        "scikit-learn",
        '`algorithm="brute", metric="cosine"`, on the sparse rows',
        sklearn_nearest_neighbors,
    ),
    "faiss": Method("faiss IndexFlatIP", "faiss-cpu", "dense rows: it takes no sparse ones", faiss_flat),
    "duckdb": Method(
        "DuckDB self-join",
        "duckdb",
        "join on the feature, sum by pair, `max_by`; in blocks of users with ten million pairs",
        duckdb_join,
    ),
    "hnswlib": Method(
        "hnswlib, dense",
        "hnswlib",
        f"dense rows, which alone let it come near the exact lists; {HNSW_SETTINGS}; 10,000 users at most",
        hnswlib_dense,
        is_exact=False,
        max_users=10_000,
    ),
    "hnswlib_svd": Method(
        "hnswlib, SVD",
        "hnswlib",
        f"rows of a truncated SVD with {SVD_DIMENSIONS} dimensions, its time included; {HNSW_SETTINGS}",
        hnswlib_svd,
        is_exact=False,
    ),
    "pynndescent": Method(
        "pynndescent",
        "pynndescent",
        "`NNDescent` on the sparse rows, 30 neighbours of which the 20 best count; compiled beforehand",
        pynndescent_graph,
        is_exact=False,
        takes_rows=False,
    ),
}


def blocks_of(rows: np.ndarray, size: int) -> list[np.ndarray]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def best_of_block(scores: np.ndarray, rows: np.ndarray, k: int) -> np.ndarray:
    """Return the indices of the k best scores of each row but its own; scores is changed."""
    scores[np.arange(len(rows)), rows] = -1
    best = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, -k:]
    values = np.take_along_axis(scores, best, axis=1)
    return np.take_along_axis(best, np.argsort(-values, axis=1), axis=1)


def lists_of(found: sparse.csr_matrix, width: int) -> np.ndarray:
    """Turn the rows of a sparse matrix, in stored order, into lists of indices, padded with -1."""
    lengths = np.diff(found.indptr)
    lists = np.full((found.shape[0], width), -1)
    rows = np.repeat(np.arange(found.shape[0]), lengths)
    lists[rows, np.arange(len(rows)) - np.repeat(found.indptr[:-1], lengths)] = found.indices
    return lists


def without_self(found: np.ndarray, rows: np.ndarray, k: int) -> np.ndarray:
    """Remove each row from its own list of k + 1, by index: among equals it may come later, or be missing."""
    is_other = found != rows[:, None]
    is_other[is_other.all(axis=1), -1] = False
    return found[is_other].reshape(-1, k)


def load_profiles(folder: Path) -> sparse.csr_array:
    parts = [np.load(folder / f"{name}.npy") for name in ("data", "indices", "indptr", "shape")]
    return sparse.csr_array(tuple(parts[:3]), shape=tuple(parts[3].tolist()))


def save_profiles(profiles: sparse.csr_array, folder: Path) -> None:
    for name in ("data", "indices", "indptr", "shape"):
        np.save(folder / f"{name}.npy", getattr(profiles, name))


def warm_up(method: Method, profiles: sparse.csr_array, k: int, threads: int) -> None:
    """Find neighbours among a few users; kindred with each of the kernels that it uses for many."""
    few = profiles[:WARM_USERS]
    search, rows = method.start(few, k, threads), np.arange(few.shape[0])
    if method.start is not kindred_top_k:
        search(rows)
        return
    from kindred.neighbours import all_pairs, top_k

    with patch.object(top_k, "COMPILED_FROM_PRODUCTS", 0):
        search(rows[:1])
        for bounded_from in (0, np.inf):
            with patch.object(all_pairs, "BOUNDED_FROM_MEETINGS", bounded_from):
                search(rows)


def cpu_seconds() -> float:
    """Return user and system time of all threads of this process, and of its finished child processes."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def memory_mb(field: str) -> float:
    """Return VmRSS (now) or VmHWM (the peak since the reset) of this process, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0]) / 1024


def main(name: str, folder: str, k: int, threads: int, rows_file: str, found_file: str) -> None:
    """Run a method on all users of a folder, or on the rows of rows_file; save the lists and print the cost."""
    method, profiles = METHODS[name], load_profiles(Path(folder))
    rows = np.load(rows_file) if rows_file else np.arange(profiles.shape[0])
    warm_up(method, profiles, k, threads)
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM
    memory = memory_mb("VmRSS")
    cpu, wall = [cpu_seconds()], [time.perf_counter()]
    search = method.start(profiles, k, threads)
    cpu.append(cpu_seconds())
    wall.append(time.perf_counter())
    found = search(rows)
    cpu.append(cpu_seconds())
    wall.append(time.perf_counter())
    peak = memory_mb("VmHWM")
    np.save(found_file, found)
    cost = {
        "version": version(method.package),
        "start_cpu_seconds": cpu[1] - cpu[0],
        "search_cpu_seconds": cpu[2] - cpu[1],
        "start_wall_seconds": wall[1] - wall[0],
        "search_wall_seconds": wall[2] - wall[1],
        "extra_memory_mb": peak - memory,
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5], sys.argv[6])
