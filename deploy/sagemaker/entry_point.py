#!/usr/bin/env python3
"""Serve lookups in a SageMaker container: started with the argument serve, it answers /ping and /invocations."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from urllib.parse import quote

import uvicorn

from kindred.api import ApiSettings, create_app
from kindred.errors import StoreError
from kindred.stores import open_store

MODEL_FOLDER = "/opt/ml/model"
PORT = "8080"


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM, and return the exit status: 2 for wrong arguments or settings."""
    # uvicorn finishes the answers it has begun, and then raises the signal again for the handler set here.
    signal.signal(signal.SIGTERM, _exit)
    try:
        if arguments != ["serve"]:
            raise ValueError(f"This container only serves: its argument must be serve, not {' '.join(arguments)!r}.")
        settings = ApiSettings.from_environment()
        if settings.api_key is not None:
            raise ValueError("KINDRED_API_KEY must not be set: SageMaker forwards no key. IAM says who may ask.")
        store = open_store(os.environ.get("KINDRED_STORE_URL") or _url_of_model())
        port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or PORT)
    except (StoreError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        # Read the warehouse now, so that the first request need not wait for it.
        with store.read() as reader:
            print(f"Serving version {reader.edition.version} with {reader.edition.users:,} users.", file=sys.stderr)
    except StoreError as error:
        print(f"{error} Until then, every lookup is answered with 503.", file=sys.stderr)
    uvicorn.run(
        create_app(store, settings),
        host="0.0.0.0",
        port=port,
        access_log=False,
        log_level="warning",
        server_header=False,
    )
    return 0


def _url_of_model() -> str:
    """Return the URL that holds the DuckDB file of the model's folder in memory; the file may come later."""
    folder = Path(os.environ.get("KINDRED_MODEL_DIR") or MODEL_FOLDER).absolute()
    found = sorted(folder.glob("*.duckdb"))
    if len(found) > 1:
        raise ValueError(f"There are {len(found)} DuckDB files in {folder}: a model must have exactly one.")
    return f"memory:///{quote(str(found[0] if found else folder / 'kindred.duckdb'))}"


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
