"""Read a published warehouse as JSON, user by user, for a store that holds documents."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from kindred.stores.base import Edition, Handle
from kindred.stores.sql import read_edition, read_space
from kindred.warehouse.reading import rows_of

if TYPE_CHECKING:
    from kindred.fold_in.profile_space import ProfileSpace

# DuckDB makes the text and Python never sees a row: a warehouse has about a hundred features for every user. The query
# concatenates texts, because collecting structs in a list and converting that takes several times as long.
DETAILS = """
    with lists as (
        select user_handle, '[' || string_agg(to_json(similar_users), ',' order by rank) || ']' as content
        from similar_users
        where user_handle between $first and $last
        group by user_handle
    ),

    profiles as (
        select user_handle, '[' || string_agg(json_array(facet, feature, weight), ',') || ']' as content
        from user_features
        where user_handle between $first and $last
        group by user_handle
    ),

    views as (
        select user_handle, to_json(list(course_id)) as content
        from user_courses
        where user_handle between $first and $last
        group by user_handle
    )

    select
        users.user_handle,
        coalesce(lists.content, '[]') as "similar",
        coalesce(profiles.content, '[]') as features,
        coalesce(views.content, '[]') as courses
    from users
    left join lists on users.user_handle = lists.user_handle
    left join profiles on users.user_handle = profiles.user_handle
    left join views on users.user_handle = views.user_handle
    where users.user_handle between $first and $last
"""


class UserDocument(NamedTuple):
    """A row of users: the handle, and the whole row as a JSON object."""

    user_handle: Handle
    content: str


class Details(NamedTuple):
    """A user's rows of other tables as JSON arrays: similar_users, (facet, feature, weight), and ids of courses."""

    similar: str
    features: str
    courses: str


class Documents:
    """Reads a published warehouse in parts, so that little of it is in memory at a time.

    Every method raises StoreError if Kindred did not make the file.

    Attributes
    ----------
    edition
        The facts about the version.

    """

    edition: Edition

    def __init__(self, connection: duckdb.DuckDBPyConnection):
        """Take an open published file."""
        self._connection = connection
        self._rows = partial(rows_of, connection)
        self.edition = read_edition(self._rows)
        columns = self._rows("select column_name as name, column_type as type from (describe users)")
        # Timestamps are the only type that JSON writes differently from what stores return.
        self._user_columns = ", ".join(
            f"strftime({column['name']}, '%Y-%m-%dT%H:%M:%S') as {column['name']}"
            if column["type"] == "TIMESTAMP"
            else column["name"]
            for column in columns
        )

    def first_user(self) -> Handle | None:
        """Return the lowest handle of a user with similar users, or None if nobody has any."""
        (first,) = self._rows("select min(user_handle) as user_handle from similar_users")
        handle: Handle | None = first["user_handle"]
        return handle

    def cluster_ids(self) -> list[int]:
        """Return the clusters of users: -1 stands for no cluster."""
        return [row["cluster_id"] for row in self._rows("select distinct cluster_id from users order by cluster_id")]

    def count_users(self, last: Handle) -> int:
        """Return the number of users up to a handle."""
        (count,) = self._rows("select count(*) as users from users where user_handle <= ?", [last])
        return int(count["users"])

    def users(self, after: Handle | None, limit: int, cluster_id: int | None = None) -> list[UserDocument]:
        """Return rows of users as `Reader.users` does."""
        wanted = {"user_handle > ?": after, "cluster_id = ?": cluster_id}
        conditions = {condition: value for condition, value in wanted.items() if value is not None}
        where = f"where {' and '.join(conditions)}" if conditions else ""
        rows = self._rows(
            f"""
            with page as (
                select {self._user_columns}
                from users
                {where}
                order by user_handle
                limit ?
            )

            select user_handle, to_json(page) as content
            from page
            order by user_handle
            """,
            [*conditions.values(), limit],
        )
        return [UserDocument(**row) for row in rows]

    def details(self, first: Handle, last: Handle) -> dict[Handle, Details]:
        """Return the details of each user from the handle `first` to the handle `last`."""
        rows = self._rows(DETAILS, {"first": first, "last": last})
        return {row.pop("user_handle"): Details(**row) for row in rows}

    def space(self) -> ProfileSpace:
        """Return the profile space, which compares a new profile with all users."""
        return read_space(self._connection)
