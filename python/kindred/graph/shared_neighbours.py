"""The graph of shared neighbours, from which the clusters and the map are made."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
from scipy import sparse

from kindred.build.tables import ListColumn, read_parts

BLOCK_USERS = 64
"""The lists of this many users are compared at a time, which limits memory."""

PART_USERS = 4096
"""The graph is read and written in parts of this many users."""


def shared_neighbour_graph(indices: np.ndarray) -> sparse.csr_array:
    """Count the neighbours that mutual neighbours share.

    Parameters
    ----------
    indices
        Integer array of shape (users, k) as `top_k` returns it: -1 in free places.

    Returns
    -------
    CSR array of shape (users, users), float64 and symmetric: how many users are on both lists, for every two users who
    list each other; 0 for other pairs. Each user counts as a member of their own list.

    """
    users = len(indices)
    # The row number `users` stands for a free place, which is never counted.
    members = np.empty((users, indices.shape[1] + 1), dtype=np.int32)
    members[:, 0] = np.arange(users)
    members[:, 1:] = np.where(indices >= 0, indices, users)
    is_listed = np.zeros((BLOCK_USERS, users + 1), dtype=bool)
    found = [(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int32))]
    for start in range(0, users, BLOCK_USERS):
        block = members[start : start + BLOCK_USERS]
        # A pair is counted once, with the lower row first.
        own, places = np.nonzero((block > block[:, :1]) & (block < users))
        others = block[own, places]
        lists = members[others]
        is_mutual = (lists[:, 1:] == block[own, :1]).any(axis=1)
        own, others, lists = own[is_mutual], others[is_mutual], lists[is_mutual]
        is_listed[np.arange(len(block))[:, None], block] = True
        is_listed[:, users] = False
        counts = is_listed[own[:, None], lists].sum(axis=1, dtype=np.int32)
        is_listed[np.arange(len(block))[:, None], block] = False
        found.append((block[own, 0], others, counts))
    rows, columns, shared = (np.concatenate(parts) for parts in zip(*found, strict=True))
    upper = sparse.csr_array((shared.astype(np.float64), (rows, columns)), shape=(users, users))
    return sparse.csr_array(upper + upper.T)


def shared_neighbours(indices: np.ndarray, users: np.ndarray) -> Iterator[dict[str, np.ndarray | ListColumn]]:
    """Yield the graph of `shared_neighbour_graph` as parts of a table with a row per user.

    Its columns are user_number, neighbour_numbers (mutual neighbours, rising) and shared_neighbours, two lists of one
    length.
    """
    graph = shared_neighbour_graph(indices)
    for start in range(0, max(len(users), 1), PART_USERS):
        part = graph[start : start + PART_USERS]
        lengths = np.diff(part.indptr)
        yield {
            "user_number": users[start : start + PART_USERS],
            "neighbour_numbers": ListColumn(lengths, users[part.indices]),
            "shared_neighbours": ListColumn(lengths, part.data.astype(np.int64)),
        }


def read_graph(table: duckdb.DuckDBPyRelation, users: np.ndarray) -> sparse.csr_array:
    """Read the graph back from a table that `shared_neighbours` made; users are the numbers of its rows, rising."""
    lengths, columns, shared = [], [], []
    by_user = table.order("user_number").select("neighbour_numbers, shared_neighbours")
    for part in read_parts(by_user, PART_USERS):
        neighbours = part["neighbour_numbers"]
        counts = part["shared_neighbours"]
        lengths.append(neighbours.lengths)
        columns.append(np.searchsorted(users, neighbours.values).astype(np.int32))
        shared.append(counts.values.astype(np.int32))
    starts = np.concatenate([np.zeros(1, np.int32), *lengths]).cumsum(dtype=np.int32)
    data = np.concatenate([np.zeros(0, np.int32), *shared]).astype(np.float64)
    return sparse.csr_array((data, np.concatenate([np.zeros(0, np.int32), *columns]), starts), shape=2 * (len(users),))
