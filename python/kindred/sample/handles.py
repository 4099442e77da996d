"""The handles of the synthetic platform in other forms than numbers."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import md5
from uuid import UUID

import numpy as np
import pyarrow as pa

FIRST_NAMES = (
    "Ada", "Ben", "Chloë", "Dmitri", "Elif", "Femi", "Grace",
    "Hiroko", "Inês", "Jonas", "Kofi", "Leïla", "Mateusz", "Nadia",
    "Oskar", "Priya", "Quentin", "Rosa", "Søren", "Tomás", "Umar",
    "Vera", "Wanjiru", "Xin", "Yusuf", "Zoë",
)  # fmt: skip

LAST_NAMES = (
    "Adeyemi", "Bauer", "Costa", "Dvořák", "Eriksen", "Fischer", "García",
    "Haddad", "Ivanova", "Jansen", "Kowalski", "Lindqvist", "Murphy", "Nakamura",
    "O'Brien", "Petrov", "Quispe", "Rossi", "Singh", "Tanaka", "Usman",
    "Vargas", "Weber", "Xu", "Yilmaz",
)  # fmt: skip


def _uuid(number: int) -> str:
    return str(UUID(bytes=md5(f"user {number}".encode()).digest(), version=4))


def _email(number: int) -> str:
    return f"user.{number}+courses@example.org"


def _name(number: int) -> str:
    """Return the name of an author; no two have the same."""
    rest, first = divmod(number - 1, len(FIRST_NAMES))
    round_, last = divmod(rest, len(LAST_NAMES))
    return f"{FIRST_NAMES[first]} {LAST_NAMES[last]}" + (f" {round_ + 1}" if round_ else "")


USER_HANDLES: dict[str, Callable[[int], str]] = {"uuid": _uuid, "email": _email}
"""What makes the text of a user of the number; for numbers themselves there is none."""


def with_text_handles(table: pa.Table, of_user: Callable[[int], str]) -> pa.Table:
    """Return a table of a sample with text in place of the numbers of users and authors; an author becomes a name."""
    for column, text_of in (("user_handle", of_user), ("author_handle", _name)):
        if column in table.column_names:
            numbers, places = np.unique(table[column].to_numpy(), return_inverse=True)
            texts = pa.array([text_of(number) for number in numbers.tolist()], pa.string()).take(pa.array(places))
            table = table.set_column(table.column_names.index(column), column, texts)
    return table
