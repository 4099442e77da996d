"""Opening stores by URL, and reading the published file, and its copy in memory, while new versions come."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest
from changed_warehouse import ODD_TAGS, with_odd_tags
from click.testing import CliRunner
from project import BIN, clean_environment, rows_of

import kindred.stores.duckdb
from kindred.cli import main
from kindred.errors import NoWarehouseError, StoreError
from kindred.stores import open_store
from kindred.stores.duckdb import DuckdbStore
from kindred.stores.memory import MemoryStore

BOTH = [DuckdbStore, MemoryStore]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KINDRED_WAREHOUSE", raising=False)


def no_progress(label, done, steps):
    pass


def next_version(warehouse, path, version, scores=1.0):
    """Write a copy of a warehouse with another version, which its similarities show."""
    shutil.copy(warehouse, path)
    with duckdb.connect(path) as connection:
        connection.execute("update build_info set version = ?", [version])
        connection.execute(f"update similar_users set similarity = {scores}")
    return path


def publish(store, file):
    return store.publish(file, no_progress)


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def version_of(store):
    with store.read() as reader:
        return reader.edition.version


# --- URLs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["", " ", "kindred.duckdb", "/tmp/kindred.duckdb", "mysql://host/db", "duckdb:/kindred.duckdb", "sqlite", "://"],
)
def test_other_urls_are_refused_with_examples_of_valid_ones(url):
    if url == "":
        assert isinstance(open_store(url), DuckdbStore)  # as if none was given
        return
    with pytest.raises(StoreError, match=r"not the URL of a store.*duckdb:///.*postgresql://"):
        open_store(url)


@pytest.mark.parametrize(
    "url", ["duckdb://kindred.duckdb", "duckdb://host/kindred.duckdb", "memory://x", "duckdb:///a?b=1"]
)
def test_a_path_comes_after_three_slashes(url):
    with pytest.raises(StoreError, match="three slashes"):
        open_store(url)


def test_paths_are_relative_or_absolute_and_may_be_quoted(warehouse, tmp_path):
    (tmp_path / "a folder").mkdir()
    shutil.copy(warehouse, tmp_path / "a folder" / "näher.duckdb")
    for url in (
        "duckdb:///a folder/näher.duckdb",
        "duckdb:///a%20folder/n%C3%A4her.duckdb",
        f"duckdb:///{tmp_path}/a folder/näher.duckdb",
        f"memory:///{tmp_path}/a folder/näher.duckdb",
    ):
        with open_store(url).read() as reader:
            assert reader.edition.users == 400


def test_without_a_path_the_environment_names_the_file(warehouse, monkeypatch):
    monkeypatch.setenv("KINDRED_WAREHOUSE", str(warehouse))
    for url in (None, "duckdb:///", "memory://"):
        with open_store(url).read() as reader:
            assert reader.edition.users == 400


def test_stores_for_reading_only_or_publishing_only_say_so():
    with pytest.raises(StoreError, match="cannot be published to"):
        open_store("memory://", to_publish=True)
    for url in ("csv:///folder", "parquet:///folder"):
        with pytest.raises(StoreError, match="publishing only"):
            open_store(url)


def test_a_missing_package_is_named_with_its_extra(tmp_path):
    # An interpreter without boto3: a folder before the others makes its import fail.
    (tmp_path / "boto3.py").write_text("raise ModuleNotFoundError('No module named boto3', name='boto3')\n")
    ended = subprocess.run(
        [BIN / "kindred", "similar", "42", "--store", "dynamodb://table"],
        env=clean_environment() | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("Error: boto3 is not installed")
    assert "'.[aws]'" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


# --- while new versions come -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BOTH)
def test_there_is_nothing_to_read_before_anything_is_published(kind, warehouse, tmp_path):
    store = kind(tmp_path / "kindred.duckdb")
    with pytest.raises(NoWarehouseError, match="make build"), store.read():
        pass
    publish(DuckdbStore(tmp_path / "kindred.duckdb"), warehouse)
    with store.read() as reader:
        assert reader.edition.users == 400


@pytest.mark.parametrize("kind", BOTH)
def test_a_new_version_is_read_from_then_on_while_open_readers_keep_theirs(kind, warehouse, tmp_path):
    name = tmp_path / "kindred.duckdb"
    publishing, store = DuckdbStore(name), kind(name)
    assert publish(publishing, next_version(warehouse, tmp_path / "1", "v1", 0.1))
    with store.read() as old:
        handle = old.first_user()
        assert publish(publishing, next_version(warehouse, tmp_path / "2", "v2", 0.2))
        wait_for(lambda: version_of(store) == "v2")
        with store.read() as new:
            assert {row["similarity"] for row in new.similar(handle)} == {0.2}
        assert publish(publishing, next_version(warehouse, tmp_path / "3", "v3", 0.3))
        assert publish(publishing, next_version(warehouse, tmp_path / "4", "v4", 0.4))
        # Its file may be gone by now, but it is open.
        assert old.edition.version == "v1"
        assert {row["similarity"] for row in old.similar(handle)} == {0.1}
        assert old.space().encode
    wait_for(lambda: version_of(store) == "v4")


def test_memory_serves_the_previous_version_while_the_new_one_is_read_or_cannot_be(warehouse, tmp_path, caplog):
    name = tmp_path / "kindred.duckdb"
    publish(DuckdbStore(name), warehouse)
    store = MemoryStore(name)
    version = version_of(store)
    (tmp_path / "kindred-broken.duckdb").write_bytes(b"no database" * 1000)
    (tmp_path / "link").symlink_to("kindred-broken.duckdb")
    os.replace(tmp_path / "link", name)
    assert version_of(store) == version
    wait_for(lambda: "still served" in caplog.text)
    assert version_of(store) == version
    shutil.copy(next_version(warehouse, tmp_path / "2", "v2"), tmp_path / "kindred-2.duckdb")
    (tmp_path / "link").symlink_to("kindred-2.duckdb")
    os.replace(tmp_path / "link", name)
    wait_for(lambda: version_of(store) == "v2")


@pytest.mark.parametrize("scanned_users", [0, 40_000])
def test_memory_answers_as_the_file_does(warehouse, monkeypatch, scanned_users):
    monkeypatch.setattr(kindred.stores.duckdb, "SCANNED_USERS", scanned_users)
    with MemoryStore(warehouse).read() as memory, DuckdbStore(warehouse).read() as file:
        assert memory.edition == file.edition
        assert memory.first_user() == file.first_user()
        users = file.users(0, 1000)
        assert len(users) == 400
        assert memory.users(0, 1000) == users
        clusters = {user["cluster_id"] for user in users}
        assert len(clusters) > 3
        for cluster_id in clusters:
            assert memory.users(users[20]["user_handle"], 7, cluster_id) == file.users(
                users[20]["user_handle"], 7, cluster_id
            )
        handles = [user["user_handle"] for user in users] + [10**9]
        for handle in handles:
            assert memory.user(handle) == file.user(handle)
            assert memory.similar(handle) == file.similar(handle)
            assert sorted(memory.features(handle)) == sorted(file.features(handle))
        assert {user: sorted(courses) for user, courses in memory.courses(handles).items()} == {
            user: sorted(courses) for user, courses in file.courses(handles).items()
        }


@pytest.mark.parametrize("kind", BOTH)
def test_a_tag_arrives_as_one_whatever_signs_it_has(kind, warehouse, tmp_path):
    with kind(with_odd_tags(warehouse, tmp_path, 1)).read() as reader:
        assert reader.user(1)["top_course_tags"] == ODD_TAGS
        assert reader.user(2)["top_course_tags"] is None
        assert [row["top_course_tags"] for row in reader.users(0, 2)] == [ODD_TAGS, None]


def test_an_open_file_answers_only_lookups(warehouse, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with DuckdbStore(warehouse).read() as reader:
        for query in (
            f"select * from '{tmp_path}/secret.csv'",
            f"copy users to '{tmp_path}/out.csv'",
            f"attach '{tmp_path}/other.duckdb'",
            "delete from users",
            "set enable_external_access = true",
            "install httpfs",
        ):
            with pytest.raises(StoreError):
                reader._rows(query, [])
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


# --- publishing a file -------------------------------------------------------------------------------------


def test_publishing_copies_the_file_once(warehouse, tmp_path):
    store = DuckdbStore(tmp_path / "copies" / "kindred.duckdb")
    steps = []
    assert store.publish(warehouse, lambda *step: steps.append(step)) is True
    size = warehouse.stat().st_size
    assert steps[-1] == ("bytes", size, size)
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)
    published = (tmp_path / "copies" / "kindred.duckdb").resolve()
    assert published.read_bytes() == warehouse.read_bytes()
    assert publish(store, warehouse) is False
    assert publish(DuckdbStore(warehouse), warehouse) is False
    assert (tmp_path / "copies" / "kindred.duckdb").resolve() == published


def test_a_failure_half_way_leaves_the_previous_version(warehouse, tmp_path):
    store = DuckdbStore(tmp_path / "kindred.duckdb")
    publish(store, next_version(warehouse, tmp_path / "1", "v1"))
    before = sorted(path.name for path in tmp_path.iterdir())

    def full(label, done, steps):
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="No space left"):
        store.publish(next_version(warehouse, tmp_path / "1", "v2"), full)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert version_of(store) == "v1"


def test_a_foreign_file_is_not_replaced(warehouse, tmp_path):
    (tmp_path / "kindred.duckdb").write_text("mine")
    with pytest.raises(StoreError, match="Kindred did not publish"):
        publish(DuckdbStore(tmp_path / "kindred.duckdb"), warehouse)
    assert (tmp_path / "kindred.duckdb").read_text() == "mine"


# --- the command -------------------------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_command_publishes_and_says_so(warehouse, tmp_path):
    first = run("publish", "duckdb:///kindred.duckdb", "--warehouse", warehouse)
    assert first.exit_code == 0, first.output
    assert first.stderr.startswith("Published ")
    assert first.stdout == ""
    with duckdb.connect((tmp_path / "kindred.duckdb").resolve(), read_only=True) as connection:
        assert rows_of(connection, "select count(*) from users") == [(400,)]
    again = run("publish", "duckdb:///kindred.duckdb", "--warehouse", warehouse)
    assert again.exit_code == 0
    assert "already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["publish", "nowhere"], "not the URL of a store"),
        (["publish", "memory://"], "cannot be published to"),
        (["publish", "duckdb:///a/b.duckdb", "--warehouse", "none.duckdb"], "make build"),
        (["similar", "42", "--store", "nowhere"], "not the URL of a store"),
        (["similar", "42", "--store", "csv:///folder"], "publishing only"),
        (["explain", "42", "7", "--store", "duckdb:///none.duckdb"], "make build"),
    ],
)
def test_commands_end_with_one_sentence_and_write_nothing(arguments, said, warehouse, tmp_path, monkeypatch):
    monkeypatch.setenv("KINDRED_WAREHOUSE", str(warehouse))
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1
    assert said in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_progress_is_drawn_on_a_terminal(warehouse, tmp_path):
    # A real terminal: `script` is not everywhere, but Python's own is.
    code = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
    ended = subprocess.run(
        [sys.executable, "-c", code, BIN / "kindred", "publish", "duckdb:///kindred.duckdb", "--warehouse", warehouse],
        env=clean_environment() | {"TERM": "xterm"},
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 0, ended.stdout
    assert b"Bytes" in ended.stdout
    size = warehouse.stat().st_size
    assert f"{size}/{size}".encode() in ended.stdout
    assert Path("kindred.duckdb").exists()
