"""The database that dbt builds in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from kindred.errors import WarehouseError

DEFAULT_BUILD = Path("target/kindred_build.duckdb")


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
