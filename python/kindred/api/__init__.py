"""Lookups over HTTP, as JSON, and a page to try them."""

from kindred.api.app import create_app
from kindred.api.settings import ApiSettings

__all__ = ["ApiSettings", "create_app"]
