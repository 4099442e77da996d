"""Where a server of ours listens."""

from __future__ import annotations

import socket
from collections.abc import Callable

import click

from kindred.cli.output import failed

BACKLOG = 2048

host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for all."
)


def port_option(default: int) -> Callable:
    """Return the option that says at which port to listen."""
    return click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=default,
        show_default=True,
        help="The port to listen on; 0 for any that is free.",
    )


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens, at any free port for 0; end the command with one sentence where that fails."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        raise failed(f"Cannot listen on port {port} of {host}: {error}.") from error


def url(host: str, port: int) -> str:
    """Return the address of a server as one types it into a browser."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
