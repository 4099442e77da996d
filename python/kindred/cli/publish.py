"""The command `kindred publish`: copy the published warehouse to where others look it up."""

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
    """Publish the warehouse to the store at URL, for look-ups there or, as CSV or Parquet, for other programs.

    Whoever reads the store sees the version before until all is written, and then this one. If it fails or is killed
    half-way, the version before stays; run it again to go on. If the store has this version, nothing is done.

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
        click.echo(f"The {name} store has this version already: nothing to do.", err=True)
