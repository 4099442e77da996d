"""The published warehouse as the dashboard reads it: one version at a time, by the queries in `queries/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import duckdb
import pandas as pd
import streamlit as st

from kindred.dashboard.queries.reading import Query, read_query
from kindred.errors import StoreError
from kindred.stores.base import Edition
from kindred.stores.sql import read_edition
from kindred.warehouse.locations import published_file
from kindred.warehouse.reading import open_file, rows_of

KEPT_ANSWERS = 500
"""Answers that are kept in memory until they are asked for again."""


@dataclass(frozen=True)
class Answer:
    """What a query gave, and what was asked.

    Attributes
    ----------
    query
        The query.
    parameters
        What stood for its parameters.
    frame
        The rows.
    meanings
        What each column of the frame is, where that is known.

    """

    query: Query
    parameters: Mapping[str, object]
    frame: pd.DataFrame
    meanings: Mapping[str, str]


@dataclass(frozen=True)
class Published:
    """One published version, open to read. Sessions share it; every question has a cursor of its own."""

    file: Path
    connection: duckdb.DuckDBPyConnection = field(repr=False)
    edition: Edition

    def ask(self, name: str, **parameters: object) -> Answer:
        """Return the answer to the query of that name.

        Raises
        ------
        StoreError
            If the warehouse lacks what the query reads: it is of another version of Kindred.

        """
        query = read_query(name)
        frame = _frame(self.file, name, tuple(sorted(parameters.items())), _published=self)
        known = {
            column: meaning
            for (table, column), meaning in self.comments.items()
            if table in query.tables and column in frame
        }
        return Answer(query, parameters, frame, known | query.meanings)

    @cached_property
    def comments(self) -> dict[tuple[str, str], str]:
        """What every column means, by table and column: the comments of the published file."""
        rows = rows_of(
            self.connection.cursor(),
            "select table_name, column_name, comment from duckdb_columns() where comment is not null",
        )
        return {(row["table_name"], row["column_name"]): row["comment"].strip() for row in rows}


def open_published() -> Published:
    """Open what is published at the moment.

    Raises
    ------
    WarehouseError
        If nothing is.
    StoreError
        If it cannot be read.

    """
    return _open(published_file())


# By the real path: the published name stays the same while what is behind it changes.
@st.cache_resource(max_entries=2, show_spinner=False)
def _open(file: Path) -> Published:
    connection = open_file(file)
    return Published(file, connection, read_edition(partial(rows_of, connection)))


@st.cache_data(max_entries=KEPT_ANSWERS, show_spinner=False)
def _frame(file: Path, name: str, parameters: tuple[tuple[str, object], ...], _published: Published) -> pd.DataFrame:
    try:
        return _published.connection.cursor().execute(read_query(name).sql, dict(parameters)).df()
    except duckdb.Error as error:
        raise StoreError(f"Another version of Kindred made the warehouse, build it anew: {error}") from error
