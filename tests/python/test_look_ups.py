"""Look-ups in a published warehouse: the class Warehouse and the commands similar and explain."""

import csv
import io
import json
import re
import subprocess
import sys

import duckdb
import pytest
from click.testing import CliRunner

from kindred.cli import main
from kindred.warehouse import Warehouse, WarehouseError, published_file

# Weights whose products are exact. User 1234567 shares three features with 8 and one with 9, user 4 none with anybody.
# What user 9 is about to take (feature 11) meets what user 8 has taken (12), and nothing else of the two facets does.
FEATURES = """
    (1234567, 1, 1, 'courses', 'python-intro', 0.5),
    (1234567, 2, 2, 'interests', 'python', 0.75),
    (1234567, 3, 3, 'cluster', '0', 0.25),
    (8, 1, 1, 'courses', 'python-intro', 0.5),
    (8, 2, 2, 'interests', 'python', 0.5),
    (8, 3, 3, 'cluster', '0', 0.25),
    (8, 5, 5, 'authors', '77', 0.5),
    (9, 1, 1, 'courses', 'python-intro', 0.25),
    (9, 5, 5, 'authors', '77', 0.25),
    (4, 6, 6, 'levels', 'Beginner', 1.0),
    (9, 11, 12, 'next_courses', 'sql', 0.25),
    (8, 11, 12, 'next_courses', 'sql', 1.0),
    (8, 12, 11, 'taken_courses', 'sql', 0.25)
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    path = tmp_path_factory.mktemp("warehouse") / "kindred.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(
            f"""
            create table users as
            from (values (4, -1), (8, 0), (9, -1), (1234567, 0)) as users(user_handle, cluster_id);
            create table clusters as select 0 as cluster_id, 'python, data' as label;
            create table user_features as
            from (values {FEATURES}) as features(user_handle, feature_id, matching_feature_id, facet, feature, weight);
            create table similar_users as
            from (values (1234567, 1, 8, 0.6875), (1234567, 2, 9, 0.125), (8, 1, 1234567, 0.6875))
                as similar_users(user_handle, rank, similar_user_handle, similarity);
            create table similar_user_reasons as
            from (values
                (1234567, 8, 1, 'interests', 'python', 0.375),
                (1234567, 8, 2, 'courses', 'python-intro', 0.25),
                (1234567, 8, 3, 'cluster', '0', 0.0625),
                (1234567, 9, 1, 'courses', 'python-intro', 0.125),
                (8, 1234567, 1, 'interests', 'python', 0.375))
                as reasons(user_handle, similar_user_handle, reason_rank, facet, feature, contribution);
            alter table user_features alter weight type double;
            alter table similar_users alter similarity type double;
            alter table similar_user_reasons alter contribution type double;
            """
        )
    return path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Run where there is no warehouse, so that none but the one that a test names is read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KINDRED_WAREHOUSE", raising=False)


def run(*arguments, environment=None):
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=environment)


def table_of(text):
    """Return the cells of a printed table, its header first."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    (rule,) = (number for number, line in enumerate(lines) if set("".join(line)) == {"-"} and len(line) > 1)
    return [lines[rule - 1], *lines[rule + 1 :]]


def assert_refused(result, *parts):
    """Assert one sentence that holds the parts, exit status 2, and nothing for a program to read."""
    assert result.exit_code == 2
    assert result.stdout == ""
    assert re.fullmatch(r"Error: [^\n]+\n", result.stderr)
    for part in parts:
        assert str(part) in result.stderr


EXPECTED_SIMILAR = [
    {
        "rank": 1, "similar_user_handle": 8, "similarity": 0.6875, "cluster": "python, data",
        "facet": "interests", "feature": "python", "contribution": 0.375,
    },
    {
        "rank": 2, "similar_user_handle": 9, "similarity": 0.125, "cluster": None,
        "facet": "courses", "feature": "python-intro", "contribution": 0.125,
    },
]  # fmt: skip
EXPECTED_REASONS = [
    {"facet": "interests", "feature": "python", "contribution": 0.375},
    {"facet": "courses", "feature": "python-intro", "contribution": 0.25},
    {"facet": "cluster", "feature": "0", "contribution": 0.0625},
]


def as_text(row):
    return {name: "" if value is None else str(value) for name, value in row.items()}


# --- similar -----------------------------------------------------------------------------------------------


def test_similar_prints_a_table_closest_first(warehouse):
    result = run("similar", 1234567, "--warehouse", warehouse)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "1234567" in result.stdout.splitlines()[0]
    assert table_of(result.stdout) == [
        ["rank", "user", "similarity", "main reason", "cluster"],
        ["1", "8", "0.688", "interests: python", "python, data"],
        ["2", "9", "0.125", "courses: python-intro", "-"],
    ]


def test_similar_prints_json(warehouse):
    result = run("similar", 1234567, "--format", "json", "--warehouse", warehouse)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == EXPECTED_SIMILAR


