"""What several files of tests use: warehouses, built once for all workers of a test run, and a browser."""

import fcntl
import gc
import os
import sys
from pathlib import Path

import pytest
from project import Project, succeeded
from text_handles import give_texts

FEWER_MODELS = ("--vars", "{quality_splits: 0}")  # how good the neighbours are does not matter to who looks them up


def shared_folder(tmp_path_factory) -> Path:
    """Return the temporary folder that all workers of a test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session", autouse=True)
def parsed_folder(tmp_path_factory):
    Project.parsed_folder = shared_folder(tmp_path_factory) / "parsed"
    Project.parsed_folder.mkdir(exist_ok=True)


def built_once(tmp_path_factory, users: int, *, has_texts: bool = False) -> Path:
    """Return the real path of a published warehouse of a synthetic platform; the first worker to ask builds it."""
    folder = shared_folder(tmp_path_factory) / f"platform-{users}{'-texts' if has_texts else ''}"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        project = folder / "project"
        if not project.exists():
            project.mkdir()
            made = Project(project)
            made.write_sample(users)
            if has_texts:
                give_texts(project / "seeds")
            succeeded(made.dbt("build", *FEWER_MODELS))
        return (project / "warehouse" / "kindred.duckdb").resolve(strict=True)


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory):
    """Return a published warehouse of 400 users: its real path. Tests only read it."""
    return built_once(tmp_path_factory, 400)


@pytest.fixture(scope="session")
def text_warehouse(tmp_path_factory):
    """Return a published warehouse of the same users with texts as handles (text_of): its real path."""
    return built_once(tmp_path_factory, 400, has_texts=True)


@pytest.fixture(scope="session")
def large_warehouse(tmp_path_factory):
    """Return a published warehouse of 10,000 users: its real path. Tests only read it."""
    return built_once(tmp_path_factory, 10_000)


@pytest.fixture(scope="module")
def open_tab():
    """Return what opens a tab of a real browser."""
    from chromium import chromium  # most tests do without

    with chromium() as open_tab:
        yield open_tab


@pytest.fixture(scope="module", autouse=True)
def closed_dashboards():
    """Close what the dashboard has opened in this process: DuckDB opens a file in one configuration at a time."""
    yield
    if "streamlit" in sys.modules:
        sys.modules["streamlit"].cache_resource.clear()
        gc.collect()
