"""Nearest neighbours brought up to date: only those are compared again who have changed since the last time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from kindred.neighbours.lists import KnownLists
from kindred.neighbours.top_k import checked, compiled_kernels, is_large, top_k

MOST_CHANGED_SHARE = 0.2
"""Where more users than this have changed, all lists are found anew; of a sixth, a refresh takes three quarters."""


def known_lists(
    profiles: sparse.csr_array,
    k: int,
    *,
    counterparts: sparse.csr_array | None = None,
    threads: int = 1,
    memory_mb: float = 1024,
    progress: Callable[[float], None] | None = None,
) -> KnownLists:
    """Find the k nearest users of every user by the dot product, see `kindred.top_k`."""
    indices, scores = top_k(
        profiles,
        k,
        metric="dot",
        counterparts=counterparts,
        threads=threads,
        memory_mb=memory_mb,
        progress=progress,
    )
    return KnownLists(indices, scores, (indices < 0).any(axis=1))


def refresh_lists(
    profiles: sparse.csr_array,
    known: KnownLists,
    changed: np.ndarray,
    least: int,
    *,
    counterparts: sparse.csr_array | None = None,
    threads: int = 1,
    memory_mb: float = 1024,
    progress: Callable[[float], None] | None = None,
) -> KnownLists:
    """Bring lists up to date, exactly: the same as if all were found anew, but that some may be shorter.

    Users who have changed leave all lists and are compared with everybody. Of two users who have not changed the score
    is what it was: a list keeps who has not changed, and whoever has enters it who is nearer than the last of those.
    Between that last one and the users who have left, somebody may be whom nobody knows, so that a list can become
    shorter: one with fewer than `least` is found anew. Lists that are longer than needed therefore last longer.

    Parameters
    ----------
    profiles, counterparts, threads, memory_mb, progress
        See `kindred.top_k`; the metric is "dot".
    known
        The lists before, with a row for each of today's users, the users in an order that has not changed; -1 also
        where somebody stood who is a user no more, and in the rows of new users. Its arrays are overwritten.
    changed
        Boolean array of shape (users,): whose profile has changed, or is new.
    least
        The length to which lists must be known, or complete; at most their k.

    Returns
    -------
    Lists that are known to at least `least` places, or complete.

    Raises
    ------
    ValueError
        If least is not from 1 to the known k, or the shapes differ.

    """
    users, k = known.indices.shape
    if not 1 <= least <= k:
        raise ValueError(f"least must be from 1 to {k}, the length of the lists, not {least}")
    if profiles.shape[0] != users or changed.shape != (users,):
        raise ValueError(f"profiles and changed must be of {users} users, as the lists are")
    options = {"counterparts": counterparts, "threads": threads, "memory_mb": memory_mb, "progress": progress}
    is_short = ~known.is_complete & ((known.indices >= 0).sum(axis=1) < least)
    all_pairs = compiled_kernels() if is_large(users, profiles) else None
    if not all_pairs or (changed | is_short).sum() > MOST_CHANGED_SHARE * users:
        return known_lists(profiles, k, **options)

    matrix = checked(profiles)
    others = matrix if counterparts is None else checked(counterparts)
    all_pairs.refresh(
        matrix,
        others,
        known.scores,
        known.indices,
        known.is_complete,
        changed,
        threads,
        memory_mb,
        progress or (lambda share: None),
    )
    lengths = (known.indices >= 0).sum(axis=1)
    is_complete = (known.is_complete | changed) & (lengths < k)
    lost = np.flatnonzero(~is_complete & (lengths < least))
    if len(lost):
        known.indices[lost], known.scores[lost] = top_k(profiles, k, metric="dot", rows=lost, **options)
        is_complete[lost] = (known.indices[lost] < 0).any(axis=1)
    return KnownLists(known.indices, known.scores, is_complete)
