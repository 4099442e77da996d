"""What every store can do: take a warehouse, and be read at one version."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import SplitResult, unquote

from kindred.errors import StoreError

if TYPE_CHECKING:  # it imports scipy, which most look-ups do without
    from kindred.fold_in.profile_space import ProfileSpace


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


@dataclass(frozen=True)
class Edition:
    """What a published version says of itself, read once per version.

    Attributes
    ----------
    version
        The version, as in build_info.
    built_at
        When the build was started, in UTC: ISO 8601 to the second.
    users
        How many users there are.
    matching_facets
        Every facet, in the order of their numbers, with the facet of the other user that it is compared with.
    cluster_labels
        The label of every cluster by its cluster_id; None for a cluster without one.

    """

    version: str
    built_at: str
    users: int
    matching_facets: dict[str, str] = field(default_factory=dict)
    cluster_labels: dict[int, str | None] = field(default_factory=dict)


class Reader(ABC):
    """A store at one version. It is used by one thread at a time, inside the context that gave it.

    Handles are whole numbers of 1 or more; whether a user exists is for the caller to find out by `user`. Rows are
    dicts by the names of the warehouse's columns, with dates and times as ISO 8601 text, so that they are the same from
    whatever store they come.
    """

    edition: Edition

    @abstractmethod
    def user(self, user_handle: int) -> dict | None:
        """Return the user's row of the table users, None if there is no such user."""

    @abstractmethod
    def similar(self, user_handle: int) -> list[dict]:
        """Return the user's rows of similar_users, closest first, without user_handle.

        top_reasons is a list of dicts of facet, feature and contribution.
        """

    @abstractmethod
    def features(self, user_handle: int) -> list[tuple[str, str, float]]:
        """Return the user's profile from user_features, as (facet, feature, weight) in any order."""

    @abstractmethod
    def courses(self, user_handles: Iterable[int]) -> dict[int, list[str]]:
        """Return the ids of the courses that each of some users viewed, in any order; none for users without any."""

    @abstractmethod
    def users(self, after: int, limit: int, cluster_id: int | None = None) -> list[dict]:
        """Return rows of users with greater handles than `after`, rising, at most `limit`; of one cluster or all."""

    @abstractmethod
    def first_user(self) -> int | None:
        """Return the lowest handle of a user who has similar users, None if nobody has."""

    @abstractmethod
    def space(self) -> ProfileSpace:
        """Return what compares a profile that is not in the store with everybody; kept once it is loaded."""


class Store(ABC):
    """A place from which look-ups are answered. Threads may share it."""

    kind: ClassVar[str]
    """What it is: the scheme of its URLs."""

    is_quick = False
    """Whether reading a user takes so little time (well below a millisecond) that it need not wait for a thread."""

    @classmethod
    @abstractmethod
    def from_url(cls, url: SplitResult) -> Store:
        """Make a store from the parts of its URL; nothing is opened yet.

        Raises
        ------
        StoreError
            If the URL lacks something or has too much, or a package is not installed.

        """

    @abstractmethod
    def read(self) -> AbstractContextManager[Reader]:
        """Give a reader of the current version; whatever is published meanwhile, it keeps to that version.

        Raises
        ------
        NoWarehouseError
            If nothing has been published.
        StoreError
            If the store cannot be reached.

        """

    @abstractmethod
    def publish(self, warehouse: Path, progress: Callable[[str, int, int], None]) -> bool:
        """Make a published warehouse what readers get from now on: all of it, or on any failure nothing.

        It can be run again: what is there already is not written again, and what a run that was killed has left is
        used or removed.

        Parameters
        ----------
        warehouse
            The real path of a published DuckDB file (`kindred.warehouse.locations.published_file`).
        progress
            Takes what is being written, the steps done of it and how many there are; called now and then.

        Returns
        -------
        Whether anything had to be written: false if the store has this version already.

        Raises
        ------
        StoreError
            If the store cannot be reached or written.

        """

    @abstractmethod
    def close(self) -> None:
        """Release files and connections."""
