"""Write a warehouse to DynamoDB beside the version that is read, and let the state name it when all of it is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from itertools import islice
from uuid import uuid4

from kindred.errors import StoreError
from kindred.stores.dynamodb.documents import Details, Documents, UserRow
from kindred.stores.dynamodb.table import (
    MOST_ITEM_BYTES,
    MOST_ITEMS_WRITTEN,
    PAGE_USERS,
    STATE,
    ChangedError,
    Table,
    batches,
    item_bytes,
    listing_key,
    packed,
    space_key,
    unpacked,
    user_key,
)

BLOCK_USERS = 5 * PAGE_USERS
"""Users who are written before it is noted that they are: some 5 MB."""

PART_BYTES = 350 << 10
"""Bytes of the profile space in an item."""

WRITERS = 4
"""Requests that are under way at a time."""


class Publication:
    """One run that makes a version current.

    Whatever a run that is killed leaves can be found without a scan. The state names the version that is being written
    or removed, and the pages that list users name the rest: they are written before their users, and removed after them
    and after the pages of their clusters. The state also names the run: one that finds another there stops.
    """

    def __init__(self, table: Table, documents: Documents, progress: Callable[[str, int, int], None]):
        """Take where to write, what, and what takes the steps that are done."""
        self._table = table
        self._documents = documents
        self._progress = progress
        self._edition = documents.edition
        self._version = documents.edition.version
        self._run = uuid4().hex
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="kindred-dynamodb")

    def publish(self) -> bool:
        """Make the version current, see `Store.publish`."""
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
                state = self._switch(state)
            try:
                self._remove_old(state)
                self._note(publisher=None)
            except StoreError as error:
                raise StoreError(
                    f"{self._version} is published, but the version before is not all removed, publish again to go on "
                    f"with that: {error}"
                ) from error
        finally:
            self._writers.shutdown(cancel_futures=True)
        return is_new

    def _write(self, state: dict) -> None:
        """Write the version, from where a run has got that was killed; remove what is left of another version."""
        begun = state.get("publishing")
        if begun == self._version:
            self._write_users(state["last_handle"])
        else:
            if begun is not None:
                self._remove(begun)
            self._write_users(0)
        self._at_once(self._table.put, self._cluster_pages())
        self._at_once(self._table.put, self._space_parts())

    def _switch(self, state: dict) -> dict:
        return self._note(
            version=self._version,
            edition=packed(json.dumps(asdict(self._edition))),
            first_user=self._documents.first_user(),
            removing=state.get("version"),
            publishing=None,
            last_handle=None,
        )

    def _write_users(self, after: int) -> None:
        count = self._documents.count_users(after)
        writing: list[Future] = []

        def finish() -> None:
            for written in writing:
                written.result()
            self._note(publishing=self._version, last_handle=after)
            self._progress("users", count, self._edition.users)

        for rows in self._blocks(after):
            # DuckDB makes the next block while the one before is written.
            details = self._documents.details(rows[0].user_handle, rows[-1].user_handle)
            finish()
            self._at_once(self._table.put, _pages(self._version, rows))
            writing = [
                self._writers.submit(self._put_users, rows[start : start + MOST_ITEMS_WRITTEN], details)
                for start in range(0, len(rows), MOST_ITEMS_WRITTEN)
            ]
            after = rows[-1].user_handle
            count += len(rows)
        finish()

    def _put_users(self, rows: list[UserRow], details: dict[int, Details]) -> None:
        for batch in batches(_user_item(self._version, row, details[row.user_handle]) for row in rows):
            self._table.put(batch)

    def _cluster_pages(self) -> Iterator[dict]:
        listed = 0
        for cluster_id in self._documents.cluster_ids():
            for rows in self._blocks(0, cluster_id):
                yield from _pages(self._version, rows, cluster_id)
                listed += len(rows)
                self._progress("users by cluster", listed, self._edition.users)

    def _space_parts(self) -> Iterator[dict]:
        content = self._documents.space().to_bytes()
        for start in range(0, len(content), PART_BYTES):
            part = content[start : start + PART_BYTES]
            yield {"pk": space_key(self._version), "sk": start // PART_BYTES, "content": part}
            self._progress("bytes of the profile space", start + len(part), len(content))

    def _blocks(self, after: int, cluster_id: int | None = None) -> Iterator[list[UserRow]]:
        while rows := self._documents.users(after, BLOCK_USERS, cluster_id):
            yield rows
            after = rows[-1].user_handle

    def _remove_old(self, state: dict) -> None:
        """Remove the version before the current one, if some of it is left."""
        if "removing" in state:
            self._remove(state["removing"])
            self._note(removing=None)

    def _remove(self, version: str) -> None:
        """Remove all items of a version that is not read any more, or never was."""
        pages = list(self._table.query(listing_key(version), attributes=("pk", "sk")))
        cluster_ids = set()
        for done, page in enumerate(self._table.query(listing_key(version)), start=1):
            self._note()
            users = json.loads(unpacked(page["users"]))
            self._at_once(self._table.delete, (user_key(version, user["user_handle"]) for user in users))
            cluster_ids.update(user["cluster_id"] for user in users)
            self._progress("pages of users removed", done, len(pages))
        for pk in (*(listing_key(version, cluster_id) for cluster_id in cluster_ids), space_key(version)):
            self._at_once(self._table.delete, self._table.query(pk, attributes=("pk", "sk")))
        self._at_once(self._table.delete, pages)

    def _at_once(self, write: Callable[[list[dict]], None], items: Iterable[dict]) -> None:
        """Put items or delete keys, a few requests at a time."""
        requests = batches(items)
        while group := list(islice(requests, WRITERS)):
            for _ in self._writers.map(write, group):
                pass

    def _note(self, **changes: str | int | bytes | None) -> dict:
        """Change the state and return it; with no changes only see that it still names this run."""
        try:
            return self._table.update_state({"publisher": self._run} | changes, publisher=self._run)
        except ChangedError as error:
            raise StoreError(
                f"Another publication to the table {self._table.name} has begun: it goes on in place of this one."
            ) from error


def _pages(version: str, rows: list[UserRow], cluster_id: int | None = None) -> Iterator[dict]:
    """Return the items that list users."""
    for start in range(0, len(rows), PAGE_USERS):
        page = rows[start : start + PAGE_USERS]
        users = f"[{','.join(row.content for row in page)}]"
        yield {"pk": listing_key(version, cluster_id), "sk": page[-1].user_handle, "users": packed(users)}


def _user_item(version: str, row: UserRow, details: Details) -> dict:
    """Return the item of a user; StoreError if DynamoDB would not take it."""
    contents = {"user": row.content, **details._asdict()}
    item = user_key(version, row.user_handle) | {name: packed(content) for name, content in contents.items()}
    size = item_bytes(item)
    if size > MOST_ITEM_BYTES:
        raise StoreError(
            f"User {row.user_handle} has so many features and courses that they take {size >> 10} KB, but DynamoDB "
            f"takes {MOST_ITEM_BYTES >> 10} KB for a user: publish to another store."
        )
    return item
