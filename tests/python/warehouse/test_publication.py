"""Publication: one file that never changes while it is read."""

import os
import re
import sys
import threading
from contextlib import contextmanager

import duckdb
import pytest

from kindred.errors import PublicationError
from kindred.warehouse import publication
from kindred.warehouse.locations import published_file
from kindred.warehouse.publication import KEPT_VERSIONS, publish

TABLES = ["courses", "users", "user_courses"]


def version(number):
    """Name a version as a build does: its time and part of a hash."""
    return f"20260102T{number:06}Z-{number:08x}"


@pytest.fixture
def build(tmp_path):
    """Return a connection to a database like one that dbt built: tables, a view and comments."""
    connection = duckdb.connect(tmp_path / "build.duckdb")
    connection.execute(
        """
        create table users (user_handle bigint not null, joined_at timestamp, score decimal(5, 2));
        insert into users select range, timestamp '2026-01-01' + to_days(range::integer), range / 4 from range(1, 201);
        create table courses as select 'course-' || range as course_id, [range, range + 1] as parts from range(5);
        create table internal as select 1 as secret;
        create view "build"."main"."user_courses" as (
            with listed as (select * from "build"."main"."users")
            select listed.user_handle, courses.course_id
            from listed inner join build.main.courses on courses.parts[1] = listed.user_handle
        );
        comment on table users is 'Everybody''s row; "quoted"';
        comment on column users.score is 'The user''s score';
        comment on view user_courses is 'Who viewed what';
        comment on column user_courses.course_id is 'What was viewed';
        """
    )
    yield connection
    connection.close()


@pytest.fixture
def warehouse(tmp_path):
    return tmp_path / "warehouse" / "kindred.duckdb"


