"""A folder of CSV or Parquet files as a store: what other programs load; look-ups cannot read it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar, NoReturn
from urllib.parse import SplitResult

import duckdb
import pyarrow as pa
from pyarrow.csv import read_csv
from pyarrow.parquet import read_table as read_parquet

from kindred.errors import StoreError
from kindred.stores.base import Store, path_of
from kindred.stores.sql import read_edition
from kindred.stores.tables import columns_as_text
from kindred.warehouse.reading import rows_of

LEFT_OUT = "similar_user_reasons"
"""A view that computes the reasons of everybody: similar_users has the first ones, user_features the others."""


class _Folder(Store):
    """A folder with a file for every table of the warehouse; the whole folder is replaced."""

    options: ClassVar[str]
    read_table: ClassVar[Callable[[Path], pa.Table]]

    def __init__(self, path: Path):
        """Take the path of the folder."""
        self._path = path

    @classmethod
    def from_url(cls, url: SplitResult) -> _Folder:
        example = f"{cls.kind}:///path/folder"
        path = path_of(url, example)
        if path is None or not path.resolve().name:
            raise StoreError(f"The URL of {cls.kind} files names a folder, as {example} does.")
        return cls(path)

    def read(self) -> NoReturn:
        raise StoreError(f"{self.kind}:// is for publishing only: look-ups read from a database.")

    def publish(self, warehouse: Path, progress: Callable[[str, int, int], None]) -> bool:
        target = self._path.resolve()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with _opened(warehouse) as source, _locked(target.parent), _replacement_of(target) as replacement:
                if self._version(target) == read_edition(partial(rows_of, source)).version:
                    return False
                replacement.mkdir()
                self._write(source, replacement, progress)
        except (OSError, duckdb.Error) as error:
            raise StoreError(f"{self._path} cannot be published to: {error}.") from error
        return True

    def close(self) -> None:
        pass

    def _version(self, target: Path) -> str | None:
        """Return the version in the folder, None if there is no folder or nothing in it.

        Raises
        ------
        StoreError
            If it is none of Kindred's.

        """
        if not target.exists() or (target.is_dir() and not any(target.iterdir())):
            return None
        try:
            return str(self.read_table(target / f"build_info.{self.kind}")["version"][0])
        except (OSError, KeyError, IndexError, pa.ArrowException) as error:
            raise StoreError(
                f"{self._path} is something that `kindred publish` did not make: name a new folder."
            ) from error

    def _write(
        self, source: duckdb.DuckDBPyConnection, folder: Path, progress: Callable[[str, int, int], None]
    ) -> None:
        tables = {
            name: source.execute(f'select count(*) from "{name}"').fetchone()[0]
            for (name,) in source.execute(
                "select table_name from information_schema.tables where table_schema = 'main' and table_name <> ?",
                [LEFT_OUT],
            ).fetchall()
        }
        done = 0
        for table, rows in tables.items():
            file = folder / f"{table}.{self.kind}"
            source.execute(
                f'copy (select {self._columns(source, table)} from "{table}") to {_text(file)} ({self.options})'
            )
            _sync(file)
            done += rows
            progress("rows", done, sum(tables.values()))
        _sync(folder)

    def _columns(self, source: duckdb.DuckDBPyConnection, table: str) -> str:
        return "*"


class CsvFolder(_Folder):
    """CSV files with a header: dates and times as ISO 8601, lists as JSON, nothing between two commas for null."""

    kind = "csv"
    options = "format csv, header, timestampformat '%Y-%m-%dT%H:%M:%S'"
    read_table = staticmethod(read_csv)

    def _columns(self, source: duckdb.DuckDBPyConnection, table: str) -> str:
        return columns_as_text(source.table(table), has_dates=True)


class ParquetFolder(_Folder):
    """Parquet files, with the types of the warehouse."""

    kind = "parquet"
    options = "format parquet, compression zstd"
    read_table = staticmethod(read_parquet)


@contextmanager
def _opened(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a warehouse beside a database in memory, since what opens it alone, as DuckdbStore, may write no files."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {_text(warehouse)} as warehouse (read_only)")
        connection.execute("use warehouse")
        yield connection


@contextmanager
def _replacement_of(target: Path) -> Iterator[Path]:
    """Give the path of a folder to be made, which takes the place of another in the end, or is removed on an error."""
    part, old = (target.with_name(f".{target.name}.kindred-{kind}") for kind in ("part", "old"))
    _repair(target, part, old)  # after a run that was killed
    try:
        yield part
        if part.exists():
            if target.exists():
                target.rename(old)
            part.rename(target)
            _sync(target.parent)
    finally:
        _repair(target, part, old)


def _repair(target: Path, part: Path, old: Path) -> None:
    """Put the old folder back if there is no other, and remove what is left."""
    if old.exists() and not target.exists():
        old.rename(target)
    for leftover in (old, part):
        if leftover.exists():
            shutil.rmtree(leftover)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Wait until nobody else publishes to a folder in this one."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
