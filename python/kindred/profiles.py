"""Sparse profiles from the long tables that SQL makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Profiles:
    """Profiles of users as one sparse matrix, with the names of its rows and columns.

    Attributes
    ----------
    users
        int64 array of shape (users,), rising: the user of each row.
    features
        int64 array of shape (features,), rising: the feature id of each column.
    matrix
        CSR array of shape (users, features), float64.

    """

    users: np.ndarray
    features: np.ndarray
    matrix: sparse.csr_array

    @classmethod
    def from_long(cls, columns: dict[str, np.ndarray], users: np.ndarray | None = None) -> Profiles:
        """Build profiles from a long table of users, features and weights.

        Parameters
        ----------
        columns
            Arrays of one length: user_handle and feature_id (integers; each pair once) and, unless every weight is
            1, weight (float).
        users
            The users that get a row, rising; by default those in the table. Users without features get an empty row.

        Raises
        ------
        ValueError
            If the table names a user that is not among users.

        """
        handles = np.asarray(columns["user_handle"], dtype=np.int64)
        feature_ids = np.asarray(columns["feature_id"], dtype=np.int64)
        weights = np.asarray(columns.get("weight", np.ones(len(handles))), dtype=np.float64)
        users = np.unique(handles) if users is None else np.asarray(users, dtype=np.int64)
        features, feature_columns = np.unique(feature_ids, return_inverse=True)
        rows = np.searchsorted(users, handles)
        if len(handles) and (len(users) == 0 or (users[np.minimum(rows, len(users) - 1)] != handles).any()):
            raise ValueError("the table names a user that has no row")
        matrix = sparse.csr_array((weights, (rows, feature_columns)), shape=(len(users), len(features)))
        matrix.sum_duplicates()
        return cls(users, features, matrix)
