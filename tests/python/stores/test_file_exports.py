"""Publishing to folders of CSV and Parquet files."""

import csv
import datetime
import json
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import duckdb
import pyarrow.parquet
import pytest
from changed_warehouse import ODD_TAGS, with_odd_tags
from project import clean_environment

from kindred.errors import StoreError
from kindred.stores import open_store
from kindred.warehouse.reading import open_file

PUBLISH = """
import sys
from pathlib import Path
from kindred.stores import open_store

open_store(sys.argv[1], to_publish=True).publish(Path(sys.argv[2]), lambda *progress: print(*progress, flush=True))
"""


@pytest.fixture(params=["csv", "parquet"])
def kind(request):
    return request.param


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "exports" / "kindred"


@pytest.fixture(scope="module")
def later(warehouse, tmp_path_factory):
    """Return a published file of a later version, without the table tags."""
    file = tmp_path_factory.mktemp("later") / "kindred.duckdb"
    shutil.copy(warehouse, file)
    with duckdb.connect(file) as connection:
        connection.execute("update build_info set version = '20300101T000000Z-00000000'")
        connection.execute("drop table tags")
    return file


def publish(kind: str, folder: Path, warehouse: Path, progress=lambda *_: None) -> bool:
    with closing(open_store(f"{kind}:///{quote(str(folder))}", to_publish=True)) as store:
        return store.publish(warehouse, progress)


def tables_of(file: Path) -> dict[str, tuple[list[str], list[tuple]]]:
    """Return the columns and rows of every table; the view of all reasons is not one."""
    with open_file(file) as connection:
        names = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
        return {name: (connection.table(name).columns, connection.table(name).fetchall()) for name in names}


