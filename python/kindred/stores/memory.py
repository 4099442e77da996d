"""The published DuckDB file, held in memory as Arrow tables."""

from __future__ import annotations

import logging
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult

import duckdb
import numpy as np
import pyarrow as pa

from kindred.errors import StoreError
from kindred.stores.base import Handle, Progress, Reader, Row, Store, path_of, read_only
from kindred.stores.sql import plain_row, read_edition, read_space
from kindred.warehouse.reading import current_file, open_file, rows_of

if TYPE_CHECKING:
    from kindred.fold_in.profile_space import ProfileSpace

_log = logging.getLogger(__name__)


class MemoryStore(Store):
    """A published file, read as a whole. A newer version replaces it once that is read as a whole too."""

    kind = "memory"
    is_quick = True

    def __init__(self, path: Path | None = None):
        """Take the published name, by default KINDRED_WAREHOUSE or warehouse/kindred.duckdb; it is not read yet."""
        self._path = path
        self._reader: MemoryReader | None = None
        self._loading: Path | None = None
        self._lock = Lock()

    @classmethod
    def from_url(cls, url: SplitResult) -> MemoryStore:
        return cls(path_of(url))

    @contextmanager
    def read(self) -> Iterator[MemoryReader]:
        file = current_file(self._path)
        reader = self._reader
        if reader is None:
            with self._lock:
                if self._reader is None:
                    self._reader = _read(file)
                reader = self._reader
        elif file not in (reader.file, self._loading):
            self._load_in_background(file)
        yield reader

    def publish(self, warehouse: Path, progress: Progress) -> bool:
        raise read_only(self.kind)

    def close(self) -> None:
        self._reader = None

    def _load_in_background(self, file: Path) -> None:
        """Read a newer version while the previous one is served."""
        with self._lock:
            if file == self._loading:
                return
            self._loading = file
        Thread(target=self._load, args=[file], name="kindred-memory", daemon=True).start()

    def _load(self, file: Path) -> None:
        try:
            reader = _read(file)
        except StoreError as error:
            # _loading keeps its value, so that no reader loads this file again.
            _log.error("The previous version is still served: %s", error)
        else:
            with self._lock:
                if self._loading == file:
                    self._reader = reader


class MemoryReader(Reader):
    """One version in memory. Any number of threads may read it."""

    def __init__(self, file: Path):
        """Read a published file, except the profile space, which is read when it is first needed."""
        self.file = file
        connection = open_file(file)
        self.edition = read_edition(partial(rows_of, connection))
        self._users = _ByUser(connection, "users", "*")
        self._similar = _ByUser(connection, "similar_users", "*", "rank")
        self._features = _ByUser(connection, "user_features", "user_handle, facet, feature, weight")
        self._courses = _ByUser(connection, "user_courses", "user_handle, course_id")
        self._cluster_ids = self._users.table["cluster_id"].to_numpy()
        self._connection = connection

    def user(self, user_handle: Handle) -> Row | None:
        rows = self._users.rows(user_handle)
        return plain_row(rows[0]) if rows else None

    def similar(self, user_handle: Handle) -> list[Row]:
        rows = self._similar.rows(user_handle)
        for row in rows:
            del row["user_handle"]
        return rows

    def features(self, user_handle: Handle) -> list[tuple[str, str, float]]:
        return [(row["facet"], row["feature"], row["weight"]) for row in self._features.rows(user_handle)]

    def courses(self, user_handles: Iterable[Handle]) -> dict[Handle, list[str]]:
        found = {handle: [row["course_id"] for row in self._courses.rows(handle)] for handle in user_handles}
        return {handle: courses for handle, courses in found.items() if courses}

    def users(self, after: Handle | None, limit: int, cluster_id: int | None = None) -> list[Row]:
        start = 0 if after is None else bisect_right(self._users.handles, after)
        if cluster_id is None:
            rows = self._users.table.slice(start, limit)
        else:
            rows = self._users.table.take(start + np.flatnonzero(self._cluster_ids[start:] == cluster_id)[:limit])
        return [plain_row(row) for row in rows.to_pylist()]

    def first_user(self) -> Handle | None:
        return self._similar.handles[0] if self._similar.handles else None

    @cached_property
    def _space(self) -> ProfileSpace:
        return read_space(self._connection)

    def space(self) -> ProfileSpace:
        return self._space


def _read(file: Path) -> MemoryReader:
    """Read a published file as a whole, so that no lookup has to wait."""
    reader = MemoryReader(file)
    reader.space()
    return reader


class _ByUser:
    """A table in the order of users, so that the rows of one user lie together.

    Attributes
    ----------
    table
        The rows; a text that occurs several times is held once.
    handles
        The users who have rows, in the order of their handles.

    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str, columns: str, order: str | None = None):
        by = "user_handle" if order is None else f"user_handle, {order}"
        read = connection.execute(f"select {columns} from {name} order by {by}").to_arrow_table().combine_chunks()
        self.table = pa.table({column: _encoded(read[column]) for column in read.column_names})
        users = _joined(read["user_handle"]).dictionary_encode()
        self.handles: list[Any] = users.dictionary.to_pylist()
        self._starts = np.searchsorted(users.indices.to_numpy(), np.arange(len(self.handles) + 1))

    def rows(self, user_handle: Handle) -> list[Row]:
        place = bisect_left(self.handles, user_handle)
        if place == len(self.handles) or self.handles[place] != user_handle:
            return []
        start, end = self._starts[place : place + 2].tolist()
        rows: list[Row] = self.table.slice(start, end - start).to_pylist()
        return rows


def _joined(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    array = column.combine_chunks()
    return pa.array([], column.type) if isinstance(array, pa.ChunkedArray) else array  # the table has no rows


def _encoded(column: pa.ChunkedArray) -> pa.Array:
    """Return a column with its texts dictionary-encoded, including those in lists of texts or records."""
    array = _joined(column) if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_string(array.type):
        return array.dictionary_encode()
    if pa.types.is_list(array.type):
        return pa.ListArray.from_arrays(array.offsets, _encoded(array.values), mask=array.is_null())
    if pa.types.is_struct(array.type):
        fields = [_encoded(array.field(place)) for place in range(array.type.num_fields)]
        return pa.StructArray.from_arrays(fields, [field.name for field in array.type])
    return array
