"""Hold-outs: users with a part of their courses hidden, and the profiles that follow from the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from kindred.evaluation.platform import EvaluationSettings, Platform
from kindred.evaluation.ranking_metrics import hits_of_votes
from kindred.matrices import holds
from kindred.profiles.facets import NEXT_COURSES
from kindred.profiles.next_courses import next_courses, relate_courses
from kindred.profiles.weighting import Evidence, FacetProfiles, weigh

HIDDEN_SHARE = 0.2
"""The share of a user's courses that a split hides."""

MIN_COURSES = 5
"""Users with fewer courses keep all of them."""

RECOMMENDED_COURSES = 20
"""How many courses are recommended by the votes of the neighbours."""


@dataclass(frozen=True)
class HoldOutLists:
    """Neighbour lists of some users of a hold-out.

    Attributes
    ----------
    rows
        Integer array of shape (rows,): the users whose lists they are.
    indices, similarities
        Arrays of shape (rows, k): the neighbours, -1 in free places, and their similarities.

    """

    rows: np.ndarray
    indices: np.ndarray
    similarities: np.ndarray


@dataclass(frozen=True)
class Split:
    """Users with a part of their courses hidden, and the profiles that follow from the rest.

    Attributes
    ----------
    rows
        Integer array: the users with hidden courses.
    views, hidden
        CSR arrays of shape (users, courses): 1 where a course is known, or hidden.
    evidence
        All evidence of the platform, hidden courses included, with its facets.
    facet_profiles
        Profiles from the remaining evidence.
    tie_keys
        See `Platform`.

    """

    rows: np.ndarray
    views: sparse.csr_array
    hidden: sparse.csr_array
    evidence: Evidence
    facet_profiles: FacetProfiles
    tie_keys: np.ndarray

    def hits(self, lists: HoldOutLists) -> np.ndarray:
        """Return the ranks at which votes of the neighbours recommend hidden courses; see `hits_of_votes`."""
        return hits_of_votes(
            lists.indices, lists.similarities, lists.rows, self.views, self.hidden, RECOMMENDED_COURSES
        )


def split_platform(platform: Platform, settings: EvaluationSettings, number: int) -> Split:
    """Hide courses, and make profiles from the rest; number is that of the split, from 0."""
    views, hidden = hide(platform.views, HIDDEN_SHARE, MIN_COURSES, seed=settings.quality_seed + number)
    rows = np.flatnonzero(np.diff(hidden.indptr))
    profiles = profiles_from(platform, views, settings)
    return Split(rows, views, hidden, platform.evidence, profiles, platform.tie_keys)


def why_nothing_is_hidden(platform: Platform) -> str | None:
    """Return a sentence that says why hold-outs are impossible; None if there is somebody whose courses are hidden."""
    if platform.views.shape[0] < 2:
        return "There are fewer than two users."
    if not platform.views.nnz:
        return "There are no course views."
    if np.diff(platform.views.indptr).max() < MIN_COURSES:
        return f"No user has viewed {MIN_COURSES} courses or more, so that none can be hidden."
    return None


def profiles_from(platform: Platform, views: sparse.csr_array, settings: EvaluationSettings) -> FacetProfiles:
    """Make profiles as if users had viewed only these courses."""
    evidence = platform.evidence
    is_known = evidence.courses < 0
    is_known[~is_known] = holds(views, evidence.rows[~is_known], evidence.courses[~is_known])
    known = evidence.of(is_known)
    names = {facet.name: facet for facet in evidence.facets.values()}
    if NEXT_COURSES not in names:
        return weigh(known)

    relations = relate_courses(views, platform.course_tags, settings.relation_max_courses, settings.relation_ridge)
    rows, courses, strengths = next_courses(views, relations, settings.next_max_courses)
    # A predicted next course meets the same course where another user viewed it, so it gets the ids from there.
    viewed = evidence.of(evidence.facet_numbers == names[NEXT_COURSES].matching_number)
    feature_ids, matching_ids = np.zeros((2, views.shape[1]), dtype=np.int64)
    feature_ids[viewed.courses], matching_ids[viewed.courses] = viewed.matching_feature_ids, viewed.feature_ids
    return weigh(
        replace(
            known,
            rows=np.concatenate([known.rows, rows]),
            facet_numbers=np.concatenate([known.facet_numbers, np.full(len(rows), names[NEXT_COURSES].number)]),
            feature_ids=np.concatenate([known.feature_ids, feature_ids[courses]]),
            matching_feature_ids=np.concatenate([known.matching_feature_ids, matching_ids[courses]]),
            courses=np.concatenate([known.courses, np.full(len(rows), -1)]),
            occurrences=np.concatenate([known.occurrences, strengths]),
        )
    )


def hide(
    views: sparse.csr_array, share: float, min_courses: int, seed: int
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Hide a random share of the courses of every user who has enough of them.

    Parameters
    ----------
    views
        Users x courses, CSR: 1 where a user viewed a course.
    share
        The share of a user's courses to hide, rounded to whole courses, but at least one course.
    min_courses
        Users with fewer courses keep all of them.
    seed
        The same seed hides the same courses.

    Returns
    -------
    kept, hidden
        CSR arrays of the shape of views that sum to it.

    """
    counts = np.diff(views.indptr)
    rows = np.repeat(np.arange(views.shape[0]), counts)
    order = np.lexsort((np.random.default_rng(seed).random(views.nnz), rows))
    places = np.empty(views.nnz, dtype=np.int64)
    places[order] = np.arange(views.nnz) - views.indptr[rows]
    wanted = np.where(counts >= min_courses, np.maximum(np.round(share * counts), 1), 0)
    is_hidden = places < wanted[rows]

    def part(chosen: np.ndarray) -> sparse.csr_array:
        return sparse.csr_array((views.data[chosen], (rows[chosen], views.indices[chosen])), shape=views.shape)

    return part(~is_hidden), part(is_hidden)
