"""What /openapi.json says beyond FastAPI's own description: examples, problems and the key."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from kindred.api import problems
from kindred.api.middleware import OPEN_PATHS
from kindred.api.schemas.responses import Problem
from kindred.api.settings import ApiSettings

DESCRIPTION = """
Find the users of a learning platform who are most like a user, and the reasons.

Every answer comes from one version of the warehouse and names it, in `version` and in the header `Kindred-Version`.
Errors are problem details (RFC 9457), sent as `application/problem+json`.
"""

TAGS = [
    {"name": "users", "description": "Lookups of users who are in the warehouse."},
    {"name": "activities", "description": "Lookups for somebody who is not in the warehouse, by what they did."},
    {"name": "service", "description": "The health of the server, and the paths that SageMaker requires."},
]

Responses = dict[int | str, dict[str, Any]]
"""Descriptions of answers by their status, as FastAPI takes them."""

KEY_SCHEMES = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer"},
}

_NO_WAREHOUSE = "There is no warehouse at warehouse/kindred.duckdb: make one with `make build`."
_SECONDS = {"Retry-After": {"description": "Seconds to wait before trying again.", "schema": {"type": "integer"}}}

_PROBLEMS: dict[int, tuple[str, dict[str, Any]]] = {
    400: ("The body cannot be read.", {"detail": "There was an error parsing the body"}),
    401: ("The key is missing or wrong.", {"detail": problems.NEEDS_KEY}),
    404: (
        "The warehouse does not have the user.",
        {
            "type": problems.UNKNOWN_USER,
            "title": "Unknown user",
            "detail": "There is no user 42 in the warehouse.",
        },
    ),
    413: ("The body is too long.", {"detail": problems.too_long(ApiSettings.max_body_bytes)}),
    415: ("The body is not JSON.", {"detail": problems.NOT_JSON}),
    422: (
        "The request is not valid.",
        {
            "detail": problems.INVALID_REQUEST,
            "errors": [{"location": "query.limit", "message": "Input should be greater than or equal to 1"}],
        },
    ),
    429: ("Too many lookups are running.", {"detail": problems.TOO_MANY_LOOKUPS}),
    500: ("Something failed in the server.", {"detail": problems.SERVER_FAILED}),
    503: (
        "There is no warehouse yet, or the store cannot be reached.",
        {"type": problems.NO_WAREHOUSE, "title": "No warehouse yet", "detail": _NO_WAREHOUSE},
    ),
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: _SECONDS,
    503: _SECONDS,
}


def answered(description: str, example: dict[str, Any]) -> Responses:
    """Describe the answer to a request that succeeds."""
    headers = {
        problems.VERSION_HEADER: {
            "description": "The version of the warehouse.",
            "schema": {"type": "string"},
            "required": True,
        }
    }
    content = {"application/json": {"example": example}}
    return {200: {"description": description, "headers": headers, "content": content}}


def refused(*statuses: int) -> Responses:
    """Describe the problems of a request, besides those that every request may have."""
    return {status: _described(status) for status in statuses}


def _described(status: int) -> dict[str, Any]:
    description, members = _PROBLEMS[status]
    example = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "instance": "/the/path",
        **members,
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    described = {
        "description": description,
        "content": {problems.MEDIA_TYPE: {"schema": schema, "example": example}},
    }
    return described | ({"headers": _HEADERS[status]} if status in _HEADERS else {})


def describe(app: FastAPI, is_key_needed: bool) -> None:
    """Add to an app's description the problems that any request may have, and the key if it needs one."""
    describe_routes = app.openapi

    def openapi() -> dict[str, Any]:
        description = app.openapi_schema
        if description is None:
            description = describe_routes()
            _, definitions = models_json_schema([(Problem, "validation")], ref_template="#/components/schemas/{model}")
            components = description["components"]
            components["schemas"] |= definitions["$defs"]
            if is_key_needed:
                components["securitySchemes"] = KEY_SCHEMES
            for path, operations in description["paths"].items():
                for operation in operations.values():
                    operation["responses"]["500"] = _described(500)
                    if is_key_needed and path not in OPEN_PATHS:
                        operation["security"] = [{scheme: []} for scheme in KEY_SCHEMES]
                        operation["responses"]["401"] = _described(401)
        return description

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the description
