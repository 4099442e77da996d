"""The input of an evaluation: tables of a build, and the settings of that build."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import duckdb
import numpy as np
from scipy import sparse

from kindred.matrices import incidence
from kindred.profiles.facets import NEXT_COURSES, read_facets
from kindred.profiles.weighting import Evidence

TABLES = {
    "facets": "main",
    "int_quality_users": "intermediate",
    "int_viewed_courses": "intermediate",
    "int_evidence": "intermediate",
    "int_features": "intermediate",
    "int_user_courses": "intermediate",
    "int_course_tags": "intermediate",
    "int_user_interests": "intermediate",
    "int_user_assessments": "intermediate",
}
"""The tables that `read_platform` reads, and the schema of each in a build."""


@dataclass(frozen=True)
class Platform:
    """All that is known about the users of an evaluation.

    Attributes
    ----------
    evidence
        The evidence for profiles, without predicted next courses: each split predicts them again.
    views
        CSR array of shape (users, courses): 1 where a user viewed a course.
    course_tags
        CSR array of shape (courses, tags): 1 where a course has a tag.
    interests, assessments
        CSR arrays of shape (users, tags): 1 where a user follows a tag, or was assessed in it.
    tie_keys
        int64 array of shape (users,): what orders equally similar users, see `kindred.top_k`.

    """

    evidence: Evidence
    views: sparse.csr_array
    course_tags: sparse.csr_array
    interests: sparse.csr_array
    assessments: sparse.csr_array
    tie_keys: np.ndarray


@dataclass(frozen=True)
class EvaluationSettings:
    """The settings of a build that an evaluation uses; each is the var of the same name."""

    top_k: int
    hub_correction: float
    relation_max_courses: int
    relation_ridge: float
    next_max_courses: int
    cluster_neighbours: int
    cluster_min_samples: int
    cluster_max_share: float
    quality_splits: int
    quality_seed: int
    similarity_threads: int

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> EvaluationSettings:
        """Take the settings from values by name. Numbers may be text; other names are ignored."""
        types: dict[Any, Callable[[Any], Any]] = {"int": int, "float": float}
        return cls(**{each.name: types[each.type](values[each.name]) for each in fields(cls)})


def read_platform(tables: Mapping[str, duckdb.DuckDBPyRelation]) -> Platform:
    """Read a platform from the tables of a build that TABLES names."""
    users = tables["int_quality_users"]
    numbered = tables["int_viewed_courses"]
    features = tables["int_features"].select("facet_number, feature, feature_id, matching_feature_id")
    evidence = columns_of(
        tables["int_evidence"]
        .filter(f"facet != '{NEXT_COURSES}'")
        .join(users, "user_number")
        .join(features, "facet_number, feature")
        .join(numbered, "course_id", how="left")
        .select(
            "user_number, facet_number, feature_id, matching_feature_id, occurrences,"
            " coalesce(course_number, -1) as course_number"
        )
    )
    views = tables["int_user_courses"].join(users, "user_number").join(numbered, "course_id")
    measured = columns_of(users.order("user_number"))
    numbers = measured["user_number"]
    courses = len(numbered)

    def rows_of(columns: dict[str, np.ndarray]) -> np.ndarray:
        return np.searchsorted(numbers, columns["user_number"])

    def tags_of_users(table: str, tag: str) -> sparse.csr_array:
        tagged = columns_of(_with_tag_numbers(tables[table].join(users, "user_number"), "user_number", tag))
        return incidence(rows_of(tagged), tagged["tag_number"], (len(numbers), _count(tagged)))

    viewed = columns_of(views.select("user_number, course_number"))
    tagged = columns_of(
        _with_tag_numbers(tables["int_course_tags"].join(numbered, "course_id"), "course_number", "course_tag")
    )
    return Platform(
        Evidence(
            numbers,
            rows_of(evidence),
            evidence["facet_number"],
            evidence["feature_id"],
            evidence["matching_feature_id"],
            evidence["course_number"],
            evidence["occurrences"],
            read_facets(tables["facets"]),
        ),
        incidence(rows_of(viewed), viewed["course_number"], (len(numbers), courses)),
        incidence(tagged["course_number"], tagged["tag_number"], (courses, _count(tagged))),
        tags_of_users("int_user_interests", "interest_tag"),
        tags_of_users("int_user_assessments", "assessment_tag"),
        measured["tie_key"],
    )


def _with_tag_numbers(table: duckdb.DuckDBPyRelation, owner: str, tag: str) -> duckdb.DuckDBPyRelation:
    """Return who has a tag with a number in place of the tag, which may be long."""
    return table.select(f"{owner}, dense_rank() over (order by {tag}) - 1 as tag_number")


def _count(tagged: dict[str, np.ndarray]) -> int:
    return int(tagged["tag_number"].max(initial=-1)) + 1


def columns_of(table: duckdb.DuckDBPyRelation) -> dict[str, np.ndarray]:
    """Return the columns of a table without nulls."""
    return {name: np.asarray(values) for name, values in table.fetchnumpy().items()}
