"""A folder of CSV or Parquet files as a store: for other programs to load; lookups cannot read it."""

from __future__ import annotations

import fcntl
import os
import shutil
from abc import abstractmethod
from collections.abc import Iterator
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
from kindred.stores.base import EXAMPLES, Progress, Store, path_of, publish_only
from kindred.stores.sql import read_edition
from kindred.stores.tables import columns_as_text
from kindred.warehouse.reading import rows_of

EXCLUDED_VIEW = "similar_user_reasons"
"""A view of all reasons of all pairs; similar_users holds the first ones, and user_features gives the rest."""


class _Folder(Store):
    """A folder with a file for every table of the warehouse. A publication replaces the whole folder."""

    options: ClassVar[str]
    """The options of DuckDB's copy statement."""

    def __init__(self, path: Path):
        """Take the path of the folder."""
        self._path = path

    @classmethod
    def from_url(cls, url: SplitResult) -> _Folder:
        path = path_of(url)
        if path is None or not path.resolve().name:
            raise StoreError(f"The URL of {cls.kind} files names a folder, as {EXAMPLES[cls.kind]} does.")
        return cls(path)

    def read(self) -> NoReturn:
        raise publish_only(self.kind)

    def publish(self, warehouse: Path, progress: Progress) -> bool:
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

    @staticmethod
    @abstractmethod
    def read_table(file: Path) -> pa.Table:
        """Read a file of the folder."""

    def _version(self, target: Path) -> str | None:
        """Return the version in the folder, or None if the folder is empty or does not exist.

        Raises
        ------
        StoreError
            If Kindred did not make it.

        """
        if not target.exists() or (target.is_dir() and not any(target.iterdir())):
            return None
        try:
            return str(self.read_table(target / f"build_info.{self.kind}")["version"][0])
        except (OSError, KeyError, IndexError, pa.ArrowException) as error:
            raise StoreError(f"`kindred publish` did not make {self._path}: name a new folder.") from error

    def _write(self, source: duckdb.DuckDBPyConnection, folder: Path, progress: Progress) -> None:
        tables = {
            name: int(source.execute(f'select count(*) from "{name}"').fetchall()[0][0])
            for (name,) in source.execute(
                "select table_name from information_schema.tables where table_schema = 'main' and table_name <> ?",
                [EXCLUDED_VIEW],
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
    """CSV files with a header: dates and times are ISO 8601, lists are JSON arrays, and a null is an empty field."""

    kind = "csv"
    options = "format csv, header, timestampformat '%Y-%m-%dT%H:%M:%S'"
    read_table = staticmethod(read_csv)

    def _columns(self, source: duckdb.DuckDBPyConnection, table: str) -> str:
        return columns_as_text(source.table(table), has_dates=True, has_lists=False)


class ParquetFolder(_Folder):
    """Parquet files, with the types of the warehouse."""

    kind = "parquet"
    options = "format parquet, compression zstd"
    read_table = staticmethod(read_parquet)


@contextmanager
def _opened(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Attach a warehouse to a database in memory, because a connection to the warehouse alone may not write files."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {_text(warehouse)} as warehouse (read_only)")
        connection.execute("use warehouse")
        yield connection


@contextmanager
def _replacement_of(target: Path) -> Iterator[Path]:
    """Give the path of a folder to make, which then replaces the target, or is removed after an error."""
    part, old = (target.with_name(f".{target.name}.kindred-{kind}") for kind in ("part", "old"))
    _repair(target, part, old)  # a run may have been killed
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
    """Put the old folder back if the target is missing, and remove leftovers."""
    if old.exists() and not target.exists():
        old.rename(target)
    for leftover in (old, part):
        if leftover.exists():
            shutil.rmtree(leftover)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Wait until no other process publishes to a folder in this one."""
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
