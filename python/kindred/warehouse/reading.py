"""Read the published file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from kindred.errors import NoWarehouseError, StoreError, WarehouseError
from kindred.warehouse.locations import published_file

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    # Queries come from a network: they may read this file only, whatever they contain.
    "enable_external_access": False,
    "lock_configuration": True,
    "threads": 1,
}


def current_file(path: Path | None) -> Path:
    """Return the real path of the published file; NoWarehouseError if nothing is published there."""
    try:
        return published_file(path)
    except WarehouseError as error:
        raise NoWarehouseError(str(error)) from error


def open_file(file: Path) -> duckdb.DuckDBPyConnection:
    """Open a published file for reading only.

    Raises
    ------
    StoreError
        If it is not a DuckDB file.

    """
    try:
        return duckdb.connect(file, read_only=True, config=CONFIG)
    except duckdb.Error as error:
        raise StoreError(f"{file} cannot be opened: {error}") from error


def rows_of(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> list[dict[str, Any]]:
    """Return the rows of a query as dicts; StoreError if Kindred did not make the file."""
    try:
        result = connection.execute(query, parameters)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    except duckdb.Error as error:
        raise StoreError(f"The query of the warehouse failed, Kindred may not have made the file: {error}") from error
