"""A synthetic learning platform of any size, as the files that Kindred reads."""

__all__ = ["activity", "catalogue", "draws", "files", "formats", "handles", "platform", "users", "vocabulary"]
