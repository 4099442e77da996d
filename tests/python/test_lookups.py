"""Lookups in a published warehouse, and the commands similar and explain."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys

import duckdb
import pytest
from click.testing import CliRunner

from kindred import errors, lookups
from kindred.cli import main
from kindred.errors import WarehouseError
from kindred.stores.duckdb import DuckdbStore
from kindred.stores.memory import MemoryReader
from kindred.warehouse.locations import published_file

# Weights whose products are exact. User 1234567 shares three features with 8 and one with 9; user 4 shares none.
# The course predicted next for user 9 (feature 11) matches one that user 8 viewed (12); no other predictions match.
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


FACETS = ("courses", "interests", "cluster", "authors", "levels", "next_courses", "taken_courses")
MATCHES = {"next_courses": "taken_courses", "taken_courses": "next_courses"}

# User, rank, other user, similarity, parts, cosine, the other's cluster, reasons.
SIMILAR = [
    (1234567, 1, 8, 0.6875, {"interests": 0.375, "courses": 0.25, "cluster": 0.0625}, 1.0, 0,
     [("interests", "python", 0.375), ("courses", "python-intro", 0.25), ("cluster", "0", 0.0625)]),
    (1234567, 2, 9, 0.125, {"courses": 0.125}, 0.25, -1, [("courses", "python-intro", 0.125)]),
    (8, 1, 1234567, 0.6875, {"interests": 0.375, "courses": 0.25, "cluster": 0.0625}, 1.0, 0,
     [("interests", "python", 0.375), ("courses", "python-intro", 0.25), ("cluster", "0", 0.0625)]),
    (9, 1, 8, 0.25, {"courses": 0.125, "authors": 0.125}, 0.5, 0, [("courses", "python-intro", 0.125)]),
]  # fmt: skip
# The courses that users viewed: for 1234567, sql is new from user 8, and r from users 8 and 9.
COURSES = [(1234567, "python-intro"), (8, "python-intro"), (8, "sql"), (8, "r"), (9, "r")]


def similar_row(user, rank, other, similarity, parts, cosine, cluster_id, reasons):
    records = [{"facet": facet, "feature": feature, "contribution": part} for facet, feature, part in reasons]
    shares = [parts.get(facet, 0.0) for facet in FACETS]
    return [user, rank, other, similarity, *shares, cosine, cluster_id, records]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    path = tmp_path_factory.mktemp("warehouse") / "kindred.duckdb"
    with duckdb.connect(path) as connection:
        parts = ", ".join(f"{facet}_part double" for facet in FACETS)
        connection.execute(
            f"""
            create table build_info as select 'v1' as version, timestamp '2026-01-02 03:04:05' as started_at;
            create table users as
            from (values (4, -1), (8, 0), (9, -1), (1234567, 0)) as users(user_handle, cluster_id);
            create table clusters as select 0 as cluster_id, 'python, data' as label;
            create table facets (facet_number integer, facet varchar, matching_facet_number integer);
            create table user_features as
            from (values {FEATURES}) as features(user_handle, feature_id, matching_feature_id, facet, feature, weight);
            alter table user_features alter weight type double;
            create table similar_users (
                user_handle bigint, rank bigint, similar_user_handle bigint, similarity double, {parts},
                cosine_similarity double, similar_cluster_id bigint,
                top_reasons struct(facet varchar, feature varchar, contribution double)[]
            );
            create table user_courses (user_handle bigint, course_id varchar);
            """
        )
        numbers = {facet: number for number, facet in enumerate(FACETS, start=1)}
        connection.executemany(
            "insert into facets values (?, ?, ?)",
            [(number, facet, numbers[MATCHES.get(facet, facet)]) for facet, number in numbers.items()],
        )
        rows = [similar_row(*row) for row in SIMILAR]
        connection.executemany(f"insert into similar_users values ({', '.join('?' * len(rows[0]))})", rows)
        connection.executemany("insert into user_courses values (?, ?)", COURSES)
    return path


def url(path):
    return f"duckdb:///{path}"


@pytest.fixture(params=["file", "memory"])
def reader(request, warehouse):
    if request.param == "memory":
        yield MemoryReader(warehouse)
    else:
        with DuckdbStore(warehouse).read() as opened:
            yield opened


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Run in a folder without a warehouse, so that only the one that a test names is read."""
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
    """Assert one sentence with the parts on stderr, exit status 2, and no other output."""
    assert result.exit_code == 2
    assert result.stdout == ""
    assert re.fullmatch(r"Error: [^\n]+\n", result.stderr)
    for part in parts:
        assert str(part) in result.stderr