def test_similar_prints_csv(warehouse):
    result = run("similar", 1234567, "--format", "csv", "--warehouse", warehouse)
    assert result.exit_code == 0
    assert list(csv.DictReader(io.StringIO(result.stdout))) == [as_text(row) for row in EXPECTED_SIMILAR]
    assert b"\r" not in result.stdout_bytes


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (2, 2), (50, 2)])
def test_limit_bounds_the_users(warehouse, limit, count):
    result = run("similar", 1234567, "--limit", limit, "--format", "json", "--warehouse", warehouse)
    assert json.loads(result.stdout) == EXPECTED_SIMILAR[:count]


def test_similar_without_a_user_takes_the_first_who_has_any(warehouse):
    # User 4 comes before but has nobody.
    result = run("similar", "--warehouse", warehouse)
    assert result.exit_code == 0
    assert "user 8" in result.stdout
    assert table_of(result.stdout)[1:] == [["1", "1234567", "0.688", "interests: python", "python, data"]]


def test_a_user_without_neighbours_is_no_error(warehouse):
    result = run("similar", 4, "--warehouse", warehouse)
    assert result.exit_code == 0
    assert re.fullmatch(r"User 4 [^\n]+\.\n", result.stdout)
    assert json.loads(run("similar", 4, "--format", "json", "--warehouse", warehouse).stdout) == []
    as_csv = run("similar", 4, "--format", "csv", "--warehouse", warehouse)
    assert as_csv.exit_code == 0
    assert list(csv.DictReader(io.StringIO(as_csv.stdout))) == []


# --- explain -----------------------------------------------------------------------------------------------


def test_explain_prints_what_each_feature_adds_and_the_sum(warehouse):
    result = run("explain", 1234567, 8, "--warehouse", warehouse)
    assert result.exit_code == 0
    first = result.stdout.splitlines()[0]
    assert "1234567 and 8" in first
    assert "0.688" in first
    assert table_of(result.stdout) == [
        ["facet", "feature", "adds"],
        ["interests", "python", "0.3750"],
        ["courses", "python-intro", "0.2500"],
        ["cluster", "0", "0.0625"],
    ]


def test_explain_prints_json_and_csv(warehouse):
    as_json = run("explain", 1234567, 8, "--format", "json", "--warehouse", warehouse)
    assert json.loads(as_json.stdout) == EXPECTED_REASONS
    as_csv = run("explain", 1234567, 8, "--format", "csv", "--warehouse", warehouse)
    assert list(csv.DictReader(io.StringIO(as_csv.stdout))) == [as_text(row) for row in EXPECTED_REASONS]


def test_explain_is_the_same_in_both_directions_but_for_who_is_about_to_take_what(warehouse):
    one, other = (
        json.loads(run("explain", *pair, "--format", "json", "--warehouse", warehouse).stdout)
        for pair in ((8, 9), (9, 8))
    )
    assert other[-1] == {"facet": "next_courses", "feature": "sql", "contribution": 0.0625}
    assert one == [*other[:-1], {**other[-1], "facet": "taken_courses"}]


def test_explain_compares_users_who_are_not_listed_with_ties_in_the_order_of_features(warehouse):
    result = run("explain", 8, 9, "--format", "json", "--warehouse", warehouse)
    assert json.loads(result.stdout) == [
        {"facet": "courses", "feature": "python-intro", "contribution": 0.125},
        {"facet": "authors", "feature": "77", "contribution": 0.125},
        {"facet": "taken_courses", "feature": "sql", "contribution": 0.0625},
    ]


def test_users_with_nothing_in_common_have_a_similarity_of_0(warehouse):
    result = run("explain", 4, 8, "--warehouse", warehouse)
    assert result.exit_code == 0
    assert re.fullmatch(r"[^\n]*4 and 8[^\n]* 0\.000\.\n", result.stdout)
    assert json.loads(run("explain", 4, 8, "--format", "json", "--warehouse", warehouse).stdout) == []


# --- both --------------------------------------------------------------------------------------------------


def test_handles_have_no_thousands_separators(warehouse):
    for arguments in (["similar", 1234567], ["similar", 8], ["explain", 1234567, 8], ["explain", 4, 1234567]):
        for output_format in ("table", "json", "csv"):
            output = run(*arguments, "--format", output_format, "--warehouse", warehouse).output
            assert not re.search(r"1.234.567", output)
    assert "1234567" in run("similar", 8, "--warehouse", warehouse).output


@pytest.mark.parametrize(
    "arguments", [["similar", 7654321], ["explain", 7654321, 8], ["explain", 8, 7654321], ["similar", 10**25]]
)
def test_an_unknown_user_is_refused_in_one_sentence(warehouse, arguments):
    assert_refused(run(*arguments, "--warehouse", warehouse), max(arguments[1:]))


@pytest.mark.parametrize(
    "arguments",
    [
        ["similar", "0"],
        ["similar", "-5"],
        ["similar", "me"],
        ["similar", "8", "--limit", "0"],
        ["similar", "8", "--format", "xml"],
        ["explain", "8"],
        ["explain", "8", "me"],
    ],
)
def test_wrong_arguments_end_with_status_2(warehouse, arguments):
    assert run(*arguments, "--warehouse", warehouse).exit_code == 2


