"""Errors as problem details (RFC 9457): every error is answered as application/problem+json."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.types import Scope

from kindred.api.schemas.requests import TAG_MARK
from kindred.errors import NoWarehouseError, StoreError, UnknownUserError

MEDIA_TYPE = "application/problem+json"

VERSION_HEADER = "Kindred-Version"

UNKNOWN_USER = "urn:kindred:unknown-user"

NO_WAREHOUSE = "urn:kindred:no-warehouse"

STORE_UNREACHABLE = "urn:kindred:store-unreachable"

NEEDS_KEY = "This needs a key: send it as X-API-Key, or as Authorization: Bearer."

NOT_JSON = "The body must be application/json; say so in Content-Type."

INVALID_REQUEST = "The request is not valid; see errors."

NO_PAGE = "No page begins there: after is the next_after of a page of this warehouse; begin again without it."

TOO_MANY_LOOKUPS = "Too many lookups are running; try again in a moment."

SERVER_FAILED = "Something failed in the server; see its log."

RETRY_SECONDS = 5
"""How long a client should wait after the store could not answer."""

_log = logging.getLogger(__name__)


def problem(
    scope: Scope,
    status: int,
    detail: str,
    *,
    kind: str = "about:blank",
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Response:
    """Create the answer to a request that failed.

    Parameters
    ----------
    scope
        The ASGI scope of the request.
    status
        The HTTP status.
    detail
        A sentence for the client.
    kind
        The URI of the type of problem; about:blank where the status says enough.
    title
        The name of the type; by default the phrase of the status, as about:blank requires.
    headers
        Headers of the answer.
    more
        More members of the problem.

    """
    content = {
        "type": kind,
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": quoted_path(scope),
        **more,
    }
    return Response(to_json(content), status, headers, MEDIA_TYPE)


def quoted_path(scope: Scope) -> str:
    """Return the path of a request, percent-encoded: as it was sent, or as the middleware PathSegments has left it."""
    return quote(scope.get("raw_path") or scope["path"], safe="/%:@!$&'()*+,;=~")


def too_long(max_bytes: int) -> str:
    """Return the sentence for a body that is too long."""
    return f"The body is longer than {max_bytes} bytes."


async def _http_error(request: Request, error: HTTPException) -> Response:
    details = {
        404: "There is nothing at this path; /openapi.json lists all paths.",
        405: f"This path does not take {request.method}; the header Allow lists what it takes.",
    }
    given = error.detail if error.detail != HTTPStatus(error.status_code).phrase else None
    detail = given or details.get(error.status_code, "The request cannot be answered.")
    return problem(request.scope, error.status_code, detail, headers=error.headers)


async def _invalid_request(request: Request, error: RequestValidationError) -> Response:
    errors = [{"location": _location(found["loc"]), "message": found["msg"]} for found in error.errors()]
    return problem(request.scope, 422, INVALID_REQUEST, errors=errors)


def _location(parts: Iterable[str | int]) -> str:
    return ".".join(str(part) for part in parts if not str(part).startswith(TAG_MARK))


async def _unknown_user(request: Request, error: UnknownUserError) -> Response:
    headers = {VERSION_HEADER: error.version}
    return problem(request.scope, 404, str(error), kind=UNKNOWN_USER, title="Unknown user", headers=headers)


async def _no_warehouse(request: Request, error: NoWarehouseError) -> Response:
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return problem(request.scope, 503, str(error), kind=NO_WAREHOUSE, title="No warehouse yet", headers=headers)


async def _store_failed(request: Request, error: StoreError) -> Response:
    # A message of a driver may name hosts and users, so it goes to the log only.
    _log.error("The store cannot be reached: %s", error)
    return problem(
        request.scope,
        503,
        "The store cannot be reached or read; see the log of the server.",
        kind=STORE_UNREACHABLE,
        title="Store unreachable",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    HTTPException: _http_error,
    RequestValidationError: _invalid_request,
    UnknownUserError: _unknown_user,
    NoWarehouseError: _no_warehouse,
    StoreError: _store_failed,
}
"""The handler of each kind of error, for FastAPI."""