def text_of(value: object) -> str:
    """Return a value in the form of the CSV files."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime.datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%S")
        case _:
            return str(value)


def content_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def assert_version(kind: str, folder: Path, warehouse: Path) -> None:
    """Check that a folder has all of a version, and that no other file is beside it."""
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert {file.name for file in folder.iterdir()} == {f"{name}.{kind}" for name in tables_of(warehouse)}
    with open_file(warehouse) as connection:
        (version,) = connection.execute("select version from build_info").fetchone()
    assert version.encode() in (folder / f"build_info.{kind}").read_bytes()


class TestContent:
    def test_csv(self, folder, warehouse):
        assert publish("csv", folder, warehouse)
        assert_version("csv", folder, warehouse)
        for name, (columns, rows) in tables_of(warehouse).items():
            with (folder / f"{name}.csv").open(newline="") as file:
                header, *found = csv.reader(file)
            assert header == columns
            assert len(found) == len(rows)
            for found_row, row in zip(found, rows, strict=True):
                for column, text, value in zip(columns, found_row, row, strict=True):
                    if isinstance(value, list):
                        assert json.loads(text) == value, (name, column)
                    elif isinstance(value, float):
                        assert float(text) == value, (name, column)
                    else:
                        assert text == text_of(value), (name, column)

    def test_parquet(self, folder, warehouse):
        assert publish("parquet", folder, warehouse)
        assert_version("parquet", folder, warehouse)
        for name, (columns, rows) in tables_of(warehouse).items():
            found = pyarrow.parquet.read_table(folder / f"{name}.parquet")
            assert found.column_names == columns
            assert [tuple(row.values()) for row in found.to_pylist()] == rows
        reasons = pyarrow.parquet.read_schema(folder / "similar_users.parquet").field("top_reasons").type
        assert [reasons.value_type.field(number).name for number in range(3)] == ["facet", "feature", "contribution"]

    def test_a_tag_arrives_as_one_whatever_signs_it_has(self, kind, folder, warehouse, tmp_path):
        assert publish(kind, folder, with_odd_tags(warehouse, tmp_path, 1))
        for table, column in (("courses", "course_tags"), ("user_courses", "interest_tags"), ("clusters", "top_tags")):
            if kind == "parquet":
                found = pyarrow.parquet.read_table(folder / f"{table}.parquet")[column].to_pylist()
            else:
                with (folder / f"{table}.csv").open(newline="") as file:
                    found = [json.loads(row[column]) for row in csv.DictReader(file)]
            assert found
            assert all(tags == ODD_TAGS for tags in found)

    def test_progress_ends_with_all_rows(self, kind, folder, warehouse):
        steps = []
        publish(kind, folder, warehouse, lambda *step: steps.append(step))
        total = sum(len(rows) for _, rows in tables_of(warehouse).values())
        assert steps == sorted(steps)
        assert steps[-1] == ("rows", total, total)

    def test_names_with_anything_in_them(self, kind, tmp_path, warehouse, later):
        folder = tmp_path / "exports" / 'it\'s 100% [a] "folder"?*#'
        for file in (warehouse, later):
            assert publish(kind, folder, file)
            assert_version(kind, folder, file)
            assert not publish(kind, folder, file)


class TestReplacement:
    """A publication writes all of a version or nothing of it."""

    def test_again_writes_nothing(self, kind, folder, warehouse):
        publish(kind, folder, warehouse)
        before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (folder, *folder.iterdir())}
        assert not publish(kind, folder, warehouse)
        assert before == {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (folder, *folder.iterdir())}

    def test_next_version_takes_the_place(self, kind, folder, warehouse, later):
        publish(kind, folder, warehouse)
        assert (folder / f"tags.{kind}").exists()
        assert publish(kind, folder, later)
        assert_version(kind, folder, later)

    def test_failure_leaves_the_old_version(self, kind, folder, warehouse, later):
        publish(kind, folder, warehouse)
        before = content_of(folder)

        def fail(label, done, total):
            if done > total / 2:
                raise RuntimeError("the screen is broken")

        with pytest.raises(RuntimeError, match="the screen is broken"):
            publish(kind, folder, later, fail)
        assert content_of(folder) == before
        assert_version(kind, folder, warehouse)

    def test_killed_at_any_moment(self, kind, folder, warehouse, later, tmp_path):
        script = tmp_path / "publish.py"
        script.write_text(PUBLISH)
        publish(kind, folder, warehouse)
        before = content_of(folder)
        moments = random.Random(20170627)
        for lines in (0, 5, 16, 17):
            with subprocess.Popen(
                [sys.executable, script, f"{kind}:///{folder}", later],
                stdout=subprocess.PIPE,
                env=clean_environment(),
                text=True,
            ) as process:
                for _ in range(lines):
                    process.stdout.readline()
                time.sleep(moments.uniform(0, 0.01))
                process.send_signal(signal.SIGKILL)
            if f"tags.{kind}" not in content_of(folder):  # it was killed too late
                break
            assert content_of(folder) == before
        assert lines > 5
        publish(kind, folder, later)
        assert_version(kind, folder, later)

    @pytest.mark.parametrize("is_next_whole", [True, False])
    def test_killed_between_the_two_renames(self, kind, folder, warehouse, later, is_next_whole):
        publish(kind, folder, later)
        folder.rename(folder.with_name(".kindred.kindred-part"))
        if not is_next_whole:
            (folder.with_name(".kindred.kindred-part") / f"users.{kind}").unlink()
        publish_beside = folder.with_name("old")
        publish(kind, publish_beside, warehouse)
        publish_beside.rename(folder.with_name(".kindred.kindred-old"))
        assert not publish(kind, folder, warehouse)  # the old one is back
        assert_version(kind, folder, warehouse)
        assert publish(kind, folder, later)
        assert_version(kind, folder, later)

    def test_failing_rename_puts_the_old_version_back(self, kind, folder, warehouse, later, monkeypatch):
        publish(kind, folder, warehouse)
        rename = Path.rename

        def failing(path, target):
            if path.name.endswith("part"):
                raise OSError(5, "the disk is broken")
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", failing)
        with pytest.raises(StoreError, match="the disk is broken"):
            publish(kind, folder, later)
        assert_version(kind, folder, warehouse)

    def test_second_publisher_waits(self, kind, folder, warehouse):
        is_writing, may_go_on, outcomes = threading.Event(), threading.Event(), {}

        def wait(*_):
            is_writing.set()
            may_go_on.wait(30)

        def run(name, progress):
            outcomes[name] = publish(kind, folder, warehouse, progress)

        first = threading.Thread(target=run, args=["first", wait])
        second = threading.Thread(target=run, args=["second", lambda *_: None])
        first.start()
        assert is_writing.wait(30)
        second.start()
        time.sleep(0.3)
        assert not outcomes
        may_go_on.set()
        first.join()
        second.join()
        assert outcomes == {"first": True, "second": False}
        assert_version(kind, folder, warehouse)


class TestRefusals:
    def test_foreign_folder(self, kind, folder, warehouse):
        folder.mkdir(parents=True)
        (folder / "letters.txt").write_text("Dear Sir")
        with pytest.raises(StoreError, match=r"name a new folder\.$"):
            publish(kind, folder, warehouse)
        assert content_of(folder) == {"letters.txt": b"Dear Sir"}
        (folder / f"build_info.{kind}").write_text("somebody,else\n1,2\n")
        with pytest.raises(StoreError, match=r"name a new folder\.$"):
            publish(kind, folder, warehouse)
        assert len(content_of(folder)) == 2
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]

    def test_file(self, kind, folder, warehouse):
        folder.parent.mkdir()
        folder.write_text("Dear Sir")
        with pytest.raises(StoreError, match=r"name a new folder\.$"):
            publish(kind, folder, warehouse)
        assert folder.read_text() == "Dear Sir"
        with pytest.raises(StoreError):
            publish(kind, folder / "below", warehouse)

    def test_empty_folder_is_taken(self, kind, folder, warehouse):
        folder.mkdir(parents=True)
        assert publish(kind, folder, warehouse)
        assert_version(kind, folder, warehouse)

    def test_link_stays_one(self, kind, folder, warehouse, later, tmp_path):
        link = tmp_path / "link"
        folder.mkdir(parents=True)
        link.symlink_to(folder)
        for file in (warehouse, later):
            assert publish(kind, link, file)
            assert_version(kind, folder, file)
        assert link.is_symlink()

    @pytest.mark.parametrize("path", ["", "/"])
    def test_url_without_a_folder(self, kind, path):
        with pytest.raises(StoreError, match="names a folder"):
            open_store(f"{kind}:///{path}", to_publish=True)

    def test_missing_warehouse(self, kind, folder, tmp_path):
        with pytest.raises(StoreError):
            publish(kind, folder, tmp_path / "nothing.duckdb")
        assert not folder.exists()

    def test_it_cannot_be_read(self, kind, folder, warehouse):
        publish(kind, folder, warehouse)
        with pytest.raises(StoreError, match="publishing only"):
            open_store(f"{kind}:///{folder}")
        with pytest.raises(StoreError, match="publishing only"):
            open_store(f"{kind}:///{folder}", to_publish=True).read()