def facets_of(**parts):
    return {facet: parts.get(facet, 0.0) for facet in FACETS}


INTERESTS = {"facet": "interests", "feature": "python", "contribution": 0.375}
COURSE = {"facet": "courses", "feature": "python-intro", "contribution": 0.25}
CLUSTER = {"facet": "cluster", "feature": "0", "contribution": 0.0625}
EXPECTED_SIMILAR = [
    {
        "rank": 1, "similar_user_handle": 8, "similarity": 0.6875,
        "facets": facets_of(interests=0.375, courses=0.25, cluster=0.0625),
        "cosine_similarity": 1.0, "cluster_id": 0, "cluster": "python, data", "is_same_profile": True,
        "reasons": [INTERESTS, COURSE, CLUSTER],
    },
    {
        "rank": 2, "similar_user_handle": 9, "similarity": 0.125, "facets": facets_of(courses=0.125),
        "cosine_similarity": 0.25, "cluster_id": -1, "cluster": None, "is_same_profile": False,
        "reasons": [{**COURSE, "contribution": 0.125}],
    },
]  # fmt: skip
EXPECTED_ROWS = [
    {"rank": 1, "similar_user_handle": 8, "similarity": 0.6875, "cluster": "python, data", **INTERESTS},
    {"rank": 2, "similar_user_handle": 9, "similarity": 0.125, "cluster": None, **COURSE, "contribution": 0.125},
]
EXPECTED_PAIR = {
    "user_handle": 1234567, "similar_user_handle": 8, "similarity": 0.6875, "rank": 1,
    "facets": facets_of(interests=0.375, courses=0.25, cluster=0.0625),
    "reasons": [INTERESTS, COURSE, CLUSTER],
}  # fmt: skip


def as_text(row):
    return {name: "" if value is None else str(value) for name, value in row.items()}


# --- lookups -----------------------------------------------------------------------------------------------


def handles(entries):
    return [entry["similar_user_handle"] for entry in entries]


def test_similar_users_come_with_parts_and_reasons(reader):
    assert lookups.similar_users(reader, 1234567) == EXPECTED_SIMILAR


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [8, 9]),
        ({"limit": 1}, [8]),
        ({"min_similarity": 0.125}, [8, 9]),
        ({"min_similarity": 0.13}, [8]),
        ({"cluster": "same"}, [8]),
        ({"cluster": "other"}, [9]),
        ({"exclude_same_profile": True}, [9]),
        ({"cluster": "other", "limit": 1}, [9]),
        ({"cluster": "same", "exclude_same_profile": True}, []),
    ],
)
def test_filters_leave_users_out_before_the_limit_counts(reader, filters, expected):
    found = lookups.similar_users(reader, 1234567, **filters)
    assert handles(found) == expected
    assert [entry["rank"] for entry in found] == [{8: 1, 9: 2}[handle] for handle in expected]


@pytest.mark.parametrize(("cluster", "expected"), [("same", []), ("other", [8]), ("any", [8])])
def test_a_user_in_no_cluster_shares_it_with_nobody(reader, cluster, expected):
    assert handles(lookups.similar_users(reader, 9, cluster=cluster)) == expected


