"""Profiles of users who are not in the warehouse: the weights that it gives to a user who did the same."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from kindred.fold_in.activity import Activity, Encoded
from kindred.fold_in.spelling import cleaned, spelling_key
from kindred.matrices import incidence
from kindred.profiles.facets import Facet
from kindred.profiles.next_courses import next_courses
from kindred.profiles.weighting import weigh_occurrences

if TYPE_CHECKING:
    import duckdb

VOCABULARIES = ("interest", "course", "assessment")
"""The vocabularies of tag_map, in the order in which a term is searched that its own vocabulary lacks."""

TABLES = {
    "settings": "select settings_json from build_info",
    "usual_view_seconds": "select usual_view_seconds from build_info",
    "score_bands": "select assessment_tag, below_score, label from score_bands order by assessment_tag, band_number",
    "facets": """
        select facet_number, facet, weight_share, count_power, idf_power, confidence_prior, matching_facet_number
        from facets
        order by facet_number
    """,
    "features": "select feature_id, matching_feature_id, facet, feature, rarity from features order by feature_id",
    "spellings": "select vocabulary, raw_tag, canonical_tag from tag_map order by vocabulary, raw_tag",
    "bundles": "select canonical_tag, interest_bundle from tags where interest_bundle is not null",
    "courses": """
        select course_id, list_concat(course_tags, []) as course_tags, author_handle, level
        from courses
        order by course_id
    """,
    "relations": """
        with numbered as (select course_id, row_number() over (order by course_id) - 1 as course_number from courses)

        select one.course_number, other.course_number, course_relations.strength
        from course_relations
        inner join numbered as one on course_relations.course_id = one.course_id
        inner join numbered as other on course_relations.next_course_id = other.course_id
        order by all
    """,
}
"""The content of an encoder, as queries of the published warehouse."""

FULL_VIEW_SHARE = 0.25
"""The share of the usual time from which a view counts in full, see int_view_evidence."""


class Feature(NamedTuple):
    """A feature that a profile can have: see the table features."""

    matching_id: int
    facet: str
    name: str
    rarity: float


class Course(NamedTuple):
    """A course, with its place among all courses in the order of their ids."""

    number: int
    tags: list[str]
    author: str | None
    level: str | None


class Encoder:
    """Turns activities into profiles. It never changes once it is made, so threads may share it.

    Attributes
    ----------
    content
        Everything that the encoder is made of, as JSON.
    settings
        The settings of the build by their names.
    facets
        The facets in the order of their numbers, with shares of the weight as weights.
    features
        The features by feature_id.

    """

    def __init__(self, content: str):
        """Make an encoder from the content of another one."""
        tables = json.loads(content)
        self.content = content
        self.settings: dict[str, Any] = json.loads(tables["settings"][0][0])
        self._usual_view_seconds: float | None = tables["usual_view_seconds"][0][0]
        self._score_bands: dict[str, list[tuple[float | None, str]]] = defaultdict(list)
        for tag, below, label in tables["score_bands"]:
            self._score_bands[tag].append((below, label))
        self.facets = [Facet(*row) for row in tables["facets"]]
        self.features = {feature_id: Feature(*row) for feature_id, *row in tables["features"]}
        self._ids = {(feature.facet, feature.name): feature_id for feature_id, feature in self.features.items()}
        self._spellings = {(vocabulary, raw): tag for vocabulary, raw, tag in tables["spellings"]}
        self._keys: dict[tuple[str, str], str] = {}
        for vocabulary, raw, tag in tables["spellings"]:
            self._keys.setdefault((vocabulary, self._key_of(raw)), tag)
        self._bundles: dict[str, str] = dict(tables["bundles"])
        self._courses = {
            course: Course(number, tags, None if author is None else str(author), level)
            for number, (course, tags, author, level) in enumerate(tables["courses"])
        }
        self._course_ids = list(self._courses)
        led, led_to, strengths = zip(*tables["relations"], strict=True) if tables["relations"] else ((), (), ())
        self._relations = sparse.csr_array(
            (np.array(strengths, dtype=np.float64), (np.array(led, dtype=np.int64), np.array(led_to, dtype=np.int64))),
            shape=(len(self._courses), len(self._courses)),
        )

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> Encoder:
        """Read an encoder from the published warehouse; raises duckdb.Error where a table or column is missing."""
        return cls(json.dumps({name: connection.execute(query).fetchall() for name, query in TABLES.items()}))

    def encode(self, activity: Activity) -> Encoded:
        """Weigh an activity as the facet models and int_profiles weigh the evidence of a user.

        A feature that nobody has counts for nothing: it has no weight and takes none from others. The same holds for
        views below min_view_seconds, and for facets that the vars declare in addition to those of the project.
        """
        courses, assessed = cleaned(activity.courses), cleaned(activity.assessments)
        interests, unknown_interests = self._known("interests", cleaned(dict.fromkeys(activity.interests)))
        assessments, unknown_assessments = self._known("assessments", assessed)
        least = self.settings["min_view_seconds"]
        viewed = {course: seconds for course, seconds in courses.items() if seconds is None or seconds >= least}
        scores: dict[str, float | None] = {}
        for term, tag in assessments.items():
            scores[tag] = scores.get(tag) if assessed[term] is None else assessed[term]

        occurrences = self._occurrences_of_courses(viewed) | {
            "interests": Counter(self._bundles[tag] for tag in set(interests.values())),
            "assessments": self._occurrences_of_scores(scores),
        }
        return Encoded(
            self._weigh(occurrences),
            {
                "interests": unknown_interests,
                "courses": [course for course in courses if course not in self._courses],
                "assessments": unknown_assessments,
            },
            {
                "interests": {term: tag for term, tag in interests.items() if term != tag},
                "assessments": {term: tag for term, tag in assessments.items() if term != tag},
            },
        )

    def _known(self, facet: str, terms: Iterable[str]) -> tuple[dict[str, str], list[str]]:
        """Return the canonical tag of each term that somebody has in a facet, and the other terms."""
        known: dict[str, str] = {}
        unknown: list[str] = []
        for term in terms:
            tag = self._canonical_tag(facet.removesuffix("s"), term)
            feature = self._bundles.get(tag or "") if facet == "interests" else tag
            if tag is not None and feature is not None and (facet, feature) in self._ids:
                known[term] = tag
            else:
                unknown.append(term)
        return known, unknown

    def _key_of(self, term: str) -> str:
        return spelling_key(term, self.settings["tag_symbols"])

    def _canonical_tag(self, vocabulary: str, term: str) -> str | None:
        """Look a term up: as it is spelled, then by its key, in its own vocabulary before the others."""
        vocabularies = sorted(VOCABULARIES, key=lambda name: name != vocabulary)
        for spellings, spelling in ((self._spellings, term), (self._keys, self._key_of(term))):
            for name in vocabularies:
                if (name, spelling) in spellings:
                    return spellings[name, spelling]
        return None

    def _occurrences_of_courses(self, seconds: Mapping[str, float | None]) -> dict[str, Mapping[str, float]]:
        """Return the occurrences of every feature by facet, for all facets that come from courses."""
        courses = {course: self._courses[course] for course in seconds if course in self._courses}
        shares = _evidence_shares(seconds, self._usual_view_seconds, self.settings["glance_weight"])
        tags: dict[str, float] = defaultdict(float)
        authors: dict[str, float] = defaultdict(float)
        levels: dict[str, float] = defaultdict(float)
        for name, course in courses.items():
            for tag in course.tags:
                tags[tag] += shares[name] / len(course.tags)
            if course.author is not None:
                authors[course.author] += shares[name]
            if course.level is not None:
                levels[course.level] += shares[name]
        return {
            "courses": {course: shares[course] for course in courses},
            "course_tags": tags,
            "next_courses": self._next_courses([course.number for course in courses.values()]),
            "taken_courses": dict.fromkeys(courses, 1),
            "view_time": _view_time(seconds, self.settings["view_time_max_medians"]),
            "authors": authors,
            "levels": levels,
        }

    def _next_courses(self, numbers: list[int]) -> dict[str, float]:
        """Return how strongly courses, by their numbers, lead to those that come next."""
        rows, columns = np.zeros(len(numbers), dtype=np.int64), np.array(numbers, dtype=np.int64)
        viewed = incidence(rows, columns, (1, len(self._courses)))
        _, led_to, strengths = next_courses(viewed, self._relations, k=self.settings["next_max_courses"])
        return {
            self._course_ids[number]: strength
            for number, strength in zip(led_to.tolist(), strengths.tolist(), strict=True)
        }

    def _occurrences_of_scores(self, scores: Mapping[str, float | None]) -> dict[str, float]:
        """Return the occurrences of assessments and score bands, see facet_assessments."""
        band_weight = self.settings["score_band_weight"]
        occurrences: dict[str, float] = dict.fromkeys(scores, 1)
        for tag, score in scores.items():
            if score is not None and band_weight > 0:
                bands = self._score_bands[tag]
                label = next(label for below, label in bands if below is None or score < below)
                occurrences[f"{tag} ({label})"] = band_weight
        return occurrences

    def _weigh(self, occurrences: Mapping[str, Mapping[str, float]]) -> dict[int, float]:
        """Return the weight of each feature by its id, from the occurrences of features by facet, see int_profiles."""
        ids: list[int] = []
        places: list[int] = []
        counts: list[float] = []
        for place, facet in enumerate(self.facets):
            for feature, times in occurrences.get(facet.name, {}).items():
                feature_id = self._ids.get((facet.name, feature))
                if feature_id is not None and facet.weight > 0:
                    ids.append(feature_id)
                    places.append(place)
                    counts.append(times)
        if not ids:
            return {}
        columns = np.arange(len(ids))
        profile = sparse.csr_array((np.array(counts), (np.zeros_like(columns), columns)), shape=(1, len(ids)))
        rarity = np.array([self.features[feature_id].rarity for feature_id in ids])
        weighted = weigh_occurrences(profile, self.facets, np.array(places), rarity)
        weights = weighted.data * np.sqrt([self.facets[place].weight for place in places])
        return dict(zip(ids, weights.tolist(), strict=True))


def _evidence_shares(
    seconds: Mapping[str, float | None], usual_seconds: float | None, glance_weight: float
) -> dict[str, float]:
    """Return how much each view is evidence, see int_view_evidence; views of unknown length count in full."""
    known = [viewed for viewed in seconds.values() if viewed is not None]
    if not known or usual_seconds is None:
        return dict.fromkeys(seconds, 1.0)
    full = FULL_VIEW_SHARE * max(median(known), usual_seconds)
    return {
        course: 1.0 if viewed is None or viewed >= full else max(viewed / full, glance_weight)
        for course, viewed in seconds.items()
    }


def _view_time(seconds: Mapping[str, float | None], max_medians: float) -> dict[str, float]:
    """Return each view as a multiple of the user's own median, see facet_view_time; nothing for unknown seconds."""
    known = {course: viewed for course, viewed in seconds.items() if viewed is not None}
    middle = median(known.values()) if known else 0
    if middle == 0:
        return {}
    return {course: min(viewed / middle, max_medians) for course, viewed in known.items() if viewed > 0}
