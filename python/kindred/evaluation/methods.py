"""The ways of finding neighbours that an evaluation compares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from kindred.evaluation.hold_outs import HoldOutLists, Split
from kindred.evaluation.platform import EvaluationSettings, Platform
from kindred.graph.eps_search import cluster_lists, neighbours_to_compare
from kindred.neighbours.candidates import candidate_lists, candidates_needed
from kindred.neighbours.lists import NeighbourLists
from kindred.neighbours.reranking import rerank
from kindred.neighbours.top_k import top_k
from kindred.profiles.facets import CLUSTER
from kindred.profiles.matrix import Profiles

SPARE_NEIGHBOURS = 1.3
"""Candidate lists are longer than the clustering needs by this factor: a sample of the users loses a fifth of them."""


@dataclass(frozen=True)
class Reranked:
    """The similar users, and the candidates and clusters that they come from, as a build would find them.

    Attributes
    ----------
    candidates
        The candidates of every user, by the profiles without the cluster.
    labels
        Integer array of shape (users,): the cluster of each user, -1 for none.
    compared, min_samples
        The settings of the clustering, see `neighbours_to_compare`.
    lists
        The similar users, re-ranked by the cluster and against hubs.

    """

    candidates: NeighbourLists
    labels: np.ndarray
    compared: int
    min_samples: int
    lists: HoldOutLists


def rerank_split(split: Split, shares: dict[int, float], rows: np.ndarray, settings: EvaluationSettings) -> Reranked:
    """Find candidates, clusters and similar users in a split, as the models of a build do.

    Parameters
    ----------
    split
        The users, with a part of their courses hidden.
    shares
        The share of the weight of each facet by its number.
    rows
        The users whose lists are wanted.
    settings
        How to list and cluster.

    """
    cluster_share = sum(shares[facet.number] for facet in split.evidence.facets.values() if facet.name == CLUSTER)
    profiles = split.facet_profiles.weighted(shares)
    compared, min_samples = neighbours_to_compare(
        len(profiles.users), settings.cluster_neighbours, settings.cluster_min_samples
    )
    needed = candidates_needed(settings.top_k, settings.cluster_neighbours)
    length = max(needed, int(SPARE_NEIGHBOURS * compared))
    candidates = candidate_lists(profiles, length, split.tie_keys, settings.similarity_threads)
    labels = cluster_lists(candidates.indices[:, :compared], min_samples, settings.cluster_max_share)
    lists = reranked_lists(candidates, rows, split.tie_keys, settings, labels, cluster_share)
    return Reranked(candidates, labels, compared, min_samples, lists)


def reranked_lists(
    candidates: NeighbourLists,
    rows: np.ndarray,
    tie_keys: np.ndarray,
    settings: EvaluationSettings,
    labels: np.ndarray | None = None,
    cluster_share: float = 0.0,
) -> HoldOutLists:
    """List the similar users of some rows as the table similar_users does; see `rerank`."""
    needed = candidates_needed(settings.top_k, settings.cluster_neighbours)
    listed = rerank(
        NeighbourLists(candidates.indices[:, :needed], candidates.scores[:, :needed]),
        settings.top_k,
        hub_correction=settings.hub_correction,
        labels=labels,
        cluster_weight=cluster_share,
        tie_keys=tie_keys,
        rows=rows,
    )
    return HoldOutLists(rows, listed.indices, listed.scores)


def profile_lists(
    profiles: Profiles, rows: np.ndarray, tie_keys: np.ndarray, settings: EvaluationSettings
) -> HoldOutLists:
    """List the users with the most similar profiles for some rows, without re-ranking."""
    listed = candidate_lists(profiles, settings.top_k, tie_keys, settings.similarity_threads, rows=rows)
    return HoldOutLists(rows, listed.indices, listed.scores)


def cosine_lists(
    features: sparse.csr_array, rows: np.ndarray, tie_keys: np.ndarray, settings: EvaluationSettings
) -> HoldOutLists:
    """List the users with the highest plain cosine of their features for some rows."""
    listed = top_k(features, settings.top_k, rows=rows, tie_keys=tie_keys, threads=settings.similarity_threads)
    return HoldOutLists(rows, *listed)


def one_hot(platform: Platform, views: sparse.csr_array) -> sparse.csr_array:
    """Return the features that plain cosine compares: interests, courses and assessments, without weights."""
    return sparse.csr_array(sparse.hstack([platform.interests, views, platform.assessments]))
