"""What is answered. The models describe it in /openapi.json; no answer is built or checked by them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Version = Annotated[str, Field(description="The version of the warehouse that all of the answer is of.")]

Parts = Annotated[dict[str, float], Field(description="What each facet adds to the similarity; the parts sum to it.")]

ClusterId = Annotated[int, Field(ge=-1, description="-1 for no cluster.")]

Label = Annotated[str | None, Field(description="The subjects that tell the cluster from others; null for none.")]

Moment = Annotated[str | None, Field(description="ISO 8601, as delivered.")]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Reason(_Answer):
    """A feature that two users share, and what it adds to their similarity."""

    facet: str
    feature: str
    contribution: float


class CloseUser(_Answer):
    """A user who is similar to what somebody did."""

    rank: Annotated[int, Field(ge=1)]
    similar_user_handle: int
    similarity: float
    facets: Parts
    cluster_id: ClusterId
    cluster: Label
    reasons: Annotated[list[Reason], Field(description="What adds most, up to three.")]


class SimilarUser(CloseUser):
    """A user who is similar to another. Where some are left out, ranks have gaps: they are those of the whole list."""

    cosine_similarity: Annotated[float, Field(description="How alike the two are in what they did, unweighted.")]
    is_same_profile: Annotated[bool, Field(description="Whether they did exactly the same.")]


class SimilarOfUser(_Answer):
    """A user's similar users, closest first."""

    user_handle: int
    similar: list[SimilarUser]


class SimilarUsers(SimilarOfUser):
    """A user's similar users, closest first, and the version."""

    version: Version


class SimilarOfUsers(_Answer):
    """The similar users of several users, in the order in which they were named."""

    version: Version
    results: list[SimilarOfUser]
    unknown_user_handles: list[int]


class UnknownTerms(_Answer):
    """The terms of which nothing is known."""

    interests: list[str]
    courses: list[str]
    assessments: list[str]


class MappedTerms(_Answer):
    """The canonical tag of each term that is spelled otherwise."""

    interests: dict[str, str]
    assessments: dict[str, str]


class SimilarToActivity(_Answer):
    """The users who are similar to what somebody did, closest first, and how the terms were understood."""

    version: Version
    similar: list[CloseUser]
    unknown: UnknownTerms
    mapped: MappedTerms


class Pair(_Answer):
    """All that two users have in common, whether one is on the other's list or not."""

    user_handle: int
    similar_user_handle: int
    version: Version
    similarity: float
    rank: Annotated[int | None, Field(description="In the first user's list; null if the other is not there.")]
    facets: Parts
    reasons: Annotated[list[Reason], Field(description="Every shared feature, that which adds most first.")]


class UserRow(_Answer):
    """A user in numbers: a row of the table users."""

    user_handle: int
    cluster_id: ClusterId
    cluster: Label
    nearest_cluster_id: ClusterId | None
    nearest_cluster_share: float | None
    neighbourhood_similarity: float
    total_courses: int
    total_views: int
    total_view_seconds: float
    total_authors: int
    total_course_tags: int
    first_view_date: date | None
    last_view_date: date | None
    top_course_tags: list[str]
    main_level: str | None
    total_interests: int
    first_followed_at: Moment
    last_followed_at: Moment
    total_assessments: int
    avg_assessment_score: float | None
    last_assessed_at: Moment


class WeightedFeature(_Answer):
    """A feature of a profile."""

    feature: str
    weight: float


class User(UserRow):
    """A user with all that the profile is made of."""

    version: Version
    profile: Annotated[
        dict[str, list[WeightedFeature]], Field(description="The features of each facet, weightiest first.")
    ]


class Users(_Answer):
    """A page of users, by rising handles."""

    version: Version
    users: list[UserRow]
    next_after: Annotated[int | None, Field(description="The `after` of the next page; null if this is the last.")]


class CourseToTake(_Answer):
    """A course that similar users viewed and the user has not."""

    course_id: str
    users: Annotated[int, Field(description="How many of the similar users viewed it.")]
    summed_similarity: Annotated[float, Field(description="Theirs to the user, by which the courses are sorted.")]
    similar_user_handles: Annotated[list[int], Field(description="Who they are, closest first.")]


class CoursesToTake(_Answer):
    """What users like this one also took."""

    user_handle: int
    version: Version
    courses: list[CourseToTake]


class Health(_Answer):
    """How the server is."""

    status: Literal["ok"]
    code_version: Annotated[str, Field(description="The version of Kindred.")]
    version: Version
    built_at: AwareDatetime
    users: int
    store: Annotated[str, Field(description="The kind of store that is read: the scheme of its URL.")]


class ProblemError(_Answer):
    """What is wrong with one part of a request."""

    location: Annotated[str, Field(description="Where, e.g. query.limit or body.interests.0.")]
    message: str


class Problem(BaseModel):
    """Why a request was not answered (RFC 9457)."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    instance: Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
    errors: Annotated[list[ProblemError], Field(description="Of 422 only.")] = []
