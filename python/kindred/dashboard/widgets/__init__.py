"""Widgets that pages share: choices, links, and answers with their definition and SQL."""

__all__ = ["answers", "choices", "links"]
