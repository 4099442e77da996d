"""The handlers of the endpoints: each reads its answer from one version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import HTTPException

from kindred import __version__, errors, lookups
from kindred.api.problems import NO_PAGE
from kindred.api.schemas.requests import ActivityQuestion, Paging, Selection, cursor_after, handle_before
from kindred.fold_in.activity import Activity
from kindred.stores.base import Handle, Reader


def similar_of_user(reader: Reader, user_handle: Handle, selection: Selection) -> dict[str, Any]:
    """Return SimilarUsers."""
    return {"version": reader.edition.version, **_similar(reader, user_handle, selection)}


def similar_of_users(reader: Reader, user_handles: Iterable[Handle], selection: Selection) -> dict[str, Any]:
    """Return SimilarOfUsers; users who are unknown are listed apart."""
    results: dict[Handle, dict[str, Any]] = {}
    unknown: list[Handle] = []
    for asked in dict.fromkeys(user_handles):
        try:
            found = _similar(reader, asked, selection)
        except errors.UnknownUserError:
            unknown.append(asked)
        else:
            results.setdefault(found["user_handle"], found)
    return {"version": reader.edition.version, "results": list(results.values()), "unknown_user_handles": unknown}


def similar_to_activity(reader: Reader, question: ActivityQuestion) -> dict[str, Any]:
    """Return SimilarToActivity."""
    activity = Activity(question.interests, question.seconds_by_course(), question.score_by_tag())
    found = lookups.similar_to_activity(reader, activity, limit=question.limit, min_similarity=question.min_similarity)
    return {"version": reader.edition.version, **found}


def pair(reader: Reader, user_handle: Handle, other_handle: Handle) -> dict[str, Any]:
    """Return Pair."""
    return {"version": reader.edition.version, **lookups.explain(reader, user_handle, other_handle)}


def user(reader: Reader, user_handle: Handle) -> dict[str, Any]:
    """Return User."""
    return {"version": reader.edition.version, **_listed_tags(lookups.profile(reader, user_handle))}


def users(reader: Reader, paging: Paging) -> dict[str, Any]:
    """Return UsersPage."""
    after = None
    if paging.after is not None:
        after = reader.edition.handle(handle_before(paging.after) or "")
        if after is None:
            raise HTTPException(404, NO_PAGE)
    # One user more than the page holds shows whether there is another page.
    rows = lookups.users_page(reader, after, paging.limit + 1, paging.cluster)
    page = [_listed_tags(row) for row in rows[: paging.limit]]
    next_after = cursor_after(page[-1]["user_handle"]) if len(rows) > paging.limit else None
    return {"version": reader.edition.version, "users": page, "next_after": next_after}


def courses_to_take(reader: Reader, user_handle: Handle, limit: int) -> dict[str, Any]:
    """Return CoursesToTake."""
    user_handle = lookups.handle_in(reader, user_handle)
    courses = lookups.courses_to_take(reader, user_handle, limit)
    return {"version": reader.edition.version, "user_handle": user_handle, "courses": courses}


def health(reader: Reader, store: str) -> dict[str, Any]:
    """Return Health."""
    return {
        "status": "ok",
        "code_version": __version__,
        "version": reader.edition.version,
        "built_at": f"{reader.edition.built_at}Z",
        "users": reader.edition.users,
        "store": store,
    }


def _similar(reader: Reader, user_handle: Handle, selection: Selection) -> dict[str, Any]:
    user_handle = lookups.handle_in(reader, user_handle)
    similar = lookups.similar_users(
        reader,
        user_handle,
        limit=selection.limit,
        min_similarity=selection.min_similarity,
        cluster=selection.cluster,
        exclude_same_profile=selection.exclude_same_profile,
    )
    return {"user_handle": user_handle, "similar": similar}


def _listed_tags(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of users with an empty list in place of null for a user whose courses have no tags."""
    return {**row, "top_course_tags": row["top_course_tags"] or []}
