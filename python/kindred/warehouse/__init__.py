"""The published warehouse: where it is, how it is read, and how a new version replaces the previous one."""

__all__ = ["locations", "publication", "reading"]
