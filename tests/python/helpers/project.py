"""A copy of the repository that tests run dbt in, as a person would: its own executable, a folder, an exit status."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
from dbt_processes import clean_environment, run_dbt
from ties import order_of_handles

from kindred.sample import files

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent
INPUTS = ("course_tags", "user_assessment_scores", "user_course_views", "user_interests")
MAX_BUILD_SECONDS = 300
DIFFERENT_IN_EVERY_BUILD = {
    "build_info": None,
    "test_results": None,
}  # in place of the fingerprints of marts with times

DBT_TIME = re.compile(r"^\d\d:\d\d:\d\d {2}", re.MULTILINE)
# What dbt puts around a sentence: where it happened, and the way through the macros.
DBT_FRAME = re.compile(r"^(Failure in |\w+ Error in |> in macro |> called by |compiled code at )")


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit status and all that it printed, without the times."""

    exit_status: int
    output: str

    def failure(self, node: str) -> list[str]:
        """Return the lines that dbt printed about the failure of a node, without its frame around them."""
        blocks = re.findall(rf"^Failure in \w+ {node} .*?(?=^Failure in |^Done[.]|\Z)", self.output, re.M | re.S)
        assert len(blocks) == 1, self.output
        lines = [line.strip() for line in blocks[0].splitlines()]
        return [line for line in lines if line and not DBT_FRAME.match(line)]


class Project:
    """A copy of what dbt needs, without inputs: they are written or named by the test."""

    parsed_folder: Path
    """Where copies leave what dbt has parsed for each other: parsing takes most of the time of a small build."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("models", "macros", "tests", "analyses", "docs"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "python"))
        for name in ("dbt_project.yml", "profiles.yml", "selectors.yml"):
            shutil.copy(ROOT / name, folder)
        (folder / "seeds").mkdir()
        for name in ("_seeds.yml", "quality_measures.csv", "tag_aliases.csv", "tag_overrides.csv", "tag_relations.csv"):
            shutil.copy(ROOT / "seeds" / name, folder / "seeds")

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse" / "kindred.duckdb"

    @property
    def published(self) -> Path:
        """The file that the published name points to at the moment."""
        return self.warehouse.resolve(strict=True)

    def write_sample(self, users: int, truth_path: Path | None = None) -> None:
        files.write(users, 1, self.folder / "seeds", "csv", truth_path)

    def take_build_of(self, warehouse: Path) -> None:
        """Copy the inputs and the built database of the project that published a warehouse."""
        other = warehouse.parent.parent
        for name in INPUTS:
            shutil.copy(other / "seeds" / f"{name}.csv", self.folder / "seeds")
        (self.folder / "target").mkdir()
        shutil.copy(other / "target" / "kindred_build.duckdb", self.folder / "target")

    def dbt(self, *arguments: str, **environment: str) -> Outcome:
        """Run dbt in a process of its own, which takes over what dbt has parsed of other copies with the same vars."""
        given_vars = [value for name, value in pairwise(arguments) if name == "--vars"]
        parsed = self.folder / "target" / "partial_parse.msgpack"
        shared = self.parsed_folder / f"{zlib.crc32(repr(given_vars).encode()):08x}.msgpack"
        if shared.exists():
            parsed.parent.mkdir(exist_ok=True)
            shutil.copy(shared, parsed)
        exit_status, output = run_dbt(
            ["--no-use-colors", *arguments], self.folder, clean_environment() | environment, MAX_BUILD_SECONDS
        )
        if exit_status == 0 and not shared.exists() and parsed.exists():
            whole = shutil.copy(parsed, shared.with_suffix(f".{os.getpid()}"))
            os.replace(whole, shared)
        return Outcome(exit_status, DBT_TIME.sub("", output))

    def printed_by(self, program: str, *arguments: str) -> str:
        """Run a program of the environment in the folder, which must succeed, and return what it printed."""
        ended = subprocess.run(
            [BIN / program, *arguments],
            cwd=self.folder,
            # mf asks the package index for a newer version of itself, unless its way out is closed: this port is.
            env=clean_environment() | {"HTTPS_PROXY": "http://127.0.0.1:9", "TMPDIR": str(self.folder / "target")},
            capture_output=True,
            text=True,
            timeout=MAX_BUILD_SECONDS,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def kill_dbt_when(self, is_time: Callable[[], bool], *arguments: str) -> int:
        """Start dbt, kill it and its children as soon as it is time, and return its exit status."""
        deadline = time.monotonic() + MAX_BUILD_SECONDS
        with subprocess.Popen(
            [BIN / "dbt", "--no-use-colors", *arguments],
            cwd=self.folder,
            env=clean_environment(),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            while process.poll() is None:
                if is_time() or time.monotonic() > deadline:
                    os.killpg(process.pid, signal.SIGKILL)
                    break
                time.sleep(0.002)
        return process.returncode

    def open_published(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(self.published, read_only=True)

    def open_build(self) -> duckdb.DuckDBPyConnection:
        """Open the database that dbt builds in; close it before dbt runs again."""
        return duckdb.connect(self.folder / "target" / "kindred_build.duckdb", read_only=True)


def succeeded(outcome: Outcome) -> Outcome:
    assert outcome.exit_status == 0, outcome.output
    assert "Completed successfully" in outcome.output, outcome.output
    return outcome


def fingerprints(connection: duckdb.DuckDBPyConnection, schema: str = "main") -> dict[str, tuple]:
    """Return rows and a hash of all rows, ordered by all columns, for every table of a schema."""
    names = connection.execute(
        "select table_name from information_schema.tables where table_schema = ? order by table_name", [schema]
    ).fetchall()
    return {
        name: connection.sql(
            f"select count(*), md5(string_agg(rows::varchar, chr(10) order by rows::varchar)) from {schema}.{name} rows"
        ).fetchall()[0]
        for (name,) in names
    }


def rows_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    return connection.execute(query).fetchall()


@dataclass(frozen=True)
class Closest:
    """A user at a rank of another user's list, with what puts them there."""

    user: int | str
    similarity: float
    ranking_score: float


