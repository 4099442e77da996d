"""ASGI middleware for every request: its key, the size of its body, the headers of its answer, and failures."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from hmac import compare_digest
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kindred.api.problems import NEEDS_KEY, SERVER_FAILED, problem, quoted_path, too_long

_log = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/", "/page.css", "/page.js", "/health", "/ping"})
"""The paths that need no key: the page, which asks for one, and the health checks."""

NO_SNIFFING = (b"x-content-type-options", b"nosniff")

NOT_STORED = (b"cache-control", b"no-store")


class PathSegments:
    """Keep slashes and percent signs inside a segment of the path encoded, so that a handle may hold them.

    Servers decode the path before it is matched with the routes, and users/a%2Fb would be users/a/b. AWS Lambda has no
    undecoded path: there, a handle with a slash is asked for in the body of a POST.
    """

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            raw_path = scope.get("raw_path")
            segments = scope["path"].split("/") if raw_path is None else map(_decoded, raw_path.split(b"/"))
            path = "/".join(segment.replace("%", "%25").replace("/", "%2F") for segment in segments)
            scope = {**scope, "path": path}
        await self._app(scope, receive, send)


class ResponseHeaders:
    """Add headers to every answer, so that browsers do not guess its type and caches do not keep data about users."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], NO_SNIFFING, NOT_STORED]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class ApiKey:
    """Refuse requests without the key, sent as X-API-Key or as Authorization: Bearer."""

    def __init__(self, app: ASGIApp, key: str):
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        is_open = scope["type"] != "http" or scope["path"] in OPEN_PATHS
        # Every key is compared in constant time, so that the time taken reveals nothing about the key.
        if is_open or any([compare_digest(given, self._key) for given in _sent_keys(scope)]):
            await self._app(scope, receive, send)
            return
        refusal = problem(
            scope,
            401,
            NEEDS_KEY,
            headers={"WWW-Authenticate": 'Bearer realm="Kindred"'},
        )
        await refusal(scope, receive, send)


class BodyLimit:
    """Refuse bodies that are too long, whether they declare their length or arrive in chunks."""

    def __init__(self, app: ASGIApp, max_bytes: int):
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        detail = too_long(self._max_bytes)
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and int(declared) > self._max_bytes:
            await problem(scope, 413, detail)(scope, receive, send)
            return
        received = 0

        async def counted_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(413, detail)
            return message

        await self._app(scope, counted_receive, send)


def _decoded(segment: bytes) -> str:
    return unquote_to_bytes(segment).decode(errors="replace")


def _sent_keys(scope: Scope) -> Iterator[bytes]:
    for name, value in scope["headers"]:
        if name == b"x-api-key":
            yield value
        elif name == b"authorization" and value[:7].lower() == b"bearer ":
            yield value[7:].strip()


class Failures:
    """Answer an unexpected error with a problem that gives no details; the log has them."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        is_started = False

        async def watched_send(message: Message) -> None:
            nonlocal is_started
            is_started = is_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except Exception:
            if scope["type"] != "http" or is_started:
                raise
            _log.exception("%s %s failed", scope["method"], quoted_path(scope))
            await problem(scope, 500, SERVER_FAILED)(scope, receive, send)
