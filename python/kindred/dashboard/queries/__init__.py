"""The questions of the dashboard, each an SQL file that a reader is shown as well."""

__all__ = ["reading"]
