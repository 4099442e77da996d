"""A table of DynamoDB as a store."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from kindred.errors import NoWarehouseError, StaleVersionError, StoreError
from kindred.stores.base import EXAMPLES, Edition, Handle, Progress, Reader, Row, Store
from kindred.stores.dynamodb.client import Client
from kindred.stores.dynamodb.items import PAGE_USERS, STATE, listing_key, sort_key, space_key, unpacked, user_key
from kindred.stores.dynamodb.table import Table

if TYPE_CHECKING:
    from kindred.fold_in.profile_space import ProfileSpace

EXAMPLE = EXAMPLES["dynamodb"]

MAX_STATE_AGE_SECONDS = 1.0
"""How long the state counts as current before the next reader reads it again, however many readers there are."""

KEPT_ITEMS = 4
"""Items that a reader keeps, because a lookup needs several parts of one or two users."""

_TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")

_REGION = re.compile(r"[a-z0-9-]+")


class DynamodbStore(Store):
    """The version that the state of a table names as current."""

    kind = "dynamodb"

    def __init__(self, table: Table):
        """Take the table; no request is sent yet."""
        self._table = table
        self._current: _Current | None = None
        self._next_refresh = 0.0
        self._lock = Lock()

    @classmethod
    def from_url(cls, url: SplitResult) -> DynamodbStore:
        if "@" in url.netloc:
            raise StoreError(f"The URL of a table must be like {EXAMPLE}, without credentials: set AWS_PROFILE.")
        if not _TABLE_NAME.fullmatch(url.netloc) or url.path not in ("", "/") or url.fragment:
            raise StoreError(
                f"{url.geturl()!r} must be like {EXAMPLE}: the name of a table has 3 to 255 letters, digits, dots, "
                "hyphens and underscores."
            )
        given = parse_qsl(url.query, keep_blank_values=True)
        parameters = dict(given)
        if len(parameters) < len(given) or parameters.keys() - {"region", "endpoint"} or not all(parameters.values()):
            raise StoreError(f"{EXAMPLE} may have only region and endpoint after the question mark, each once.")
        region, endpoint = parameters.get("region"), parameters.get("endpoint")
        if region and not _REGION.fullmatch(region):
            raise StoreError(f"{region!r} is not a region of AWS: use one like eu-west-1.")
        if endpoint and not _is_endpoint(endpoint):
            raise StoreError("The endpoint of a table must be like http://127.0.0.1:8000: a scheme, a host and a port.")
        return cls(Table(Client(url.netloc, region, endpoint, url.geturl())))

    @contextmanager
    def read(self) -> Iterator[DynamodbReader]:
        with self._lock:
            now = time.monotonic()
            current = self._current if now < self._next_refresh else None
            if current is None:
                # Set before the state is read, so that other readers meanwhile use the version they know.
                self._next_refresh = now + MAX_STATE_AGE_SECONDS
        yield DynamodbReader(current or self._refresh(), self._table, self._require_current)

    def publish(self, warehouse: Path, progress: Progress) -> bool:
        # They import DuckDB, which lookups do not need.
        from kindred.stores.dynamodb.documents import Documents
        from kindred.stores.dynamodb.publication import Publication
        from kindred.warehouse.reading import open_file

        with open_file(warehouse) as connection:
            return Publication(self._table, Documents(connection), progress).publish()

    def close(self) -> None:
        self._table.close()

    def _refresh(self) -> _Current:
        """Read the state, and return the version that is current now."""
        state = self._table.get(STATE, is_consistent=True)
        if state is None or "version" not in state:
            raise NoWarehouseError(
                f"Nothing is published to the table {self._table.name} yet: "
                f"`kindred publish {self._table.quoted_url}` does it."
            )
        with self._lock:
            if self._current is None or self._current.edition.version != state["version"]:
                self._current = _Current(state)
            return self._current

    def _require_current(self, version: str) -> None:
        """Raise StaleVersionError if a version is no longer current, because its items may be missing then."""
        if self._refresh().edition.version != version:
            raise StaleVersionError(f"The version {version} was removed from the table {self._table.name}.")


class _Current:
    """The current version, with the parts of it that are read once and kept."""

    def __init__(self, state: Row):
        edition = json.loads(unpacked(state["edition"]))
        labels = {int(cluster_id): label for cluster_id, label in edition.pop("cluster_labels").items()}
        self.edition = Edition(**edition, cluster_labels=labels)
        self.first_user: Handle | None = state.get("first_user")
        self.space: ProfileSpace | None = None
        self.lock = Lock()


class DynamodbReader(Reader):
    """A table at one version.

    A version is removed only when another one is current, so it is complete as long as it is current. A reader that
    misses an item, or may have missed one, therefore checks whether its version is still current.
    """

    def __init__(self, current: _Current, table: Table, require_current: Callable[[str], None]):
        """Take a version, its table, and what raises StaleVersionError if the version is no longer current."""
        self.edition = current.edition
        self._current = current
        self._table = table
        self._require_current = require_current
        self._items: dict[Handle, Row | None] = {}

    def user(self, user_handle: Handle) -> Row | None:
        item = self._item(user_handle)
        if item is None:
            return None
        row: Row = json.loads(unpacked(item["user"]))
        return row

    def similar(self, user_handle: Handle) -> list[Row]:
        rows = self._rows(user_handle, "similar")
        for row in rows:
            del row["user_handle"]
        return rows

    def features(self, user_handle: Handle) -> list[tuple[str, str, float]]:
        return [(facet, feature, weight) for facet, feature, weight in self._rows(user_handle, "features")]

    def courses(self, user_handles: Iterable[Handle]) -> dict[Handle, list[str]]:
        missing = {user_key(self.edition.version, handle)["pk"]: handle for handle in user_handles}
        found: dict[Handle, list[str]] = {}
        for is_consistent in (False, True):
            keys = [user_key(self.edition.version, handle) for handle in missing.values()]
            for item in self._table.get_many(keys, ("pk", "courses"), is_consistent=is_consistent):
                found[missing.pop(item["pk"])] = json.loads(unpacked(item["courses"]))
        if missing:
            self._require_current(self.edition.version)
        return {handle: courses for handle, courses in found.items() if courses}

    def users(self, after: Handle | None, limit: int, cluster_id: int | None = None) -> list[Row]:
        rows: list[Row] = []
        pages = self._table.query(
            listing_key(self.edition.version, cluster_id),
            None if after is None else sort_key(after),
            items_at_a_time=limit // PAGE_USERS + 2,
        )
        for page in pages:
            listed = json.loads(unpacked(page["users"]))
            rows += [row for row in listed if after is None or row["user_handle"] > after]
            if len(rows) >= limit:
                break
        # A page that has been removed already would go unnoticed.
        self._require_current(self.edition.version)
        return rows[:limit]

    def first_user(self) -> Handle | None:
        return self._current.first_user

    def space(self) -> ProfileSpace:
        from kindred.fold_in.profile_space import ProfileSpace

        with self._current.lock:
            if self._current.space is None:
                content = b"".join(part["content"] for part in self._table.query(space_key(self.edition.version)))
                self._require_current(self.edition.version)
                try:
                    self._current.space = ProfileSpace.from_bytes(content)
                except ValueError as error:
                    raise StoreError(
                        f"The table {self._table.name} has an unreadable profile space, publish again: {error}."
                    ) from error
            return self._current.space

    def _rows(self, user_handle: Handle, name: str) -> list[Any]:
        item = self._item(user_handle)
        rows: list[Any] = [] if item is None else json.loads(unpacked(item[name]))
        return rows

    def _item(self, user_handle: Handle) -> Row | None:
        """Return the whole item of a user: AWS charges for all of it anyway."""
        if user_handle not in self._items:
            key = user_key(self.edition.version, user_handle)
            item = self._table.get(key) or self._table.get(key, is_consistent=True)
            if item is None:
                self._require_current(self.edition.version)
            if len(self._items) == KEPT_ITEMS:
                self._items.clear()
            self._items[user_handle] = item
        return self._items[user_handle]


def _is_endpoint(endpoint: str) -> bool:
    url = urlsplit(endpoint)
    try:
        port = url.port
    except ValueError:
        return False
    bare = f"{url.scheme}://{url.hostname}" + (f":{port}" if port else "")
    return url.scheme in ("http", "https") and bool(url.hostname) and endpoint.rstrip("/").lower() == bare
