"""The report on the quality of neighbours, facets and clusters, on hold-outs of viewed courses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kindred.evaluation.cluster_metrics import agreement, cluster_lift
from kindred.evaluation.hold_outs import (
    RECOMMENDED_COURSES,
    HoldOutLists,
    Split,
    profiles_from,
    split_platform,
    why_nothing_is_hidden,
)
from kindred.evaluation.methods import Reranked, cosine_lists, one_hot, profile_lists, rerank_split, reranked_lists
from kindred.evaluation.platform import EvaluationSettings, Platform
from kindred.evaluation.ranking_metrics import (
    bootstrap_intervals,
    hits_of_popularity,
    ndcg,
    overlap_lift,
    recall,
)
from kindred.graph.eps_search import cluster_lists
from kindred.profiles.facets import CLUSTER, Facet, weight_shares
from kindred.profiles.weighting import FacetProfiles

if TYPE_CHECKING:
    import pyarrow as pa

MAX_SAMPLED_USERS = 2000
"""Single facets and kinds of evidence are measured on at most this many users: differences there are large."""

SUBSAMPLE_SHARE = 0.8
"""The share of the users in each of the two samples that are clustered again, to see whether clusters are stable."""

NDCG = f"hold_out_ndcg_at_{RECOMMENDED_COURSES}"
RECALL = f"hold_out_recall_at_{RECOMMENDED_COURSES}"
NDCG_RATIO = f"{NDCG}_ratio_to_plain_cosine"
COURSE_LIFT = "course_overlap_lift"
INTEREST_LIFT = "interest_overlap_lift"

RECOMMENDERS = ("all_facets", "all_facets_but_cluster", "plain_cosine", "popularity")
"""The ways to recommend courses that are measured in every build."""

CLUSTER_LIFT = "hold_out_cluster_lift"
RAND_INDEX = "clusters_adjusted_rand_index"
CLUSTER_MEASURES = ("hold_out_clusters", "hold_out_unclustered_users_share", CLUSTER_LIFT, RAND_INDEX)

WHY_UNDEFINED = {
    CLUSTER_LIFT: "No user in a cluster has a hidden course that others have viewed.",
    RAND_INDEX: "No user is in a cluster in both samples of the users.",
}
"""Why a measure of clusters may have no value though courses are hidden."""


@dataclass(frozen=True)
class Measure:
    """One measured value: a row of the table neighbour_quality.

    Attributes
    ----------
    measure, variant
        What is measured, and on what.
    value, interval_low, interval_high
        The value and the ends of its 95% interval; NaN where there is none.
    missing_reason
        Why there is no value, in a sentence; None if there is one.

    """

    measure: str
    variant: str
    value: float
    interval_low: float = float("nan")
    interval_high: float = float("nan")
    missing_reason: str | None = None

    @classmethod
    def missing(cls, measure: str, variant: str, reason: str) -> Measure:
        """Return a measure without a value, for this reason."""
        return cls(measure, variant, float("nan"), missing_reason=reason)


def measure(
    platform: Platform, settings: EvaluationSettings, progress: Callable[[str], None] = lambda _: None
) -> list[Measure]:
    """Measure neighbours, facets and clusters on hold-outs, and neighbours across kinds of evidence on all data.

    Parameters
    ----------
    platform, settings
        The data to measure on, and the settings of the build.
    progress
        Called before each step with its name.

    Returns
    -------
    The rows of neighbour_quality that come from hold-outs; none if there are no splits. They are the same measures and
    variants on all data: what has no value has a reason. Single facets are measured on the first split only.

    """
    if not settings.quality_splits:
        return []
    shares = weight_shares(platform.evidence.facets)
    reason = why_nothing_is_hidden(platform)
    hold_outs = list(_missing(platform, reason) if reason else _measure_hold_outs(platform, settings, shares, progress))
    progress("neighbours across kinds of evidence")
    facet_profiles = profiles_from(platform, platform.views, settings)
    return [*hold_outs, *cross_signal_lifts(platform, facet_profiles, shares, settings)]


def _missing(platform: Platform, reason: str) -> Iterator[Measure]:
    """Yield what hold-outs measure, without values."""
    variants = [*RECOMMENDERS, *(name for name, _ in _single_facets(platform.evidence.facets))]
    for name in (NDCG, RECALL):
        yield from (Measure.missing(name, variant, reason) for variant in variants)
    yield Measure.missing(NDCG_RATIO, "all_facets", reason)
    yield from (Measure.missing(name, "user_clusters", reason) for name in CLUSTER_MEASURES)


def _measure_hold_outs(
    platform: Platform, settings: EvaluationSettings, shares: dict[int, float], progress: Callable[[str], None]
) -> Iterator[Measure]:
    """Yield what is measured on hidden courses, of which there are some."""
    gains: dict[tuple[str, str], list[np.ndarray]] = {}
    clusters: list[dict[str, float]] = []
    for number in range(settings.quality_splits):
        progress(f"split {number + 1} of {settings.quality_splits}")
        split = split_platform(platform, settings, number)
        reranked = rerank_split(split, shares, split.rows, settings)
        clusters.append(_measure_clusters(split, reranked, settings, number))
        lists = {
            "all_facets": reranked.lists,
            "all_facets_but_cluster": reranked_lists(reranked.candidates, split.rows, split.tie_keys, settings),
            "plain_cosine": cosine_lists(one_hot(platform, split.views), split.rows, split.tie_keys, settings),
        }
        hits = {variant: (split.rows, split.hits(listed)) for variant, listed in lists.items()}
        hits["popularity"] = (
            split.rows,
            hits_of_popularity(split.rows, split.views, split.hidden, RECOMMENDED_COURSES),
        )
        if number == 0:
            progress("single facets")
            sample = _sampled(split.rows, settings)
            for variant, listed in _facet_lists(split, sample, settings):
                hits[variant] = (sample, split.hits(listed))
        for variant, (rows, of_rows) in hits.items():
            counts = np.diff(split.hidden.indptr)[rows]
            for name, gain in ((NDCG, ndcg), (RECALL, recall)):
                gains.setdefault((name, variant), []).append(gain(of_rows, counts))
    measures = list(_means_of_users(gains, settings))
    yield from measures
    for name, facet in _single_facets(platform.evidence.facets):
        if (NDCG, name) not in gains:
            reason = f"No user has evidence of the facet {facet.name}."
            yield from (Measure.missing(measure, name, reason) for measure in (NDCG, RECALL))
    means = {(each.measure, each.variant): each.value for each in measures}
    plain = means[NDCG, "plain_cosine"]
    if plain > 0:
        yield Measure(NDCG_RATIO, "all_facets", means[NDCG, "all_facets"] / plain)
    else:
        yield Measure.missing(NDCG_RATIO, "all_facets", "Plain cosine finds none of the hidden courses.")
    for name in CLUSTER_MEASURES:
        # A split in which the measure is undefined says nothing.
        values = [each[name] for each in clusters if np.isfinite(each[name])]
        if values:
            yield Measure(name, "user_clusters", float(np.mean(values)))
        else:
            yield Measure.missing(name, "user_clusters", WHY_UNDEFINED[name])


def steps(settings: EvaluationSettings) -> int:
    """Return how many times `measure` reports progress."""
    return settings.quality_splits + 2


def with_weights(platform: Platform, changes: Mapping[str, float]) -> Platform:
    """Return a platform with changed weights, by the names of the facets."""
    facets = {
        number: replace(facet, weight=changes.get(facet.name, facet.weight))
        for number, facet in platform.evidence.facets.items()
    }
    return replace(platform, evidence=replace(platform.evidence, facets=facets))


def as_table(measures: list[Measure]) -> pa.Table:
    """Turn measures into a table, with nulls where there is no value."""
    import pyarrow as pa

    types = {
        "measure": pa.string(),
        "variant": pa.string(),
        "value": pa.float64(),
        "interval_low": pa.float64(),
        "interval_high": pa.float64(),
        "missing_reason": pa.string(),
    }
    return pa.table(
        {
            name: pa.array([getattr(each, name) for each in measures], kind, from_pandas=True)
            for name, kind in types.items()
        }
    )


def _means_of_users(gains: dict[tuple[str, str], list[np.ndarray]], settings: EvaluationSettings) -> Iterator[Measure]:
    """Yield for every measure and variant the mean over users, each user's value being the mean over the splits."""
    values = {key: np.mean(of_splits, axis=0) for key, of_splits in gains.items()}
    intervals: dict[tuple[str, str], tuple[float, float]] = {}
    # Measures of the same users share the random draws, which take most of the time.
    for count in {len(of_users) for of_users in values.values()}:
        keys = [key for key, of_users in values.items() if len(of_users) == count]
        found = bootstrap_intervals(np.column_stack([values[key] for key in keys]), settings.quality_seed)
        intervals.update(zip(keys, found.tolist(), strict=True))
    for (name, variant), of_users in values.items():
        yield Measure(name, variant, float(of_users.mean()), *intervals[name, variant])


