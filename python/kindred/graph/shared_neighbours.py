"""The graph of the neighbours that users share: what clusters and the map are made from."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
from scipy import sparse

from kindred.build.tables import ListColumn, read_parts

BLOCK_USERS = 64
"""Users whose lists are compared at a time; bounds memory, whatever the number of users."""

PART_USERS = 4096
"""Users whose part of the graph is read or written at a time."""


def shared_neighbour_graph(indices: np.ndarray) -> sparse.csr_array:
    """Count the neighbours that mutual neighbours share.

    Parameters
    ----------
    indices
        Integer array of shape (users, k) as `top_k` returns it: -1 where there is no neighbour.

    Returns
    -------
    CSR array of shape (users, users), float64 and symmetric: for every two users who list each other, how many users
    both lists hold, each user counting as in their own list; 0 elsewhere.

    """
    users = len(indices)
    # Column `users` stands for a missing neighbour and is in nobody's list.
    members = np.empty((users, indices.shape[1] + 1), dtype=np.int32)
    members[:, 0] = np.arange(users)
    members[:, 1:] = np.where(indices >= 0, indices, users)
    is_listed = np.zeros((BLOCK_USERS, users + 1), dtype=bool)
    found = [(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int32))]
    for start in range(0, users, BLOCK_USERS):
        block = members[start : start + BLOCK_USERS]
        # Both directions of a pair are the same: that with the lower row first is counted.
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

    Its columns are user_handle, near_user_handles (mutual neighbours, rising) and shared_neighbours, two lists of one
    length.
    """
    graph = shared_neighbour_graph(indices)
    for start in range(0, max(len(users), 1), PART_USERS):
        part = graph[start : start + PART_USERS]
        lengths = np.diff(part.indptr)
        yield {
            "user_handle": users[start : start + PART_USERS],
            "near_user_handles": ListColumn(lengths, users[part.indices]),
            "shared_neighbours": ListColumn(lengths, part.data.astype(np.int64)),
        }


def read_graph(table: duckdb.DuckDBPyRelation, users: np.ndarray) -> sparse.csr_array:
    """Read the graph back from the table that `shared_neighbours` makes; users are its rows, rising."""
    lengths, columns, shared = [], [], []
    by_user = table.order("user_handle").select("near_user_handles, shared_neighbours")
    for part in read_parts(by_user, PART_USERS):
        lengths.append(part["near_user_handles"].lengths)
        columns.append(np.searchsorted(users, part["near_user_handles"].values).astype(np.int32))
        shared.append(part["shared_neighbours"].values.astype(np.int32))
    starts = np.concatenate([np.zeros(1, np.int32), *lengths]).cumsum(dtype=np.int32)
    data = np.concatenate([np.zeros(0, np.int32), *shared]).astype(np.float64)
    return sparse.csr_array((data, np.concatenate([np.zeros(0, np.int32), *columns]), starts), shape=2 * (len(users),))
