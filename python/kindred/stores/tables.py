"""The warehouse as tables of another database: which ones, how they are written and how they are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from threading import Lock
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from kindred.errors import StoreError
from kindred.stores.base import Edition
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
"""The published tables with their primary keys; build_info is the first, so that what was begun has a version."""

INDEXES = {"users": ("cluster_id", "user_handle")}
"""What else is looked up by these columns."""

BATCH_ROWS = 1 << 15
"""Rows that are written at a time."""

CHUNK_BYTES = 1 << 24
"""Bytes of a profile space in a row of profile_space: well below what databases take as one value."""

SPACE_SCHEMA = pa.schema([("chunk", pa.int64()), ("content", pa.binary())])

Write = Callable[[pa.RecordBatch], None]

Writer = Callable[[str, pa.Schema], AbstractContextManager[Write]]
"""Makes a table, gives what adds rows to it, and lets the table be there at the end: all of it, or nothing."""


def write_tables(
    source: duckdb.DuckDBPyConnection,
    writer: Writer,
    present: Collection[str],
    progress: Callable[[str, int, int], None],
    *,
    has_dates: bool = True,
) -> None:
    """Write all published tables that are not present yet, in the order of their keys.

    Parameters
    ----------
    source
        A published warehouse.
    writer
        What writes a table.
    present
        The tables that are there already.
    progress
        Takes "rows", how many are written and how many there are; called after every batch.
    has_dates
        Whether the database knows dates and times; if not, they become ISO 8601 text, times to the second.

    """
    rows = {table: _count(source, table) for table in TABLES if table != "profile_space"}
    done, total = sum(rows.get(table, 0) for table in present), sum(rows.values())
    for table in rows:
        if table not in present:
            reader = source.execute(_query(source, table, has_dates)).to_arrow_reader(BATCH_ROWS)
            with writer(table, reader.schema) as write:
                for batch in reader:
                    write(batch)
                    done += batch.num_rows
                    progress("rows", done, total)
    if "profile_space" not in present:
        with writer("profile_space", SPACE_SCHEMA) as write:
            for batch in _space_batches(source):
                write(batch)


def columns_as_text(relation: duckdb.DuckDBPyRelation, *, has_dates: bool) -> str:
    """Return the select list of a relation in which nested columns are JSON, and dates ISO 8601 text if need be."""
    columns = []
    for name, kind in zip(relation.columns, relation.types, strict=True):
        if kind.id in ("list", "struct"):
            columns.append(f'to_json("{name}")::varchar as "{name}"')
        elif kind.id == "date" and not has_dates:
            columns.append(f'"{name}"::varchar as "{name}"')
        elif kind.id == "timestamp" and not has_dates:
            columns.append(f"""strftime("{name}", '%Y-%m-%dT%H:%M:%S') as "{name}" """)
        else:
            columns.append(f'"{name}"')
    return ", ".join(columns)


def quoted(names: Collection[str]) -> str:
    """Return column names for SQL, each in quotation marks: some, as rank, are words of SQL."""
    return ", ".join(f'"{name}"' for name in names)


class Published:
    """What is read of a version once."""

    def __init__(self, edition: Edition):
        """Take what the version says of itself; the profile space is read when it is asked for."""
        self.edition = edition
        self._space: ProfileSpace | None = None
        self._lock = Lock()

    def space(self, rows: Rows, schema: str) -> ProfileSpace:
        """Return the profile space, read by rows if nobody has read it yet."""
        with self._lock:
            if self._space is None:
                from kindred.fold_in.profile_space import ProfileSpace

                chunks = rows(f"select content from {schema}profile_space order by chunk", [])
                try:
                    self._space = ProfileSpace.from_bytes(b"".join(chunk["content"] for chunk in chunks))
                except ValueError as error:
                    raise StoreError(f"The store must be published to anew: {error}.") from error
            return self._space


class TablesReader(SqlReader):
    """A version as `write_tables` wrote it."""

    def __init__(self, published: Published, rows: Rows, schema: str = ""):
        """Take the version, what runs a query, and what stands before the names of tables, as SqlReader does."""
        super().__init__(published.edition, rows, schema)
        self._published = published

    def space(self) -> ProfileSpace:
        return self._published.space(self._rows, self._schema)

    def _reasons(self, stored: str) -> list[dict]:
        return json.loads(stored)


def _count(source: duckdb.DuckDBPyConnection, table: str) -> int:
    return source.execute(f"select count(*) from {table}").fetchone()[0]


def _query(source: duckdb.DuckDBPyConnection, table: str, has_dates: bool) -> str:
    columns = columns_as_text(source.table(table), has_dates=has_dates)
    return f"select {columns} from {table} order by {quoted(TABLES[table])}"


def _space_batches(source: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
    content = memoryview(read_space(source).to_bytes())
    for chunk, start in enumerate(range(0, len(content), CHUNK_BYTES)):
        yield pa.record_batch([[chunk], [content[start : start + CHUNK_BYTES]]], SPACE_SCHEMA)
