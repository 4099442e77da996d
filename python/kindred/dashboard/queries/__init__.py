"""The queries of the dashboard, each an SQL file that readers can see as well."""

__all__ = ["reading"]
