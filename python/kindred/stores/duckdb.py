"""The published DuckDB file as a store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult

import duckdb

from kindred.errors import PublicationError, StoreError
from kindred.stores.base import Edition, Progress, Store, path_of
from kindred.stores.sql import SqlReader, read_edition, read_space
from kindred.warehouse.locations import named_warehouse
from kindred.warehouse.publication import publish_file
from kindred.warehouse.reading import current_file, open_file, rows_of

if TYPE_CHECKING:
    from kindred.fold_in.profile_space import ProfileSpace

COPIED_BYTES = 1 << 24
"""Bytes of a file copied at a time."""

SCANNED_USERS = 40_000
"""The number of users from which courses are queried user by user, which reads a few blocks for each. With fewer users
one query that scans the column of all users is faster."""


class DuckdbStore(Store):
    """The file that the published name points to."""

    kind = "duckdb"

    def __init__(self, path: Path | None = None):
        """Take the published name, by default KINDRED_WAREHOUSE or warehouse/kindred.duckdb; it is not opened yet."""
        self._path = path
        self._opened: _OpenFile | None = None
        self._lock = Lock()

    @classmethod
    def from_url(cls, url: SplitResult) -> DuckdbStore:
        return cls(path_of(url))

    @contextmanager
    def read(self) -> Iterator[DuckdbReader]:
        opened = self._current()
        cursor = opened.connection.cursor()
        try:
            yield DuckdbReader(opened, cursor)
        finally:
            cursor.close()

    def publish(self, warehouse: Path, progress: Progress) -> bool:
        name = named_warehouse(self._path)
        with open_file(warehouse) as connection:
            version = read_edition(partial(rows_of, connection)).version
        if name.exists() and (name.resolve() == warehouse or (name.is_symlink() and self._has(version))):
            return False
        try:
            publish_file(name, version, partial(_copy, warehouse, progress=progress))
        except PublicationError as error:
            raise StoreError(f"{error}.") from error
        return True

    def close(self) -> None:
        with self._lock:
            self._opened = None

    def _has(self, version: str) -> bool:
        with self.read() as reader:
            return reader.edition.version == version

    def _current(self) -> _OpenFile:
        file = current_file(self._path)
        opened = self._opened
        if opened is None or opened.file != file:
            with self._lock:
                opened = self._opened
                if opened is None or opened.file != file:
                    # Readers of the old version keep it open; it closes when the last of them ends.
                    opened = self._opened = _OpenFile(file)
        return opened


class _OpenFile:
    """An open file with the parts of it that are read once and kept."""

    def __init__(self, file: Path):
        self.file = file
        self.connection = open_file(file)
        self.edition: Edition = read_edition(partial(rows_of, self.connection))
        self._space: ProfileSpace | None = None
        self._lock = Lock()

    def space(self) -> ProfileSpace:
        with self._lock:
            if self._space is None:
                self._space = read_space(self.connection.cursor())
            return self._space


class DuckdbReader(SqlReader):
    """A published file, read through a cursor of its own."""

    def __init__(self, opened: _OpenFile, cursor: duckdb.DuckDBPyConnection):
        """Take an open file and a cursor that no other thread uses."""
        super().__init__(opened.edition, partial(rows_of, cursor))
        self._opened = opened

    def space(self) -> ProfileSpace:
        return self._opened.space()

    def _courses_query(self, users: int) -> str:
        if self.edition.users < SCANNED_USERS:
            return super()._courses_query(users)
        return " union all ".join(["select user_handle, course_id from user_courses where user_handle = ?"] * users)

    def _list(self, stored: Any) -> list[Any]:
        if not isinstance(stored, list):
            raise StoreError("Another version of Kindred made the warehouse, build it again: its lists are texts.")
        return stored


def _copy(source: Path, target: Path, progress: Progress) -> None:
    size = source.stat().st_size
    with source.open("rb") as old, target.open("wb") as new:
        while part := old.read(COPIED_BYTES):
            new.write(part)
            progress("bytes", new.tell(), size)
        new.flush()
        os.fsync(new.fileno())
