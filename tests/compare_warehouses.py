"""Compare the tables of two published warehouses that the same data was built into, before and after a change.

Run: .venv/bin/python tests/compare_warehouses.py BEFORE.duckdb AFTER.duckdb
Each table is compared by its columns, its rows and a hash of its sorted rows; names that have changed since are
replaced by the new ones first. It exits with 1 where a table differs. What differs in every build is said and left out.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
import duckdb
from tabulate import tabulate

NEW_EACH_TIME = {
    "build_info": "its version and times are those of the build",
    "test_results": "its names and times are those of the tests",
}

RENAMED_MEASURES = {
    "users with neighbours (share)": "users_with_neighbours_share",
    "users with a full list (share)": "users_with_full_list_share",
    "users whose neighbours are all equally close (share)": "users_with_tied_neighbours_share",
    "listed pairs that list each other (share)": "mutual_pairs_share",
    "hubness: skew of how often users are listed": "hubness_skew",
    "hubness: most lists that one user is on": "hubness_max_lists",
    "users on nobody's list (share)": "unlisted_users_share",
    "similarity to the closest user (mean)": "closest_user_mean_similarity",
    "plain cosine to the closest user (mean)": "closest_user_mean_plain_cosine",
    "similarity from what both have in common (mean share)": "similarity_in_common_mean_share",
    "pairs with a course tag in common (share)": "pairs_with_common_course_tag_share",
    "hold-out NDCG@20": "hold_out_ndcg_at_20",
    "hold-out Recall@20": "hold_out_recall_at_20",
    "hold-out NDCG@20 over that of plain cosine": "hold_out_ndcg_at_20_ratio_to_plain_cosine",
    "hold-out clusters": "hold_out_clusters",
    "hold-out users in no cluster (share)": "hold_out_unclustered_users_share",
    "hold-out lift of hidden courses in a cluster": "hold_out_cluster_lift",
    "adjusted Rand index of clusters of two 80% samples": "clusters_adjusted_rand_index",
    "lift of course overlap, neighbours found without views": "course_overlap_lift",
    "lift of interest overlap, neighbours found from views alone": "interest_overlap_lift",
}

REWORDED = {"neighbour_quality": {"label", "unit", "direction", "meaning"}, "facets": {"description"}}
"""Columns of texts about the data that are new or have been reworded: they are not compared."""


@click.command(help=__doc__)
@click.argument("before", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("after", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(before: Path, after: Path) -> None:
    with duckdb.connect(before, read_only=True) as old, duckdb.connect(after, read_only=True) as new:
        rename_measures(old)
        reword_reasons(old)
        found = [(name, compared(old, new, name)) for name in sorted(tables_of(old) | tables_of(new))]
    click.echo(tabulate(found, headers=("table", "compared with before")))
    sys.exit(any(outcome.startswith("DIFFERENT") for _, outcome in found))


def rename_measures(old: duckdb.DuckDBPyConnection) -> None:
    """Put neighbour_quality in front of itself, with the new names of its measures and variants."""
    old.execute("create temp table renamed (measure varchar, slug varchar)")
    old.executemany("insert into renamed values (?, ?)", list(RENAMED_MEASURES.items()))
    old.execute(
        "create temp table neighbour_quality as select coalesce(slug, measure) as measure,"
        " replace(replace(variant, ' but the ', ' but '), ' ', '_') as variant, * exclude (measure, variant, slug)"
        " from main.neighbour_quality left join renamed using (measure)"
    )


def reword_reasons(old: duckdb.DuckDBPyConnection) -> None:
    """Put rejected_rows in front of itself, with the reasons as they are worded now."""
    old.execute(
        "create temp table rejected_rows as select * replace (replace(reason, ' is no ', ' is not a ') as reason)"
        " from main.rejected_rows"
    )


def tables_of(connection: duckdb.DuckDBPyConnection) -> set[str]:
    names = "select table_name from information_schema.tables where table_schema = 'main' and table_catalog != 'temp'"
    return {name for (name,) in connection.execute(names).fetchall()}


def compared(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return in words how a table compares with the one of the same name."""
    if name in NEW_EACH_TIME:
        return f"left out: {NEW_EACH_TIME[name]}"
    if not (name in tables_of(old) and name in tables_of(new)):
        return "DIFFERENT: only one of the two has it"
    columns, others = (
        [column for column in connection.table(name).columns if column not in REWORDED.get(name, ())]
        for connection in (old, new)
    )
    if columns != others:
        return f"DIFFERENT columns: {', '.join(sorted(set(columns) ^ set(others)))}"
    one, other = (rows_and_hash(connection, name, columns) for connection in (old, new))
    if one != other:
        return f"DIFFERENT: {one[0]:,} and {other[0]:,} rows"
    return f"the same {one[0]:,} rows"


def rows_and_hash(connection: duckdb.DuckDBPyConnection, name: str, columns: list[str]) -> tuple[int, str]:
    rows = f"(select md5(row({', '.join(columns)})::varchar) as hashed from {name})"
    return connection.execute(f"select count(*), md5(string_agg(hashed order by hashed)) from {rows}").fetchall()[0]


if __name__ == "__main__":
    main()
