"""Large tables, read and written in parts."""

import duckdb
import numpy as np
import pytest

from kindred.build import tables
from kindred.build.tables import ListColumn, in_parts, read_parts

LENGTHS = np.array([2, 0, 3, 1, 0])
VALUES = np.array([7, 5, 5, 9, 1, 4])


def test_lists_know_the_row_and_the_place_of_every_value():
    lists = ListColumn(LENGTHS, VALUES)
    assert lists.owners.tolist() == [0, 0, 2, 2, 2, 3]
    assert lists.places.tolist() == [0, 1, 0, 1, 2, 0]


@pytest.mark.parametrize("rows", [1, 2, 5, 100])
def test_a_table_is_written_and_read_in_parts(rows):
    parts = [
        {"user_handle": np.arange(5), "near": ListColumn(LENGTHS, VALUES), "score": np.arange(5) / 4},
        {"user_handle": np.arange(0), "near": ListColumn(np.arange(0), np.arange(0)), "score": np.zeros(0)},
        {"user_handle": np.arange(5, 7), "near": ListColumn(np.array([0, 1]), np.array([8])), "score": np.ones(2)},
    ]
    connection = duckdb.connect()
    reader = in_parts(iter(parts))  # noqa: F841  DuckDB finds it by its name
    connection.execute("create table written as from reader")
    table = connection.table("written")
    assert [str(kind) for kind in table.types] == ["BIGINT", "BIGINT[]", "DOUBLE"]
    assert table.fetchall() == [
        (0, [7, 5], 0), (1, [], 0.25), (2, [5, 9, 1], 0.5), (3, [4], 0.75), (4, [], 1), (5, [], 1), (6, [8], 1)
    ]  # fmt: skip

    read = list(read_parts(table, rows))
    assert all(1 <= len(part["user_handle"]) <= rows for part in read)
    assert np.concatenate([part["user_handle"] for part in read]).tolist() == list(range(7))
    assert np.concatenate([part["score"] for part in read]).tolist() == [0, 0.25, 0.5, 0.75, 1, 1, 1]
    assert np.concatenate([part["near"].lengths for part in read]).tolist() == [2, 0, 3, 1, 0, 0, 1]
    assert np.concatenate([part["near"].values for part in read]).tolist() == [7, 5, 5, 9, 1, 4, 8]


def test_parts_are_made_when_they_are_needed():
    made = []

    def parts():
        for number in range(3):
            made.append(number)
            yield {"number": np.array([number])}

    reader = in_parts(parts())
    assert made == [0]
    assert reader.read_next_batch().to_pydict() == {"number": [0]}
    assert made == [0]
    assert reader.read_all().to_pydict() == {"number": [1, 2]}


def memory_of(connection):
    return connection.sql("select sum(memory_usage_bytes) / 1e9 from duckdb_memory()").fetchall()[0][0]


def test_memory_is_freed_and_the_limit_restored(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "KEPT_GB", 0.03)
    connection = duckdb.connect(tmp_path / "kindred.duckdb")
    connection.execute("set memory_limit = '2GB'")
    limit = connection.sql("select current_setting('memory_limit')").fetchall()
    connection.execute("create table numbers as select hash(range) as number from range(10_000_000)")
    connection.execute("checkpoint")
    total = connection.sql("select sum(number) from numbers").fetchall()
    assert memory_of(connection) > 0.06
    tables.free_memory(connection, 2)
    assert memory_of(connection) < 0.04
    assert connection.sql("select current_setting('memory_limit')").fetchall() == limit
    assert connection.sql("select sum(number) from numbers").fetchall() == total


def test_little_memory_is_left_alone(tmp_path):
    connection = duckdb.connect(tmp_path / "kindred.duckdb")
    connection.execute("create table numbers as select range as number from range(1000)")
    before = connection.sql("select current_setting('memory_limit')").fetchall()
    tables.free_memory(connection, 7)
    assert connection.sql("select current_setting('memory_limit')").fetchall() == before
