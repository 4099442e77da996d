"""Candidates: the nearest users of every user, who compete for the places on the lists of similar users."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from kindred.build.tables import ListColumn
from kindred.neighbours.lists import BLOCK_USERS, CANDIDATES_PER_PLACE, NEIGHBOURHOOD_USERS, KnownLists, NeighbourLists
from kindred.neighbours.refresh import known_lists, refresh_lists
from kindred.neighbours.top_k import top_k
from kindred.profiles.matrix import Profiles

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


SPARE_SHARE = 0.16
"""The share by which lists are longer than needed: as many users may leave one before it has to be found again."""


def candidates_needed(top_k: int, cluster_neighbours: int) -> int:
    """Return how many candidates each user needs: for re-ranking, for clustering, and for a whole neighbourhood."""
    return max(CANDIDATES_PER_PLACE * top_k, cluster_neighbours, NEIGHBOURHOOD_USERS)


def find_candidates(
    profiles: Profiles,
    handles: pa.StringArray,
    fingerprints: np.ndarray,
    tie_keys: np.ndarray,
    k: int,
    *,
    before: duckdb.DuckDBPyRelation | None = None,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
    tell: Callable[[str], object] = lambda _: None,
) -> Iterator[dict[str, np.ndarray | pa.StringArray | ListColumn]]:
    """List the nearest users of every user by the similarity of their profiles, exactly.

    Parameters
    ----------
    profiles
        The profiles to compare; their users are the numbers 0, 1 and so on.
    handles
        The handle of each user, as text: the next build finds them by it, since their numbers may be others then.
    fingerprints
        uint64 array of shape (users,): equal for equal profiles, see `read_known`.
    tie_keys
        int64 array of shape (users,): what orders equally similar users, see `top_k`. A user's key never changes.
    k
        Candidates wanted for each user. The lists are longer by SPARE_SHARE, so that users can leave them until the
        next refresh.
    before
        The table of the build before; lists that have not changed since are taken from it (`refresh`). A table of an
        older version, without fingerprints, tie keys or numbers, is ignored.
    threads, progress
        See `top_k`.
    tell
        Called with a sentence on how many users have changed since the build before.

    Yields
    ------
    Parts of a table with a row per user, by user: user_number; user_handle; candidate_numbers and scores, two lists of
    one length, nearest first; is_complete, whether the list holds everybody with a score above 0 (it holds at least k
    users otherwise); neighbourhood_similarity, see `NeighbourLists`; profile_fingerprint; and tie_key.

    """
    length = k + math.ceil(SPARE_SHARE * k)
    if before is None or not {"profile_fingerprint", "tie_key", "user_number"} <= set(before.columns):
        found = known_lists(
            profiles.matrix,
            length,
            tie_keys=tie_keys,
            counterparts=profiles.counterparts,
            threads=threads,
            progress=progress,
        )
    else:
        known, changed = read_known(before, _rows_now(before, handles), fingerprints, length)
        tell(f"The profiles of {changed.sum():,} of {len(changed):,} users have changed since the build before")
        found = refresh_lists(
            profiles.matrix,
            known,
            changed,
            k,
            tie_keys=tie_keys,
            counterparts=profiles.counterparts,
            threads=threads,
            progress=progress,
        )
    users = profiles.users
    # While the lists are written, DuckDB needs the memory of the profiles.
    del profiles
    for start in range(0, max(len(users), 1), BLOCK_USERS):
        block = slice(start, start + BLOCK_USERS)
        is_listed = found.indices[block] >= 0
        lengths = is_listed.sum(axis=1)
        lists = NeighbourLists(found.indices[block], found.scores[block])
        yield {
            "user_number": users[block],
            "user_handle": handles[block],
            "candidate_numbers": ListColumn(lengths, users[lists.indices[is_listed]]),
            "scores": ListColumn(lengths, lists.scores[is_listed]),
            "is_complete": found.is_complete[block],
            "neighbourhood_similarity": lists.neighbourhood_similarity(),
            "profile_fingerprint": fingerprints[block],
            "tie_key": tie_keys[block],
        }


def read_known(
    before: duckdb.DuckDBPyRelation, rows_now: np.ndarray, fingerprints: np.ndarray, k: int
) -> tuple[KnownLists, np.ndarray]:
    """Read the lists of an earlier build for the users of today.

    Parameters
    ----------
    before
        The table that `find_candidates` made then.
    rows_now
        Integer array of shape (users then,): today's row of every user of then, by the number then; -1 for those who
        have left.
    fingerprints
        uint64 array of shape (users,): the fingerprints of their profiles today. A user has changed whose fingerprint
        was different, or who had none.
    k
        The length of today's lists.

    Returns
    -------
    known, changed
        What `kindred.neighbours.refresh.refresh_lists` takes.

    """
    users = len(fingerprints)
    lists = NeighbourLists.read(before, rows_now, k, users)
    then = before.select("user_number, profile_fingerprint, is_complete, len(candidate_numbers) as listed").fetchnumpy()
    rows = rows_now[then["user_number"]]
    is_there = rows >= 0
    rows = rows[is_there]
    changed = np.ones(users, dtype=bool)
    changed[rows] = fingerprints[rows] != then["profile_fingerprint"][is_there]
    is_complete = np.zeros(users, dtype=bool)
    is_complete[rows] = (then["is_complete"] & (then["listed"] <= k))[is_there]
    return KnownLists(lists.indices, lists.scores, is_complete), changed


def _rows_now(before: duckdb.DuckDBPyRelation, handles: pa.StringArray) -> np.ndarray:
    """Return what `read_known` takes as rows_now."""
    import pyarrow.compute as pc

    then = before.order("user_number").select("user_handle").to_arrow_table()["user_handle"]
    return np.asarray(pc.index_in(then, value_set=handles).fill_null(-1))


def candidate_lists(
    profiles: Profiles, k: int, tie_keys: np.ndarray | None = None, threads: int = 1, *, rows: np.ndarray | None = None
) -> NeighbourLists:
    """List the k nearest users of every user, or of some rows, by the similarity of their profiles, see `top_k`."""
    found = top_k(
        profiles.matrix,
        k,
        metric="dot",
        counterparts=profiles.counterparts,
        rows=rows,
        tie_keys=tie_keys,
        threads=threads,
    )
    return NeighbourLists(*found)
