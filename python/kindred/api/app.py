"""The app that answers lookups over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from kindred import __version__
from kindred.api import middleware, openapi, problems
from kindred.api.executor import LookupExecutor
from kindred.api.middleware import ApiKey, BodyLimit, PathSegments, ResponseHeaders
from kindred.api.routers import activities, service, users
from kindred.api.settings import ApiSettings
from kindred.stores import open_store
from kindred.stores.base import Store


def create_app(store: Store | str | None = None, settings: ApiSettings | None = None) -> FastAPI:
    """Create the app for uvicorn, Lambda or SageMaker.

    Parameters
    ----------
    store
        The store to read, or its URL as `kindred.stores.open_store` takes it. It is first read when the first request
        comes, and closed when the server stops.
    settings
        How to serve; by default as the environment says.

    Raises
    ------
    StoreError
        If the URL does not name a store, or a package for it is not installed.
    ValueError
        If the environment has an invalid setting.

    """
    opened = store if isinstance(store, Store) else open_store(store)
    settings = settings or ApiSettings.from_environment()

    @asynccontextmanager
    async def closing_store(app: FastAPI) -> AsyncIterator[None]:
        yield
        opened.close()

    app = FastAPI(
        title="Kindred",
        version=__version__,
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        # FastAPI's own pages load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=problems.HANDLERS,
        middleware=_middleware(settings),
        lifespan=closing_store,
    )
    app.state.executor = LookupExecutor(opened, settings.max_concurrent)
    for routes in (users, activities, service):
        app.include_router(routes.router)
    openapi.describe(app, settings.api_key is not None)
    return app


def _middleware(settings: ApiSettings) -> list[Middleware]:
    """Return the middleware from the outside in: outer layers add their headers to refusals of inner ones, too."""
    layers = [Middleware(PathSegments), Middleware(ResponseHeaders)]
    if settings.cors_origins:
        layers.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["X-API-Key", "Authorization", "Content-Type"],
                expose_headers=[problems.VERSION_HEADER, "Retry-After"],
            )
        )
    layers.append(Middleware(middleware.Failures))
    if settings.api_key is not None:
        layers.append(Middleware(ApiKey, settings.api_key))
    return [*layers, Middleware(BodyLimit, settings.max_body_bytes)]
