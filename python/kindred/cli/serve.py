"""The command `kindred serve`: look-ups over HTTP."""

from __future__ import annotations

import logging
import signal
import sys
from ipaddress import ip_address
from types import FrameType

import click

from kindred.cli.options import store_option
from kindred.cli.output import failed
from kindred.cli.server import host_option, listening_socket, port_option, url
from kindred.errors import NoWarehouseError, StoreError, needed_extra
from kindred.stores.base import Store

SHUTDOWN_SECONDS = 10
"""How long requests that are under way may take once the server is told to stop."""


@click.command("serve", epilog="Example: kindred serve --port 8080")
@host_option
@port_option(8000)
@store_option
def serve(host: str, port: int, store_url: str | None) -> None:
    """Answer look-ups over HTTP as JSON, and serve a page to try them on, until Ctrl-C or SIGTERM.

    It may be started before there is a warehouse, and answers from a new one as soon as it is published.

    KINDRED_API_KEY is a key that clients must send. KINDRED_CORS_ORIGINS names, separated by commas, the origins whose
    pages may ask from a browser. KINDRED_MAX_CONCURRENT is how many look-ups may be under way at the same time.
    """
    with needed_extra("serve"):
        import fastapi  # noqa: F401
        import uvicorn
    from kindred.api import ApiSettings, create_app
    from kindred.stores import open_store

    try:
        settings = ApiSettings.from_environment()
    except ValueError as error:
        raise failed(str(error)) from error
    store = open_store(store_url)
    app = create_app(store, settings)
    logging.basicConfig(format="%(asctime)s %(levelname)s: %(message)s")
    for stopping in (signal.SIGINT, signal.SIGTERM):
        # uvicorn finishes what it has begun to answer, and then raises the signal again for whoever was here before.
        signal.signal(stopping, _exit)
    with listening_socket(host, port) as listener:
        address, free_port = listener.getsockname()[:2]
        click.echo(f"Serving at {url(host, free_port)} (stop with Ctrl-C).", err=True)
        click.echo(_store_status(store), err=True)
        if settings.api_key is None and not ip_address(address).is_loopback:
            click.echo("Warning: whoever reaches this host can ask; KINDRED_API_KEY sets a key.", err=True)
        config = uvicorn.Config(
            app,
            access_log=False,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        uvicorn.Server(config).run(sockets=[listener])


def _store_status(store: Store) -> str:
    """Return what is served, as one sentence; a store in memory is read by that."""
    try:
        with store.read() as reader:
            return f"The warehouse is version {reader.edition.version} with {reader.edition.users:,} users."
    except NoWarehouseError as error:
        return f"{error} Until then every look-up is answered with 503."
    except StoreError as error:
        return f"Warning: {error} Until then every look-up is answered with 503."


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
