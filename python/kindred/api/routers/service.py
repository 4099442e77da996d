"""The endpoints that tell how the server is, and the page."""

from __future__ import annotations

from functools import partial
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from kindred.api import handlers
from kindred.api.openapi import answered, refused
from kindred.api.schemas import examples, responses

PAGE_HEADERS = {
    # Nothing but the page's own files, whatever gets into it.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

router = APIRouter()


@router.get(
    "/health",
    tags=["service"],
    response_model=responses.Health,
    responses=answered("The server can answer.", examples.HEALTH) | refused(503),
)
async def show_health(request: Request) -> Response:
    """Tell whether look-ups can be answered, and from which version."""
    executor = request.app.state.executor
    return await executor.report(partial(handlers.health, store=executor.store.kind))


@router.get(
    "/ping",
    tags=["service"],
    response_class=Response,
    responses={200: {"description": "The server can answer."}} | refused(503),
)
async def ping(request: Request) -> Response:
    """Tell SageMaker whether the container can answer."""
    await request.app.state.executor.report(lambda reader: {})
    return Response()


def _add_file(path: str, name: str, media_type: str) -> None:
    content = files("kindred.api").joinpath("static", name).read_bytes()

    async def show_file() -> Response:
        return Response(content, headers=PAGE_HEADERS, media_type=media_type)

    router.add_api_route(path, show_file, include_in_schema=False)


_add_file("/", "page.html", "text/html")

_add_file("/page.css", "page.css", "text/css")

_add_file("/page.js", "page.js", "text/javascript")
