"""Build a platform, add views of a share of its users, and build again: the cost of new rows and of a full build.

Run: .venv/bin/python benchmarks/changing_data.py [--users 100000] [--changed-share 0.01]
Both builds freeze the statistics over all users (freeze_statistics_days), so the second one only refreshes. A third,
with --full-refresh, computes everything again on the same data. Every build runs one node at a time.
"""

import os
import tempfile
from pathlib import Path

import click
import duckdb
from build_scale import generate, node_spans
from build_time import build, copy_project
from tabulate import tabulate

NEW_VIEWS = 3
SHOWN_SECONDS = 0.5


@click.command(help=__doc__)
@click.option("--users", type=click.IntRange(min=100), default=100_000, show_default=True)
@click.option("--changed-share", type=click.FloatRange(0, 1), default=0.01, show_default=True)
@click.option(
    "--work", type=click.Path(file_okay=False, path_type=Path), help="Folder to work in; the builds are kept there."
)
def main(users: int, changed_share: float, work: Path | None) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = work or Path(temporary)
        data, project = generate(users, folder / "data").absolute(), copy_project(folder / "build")
        os.environ["KINDRED_DATA_DIR"] = str(data)
        os.environ.pop("KINDRED_WAREHOUSE", None)
        builds = {"first": build_nodes(project)}
        changed = add_views(data, changed_share)
        builds["refresh"] = build_nodes(project)
        builds["full"] = build_nodes(project, "--full-refresh")
    names = sorted(builds["full"], key=lambda name: -builds["full"][name])
    rows = [
        [name, *(seconds.get(name) for seconds in builds.values()), ratio(builds, name)]
        for name in names
        if builds["full"][name] >= SHOWN_SECONDS
    ]
    click.echo(f"{changed:,} of {users:,} users got new views.\n")
    headers = ("node", *(f"{name}_seconds" for name in builds), "full_of_refresh")
    click.echo(tabulate(rows, headers=headers, floatfmt=".1f", missingval=""))


def ratio(builds: dict[str, dict[str, float]], name: str) -> float | None:
    refreshed = builds["refresh"].get(name)
    return builds["full"][name] / refreshed if refreshed else None


def add_views(data: Path, share: float) -> int:
    """Add views of courses that others viewed to a share of the users, in place, and return how many users they are."""
    file, written = data / "user_course_views.parquet", data / "written.parquet"
    with duckdb.connect() as connection:
        connection.execute("select setseed(0.5)")
        connection.execute(f"create table views as select * from read_parquet('{file}')")
        connection.execute(f"""
            create table busy as
            select user_handle from views group by user_handle order by random()
            limit (select cast({share} * count(distinct user_handle) as bigint) from views)
        """)
        connection.execute(f"""
            copy (
                with placed as (
                    select user_handle, row_number() over (order by user_handle, range) as place
                    from busy, range({NEW_VIEWS})
                ),
                drawn as (
                    select *, row_number() over (order by random()) as place from views
                )
                from views
                union all by name
                select drawn.* exclude (user_handle, place), placed.user_handle
                from placed inner join drawn using (place)
            ) to '{written}' (format parquet)
        """)
        ((count,),) = connection.execute("select count(*) from busy").fetchall()
    written.replace(file)
    return count


def build_nodes(project: Path, *options: str) -> dict[str, float]:
    """Build, and return the seconds of every node and of the whole build."""
    seconds = build(project, "--threads", "1", "--vars", "{freeze_statistics_days: 1}", *options)
    return {"the whole build": seconds} | {name: end - start for name, (start, end) in node_spans(project)}


if __name__ == "__main__":
    main()
