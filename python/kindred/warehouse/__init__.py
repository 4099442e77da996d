"""What a build publishes: where it is, how it is read, and how a new version replaces the one before."""

__all__ = ["locations", "publication", "reading"]
