"""The app on AWS Lambda, behind an HTTP or a REST API of API Gateway: the function calls `handler`."""

from __future__ import annotations

import os

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

from kindred.api.app import create_app
from kindred.api.problems import MEDIA_TYPE
from kindred.errors import StoreError


def _handler() -> Mangum:
    url = os.environ.get("KINDRED_STORE_URL")
    if not url:
        # Whoever tries the function is told at once, and Lambda counts it as an error; answers would only be odd.
        raise StoreError(
            "KINDRED_STORE_URL is not set: let it be the URL of what to look up, e.g. dynamodb://table?region=eu-west-1."
        )
    return Mangum(
        create_app(url),
        lifespan="off",  # else the app would be shut down, and its store closed, after every request
        # What API Gateway puts before the path: a stage of an HTTP API that has a name, or a mapping of a domain.
        api_gateway_base_path=os.environ.get("KINDRED_BASE_PATH", ""),
        text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE],
    )


handler = _handler()
"""Takes an event and its context, and returns what API Gateway answers. Made once for all requests of a container."""
