"""Kindred tells a learning platform, for every user, who is most like them and why."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kindred.neighbours.top_k import top_k

__all__ = ["__version__", "top_k"]

try:
    __version__ = version("kindred")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0+unknown"


def __getattr__(name: str) -> object:
    # Loaded on demand: it imports scipy, which look-ups do without.
    if name == "top_k":
        from kindred.neighbours.top_k import top_k

        return top_k
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
