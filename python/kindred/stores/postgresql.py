"""A PostgreSQL database as a store: for several machines, and for people who query it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult

import duckdb
import pyarrow as pa

from kindred.errors import NoWarehouseError, StaleVersionError, StoreError, needed_extra
from kindred.stores.base import EXAMPLES, Progress, Row, Store
from kindred.stores.sql import Rows, read_edition
from kindred.stores.tables import INDEXES, TABLES, LoadedVersion, TablesReader, Write, quoted, write_tables
from kindred.warehouse.reading import open_file, rows_of

with needed_extra("postgres"):
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
    from psycopg.rows import DictRow, dict_row

if TYPE_CHECKING:
    from adbc_driver_postgresql.dbapi import Connection as AdbcConnection

Connection = psycopg.Connection[DictRow]

MAX_CONNECTIONS = 8
"""Threads of a process that read at a time; others wait. A server takes about a hundred connections in all."""

MAX_WAIT_SECONDS = 10
"""How long a reader waits for an answer or a connection, and a publisher for a lock."""

DEFAULTS = {
    "connect_timeout": "5",
    "fallback_application_name": "kindred",
    # A server that vanished is noticed within this time; by default it takes a quarter of an hour.
    "tcp_user_timeout": str(2 * MAX_WAIT_SECONDS * 1000),
    "keepalives_idle": "10",
}
"""Values of libpq's parameters that apply unless the URL sets them."""

ADVISORY_LOCK = int.from_bytes(b"kindred")
"""The number of the lock that a publisher holds."""


