"""The parameters and bodies of requests, with their limits."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated
from urllib.parse import unquote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from kindred.lookups import ClusterFilter
from kindred.stores.base import MAX_NUMBER
from kindred.stores.base import Handle as AnyHandle

MAX_HANDLE_LENGTH = 200
"""The longest handle that a warehouse has, in characters."""

MAX_ROWS = 100

MAX_USERS = 100

MAX_TERMS = 500

MAX_AMOUNT = 1e9

TAG_MARK = "~"
"""Begins the tags that tell alternatives apart; the location of an error leaves them out."""

NUMBER_TAG = f"{TAG_MARK}number"

TEXT_TAG = f"{TAG_MARK}text"

OBJECT_TAG = f"{TAG_MARK}object"

TERM_FIELDS = ("interests", "courses", "assessments")


def _whole(number: object) -> object:
    """Return 42 for 42.0: JSON does not tell them apart."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _text_or_number(handle: object) -> str:
    return TEXT_TAG if isinstance(handle, str) else NUMBER_TAG


def cursor_after(user_handle: AnyHandle) -> str:
    """Return the opaque text that stands for the place after a user."""
    return urlsafe_b64encode(str(user_handle).encode()).decode().rstrip("=")


def handle_before(cursor: str) -> str | None:
    """Return the handle that `cursor_after` made a cursor of, as text; None if it made no such cursor."""
    try:
        handle = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        return None
    return handle if cursor_after(handle) == cursor else None


HandleText = Annotated[str, Field(min_length=1, max_length=MAX_HANDLE_LENGTH)]

PathHandle = Annotated[
    HandleText,
    Field(description="The handle of a user, a number or percent-encoded text.", examples=["42"]),
    BeforeValidator(unquote),  # the middleware PathSegments leaves slashes and percent signs encoded
]

Handle = Annotated[
    Annotated[int, Field(ge=-MAX_NUMBER, le=MAX_NUMBER), Tag(NUMBER_TAG)] | Annotated[HandleText, Tag(TEXT_TAG)],
    Field(description="The handle of a user, as a number or as text.", examples=[42]),
    Discriminator(_text_or_number),
    BeforeValidator(_whole),
]

Limit = Annotated[int, Field(ge=1, le=MAX_ROWS, description="The largest number of results."), BeforeValidator(_whole)]

MinSimilarity = Annotated[float, Field(ge=0, le=1, description="Leave out users who are less similar.")]

Term = Annotated[str, Field(min_length=1, max_length=200)]

Amount = Annotated[float, Field(ge=0, le=MAX_AMOUNT, allow_inf_nan=False)]


class Selection(BaseModel):
    """Which of the similar users to list."""

    model_config = ConfigDict(extra="forbid")

    limit: Limit = 10
    min_similarity: MinSimilarity = 0.0
    cluster: Annotated[
        ClusterFilter,
        Field(description="same: users of the same cluster (none if the user is in none); other: all other users."),
    ] = "any"
    exclude_same_profile: Annotated[
        bool, Field(description="Leave out users who followed, viewed and were assessed in exactly the same.")
    ] = False


class Paging(BaseModel):
    """Which page of users to list."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[
        str, Field(min_length=1, max_length=1200, description="Only users after the last page: its next_after.")
    ] = None  # type: ignore[assignment]  # with str | None, the parameter itself could be null
    limit: Limit = 20
    cluster: Annotated[
        int, Field(ge=-1, le=MAX_NUMBER, description="Only users of the cluster with this id; -1: users in no cluster.")
    ] = None  # type: ignore[assignment]  # with int | None, the parameter itself could be null


class Count(BaseModel):
    """How many results to list."""

    model_config = ConfigDict(extra="forbid")

    limit: Limit = 10


class _Body(BaseModel):
    """A JSON body: only the named members, each of exactly its type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class CourseView(_Body):
    """A course, and how long it was viewed."""

    course_id: Term
    view_seconds: Annotated[Amount | None, Field(description="In total; null if that is not known.")] = None


class Assessment(_Body):
    """An assessment, and its score."""

    tag: Term
    score: Annotated[Amount | None, Field(description="null if that is not known.")] = None


def _text_or_object(item: object) -> str:
    return OBJECT_TAG if isinstance(item, dict | BaseModel) else TEXT_TAG


class ActivityQuestion(_Body):
    """What somebody who is not in the warehouse did. Spellings are mapped as the warehouse maps them."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": [name], "properties": {name: {"minItems": 1}}} for name in TERM_FIELDS],
            "examples": [
                {
                    "interests": ["python", "data-analysis"],
                    "courses": ["python-fundamentals", {"course_id": "pandas-fundamentals", "view_seconds": 1800}],
                    "assessments": ["sql", {"tag": "python", "score": 180}],
                    "limit": 5,
                }
            ],
        }
    )

    interests: Annotated[list[Term], Field(max_length=MAX_TERMS, description="Tags that they follow.")] = []
    courses: Annotated[
        list[
            Annotated[
                Annotated[Term, Tag(TEXT_TAG)] | Annotated[CourseView, Tag(OBJECT_TAG)], Discriminator(_text_or_object)
            ]
        ],
        Field(max_length=MAX_TERMS, description="Courses viewed; if one is named twice, the last counts."),
    ] = []
    assessments: Annotated[
        list[
            Annotated[
                Annotated[Term, Tag(TEXT_TAG)] | Annotated[Assessment, Tag(OBJECT_TAG)], Discriminator(_text_or_object)
            ]
        ],
        Field(max_length=MAX_TERMS, description="Assessments taken; if one is named twice, the last counts."),
    ] = []
    limit: Limit = 10
    min_similarity: MinSimilarity = 0.0

    @model_validator(mode="after")
    def _has_a_term(self) -> ActivityQuestion:
        if not (self.interests or self.courses or self.assessments):
            raise PydanticCustomError("no_term", "Name at least one interest, course or assessment")
        return self

    def seconds_by_course(self) -> dict[str, float | None]:
        """Return how long each course was viewed, in seconds."""
        return dict(
            (item, None) if isinstance(item, str) else (item.course_id, item.view_seconds) for item in self.courses
        )

    def score_by_tag(self) -> dict[str, float | None]:
        """Return the score of each assessment."""
        return dict((item, None) if isinstance(item, str) else (item.tag, item.score) for item in self.assessments)


class UserQuestion(Selection):
    """A question for the similar users of one user."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"examples": [{"user_handle": 42, "limit": 5, "cluster": "same"}]}
    )

    user_handle: Handle


class UsersQuestion(Selection):
    """A question for the similar users of several users."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"user_handles": [42, 77], "limit": 3}]})

    user_handles: Annotated[
        list[Handle],
        Field(min_length=1, max_length=MAX_USERS, description="Their handles; one that is named twice counts once."),
    ]


def _kind_of(body: object) -> str:
    for name in ("user_handle", "user_handles"):
        if isinstance(body, dict) and name in body:
            return f"~{name}"
    return "~activity"


Invocation = Annotated[
    Annotated[UserQuestion, Tag("~user_handle")]
    | Annotated[UsersQuestion, Tag("~user_handles")]
    | Annotated[ActivityQuestion, Tag("~activity")],
    Discriminator(_kind_of),
]
"""Any of the questions, told apart by their members."""
