"""Neighbour lists, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kindred.build.tables import read_parts
from kindred.matrices import at_most_one

if TYPE_CHECKING:
    import duckdb


NEIGHBOURHOOD_USERS = 10
"""The nearest users of a user who make up the neighbourhood, for the hub correction."""

CANDIDATES_PER_PLACE = 5
"""Candidates that compete for each place on a list of similar users."""

BLOCK_USERS = 4096
"""Users whose lists are re-ranked, read or written at a time; bounds memory, whatever the number of users."""


@dataclass(frozen=True)
class NeighbourLists:
    """The nearest users of every user.

    Attributes
    ----------
    indices
        Integer array of shape (users, k): rows of the neighbours, nearest first, -1 in free places.
    scores
        float64 array of shape (users, k): their scores, 0 in free places.

    """

    indices: np.ndarray
    scores: np.ndarray

    @classmethod
    def read(cls, table: duckdb.DuckDBPyRelation, rows: np.ndarray, k: int, users: int | None = None) -> NeighbourLists:
        """Read the k nearest users back from a table that `find_candidates` made.

        Indices are int32, which halves the memory of 100 neighbours for each of a million users.

        Parameters
        ----------
        table
            The table.
        rows
            Integer array of shape (users of the table,): the row here of every user, by their number in the table; -1
            for none.
        k
            The length of the lists.
        users
            How many rows there are here, by default as many as in the table.

        """
        table = table.select(f"user_number, candidate_numbers[:{k}] as candidate_numbers, scores[:{k}] as scores")
        indices = np.full((len(rows) if users is None else users, k), -1, dtype=np.int32)
        scores = np.zeros(indices.shape)
        for part in read_parts(table, BLOCK_USERS):
            candidates = part["candidate_numbers"]
            owners, others = rows[part["user_number"]][candidates.owners], rows[candidates.values]
            is_there = (owners >= 0) & (others >= 0)
            entries = owners[is_there], candidates.places[is_there]
            indices[entries], scores[entries] = others[is_there], part["scores"].values[is_there]
        return cls(indices, scores)

    def neighbourhood_similarity(self) -> np.ndarray:
        """Return each user's mean score with the nearest NEIGHBOURHOOD_USERS; missing ones count 0. Shape (users,)."""
        return at_most_one(self.scores[:, :NEIGHBOURHOOD_USERS].sum(axis=1) / NEIGHBOURHOOD_USERS)


@dataclass(frozen=True)
class KnownLists:
    """The nearest users of every user, as far as they are known.

    Attributes
    ----------
    indices
        int32 array of shape (users, k): rows of the neighbours, nearest first, -1 in free places. Everybody who is not
        on a list comes after all who are.
    scores
        float64 array of shape (users, k): their scores, 0 in free places.
    is_complete
        Boolean array of shape (users,): whether the list holds everybody with a score above 0.

    """

    indices: np.ndarray
    scores: np.ndarray
    is_complete: np.ndarray
