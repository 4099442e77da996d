"""The tables that a store keeps in another database, how they are written and how they are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from threading import Lock
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from kindred.errors import StoreError
from kindred.stores.base import Edition, Progress
from kindred.stores.sql import Rows, SqlReader, read_space

if TYPE_CHECKING:
    from kindred.fold_in.profile_space import ProfileSpace

TABLES = {
    "build_info": ("version",),
    "facets": ("facet_number",),
    "clusters": ("cluster_id",),
    "courses": ("course_id",),
    "users": ("user_handle",),
    "similar_users": ("user_handle", "rank"),
    "user_features": ("user_handle", "facet", "feature"),
    "user_courses": ("user_handle", "course_id"),
    "profile_space": ("chunk",),
}
"""The published tables with their primary keys. build_info comes first, so that even unfinished work has a version."""

INDEXES = {"users": ("cluster_id", "user_handle")}
"""Other columns by which tables are searched."""

BATCH_ROWS = 1 << 15
"""Rows written at a time."""

CHUNK_BYTES = 1 << 24
"""Bytes of the profile space in one row of profile_space: well below the limits that databases set for a value."""

SPACE_SCHEMA = pa.schema([("chunk", pa.int64()), ("content", pa.binary())])

LIST_OF_TEXTS = duckdb.list_type("VARCHAR")

Write = Callable[[pa.RecordBatch], None]

Writer = Callable[[str, pa.Schema], AbstractContextManager[Write]]
"""Makes a table and gives a function that adds rows to it; at the end the table exists with all rows, or not at all."""


def write_tables(
    source: duckdb.DuckDBPyConnection,
    writer: Writer,
    present: Collection[str],
    progress: Progress,
    *,
    has_types: bool = True,
) -> None:
    """Write the published tables that are not present yet, each in the order of its key.

    Parameters
    ----------
    source
        A published warehouse.
    writer
        Writes a table.
    present
        The tables that already exist.
    progress
        Called with "rows" after every batch.
    has_types
        Whether the database has types for dates, times and lists of texts; if not, they are written as text, see
        `columns_as_text`.

    """
    rows = {table: _count(source, table) for table in TABLES if table != "profile_space"}
    done, total = sum(rows.get(table, 0) for table in present), sum(rows.values())
    for table in rows:
        if table not in present:
            reader = source.execute(_query(source, table, has_types)).to_arrow_reader(BATCH_ROWS)
            with writer(table, reader.schema) as write:
                for batch in reader:
                    write(batch)
                    done += batch.num_rows
                    progress("rows", done, total)
    if "profile_space" not in present:
        with writer("profile_space", SPACE_SCHEMA) as write:
            for batch in _space_batches(source):
                write(batch)


def columns_as_text(relation: duckdb.DuckDBPyRelation, *, has_dates: bool, has_lists: bool) -> str:
    """Return the select list of a relation, for a database or file with fewer types.

    Parameters
    ----------
    relation
        The relation.
    has_dates
        Whether dates and times stay what they are; if not, they become ISO 8601 text, times to the second.
    has_lists
        Whether lists of texts stay what they are; if not, they become JSON arrays, as lists of records always do.

    """
    columns = []
    for name, kind in zip(relation.columns, relation.types, strict=True):
        if kind.id in ("list", "struct") and not (has_lists and kind == LIST_OF_TEXTS):
            columns.append(f'to_json("{name}")::varchar as "{name}"')
        elif kind.id == "date" and not has_dates:
            columns.append(f'"{name}"::varchar as "{name}"')
        elif kind.id == "timestamp" and not has_dates:
            columns.append(f"""strftime("{name}", '%Y-%m-%dT%H:%M:%S') as "{name}" """)
        else:
            columns.append(f'"{name}"')
    return ", ".join(columns)


def quoted(names: Collection[str]) -> str:
    """Return column names for SQL, each in quotation marks: some, such as rank, are keywords."""
    return ", ".join(f'"{name}"' for name in names)


class LoadedVersion:
    """The parts of a version that are read once and kept."""

    def __init__(self, edition: Edition):
        """Take the facts about the version; the profile space is read when it is first needed."""
        self.edition = edition
        self._space: ProfileSpace | None = None
        self._lock = Lock()

    def space(self, rows: Rows, schema: str) -> ProfileSpace:
        """Return the profile space; the first call reads it."""
        with self._lock:
            if self._space is None:
                from kindred.fold_in.profile_space import ProfileSpace

                chunks = rows(f"select content from {schema}profile_space order by chunk", [])
                try:
                    self._space = ProfileSpace.from_bytes(b"".join(chunk["content"] for chunk in chunks))
                except ValueError as error:
                    raise StoreError(f"The store has an unreadable profile space, publish again: {error}.") from error
            return self._space


class TablesReader(SqlReader):
    """A version as `write_tables` wrote it."""

    def __init__(self, version: LoadedVersion, rows: Rows, schema: str = ""):
        """Take the version, what runs a query, and the prefix of table names, as in SqlReader."""
        super().__init__(version.edition, rows, schema)
        self._version = version

    def space(self) -> ProfileSpace:
        return self._version.space(self._rows, self._schema)

    def _list(self, stored: Any) -> list[Any]:
        try:
            listed: list[Any] = json.loads(stored) if isinstance(stored, str) else stored
        except ValueError as error:
            raise StoreError(
                "Another version of Kindred published the store, publish again: its lists are texts."
            ) from error
        return listed


def _count(source: duckdb.DuckDBPyConnection, table: str) -> int:
    ((rows,),) = source.execute(f"select count(*) from {table}").fetchall()
    return int(rows)


def _query(source: duckdb.DuckDBPyConnection, table: str, has_types: bool) -> str:
    columns = columns_as_text(source.table(table), has_dates=has_types, has_lists=has_types)
    return f"select {columns} from {table} order by {quoted(TABLES[table])}"


def _space_batches(source: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
    content = memoryview(read_space(source).to_bytes())
    for chunk, start in enumerate(range(0, len(content), CHUNK_BYTES)):
        yield pa.record_batch([[chunk], [content[start : start + CHUNK_BYTES]]], SPACE_SCHEMA)
