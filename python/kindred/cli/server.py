"""The options and the socket of the commands that start a server."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, TypeVar

import click

from kindred.cli.output import CommandError

BACKLOG = 2048

Command = TypeVar("Command", bound=Callable[..., Any])

host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for all addresses."
)


def port_option(default: int) -> Callable[[Command], Command]:
    """Return the option for the port to listen on."""
    return click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=default,
        show_default=True,
        help="The port to listen on; 0 for any free port.",
    )


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens, on any free port for 0; if that fails, end the command with one sentence."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        raise CommandError(f"Cannot listen on port {port} of {host}: {error}.") from error


def url(host: str, port: int) -> str:
    """Return the address of a server as it is typed into a browser."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
