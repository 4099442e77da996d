"""Build platforms of several sizes, and print how the time and memory of every node grow with the users.

Run: .venv/bin/python benchmarks/build_scale.py --users 10000 --users 100000
     .venv/bin/python benchmarks/build_scale.py FOLDER...   (folders such as KINDRED_DATA_DIR names)
Each is built in its own folder, one node at a time, while the script polls the memory of the dbt process. A node's peak
is the largest memory of the process while the node ran, including what earlier nodes left behind.
"""

import csv
import json
import math
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click
import duckdb
from build_time import DBT, copy_project
from tabulate import tabulate

from kindred.sample import files

POLL_SECONDS = 0.05
USERS = """
    select count(distinct user_handle)
    from (select user_handle from raw.user_course_views union all select user_handle from raw.user_interests)
"""
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Build:
    """The cost of a build: seconds and peak megabytes of every node by its name, and of the whole build."""

    users: int
    seconds: dict[str, float]
    peaks: dict[str, float]
    wall_seconds: float
    cpu_seconds: float
    peak: float
    spilled: float
    database: float


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--users",
    "sizes",
    type=click.IntRange(min=1),
    multiple=True,
    help="Build a generated platform with this many users.",
)
@click.option(
    "--work",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to work in; the builds are kept there.",
)
@click.option("--select", "selection", help="Build only these nodes, see dbt's --select.")
@click.option("--vars", "settings", help="Vars of the build, see dbt's --vars.")
@click.option("--csv", "table", type=click.Path(dir_okay=False, path_type=Path), help="Also write the table here.")
def main(
    folders: tuple[Path, ...],
    sizes: tuple[int, ...],
    work: Path | None,
    selection: str | None,
    settings: str | None,
    table: Path | None,
) -> None:
    options = [f"--{name}={value}" for name, value in (("select", selection), ("vars", settings)) if value]
    with ExitStack() as temporary:
        folder = work or Path(temporary.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        generated = [generate(users, folder / f"data-{users}") for users in sizes]
        builds = [
            build(data.absolute(), folder / f"build-{place}", options)
            for place, data in enumerate([*folders, *generated])
        ]
    builds.sort(key=lambda each: each.users)
    rows = list(node_rows(builds))
    if table:
        write_csv(table, builds, rows)
    click.echo(tabulate(rows, headers=headers(builds), floatfmt=".1f", missingval=""))
    click.echo()
    click.echo(tabulate(
        [[b.users, b.wall_seconds, b.cpu_seconds, b.peak, b.spilled, b.database] for b in builds],
        headers=["users", "wall_seconds", "cpu_seconds", "peak_mb", "spilled_mb", "database_mb"],
        floatfmt=".0f",
    ))  # fmt: skip


def generate(users: int, folder: Path) -> Path:
    files.write(users, 1, folder, "parquet")
    return folder


def build(data: Path, folder: Path, options: list[str]) -> Build:
    project = copy_project(folder)
    environment = {**os.environ, "KINDRED_DATA_DIR": str(data)}
    environment.pop("KINDRED_WAREHOUSE", None)
    started = time.perf_counter()
    with open(folder / "output", "w", encoding="utf-8") as output:
        dbt = subprocess.Popen(
            [DBT, "build", "--threads", "1", "--exclude-resource-type", "unit_test", *options],
            cwd=project, env=environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        watch = Watch(dbt.pid, project / "target")
        _, status, usage = os.wait4(dbt.pid, 0)
        watch.stop()
    wall_seconds = time.perf_counter() - started
    if status != 0:
        tail = (folder / "output").read_text(encoding="utf-8")[-3000:]
        click.echo(f"dbt build failed on {data}; the end of its output:\n{tail}", err=True)
    spans = dict(node_spans(project))
    with duckdb.connect(str(project / "target" / "kindred_build.duckdb"), read_only=True) as connection:
        users = connection.sql(USERS).fetchall()[0][0]
    return Build(
        users,
        {name: end - start for name, (start, end) in spans.items()},
        {name: watch.peak_between(start, end) for name, (start, end) in spans.items()},
        wall_seconds,
        usage.ru_utime + usage.ru_stime,
        watch.peak_between(0, math.inf),
        watch.spilled,
        (project / "target" / "kindred_build.duckdb").stat().st_size / MEGABYTE,
    )


class Watch:
    """Polls a process: its memory over time, and the largest size of the files that DuckDB spilled."""

    def __init__(self, pid: int, target: Path):
        self._statm = Path(f"/proc/{pid}/statm")
        self._target = target
        self._samples: list[tuple[float, float]] = []
        self._stopped = threading.Event()
        self.spilled = 0.0
        self._thread = threading.Thread(target=self._poll)
        self._thread.start()

    def stop(self) -> None:
        """Stop polling."""
        self._stopped.set()
        self._thread.join()

    def peak_between(self, start: float, end: float) -> float:
        """Return the peak memory in MB between two times; the sample before counts too, for very short nodes."""
        before = [size for at, size in self._samples if at <= start][-1:]
        return max(before + [size for at, size in self._samples if start <= at <= end], default=0.0)

    def _poll(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while not self._stopped.wait(POLL_SECONDS):
            try:
                pages = int(self._statm.read_text().split()[1])
            except (OSError, IndexError):
                return
            self._samples.append((time.time(), pages * page / MEGABYTE))
            self.spilled = max(self.spilled, sum(map(size_of, self._target.glob("*.tmp/*"))) / MEGABYTE)


def size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def node_spans(project: Path) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the name of every node of the last build, with its start and end times."""
    results = json.loads((project / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    for result in results:
        for step in result["timing"]:
            if step["name"] == "execute":
                start, end = (datetime.fromisoformat(step[key]).timestamp() for key in ("started_at", "completed_at"))
                yield result["unique_id"].split(".")[2], (start, end)


def headers(builds: list[Build]) -> list[str]:
    return [
        "node",
        *(f"seconds_{each.users}" for each in builds),
        "exponent",
        *(f"peak_mb_{each.users}" for each in builds),
    ]


def node_rows(builds: list[Build]) -> Iterator[list]:
    """Yield a row per node, the fastest growth first; nodes too quick to measure come last, the slowest first.

    The exponent is that between the two largest sizes: 1 if ten times the users take ten times as long.
    """
    names = {name for each in builds for name in each.seconds}
    rows = []
    for name in names:
        seconds = [each.seconds.get(name) for each in builds]
        peaks = [each.peaks.get(name) for each in builds]
        rows.append([name, *seconds, growth(builds, seconds), *peaks])
    place = 1 + len(builds)
    rows.sort(key=lambda row: (row[place] is None, -(row[place] or 0), -(row[place - 1] or 0)))
    yield from rows


def growth(builds: list[Build], seconds: list[float | None]) -> float | None:
    """Return the exponent of the growth; None if there is only one size, or the time is below a second."""
    if len(builds) < 2 or None in seconds[-2:] or seconds[-1] < 1:
        return None
    return math.log(seconds[-1] / seconds[-2]) / math.log(builds[-1].users / builds[-2].users)


def write_csv(file: Path, builds: list[Build], rows: list[list]) -> None:
    total = [
        "the whole build",
        *(each.wall_seconds for each in builds),
        growth(builds, [each.wall_seconds for each in builds]),
        *(each.peak for each in builds),
    ]
    with open(file, "w", encoding="utf-8", newline="") as output:
        writer = csv.writer(output, lineterminator="\n")
        writer.writerow(headers(builds))
        for row in [total, *rows]:
            writer.writerow([round(value, 2) if isinstance(value, float) else value for value in row])


if __name__ == "__main__":
    main()