def test_a_profile_has_the_row_of_the_user_and_features_by_facet(reader):
    assert lookups.profile(reader, 8) == {
        "user_handle": 8,
        "cluster_id": 0,
        "cluster": "python, data",
        "profile": {
            "courses": [{"feature": "python-intro", "weight": 0.5}],
            "interests": [{"feature": "python", "weight": 0.5}],
            "cluster": [{"feature": "0", "weight": 0.25}],
            "authors": [{"feature": "77", "weight": 0.5}],
            "levels": [],
            "next_courses": [{"feature": "sql", "weight": 1.0}],
            "taken_courses": [{"feature": "sql", "weight": 0.25}],
        },
    }


def test_pages_of_users_go_on_after_a_handle_and_may_be_of_one_cluster(reader):
    def page(*arguments):
        return [(user["user_handle"], user["cluster"]) for user in lookups.users_page(reader, *arguments)]

    assert page(0, 2) == [(4, None), (8, "python, data")]
    assert page(8, 2) == [(9, None), (1234567, "python, data")]
    assert page(1234567, 2) == []
    assert page(0, 9, 0) == [(8, "python, data"), (1234567, "python, data")]
    assert page(4, 9, -1) == [(9, None)]
    assert page(0, 9, 5) == []


def test_courses_to_take_are_those_of_similar_users_by_summed_similarity(reader):
    # r was viewed by 8 (.6875) and 9 (.125), sql only by 8; the user has already viewed python-intro.
    courses = [
        {"course_id": "r", "users": 2, "summed_similarity": 0.8125, "similar_user_handles": [8, 9]},
        {"course_id": "sql", "users": 1, "summed_similarity": 0.6875, "similar_user_handles": [8]},
    ]
    assert lookups.courses_to_take(reader, 1234567) == courses
    assert lookups.courses_to_take(reader, 1234567, limit=1) == courses[:1]
    assert lookups.courses_to_take(reader, 4) == []


def test_every_lookup_refuses_an_unknown_user(reader):
    for lookup in (lookups.similar_users, lookups.profile, lookups.courses_to_take):
        with pytest.raises(errors.UnknownUserError, match=r"no user 5 in"):
            lookup(reader, 5)
    for pair in ((5, 8), (8, 5)):
        with pytest.raises(errors.UnknownUserError, match=r"no user 5 in"):
            lookups.explain(reader, *pair)


# --- similar -----------------------------------------------------------------------------------------------


def test_similar_prints_a_table_most_similar_first(warehouse):
    result = run("similar", 1234567, "--store", url(warehouse))
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "1234567" in result.stdout.splitlines()[0]
    assert table_of(result.stdout) == [
        ["rank", "user", "similarity", "main reason", "cluster"],
        ["1", "8", "0.688", "interests: python", "python, data"],
        ["2", "9", "0.125", "courses: python-intro", "-"],
    ]


def test_similar_prints_json(warehouse):
    result = run("similar", 1234567, "--format", "json", "--store", url(warehouse))
    assert result.exit_code == 0
    assert json.loads(result.stdout) == EXPECTED_SIMILAR


def test_similar_prints_csv(warehouse):
    result = run("similar", 1234567, "--format", "csv", "--store", url(warehouse))
    assert result.exit_code == 0
    assert list(csv.DictReader(io.StringIO(result.stdout))) == [as_text(row) for row in EXPECTED_ROWS]
    assert b"\r" not in result.stdout_bytes


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (2, 2), (50, 2)])
def test_limit_bounds_the_users(warehouse, limit, count):
    result = run("similar", 1234567, "--limit", limit, "--format", "json", "--store", url(warehouse))
    assert json.loads(result.stdout) == EXPECTED_SIMILAR[:count]


def test_similar_without_a_user_shows_the_first_with_similar_users(warehouse):
    # User 4 comes first but has no similar users.
    result = run("similar", "--store", url(warehouse))
    assert result.exit_code == 0
    assert "user 8" in result.stdout
    assert table_of(result.stdout)[1:] == [["1", "1234567", "0.688", "interests: python", "python, data"]]


