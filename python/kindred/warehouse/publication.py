"""Publish tables as one file that never changes while it is read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb

from kindred.errors import PublicationError

KEPT_VERSIONS = 2
"""The published file and the previous one, which a reader may be opening at this moment."""

_VERSION = re.compile(r"[0-9A-Za-z]+(-[0-9A-Za-z]+)*")


def publish(
    connection: duckdb.DuckDBPyConnection,
    warehouse: str | Path,
    tables: Sequence[str],
    version: str,
    schema: str = "main",
) -> Path:
    """Copy tables with their comments into a new DuckDB file and make the published name point to it.

    The new file gets a name of its own. The published name is a symbolic link that is replaced in one step: a reader
    sees the old version or the new one, and a reader that has the old one open keeps it. (Each version is a file of its
    own because DuckDB would go on serving a file that was replaced under the same name.)

    Parameters
    ----------
    connection
        An open connection outside a transaction; the tables are in its database.
    warehouse
        The published name, such as warehouse/kindred.duckdb; its folder is made if it is missing.
    tables
        The tables to publish, in this order.
    version
        The version, part of the file's name: letters, digits and hyphens.
    schema
        The schema of the tables. In the published file they are in the main schema.

    Returns
    -------
    The path of the new file.

    Raises
    ------
    PublicationError
        If the published name is a file that no build made, or the new file cannot be written. The previous version
        then stays.

    """
    return publish_file(warehouse, version, lambda part: _copy_tables(connection, part, tables, schema))


def publish_file(warehouse: str | Path, version: str, write: Callable[[Path], None]) -> Path:
    """Make the published name point to a new file, as `publish` does; `write` takes the path and writes the file.

    Raises
    ------
    PublicationError
        As `publish` raises it, and when `write` raises OSError or duckdb.Error.

    """
    if not _VERSION.fullmatch(version):
        raise ValueError(f"a version has letters, digits and hyphens only, not {version!r}")
    warehouse = Path(warehouse).absolute()
    if warehouse.exists() and not warehouse.is_symlink():
        raise PublicationError(
            f"{warehouse} is a file or folder that Kindred did not publish: move it away, "
            "or set KINDRED_WAREHOUSE to another name"
        )
    file = warehouse.with_name(f"{warehouse.stem}-{version}{warehouse.suffix}")
    part = file.with_name(file.name + ".part")
    link = warehouse.with_name(warehouse.name + ".link")
    try:
        warehouse.parent.mkdir(parents=True, exist_ok=True)
        _remove(link, *_leftovers(warehouse))
        write(part)
        os.replace(part, file)
        link.symlink_to(file.name)
        os.replace(link, warehouse)
    except (OSError, duckdb.Error) as error:
        with suppress(OSError):
            _remove(part, link)
        raise PublicationError(f"cannot publish {warehouse}: {error}") from error
    _remove_old_versions(warehouse)
    return file


def _copy_tables(connection: duckdb.DuckDBPyConnection, part: Path, tables: Sequence[str], schema: str) -> None:
    source = connection.sql("select current_database()").fetchall()[0][0]
    connection.execute(f"attach '{_quoted(part)}' as published")
    try:
        views = dict(
            connection.execute(
                "select view_name, sql from duckdb_views() where database_name = $source and schema_name = $schema",
                {"source": source, "schema": schema},
            ).fetchall()
        )
        for table in tables:
            if table not in views:
                connection.execute(f'create table published.main."{table}" as from "{source}"."{schema}"."{table}"')
        connection.execute("use published")
        for view in filter(views.get, tables):
            # A view names the database and schema it was built in; in the published file its tables are beside it.
            connection.execute(re.sub(_named(source) + "?" + _named(schema), "", views[view]))
        for statement in _comment_statements(connection, source, schema, tables):
            connection.execute(statement)
    finally:
        connection.execute(f'use "{source}"')
        connection.execute("detach published")


def _comment_statements(
    connection: duckdb.DuckDBPyConnection, source: str, schema: str, tables: Sequence[str]
) -> list[str]:
    """Return the statements that copy the comments of tables and columns into the published file."""
    return [
        f"comment on {kind} published.main.{name} is '{_quoted(comment)}'"
        for kind, name, comment in connection.execute(
            """
            select 'table', '"' || table_name || '"', comment
            from duckdb_tables()
            where database_name = $source and schema_name = $schema and table_name in $tables and comment is not null
            union all
            select 'view', '"' || view_name || '"', comment
            from duckdb_views()
            where database_name = $source and schema_name = $schema and view_name in $tables and comment is not null
            union all
            select 'column', '"' || table_name || '"."' || column_name || '"', comment
            from duckdb_columns()
            where database_name = $source and schema_name = $schema and table_name in $tables and comment is not null
            """,
            {"source": source, "schema": schema, "tables": list(tables)},
        ).fetchall()
    ]


def _named(name: str) -> str:
    """Return the pattern of a database or schema before a dot, in quotes or not."""
    return rf'(?:"{re.escape(name)}"\.|\b{re.escape(name)}\.)'


def _leftovers(warehouse: Path) -> list[Path]:
    """Return the unfinished files of killed publications."""
    return [
        file for file in warehouse.parent.iterdir() if _version_file(warehouse, r"\.part(\.wal)?").fullmatch(file.name)
    ]


def _remove_old_versions(warehouse: Path) -> None:
    """Remove all versions but the newest ones; a reader that has one open keeps it until it closes it."""
    current = warehouse.resolve()
    pattern = _version_file(warehouse)
    older = [file for file in current.parent.iterdir() if pattern.fullmatch(file.name) and file != current]
    older.sort(key=lambda file: file.stat().st_mtime_ns, reverse=True)
    _remove(*older[KEPT_VERSIONS - 1 :])


def _version_file(warehouse: Path, ending: str = "") -> re.Pattern[str]:
    """Return the pattern of the names of published files: no other file is ever removed."""
    version = r"-\d{8}T\d{6}Z-[0-9a-f]{8}"
    return re.compile(re.escape(warehouse.stem) + version + re.escape(warehouse.suffix) + ending)


def _remove(*files: Path) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _quoted(text: str | Path) -> str:
    return str(text).replace("'", "''")
