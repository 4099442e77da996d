"""The interface of every store: to publish a warehouse, and to read one version of it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import SplitResult, unquote

from kindred.errors import StoreError
from kindred.fold_in.spelling import BLANKS

if TYPE_CHECKING:  # it imports scipy, which most lookups do not need
    from kindred.fold_in.profile_space import ProfileSpace

Handle = int | str
"""The handle of a user: a whole number, or text in a warehouse whose `handle_type` is text."""

WHOLE_NUMBER = re.compile(r"-?0*[0-9]{1,16}", re.ASCII)

MAX_NUMBER = 2**53 - 1
"""The largest whole number that every program reads exactly; a warehouse with larger ones has text."""

Row = dict[str, Any]
"""A row of a table by its column names."""

Progress = Callable[[str, int, int], None]
"""Receives what is being written, the steps done and the steps in all."""

EXAMPLES = {
    "duckdb": "duckdb:///path/kindred.duckdb",
    "memory": "memory:///path/kindred.duckdb",
    "sqlite": "sqlite:///path/kindred.sqlite",
    "postgresql": "postgresql://user@host:5432/database",
    "dynamodb": "dynamodb://table?region=eu-west-1",
    "csv": "csv:///path/folder",
    "parquet": "parquet:///path/folder",
}
"""An example of a URL of each kind of store."""


def path_of(url: SplitResult) -> Path | None:
    """Return the path in a URL: relative after three slashes, absolute after four; None if it has no path.

    Raises
    ------
    StoreError
        If the URL has only two slashes, which would make its first part a host, or has more than a path.

    """
    if url.netloc or url.query or url.fragment:
        example = EXAMPLES[url.scheme]
        raise StoreError(
            f"{url.geturl()!r} must be like {example}: three slashes and a path, or four if the path is absolute."
        )
    return Path(unquote(url.path[1:])) if url.path[1:] else None


def publish_only(scheme: str) -> StoreError:
    """Return the error for a store that cannot be read."""
    return StoreError(f"{scheme}:// is for publishing only: lookups read from a database.")


def read_only(scheme: str) -> StoreError:
    """Return the error for a store that cannot be published to."""
    return StoreError(f"{scheme}:// only reads a published warehouse into memory: it cannot be published to.")


@dataclass(frozen=True)
class Edition:
    """The facts about a published version, which are read once per version.

    Attributes
    ----------
    version
        The version, as in build_info.
    built_at
        When the build started, in UTC: ISO 8601 to the second.
    users
        The number of users.
    handle_type
        What handles are: "number" or "text".
    matching_facets
        Every facet, in the order of their numbers, with the facet of the other user to compare it with.
    cluster_labels
        The label of every cluster by its cluster_id; None for a cluster without a label.

    """

    version: str
    built_at: str
    users: int
    handle_type: str = "number"
    matching_facets: dict[str, str] = field(default_factory=dict)
    cluster_labels: dict[int, str | None] = field(default_factory=dict)

    def handle(self, asked: Handle) -> Handle | None:
        """Return a handle as this version has it, from a number or a text; None if no user can have it."""
        text = str(asked).strip(BLANKS)
        if self.handle_type == "text":
            return text if _is_storable(text) else None
        return int(text) if WHOLE_NUMBER.fullmatch(text) and abs(int(text)) <= MAX_NUMBER else None


def _is_storable(text: str) -> bool:
    """Return whether a text can be in every store: some take no NUL, and none takes half a surrogate pair."""
    return bool(text) and "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


class Reader(ABC):
    """A store at one version. One thread at a time uses it, inside the context of `Store.read`.

    Handles are of the edition's type, as `Edition.handle` returns them; the caller finds out by `user` whether a user
    exists. They are in the order of numbers or of code points. Rows are dicts by the column names of the warehouse,
    with lists as lists and dates and times as ISO 8601 text, so that every store returns the same rows.
    """

    edition: Edition

    @abstractmethod
    def user(self, user_handle: Handle) -> Row | None:
        """Return the user's row of the table users, or None if the user does not exist."""

    @abstractmethod
    def similar(self, user_handle: Handle) -> list[Row]:
        """Return the user's rows of similar_users, most similar first, without user_handle.

        top_reasons is a list of dicts of facet, feature and contribution.
        """

    @abstractmethod
    def features(self, user_handle: Handle) -> list[tuple[str, str, float]]:
        """Return the user's profile from user_features, as (facet, feature, weight) in any order."""

    @abstractmethod
    def courses(self, user_handles: Iterable[Handle]) -> dict[Handle, list[str]]:
        """Return the ids of the courses that each user viewed, in any order; users without views are left out."""

    @abstractmethod
    def users(self, after: Handle | None, limit: int, cluster_id: int | None = None) -> list[Row]:
        """Return up to `limit` rows of users, of one cluster or all, by rising handle, from the first after `after`."""

    @abstractmethod
    def first_user(self) -> Handle | None:
        """Return the lowest handle of a user with similar users, or None if nobody has any."""

    @abstractmethod
    def space(self) -> ProfileSpace:
        """Return the profile space, which compares a new profile with all users; it is kept once loaded."""


class Store(ABC):
    """A place that lookups read from. Threads may share it."""

    kind: ClassVar[str]
    """The scheme of its URLs."""

    is_quick = False
    """Whether a user is read so fast (well below a millisecond) that the read needs no thread of its own."""

    @classmethod
    @abstractmethod
    def from_url(cls, url: SplitResult) -> Store:
        """Make a store from the parts of its URL; nothing is opened yet.

        Raises
        ------
        StoreError
            If a part of the URL is missing, wrong or unknown, or a package is not installed.

        """

    @abstractmethod
    def read(self) -> AbstractContextManager[Reader]:
        """Open a reader of the current version; the reader keeps to it when another version is published meanwhile.

        Raises
        ------
        NoWarehouseError
            If nothing has been published.
        StoreError
            If the store cannot be reached.

        """

    @abstractmethod
    def publish(self, warehouse: Path, progress: Progress) -> bool:
        """Make a published warehouse the current version: all of it, or after a failure nothing of it.

        It can run again: it does not write again what is already there, and uses or removes what a killed run left.

        Parameters
        ----------
        warehouse
            The real path of a published DuckDB file (`kindred.warehouse.locations.published_file`).
        progress
            Called now and then.

        Returns
        -------
        Whether anything was written: false if the store already has this version.

        Raises
        ------
        StoreError
            If the store cannot be reached or written.

        """

    @abstractmethod
    def close(self) -> None:
        """Release files and connections."""
