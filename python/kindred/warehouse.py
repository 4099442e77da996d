"""Read the published warehouse."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

DEFAULT_WAREHOUSE = Path("warehouse/kindred.duckdb")
DEFAULT_BUILD = Path("target/kindred_build.duckdb")


class WarehouseError(Exception):
    """What was asked for cannot be read; the message says why and what to do."""


def published_file(path: str | Path | None = None) -> Path:
    """Return the real path of the published file.

    The real path, since DuckDB would keep serving an older version that the process has opened by the published name.

    Parameters
    ----------
    path
        The published name, by default KINDRED_WAREHOUSE or warehouse/kindred.duckdb below the working directory.

    Raises
    ------
    WarehouseError
        If nothing is published there.

    """
    name = Path(path or os.environ.get("KINDRED_WAREHOUSE") or DEFAULT_WAREHOUSE)
    if not name.exists():
        raise WarehouseError(
            f"There is no warehouse at {name}: make one with `make build`, or name another with KINDRED_WAREHOUSE."
        )
    return name.resolve()


class Warehouse:
    """The published warehouse, read-only, at the version that was current when it was opened."""

    def __init__(self, path: str | Path | None = None):
        """Open what is published under a name; see `published_file` for the name and WarehouseError."""
        file = published_file(path)
        try:
            self._connection = duckdb.connect(file, read_only=True)
        except duckdb.Error as error:
            raise WarehouseError(f"{file} cannot be opened: {error}") from error

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def first_user(self) -> int:
        """Return the lowest user_handle that has neighbours; raise WarehouseError if nobody has."""
        (handle,) = self._rows("select min(user_handle) as user_handle from similar_users")[0].values()
        if handle is None:
            raise WarehouseError("Nobody in the warehouse has anything in common with anybody else.")
        return handle

    def similar(self, user_handle: int, limit: int) -> list[dict]:
        """Return the closest users of a user, closest first.

        Returns
        -------
        At most limit rows: rank, similar_user_handle, similarity, cluster (the other's label, None for none), facet,
        feature and contribution of the main reason.

        Raises
        ------
        WarehouseError
            If there is no such user.

        """
        self._require_user(user_handle)
        return self._rows(
            """
            select
                similar_users.rank,
                similar_users.similar_user_handle,
                similar_users.similarity,
                clusters.label as cluster,
                reasons.facet,
                reasons.feature,
                reasons.contribution
            from similar_users
            inner join users on similar_users.similar_user_handle = users.user_handle
            left join clusters on users.cluster_id = clusters.cluster_id
            inner join similar_user_reasons as reasons
                on similar_users.user_handle = reasons.user_handle
                and similar_users.similar_user_handle = reasons.similar_user_handle
            -- said of the view too, which would otherwise compute the reasons of everybody
            where
                similar_users.user_handle = $user_handle
                and reasons.user_handle = $user_handle
                and reasons.reason_rank = 1
                and similar_users.rank <= $limit
            order by similar_users.rank
            """,
            user_handle=user_handle,
            limit=limit,
        )

    def explain(self, user_handle: int, other_handle: int) -> list[dict]:
        """Return what two users have in common, whether they are listed or not, the weightiest first.

        Returns
        -------
        Rows of facet, feature and contribution; the contributions sum to the similarity of the two.

        Raises
        ------
        WarehouseError
            If there is no such user.

        """
        self._require_user(user_handle)
        self._require_user(other_handle)
        return self._rows(
            """
            select
                user_features.facet,
                user_features.feature,
                user_features.weight * other_features.weight as contribution
            from user_features
            inner join user_features as other_features
                on user_features.matching_feature_id = other_features.feature_id
            where
                user_features.user_handle = $user_handle
                and other_features.user_handle = $other_handle
            order by contribution desc, user_features.feature_id
            """,
            user_handle=user_handle,
            other_handle=other_handle,
        )

    def _require_user(self, user_handle: int) -> None:
        if not self._rows("select 1 as found from users where user_handle = $user_handle", user_handle=user_handle):
            raise WarehouseError(f"There is no user {user_handle} in the warehouse.")

    def _rows(self, query: str, **parameters: int) -> list[dict]:
        try:
            result = self._connection.execute(query, parameters)
        except duckdb.Error as error:
            raise WarehouseError(f"The warehouse cannot answer, it may not be one of Kindred's: {error}") from error
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@contextmanager
def open_build(path: Path, tables: Mapping[str, str]) -> Iterator[tuple[dict[str, duckdb.DuckDBPyRelation], dict]]:
    """Open the database that dbt builds in, which holds more than it publishes.

    Parameters
    ----------
    path
        The database.
    tables
        The schema of each table that is wanted, by its name.

    Returns
    -------
    A context that gives the tables by their names, and the settings that they were built with.

    Raises
    ------
    WarehouseError
        If there is none, a build is running, or it lacks a table.

    """
    if not path.exists():
        raise WarehouseError(f"There is no build at {path}: make one with `make build`, or name another with --build.")
    try:
        connection = duckdb.connect(path, read_only=True)
    except duckdb.Error as error:
        raise WarehouseError(f"{path} cannot be opened, a build may be running: {error}") from error
    with connection:
        try:
            (settings,) = connection.execute("select settings_json from build_info").fetchone()
            found = {name: connection.table(f"{schema}.{name}") for name, schema in tables.items()}
        except duckdb.Error as error:
            raise WarehouseError(
                f"{path} has not all that is needed, build it anew with `make build`: {error}"
            ) from error
        yield found, json.loads(settings)
