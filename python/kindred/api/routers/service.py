"""The endpoints for the health of the server, and the page."""

from __future__ import annotations

from functools import partial
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from kindred.api import handlers
from kindred.api.openapi import answered, refused
from kindred.api.routers.dependencies import executor_of
from kindred.api.schemas import examples, responses

PAGE_HEADERS = {
    # The page may load its own files and nothing else, even if foreign text gets into it.
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
    """Tell whether the server can answer lookups, and from which version."""
    executor = executor_of(request)
    return await executor.report(partial(handlers.health, store=executor.store.kind))


@router.get(
    "/ping",
    tags=["service"],
    response_class=Response,
    responses=refused(503) | {200: {"description": "The server can answer."}},
)
async def ping(request: Request) -> Response:
    """Tell SageMaker whether the container can answer."""
    await executor_of(request).report(lambda reader: {})
    return Response()


def _add_file(path: str, name: str, media_type: str) -> None:
    content = files("kindred.api").joinpath("static", name).read_bytes()

    async def show_file() -> Response:
        return Response(content, headers=PAGE_HEADERS, media_type=media_type)

    router.add_api_route(path, show_file, include_in_schema=False)


_add_file("/", "page.html", "text/html")

_add_file("/page.css", "page.css", "text/css")

_add_file("/page.js", "page.js", "text/javascript")