@contextmanager
def opened(path):
    """Open the published name as stores do: by its real path."""
    connection = duckdb.connect(published_file(path), read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def rows(connection, query):
    return connection.execute(query).fetchall()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def number_of(path):
    """Return the number that `publish_number` put into the current version."""
    with opened(path) as reader:
        return rows(reader, "select number from numbered")[0][0]


def publish_number(connection, path, number):
    connection.execute(f"create or replace table numbered as select {number} as number")
    return publish(connection, path, ["numbered"], version(number))


# --- contents ----------------------------------------------------------------------------------------------


def test_only_the_tables_are_published_with_all_rows_and_types(build, warehouse):
    publish(build, warehouse, TABLES, version(1))
    with opened(warehouse) as reader:
        for table in TABLES:
            assert rows(reader, f"from {table} order by all") == rows(build, f"from {table} order by all")
            types = f"select column_name, column_type from (describe {table})"
            assert rows(reader, types) == rows(build, types)
        assert rows(reader, "select table_name from duckdb_tables() order by all") == [("courses",), ("users",)]
        assert rows(reader, "select view_name from duckdb_views() where not internal") == [("user_courses",)]


def test_a_view_is_read_from_the_tables_beside_it_under_any_name(build, warehouse, tmp_path):
    expected = rows(build, "from user_courses order by all")
    assert len(expected) == 4
    file = publish(build, warehouse, TABLES, version(1))
    build.close()
    (tmp_path / "build.duckdb").unlink()
    with opened(warehouse) as reader:
        assert rows(reader, "from user_courses order by all") == expected
    with duckdb.connect() as reader:
        reader.execute(f"attach '{file}' as another (read_only)")
        assert rows(reader, "from another.main.user_courses order by all") == expected
    moved = file.rename(tmp_path / "renamed.duckdb")
    with opened(moved) as reader:
        assert rows(reader, "from user_courses order by all") == expected


@pytest.mark.parametrize("source", [":memory:", "the build-2.duckdb", "main.duckdb"])
def test_the_database_that_is_published_may_have_any_name(source, warehouse, tmp_path):
    with duckdb.connect(source if source == ":memory:" else tmp_path / source) as connection:
        name = rows(connection, "select current_database()")[0][0]
        connection.execute("create table numbered as select 42 as number")
        connection.execute(f'create view seen as select * from "{name}"."main"."numbered"')
        publish(connection, warehouse, ["seen", "numbered"], version(1))
    with opened(warehouse) as reader:
        assert rows(reader, "from seen") == [(42,)]


def test_comments_are_published_too(build, warehouse):
    publish(build, warehouse, TABLES, version(1))
    with opened(warehouse) as reader:
        assert rows(reader, "select table_name, comment from duckdb_tables() order by all") == [
            ("courses", None),
            ("users", 'Everybody\'s row; "quoted"'),
        ]
        assert rows(reader, "select view_name, comment from duckdb_views() where not internal") == [
            ("user_courses", "Who viewed what")
        ]
        columns = "select table_name, column_name, comment from duckdb_columns() where comment is not null order by all"
        assert rows(reader, columns) == [
            ("user_courses", "course_id", "What was viewed"),
            ("users", "score", "The user's score"),
        ]


def test_the_connection_is_left_as_it_was(build, warehouse):
    publish(build, warehouse, TABLES, version(1))
    assert rows(build, "select current_database(), current_schema()") == [("build", "main")]
    assert rows(build, "select database_name from duckdb_databases() where not internal") == [("build",)]
    assert rows(build, "select count(*) from users") == [(200,)]


def test_the_name_is_a_link_to_the_new_file_that_survives_a_move_of_the_folder(build, warehouse, tmp_path):
    file = publish(build, warehouse, TABLES, version(1))
    assert file == warehouse.parent / f"kindred-{version(1)}.duckdb"
    assert names_in(warehouse.parent) == [file.name, "kindred.duckdb"]
    moved = warehouse.parent.rename(tmp_path / "moved") / "kindred.duckdb"
    with opened(moved) as reader:
        assert rows(reader, "select count(*) from users") == [(200,)]


@pytest.mark.parametrize("folder", ["new", "new/and/deeper", "it's a folder"])
def test_a_missing_folder_is_made(build, tmp_path, folder):
    publish_number(build, tmp_path / folder / "kindred.duckdb", 1)
    assert number_of(tmp_path / folder / "kindred.duckdb") == 1


def test_a_relative_name_is_below_the_working_directory(build, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = publish_number(build, "relative/kindred.duckdb", 1)
    assert file == tmp_path / "relative" / f"kindred-{version(1)}.duckdb"
    assert number_of(tmp_path / "relative" / "kindred.duckdb") == 1


# --- one version after another -----------------------------------------------------------------------------


def test_a_reader_keeps_its_version_while_new_ones_are_published(build, warehouse):
    build.execute("create table numbered as select 1 as number from range(500_000)")
    first = publish(build, warehouse, ["numbered"], version(1))
    with opened(warehouse) as reader:
        assert rows(reader, "select number from numbered limit 1") == [(1,)]  # the rest is still on disk
        for number in (2, 3, 4):
            publish_number(build, warehouse, number)
            assert rows(reader, "select min(number), max(number), count(*) from numbered") == [(1, 1, 500_000)]
            assert number_of(warehouse) == number
        assert not first.exists()
        assert rows(reader, "select sum(number) from numbered") == [(500_000,)]


def test_the_newest_versions_are_kept_and_nothing_else_is_removed(build, warehouse):
    warehouse.parent.mkdir()
    others = ["kindred-backup.duckdb", f"mine-{version(1)}.duckdb", f"kindred-{version(1)}.duckdb.bak", "notes.txt"]
    for name in others:
        (warehouse.parent / name).write_text("mine")
    files = [publish_number(build, warehouse, number).name for number in range(1, 6)]
    assert names_in(warehouse.parent) == sorted(["kindred.duckdb", *others, *files[-KEPT_VERSIONS:]])
    assert KEPT_VERSIONS == 2
    assert number_of(warehouse) == 5


def test_the_current_version_stays_even_if_older_files_look_newer(build, warehouse):
    # Files restored from a backup, or a clock that was set back.
    for number in (1, 2):
        os.utime(publish_number(build, warehouse, number), (4_000_000_000, 4_000_000_000))
    publish_number(build, warehouse, 3)
    assert warehouse.exists()
    assert number_of(warehouse) == 3


def test_a_link_whose_file_is_gone_is_replaced(build, warehouse):
    publish_number(build, warehouse, 1).unlink()
    publish_number(build, warehouse, 2)
    assert number_of(warehouse) == 2


def test_leftovers_of_an_interrupted_publication_do_not_block_the_next(build, warehouse):
    publish_number(build, warehouse, 1)
    (warehouse.parent / f"kindred-{version(2)}.duckdb.part").write_text("half a file")
    (warehouse.parent / "kindred.duckdb.link").symlink_to("nowhere")
    publish_number(build, warehouse, 2)
    assert number_of(warehouse) == 2
    assert [name for name in names_in(warehouse.parent) if name.endswith((".part", ".link"))] == []


def test_a_reader_that_opens_the_name_meanwhile_sees_one_whole_version(build, warehouse):
    tables = ["first", "second"]

    def publish_both(number):
        for table in tables:
            build.execute(f"create or replace table {table} as select {number} as number from range(20_000)")
        publish(build, warehouse, tables, version(number))

    publish_both(0)
    seen, errors, has_read, is_over = [], [], threading.Event(), threading.Event()

    def read():
        query = "select min(number), max(number), count(*) from (from first union all from second)"
        while not is_over.is_set():
            try:
                with opened(warehouse) as reader:
                    seen.extend(rows(reader, query))
            except Exception as error:
                errors.append(error)
            has_read.set()

    reading = threading.Thread(target=read)
    reading.start()
    try:
        for number in range(1, 11):
            # A reader may need a whole publication's time to open the file it found, but not that of two.
            has_read.clear()
            assert has_read.wait(30)
            publish_both(number)
        has_read.clear()
        assert has_read.wait(30)
        has_read.clear()
        assert has_read.wait(30)
    finally:
        is_over.set()
        reading.join()

    assert errors == []
    assert all(low == high and count == 40_000 for low, high, count in seen)
    numbers = [low for low, _, _ in seen]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 10
    assert len(set(numbers)) > 5


def test_the_name_holds_a_whole_version_at_every_step_of_a_publication(build, warehouse):
    publish_number(build, warehouse, 1)
    seen = []

    def look(frame, event, argument):
        if frame.f_code.co_filename != publication.__file__:
            return None
        seen.append(number_of(warehouse))
        return look

    tracing = sys.gettrace()
    sys.settrace(look)
    try:
        publish_number(build, warehouse, 2)
    finally:
        sys.settrace(tracing)
    assert seen == sorted(seen)
    assert len(seen) > 10
    assert set(seen) == {1, 2}


# --- failures ----------------------------------------------------------------------------------------------


def test_a_file_that_no_build_made_is_not_replaced(build, warehouse):
    warehouse.parent.mkdir()
    warehouse.write_text("mine")
    with pytest.raises(PublicationError, match=re.escape(str(warehouse))):
        publish(build, warehouse, TABLES, version(1))
    assert warehouse.read_text() == "mine"
    assert names_in(warehouse.parent) == ["kindred.duckdb"]


def test_a_folder_is_not_replaced(build, warehouse):
    (warehouse / "inside").mkdir(parents=True)
    with pytest.raises(PublicationError, match="KINDRED_WAREHOUSE"):
        publish(build, warehouse, TABLES, version(1))
    assert names_in(warehouse) == ["inside"]
    assert names_in(warehouse.parent) == ["kindred.duckdb"]


@pytest.mark.parametrize(
    "tables",
    [
        pytest.param(["users", "missing"], id="missing-table"),
        pytest.param(["users", "user_courses"], id="view-without-its-tables"),
    ],
)
def test_a_failure_half_way_leaves_the_old_version_and_no_trace(build, warehouse, tables):
    file = publish_number(build, warehouse, 1)
    with pytest.raises((PublicationError, duckdb.Error), match=r"missing|courses"):
        publish(build, warehouse, tables, version(2))
    assert number_of(warehouse) == 1
    assert names_in(warehouse.parent) == [file.name, "kindred.duckdb"]
    assert rows(build, "select current_database()") == [("build",)]
    assert rows(build, "select database_name from duckdb_databases() where not internal") == [("build",)]
    publish_number(build, warehouse, 3)
    assert number_of(warehouse) == 3


def test_a_folder_that_cannot_be_made_is_reported(build, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(PublicationError, match="cannot publish"):
        publish(build, tmp_path / "file" / "kindred.duckdb", TABLES, version(1))
    assert (tmp_path / "file").read_text() == "mine"
    assert rows(build, "select database_name from duckdb_databases() where not internal") == [("build",)]


@pytest.mark.parametrize("name", ["", "a b", "a/b", "../a", "a.b", "-a", "a-", "a--b", "a\n", "a'b", "é"])
def test_a_version_with_other_characters_is_refused(build, warehouse, name):
    with pytest.raises(ValueError, match="letters, digits and hyphens"):
        publish(build, warehouse, TABLES, name)
    assert not warehouse.parent.exists()
