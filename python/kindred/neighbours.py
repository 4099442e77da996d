"""The tables of nearest and closest users: neighbour lists, re-ranked, with the parts of each similarity."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kindred.profiles import Profiles, find_rows
from kindred.ranking import best_of_rows
from kindred.refresh import KnownLists, known_lists, refresh_lists
from kindred.similarity import TIE_DECIMALS, pairs_of_lists, shared_features, shared_weights, sums_by_group, top_k
from kindred.tables import Lists, read_parts

if TYPE_CHECKING:
    import duckdb

FACET_IDS = 1_000_000_000
"""Feature ids of one facet: facet number x FACET_IDS and up, as the macro feature_id assigns them."""

NEIGHBOURHOOD_USERS = 10
"""A user's neighbourhood, for the hub correction: the nearest so many users."""

TOP_REASONS = 3
"""Features that are listed with a pair: those that add most to its similarity."""

CANDIDATES_PER_PLACE = 5
"""Nearest users who compete for a place on a list of the closest."""

SPARE_SHARE = 0.16
"""How much longer lists are than wanted: so many users may leave one, and none enter, before it is found anew."""

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
        table = table.select(f"user_handle, candidate_handles[:{k}] as candidate_handles, scores[:{k}] as scores")
        indices = np.full((len(users), k), -1, dtype=np.int32)
        scores = np.zeros(indices.shape)
        for part in read_parts(table, BLOCK_USERS):
            near = part["candidate_handles"]
            owners, is_user = find_rows(part["user_handle"], users)
            others, is_other = find_rows(near.values, users)
            is_there = is_user[near.owners] & is_other
            rows, places = owners[near.owners][is_there], near.places[is_there]
            indices[rows, places], scores[rows, places] = others[is_there], part["scores"].values[is_there]
        return cls(indices, scores)

    def neighbourhood_similarity(self) -> np.ndarray:
        """Return each user's mean score with the nearest NEIGHBOURHOOD_USERS; missing ones count 0. Shape (users,)."""
        return self.scores[:, :NEIGHBOURHOOD_USERS].sum(axis=1) / NEIGHBOURHOOD_USERS


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
) -> Iterator[dict[str, np.ndarray | Lists]]:
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
        The table of the build before; what has not changed since is taken from it (`kindred.refresh`). A table that
        an older version made, without fingerprints, is of no use.
    threads, progress
        See `top_k`.
    tell
        Called with a sentence on how many users have changed since the build before.

    Yields
    ------
    Parts of a table with a row per user, by user: user_handle, candidate_handles and scores, two lists of one length,
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
            "candidate_handles": Lists(lengths, users[lists.indices[is_listed]]),
            "scores": Lists(lengths, lists.scores[is_listed]),
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
        What `kindred.refresh.refresh_lists` takes.

    """
    lists = NeighbourLists.read(before, users, k)
    then = before.select("user_handle, profile_fingerprint, is_complete, len(candidate_handles) as listed").fetchnumpy()
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


def closest_lists(
    nearest: NeighbourLists,
    k: int,
    *,
    hub_correction: float = 0.0,
    labels: np.ndarray | None = None,
    cluster_weight: float = 0.0,
    rows: np.ndarray | None = None,
) -> NeighbourLists:
    """List the k closest of everybody's nearest users: by similarity, less a correction for hubs.

    A hub is close to everybody and hence on many lists without being anybody's best match. What is taken off a
    candidate's similarity is hub_correction times the candidate's neighbourhood similarity, a constant per candidate
    (after CSLS; Conneau et al. 2018: Word translation without parallel data). Candidates are a user's nearest only:
    correction and cluster rank those who are near, and bring nobody near who is not.

    Parameters
    ----------
    nearest
        The lists by the profiles without the cluster, at least NEIGHBOURHOOD_USERS long and longer than k.
    k
        The length of the lists.
    hub_correction
        How much of the candidate's neighbourhood similarity is taken off, from 0 to 1.
    labels
        Integer array of shape (users,): the cluster of each user, negative for none.
    cluster_weight
        What sharing a cluster adds to the similarity.
    rows
        Integer array: the rows whose lists are wanted, by default all.

    Returns
    -------
    Lists of shape (rows, k), closest first, with the similarity as score, the cluster counting and nothing taken off.
    What ranks is tied where it agrees to TIE_DECIMALS; ties stand in the order of rows.

    """
    rows = np.arange(len(nearest.indices)) if rows is None else np.asarray(rows)
    crowding = nearest.neighbourhood_similarity()
    closest = NeighbourLists(np.full((len(rows), k), -1, dtype=np.int32), np.zeros((len(rows), k)))
    for start in range(0, len(rows), BLOCK_USERS):
        block = rows[start : start + BLOCK_USERS]
        candidates = nearest.indices[block]
        similarities = nearest.scores[block]
        if labels is not None:
            shares_cluster = (labels[candidates] == labels[block, None]) & (labels[candidates] >= 0)
            similarities = np.where(candidates >= 0, similarities + cluster_weight * shares_cluster, 0)
        totals = np.round(similarities - hub_correction * crowding[candidates], TIE_DECIMALS)
        best = np.lexsort((candidates, np.where(candidates >= 0, -totals, np.inf)), axis=1)[:, :k]
        places = np.s_[start : start + BLOCK_USERS, : best.shape[1]]
        closest.indices[places] = np.take_along_axis(candidates, best, axis=1)
        closest.scores[places] = np.take_along_axis(similarities, best, axis=1)
    return closest


def closest_users(
    profiles: Profiles,
    one_hot: Profiles,
    closest: NeighbourLists,
    neighbourhood_similarity: np.ndarray,
    facets: dict[int, str],
    features: np.ndarray,
    labels: np.ndarray,
    hub_correction: float,
) -> Iterator[dict[str, np.ndarray | Lists]]:
    """Make the table of the closest users of every user, with the parts of their similarity.

    Parameters
    ----------
    profiles
        Weighted profiles, the cluster included, whose dot product is the similarity (the table user_features).
    one_hot
        Profiles of the same users without weights, for the plain cosine.
    closest
        What `closest_lists` finds for all of them.
    neighbourhood_similarity
        float64 array of shape (users,): see `NeighbourLists.neighbourhood_similarity`.
    facets
        The name of each facet by its number.
    features
        Array of shape (features,), object: the name of each column of the profiles.
    labels
        Integer array of shape (users,): the cluster of each user.
    hub_correction
        See `closest_lists`.

    Yields
    ------
    Parts of a table with a row per user and neighbour, by user and then rank: user_handle, rank (from 1),
    similar_user_handle, similarity, <facet>_part for every facet (they sum to similarity), neighbourhood_similarity of
    the similar user, ranking_score (similarity less hub_correction times that), cosine_similarity, similar_cluster_id,
    and top_reasons, a list of at most TOP_REASONS records of facet, feature and contribution, the largest first.

    """
    numbers = np.array(sorted(facets))
    facet_names = np.array([facets[number] for number in numbers.tolist()], dtype=object)
    groups = np.searchsorted(numbers, profiles.features // FACET_IDS)
    matching_groups = np.searchsorted(numbers, profiles.matching_features // FACET_IDS)
    lengths = np.sqrt(one_hot.matrix.sum(axis=1))
    for start in range(0, max(len(closest.indices), 1), BLOCK_USERS):
        block = slice(start, start + BLOCK_USERS)
        rows, places, neighbours = pairs_of_lists(closest.indices[block])
        listed, others = np.unique(neighbours, return_inverse=True)
        parts = np.empty((len(rows), len(numbers)))
        reasons = []
        for pairs, products in shared_features(profiles.matrix[block], rows, others, profiles.counterparts[listed]):
            parts[pairs] = sums_by_group(products, groups, len(numbers))
            entries, owners, _ = best_of_rows(products.indptr, products.indices, products.data, TOP_REASONS)
            reasons.append((owners + pairs.start, products.indices[entries], products.data[entries]))
        similarity = _summed_alike_both_ways(parts, groups, matching_groups)
        shared = shared_weights(one_hot.matrix[block], rows, others, counterparts=one_hot.matrix[listed])[:, 0]
        both = lengths[block][rows] * lengths[neighbours]
        yield {
            "user_handle": profiles.users[block][rows],
            "rank": places + 1,
            "similar_user_handle": profiles.users[neighbours],
            "similarity": similarity,
            **{f"{facets[number]}_part": parts[:, place] for place, number in enumerate(numbers.tolist())},
            "neighbourhood_similarity": neighbourhood_similarity[neighbours],
            "ranking_score": similarity - hub_correction * neighbourhood_similarity[neighbours],
            "cosine_similarity": np.divide(shared, both, out=np.zeros(len(both)), where=both > 0),
            "similar_cluster_id": labels[neighbours],
            "top_reasons": _reasons_by_pair(reasons, len(rows), facet_names[groups], features),
        }


def _reasons_by_pair(
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]], pairs: int, facets: np.ndarray, features: np.ndarray
) -> Lists:
    """Make lists of records of parts with the pair, the column and the contribution of every reason, by pair."""
    none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    owners, columns, contributions = (np.concatenate(arrays) for arrays in zip(none, *parts, strict=True))
    return Lists(
        np.bincount(owners, minlength=pairs),
        {
            "facet": facets[columns],
            "feature": features[columns],
            "contribution": contributions,
        },
    )


def _summed_alike_both_ways(parts: np.ndarray, groups: np.ndarray, matching_groups: np.ndarray) -> np.ndarray:
    """Sum parts in an order that is the same seen from either user, to the last bit.

    Seen from the other, the part of a facet is that of the facet which it meets: the two are added first.
    """
    partner = np.arange(parts.shape[1])
    partner[groups] = matching_groups
    paired = parts + np.where(partner == np.arange(parts.shape[1]), 0, parts[:, partner])
    return paired[:, partner >= np.arange(parts.shape[1])].sum(axis=1)
