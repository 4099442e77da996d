"""A published warehouse as JSON, user by user, for stores that hold documents."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from kindred.stores.base import Edition
from kindred.stores.sql import read_edition, read_space
from kindred.warehouse.reading import rows_of

if TYPE_CHECKING:
    from kindred.fold_in.profile_space import ProfileSpace


# DuckDB makes the text and Python never sees a row: a warehouse has some hundred features for every user. Texts are put
# together, since to put structs in a list and that into text takes several times as long.
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


class UserRow(NamedTuple):
    """A row of users: whose it is, and all of it as a JSON object."""

    user_handle: int
    content: str


class Details(NamedTuple):
    """What belongs to a user as JSON arrays: rows of similar_users, (facet, feature, weight), ids of courses."""

    similar: str
    features: str
    courses: str


class Documents:
    """Reads a published warehouse in parts, so that little of it is in memory at a time.

    Everything raises StoreError where the file is none of Kindred's.

    Attributes
    ----------
    edition
        What the warehouse says of itself.

    """

    edition: Edition

    def __init__(self, connection: duckdb.DuckDBPyConnection):
        """Take an open published file."""
        self._connection = connection
        self._rows = partial(rows_of, connection)
        self.edition = read_edition(self._rows)
        columns = self._rows("select column_name as name, column_type as type from (describe users)")
        # The only type that JSON writes otherwise than stores return it.
        self._user_columns = ", ".join(
            f"strftime({column['name']}, '%Y-%m-%dT%H:%M:%S') as {column['name']}"
            if column["type"] == "TIMESTAMP"
            else column["name"]
            for column in columns
        )

    def first_user(self) -> int | None:
        """Return the lowest handle of a user who has similar users, None if nobody has."""
        return self._rows("select min(user_handle) as user_handle from similar_users")[0]["user_handle"]

    def cluster_ids(self) -> list[int]:
        """Return what users have as their cluster: -1 for none."""
        return [row["cluster_id"] for row in self._rows("select distinct cluster_id from users order by cluster_id")]

    def count_users(self, last: int) -> int:
        """Return how many users there are up to a handle."""
        return self._rows("select count(*) as users from users where user_handle <= ?", [last])[0]["users"]

    def users(self, after: int, limit: int, cluster_id: int | None = None) -> list[UserRow]:
        """Return the rows of users with a greater handle than `after`, as `Reader.users` does."""
        in_cluster, parameters = ("", []) if cluster_id is None else (" and cluster_id = ?", [cluster_id])
        rows = self._rows(
            f"""
            with page as (
                select {self._user_columns}
                from users
                where user_handle > ?{in_cluster}
                order by user_handle
                limit ?
            )

            select user_handle, to_json(page) as content
            from page
            order by user_handle
            """,
            [after, *parameters, limit],
        )
        return [UserRow(**row) for row in rows]

    def details(self, first: int, last: int) -> dict[int, Details]:
        """Return what belongs to each of the users from a handle to another."""
        rows = self._rows(DETAILS, {"first": first, "last": last})
        return {row.pop("user_handle"): Details(**row) for row in rows}

    def space(self) -> ProfileSpace:
        """Return what compares a profile that is not in the warehouse with everybody."""
        return read_space(self._connection)
