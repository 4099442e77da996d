"""The command `kindred serve`: lookups over HTTP."""

from __future__ import annotations

import logging
import signal
import sys
from ipaddress import ip_address
from types import FrameType

import click

from kindred.cli.options import store_option
from kindred.cli.output import CommandError
from kindred.cli.server import host_option, listening_socket, port_option, url
from kindred.errors import NoWarehouseError, StoreError, needed_extra
from kindred.stores.base import Store

SHUTDOWN_SECONDS = 10
"""How long running requests may take once the server is told to stop."""


@click.command("serve", epilog="Example: kindred serve --port 8080")
@host_option
@port_option(8000)
@store_option
def serve(host: str, port: int, store_url: str | None) -> None:
    """Answer lookups over HTTP, until Ctrl-C or SIGTERM.

    Answers are JSON, and there is a page to try lookups. You can start the server before the first warehouse is
    published. It uses a new version as soon as that is published.

    Environment variables: KINDRED_API_KEY is the key that clients must send. KINDRED_CORS_ORIGINS lists the origins
    whose pages may call the API from a browser, separated by commas. KINDRED_MAX_CONCURRENT limits how many lookups
    run at the same time.
    """
    with needed_extra("serve"):
        import fastapi  # noqa: F401
        import uvicorn
    from kindred.api import ApiSettings, create_app
    from kindred.stores import open_store

    try:
        settings = ApiSettings.from_environment()
    except ValueError as error:
        raise CommandError(str(error)) from error
    store = open_store(store_url)
    app = create_app(store, settings)
    logging.basicConfig(format="%(asctime)s %(levelname)s: %(message)s")
    for stopping in (signal.SIGINT, signal.SIGTERM):
        # uvicorn finishes the answers it has begun, and then raises the signal again for the handler set here.
        signal.signal(stopping, _exit)
    with listening_socket(host, port) as listener:
        address, free_port = listener.getsockname()[:2]
        click.echo(f"Serving at {url(host, free_port)} (stop with Ctrl-C).", err=True)
        click.echo(_store_status(store), err=True)
        if settings.api_key is None and not ip_address(address).is_loopback:
            click.echo("Warning: anybody who reaches this host can call the API; KINDRED_API_KEY sets a key.", err=True)
        config = uvicorn.Config(
            app,
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        uvicorn.Server(config).run(sockets=[listener])


def _store_status(store: Store) -> str:
    """Return one sentence about the warehouse that is served; a store in memory is loaded here."""
    try:
        with store.read() as reader:
            return f"The warehouse is version {reader.edition.version} with {reader.edition.users:,} users."
    except NoWarehouseError as error:
        return f"{error} Until then, every lookup is answered with 503."
    except StoreError as error:
        return f"Warning: {error} Until that works, every lookup is answered with 503."


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
