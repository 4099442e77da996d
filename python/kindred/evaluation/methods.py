"""The ways of finding neighbours that an evaluation compares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from kindred.evaluation.hold_outs import Lists, Split
from kindred.evaluation.platform import Platform, Settings
from kindred.graph.eps_search import cluster_lists, neighbours_to_compare
from kindred.neighbours.candidates import candidate_lists, candidates_needed
from kindred.neighbours.lists import NeighbourLists
from kindred.neighbours.reranking import rerank
from kindred.neighbours.top_k import top_k
from kindred.profiles.facets import CLUSTER
from kindred.profiles.matrix import Profiles

SPARE_NEIGHBOURS = 1.3
"""Lists are so many times longer than the clustering compares, since a fifth of a list is missing in such a run."""


@dataclass(frozen=True)
class Closest:
    """The closest users and the clusters that a build would find.

    Attributes
    ----------
    nearest
        The nearest users of everybody, by the profiles without the cluster.
    labels
        Integer array of shape (users,): the cluster of each user, -1 for none.
    compared, min_samples
        How many neighbours were compared and linked users asked for, see `neighbours_to_compare`.
    lists
        The closest users, the cluster counting as a facet.

    """

    nearest: NeighbourLists
    labels: np.ndarray
    compared: int
    min_samples: int
    lists: Lists


def closest_by(split: Split, shares: dict[int, float], rows: np.ndarray, settings: Settings) -> Closest:
    """List the closest users as the tables do that a build makes.

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
    candidates = candidates_needed(settings.top_k, settings.cluster_neighbours)
    nearest = candidate_lists(profiles, max(candidates, int(SPARE_NEIGHBOURS * compared)), settings.similarity_threads)
    labels = cluster_lists(nearest.indices[:, :compared], min_samples, settings.cluster_max_share)
    lists = product_lists(nearest, rows, settings, labels, cluster_share)
    return Closest(nearest, labels, compared, min_samples, lists)


def product_lists(
    nearest: NeighbourLists,
    rows: np.ndarray,
    settings: Settings,
    labels: np.ndarray | None = None,
    cluster_share: float = 0.0,
) -> Lists:
    """List the closest users of some rows as the table similar_users does; see `rerank`."""
    candidates = candidates_needed(settings.top_k, settings.cluster_neighbours)
    closest = rerank(
        NeighbourLists(nearest.indices[:, :candidates], nearest.scores[:, :candidates]),
        settings.top_k,
        hub_correction=settings.hub_correction,
        labels=labels,
        cluster_weight=cluster_share,
        rows=rows,
    )
    return Lists(rows, closest.indices, closest.scores)


def nearest_by_profile(profiles: Profiles, rows: np.ndarray, settings: Settings) -> Lists:
    """List the nearest users of some rows only."""
    nearest = candidate_lists(profiles, settings.top_k, settings.similarity_threads, rows=rows)
    return Lists(rows, nearest.indices, nearest.scores)


def cosine_lists(features: sparse.csr_array, rows: np.ndarray, settings: Settings) -> Lists:
    """List the nearest users of some rows by the plain cosine of their features."""
    return Lists(rows, *top_k(features, settings.top_k, rows=rows, threads=settings.similarity_threads))


def one_hot(platform: Platform, views: sparse.csr_array) -> sparse.csr_array:
    """Return what the plain cosine compares: interests, courses and assessments, all alike."""
    return sparse.csr_array(sparse.hstack([platform.interests, views, platform.assessments]))
