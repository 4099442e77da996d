"""What the package needs where nothing is built: its own dependencies and no more, neither dbt nor scikit-learn."""

import os
import subprocess
import sys

import pytest
from deployments import link_packages, needed_packages, similar_handles
from project import ROOT, clean_environment

COMMAND = (sys.executable, "-S", "-c", "from kindred.cli import main; main()")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return what runs a command of Kindred with the packages of the base and no others."""
    folder = tmp_path_factory.mktemp("base")
    path = os.pathsep.join(map(str, (link_packages(folder / "packages", needed_packages()), ROOT / "python")))

    def run(*arguments):
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=folder,
            env=clean_environment() | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
        )

    return run


def test_what_only_some_need_is_not_in_the_base():
    extras = ("dbt-core", "dbt-duckdb", "scikit-learn", "pandas", "numba", "fastapi", "streamlit", "psycopg", "boto3")
    assert not set(extras) & set(needed_packages())
    for extra, packages in {
        "build": ("dbt-core", "dbt-duckdb", "scikit-learn"),
        "dashboard": ("pandas", "streamlit"),
        "serve": ("fastapi",),
    }.items():
        assert set(packages) <= set(needed_packages(extra))


@pytest.mark.parametrize("kind", ["duckdb", "memory"])
def test_the_base_is_enough_to_look_users_up(run, warehouse, kind):
    result = run("similar", "1", "--limit", "5", "--format", "csv", "--store", f"{kind}:///{warehouse}")
    assert result.returncode == 0, result.stderr
    handles = [int(line.split(",")[1]) for line in result.stdout.splitlines()[1:]]
    assert handles == similar_handles(warehouse, 1)[:5]


@pytest.mark.parametrize("url", ["sqlite:///published.sqlite", "duckdb:///published.duckdb", "parquet:///published"])
def test_the_base_is_enough_to_publish(run, warehouse, url):
    result = run("publish", url, "--warehouse", warehouse)
    assert result.returncode == 0, result.stderr


def test_the_base_is_enough_to_write_a_sample(run):
    result = run("sample", "--users", "50", "--out", "sample")
    assert result.returncode == 0, result.stderr


def test_the_base_is_enough_to_evaluate(run, warehouse):
    # This build hid no courses. That is said after all has been imported and read.
    result = run("evaluate", "--build", warehouse.parents[1] / "target" / "kindred_build.duckdb")
    assert result.returncode == 2
    assert "quality_splits" in result.stderr


@pytest.mark.parametrize(
    ("extra", "arguments"),
    [
        ("serve", ["serve", "--port", "0"]),
        ("dashboard", ["dashboard", "--port", "0"]),
        ("aws", ["similar", "1", "--store", "dynamodb://table"]),
        ("postgres", ["similar", "1", "--store", "postgresql://user@localhost/database"]),
    ],
)
def test_what_the_base_lacks_is_said_with_its_extra(run, extra, arguments):
    result = run(*arguments)
    assert result.returncode == 2
    assert f"'.[{extra}]'" in result.stderr
    assert result.stderr.count("\n") == 1
