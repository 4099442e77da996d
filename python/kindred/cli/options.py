"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

store_option = click.option(
    "--store",
    "store_url",
    metavar="URL",
    help="The store to read, e.g. sqlite:///kindred.sqlite or memory://; by default the published DuckDB file, "
    "KINDRED_WAREHOUSE or warehouse/kindred.duckdb.",
)

warehouse_option = click.option(
    "--warehouse",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The published DuckDB file; by default KINDRED_WAREHOUSE or warehouse/kindred.duckdb.",
)
