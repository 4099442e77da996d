"""The endpoints for people who are not in the warehouse, and for SageMaker."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Depends, Request, Response

from kindred.api import handlers
from kindred.api.openapi import answered, refused
from kindred.api.routers.dependencies import needs_json
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
    """List the users who are most like somebody who followed, viewed and was assessed in what is sent.

    Tags may be spelled as in any of the inputs. What the warehouse does not know is listed, and else ignored.
    """
    lookup = partial(handlers.similar_to_activity, question=question)
    return await request.app.state.executor.answer(lookup, is_slow=True)


@router.post(
    "/invocations",
    tags=["service"],
    response_model=responses.SimilarUsers | responses.SimilarOfUsers | responses.SimilarToActivity,
    responses=answered("What the question of this kind is answered with.", examples.SIMILAR_USERS)
    | refused(400, 404, 413, 415, 422, 429, 503),
)
async def invoke(request: Request, question: Invocation) -> Response:
    """Answer what SageMaker passes on: a user_handle, several user_handles, or what POST /similar takes."""
    match question:
        case UserQuestion():
            lookup = partial(handlers.similar_of_user, user_handle=question.user_handle, selection=question)
        case UsersQuestion():
            lookup = partial(handlers.similar_of_users, user_handles=question.user_handles, selection=question)
        case _:
            lookup = partial(handlers.similar_to_activity, question=question)
    return await request.app.state.executor.answer(lookup, is_slow=not isinstance(question, UserQuestion))
