"""Read the queries of the dashboard, each an SQL file that readers can see as well.

A file begins with a comment. It says what the answer shows and its grain, then, as `-- column: meaning`, what each
column means that the query itself makes. The rest is one statement, with parameters as $name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent

_MEANING = re.compile(r"([a-z_]+): (.+)")
_TABLE = re.compile(r"\b(?:from|join) ([a-z_]+)")


@dataclass(frozen=True)
class Query:
    """A query with its definition.

    Attributes
    ----------
    name
        The name of its file, without the suffix.
    definition
        What the answer shows, and its grain.
    meanings
        The meanings of the columns that the query makes, by column.
    sql
        The statement.
    tables
        The tables that it reads, including its own common table expressions.

    """

    name: str
    definition: str
    meanings: Mapping[str, str]
    sql: str
    tables: frozenset[str]

    def filled(self, parameters: Mapping[str, object]) -> str:
        """Return the statement with values in place of parameters, ready for any SQL client."""
        return re.sub(r"\$(\w+)", lambda match: _literal(parameters[match[1]]), self.sql)


@cache
def read_query(name: str) -> Query:
    """Read a query from its file in this folder."""
    lines = (FOLDER / f"{name}.sql").read_text().splitlines()
    header = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    sql = "\n".join(line for line in lines if not line.startswith("--")).strip()
    definition, meanings = [], {}
    for line in header:
        if found := _MEANING.fullmatch(line):
            meanings[found[1]] = found[2]
        elif meanings:
            last = next(reversed(meanings))
            meanings[last] += f" {line}"
        else:
            definition.append(line)
    return Query(name, " ".join(definition), meanings, sql, frozenset(_TABLE.findall(sql)))


def _literal(value: object) -> str:
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"