def _measure_clusters(split: Split, reranked: Reranked, settings: EvaluationSettings, number: int) -> dict[str, float]:
    """Measure the clusters of a split, and how far the clusters of two samples of its users agree."""
    labels = reranked.labels
    users = len(labels)
    found = cluster_lift(labels, split.views.nonzero(), split.hidden.nonzero())
    rng = np.random.default_rng([settings.quality_seed, number])
    of_samples = []
    for _ in range(2):
        sample = np.sort(rng.choice(users, int(SUBSAMPLE_SHARE * users), replace=False))
        sampled = cluster_lists(
            _lists_of_sample(reranked.candidates.indices, sample, reranked.compared),
            reranked.min_samples,
            settings.cluster_max_share,
        )
        of_all = np.full(users, -2)
        of_all[sample] = sampled
        of_samples.append(of_all)
    in_both = (of_samples[0] > -2) & (of_samples[1] > -2)
    agreed = agreement(of_samples[0][in_both], of_samples[1][in_both])
    return {
        "hold_out_clusters": float(labels.max(initial=-1) + 1),
        "hold_out_unclustered_users_share": float((labels < 0).mean()),
        CLUSTER_LIFT: found["lift"],
        RAND_INDEX: agreed["both_clustered"] if agreed["shared_users"] > 0 else float("nan"),
    }