def test_a_user_without_neighbours_is_no_error(warehouse):
    result = run("similar", 4, "--store", url(warehouse))
    assert result.exit_code == 0
    assert re.fullmatch(r"User 4 [^\n]+\.\n", result.stdout)
    assert json.loads(run("similar", 4, "--format", "json", "--store", url(warehouse)).stdout) == []
    as_csv = run("similar", 4, "--format", "csv", "--store", url(warehouse))
    assert as_csv.exit_code == 0
    assert list(csv.DictReader(io.StringIO(as_csv.stdout))) == []


# --- explain -----------------------------------------------------------------------------------------------


def test_explain_prints_what_each_feature_adds_and_the_sum(warehouse):
    result = run("explain", 1234567, 8, "--store", url(warehouse))
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
    as_json = run("explain", 1234567, 8, "--format", "json", "--store", url(warehouse))
    assert json.loads(as_json.stdout) == EXPECTED_PAIR
    as_csv = run("explain", 1234567, 8, "--format", "csv", "--store", url(warehouse))
    assert list(csv.DictReader(io.StringIO(as_csv.stdout))) == [as_text(row) for row in EXPECTED_PAIR["reasons"]]


def test_explain_is_the_same_in_both_directions_except_for_predicted_courses(warehouse):
    one, other = (
        json.loads(run("explain", *pair, "--format", "json", "--store", url(warehouse)).stdout)["reasons"]
        for pair in ((8, 9), (9, 8))
    )
    assert other[-1] == {"facet": "next_courses", "feature": "sql", "contribution": 0.0625}
    assert one == [*other[:-1], {**other[-1], "facet": "taken_courses"}]


def test_explain_compares_users_who_are_not_listed_with_ties_in_the_order_of_features(warehouse):
    result = run("explain", 8, 9, "--format", "json", "--store", url(warehouse))
    pair = json.loads(result.stdout)
    assert (pair["rank"], pair["similarity"]) == (None, 0.3125)
    assert pair["reasons"] == [
        {"facet": "courses", "feature": "python-intro", "contribution": 0.125},
        {"facet": "authors", "feature": "77", "contribution": 0.125},
        {"facet": "taken_courses", "feature": "sql", "contribution": 0.0625},
    ]


def test_users_with_nothing_in_common_have_a_similarity_of_0(warehouse):
    result = run("explain", 4, 8, "--store", url(warehouse))
    assert result.exit_code == 0
    assert re.fullmatch(r"[^\n]*4 and 8[^\n]* 0\.000\.\n", result.stdout)
    pair = json.loads(run("explain", 4, 8, "--format", "json", "--store", url(warehouse)).stdout)
    assert (pair["similarity"], pair["reasons"]) == (0, [])


# --- both --------------------------------------------------------------------------------------------------


def test_handles_have_no_thousands_separators(warehouse):
    for arguments in (["similar", 1234567], ["similar", 8], ["explain", 1234567, 8], ["explain", 4, 1234567]):
        for output_format in ("table", "json", "csv"):
            output = run(*arguments, "--format", output_format, "--store", url(warehouse)).output
            assert not re.search(r"1.234.567", output)
    assert "1234567" in run("similar", 8, "--store", url(warehouse)).output


@pytest.mark.parametrize(
    "arguments", [["similar", 7654321], ["explain", 7654321, 8], ["explain", 8, 7654321], ["similar", 10**25]]
)
def test_an_unknown_user_is_refused_in_one_sentence(warehouse, arguments):
    assert_refused(run(*arguments, "--store", url(warehouse)), max(arguments[1:]))


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
    assert run(*arguments, "--store", url(warehouse)).exit_code == 2


# --- where the warehouse is --------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["similar"], ["similar", 8], ["explain", 8, 9]])
def test_a_missing_warehouse_is_an_error_that_says_what_to_do(arguments):
    assert_refused(run(*arguments), "warehouse/kindred.duckdb", "make build", "KINDRED_WAREHOUSE")
    assert_refused(
        run(*arguments, "--store", "duckdb:///other.duckdb"), "other.duckdb", "make build", "KINDRED_WAREHOUSE"
    )


