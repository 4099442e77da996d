"""Write a warehouse to DynamoDB beside the current version, and make it current when it is complete."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from itertools import islice
from uuid import uuid4

from kindred.errors import StoreError
from kindred.stores.base import Handle, Progress, Row
from kindred.stores.dynamodb.client import ChangedError
from kindred.stores.dynamodb.documents import Details, Documents, UserDocument
from kindred.stores.dynamodb.items import (
    MAX_ITEM_BYTES,
    MAX_ITEMS_WRITTEN,
    PAGE_USERS,
    STATE,
    batches,
    item_bytes,
    listing_key,
    packed,
    sort_key,
    space_key,
    space_part,
    unpacked,
    user_key,
)
from kindred.stores.dynamodb.table import Table

BLOCK_USERS = 5 * PAGE_USERS
"""Users written between two updates of the state: about 5 MB."""

PART_BYTES = 350 << 10
"""Bytes of the profile space in one item."""

WRITERS = 4
"""Requests in flight at a time."""


class Publication:
    """One run that makes a version current.

    The next run finds the leftovers of a killed one without a scan. The state names the version being written or
    removed, and the pages that list users lead to its other items: a page is written before its users, and removed
    after them and after the pages of their clusters. The state also names the run: a run that finds another one's name
    there stops.
    """

    def __init__(self, table: Table, documents: Documents, progress: Progress):
        """Take the table to write to, the documents to write, and what receives the progress."""
        self._table = table
        self._documents = documents
        self._progress = progress
        self._edition = documents.edition
        self._version = documents.edition.version
        self._run = uuid4().hex
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="kindred-dynamodb")

    def publish(self) -> bool:
        """Make the version current, as `Store.publish` describes."""
        self._table.create()
        state = self._table.get(STATE, is_consistent=True) or {}
        if state.get("version") == self._version and "removing" not in state:
            return False
        try:
            state = self._table.update_state({"publisher": self._run})
            is_new = state.get("version") != self._version
            if is_new:
                self._remove_old(state)
                self._write(state)
                state = self._make_current(state)
            try:
                self._remove_old(state)
                self._update_state(publisher=None)
            except StoreError as error:
                raise StoreError(
                    f"{self._version} is published, but part of the previous one is left, publish again to remove it: "
                    f"{error}"
                ) from error
        finally:
            self._writers.shutdown(cancel_futures=True)
        return is_new

    def _write(self, state: Row) -> None:
        """Write the version; continue a killed run for it, and remove the leftovers of another version."""
        begun = state.get("publishing")
        if begun == self._version:
            self._write_users(state.get("last_handle"))
        else:
            if begun is not None:
                self._remove(begun)
            self._write_users(None)
        self._write_in_parallel(self._table.put, self._cluster_pages())
        self._write_in_parallel(self._table.put, self._space_parts())

    def _make_current(self, state: Row) -> Row:
        return self._update_state(
            version=self._version,
            edition=packed(json.dumps(asdict(self._edition))),
            first_user=self._documents.first_user(),
            removing=state.get("version"),
            publishing=None,
            last_handle=None,
        )

    def _write_users(self, after: Handle | None) -> None:
        count = 0 if after is None else self._documents.count_users(after)
        writing: list[Future[None]] = []

        def finish() -> None:
            for written in writing:
                written.result()
            self._update_state(publishing=self._version, last_handle=after)
            self._progress("users", count, self._edition.users)

        for rows in self._blocks(after):
            # DuckDB makes the next block while the previous one is written.
            details = self._documents.details(rows[0].user_handle, rows[-1].user_handle)
            finish()
            self._write_in_parallel(self._table.put, _pages(self._version, rows))
            writing = [
                self._writers.submit(self._put_users, rows[start : start + MAX_ITEMS_WRITTEN], details)
                for start in range(0, len(rows), MAX_ITEMS_WRITTEN)
            ]
            after = rows[-1].user_handle
            count += len(rows)
        finish()

    def _put_users(self, rows: list[UserDocument], details: dict[Handle, Details]) -> None:
        for batch in batches(_user_item(self._version, row, details[row.user_handle]) for row in rows):
            self._table.put(batch)

    def _cluster_pages(self) -> Iterator[Row]:
        listed = 0
        for cluster_id in self._documents.cluster_ids():
            for rows in self._blocks(None, cluster_id):
                yield from _pages(self._version, rows, cluster_id)
                listed += len(rows)
                self._progress("users by cluster", listed, self._edition.users)

    def _space_parts(self) -> Iterator[Row]:
        content = self._documents.space().to_bytes()
        for start in range(0, len(content), PART_BYTES):
            part = content[start : start + PART_BYTES]
            yield {"pk": space_key(self._version), "sk": space_part(start // PART_BYTES), "content": part}
            self._progress("bytes of the profile space", start + len(part), len(content))

    def _blocks(self, after: Handle | None, cluster_id: int | None = None) -> Iterator[list[UserDocument]]:
        while rows := self._documents.users(after, BLOCK_USERS, cluster_id):
            yield rows
            after = rows[-1].user_handle

    def _remove_old(self, state: Row) -> None:
        """Remove the rest of the previous version, if there is any."""
        if "removing" in state:
            self._remove(state["removing"])
            self._update_state(removing=None)

    def _remove(self, version: str) -> None:
        """Remove all items of a version that nobody reads any more, or that never became current."""
        pages = list(self._table.query(listing_key(version), attributes=("pk", "sk")))
        cluster_ids: set[int] = set()
        for done, page in enumerate(self._table.query(listing_key(version)), start=1):
            self._update_state()
            users = json.loads(unpacked(page["users"]))
            self._write_in_parallel(self._table.delete, (user_key(version, user["user_handle"]) for user in users))
            cluster_ids.update(user["cluster_id"] for user in users)
            self._progress("pages of users removed", done, len(pages))
        for pk in (*(listing_key(version, cluster_id) for cluster_id in cluster_ids), space_key(version)):
            self._write_in_parallel(self._table.delete, self._table.query(pk, attributes=("pk", "sk")))
        self._write_in_parallel(self._table.delete, pages)

    def _write_in_parallel(self, write: Callable[[list[Row]], None], items: Iterable[Row]) -> None:
        """Put items, or delete keys, with a few requests at a time."""
        requests = batches(items)
        while group := list(islice(requests, WRITERS)):
            for _ in self._writers.map(write, group):
                pass

    def _update_state(self, **changes: str | int | bytes | None) -> Row:
        """Change the state and return it; without changes, only check that it still names this run."""
        try:
            return self._table.update_state({"publisher": self._run} | changes, publisher=self._run)
        except ChangedError as error:
            raise StoreError(
                f"Another publication to the table {self._table.name} has begun and replaces this one."
            ) from error


def _pages(version: str, rows: list[UserDocument], cluster_id: int | None = None) -> Iterator[Row]:
    """Yield the items that list users."""
    for start in range(0, len(rows), PAGE_USERS):
        page = rows[start : start + PAGE_USERS]
        users = f"[{','.join(row.content for row in page)}]"
        yield {"pk": listing_key(version, cluster_id), "sk": sort_key(page[-1].user_handle), "users": packed(users)}


def _user_item(version: str, row: UserDocument, details: Details) -> Row:
    """Return the item of a user; StoreError if it exceeds DynamoDB's limit."""
    contents = {"user": row.content, **details._asdict()}
    item = user_key(version, row.user_handle) | {name: packed(content) for name, content in contents.items()}
    size = item_bytes(item)
    if size > MAX_ITEM_BYTES:
        raise StoreError(
            f"The features and courses of user {row.user_handle} take {size >> 10} KB, but DynamoDB takes "
            f"{MAX_ITEM_BYTES >> 10} KB for a user: publish to another store."
        )
    return item
