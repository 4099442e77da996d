"""A synthetic learning platform of any size, in the form of the files that Kindred reads."""

__all__ = ["files", "formats", "platform", "vocabulary"]
