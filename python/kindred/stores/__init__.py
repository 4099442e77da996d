"""The stores that lookups read from, opened by URL."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from urllib.parse import SplitResult, urlsplit

from kindred.errors import StoreError
from kindred.stores.base import EXAMPLES, Store, publish_only, read_only

__all__ = ["open_store"]

DEFAULT_URL = "duckdb:///"
"""The published file: KINDRED_WAREHOUSE, or warehouse/kindred.duckdb."""


@dataclass(frozen=True)
class _Kind:
    """A kind of store: its module and class, and whether it can be read and published to."""

    module: str
    class_name: str
    is_readable: bool = True
    is_writable: bool = True


KINDS = {
    "duckdb": _Kind("kindred.stores.duckdb", "DuckdbStore"),
    "memory": _Kind("kindred.stores.memory", "MemoryStore", is_writable=False),
    "sqlite": _Kind("kindred.stores.sqlite", "SqliteStore"),
    "postgresql": _Kind("kindred.stores.postgresql", "PostgresqlStore"),
    "postgres": _Kind("kindred.stores.postgresql", "PostgresqlStore"),
    "dynamodb": _Kind("kindred.stores.dynamodb.store", "DynamodbStore"),
    "csv": _Kind("kindred.stores.files", "CsvFolder", is_readable=False),
    "parquet": _Kind("kindred.stores.files", "ParquetFolder", is_readable=False),
}


def open_store(url: str | None = None, *, to_publish: bool = False) -> Store:
    """Open a store; its connection is made when it is first read or written.

    Parameters
    ----------
    url
        The place of the store, as in `kindred.stores.base.EXAMPLES`: a relative path has three slashes before it, an
        absolute one four. The default is the published DuckDB file.
    to_publish
        Whether to publish to the store rather than read it.

    Raises
    ------
    StoreError
        If the URL is not that of a store, the store cannot be read or published to, or a package is not installed.

    """
    url = url or DEFAULT_URL
    try:
        split = urlsplit(url)
    except ValueError:
        split = SplitResult("", "", "", "", "")
    kind = KINDS.get(split.scheme)
    if kind is None or not url.startswith(f"{split.scheme}://"):
        # The part before the host may be a password.
        place = url.rpartition("@")[2]
        raise StoreError(f"{place!r} is not the URL of a store: use one like {', '.join(EXAMPLES.values())}.")
    if to_publish and not kind.is_writable:
        raise read_only(split.scheme)
    if not to_publish and not kind.is_readable:
        raise publish_only(split.scheme)
    store: type[Store] = getattr(import_module(kind.module), kind.class_name)
    return store.from_url(split)