class PostgresqlStore(Store):
    """A database with the published tables of every version in a schema of its own, kindred_<version>.

    The table kindred.publication says which version is current. The views kindred.users, kindred.similar_users and so
    on show its tables to people; readers read the tables themselves. The previous version stays for its open readers.

    A role that publishes must be allowed to create schemas. A role that only reads must be allowed to use all of them,
    including later ones; the publishing role grants that once by `alter default privileges grant usage on schemas to
    reader` and `alter default privileges grant select on tables to reader`.
    """

    kind = "postgresql"

    def __init__(self, parameters: dict[str, str]):
        """Take libpq's parameters; nothing is connected yet."""
        self._conninfo = make_conninfo(**(DEFAULTS | parameters))
        self._name = ":".join(parameters[name] for name in ("host", "port") if name in parameters) or "the default host"
        self._slots = BoundedSemaphore(MAX_CONNECTIONS)
        self._idle: list[Connection] = []
        self._version: tuple[str, LoadedVersion] | None = None
        self._lock = Lock()

    @classmethod
    def from_url(cls, url: SplitResult) -> PostgresqlStore:
        try:
            parameters = conninfo_to_dict(_text_of(url))
            return cls({name: str(value) for name, value in parameters.items()})
        except psycopg.Error as error:
            # libpq's message goes on with the faulty text, which may be the password.
            reason = str(error).partition('"')[0].strip(" :\n")
            raise StoreError(f"The URL of the PostgreSQL store must be like {EXAMPLES[cls.kind]}: {reason}.") from None

    @contextmanager
    def read(self) -> Iterator[TablesReader]:
        if not self._slots.acquire(timeout=MAX_WAIT_SECONDS):
            raise StoreError(f"All {MAX_CONNECTIONS} connections to PostgreSQL at {self._name} are busy.")
        try:
            with self._current() as (connection, schema):
                rows = partial(_rows, connection)
                yield TablesReader(self._version_in(schema, rows), rows, f"{schema}.")
        finally:
            self._slots.release()

    def publish(self, warehouse: Path, progress: Progress) -> bool:
        with needed_extra("postgres"):
            from adbc_driver_manager import Error as AdbcError
            from adbc_driver_postgresql import dbapi
        with open_file(warehouse) as source:
            version = read_edition(partial(rows_of, source)).version
            schema = "kindred_" + re.sub("[^a-z0-9]", "_", version.lower())
            try:
                with self._connect() as connection:
                    connection.execute(f"set lock_timeout = '{MAX_WAIT_SECONDS}s'")
                    _lock_publication(connection)
                    is_new = _current_schema(connection) != schema
                    if is_new:
                        _create_schema(connection, version, schema)
                        with closing(dbapi.connect(self._conninfo)) as writing:
                            present = _tables(connection, schema)
                            write_tables(source, partial(_table, writing, schema), present, progress)
                        _make_current(connection, version, schema)
                    _drop_old_versions(connection)
            except (psycopg.Error, AdbcError, duckdb.Error) as error:
                raise StoreError(f"PostgreSQL at {self._name} cannot be published to: {_reason(error)}.") from error
        return is_new

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _connect(self) -> Connection:
        try:
            return psycopg.connect(self._conninfo, autocommit=True, row_factory=dict_row)
        except psycopg.Error as error:
            raise StoreError(f"PostgreSQL at {self._name} cannot be reached: {_reason(error)}.") from error

    @contextmanager
    def _current(self) -> Iterator[tuple[Connection, str]]:
        """Give a connection that no other thread uses meanwhile, and the schema of the current version."""
        try:
            connection, schema = self._connection()
        except psycopg.Error as error:
            raise StoreError(f"PostgreSQL at {self._name} cannot be read: {_reason(error)}.") from error
        try:
            if schema is None:
                raise NoWarehouseError(
                    f"Nothing has been published to PostgreSQL at {self._name}: "
                    "`kindred publish` with the same URL does it."
                )
            yield connection, schema
        finally:
            if not connection.closed:
                self._idle.append(connection)

    def _connection(self) -> tuple[Connection, str | None]:
        while connection := self._idle_connection():
            try:
                return connection, _current_schema(connection)
            except psycopg.OperationalError:
                connection.close()  # it is broken, like all that were idle when the server restarted
        connection = self._connect()
        connection.execute(f"set statement_timeout = '{MAX_WAIT_SECONDS}s'")
        connection.execute("set default_transaction_read_only = on")
        return connection, _current_schema(connection)

    def _idle_connection(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _version_in(self, schema: str, rows: Rows) -> LoadedVersion:
        with self._lock:
            if self._version is None or self._version[0] != schema:
                self._version = schema, LoadedVersion(read_edition(rows, f"{schema}."))
            return self._version[1]


def _text_of(url: SplitResult) -> str:
    """Return a URL as it was written: geturl() drops the slashes of a URL without a host."""
    query = f"?{url.query}" if url.query else ""
    fragment = f"#{url.fragment}" if url.fragment else ""
    return f"{url.scheme}://{url.netloc}{url.path}{query}{fragment}"


def _reason(error: Exception) -> str:
    """Return the reason in an error's text, which may have several lines about each attempt."""
    text = str(error)
    found = re.search(r"(?:FATAL|ERROR): +(.+)", text) or re.search(r".*failed: (.+)", text)
    return found[1] if found else text.partition("\n")[0].rstrip(".")


def _rows(connection: Connection, query: str, parameters: Sequence[Any] = ()) -> list[Row]:
    try:
        return connection.execute(query.replace("?", "%s"), parameters, binary=True).fetchall()
    except psycopg.errors.UndefinedTable as error:
        raise StaleVersionError("The version that was being read has been removed.") from error
    except psycopg.Error as error:
        raise StoreError(f"PostgreSQL cannot answer: {_reason(error)}.") from error


def _current_schema(connection: Connection) -> str | None:
    """Return the schema of the current version, or None if nothing has been published."""
    try:
        found = connection.execute("select schema_name from kindred.publication where state = 'current'").fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return str(found["schema_name"]) if found else None


def _lock_publication(connection: Connection) -> None:
    """Take the lock of publishers, which ends with the connection."""
    (found,) = connection.execute("select pg_try_advisory_lock(%s) as has_lock", [ADVISORY_LOCK]).fetchall()
    if not found["has_lock"]:
        raise StoreError("Another program is publishing to this database: publish when that is done.")


def _create_schema(connection: Connection, version: str, schema: str) -> None:
    """List a version in kindred.publication, then make its schema; StoreError if another program made kindred."""
    with connection.transaction():
        (found,) = connection.execute(
            "select to_regnamespace('kindred') is not null and to_regclass('kindred.publication') is null as is_foreign"
        ).fetchall()
        if found["is_foreign"]:
            raise StoreError("The database has a schema kindred that Kindred did not make: name another database.")
        connection.execute("create schema if not exists kindred")
        connection.execute(
            """
            create table if not exists kindred.publication (
                version text primary key,
                schema_name text not null unique,
                state text not null check (state in ('unfinished', 'current', 'previous', 'removable')),
                published_at timestamp with time zone
            )
            """
        )
        connection.execute(
            "insert into kindred.publication values (%s, %s, 'unfinished') on conflict do nothing", [version, schema]
        )
        connection.execute(f"create schema if not exists {schema}")


def _tables(connection: Connection, schema: str) -> list[str]:
    found = connection.execute("select tablename from pg_tables where schemaname = %s", [schema])
    return [row["tablename"] for row in found]


@contextmanager
def _table(writing: AdbcConnection, schema: str, table: str, columns: pa.Schema) -> Iterator[Write]:
    """Write a table through a connection of ADBC, in one transaction."""
    with writing.cursor() as cursor:
        cursor.adbc_ingest(table, columns.empty_table(), mode="create", db_schema_name=schema)
        yield partial(cursor.adbc_ingest, table, mode="append", db_schema_name=schema)
        if "user_handle" in columns.names and pa.types.is_string(columns.field("user_handle").type):
            # The order of code points, as in every other store, whatever the language of the database.
            cursor.execute(f'alter table {schema}.{table} alter column user_handle type text collate "C"')
        cursor.execute(f"alter table {schema}.{table} add primary key ({quoted(TABLES[table])})")
        if table in INDEXES:
            cursor.execute(f"create index on {schema}.{table} ({quoted(INDEXES[table])})")
        cursor.execute(f"analyze {schema}.{table}")
    writing.commit()


def _make_current(connection: Connection, version: str, schema: str) -> None:
    """Make a version the current one for readers and views."""
    try:
        with connection.transaction():
            connection.execute(
                """
                update kindred.publication
                set
                    state = case when version = %(version)s then 'current'
                        when state = 'current' then 'previous'
                        else 'removable' end,
                    published_at = case when version = %(version)s then now() else published_at end
                """,
                {"version": version},
            )
            for table in TABLES:
                _replace_view(connection, table, schema)
    except psycopg.errors.LockNotAvailable:
        raise StoreError(
            "A long query of the views in the schema kindred blocks the new version: publish again when it is done."
        ) from None
    except psycopg.errors.DependentObjectsStillExist as error:
        raise StoreError(
            f"Columns of the views in the schema kindred have changed, and another object depends on one of them: "
            f"drop that object and publish again ({_reason(error)})."
        ) from None


def _replace_view(connection: Connection, table: str, schema: str) -> None:
    definition = f"view kindred.{table} as select * from {schema}.{table}"
    try:
        with connection.transaction():
            connection.execute(f"create or replace {definition}")
    except psycopg.errors.InvalidTableDefinition:
        # The columns have changed. Only then, because dropping a view also drops the privileges on it.
        connection.execute(f"drop view kindred.{table}")
        connection.execute(f"create {definition}")


def _drop_old_versions(connection: Connection) -> None:
    """Remove all versions but the current and the previous one; one that is being read goes at the next publication."""
    for row in connection.execute("select schema_name from kindred.publication where state = 'removable'").fetchall():
        with suppress(psycopg.errors.LockNotAvailable), connection.transaction():
            connection.execute(f"drop schema if exists {row['schema_name']} cascade")
            connection.execute("delete from kindred.publication where schema_name = %(schema_name)s", row)
