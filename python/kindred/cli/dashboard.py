"""The command `kindred dashboard`: pages about the warehouse, drawn by Streamlit."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path

import click

from kindred import dashboard
from kindred.cli.options import warehouse_option
from kindred.cli.server import host_option, listening_socket, port_option, url
from kindred.dashboard.drawing.colours import ACCENT
from kindred.errors import needed_extra
from kindred.warehouse.locations import named_warehouse


@click.command("dashboard", epilog="Example: kindred dashboard --port 8080")
@host_option
@port_option(8501)
@warehouse_option
@click.option("--open", "opens_browser", is_flag=True, help="Also open it in a browser.")
def show_dashboard(host: str, port: int, warehouse: Path | None, opens_browser: bool) -> None:
    """Show the warehouse as pages in a browser.

    Ctrl-C or SIGTERM ends it. The pages cover users, clusters, tags, quality and the last build. The dashboard reads
    only the published file and calls no other host. You can start it before the first warehouse is published. It
    has no password: if other people can reach the host, put a proxy with a password in front of it.
    """
    with needed_extra("dashboard"):
        from streamlit import net_util
        from streamlit.web import bootstrap
    # Streamlit listens a moment later, and would end without a message if it could not.
    with listening_socket(host, port) as listener:
        address, port = listener.getsockname()[:2]
    name = named_warehouse(warehouse)
    os.environ["KINDRED_WAREHOUSE"] = str(name)
    app = Path(dashboard.__file__).parent / "frame" / "app.py"
    options = {
        "server.address": host,
        "server.port": port,
        "server.headless": not opens_browser,
        "server.showEmailPrompt": False,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "browser.serverAddress": host,  # otherwise Streamlit asks another host for the address of this one
        "browser.serverPort": port,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "type",
        "runner.magicEnabled": False,  # a docstring of the app is not text for the page
        "logger.level": "warning",
        "logger.hideWelcomeMessage": True,
        "theme.light.primaryColor": ACCENT,
        "theme.dark.primaryColor": ACCENT,
    }
    if not ip_address(address).is_loopback:
        click.echo("Warning: anybody who reaches this host can see the dashboard; it has no password.", err=True)
    click.echo(f"The dashboard is at {url(host, port)} (stop with Ctrl-C).", err=True)
    # Otherwise Streamlit would ask another host for this address whenever a page of another origin wants to connect.
    net_util._external_ip = address
    bootstrap.load_config_options(options)
    bootstrap.run(str(app), False, [], options)
