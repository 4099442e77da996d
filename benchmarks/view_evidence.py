"""Measure what counting a glance as less of a view does to the hold-outs of a platform.

Run: .venv/bin/python benchmarks/view_evidence.py FOLDER... [--glance-weight 1 --glance-weight 0.25]
Each FOLDER holds the four inputs, like KINDRED_DATA_DIR. It is built once for each glance_weight; with 1, time does not
matter. The figures are those of neighbour_quality. A build that leaves times out has no usual time.
"""

import os
import subprocess
import tempfile
from pathlib import Path

import click
import duckdb
from build_time import DBT, copy_project
from tabulate import tabulate

QUERY = """
    select
        build_info.view_time_agreement,
        build_info.usual_view_seconds,
        max(value) filter (where measure = 'hold_out_ndcg_at_20') as ndcg,
        max(value) filter (where measure = 'hold_out_recall_at_20') as recall,
        max(value) filter (where measure = 'course_overlap_lift') as course_lift,
        max(value) filter (where measure = 'interest_overlap_lift') as interest_lift
    from neighbour_quality
    cross join build_info
    where variant = 'all_facets'
    group by all
"""
HEADERS = ("platform", "glance_weight", "agreement", "usual s", "NDCG@20", "Recall@20", "courses' lift", "interests'")


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--glance-weight", "weights", multiple=True, type=float, default=(1, 0.25), show_default=True)
def main(folders: tuple[Path, ...], weights: tuple[float, ...]) -> None:
    rows = []
    for folder in folders:
        for weight in weights:
            figures = [f"{figure:.4g}" if figure is not None else "" for figure in measured(folder.absolute(), weight)]
            rows.append([folder.name, weight, *figures])
            click.echo(tabulate(rows[-1:], headers=HEADERS, disable_numparse=True), err=True)
    click.echo(tabulate(rows, headers=HEADERS, disable_numparse=True))


def measured(folder: Path, glance_weight: float) -> tuple[float | None, ...]:
    """Build a folder with a glance_weight, and return the figures of QUERY."""
    with tempfile.TemporaryDirectory() as scratch:
        project = copy_project(Path(scratch) / "project")
        done = subprocess.run(
            [DBT, "build", "--vars", f"{{glance_weight: {glance_weight}}}"],
            cwd=project,
            env={**os.environ, "KINDRED_DATA_DIR": str(folder)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise click.ClickException(f"dbt build failed:\n{done.stdout[-2000:]}")
        with duckdb.connect(project / "target" / "kindred_build.duckdb", read_only=True) as connection:
            (row,) = connection.execute(QUERY).fetchall()
    return row


if __name__ == "__main__":
    main()
