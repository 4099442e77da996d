"""Where look-ups are answered from, by URL."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from urllib.parse import SplitResult, urlsplit

from kindred.errors import StoreError
from kindred.stores.base import Store

__all__ = ["open_store"]

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
    "duckdb": _Kind("kindred.stores.duckdb", "DuckdbStore", "duckdb:///path/kindred.duckdb"),
    "memory": _Kind("kindred.stores.memory", "MemoryStore", "memory://", is_writable=False),
    "sqlite": _Kind("kindred.stores.sqlite", "SqliteStore", "sqlite:///path/kindred.sqlite"),
    "postgresql": _Kind("kindred.stores.postgresql", "PostgresqlStore", "postgresql://user@host:5432/database"),
    "postgres": _Kind("kindred.stores.postgresql", "PostgresqlStore", "postgresql://user@host:5432/database"),
    "dynamodb": _Kind("kindred.stores.dynamodb.store", "DynamodbStore", "dynamodb://table?region=eu-west-1"),
    "csv": _Kind("kindred.stores.files", "CsvFolder", "csv:///path/folder", is_readable=False),
    "parquet": _Kind("kindred.stores.files", "ParquetFolder", "parquet:///path/folder", is_readable=False),
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
    store = getattr(import_module(kind.module), kind.name)
    return store.from_url(split)
