"""Open the database that dbt builds in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from kindred.errors import WarehouseError

DEFAULT_BUILD = Path("target/kindred_build.duckdb")


@contextmanager
def open_build(
    path: Path, tables: Mapping[str, str]
) -> Iterator[tuple[dict[str, duckdb.DuckDBPyRelation], dict[str, Any]]]:
    """Open the database that dbt builds in, which also holds tables that are not published.

    Parameters
    ----------
    path
        The database.
    tables
        The schema of each table to open, by the name of the table.

    Returns
    -------
    A context that gives the tables by name, and the settings of the build.

    Raises
    ------
    WarehouseError
        If the database is missing or lacks a table, or a build is running.

    """
    if not path.exists():
        raise WarehouseError(f"There is no build at {path}: make one with `make build`, or name another with --build.")
    try:
        connection = duckdb.connect(path, read_only=True)
    except duckdb.Error as error:
        raise WarehouseError(f"{path} cannot be opened, a build may be running: {error}") from error
    with connection:
        try:
            ((settings,),) = connection.execute("select settings_json from build_info").fetchall()
            found = {name: connection.table(f"{schema}.{name}") for name, schema in tables.items()}
        except duckdb.Error as error:
            raise WarehouseError(
                f"{path} lacks tables or columns that are needed, build it again with `make build`: {error}"
            ) from error
        yield found, json.loads(settings)
