"""The command `kindred dashboard`: pages to look at the warehouse, drawn by Streamlit."""

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
@click.option("--open", "opens_browser", is_flag=True, help="Open it in a browser, too.")
def show_dashboard(host: str, port: int, warehouse: Path | None, opens_browser: bool) -> None:
    """Show users, clusters, tags, quality and the last build as pages, until Ctrl-C or SIGTERM.

    It reads the published file and nothing else, asks no other host for anything, and may be started before there is
    a warehouse. There is no password: put a proxy that has one before it where others reach the host.
    """
    with needed_extra("dashboard"):
        from streamlit import net_util
        from streamlit.web import bootstrap
    # Streamlit itself listens a moment later, and would end without a word where it cannot.
    with listening_socket(host, port) as listener:
        address, port = listener.getsockname()[:2]
    name = named_warehouse(warehouse)
    os.environ["KINDRED_WAREHOUSE"] = str(name)
    app = Path(dashboard.__file__).with_name("app.py")
    options = {
        "server.address": host,
        "server.port": port,
        "server.headless": not opens_browser,
        "server.showEmailPrompt": False,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "browser.serverAddress": host,  # else it asks another host for the address of this one
        "browser.serverPort": port,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "type",
        "runner.magicEnabled": False,  # a docstring of the app is no text of the page
        "logger.level": "warning",
        "logger.hideWelcomeMessage": True,
        "theme.light.primaryColor": ACCENT,
        "theme.dark.primaryColor": ACCENT,
    }
    if not ip_address(address).is_loopback:
        click.echo("Warning: whoever reaches this host can look; there is no password.", err=True)
    click.echo(f"The dashboard is at {url(host, port)} (stop with Ctrl-C).", err=True)
    # Whenever a page of another origin wants to connect, it would ask another host for the address of this one first.
    net_util._external_ip = address
    bootstrap.load_config_options(options)
    bootstrap.run(str(app), False, [], options)
