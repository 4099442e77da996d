"""The database that dbt builds in: how it is opened, how tables are read and written in parts, and progress."""

__all__ = ["database", "progress", "tables"]
