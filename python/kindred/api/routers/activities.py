"""The endpoints for somebody who is not in the warehouse, and the one for SageMaker."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Depends, Request, Response

from kindred.api import handlers
from kindred.api.openapi import answered, refused
from kindred.api.routers.dependencies import executor_of, needs_json
from kindred.api.schemas import examples, responses
from kindred.api.schemas.requests import ActivityQuestion, Invocation, UserQuestion, UsersQuestion

router = APIRouter(dependencies=[Depends(needs_json)])


@router.post(
    "/similar",
    tags=["activities"],
    response_model=responses.SimilarToActivity,
    responses=answered("The similar users.", examples.SIMILAR_TO_ACTIVITY) | refused(400, 413, 415, 422, 429, 503),
)
async def list_similar_to_activity(request: Request, question: ActivityQuestion) -> Response:
    """List the users who are most similar to somebody who is not in the warehouse, by what they did.

    Tags may be spelled as in any of the inputs. Terms that the warehouse does not know are ignored, and listed.
    """
    lookup = partial(handlers.similar_to_activity, question=question)
    return await executor_of(request).answer(lookup, is_slow=True)


@router.post(
    "/invocations",
    tags=["service"],
    response_model=responses.SimilarUsers | responses.SimilarOfUsers | responses.SimilarToActivity,
    responses=answered("The answer to this kind of question.", examples.SIMILAR_USERS)
    | refused(400, 404, 413, 415, 422, 429, 503),
)
async def invoke(request: Request, question: Invocation) -> Response:
    """Answer an invocation of SageMaker: a user_handle, several user_handles, or what POST /similar takes."""
    match question:
        case UserQuestion():
            lookup = partial(handlers.similar_of_user, user_handle=question.user_handle, selection=question)
        case UsersQuestion():
            lookup = partial(handlers.similar_of_users, user_handles=question.user_handles, selection=question)
        case _:
            lookup = partial(handlers.similar_to_activity, question=question)
    return await executor_of(request).answer(lookup, is_slow=not isinstance(question, UserQuestion))
