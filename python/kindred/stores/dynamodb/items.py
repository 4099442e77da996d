"""The items of a table of DynamoDB: their keys, their packed texts and their sizes.

A table has the partition key pk (text) and the sort key sk (text). JSON texts are compressed with zlib, because AWS
charges by the kilobyte:

=====================  =====================  =======================================================================
pk                     sk                     other attributes
=====================  =====================  =======================================================================
current                -                      version, edition (JSON of Edition) and first_user, which readers use;
                                              publisher (the run that is publishing), publishing and last_handle
                                              (the version being written, and the last user written), removing (the
                                              previous version, until all of it is removed)
<version>#user#<h>     -                      user, similar, features, courses (JSON of what readers return)
<version>#users        last user of a page    users (JSON of consecutive rows of users)
<version>#cluster#<n>  last user of a page    users of one cluster; -1 stands for no cluster
<version>#space        000000, 000001, ...    content (part of the bytes of the profile space)
=====================  =====================  =======================================================================
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping

from kindred.stores.base import MAX_NUMBER, Handle, Row

KEYS = {"pk": ("HASH", "S"), "sk": ("RANGE", "S")}

STATE: Row = {"pk": "current", "sk": "-"}
"""The key of the only item that changes: the current version, and the version being written or removed."""

PAGE_USERS = 100
"""Users on a page that lists them: about 20 KB."""

MAX_ITEM_BYTES = 400 << 10
"""DynamoDB's limit for one item."""

MAX_ITEMS_WRITTEN = 25
"""DynamoDB's limit for one request."""

MAX_BYTES_WRITTEN = 4 << 20
"""Bytes of items in one request. DynamoDB accepts 16 MB, but a slow line must carry it within the read timeout."""


def user_key(version: str, user_handle: Handle) -> Row:
    """Return the key of a user."""
    return {"pk": f"{version}#user#{user_handle}", "sk": "-"}


def sort_key(user_handle: Handle) -> str:
    """Return the sk of a page whose last user has a handle: text in the order of handles, 17 digits for a number."""
    return user_handle if isinstance(user_handle, str) else f"{user_handle + MAX_NUMBER:017d}"


def space_part(number: int) -> str:
    """Return the sk of a part of the profile space, by its number from 0."""
    return f"{number:06d}"


def listing_key(version: str, cluster_id: int | None = None) -> str:
    """Return the pk of the pages that list the users of one cluster, or all users."""
    return f"{version}#users" if cluster_id is None else f"{version}#cluster#{cluster_id}"


def space_key(version: str) -> str:
    """Return the pk of the parts of the profile space."""
    return f"{version}#space"


def packed(text: str) -> bytes:
    """Compress a text. The level is the fastest: higher levels save only a tenth."""
    return zlib.compress(text.encode(), 1)


def unpacked(content: bytes) -> str:
    """Return the text that `packed` compressed."""
    return zlib.decompress(content).decode()


def item_bytes(item: Mapping[str, str | int | bytes]) -> int:
    """Return the approximate size of an item, as DynamoDB counts it."""
    return sum(len(name) + (21 if isinstance(value, int) else len(value)) for name, value in item.items())


def batches(items: Iterable[Row]) -> Iterator[list[Row]]:
    """Divide items into batches, each small enough for one request."""
    batch: list[Row] = []
    size = 0
    for item in items:
        bytes_ = item_bytes(item)
        if len(batch) == MAX_ITEMS_WRITTEN or (batch and size + bytes_ > MAX_BYTES_WRITTEN):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += bytes_
    if batch:
        yield batch
