"""Profiles of what somebody did, in raw spellings: the weights that the warehouse gives to a user who did the same."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from scipy import sparse

from kindred.matrices import incidence
from kindred.profiles.next_courses import next_courses

if TYPE_CHECKING:
    import duckdb


Value = TypeVar("Value")

VOCABULARIES = ("interest", "course", "assessment")
"""The vocabularies of tag_map, in the order in which one that is not a term's own is searched."""

MOST_MEDIANS = 4
"""So many medians of somebody's views a view counts at most, see facet_view_time."""

BLANKS = " \t\r\n"
"""What counts for nothing around a text, see the macro clean_text."""

TABLES = {
    "settings": "select settings_json from build_info",
    "facets": "select facet, weight_share, count_power, confidence_prior from facets order by facet_number",
    "features": "select feature_id, matching_feature_id, facet, feature, rarity from features order by feature_id",
    "spellings": "select vocabulary, raw_tag, canonical_tag from tag_map order by vocabulary, raw_tag",
    "bundles": "select canonical_tag, interest_bundle from tags where interest_bundle is not null",
    "courses": """
        select course_id, course_tags, total_course_tags, author_handle, level from courses order by course_id
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
"""What an encoder is made of, by queries of the published warehouse."""


@dataclass(frozen=True)
class Activity:
    """What somebody did, in raw spellings. Blank terms are ignored, and repeated ones count once.

    Attributes
    ----------
    interests
        Tags that are followed.
    courses
        The seconds for which each course was viewed in all, 0 or more, by its course_id; None where that is not known.
    assessments
        The score in each assessment by its tag, None where that is not known. Where two spellings are one assessment,
        the last score counts.

    """

    interests: Sequence[str] = ()
    courses: Mapping[str, float | None] = field(default_factory=dict)
    assessments: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Encoded:
    """An activity as a profile.

    Attributes
    ----------
    features
        The weight of each feature by its feature_id, as user_features would have it.
    unknown
        The terms of which nothing is known, by "interests", "courses" and "assessments": courses that are not in the
        warehouse, interests that nobody follows, assessments that nobody took.
    mapped
        The canonical tag of each other term that is spelled otherwise, by "interests" and "assessments".

    """

    features: dict[int, float]
    unknown: dict[str, list[str]]
    mapped: dict[str, dict[str, str]]


class Facet(NamedTuple):
    """How a kind of evidence counts: see the table facets."""

    name: str
    weight_share: float
    count_power: float
    confidence_prior: float


class Feature(NamedTuple):
    """What a profile can hold: see the table features."""

    matching_id: int
    facet: str
    name: str
    rarity: float


class Course(NamedTuple):
    """What is known of a course, with its place among all courses by their ids."""

    number: int
    tags: list[str]
    author: str | None
    level: str | None


class Encoder:
    """What turns activities into profiles: nothing of it changes once it is made, so that threads may share it.

    Attributes
    ----------
    content
        All that the encoder is made of, as JSON.
    settings
        The settings of the build by their names.
    facets
        The facets in the order of their numbers.
    features
        The features by feature_id.

    """

    def __init__(self, content: str):
        """Make an encoder from the content of another one."""
        tables = json.loads(content)
        self.content = content
        self.settings: dict = json.loads(tables["settings"][0][0])
        self.facets = [Facet(*row) for row in tables["facets"]]
        self.features = {feature_id: Feature(*row) for feature_id, *row in tables["features"]}
        self._ids = {(feature.facet, feature.name): feature_id for feature_id, feature in self.features.items()}
        self._spellings = {(vocabulary, raw): tag for vocabulary, raw, tag in tables["spellings"]}
        self._keys: dict[tuple[str, str], str] = {}
        for vocabulary, raw, tag in tables["spellings"]:
            self._keys.setdefault((vocabulary, spelling_key(raw)), tag)
        self._bundles: dict[str, str] = dict(tables["bundles"])
        course_tags = {tag for vocabulary, _, tag in tables["spellings"] if vocabulary == "course"}
        self._courses = {
            course: Course(
                number,
                (split_tags(tags, count, course_tags) or []) if tags else [],
                None if author is None else str(author),
                level,
            )
            for number, (course, tags, count, author, level) in enumerate(tables["courses"])
        }
        self._course_ids = list(self._courses)
        led, led_to, strengths = zip(*tables["relations"], strict=True) if tables["relations"] else ((), (), ())
        self._relations = sparse.csr_array(
            (np.array(strengths, dtype=np.float64), (np.array(led, dtype=np.int64), np.array(led_to, dtype=np.int64))),
            shape=(len(self._courses), len(self._courses)),
        )

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> Encoder:
        """Read what is needed from the published warehouse; raises duckdb.Error where a table or column lacks."""
        return cls(json.dumps({name: connection.execute(query).fetchall() for name, query in TABLES.items()}))

    def encode(self, activity: Activity) -> Encoded:
        """Weigh an activity as the facet models and int_profiles weigh the evidence of a user.

        A feature that nobody has counts for nothing: neither has it a weight, nor does it take from that of others.
        The same holds for views so short that they are no evidence (min_view_seconds), and for facets that the vars
        declare beside those of the project.
        """
        courses, assessed = _cleaned(activity.courses), _cleaned(activity.assessments)
        interests, unknown_interests = self._known("interests", _cleaned(dict.fromkeys(activity.interests)))
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
        features: dict[int, float] = {}
        for facet in self.facets:
            features |= self._weigh(facet, occurrences.get(facet.name, {}))
        return Encoded(
            features,
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
        known, unknown = {}, []
        for term in terms:
            tag = self._canonical_tag(facet.removesuffix("s"), term)
            if (facet, self._bundles.get(tag) if facet == "interests" else tag) in self._ids:
                known[term] = tag
            else:
                unknown.append(term)
        return known, unknown

    def _canonical_tag(self, vocabulary: str, term: str) -> str | None:
        """Look a term up: as it is spelled, then by its key, in its own vocabulary before the others."""
        vocabularies = sorted(VOCABULARIES, key=lambda name: name != vocabulary)
        for spellings, spelling in ((self._spellings, term), (self._keys, spelling_key(term))):
            for name in vocabularies:
                if (name, spelling) in spellings:
                    return spellings[name, spelling]
        return None

    def _occurrences_of_courses(self, seconds: Mapping[str, float | None]) -> dict[str, Mapping[str, float]]:
        """Return the occurrences of every feature by facet, for all facets that come from courses."""
        courses = {course: self._courses[course] for course in seconds if course in self._courses}
        tags: Counter[str] = Counter()
        for course in courses.values():
            for tag in course.tags:
                tags[tag] += 1 / len(course.tags)
        return {
            "courses": dict.fromkeys(courses, 1),
            "course_tags": tags,
            "next_courses": self._next_courses([course.number for course in courses.values()]),
            "taken_courses": dict.fromkeys(courses, 1),
            "view_time": _view_time(seconds),
            "authors": Counter(course.author for course in courses.values() if course.author is not None),
            "levels": Counter(course.level for course in courses.values() if course.level is not None),
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
        edges, band_weight = self.settings["score_band_edges"], self.settings["score_band_weight"]
        occurrences: dict[str, float] = dict.fromkeys(scores, 1)
        for tag, score in scores.items():
            if score is not None and band_weight > 0:
                above = next((edge for edge in edges if score < edge), None)
                band = f"score {edges[-1]} or more" if above is None else f"score below {above}"
                occurrences[f"{tag} ({band})"] = band_weight
        return occurrences

    def _weigh(self, facet: Facet, occurrences: Mapping[str, float]) -> dict[int, float]:
        """Return the weight of each feature of a facet by its id, see int_profiles."""
        evidence = {
            self._ids[facet.name, feature]: times**facet.count_power
            for feature, times in occurrences.items()
            if (facet.name, feature) in self._ids
        }
        if not evidence or facet.weight_share == 0:
            return {}
        total = sum(evidence.values())
        weights = {feature_id: part * self.features[feature_id].rarity for feature_id, part in evidence.items()}
        confidence = total / (total + facet.confidence_prior)
        factor = math.sqrt(facet.weight_share * confidence) / math.hypot(*weights.values())
        return {feature_id: weight * factor for feature_id, weight in weights.items()}


def spelling_key(tag: str) -> str:
    """Return the key under which spellings that differ in case and punctuation meet: the macro tag_key at level 1."""
    lower = tag.lower()
    return "".join(letter for letter in lower if letter.isalnum() or letter in "#+") or lower


def split_tags(text: str, count: int, tags: set[str]) -> list[str] | None:
    """Split known tags that are joined by ', ', which a tag may hold itself.

    Returns
    -------
    So many of the known tags as should be there, None where the text is no such list.

    """
    parts = [text] if count == 1 else text.split(", ")
    if len(parts) <= count:
        return parts if len(parts) == count and tags.issuperset(parts) else None
    for taken in range(1, len(parts)):
        first = ", ".join(parts[:taken])
        rest = split_tags(", ".join(parts[taken:]), count - 1, tags) if first in tags else None
        if rest is not None:
            return [first, *rest]
    return None


def _cleaned(terms: Mapping[str, Value]) -> dict[str, Value]:
    """Return terms without blanks around them and without those that are blank."""
    return {term: value for raw, value in terms.items() if (term := raw.strip(BLANKS))}


def _view_time(seconds: Mapping[str, float | None]) -> dict[str, float]:
    """Return how many of one's own medians every view took, see facet_view_time; nothing where that is not known."""
    known = {course: viewed for course, viewed in seconds.items() if viewed is not None}
    middle = median(known.values()) if known else 0
    if middle == 0:
        return {}
    return {course: min(viewed / middle, MOST_MEDIANS) for course, viewed in known.items() if viewed > 0}
