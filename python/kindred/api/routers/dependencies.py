"""What a request with a body needs."""

from __future__ import annotations

from fastapi import HTTPException, Request

from kindred.api.problems import NOT_JSON


async def needs_json(request: Request) -> None:
    """Refuse a body that is not said to be JSON.

    Raises
    ------
    HTTPException
        415 unless the media type is application/json, with whatever parameters.

    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, NOT_JSON)
