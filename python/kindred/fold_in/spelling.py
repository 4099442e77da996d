"""The spelling of terms: keys under which spellings meet, and blanks around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from unicodedata import normalize

Value = TypeVar("Value")

BLANKS = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\xad\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u202f\u205f\u2060\u2061\u2062\u2063"
    "\u2064\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\u3000\ufeff"
)
"""Blanks and characters that show nothing, which are stripped from texts and handles: see the macro without_blanks."""


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
    """Return terms as the macro clean_text has them: in NFC, without blanks around them; blank ones are left out."""
    return {term: value for raw, value in terms.items() if (term := normalize("NFC", raw).strip(BLANKS))}
