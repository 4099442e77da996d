"""Copies of a published warehouse in which something is otherwise, for what a small real one does not have."""

import shutil

import duckdb
from project import rows_of

from kindred.warehouse.reading import open_file


def changed(warehouse, folder, *statements):
    """Return a copy of a published file after some statements."""
    copy = folder / "changed.duckdb"
    shutil.copy(warehouse, copy)
    with duckdb.connect(copy) as connection:
        for statement in statements:
            connection.execute(statement)
    return copy


ODD_TAGS = [
    "kafka, streams",
    'say "hi"',
    "[a]",
    "{b: c}",
    "x|y;z",
    "o'neil",
    "back\\slash",
    "two\nlines",
    "null",
    "NULL",
    "日本語, タグ",
]
"""Tags with the signs that formats separate, quote or nest values by."""


def with_odd_tags(warehouse, folder, user):
    """Return a copy in which one user, their first similar user and the first courses and cluster have ODD_TAGS."""
    literals = [tag.replace("'", "''") for tag in ODD_TAGS]
    tags = "[" + ", ".join(f"'{tag}'" for tag in literals) + "]"
    reason = f"[{{facet: 'interests', feature: '{literals[0]}', contribution: 0.5::double}}]"
    return changed(
        warehouse,
        folder,
        f"update users set top_course_tags = {tags} where user_handle = {user}",
        f"update users set top_course_tags = null where user_handle <> {user} and user_handle % 2 = 0",
        f"update similar_users set top_reasons = {reason} where user_handle = {user}",
        f"update courses set course_tags = {tags}",
        f"update user_courses set course_tags = {tags}, interest_tags = {tags}",
        f"update clusters set top_tags = {tags}, label = '{literals[0]}, ' || '{literals[1]}, ' || label",
    )


def emptied(warehouse, folder):
    """Return a copy without any user, tag, row or measure, as files that hold nothing lead to."""
    with open_file(warehouse) as connection:
        names = {name for (name,) in rows_of(connection, "select table_name from duckdb_tables()")}
    counts = "rows_read = 0, rows_kept = 0, rows_folded = 0, rows_rejected = 0, newest_at = null"
    return changed(
        warehouse,
        folder,
        *(f"delete from {name}" for name in sorted(names - {"build_info", "facets", "input_files", "test_results"})),
        f"update input_files set {counts}",
    )