def _lists_of_sample(indices: np.ndarray, sample: np.ndarray, k: int) -> np.ndarray:
    """Return the neighbour lists within a sample of the users, as rows of the sample."""
    row_of = np.full(len(indices), -1, dtype=np.int64)
    row_of[sample] = np.arange(len(sample))
    listed = np.where(indices[sample] >= 0, row_of[indices[sample]], -1)
    order = np.argsort(listed < 0, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(listed, order, axis=1)


def _facet_lists(split: Split, rows: np.ndarray, settings: EvaluationSettings) -> Iterator[tuple[str, HoldOutLists]]:
    """List neighbours by each facet alone that users have evidence of; two that match each other count as one."""
    for name, facet in _single_facets(split.evidence.facets):
        numbers = (facet.number, facet.matching_number)
        if np.isin(split.evidence.facet_numbers, numbers).any():
            yield (
                name,
                profile_lists(
                    split.facet_profiles.weighted(dict.fromkeys(numbers, 1.0)), rows, split.tie_keys, settings
                ),
            )


def _single_facets(facets: Mapping[int, Facet]) -> Iterator[tuple[str, Facet]]:
    """Yield the variants of single facets: a name, and the facet or the first of two that match each other."""
    for facet in facets.values():
        partner = facets[facet.matching_number]
        if facet.name != CLUSTER and partner.number >= facet.number:
            yield f"{facet.name if partner is facet else f'{facet.name}_and_{partner.name}'}_alone", facet


def cross_signal_lifts(
    platform: Platform, facet_profiles: FacetProfiles, shares: dict[int, float], settings: EvaluationSettings
) -> Iterator[Measure]:
    """Find neighbours by one kind of evidence, and measure what they share in another kind that was not used.

    Parameters
    ----------
    platform, settings
        The data to measure on, and the settings of the build.
    facet_profiles
        Profiles from all viewed courses.
    shares
        The share of the weight of each facet by its number.

    """
    evidence = platform.evidence
    from_views = set(evidence.facet_numbers[evidence.courses >= 0].tolist())
    from_views |= {evidence.facets[number].matching_number for number in from_views}
    has_both = (np.diff(platform.views.indptr) > 0) & (np.diff(platform.interests.indptr) > 0)
    rows = _sampled(np.flatnonzero(has_both), settings)
    for name, kind, facets, sets in (
        (COURSE_LIFT, "course", shares.keys() - from_views, platform.views),
        (INTEREST_LIFT, "interest", shares.keys() & from_views, platform.interests),
    ):
        profiles = facet_profiles.weighted({number: shares[number] for number in facets})
        indices = profile_lists(profiles, rows, platform.tie_keys, settings).indices
        lift = overlap_lift(indices, rows, sets, has_both, settings.quality_seed)
        if np.isfinite(lift):
            yield Measure(name, "all_facets", lift)
        else:
            yield Measure.missing(name, "all_facets", _why_no_lift(has_both, indices, kind))


def _why_no_lift(has_both: np.ndarray, indices: np.ndarray, kind: str) -> str:
    """Return a sentence that says why a lift is undefined."""
    if has_both.sum() < 2:
        return "Fewer than two users have both viewed courses and followed interests."
    if not has_both[indices[indices >= 0]].any():
        return f"No two users with views and interests are similar without their {kind}s."
    return f"Users drawn at random have no {kind} in common."


def _sampled(rows: np.ndarray, settings: EvaluationSettings) -> np.ndarray:
    """Return at most MAX_SAMPLED_USERS of the rows, at random."""
    if len(rows) <= MAX_SAMPLED_USERS:
        return rows
    return np.sort(np.random.default_rng(settings.quality_seed).choice(rows, MAX_SAMPLED_USERS, replace=False))
