"""A SQLite file as a store: one file that needs no server and is quick to read on one machine."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import SplitResult

import duckdb
import pyarrow as pa

from kindred.errors import NoWarehouseError, StoreError
from kindred.stores.base import EXAMPLES, Progress, Row, Store, path_of
from kindred.stores.sql import Rows, read_edition
from kindred.stores.tables import INDEXES, TABLES, LoadedVersion, TablesReader, Write, quoted, write_tables
from kindred.warehouse.reading import open_file, rows_of

MAX_WAIT_SECONDS = 5
"""How long a reader waits for a lock. Readers need one only briefly, such as after a crash."""

UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


class SqliteStore(Store):
    """A SQLite file with the published tables, which any program that reads SQLite can query.

    A publication holds the write lock of the file from beginning to end; readers do not notice. It writes the tables
    into a second file, <name>-next, each in a transaction of its own, so that the next run can continue after one that
    was killed. Then one transaction replaces the tables in the file itself. Readers write nothing, but SQLite must be
    able to write its locks into the folder for them.

    Readers and publishers both use Python's sqlite3. A second copy of SQLite in the same process, such as ADBC's, would
    make a reader lose its locks and its snapshot (https://www.sqlite.org/howtocorrupt.html, multiple copies).
    """

    kind = "sqlite"
    is_quick = True

    def __init__(self, path: Path):
        """Take the path of the file; it is not opened yet."""
        self._path = path
        self._opened: _OpenDatabase | None = None
        self._lock = Lock()

    @classmethod
    def from_url(cls, url: SplitResult) -> SqliteStore:
        path = path_of(url)
        if path is None:
            raise StoreError(f"The URL of a SQLite store names a file, as {EXAMPLES[cls.kind]} does.")
        return cls(path)

    @contextmanager
    def read(self) -> Iterator[TablesReader]:
        opened = self._current()
        with opened.connection() as connection:
            rows = partial(_rows, connection)
            try:
                # A snapshot from the first query to the end, even when another version is published meanwhile.
                connection.execute("begin")
                version = self._version(connection)
            except sqlite3.Error as error:
                advice = "; SQLite must be able to write locks into its folder" if _code(error) in UNWRITABLE else ""
                raise StoreError(f"{self._path} cannot be read: {error}{advice}.") from error
            if version is None:
                raise NoWarehouseError(f"Nothing is published to {self._path}: {self._advice}.")
            yield TablesReader(opened.version(version, rows), rows)

    def publish(self, warehouse: Path, progress: Progress) -> bool:
        with open_file(warehouse) as source:
            version = read_edition(partial(rows_of, source)).version
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with closing(sqlite3.connect(self._path, timeout=0, isolation_level=None)) as connection:
                    self._begin_to_write(connection)
                    next_file = self._path.with_name(f"{self._path.name}-next")
                    is_new = self._version(connection) != version
                    if is_new:
                        _write(source, next_file, version, progress)
                        _replace_tables(connection, next_file, version)
                    _remove(next_file)
            except (sqlite3.Error, duckdb.Error, OSError) as error:
                raise StoreError(f"{self._path} cannot be published to: {error}.") from error
        return is_new

    def close(self) -> None:
        with self._lock:
            if self._opened:
                self._opened.close()
            self._opened = None

    @property
    def _advice(self) -> str:
        return f"`kindred publish sqlite:///{self._path}` does it"

    def _current(self) -> _OpenDatabase:
        try:
            stat = self._path.stat()
        except OSError as error:
            raise NoWarehouseError(
                f"Nothing is published to {self._path} ({error.strerror}): {self._advice}."
            ) from error
        file = stat.st_dev, stat.st_ino
        with self._lock:
            if self._opened is None or self._opened.file != file:
                self._opened = _OpenDatabase(self._path, file)
            return self._opened

    def _begin_to_write(self, connection: sqlite3.Connection) -> None:
        """Begin a transaction that may write.

        Raises
        ------
        StoreError
            If Kindred did not make the file, or another program is writing to it.

        """
        self._version(connection)  # refuses a file of another program before anything is written to it
        try:
            connection.execute("pragma journal_mode = wal")
            connection.execute("begin immediate")
        except sqlite3.Error as error:
            if _code(error) != sqlite3.SQLITE_BUSY:
                raise
            raise StoreError(f"Another program is writing to {self._path}: publish when that is done.") from error

    def _version(self, connection: sqlite3.Connection) -> str | None:
        """Return the version in the file, or None if nothing has been published to it.

        Raises
        ------
        StoreError
            If Kindred did not make the file.

        """
        try:
            found = connection.execute("select version from publication").fetchone()
        except sqlite3.DatabaseError as error:
            if _code(error) == sqlite3.SQLITE_NOTADB:
                raise StoreError(f"{self._path} is not a SQLite database: name a new file.") from error
            if _code(error) != sqlite3.SQLITE_ERROR:
                raise
            if connection.execute("select count(*) from sqlite_master").fetchone()[0]:
                raise StoreError(f"{self._path} is a database of another program: name a new file.") from error
            return None
        return str(found[0]) if found else None


class _OpenDatabase:
    """The file that had the path when it was opened, with its connections and the version loaded from it."""

    def __init__(self, path: Path, file: tuple[int, int]):
        self.file = file
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._version: LoadedVersion | None = None

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that no other thread uses meanwhile."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            connection.rollback()
            self._idle.append(connection)

    def version(self, name: str, rows: Rows) -> LoadedVersion:
        version = self._version
        if version is None or version.edition.version != name:
            version = self._version = LoadedVersion(read_edition(rows))
        return version

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _connect(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro",
                uri=True,
                timeout=MAX_WAIT_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise StoreError(f"{self._path} cannot be opened: {error}.") from error


def _code(error: sqlite3.Error) -> int:
    """Return the primary error code, without the extension in the upper bits."""
    return error.sqlite_errorcode & 0xFF


def _rows(connection: sqlite3.Connection, query: str, parameters: Sequence[Any] = ()) -> list[Row]:
    try:
        cursor = connection.execute(query, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]
    except (sqlite3.Error, OverflowError) as error:  # a handle may exceed the 64 bits of SQLite's numbers
        raise StoreError(f"The SQLite file cannot answer: {error}.") from error


def _write(source: duckdb.DuckDBPyConnection, file: Path, version: str, progress: Progress) -> None:
    """Write the tables into a file of their own; continue a killed run for the same version."""
    if file.exists() and _unfinished_version(file) != version:
        _remove(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        write_tables(source, partial(_table, connection), _tables(connection), progress, has_types=False)


def _unfinished_version(file: Path) -> str | None:
    with closing(sqlite3.connect(file)) as connection, suppress(sqlite3.Error):
        ((version,),) = connection.execute("select version from build_info").fetchall()
        return str(version)
    return None


def _tables(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]


@contextmanager
def _table(connection: sqlite3.Connection, table: str, schema: pa.Schema) -> Iterator[Write]:
    columns = ", ".join(f'"{field.name}" {_type(field.type)}' for field in schema)
    insert = f"insert into {table} values ({', '.join('?' * len(schema))})"

    def write(batch: pa.RecordBatch) -> None:
        connection.executemany(insert, zip(*(column.to_pylist() for column in batch.columns), strict=True))

    connection.execute("begin")
    # Without row numbers, rows are stored in the order of the key, so that those of one user lie together.
    connection.execute(f"create table {table} ({columns}, primary key ({quoted(TABLES[table])})) without rowid")
    yield write
    connection.execute("commit")


def _type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind):
        return "real"
    if pa.types.is_boolean(kind):
        return "boolean"
    return "blob" if pa.types.is_binary(kind) else "text"


def _replace_tables(connection: sqlite3.Connection, file: Path, version: str) -> None:
    """Replace the tables of a connection by those of a file, and end its transaction."""
    connection.execute("attach ? as next", [str(file)])
    for table in TABLES:
        (definition,) = connection.execute("select sql from next.sqlite_master where name = ?", [table]).fetchone()
        connection.execute(f"drop table if exists main.{table}")
        connection.execute(definition)
        connection.execute(f"insert into main.{table} select * from next.{table}")
    for table, columns in INDEXES.items():
        connection.execute(f"create index {table}_by_{columns[0]} on {table} ({quoted(columns)})")
    connection.execute("create table if not exists publication (version text primary key, published_at text not null)")
    connection.execute("delete from publication")
    connection.execute("insert into publication values (?, strftime('%Y-%m-%dT%H:%M:%S', 'now'))", [version])
    connection.execute("commit")
    connection.execute("detach next")
    # Truncate the log, which would otherwise stay as long as all tables. It does stay while a reader is active.
    connection.execute("pragma wal_checkpoint(truncate)")


def _remove(file: Path) -> None:
    for ending in ("", "-journal"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
