"""The tables of nearest and closest users: neighbour lists, re-ranked, with the parts of each similarity."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from kindred.build.tables import ListColumn
from kindred.neighbours.lists import BLOCK_USERS, CANDIDATES_PER_PLACE, NEIGHBOURHOOD_USERS, KnownLists, NeighbourLists
from kindred.neighbours.refresh import known_lists, refresh_lists
from kindred.neighbours.top_k import top_k
from kindred.profiles.matrix import Profiles, find_rows

if TYPE_CHECKING:
    import duckdb


SPARE_SHARE = 0.16
"""How much longer lists are than wanted: so many users may leave one, and none enter, before it is found anew."""


def listed_users(top_k: int, cluster_neighbours: int) -> int:
    """Return how many nearest users of each are needed: for clustering, as candidates, and for whole neighbourhoods."""
    return max(CANDIDATES_PER_PLACE * top_k, cluster_neighbours, NEIGHBOURHOOD_USERS)


def nearest_users(
    profiles: Profiles,
    fingerprints: np.ndarray,
    k: int,
    *,
    before: duckdb.DuckDBPyRelation | None = None,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
    tell: Callable[[str], object] = lambda _: None,
) -> Iterator[dict[str, np.ndarray | ListColumn]]:
    """List the nearest users of every user by the similarity of their profiles, exactly.

    Parameters
    ----------
    profiles
        The profiles to compare.
    fingerprints
        uint64 array of shape (users,): equal where a profile is, see `read_known`.
    k
        How many are wanted. The lists are longer by SPARE_SHARE, so that some can leave them before the next refresh.
    before
        The table of the build before; what has not changed since is taken from it (`refresh`). A table that
        an older version made, without fingerprints, is of no use.
    threads, progress
        See `top_k`.
    tell
        Called with a sentence on how many users have changed since the build before.

    Yields
    ------
    Parts of a table with a row per user, by user: user_handle, near_user_handles and scores, two lists of one length,
    nearest first; is_complete, whether everybody with a score above 0 is listed, else k users at least are;
    neighbourhood_similarity, see `NeighbourLists`; and profile_fingerprint.

    """
    options = {"counterparts": profiles.counterparts, "threads": threads, "progress": progress}
    length = k + math.ceil(SPARE_SHARE * k)
    if before is None or "profile_fingerprint" not in before.columns:
        nearest = known_lists(profiles.matrix, length, **options)
    else:
        known, changed = read_known(before, profiles.users, fingerprints, length)
        tell(f"The profiles of {changed.sum():,} of {len(changed):,} users have changed since the build before")
        nearest = refresh_lists(profiles.matrix, known, changed, k, **options)
    users = profiles.users
    # While the lists are written, the memory of the profiles is DuckDB's.
    del profiles, options
    for start in range(0, max(len(users), 1), BLOCK_USERS):
        block = slice(start, start + BLOCK_USERS)
        is_listed = nearest.indices[block] >= 0
        lengths = is_listed.sum(axis=1)
        lists = NeighbourLists(nearest.indices[block], nearest.scores[block])
        yield {
            "user_handle": users[block],
            "near_user_handles": ListColumn(lengths, users[lists.indices[is_listed]]),
            "scores": ListColumn(lengths, lists.scores[is_listed]),
            "is_complete": nearest.is_complete[block],
            "neighbourhood_similarity": lists.neighbourhood_similarity(),
            "profile_fingerprint": fingerprints[block],
        }


def read_known(
    before: duckdb.DuckDBPyRelation, users: np.ndarray, fingerprints: np.ndarray, k: int
) -> tuple[KnownLists, np.ndarray]:
    """Read the lists of an earlier build for the users of today.

    Parameters
    ----------
    before
        What `nearest_users` made then.
    users
        int64 array, rising: the users of today.
    fingerprints
        uint64 array of shape (users,): the fingerprints of their profiles today. Where it was another one, or there
        was none, the user has changed.
    k
        The length of today's lists.

    Returns
    -------
    known, changed
        What `kindred.neighbours.refresh.refresh_lists` takes.

    """
    lists = NeighbourLists.read(before, users, k)
    then = before.select("user_handle, profile_fingerprint, is_complete, len(near_user_handles) as listed").fetchnumpy()
    rows, is_there = find_rows(then["user_handle"], users)
    rows = rows[is_there]
    changed = np.ones(len(users), dtype=bool)
    changed[rows] = fingerprints[rows] != then["profile_fingerprint"][is_there]
    is_complete = np.zeros(len(users), dtype=bool)
    is_complete[rows] = (then["is_complete"] & (then["listed"] <= k))[is_there]
    return KnownLists(lists.indices, lists.scores, is_complete), changed


def nearest_lists(
    profiles: Profiles,
    k: int,
    threads: int = 1,
    *,
    rows: np.ndarray | None = None,
) -> NeighbourLists:
    """List the k nearest users of every user, or of some rows, by the similarity of their profiles, see `top_k`."""
    return NeighbourLists(
        *top_k(
            profiles.matrix,
            k,
            metric="dot",
            counterparts=profiles.counterparts,
            rows=rows,
            threads=threads,
        )
    )
