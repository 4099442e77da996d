"""Time `dbt build` and the build of an empty dbt project in turns, and print the slowest nodes.

Run: .venv/bin/python benchmarks/build_time.py [--runs 3]
It builds the same inputs as a plain `dbt build` (seeds/, or KINDRED_DATA_DIR) in its own folder, and it uses
--full-refresh, because a build of unchanged data takes the candidates from the build before.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
from tabulate import tabulate

ROOT = Path(__file__).parents[1]
DBT = Path(sys.executable).with_name("dbt")
PROJECT = ("dbt_project.yml", "profiles.yml", "selectors.yml", "models", "macros", "seeds", "tests", "docs")


@click.command(help=__doc__)
@click.option("--runs", type=click.IntRange(min=1), default=3, show_default=True, help="Timed builds of each project.")
@click.option("--vars", "settings", help="Vars of the builds of kindred, see dbt's --vars.")
def main(runs: int, settings: str | None) -> None:
    options = ["--vars", settings] if settings else []
    if os.environ.get("KINDRED_DATA_DIR"):
        os.environ["KINDRED_DATA_DIR"] = str(Path(os.environ["KINDRED_DATA_DIR"]).absolute())
    os.environ.pop("KINDRED_WAREHOUSE", None)
    with tempfile.TemporaryDirectory() as folder:
        kindred, empty = copy_project(Path(folder, "kindred")), empty_project(Path(folder, "empty"))
        for project, with_options in ((kindred, options), (empty, [])):
            build(project, "--full-refresh", *with_options)  # warm up: parse, compile bytecode, cache files
        times = {"kindred": [], "empty": []}
        for _ in range(runs):
            times["empty"].append(build(empty, "--full-refresh"))
            times["kindred"].append(build(kindred, "--full-refresh", *options))
        nodes = sorted(node_times(kindred), reverse=True)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    click.echo(tabulate(
        [[name, f"{medians[name]:.1f}", " ".join(f"{second:.1f}" for second in times[name])] for name in times],
        headers=["project", "median_seconds", "all_seconds"],
        disable_numparse=True,
    ))  # fmt: skip
    click.echo(f"\nkindred takes {medians['kindred'] / medians['empty']:.1f} times as long as an empty project.\n")
    click.echo(tabulate([[f"{seconds:.2f}", name] for seconds, name in nodes[:15]], headers=["seconds", "node"]))
    rest = nodes[15:]
    click.echo(f"{sum(seconds for seconds, _ in rest):7.2f}  the other {len(rest)}")


def copy_project(folder: Path) -> Path:
    folder.mkdir()
    for name in PROJECT:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    return folder


def empty_project(folder: Path) -> Path:
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        "name: empty\nprofile: empty\nflags: {send_anonymous_usage_stats: false}\n", encoding="utf-8"
    )
    (folder / "profiles.yml").write_text(
        "empty: {target: local, outputs: {local: {type: duckdb, path: target/empty.duckdb, threads: 2}}}\n",
        encoding="utf-8",
    )
    return folder


def build(project: Path, *options: str) -> float:
    started = time.perf_counter()
    done = subprocess.run([DBT, "build", *options], cwd=project, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise click.ClickException(f"dbt build failed in {project.name}:\n{done.stdout[-2000:]}")
    return seconds


def node_times(project: Path) -> Iterator[tuple[float, str]]:
    """Yield the seconds and name of every node of the last build."""
    results = json.loads((project / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    for result in results:
        for step in result["timing"]:
            if step["name"] == "execute":
                started, completed = (datetime.fromisoformat(step[key]) for key in ("started_at", "completed_at"))
                yield (completed - started).total_seconds(), result["unique_id"].split(".", 2)[2]


if __name__ == "__main__":
    main()
