"""Where look-ups are answered from, by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from kindred.stores.base import Store, StoreError

DEFAULT_URL = "duckdb:///"
"""The published file: KINDRED_WAREHOUSE, or warehouse/kindred.duckdb."""


@dataclass(frozen=True)
class _Kind:
    """A kind of store: its class, how a URL of it looks, and whether one can read from it and publish to it."""

    module: str
    name: str
    example: str
    is_readable: bool = True
    is_writable: bool = True


KINDS = {
    "duckdb": _Kind("duckdb", "DuckdbStore", "duckdb:///path/kindred.duckdb"),
    "memory": _Kind("memory", "MemoryStore", "memory://", is_writable=False),
    "sqlite": _Kind("sqlite", "SqliteStore", "sqlite:///path/kindred.sqlite"),
    "postgresql": _Kind("postgresql", "PostgresqlStore", "postgresql://user@host:5432/database"),
    "postgres": _Kind("postgresql", "PostgresqlStore", "postgresql://user@host:5432/database"),
    "dynamodb": _Kind("dynamodb", "DynamodbStore", "dynamodb://table?region=eu-west-1"),
    "csv": _Kind("files", "CsvFolder", "csv:///path/folder", is_readable=False),
    "parquet": _Kind("files", "ParquetFolder", "parquet:///path/folder", is_readable=False),
}


def open_store(url: str | None = None, *, to_publish: bool = False) -> Store:
    """Open a store; whether it can be reached shows when it is read or written.

    Parameters
    ----------
    url
        Where it is, see KINDS; three slashes before a relative path and four before an absolute one. By default the
        published DuckDB file.
    to_publish
        Whether it is to be written rather than read.

    Raises
    ------
    StoreError
        If the URL names no such store, or one that cannot be read or written; or a package for it is not installed.

    """
    url = url or DEFAULT_URL
    try:
        split = urlsplit(url)
    except ValueError:
        split = SplitResult("", "", "", "", "")
    kind = KINDS.get(split.scheme)
    if kind is None or not url.startswith(f"{split.scheme}://"):
        examples = ", ".join(dict.fromkeys(kind.example for kind in KINDS.values()))
        # What stands before the host may be a password.
        raise StoreError(f"{url.rpartition('@')[2]!r} is not the URL of a store; these are: {examples}.")
    if to_publish and not kind.is_writable:
        raise StoreError(f"{split.scheme}:// holds a published warehouse in memory to read: it cannot be published to.")
    if not to_publish and not kind.is_readable:
        raise StoreError(f"{split.scheme}:// is for publishing only: look-ups read from a database.")
    store = getattr(import_module(f"kindred.stores.{kind.module}"), kind.name)
    return store.from_url(split)


def path_of(url: SplitResult, example: str) -> Path | None:
    """Return the path that a URL names: relative after three slashes, absolute after four; None for no path.

    Raises
    ------
    StoreError
        If the URL names a host, as with two slashes, or has more than a path.

    """
    if url.netloc or url.query or url.fragment:
        raise StoreError(f"{url.geturl()!r} must be like {example}: three slashes and a path, four if it is absolute.")
    return Path(unquote(url.path[1:])) if url.path[1:] else None


@contextmanager
def needed_extra(extra: str) -> Iterator[None]:
    """Say which extra to install where an import fails."""
    try:
        yield
    except ImportError as error:
        raise StoreError(
            f"{error.name or error} is not installed: `.venv/bin/pip install -c requirements-dev.lock -e '.[{extra}]'` "
            "in Kindred's folder does it."
        ) from error
