"""An activity, in raw spellings, and the profile that it leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Activity:
    """What somebody did, in raw spellings. Blank terms are ignored, and repeated ones count once.

    Attributes
    ----------
    interests
        Tags that are followed.
    courses
        The total seconds for which each course was viewed, 0 or more, by its course_id; None where unknown.
    assessments
        The score in each assessment by its tag, None where unknown. Where two spellings are one assessment, the last
        score counts.

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
        The unknown terms, by "interests", "courses" and "assessments": courses that are not in the warehouse, interests
        that nobody follows, assessments that nobody took.
    mapped
        The canonical tag of each other term that is spelled differently, by "interests" and "assessments".

    """

    features: dict[int, float]
    unknown: dict[str, list[str]]
    mapped: dict[str, dict[str, str]]
