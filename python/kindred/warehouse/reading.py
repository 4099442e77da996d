"""Reading the published file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from kindred.errors import NoWarehouseError, StoreError, WarehouseError
from kindred.warehouse.locations import published_file

if TYPE_CHECKING:
    pass


CONFIG = {
    # What is asked comes from a network: nothing but this file may be read, whatever a query says.
    "enable_external_access": False,
    "lock_configuration": True,
    "threads": 1,
}


def current_file(path: Path | None) -> Path:
    """Return the real path of what is published under a name; NoWarehouseError where nothing is."""
    try:
        return published_file(path)
    except WarehouseError as error:
        raise NoWarehouseError(str(error)) from error


def open_file(file: Path) -> duckdb.DuckDBPyConnection:
    """Open a published file to read and nothing else.

    Raises
    ------
    StoreError
        If it is no DuckDB file.

    """
    try:
        return duckdb.connect(file, read_only=True, config=CONFIG)
    except duckdb.Error as error:
        raise StoreError(f"{file} cannot be opened: {error}") from error


def rows_of(connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence = ()) -> list[dict]:
    """Return the rows of a query as dicts; StoreError where the file is none of Kindred's."""
    try:
        result = connection.execute(query, parameters)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    except duckdb.Error as error:
        raise StoreError(f"The warehouse cannot answer, it may not be one of Kindred's: {error}") from error