def test_a_link_whose_file_is_gone_is_a_missing_warehouse(tmp_path):
    (tmp_path / "kindred.duckdb").symlink_to("gone.duckdb")
    assert_refused(run("similar", "--store", "duckdb:///kindred.duckdb"), "make build")


@pytest.mark.parametrize("content", [b"user_handle,similarity\n1,0.5\n" * 1_000, b"\0" * 20_000])
def test_a_file_that_is_not_a_database_is_refused(tmp_path, content):
    (tmp_path / "notes.duckdb").write_bytes(content)
    assert_refused(run("similar", 8, "--store", "duckdb:///notes.duckdb"), "notes.duckdb")


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "folder.duckdb").mkdir()
    assert_refused(run("similar", 8, "--store", "duckdb:///folder.duckdb"), "folder.duckdb")


def test_a_foreign_database_is_refused(tmp_path):
    with duckdb.connect(tmp_path / "other.duckdb") as connection:
        connection.execute("create table something as select 1 as a")
    for arguments in (["similar"], ["similar", 8], ["explain", 8, 9]):
        result = run(*arguments, "--store", "duckdb:///other.duckdb")
        assert result.exit_code == 2
        assert result.stderr.startswith("Error: The query of the warehouse failed")


def test_a_warehouse_in_which_nobody_is_similar_is_no_error(warehouse, tmp_path):
    shutil.copy(warehouse, tmp_path / "empty.duckdb")
    with duckdb.connect(tmp_path / "empty.duckdb") as connection:
        connection.execute("delete from similar_users")
    sentence = "No user has similar users: there are fewer than two, or none has anything in common with another.\n"
    for output_format, printed in (("table", sentence), ("json", "[]\n"), ("csv", "")):
        result = run("similar", "--store", "duckdb:///empty.duckdb", "--format", output_format)
        assert (result.exit_code, result.output) == (0, printed)


def test_the_environment_names_the_warehouse_and_the_option_overrides_it(warehouse):
    arguments = ("similar", 8, "--format", "json")
    named = run(*arguments, environment={"KINDRED_WAREHOUSE": str(warehouse)})
    assert named.exit_code == 0
    assert json.loads(named.stdout)[0]["similar_user_handle"] == 1234567
    assert_refused(run(*arguments, environment={"KINDRED_WAREHOUSE": "elsewhere.duckdb"}), "elsewhere.duckdb")
    both = run(*arguments, "--store", url(warehouse), environment={"KINDRED_WAREHOUSE": "elsewhere.duckdb"})
    assert both.stdout == named.stdout


def test_by_default_the_warehouse_is_below_the_working_directory(warehouse, tmp_path):
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "kindred.duckdb").symlink_to(warehouse)
    assert run("similar", 8).exit_code == 0


def test_the_published_file_is_the_real_one(warehouse, tmp_path, monkeypatch):
    (tmp_path / "kindred.duckdb").symlink_to(warehouse)
    assert published_file("kindred.duckdb") == warehouse.resolve()
    monkeypatch.setenv("KINDRED_WAREHOUSE", "kindred.duckdb")
    assert published_file() == warehouse.resolve()
    with pytest.raises(WarehouseError, match=r"no warehouse at other\.duckdb"):
        published_file("other.duckdb")


def test_others_may_read_a_warehouse_at_the_same_time(warehouse):
    # DuckDB lets one process open a file to write, or any number of processes to read.
    count = f"import duckdb; print(duckdb.connect({str(warehouse)!r}, read_only=True).table('users').shape[0])"
    with DuckdbStore(warehouse).read() as opened:
        assert opened.first_user() == 8
        assert subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True).stdout == "4\n"


def test_a_warehouse_is_only_read(warehouse):
    before = warehouse.read_bytes()
    run("similar", 1234567, "--store", url(warehouse))
    run("explain", 8, 9, "--store", url(warehouse))
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
