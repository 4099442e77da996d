"""The command `kindred publish`: copy the published warehouse to a store."""

from __future__ import annotations

import time
from pathlib import Path

import click

from kindred.cli.options import warehouse_option
from kindred.cli.output import StepBar
from kindred.stores import open_store
from kindred.warehouse.locations import published_file


@click.command("publish", epilog="Example: kindred publish sqlite:///kindred.sqlite")
@click.argument("url")
@warehouse_option
def publish_warehouse(url: str, warehouse: Path | None) -> None:
    """Publish the warehouse to the store at URL.

    Stores are for lookups; CSV and Parquet are for other programs.

    Readers of the store see the previous version until everything is written, and then the new one. If the command
    fails or is killed, the previous version stays; run it again to continue. If the store already has this version,
    nothing is written.

    URL is one of duckdb:///path/kindred.duckdb, sqlite:///path/kindred.sqlite, postgresql://user@host:5432/database,
    dynamodb://table?region=eu-west-1, csv:///path/folder, parquet:///path/folder. Three slashes come before a relative
    path, four before an absolute one.
    """
    file = published_file(warehouse)
    store = open_store(url, to_publish=True)
    started = time.monotonic()
    try:
        with StepBar() as bar:
            is_written = store.publish(file, bar.update)
    finally:
        store.close()
    name = url.split("://")[0]
    if is_written:
        click.echo(f"Published {file.name} to the {name} store in {time.monotonic() - started:.1f} s.", err=True)
    else:
        click.echo(f"The {name} store already has this version: nothing to do.", err=True)
