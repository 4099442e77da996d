"""Where the published warehouse and the build behind it are."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

DEFAULT_WAREHOUSE = Path("warehouse/kindred.duckdb")
DEFAULT_BUILD = Path("target/kindred_build.duckdb")


class WarehouseError(Exception):
    """What was asked for cannot be read; the message says why and what to do."""


def named_warehouse(path: str | Path | None = None) -> Path:
    """Return the published name: the given one, or KINDRED_WAREHOUSE, or warehouse/kindred.duckdb."""
    return Path(path or os.environ.get("KINDRED_WAREHOUSE") or DEFAULT_WAREHOUSE)


def published_file(path: str | Path | None = None) -> Path:
    """Return the real path of the published file.

    The real path, since DuckDB would keep serving an older version that the process has opened by the published name.

    Parameters
    ----------
    path
        The published name, by default KINDRED_WAREHOUSE or warehouse/kindred.duckdb below the working directory.

    Raises
    ------
    WarehouseError
        If nothing is published there.

    """
    name = named_warehouse(path)
    if not name.exists():
        raise WarehouseError(
            f"There is no warehouse at {name}: make one with `make build`, or name another with KINDRED_WAREHOUSE."
        )
    return name.resolve()


@contextmanager
def open_build(path: Path, tables: Mapping[str, str]) -> Iterator[tuple[dict[str, duckdb.DuckDBPyRelation], dict]]:
    """Open the database that dbt builds in, which holds more than it publishes.

    Parameters
    ----------
    path
        The database.
    tables
        The schema of each table that is wanted, by its name.

    Returns
    -------
    A context that gives the tables by their names, and the settings that they were built with.

    Raises
    ------
    WarehouseError
        If there is none, a build is running, or it lacks a table.

    """
    if not path.exists():
        raise WarehouseError(f"There is no build at {path}: make one with `make build`, or name another with --build.")
    try:
        connection = duckdb.connect(path, read_only=True)
    except duckdb.Error as error:
        raise WarehouseError(f"{path} cannot be opened, a build may be running: {error}") from error
    with connection:
        try:
            (settings,) = connection.execute("select settings_json from build_info").fetchone()
            found = {name: connection.table(f"{schema}.{name}") for name, schema in tables.items()}
        except duckdb.Error as error:
            raise WarehouseError(
                f"{path} has not all that is needed, build it anew with `make build`: {error}"
            ) from error
        yield found, json.loads(settings)
