"""Kindred tells a learning platform, for every user, who is most like them and why."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("kindred")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0+unknown"
