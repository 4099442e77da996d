"""A refresh of neighbour lists: only users whose profiles have changed are compared again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from kindred.neighbours.lists import KnownLists
from kindred.neighbours.top_k import checked, checked_keys, compiled_kernels, is_large, top_k

MAX_CHANGED_SHARE = 0.2
"""Above this share of changed users all lists are found again; at a sixth, a refresh takes three quarters of that."""


def known_lists(
    profiles: sparse.csr_array,
    k: int,
    *,
    tie_keys: np.ndarray,
    counterparts: sparse.csr_array | None = None,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
) -> KnownLists:
    """Find the k nearest users of every user by the dot product, see `kindred.top_k`."""
    indices, scores = top_k(
        profiles, k, metric="dot", tie_keys=tie_keys, counterparts=counterparts, threads=threads, progress=progress
    )
    return KnownLists(indices, scores, np.asarray((indices < 0).any(axis=1)))


def refresh_lists(
    profiles: sparse.csr_array,
    known: KnownLists,
    changed: np.ndarray,
    min_length: int,
    *,
    tie_keys: np.ndarray,
    counterparts: sparse.csr_array | None = None,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
) -> KnownLists:
    """Bring lists up to date, exactly: the result is that of a search for all users, but some lists may be shorter.

    Users who have changed leave all lists and are compared with everybody. The score of two unchanged users is what it
    was, so a list keeps its unchanged users, and a changed user enters it by coming before the last of those. Between
    that last one and the users who have left, somebody unknown may come, so a list can become shorter. A list of fewer
    than `min_length` is found again. Lists that are longer than needed therefore last longer.

    Parameters
    ----------
    profiles, tie_keys, counterparts, threads, progress
        See `kindred.top_k`; the metric is "dot", and the tie keys of unchanged users must be those of then.
    known
        The lists before, with a row for each of today's users, in an order that has not changed. The places of users
        who have left are -1, and so are the rows of new users. Its arrays are overwritten.
    changed
        Boolean array of shape (users,): whether the profile has changed, or is new.
    min_length
        The length to which lists must be known, or complete; at most their k.

    Returns
    -------
    Lists that are known to at least `min_length` places, or complete.

    Raises
    ------
    ValueError
        If min_length is not from 1 to the known k, or the shapes differ.

    """
    users, k = known.indices.shape
    if not 1 <= min_length <= k:
        raise ValueError(f"min_length must be from 1 to {k}, the length of the lists, not {min_length}")
    if profiles.shape[0] != users or changed.shape != (users,):
        raise ValueError(f"profiles and changed must be of {users} users, as the lists are")
    is_short = ~known.is_complete & ((known.indices >= 0).sum(axis=1) < min_length)
    all_pairs = compiled_kernels() if is_large(users, profiles) else None
    if not all_pairs or (changed | is_short).sum() > MAX_CHANGED_SHARE * users:
        return known_lists(
            profiles, k, tie_keys=tie_keys, counterparts=counterparts, threads=threads, progress=progress
        )

    matrix = checked(profiles)
    others = matrix if counterparts is None else checked(counterparts)
    keys = checked_keys(tie_keys, users)
    all_pairs.refresh(matrix, others, keys, known, changed, threads, progress or (lambda share: None))
    lengths = (known.indices >= 0).sum(axis=1)
    is_complete = (known.is_complete | changed) & (lengths < k)
    lost = np.flatnonzero(~is_complete & (lengths < min_length))
    if len(lost):
        known.indices[lost], known.scores[lost] = top_k(
            profiles,
            k,
            metric="dot",
            counterparts=counterparts,
            rows=lost,
            tie_keys=tie_keys,
            threads=threads,
            progress=progress,
        )
        is_complete[lost] = (known.indices[lost] < 0).any(axis=1)
    return KnownLists(known.indices, known.scores, is_complete)
