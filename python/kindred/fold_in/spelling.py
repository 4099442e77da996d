"""The spelling of terms: keys under which spellings meet, and blanks around them."""

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


def cleaned(terms: Mapping[str, Value]) -> dict[str, Value]:
    """Return terms without blanks around them, and without blank ones."""
    return {term: value for raw, value in terms.items() if (term := raw.strip(BLANKS))}
