"""Kindred finds, for every user of a learning platform, the most similar users and the reasons why."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kindred.neighbours.top_k import top_k

__all__ = ["__version__", "top_k"]

try:
    __version__ = version("kindred")
except PackageNotFoundError:  # run from a checkout without installing it
    __version__ = "0+unknown"


def __getattr__(name: str) -> object:
    # Imported on first use: it loads scipy, which lookups do not need.
    if name == "top_k":
        from kindred.neighbours.top_k import top_k

        return top_k
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
