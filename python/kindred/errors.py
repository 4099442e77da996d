"""Every error that Kindred raises for its users, with one base class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class KindredError(Exception):
    """What a command cannot do; the message is one sentence that says why and what to do."""


class SampleError(KindredError, ValueError):
    """The sample cannot be written as asked."""


class WarehouseError(KindredError):
    """The published warehouse, or the build behind it, cannot be read."""


class PublicationError(KindredError):
    """The warehouse cannot be published."""


class StoreError(KindredError):
    """A store cannot be opened, read or written."""


class NoWarehouseError(StoreError):
    """Nothing has been published to the store yet; the message says how to."""


class StaleVersionError(KindredError):
    """The version that a reader holds has been removed: the look-up starts again with the current one."""


class UnknownUserError(KindredError):
    """The warehouse has no such user."""

    def __init__(self, user_handle: int, version: str):
        """Say which user is unknown to which version."""
        super().__init__(f"There is no user {user_handle} in the warehouse.")
        self.user_handle = user_handle
        self.version = version


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
