"""Measure the clusters of a platform: how many there are, how well they predict courses, and how stable they are.

Run: .venv/bin/python benchmarks/clusters.py FOLDER [--seeds 3] [--truth truth.csv]
FOLDER holds the four inputs, like KINDRED_DATA_DIR. Each seed needs three builds up to user_clusters: one without a
fifth of the courses of users who have five or more, and two with a random 80% of the users each. --truth names the file
of latent topics that `kindred sample --truth` wrote with the inputs.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import click
import duckdb
import numpy as np
from build_time import DBT, copy_project
from tabulate import tabulate

from kindred.evaluation.cluster_metrics import adjusted_rand_index, agreement, cluster_lift
from kindred.evaluation.hold_outs import HIDDEN_SHARE, MIN_COURSES, hide
from kindred.evaluation.report import SUBSAMPLE_SHARE
from kindred.matrices import incidence

Columns = dict[str, np.ndarray]


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--seeds", type=click.IntRange(min=1), default=3, show_default=True, help="How many random draws to make."
)
@click.option("--truth", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Topics of a sample.")
def main(folder: Path, seeds: int, truth: Path | None) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        platform = Platform(Path(scratch), folder.absolute())
        rows = platform.described()
        if truth:
            rows.append(("adjusted Rand index against main topics", f"{platform.against(truth):.3f}"))
        click.echo(tabulate(rows, headers=["all data", ""], disable_numparse=True, colalign=("left", "right")) + "\n")
        runs = [platform.held_out(seed) | platform.repeated(seed) for seed in range(1, seeds + 1)]
    rows = [
        [*name, *(shown(run[name]) for run in runs), shown(np.mean([run[name] for run in runs]))] for name in runs[0]
    ]
    headers = ["built from", "measure", *(f"seed {seed}" for seed in range(1, seeds + 1)), "mean"]
    align = ("left", "left", *["right"] * (seeds + 1))
    click.echo(tabulate(rows, headers=headers, disable_numparse=True, colalign=align))


def shown(value: float) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value}"


class Platform:
    """A copy of the project, its build of all the data, and builds of parts of them."""

    def __init__(self, scratch: Path, folder: Path):
        self.scratch = scratch
        self.project = copy_project(scratch / "project")
        self.clusters = self.build(folder)
        shutil.copy(self.project / "target" / "kindred_build.duckdb", scratch / "all.duckdb")
        self.connection = duckdb.connect()
        self.connection.execute(f"attach '{scratch}/all.duckdb' as whole (read_only)")
        self.connection.execute("use whole")

    def build(self, folder: Path) -> Columns:
        """Build the inputs in a folder, and return user_clusters by rising user_handle."""
        done = subprocess.run(
            [DBT, "build", "--select", "+user_clusters", "--exclude", "resource_type:test"],
            cwd=self.project,
            env={**os.environ, "KINDRED_DATA_DIR": str(folder)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise click.ClickException(f"dbt build failed:\n{done.stdout[-2000:]}")
        with duckdb.connect(self.project / "target" / "kindred_build.duckdb", read_only=True) as connection:
            return connection.sql("from user_clusters order by user_handle").fetchnumpy()

    def build_part(self, conditions: dict[str, str]) -> Columns:
        """Build from the rows of the inputs that meet a condition."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            for name, condition in conditions.items():
                self.connection.execute(
                    f"copy (select * exclude (line_number, read_error) from raw.{name} where {condition} "
                    f"order by line_number) to '{folder}/{name}.parquet'"
                )
            return self.build(Path(folder))

    def write(self, name: str, columns: Columns) -> None:
        """Write columns to a temporary table."""
        self.connection.execute(f"create or replace temp table {name} as from columns")

    def described(self) -> list[tuple[str, str]]:
        """Describe the clusters of all the data."""
        chosen = self.connection.execute("select eps, min_shared from cluster_search where is_chosen").fetchall()
        clusters, share = self.clusters["cluster_id"], self.clusters["nearest_cluster_share"]
        is_noise = clusters < 0
        return [
            ("users", f"{len(clusters):,}"),
            (
                "eps, as shared neighbours",
                ", ".join(f"{eps:.3f}, {min_shared}" for eps, min_shared in chosen) or "none",
            ),
            ("clusters", str(clusters.max() + 1)),
            ("users in no cluster", f"{is_noise.mean():.3f}"),
            ("users in the largest cluster", f"{(clusters == 0).mean():.3f}"),
            ("users without a nearest cluster", f"{(self.clusters['nearest_cluster_id'] < 0).mean():.3f}"),
            ("votes for the nearest cluster, users in one", f"{share[~is_noise].mean():.3f}"),
            ("votes for the nearest cluster, users in none", f"{share[is_noise].mean():.3f}"),
        ]

    def against(self, truth: Path) -> float:
        """Compare clusters with the main topic of each user, for users in a cluster."""
        self.connection.execute(
            f"create or replace temp table topics as select user_handle, max_by(topic, (share, topic)) as topic "
            f"from read_csv('{truth}') group by user_handle"
        )
        found = self.connection.sql(
            "select cluster_id, dense_rank() over (order by topic) as topic from user_clusters "
            "inner join temp.topics using (user_handle) where cluster_id >= 0"
        ).fetchnumpy()
        return adjusted_rand_index(found["cluster_id"], found["topic"])

    def held_out(self, seed: int) -> dict[str, float]:
        """Hide a fifth of the courses of users who have five or more, and measure who else viewed them."""
        views = self.connection.sql(
            "select user_handle, dense_rank() over (order by course_id) - 1 as course, course_id "
            "from intermediate.int_user_courses inner join intermediate.int_users using (user_number) "
            "order by user_number, course"
        ).fetchnumpy()
        handles, rows = np.unique(views["user_handle"], return_inverse=True)
        _, first = np.unique(views["course"], return_index=True)
        everything = incidence(rows, views["course"], (len(handles), len(first)))
        viewed, hidden = (part.nonzero() for part in hide(everything, HIDDEN_SHARE, MIN_COURSES, seed))
        course_ids = views["course_id"][first]
        self.write("hidden", {"user_handle": handles[hidden[0]], "course_id": course_ids[hidden[1]]})
        found = self.build_part({
            "course_tags": "true",
            "user_assessment_scores": "true",
            "user_interests": "true",
            "user_course_views": "line_number not in (select line_number from staging.stg_user_course_views "
            "semi join temp.hidden using (user_handle, course_id))",
        })  # fmt: skip
        labels, nearest = found["cluster_id"], found["nearest_cluster_id"]
        # No user loses all courses, so all users are still there.
        row_of = np.searchsorted(found["user_handle"], handles)
        viewed, hidden = ((row_of[part[0]], part[1]) for part in (viewed, hidden))
        clustered = cluster_lift(labels, viewed, hidden)
        others = cluster_lift(labels, viewed, hidden, assigned=np.where(labels < 0, nearest, -1))
        everyone = cluster_lift(labels, viewed, hidden, assigned=nearest)
        part = "without a fifth of the courses"
        return {
            (part, "clusters"): labels.max() + 1,
            (part, "users in no cluster"): (labels < 0).mean(),
            (part, "users in the largest cluster"): (labels == 0).mean(),
            (part, "lift of hidden courses, users in a cluster"): clustered["lift"],
            (part, "lift in the nearest cluster, users in none"): others["lift"],
            (part, "lift in the nearest cluster, everyone"): everyone["lift"],
        }

    def repeated(self, seed: int) -> dict[str, float]:
        """Build two random samples of 80% of the users, and compare the clusters of users in both."""
        rng = np.random.default_rng(seed)
        users = self.clusters["user_handle"]
        runs = []
        for _ in range(2):
            self.write("kept", {"user_handle": rng.permutation(users)[: round(SUBSAMPLE_SHARE * len(users))]})
            is_kept = "cast(try_cast(user_handle as double) as bigint) in (select user_handle from temp.kept)"
            user_files = ("user_assessment_scores", "user_course_views", "user_interests")
            runs.append(self.build_part({"course_tags": "true"} | dict.fromkeys(user_files, is_kept)))
        one, other = runs
        _, rows, other_rows = np.intersect1d(one["user_handle"], other["user_handle"], return_indices=True)
        measured = agreement(one["cluster_id"][rows], other["cluster_id"][other_rows])
        part = "80% of the users, twice"
        return {
            (part, "clusters, fewer of both"): min(run["cluster_id"].max() + 1 for run in runs),
            (part, "clusters, more of both"): max(run["cluster_id"].max() + 1 for run in runs),
            (part, "users in no cluster, mean"): np.mean([(run["cluster_id"] < 0).mean() for run in runs]),
            (part, "users in the largest cluster, more of both"): max((run["cluster_id"] == 0).mean() for run in runs),
            (part, "adjusted Rand index, users in a cluster both times"): measured["both_clustered"],
            (part, "adjusted Rand index, all, those in none as one group"): measured["all_users"],
            (part, "users in a cluster both times"): measured["shared_users"],
            (part, "of users in none once, those in none twice"): measured["same_noise"],
        }


if __name__ == "__main__":
    main()
