"""Profiles as sparse matrices, from the long tables that SQL makes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from kindred.build.tables import read_parts

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Profiles:
    """Profiles of users as one sparse matrix, with the names of its rows and columns.

    Attributes
    ----------
    users
        int64 array of shape (users,), rising: the user of each row.
    features
        int64 array of shape (features,), rising: the feature id of each column.
    matching_features
        int64 array of shape (features,): the feature of another user that each column is compared with, mostly the
        same. A predicted next course is compared with a course that the other has viewed.
    matrix
        CSR array of shape (users, features), float64.

    """

    users: np.ndarray
    features: np.ndarray
    matching_features: np.ndarray
    matrix: sparse.csr_array

    @classmethod
    def from_long(cls, columns: dict[str, np.ndarray], users: np.ndarray | None = None) -> Profiles:
        """Build profiles from a long table of users, features and weights.

        Parameters
        ----------
        columns
            Arrays of one length: user_number and feature_id (integers; each pair once); matching_feature_id (integers),
            unless every feature is compared with itself; and weight (float), unless every weight is 1.
        users
            The users that get a row, rising; by default those in the table. Users without features get an empty row.

        Raises
        ------
        ValueError
            If the table names a user that is not among users.

        """
        numbers = np.asarray(columns["user_number"], dtype=np.int64)
        feature_ids = np.asarray(columns["feature_id"], dtype=np.int64)
        matching_ids = np.asarray(columns.get("matching_feature_id", feature_ids), dtype=np.int64)
        weights = np.asarray(columns.get("weight", np.ones(len(numbers))), dtype=np.float64)
        users = np.unique(numbers) if users is None else np.asarray(users, dtype=np.int64)
        features, first, feature_columns = np.unique(feature_ids, return_index=True, return_inverse=True)
        rows = _rows_of(numbers, users)
        matrix = sparse.csr_array((weights, (rows, feature_columns)), shape=(len(users), len(features)))
        matrix.sum_duplicates()
        return cls(users, features, matching_ids[first], matrix)

    @classmethod
    def read(cls, table: duckdb.DuckDBPyRelation, users: np.ndarray) -> Profiles:
        """Read profiles from a table with the columns of `from_long`, part by part: only the matrix needs memory.

        The table is read three times: for how many features each user has, for the features, and for the weights.

        Raises
        ------
        ValueError
            If the table names a user that is not among users.

        """
        matching = "matching_feature_id" if "matching_feature_id" in table.columns else "feature_id"
        weight = "weight" if "weight" in table.columns else "1.0::double"
        counts = table.aggregate("user_number, count(*) as features", "user_number").order("user_number").fetchnumpy()
        ids = (
            table.aggregate(f"feature_id, min({matching}) as matching_feature_id", "feature_id")
            .order("feature_id")
            .fetchnumpy()
        )
        users = np.asarray(users, dtype=np.int64)
        features = np.asarray(ids["feature_id"], dtype=np.int64)
        row_counts = np.zeros(len(users), dtype=np.int64)
        row_counts[_rows_of(np.asarray(counts["user_number"]), users)] = counts["features"]
        starts = np.concatenate([[0], np.cumsum(row_counts)])
        # 32-bit indices, as scipy would choose them, as long as they can count the entries.
        kind = np.int32 if starts[-1] <= np.iinfo(np.int32).max else np.int64
        columns, weights = np.empty(starts[-1], dtype=kind), np.empty(starts[-1])
        free = starts[:-1].copy()
        for part in read_parts(table.select(f"user_number, feature_id, {weight} as weight")):
            rows = _rows_of(part["user_number"], users)
            order = np.argsort(rows, kind="stable")
            rows = rows[order]
            owners, first, listed = np.unique(rows, return_index=True, return_counts=True)
            entries = free[rows] + np.arange(len(rows)) - np.repeat(first, listed)
            columns[entries] = np.searchsorted(features, part["feature_id"][order])
            weights[entries] = part["weight"][order]
            free[owners] += listed
        matrix = sparse.csr_array((weights, columns, starts.astype(kind)), shape=(len(users), len(features)))
        matrix.sort_indices()
        return cls(users, features, np.asarray(ids["matching_feature_id"], dtype=np.int64), matrix)

    @cached_property
    def counterparts(self) -> sparse.csr_array:
        """The matrix that profiles are compared with: the weight of each column's matching feature, 0 if nobody has it.

        CSR array of shape (users, features), float64; the matrix itself where every feature is compared with itself.
        """
        if np.array_equal(self.features, self.matching_features):
            return self.matrix
        places = np.searchsorted(self.features, self.matching_features)
        places = np.minimum(places, len(self.features) - 1)
        is_found = self.features[places] == self.matching_features
        columns = np.flatnonzero(is_found)
        exchange = sparse.csr_array(
            (np.ones(len(columns)), (places[columns], columns)), shape=(len(self.features), len(self.features))
        )
        exchanged = sparse.csr_array(self.matrix @ exchange)
        exchanged.sort_indices()  # otherwise a kernel that needs them in order would keep a copy
        return exchanged


def find_rows(numbers: np.ndarray, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the row of every number, users being the rows.

    Parameters
    ----------
    numbers
        Integer array of shape (numbers,), in any order.
    users
        Integer array of shape (users,), rising.

    Returns
    -------
    rows, is_there
        Integer and boolean arrays of shape (numbers,): the row, and whether it exists; if not, the row means nothing.

    """
    rows = np.searchsorted(users, numbers)
    is_there = rows < len(users)
    is_there[is_there] = users[rows[is_there]] == numbers[is_there]
    return rows, is_there


def _rows_of(numbers: np.ndarray, users: np.ndarray) -> np.ndarray:
    """Return the row of every number; users are the rows, rising. Raises ValueError where one has no row."""
    rows, is_there = find_rows(numbers, users)
    if not is_there.all():
        raise ValueError("the table names a user that has no row")
    return rows
