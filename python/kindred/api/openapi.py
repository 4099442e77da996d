"""What /openapi.json says beyond what FastAPI finds by itself: examples, problems and the key."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from kindred.api import problems
from kindred.api.middleware import OPEN_PATHS
from kindred.api.schemas.responses import Problem
from kindred.api.settings import ApiSettings

DESCRIPTION = """
Who is most like a user of the learning platform, and why.

Every answer is of one version of the warehouse, which it names (`version`, and the header `Kindred-Version`).
What cannot be answered is a problem of RFC 9457, as `application/problem+json`.
"""

TAGS = [
    {"name": "users", "description": "Look-ups of users who are in the warehouse."},
    {"name": "activities", "description": "Look-ups of what somebody did who is not in the warehouse."},
    {"name": "service", "description": "How the server is, and what SageMaker asks of a container."},
]

KEY_SCHEMES = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer"},
}

_NO_WAREHOUSE = "There is no warehouse at warehouse/kindred.duckdb: make one with `make build`."
_SECONDS = {"Retry-After": {"description": "When to try again, in seconds.", "schema": {"type": "integer"}}}

_PROBLEMS = {
    400: ("The body cannot be read.", {"detail": "There was an error parsing the body"}),
    401: ("The key is missing or wrong.", {"detail": problems.NEEDS_KEY}),
    404: (
        "There is no such user.",
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
    429: ("Too many look-ups are under way.", {"detail": problems.TOO_MANY_LOOKUPS}),
    500: ("Something failed in the server.", {"detail": problems.SERVER_FAILED}),
    503: (
        "There is no warehouse yet, or the store cannot be reached.",
        {"type": problems.NO_WAREHOUSE, "title": "No warehouse yet", "detail": _NO_WAREHOUSE},
    ),
}
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: _SECONDS,
    503: _SECONDS,
}


def answered(description: str, example: dict) -> dict[int, dict]:
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


def refused(*statuses: int) -> dict[int, dict]:
    """Describe the problems with which a request may end, besides those of every request."""
    return {status: _described(status) for status in statuses}


def _described(status: int) -> dict:
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
    """Make an app describe itself with the problems that any request may end with, and the key if it needs one."""
    describe_routes = app.openapi

    def openapi() -> dict:
        if app.openapi_schema is None:
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
        return app.openapi_schema

    app.openapi = openapi
