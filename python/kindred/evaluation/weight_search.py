"""The search for better weights of the facets: the measures of neighbour_quality for a grid of weights."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kindred.evaluation.hold_outs import HoldOutLists, Split, profiles_from, split_platform, why_nothing_is_hidden
from kindred.evaluation.methods import Reranked, rerank_split
from kindred.evaluation.platform import EvaluationSettings, Platform
from kindred.evaluation.ranking_metrics import bootstrap_interval, ndcg, recall
from kindred.evaluation.report import NDCG, RECALL, Measure, cross_signal_lifts
from kindred.profiles.facets import Facet, weight_shares

NDCG_GAIN = f"{NDCG}_gain"
HUBNESS_SKEW = "hubness_skew"
WITHOUT_NEIGHBOURS_SHARE = "users_without_neighbours_share"
TIED_NEIGHBOURS_SHARE = "users_with_tied_neighbours_share"

FACTORS = (0, 0.5, 2)
"""Without a grid, the weight of each facet in turn is multiplied by these factors."""

FIRST_WEIGHT = 0.05
"""The weight to try for a facet whose weight is 0."""

MAX_WEIGHT_OF_MATCHING = 0.2
"""Without a grid, facets that match each other are not raised above this weight. Next courses are predictions: lists
that rest mainly on them are recommendations rather than similar users."""


@dataclass(frozen=True)
class Tried:
    """Weights that were tried, and their measures.

    Attributes
    ----------
    changes
        The weights that differ from those in place, by facet; empty for those in place.
    measures
        Their measures, all of the variant all_facets.

    """

    changes: dict[str, float]
    measures: list[Measure]

    def value(self, name: str) -> Measure:
        """Return the measure with this name."""
        return next(each for each in self.measures if each.measure == name)


def grid(facets: Mapping[int, Facet], weights: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """Combine weights into the changes to try, those in place first.

    Parameters
    ----------
    facets
        The facets by their numbers.
    weights
        The weights to try by facet, in all combinations. Facets that match each other share one weight. If empty, the
        weight of each facet in turn is multiplied by FACTORS.

    Raises
    ------
    ValueError
        If a facet does not exist, a weight is negative or not finite, or all weights of a combination are 0.

    """
    numbers = {facet.name: number for number, facet in facets.items()}
    for name, values in weights.items():
        if name not in numbers:
            raise ValueError(f"there is no facet {name}: the facets are {', '.join(numbers)}")
        if not all(np.isfinite(value) and value >= 0 for value in values):
            raise ValueError(f"the weights of {name} must be 0 or more")

    def together(name: str, value: float) -> dict[str, float]:
        return {name: value, facets[facets[numbers[name]].matching_number].name: value}

    in_place = {facet.name: facet.weight for facet in facets.values()}
    found: list[dict[str, float]] = [{}]
    if weights:
        for values in itertools.product(*weights.values()):
            found.append({})
            for name, value in zip(weights, values, strict=True):
                found[-1] |= together(name, value)
    else:
        for facet in facets.values():
            if facet.matching_number < facet.number:
                continue
            max_weight = MAX_WEIGHT_OF_MATCHING if facet.matching_number != facet.number else np.inf
            values = [facet.weight * factor for factor in FACTORS] if facet.weight else [FIRST_WEIGHT]
            found += [together(facet.name, value) for value in values if value <= max_weight]
        # If only one facet has a weight, it cannot be left out.
        found = [changes for changes in found if sum((in_place | changes).values())]
    changed = [{name: value for name, value in each.items() if value != in_place[name]} for each in found]
    for changes in changed:
        if not sum((in_place | changes).values()):
            raise ValueError("at least one facet needs a weight above 0")
    return [each for place, each in enumerate(changed) if each not in changed[:place]]


def try_weights(
    platform: Platform,
    settings: EvaluationSettings,
    grid: Sequence[dict[str, float]],
    progress: Callable[[], None] = lambda: None,
) -> list[Tried]:
    """Measure every change of weights, on the same hold-outs.

    Parameters
    ----------
    platform, settings
        The data to measure on, and the settings of the build.
    grid
        The changes of weights that `grid` returns; the first is empty.
    progress
        Called after each change on each split.

    Returns
    -------
    One `Tried` for each change of the grid, in the same order; none if there is nothing to hide.

    """
    if why_nothing_is_hidden(platform):
        return []
    rows = np.arange(len(platform.evidence.users))
    gains: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in grid]
    lists: list[list[tuple[float, float, float]]] = [[] for _ in grid]
    for number in range(settings.quality_splits):
        split = split_platform(platform, settings, number)
        for place, changes in enumerate(grid):
            reranked = rerank_split(split, weight_shares(platform.evidence.facets, changes), rows, settings)
            gains[place].append(_gains(split, reranked))
            lists[place].append(_list_statistics(reranked.lists))
            progress()

    def interval(of_users: np.ndarray) -> tuple[float, float, float]:
        return float(of_users.mean()), *bootstrap_interval(of_users, settings.quality_seed)

    tried = []
    facet_profiles = profiles_from(platform, platform.views, settings)
    in_place = np.mean([ndcg for ndcg, _ in gains[0]], axis=0)
    for changes, of_splits, statistics in zip(grid, gains, lists, strict=True):
        ndcg_of_users, recall_of_users = np.mean(of_splits, axis=0)
        skew, without_neighbours, with_tied = np.mean(statistics, axis=0)
        values = {
            NDCG: interval(ndcg_of_users),
            NDCG_GAIN: interval(ndcg_of_users - in_place),
            RECALL: interval(recall_of_users),
            HUBNESS_SKEW: (skew,),
            WITHOUT_NEIGHBOURS_SHARE: (without_neighbours,),
            TIED_NEIGHBOURS_SHARE: (with_tied,),
        }
        measures = [Measure(name, "all_facets", *value) for name, value in values.items()]
        shares = weight_shares(platform.evidence.facets, changes)
        tried.append(Tried(changes, [*measures, *cross_signal_lifts(platform, facet_profiles, shares, settings)]))
    return tried


def best(tried: Sequence[Tried]) -> Tried | None:
    """Return the best weights that gain beyond chance, with a 95% interval of the gain above 0; None if none do."""
    candidates = [each for each in tried if each.value(NDCG_GAIN).interval_low > 0]
    return max(candidates, key=lambda each: each.value(NDCG).value, default=None)


def _gains(split: Split, reranked: Reranked) -> tuple[np.ndarray, np.ndarray]:
    """Return NDCG and Recall of the users with hidden courses."""
    lists = reranked.lists
    hits = split.hits(HoldOutLists(split.rows, lists.indices[split.rows], lists.similarities[split.rows]))
    counts = np.diff(split.hidden.indptr)[split.rows]
    return ndcg(hits, counts), recall(hits, counts)


def _list_statistics(lists: HoldOutLists) -> tuple[float, float, float]:
    """Return the skew of how often users are listed, and the shares of users without and with only tied neighbours."""
    # The import is slow, and a build does not need it.
    from scipy.stats import skew

    is_listed = lists.indices >= 0
    listed_by = np.bincount(lists.indices[is_listed], minlength=len(lists.rows))
    neighbours = is_listed.sum(axis=1)
    lowest = np.where(is_listed, lists.similarities, np.inf).min(axis=1)
    highest = np.where(is_listed, lists.similarities, -np.inf).max(axis=1)
    is_tied = (neighbours > 1) & (highest - lowest < 1e-9)
    # Lists that are spread evenly have no skew; scipy would return NaN.
    skewness = float(skew(listed_by, bias=False)) if np.ptp(listed_by) else 0.0
    return skewness, float((neighbours == 0).mean()), float(is_tied.mean())
