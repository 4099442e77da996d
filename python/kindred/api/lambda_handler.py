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
        # The function fails at its start, so that a test of it shows the reason and Lambda counts an error.
        raise StoreError(
            "KINDRED_STORE_URL is not set: give it the URL of the store to read, e.g. dynamodb://table?region=eu-west-1."
        )
    return Mangum(
        create_app(url),
        lifespan="off",  # otherwise the app would stop and close its store after every request
        # What API Gateway puts before the path: the named stage of an HTTP API, or the mapping of a domain.
        api_gateway_base_path=os.environ.get("KINDRED_BASE_PATH", ""),
        text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE],
    )


handler = _handler()
"""Takes an event and its context, and returns the answer for API Gateway. Created once per container."""
