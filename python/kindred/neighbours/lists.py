"""Neighbour lists, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kindred.build.tables import read_parts
from kindred.profiles.matrix import find_rows

if TYPE_CHECKING:
    import duckdb


NEIGHBOURHOOD_USERS = 10
"""A user's neighbourhood, for the hub correction: the nearest so many users."""

CANDIDATES_PER_PLACE = 5
"""Nearest users who compete for a place on a list of the closest."""

BLOCK_USERS = 4096
"""Users whose lists are re-ranked, read or written at a time; bounds memory, whatever the number of users."""


@dataclass(frozen=True)
class NeighbourLists:
    """The nearest users of every user.

    Attributes
    ----------
    indices
        Integer array of shape (users, k): rows of the neighbours, nearest first, -1 where there is none.
    scores
        float64 array of shape (users, k): their scores, 0 where there is none.

    """

    indices: np.ndarray
    scores: np.ndarray

    @classmethod
    def read(cls, table: duckdb.DuckDBPyRelation, users: np.ndarray, k: int) -> NeighbourLists:
        """Read the k nearest back from the table that `nearest_users` makes; users are its rows, rising.

        Indices are int32, half of what a list of 100 neighbours of a million users would take otherwise.
        """
        table = table.select(f"user_handle, near_user_handles[:{k}] as near_user_handles, scores[:{k}] as scores")
        indices = np.full((len(users), k), -1, dtype=np.int32)
        scores = np.zeros(indices.shape)
        for part in read_parts(table, BLOCK_USERS):
            near = part["near_user_handles"]
            owners, is_user = find_rows(part["user_handle"], users)
            others, is_other = find_rows(near.values, users)
            is_there = is_user[near.owners] & is_other
            rows, places = owners[near.owners][is_there], near.places[is_there]
            indices[rows, places], scores[rows, places] = others[is_there], part["scores"].values[is_there]
        return cls(indices, scores)

    def neighbourhood_similarity(self) -> np.ndarray:
        """Return each user's mean score with the nearest NEIGHBOURHOOD_USERS; missing ones count 0. Shape (users,)."""
        return self.scores[:, :NEIGHBOURHOOD_USERS].sum(axis=1) / NEIGHBOURHOOD_USERS


@dataclass(frozen=True)
class KnownLists:
    """The nearest users of every user, as far as they are known.

    Attributes
    ----------
    indices
        int32 array of shape (users, k): rows of the neighbours, nearest first, -1 where nobody is known. Whoever is
        not on a list is farther than all who are.
    scores
        float64 array of shape (users, k): their scores, 0 where nobody is known.
    is_complete
        Boolean array of shape (users,): whether the list holds everybody with a score above 0.

    """

    indices: np.ndarray
    scores: np.ndarray
    is_complete: np.ndarray
