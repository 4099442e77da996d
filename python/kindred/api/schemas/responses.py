"""The answers. The models describe them in /openapi.json; they neither build nor check an answer."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Handle = Annotated[int | str, Field(description="A number, or text where the warehouse has text (handle_type).")]

Version = Annotated[str, Field(description="The version of the warehouse that the whole answer comes from.")]

Parts = Annotated[dict[str, float], Field(description="What each facet adds to the similarity; the parts sum to it.")]

ClusterId = Annotated[int, Field(ge=-1, description="-1 for no cluster.")]

Label = Annotated[str | None, Field(description="The tags that are typical of the cluster; null for none.")]

Moment = Annotated[str | None, Field(description="ISO 8601, as the input has it.")]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Reason(_Answer):
    """A feature that two users share, and what it adds to their similarity."""

    facet: str
    feature: str
    contribution: float


class CloseUser(_Answer):
    """A user who is similar to somebody who is not in the warehouse."""

    rank: Annotated[int, Field(ge=1)]
    similar_user_handle: Handle
    similarity: float
    facets: Parts
    cluster_id: ClusterId
    cluster: Label
    reasons: Annotated[list[Reason], Field(description="The reasons that add most, up to three.")]


class SimilarUser(CloseUser):
    """A user who is similar to another. Ranks are those of the whole list: they have gaps if users are left out."""

    cosine_similarity: Annotated[float, Field(description="The similarity of what the two did, without weights.")]
    is_same_profile: Annotated[bool, Field(description="Whether they did exactly the same.")]


class SimilarOfUser(_Answer):
    """A user's similar users, most similar first."""

    user_handle: Handle
    similar: list[SimilarUser]


class SimilarUsers(SimilarOfUser):
    """A user's similar users, most similar first, and the version."""

    version: Version


class SimilarOfUsers(_Answer):
    """The similar users of several users, in the order in which the request names them."""

    version: Version
    results: list[SimilarOfUser]
    unknown_user_handles: list[Handle]


class UnknownTerms(_Answer):
    """The terms that the warehouse does not know."""

    interests: list[str]
    courses: list[str]
    assessments: list[str]


class MappedTerms(_Answer):
    """The canonical tag of each term that is spelled differently."""

    interests: dict[str, str]
    assessments: dict[str, str]


class SimilarToActivity(_Answer):
    """The users most similar to somebody who is not in the warehouse, and how the terms were understood."""

    version: Version
    similar: list[CloseUser]
    unknown: UnknownTerms
    mapped: MappedTerms


class Pair(_Answer):
    """Everything that two users have in common, whether or not one is on the other's list."""

    user_handle: Handle
    similar_user_handle: Handle
    version: Version
    similarity: float
    rank: Annotated[int | None, Field(description="In the first user's list; null if the other is not on it.")]
    facets: Parts
    reasons: Annotated[list[Reason], Field(description="Every shared feature, largest contribution first.")]


class UserRow(_Answer):
    """A user in numbers: a row of the table users."""

    user_handle: Handle
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
    """A user with all features of the profile."""

    version: Version
    profile: Annotated[
        dict[str, list[WeightedFeature]], Field(description="The features of each facet, largest weight first.")
    ]


class UsersPage(_Answer):
    """A page of users, in the order of their handles."""

    version: Version
    users: list[UserRow]
    next_after: Annotated[str | None, Field(description="The `after` of the next page; null if this is the last.")]


class CourseToTake(_Answer):
    """A course that similar users viewed and the user has not."""

    course_id: str
    users: Annotated[int, Field(description="How many similar users viewed it.")]
    summed_similarity: Annotated[float, Field(description="The sum of their similarities; the largest comes first.")]
    similar_user_handles: Annotated[list[Handle], Field(description="Those users, most similar first.")]


class CoursesToTake(_Answer):
    """Courses that similar users viewed and the user has not."""

    user_handle: Handle
    version: Version
    courses: list[CourseToTake]


class Health(_Answer):
    """The health of the server."""

    status: Literal["ok"]
    code_version: Annotated[str, Field(description="The version of Kindred.")]
    version: Version
    built_at: AwareDatetime
    users: int
    store: Annotated[str, Field(description="The kind of store: the scheme of its URL.")]


class ProblemError(_Answer):
    """What is wrong with one part of a request."""

    location: Annotated[str, Field(description="The part, e.g. query.limit or body.interests.0.")]
    message: str


class Problem(BaseModel):
    """Why a request was refused or failed (RFC 9457)."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    instance: Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
    errors: Annotated[list[ProblemError], Field(description="With 422 only.")] = []
