"""Every error that Kindred raises for its users, with one base class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class KindredError(Exception):
    """The base class. The message is one sentence that says what failed, why, and what to do."""


class SampleError(KindredError, ValueError):
    """The sample cannot be written with the given options."""


class WarehouseError(KindredError):
    """The published warehouse, or the build behind it, cannot be read."""


class PublicationError(KindredError):
    """The warehouse cannot be published."""


class StoreError(KindredError):
    """A store cannot be opened, read or written."""


class NoWarehouseError(StoreError):
    """Nothing has been published to the store yet; the message says how to publish."""


class StaleVersionError(KindredError):
    """The version that a reader holds has been removed; the lookup starts again with the current one."""


class UnknownUserError(KindredError):
    """The user is not in the warehouse."""

    def __init__(self, user_handle: int | str, version: str):
        """Take the unknown user and the version that was searched."""
        super().__init__(f"There is no user {user_handle} in the warehouse.")
        self.user_handle = user_handle
        self.version = version


@contextmanager
def needed_extra(extra: str) -> Iterator[None]:
    """Turn a failed import into an error that names the extra to install."""
    try:
        yield
    except ImportError as error:
        raise StoreError(
            f"{error.name or error} is not installed: run "
            f"`.venv/bin/pip install -c requirements-dev.lock -e '.[{extra}]'` in Kindred's folder."
        ) from error