# --- where the warehouse is --------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["similar"], ["similar", 8], ["explain", 8, 9]])
def test_a_missing_warehouse_is_an_error_that_says_what_to_do(arguments):
    assert_refused(run(*arguments), "warehouse/kindred.duckdb", "make build", "KINDRED_WAREHOUSE")
    assert_refused(run(*arguments, "--warehouse", "other.duckdb"), "other.duckdb", "make build", "KINDRED_WAREHOUSE")


def test_a_link_whose_file_is_gone_is_a_missing_warehouse(tmp_path):
    (tmp_path / "kindred.duckdb").symlink_to("gone.duckdb")
    assert_refused(run("similar", "--warehouse", "kindred.duckdb"), "make build")


@pytest.mark.parametrize("content", [b"user_handle,similarity\n1,0.5\n" * 1_000, b"\0" * 20_000])
def test_a_file_that_is_no_database_is_refused(tmp_path, content):
    (tmp_path / "notes.duckdb").write_bytes(content)
    assert_refused(run("similar", 8, "--warehouse", "notes.duckdb"), "notes.duckdb")


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "folder.duckdb").mkdir()
    assert_refused(run("similar", 8, "--warehouse", "folder.duckdb"), "folder.duckdb")


def test_a_database_of_something_else_is_refused(tmp_path):
    with duckdb.connect(tmp_path / "other.duckdb") as connection:
        connection.execute("create table something as select 1 as a")
    for arguments in (["similar"], ["similar", 8], ["explain", 8, 9]):
        result = run(*arguments, "--warehouse", "other.duckdb")
        assert result.exit_code == 2
        assert result.stderr.startswith("Error: The warehouse cannot answer")


def test_a_warehouse_in_which_nobody_is_similar_has_no_first_user(tmp_path):
    with duckdb.connect(tmp_path / "empty.duckdb") as connection:
        connection.execute("create table similar_users (user_handle bigint)")
    assert_refused(run("similar", "--warehouse", "empty.duckdb"))


def test_the_environment_names_the_warehouse_and_the_option_goes_first(warehouse):
    arguments = ("similar", 8, "--format", "json")
    named = run(*arguments, environment={"KINDRED_WAREHOUSE": str(warehouse)})
    assert named.exit_code == 0
    assert json.loads(named.stdout)[0]["similar_user_handle"] == 1234567
    assert_refused(run(*arguments, environment={"KINDRED_WAREHOUSE": "elsewhere.duckdb"}), "elsewhere.duckdb")
    both = run(*arguments, "--warehouse", warehouse, environment={"KINDRED_WAREHOUSE": "elsewhere.duckdb"})
    assert both.stdout == named.stdout


def test_by_default_the_warehouse_is_below_the_working_directory(warehouse, tmp_path):
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "kindred.duckdb").symlink_to(warehouse)
    assert run("similar", 8).exit_code == 0


def test_the_class_finds_the_warehouse_as_the_commands_do(warehouse, monkeypatch):
    with pytest.raises(WarehouseError, match="make build"):
        Warehouse()
    with Warehouse(warehouse) as opened:
        assert opened.similar(1234567, limit=10) == EXPECTED_SIMILAR
        assert opened.explain(1234567, 8) == EXPECTED_REASONS
        assert opened.first_user() == 8
        with pytest.raises(WarehouseError, match="no user 5 "):
            opened.similar(5, limit=1)
    monkeypatch.setenv("KINDRED_WAREHOUSE", str(warehouse))
    with Warehouse() as opened:
        assert opened.first_user() == 8


def test_the_published_file_is_the_real_one(warehouse, tmp_path, monkeypatch):
    (tmp_path / "kindred.duckdb").symlink_to(warehouse)
    assert published_file("kindred.duckdb") == warehouse.resolve()
    monkeypatch.setenv("KINDRED_WAREHOUSE", "kindred.duckdb")
    assert published_file() == warehouse.resolve()
    with pytest.raises(WarehouseError, match=r"no warehouse at other\.duckdb"):
        published_file("other.duckdb")


def test_others_may_read_a_warehouse_at_the_same_time(warehouse):
    # DuckDB lets one process open a file to write or any number to read.
    count = f"import duckdb; print(duckdb.connect({str(warehouse)!r}, read_only=True).table('users').shape[0])"
    with Warehouse(warehouse) as opened:
        assert opened.first_user() == 8
        assert subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True).stdout == "4\n"


def test_a_warehouse_is_only_read(warehouse):
    before = warehouse.read_bytes()
    run("similar", 1234567, "--warehouse", warehouse)
    run("explain", 8, 9, "--warehouse", warehouse)
    assert warehouse.read_bytes() == before
    assert [path.name for path in warehouse.parent.iterdir()] == [warehouse.name]


# --- help --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(main.commands))
def test_the_help_of_every_command_shows_an_example(name):
    result = run(name, "--help")
    assert result.exit_code == 0
    assert re.search(rf"Example: kindred {name}\b", result.output)


def test_the_help_lists_every_command_with_what_it_does():
    output = run("--help").output
    assert {"sample", "similar", "explain"} <= set(main.commands)
    for name in main.commands:
        assert re.search(rf"^  {name} +\w", output, re.MULTILINE)
