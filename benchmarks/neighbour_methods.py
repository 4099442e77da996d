"""Compare ways to find neighbours, on the hold-outs of neighbour_quality.

Run: make build && .venv/bin/python benchmarks/neighbour_methods.py [--build target/kindred_build.duckdb] [--splits 3]
Each hold-out hides a fifth of the courses of every user with five or more; the 20 most similar users vote for courses.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from scipy import sparse
from scipy.stats import skew
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.neighbors import NearestNeighbors
from tabulate import tabulate

from kindred.build.database import DEFAULT_BUILD, open_build
from kindred.cli.output import progress_bar
from kindred.evaluation.hold_outs import RECOMMENDED_COURSES, HoldOutLists, Split, split_platform
from kindred.evaluation.methods import cosine_lists, one_hot, rerank_split, reranked_lists
from kindred.evaluation.platform import TABLES, EvaluationSettings, Platform, read_platform
from kindred.evaluation.ranking_metrics import hits_of_popularity, hits_of_scores, ndcg, recall
from kindred.profiles.facets import weight_shares
from kindred.profiles.next_courses import next_courses, relate_courses

WITHOUT_NEXT = {"next_courses": 0.0, "taken_courses": 0.0, "course_tags": 0.2}
"""The best weights without predicted next courses."""


@dataclass(frozen=True)
class Case:
    """The input of a method: the platform, the settings of the build, and a split with its number."""

    platform: Platform
    settings: EvaluationSettings
    number: int
    split: Split


Method = Callable[[Case], HoldOutLists | np.ndarray]
"""It returns the neighbour lists of all users, or, if it finds no neighbours, the ranks of hidden courses."""


def popularity(case: Case) -> np.ndarray:
    return hits_of_popularity(case.split.rows, case.split.views, case.split.hidden, RECOMMENDED_COURSES)


def relation(case: Case) -> np.ndarray:
    """Recommend the predicted next courses of a user, without neighbours."""
    views, settings = case.split.views, case.settings
    relations = relate_courses(views, case.platform.course_tags, views.shape[1], settings.relation_ridge)
    rows, courses, strengths = next_courses(views, relations, RECOMMENDED_COURSES)
    place_of = np.full(views.shape[0], -1)
    place_of[case.split.rows] = np.arange(len(case.split.rows))
    kept = place_of[rows] >= 0
    hidden = case.split.hidden[case.split.rows]
    scores = sparse.csr_array((strengths[kept], (place_of[rows[kept]], courses[kept])), hidden.shape)
    return hits_of_scores(scores, hidden, RECOMMENDED_COURSES)


def cosine(features: sparse.csr_array, case: Case) -> HoldOutLists:
    return cosine_lists(features, np.arange(features.shape[0]), case.platform.tie_keys, case.settings)


def plain_cosine(case: Case) -> HoldOutLists:
    return cosine(one_hot(case.platform, case.split.views), case)


def with_tag_counts(case: Case) -> sparse.csr_array:
    tags = case.split.views @ case.platform.course_tags
    return sparse.csr_array(sparse.hstack([one_hot(case.platform, case.split.views), tags]))


def cosine_with_tags(case: Case) -> HoldOutLists:
    return cosine(with_tag_counts(case), case)


def tfidf(case: Case) -> HoldOutLists:
    return cosine(sparse.csr_array(TfidfTransformer().fit_transform(with_tag_counts(case))), case)


def latent(case: Case) -> HoldOutLists:
    weighted = TfidfTransformer().fit_transform(with_tag_counts(case))
    found = TruncatedSVD(256, random_state=0).fit_transform(weighted)
    k = case.settings.top_k
    distances, indices = NearestNeighbors(n_neighbors=k + 1, metric="cosine").fit(found).kneighbors(found)
    rows = np.arange(len(found))
    is_other = indices != rows[:, None]
    # Among many equal users, a user may be missing from their own list.
    is_other[is_other.all(axis=1), -1] = False
    return HoldOutLists(rows, indices[is_other].reshape(-1, k), np.maximum(1 - distances[is_other].reshape(-1, k), 0))


def product(*, changes: dict[str, float] | None = None, has_cluster: bool = False, **settings: float) -> Method:
    """Return the method of a build with other weights and settings; has_cluster says whether the cluster counts."""

    def method(case: Case) -> HoldOutLists:
        changed = replace(case.settings, **settings)
        split = split_platform(case.platform, changed, case.number)
        shares = weight_shares(case.platform.evidence.facets, changes)
        rows = np.arange(len(case.platform.evidence.users))
        reranked = rerank_split(split, shares, rows, changed)
        return reranked.lists if has_cluster else reranked_lists(reranked.candidates, rows, split.tie_keys, changed)

    return method


def methods(platform: Platform) -> dict[str, Method]:
    facets = [facet.name for facet in platform.evidence.facets.values()]
    equal = dict.fromkeys(facets, 1.0) | {"next_courses": 0.0, "taken_courses": 0.0, "cluster": 0.0}
    return {
        "popularity (no neighbours)": popularity,
        "plain cosine of interests, courses, assessments": plain_cosine,
        "the same, with counts of course tags": cosine_with_tags,
        "tf-idf of all these": tfidf,
        "SVD of the tf-idf, 256 dimensions": latent,
        "facets of equal weight, without next courses": product(changes=equal, hub_correction=0.0),
        "facets without next courses": product(changes=WITHOUT_NEXT, hub_correction=0.0),
        "facets without next courses, hub correction": product(changes=WITHOUT_NEXT),
        "with next courses at .1, hub correction": product(changes={"next_courses": 0.1, "taken_courses": 0.1}),
        "with next courses, no hub correction": product(hub_correction=0.0),
        "with next courses, hub correction": product(),
        "with next courses, all courses related": product(relation_max_courses=platform.views.shape[1]),
        "with next courses, hub correction, cluster: similar_users": product(has_cluster=True),
        "what a user's courses lead to (no neighbours)": relation,
    }


@click.command(help=__doc__)
@click.option("--build", "build_file", type=click.Path(path_type=Path), default=DEFAULT_BUILD, show_default=True)
@click.option(
    "--splits", type=click.IntRange(min=1), default=3, show_default=True, help="How many times to hide courses."
)
def main(build_file: Path, splits: int) -> None:
    with open_build(build_file, TABLES) as (tables, values):
        platform, settings = read_platform(tables), EvaluationSettings.read(values)
    found: dict[str, list[tuple[float, ...]]] = {}
    with progress_bar(splits * len(methods(platform)), "Methods") as progress:
        for number in range(splits):
            case = Case(platform, settings, number, split_platform(platform, settings, number))
            for name, method in methods(platform).items():
                found.setdefault(name, []).append(measured(case, method))
                progress(1)
    means = {name: np.mean(values, axis=0) for name, values in found.items()}
    plain = means["plain cosine of interests, courses, assessments"][0]
    rows = [
        (
            name,
            f"{ndcg:.4f}",
            f"{ndcg / plain:.2f}",
            f"{recall:.4f}",
            "" if np.isnan(hubs) else f"{hubs:.1f}",
            f"{cost:.1f}",
        )
        for name, (ndcg, recall, hubs, cost) in means.items()
    ]
    headers = ("method", "NDCG@20", "times plain cosine", "Recall@20", "hubness", "CPU seconds")
    click.echo(tabulate(rows, headers=headers, disable_numparse=True, colalign=("left", *["right"] * 5)))


def measured(case: Case, method: Method) -> tuple[float, float, float, float]:
    """Return NDCG, Recall, the skew of how often users are listed, and the CPU seconds."""
    started = time.process_time()
    result = method(case)
    seconds = time.process_time() - started
    split, hubness = case.split, float("nan")
    if isinstance(result, HoldOutLists):
        hubness = skew(np.bincount(result.indices[result.indices >= 0], minlength=len(result.rows)), bias=False)
        result = split.hits(HoldOutLists(split.rows, result.indices[split.rows], result.similarities[split.rows]))
    counts = np.diff(split.hidden.indptr)[split.rows]
    return ndcg(result, counts).mean(), recall(result, counts).mean(), hubness, seconds


if __name__ == "__main__":
    main()
