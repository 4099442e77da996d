"""Read a warehouse from a database by SQL."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import duckdb

from kindred.errors import StoreError
from kindred.stores.base import Edition, Handle, Reader, Row

if TYPE_CHECKING:
    from kindred.fold_in.profile_space import ProfileSpace

Rows = Callable[[str, Sequence[Any]], list[Row]]
"""Runs a query with a ? for every parameter and returns its rows."""


LISTS = {"top_course_tags", "top_reasons"}
"""The columns that hold lists, among those that lookups read."""


class SqlReader(Reader):
    """Reads by queries that DuckDB, SQLite and PostgreSQL all accept."""

    def __init__(self, edition: Edition, rows: Rows, schema: str = ""):
        """Take what runs a query, and the prefix of table names: nothing, or a schema and a dot."""
        self.edition = edition
        self._rows = rows
        self._schema = schema

    def user(self, user_handle: Handle) -> Row | None:
        rows = self._rows(f"select * from {self._schema}users where user_handle = ?", [user_handle])
        return plain_row(self._with_lists(rows[0])) if rows else None

    def similar(self, user_handle: Handle) -> list[Row]:
        rows = self._rows(
            f"select * from {self._schema}similar_users where user_handle = ? order by rank", [user_handle]
        )
        for row in rows:
            del row["user_handle"]
        return [self._with_lists(row) for row in rows]

    def features(self, user_handle: Handle) -> list[tuple[str, str, float]]:
        rows = self._rows(
            f"select facet, feature, weight from {self._schema}user_features where user_handle = ?", [user_handle]
        )
        return [(row["facet"], row["feature"], row["weight"]) for row in rows]

    def courses(self, user_handles: Iterable[Handle]) -> dict[Handle, list[str]]:
        handles = list(user_handles)
        if not handles:
            return {}
        rows = self._rows(self._courses_query(len(handles)), handles)
        found: defaultdict[Handle, list[str]] = defaultdict(list)
        for row in rows:
            found[row["user_handle"]].append(row["course_id"])
        return dict(found)

    def users(self, after: Handle | None, limit: int, cluster_id: int | None = None) -> list[Row]:
        wanted = {"user_handle > ?": after, "cluster_id = ?": cluster_id}
        conditions = {condition: value for condition, value in wanted.items() if value is not None}
        where = f"where {' and '.join(conditions)} " if conditions else ""
        rows = self._rows(
            f"select * from {self._schema}users {where}order by user_handle limit ?", [*conditions.values(), limit]
        )
        return [plain_row(self._with_lists(row)) for row in rows]

    def first_user(self) -> Handle | None:
        (first,) = self._rows(f"select min(user_handle) as user_handle from {self._schema}similar_users", [])
        handle: Handle | None = first["user_handle"]
        return handle

    def _courses_query(self, users: int) -> str:
        """Return a query of user_handle and course_id for a number of users."""
        return (
            f"select user_handle, course_id from {self._schema}user_courses "
            f"where user_handle in ({', '.join('?' * users)})"
        )

    def _with_lists(self, row: Row) -> Row:
        return {
            name: self._list(value) if name in LISTS and value is not None else value for name, value in row.items()
        }

    @abstractmethod
    def _list(self, stored: Any) -> list[Any]:
        """Return a list from the form that the database stores.

        Raises
        ------
        StoreError
            If it is no list, because an older version of Kindred wrote it.

        """


def read_edition(rows: Rows, schema: str = "") -> Edition:
    """Read the facts about a version."""
    (build,) = rows(f"select * from {schema}build_info", [])
    (count,) = rows(f"select count(*) as users from {schema}users", [])
    facets = rows(f"select facet_number, facet, matching_facet_number from {schema}facets order by facet_number", [])
    clusters = rows(f"select cluster_id, label from {schema}clusters order by cluster_id", [])
    names = {row["facet_number"]: row["facet"] for row in facets}
    return Edition(
        version=build["version"],
        built_at=_text_of(build["started_at"]),
        users=count["users"],
        handle_type=build.get("handle_type", "number"),  # an older version of Kindred knew only numbers
        matching_facets={row["facet"]: names[row["matching_facet_number"]] for row in facets},
        cluster_labels={row["cluster_id"]: row["label"] for row in clusters},
    )


def plain_row(row: Row) -> Row:
    """Return a row with dates and times as text."""
    return {name: _text_of(value) if isinstance(value, date) else value for name, value in row.items()}


def _text_of(moment: date | str) -> str:
    """Return a date or time as ISO 8601 text, times to the second; databases without such types already hold text."""
    if isinstance(moment, str):
        return moment
    return (moment.replace(microsecond=0) if isinstance(moment, datetime) else moment).isoformat()


def read_space(connection: duckdb.DuckDBPyConnection) -> ProfileSpace:
    """Return the profile space of a published file; StoreError if a version of Kindred without it made the file."""
    from kindred.fold_in.profile_space import ProfileSpace

    try:
        return ProfileSpace.read(connection)
    except duckdb.Error as error:
        raise StoreError(f"Another version of Kindred made the warehouse, build it again: {error}") from error
