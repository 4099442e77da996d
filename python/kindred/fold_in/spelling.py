"""The spelling of terms: keys under which spellings meet, and lists of tags in one text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")

BLANKS = " \t\r\n"
"""Characters that are stripped from a text, see the macro clean_text."""


def spelling_key(tag: str, symbols: str) -> str:
    """Return the key under which spellings meet that differ in case and punctuation: the macro tag_key at level 1.

    Parameters
    ----------
    tag
        The tag as spelled.
    symbols
        The symbols that count as letters: the var tag_symbols.

    """
    lower = tag.lower()
    return "".join(letter for letter in lower if letter.isalnum() or letter in symbols) or lower


def split_tags(text: str, count: int, tags: set[str]) -> list[str] | None:
    """Split known tags that are joined by ', ', which a tag may contain itself.

    Returns
    -------
    `count` of the known tags; None where the text is not such a list.

    """
    parts = [text] if count == 1 else text.split(", ")
    if len(parts) <= count:
        return parts if len(parts) == count and tags.issuperset(parts) else None
    for taken in range(1, len(parts)):
        first = ", ".join(parts[:taken])
        rest = split_tags(", ".join(parts[taken:]), count - 1, tags) if first in tags else None
        if rest is not None:
            return [first, *rest]
    return None


def cleaned(terms: Mapping[str, Value]) -> dict[str, Value]:
    """Return terms without blanks around them, and without blank ones."""
    return {term: value for raw, value in terms.items() if (term := raw.strip(BLANKS))}
