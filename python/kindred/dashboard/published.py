"""Read the published warehouse, one version at a time, with the queries in `queries/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import streamlit as st

from kindred.dashboard.queries.reading import Query, read_query
from kindred.errors import StoreError
from kindred.stores.base import Edition
from kindred.stores.sql import read_edition
from kindred.warehouse.locations import published_file
from kindred.warehouse.reading import open_file, rows_of

MAX_CACHED_ANSWERS = 500
"""The number of answers kept in memory, for all sessions."""


@dataclass(frozen=True)
class Answer:
    """The result of a query, with the query itself.

    Attributes
    ----------
    query
        The query.
    parameters
        The values of its parameters, by name.
    frame
        The rows.
    meanings
        The meanings of the columns, by column; unknown ones are left out.

    """

    query: Query
    parameters: Mapping[str, object]
    frame: pd.DataFrame
    meanings: Mapping[str, str]


def named_rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows as named tuples, whose fields have the types of the columns of the query."""
    yield from frame.itertuples()


@dataclass(frozen=True)
class PublishedWarehouse:
    """One published version, open for reading. Sessions share it; each query has its own cursor."""

    file: Path
    connection: duckdb.DuckDBPyConnection = field(repr=False)
    edition: Edition

    def ask(self, name: str, **parameters: object) -> Answer:
        """Run the query of that name.

        Raises
        ------
        StoreError
            If the query fails, because another version of Kindred made the warehouse.

        """
        query = read_query(name)
        frame = _frame(self.file, name, tuple(sorted(parameters.items())), _published=self)
        known = {
            column: meaning
            for (table, column), meaning in self.comments.items()
            if table in query.tables and column in frame
        }
        return Answer(query, parameters, frame, {**known, **query.meanings})

    @cached_property
    def comments(self) -> dict[tuple[str, str], str]:
        """The meanings of all columns, by table and column: the comments in the published file."""
        rows = rows_of(
            self.connection.cursor(),
            "select table_name, column_name, comment from duckdb_columns() where comment is not null",
        )
        return {(row["table_name"], row["column_name"]): row["comment"].strip() for row in rows}


def open_published() -> PublishedWarehouse:
    """Open the version that is published now.

    Raises
    ------
    WarehouseError
        If nothing is published.
    StoreError
        If the file cannot be read.

    """
    return _open(published_file())


# The cache key is the real path, because every version has the same published name.
@st.cache_resource(max_entries=2, show_spinner=False)
def _open(file: Path) -> PublishedWarehouse:
    connection = open_file(file)
    return PublishedWarehouse(file, connection, read_edition(partial(rows_of, connection)))


@st.cache_data(max_entries=MAX_CACHED_ANSWERS, show_spinner=False)
def _frame(
    file: Path, name: str, parameters: tuple[tuple[str, object], ...], _published: PublishedWarehouse
) -> pd.DataFrame:
    try:
        return _published.connection.cursor().execute(read_query(name).sql, dict(parameters)).df()
    except duckdb.Error as error:
        raise StoreError(
            f"The query {name} failed, because another version of Kindred made the warehouse: build it again. {error}"
        ) from error
