"""The endpoints for users who are in the warehouse."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from kindred.api import handlers
from kindred.api.openapi import answered, refused
from kindred.api.routers.dependencies import executor_of, needs_json
from kindred.api.schemas import examples, responses
from kindred.api.schemas.requests import Count, Paging, PathHandle, Selection, UsersQuestion

router = APIRouter(tags=["users"])


@router.get(
    "/users/{user_handle}/similar",
    response_model=responses.SimilarUsers,
    responses=answered("The similar users.", examples.SIMILAR_USERS) | refused(404, 422, 429, 503),
)
async def list_similar(request: Request, user_handle: PathHandle, selection: Annotated[Selection, Query()]) -> Response:
    """List a user's similar users, most similar first, with the reasons."""
    lookup = partial(handlers.similar_of_user, user_handle=user_handle, selection=selection)
    return await executor_of(request).answer(lookup)


@router.get(
    "/users",
    response_model=responses.UsersPage,
    responses=answered("A page of users.", examples.USERS) | refused(404, 422, 429, 503),
)
async def list_users(request: Request, paging: Annotated[Paging, Query()]) -> Response:
    """List users in the order of their handles, of one cluster or all, page by page."""
    return await executor_of(request).answer(partial(handlers.users, paging=paging))


@router.post(
    "/users/similar",
    response_model=responses.SimilarOfUsers,
    responses=answered("The similar users of each.", examples.SIMILAR_OF_USERS) | refused(400, 413, 415, 422, 429, 503),
    dependencies=[Depends(needs_json)],
)
async def list_similar_of_users(request: Request, question: UsersQuestion) -> Response:
    """List the similar users of several users at once. Users who are unknown are listed apart."""
    lookup = partial(handlers.similar_of_users, user_handles=question.user_handles, selection=question)
    return await executor_of(request).answer(lookup, is_slow=True)


@router.get(
    "/users/{user_handle}",
    response_model=responses.User,
    responses=answered("The user.", examples.USER) | refused(404, 422, 429, 503),
)
async def show_user(request: Request, user_handle: PathHandle) -> Response:
    """Show a user in numbers, with the cluster and all features of the profile."""
    return await executor_of(request).answer(partial(handlers.user, user_handle=user_handle))


@router.get(
    "/users/{user_handle}/similar/{other_handle}",
    response_model=responses.Pair,
    responses=answered("The pair.", examples.PAIR) | refused(404, 422, 429, 503),
)
async def show_pair(request: Request, user_handle: PathHandle, other_handle: PathHandle) -> Response:
    """Show everything that two users have in common, whether or not one is on the other's list.

    A user is not compared with themselves: that is answered with 404, like an unknown user.
    """
    if user_handle == other_handle:
        raise HTTPException(404, "A user is not compared with themselves: name two users.")
    lookup = partial(handlers.pair, user_handle=user_handle, other_handle=other_handle)
    return await executor_of(request).answer(lookup)


@router.get(
    "/users/{user_handle}/courses",
    response_model=responses.CoursesToTake,
    responses=answered("The courses.", examples.COURSES_TO_TAKE) | refused(404, 422, 429, 503),
)
async def list_courses_to_take(request: Request, user_handle: PathHandle, count: Annotated[Count, Query()]) -> Response:
    """List courses that similar users viewed and the user has not."""
    lookup = partial(handlers.courses_to_take, user_handle=user_handle, limit=count.limit)
    return await executor_of(request).answer(lookup)
