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