def closest_by_brute_force(
    features: Iterable[tuple[int | str, str, int, int, float]], k: int, candidates: int, hub_correction: float
) -> dict[tuple[int | str, int], Closest]:
    """Compare every user with every other, from (user, facet, feature, matching feature, weight): by (user, rank).

    Candidates are the nearest users without the cluster. What ranks them is the sum of the products of
    matching weights, less hub_correction times the mean of the other's ten best sums without the cluster; who has fewer
    than ten counts zeros.
    """
    handles, facets, feature_ids, matching_ids, weights = map(np.array, zip(*features, strict=True))
    users, rows = np.unique(handles, return_inverse=True)
    _, columns = np.unique(np.concatenate([feature_ids, matching_ids]), return_inverse=True)
    own_columns, matching_columns = columns[: len(rows)], columns[len(rows) :]
    is_cluster = facets == "cluster"

    def compared(counted):
        mine, meets = np.zeros((2, len(users), columns.max() + 1))
        mine[rows[counted], own_columns[counted]] = weights[counted]
        meets[rows[counted], matching_columns[counted]] = weights[counted]
        sums = mine @ meets.T
        np.fill_diagonal(sums, 0)
        return sums

    without_cluster = compared(~is_cluster)
    neighbourhoods = np.sort(without_cluster, axis=1)[:, -10:].sum(axis=1) / 10
    similarities = compared(np.ones(len(rows), dtype=bool))
    totals = similarities - hub_correction * neighbourhoods
    closest = {}
    for row, user in enumerate(users):
        ties = np.array([order_of_handles(user, other) for other in users], dtype=np.uint64)
        nearest = np.lexsort((ties, -np.round(without_cluster[row], 10)))[:candidates]
        nearest = nearest[without_cluster[row, nearest] > 0]
        others = nearest[np.lexsort((ties[nearest], -np.round(totals[row, nearest], 10)))]
        for rank, other in enumerate(others[:k], start=1):
            closest[user.item(), rank] = Closest(users[other].item(), similarities[row, other], totals[row, other])
    return closest


def assert_closest_users_are_exact(
    connection: duckdb.DuckDBPyConnection, k: int, candidates: int = 100, hub_correction: float = 0.25
) -> None:
    expected = closest_by_brute_force(
        rows_of(connection, "select user_handle, facet, feature_id, matching_feature_id, weight from user_features"),
        k,
        candidates,
        hub_correction,
    )
    listed = {
        (user, rank): Closest(*closest)
        for user, rank, *closest in rows_of(
            connection, "select user_handle, rank, similar_user_handle, similarity, ranking_score from similar_users"
        )
    }
    assert len(listed) > 700
    wrong = {
        place: (listed.get(place), expected.get(place))
        for place in listed.keys() | expected.keys()
        if place not in listed
        or place not in expected
        or listed[place].user != expected[place].user
        or abs(listed[place].similarity - expected[place].similarity) > 1e-9
        or abs(listed[place].ranking_score - expected[place].ranking_score) > 1e-9
    }
    assert not wrong, (
        f"{len(wrong)} of {len(expected)} places differ, e.g. {min(wrong.items(), key=lambda item: item[0])}"
    )


def evidence_shares(views: Iterable[tuple[int, str, float]]) -> dict[int, dict[str, float]]:
    """Return how much each course is evidence, by user and course, from (user, course, seconds) of every view.

    A view counts in full from a quarter of the median time of all users or of the user, whichever is longer, and at
    least a quarter, as docs/settings.md says.
    """
    totals: dict[int, dict[str, float]] = {}
    for user, course, seconds in views:
        times = totals.setdefault(user, {})
        times[course] = times.get(course, 0) + seconds
    usual = np.median([time for times in totals.values() for time in times.values() if time > 0])
    return {
        user: {
            course: min(max(time / (max(usual, np.median(list(times.values()))) / 4), 0.25), 1)
            for course, time in times.items()
        }
        for user, times in totals.items()
    }


def course_weights(
    courses: dict[int, dict[str, float]], weight_share: float, confidence_prior: float
) -> dict[tuple, float]:
    """Weigh the courses of every user, by how much each is evidence, as the docs describe it: idf squared."""
    viewers: dict[str, int] = {}
    for viewed in courses.values():
        for course in viewed:
            viewers[course] = viewers.get(course, 0) + 1
    rarity = {course: np.log(1 + len(courses) / count) ** 2 for course, count in viewers.items()}
    weights = {}
    for user, viewed in courses.items():
        total = sum(viewed.values())
        confidence = np.sqrt(total / (total + confidence_prior))
        length = np.sqrt(sum((share * rarity[course]) ** 2 for course, share in viewed.items()))
        for course, share in viewed.items():
            weights[user, course] = np.sqrt(weight_share) * confidence * share * rarity[course] / length
    return weights
