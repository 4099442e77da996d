"""What several endpoints need: the executor, and the check of requests with a body."""

from __future__ import annotations

from fastapi import HTTPException, Request

from kindred.api.executor import LookupExecutor
from kindred.api.problems import NOT_JSON


def executor_of(request: Request) -> LookupExecutor:
    """Return the executor of the app that a request is for."""
    executor: LookupExecutor = request.app.state.executor
    return executor


async def needs_json(request: Request) -> None:
    """Refuse a body that is not declared as JSON.

    Raises
    ------
    HTTPException
        415 unless the media type is application/json; it may have parameters.

    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, NOT_JSON)
