"""The database that dbt builds in: opening it, reading and writing its tables part by part, progress."""

__all__ = ["database", "progress", "tables"]
