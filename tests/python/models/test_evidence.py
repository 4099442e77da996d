"""Any mix of evidence: every choice of files with rows, in many shapes, builds and gives lists that follow from it."""

import duckdb
import pytest
from evidence_cases import EvidenceCase, all_cases, mixed, subject, write_inputs
from project import Project, rows_of, succeeded

TOP_K = 20
ALWAYS = {"alike-interests", "mixed-course_views-no_tags", "three_users-course_views+interests+assessment_scores"}
"""The cases that every test run builds."""


def built(folder, write):
    project = Project(folder)
    write(folder / "seeds")
    succeeded(project.dbt("build"))
    return project


def holds_numbers(connection):
    """No number of a mart is NaN or infinite, no measure is missing without a reason, and no cluster without a name."""
    columns = rows_of(
        connection,
        "select table_name, column_name from duckdb_columns() where schema_name = 'main' and data_type = 'DOUBLE'",
    )
    assert len(columns) > 30
    for table, column in columns:
        ((others,),) = rows_of(connection, f'select count(*) from {table} where not isfinite("{column}")')
        assert others == 0, (table, column)
    missing = "select measure, variant from neighbour_quality where (value is null) != (missing_reason is not null)"
    assert rows_of(connection, missing) == []
    assert rows_of(connection, "select * from clusters where label is null") == []


def expected_pairs(case: EvidenceCase) -> set[tuple[int, int]]:
    """Return the ordered pairs of users who have an item in common."""
    items = [set(numbers) for numbers in case.items]
    users = range(1, len(items) + 1)
    return {(one, other) for one in users for other in users if one != other and items[one - 1] & items[other - 1]}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[] if case.name in ALWAYS else [pytest.mark.proof])
        for case in all_cases()
    ],
)
def test_any_mix_of_evidence_gives_lists_that_follow_from_it(case, tmp_path):
    project = built(tmp_path, case.write)
    pairs = expected_pairs(case)
    with project.open_published() as connection:
        holds_numbers(connection)
        assert rows_of(connection, "select count(*) from users") == [(len(case.items),)]
        listed = set(rows_of(connection, "select user_handle, similar_user_handle from similar_users"))
        if "user_course_views" not in case.files:
            assert listed <= pairs  # views also make users similar by author, level and predicted next courses
        having_pairs = {one for one, _ in pairs}
        listing = {one for one, _ in listed}
        assert having_pairs <= listing
        if case.shape == "disjoint":
            assert listed == set()
        if case.shape == "alike":
            assert rows_of(connection, "select count(*) from similar_users") == [(TOP_K * len(case.items),)]
        if case.shape == "two_users":
            assert listed == {(1, 2), (2, 1)}


MANY = 5000


def heavy_rows(**more):
    """Return the rows of 60 users, with more rows in some files."""
    items = mixed(60)
    rows = {
        "course_tags": [(f"course-{number}", subject(number)) for number in range(40)],
        "user_course_views": [
            (user, "2017-05-01", f"course-{number}", number % 7, "Beginner", 600)
            for user, numbers in enumerate(items, start=1)
            for number in numbers
        ],
        "user_interests": [
            (user, subject(number), "2017-05-02") for user, numbers in enumerate(items, start=1) for number in numbers
        ],
    }
    return {name: rows.get(name, []) + more.get(name, []) for name in rows | more}


HEAVY = {
    "5,000 interests that begin alike": {
        "user_interests": [(1, f"advanced-topic-{number}", "2017-05-02") for number in range(MANY)]
    },
    "5,000 interests of one word": {
        "user_interests": [
            (1, "x" + "".join("abcdefghij"[int(digit)] for digit in f"{number * 7919 % 10**8:08}"), "2017-05-02")
            for number in range(MANY)
        ]
    },
    "5,000 interests that all follow": {
        "user_interests": [(user, f"topic-{number}", "2017-05-02") for user in range(1, 61) for number in range(MANY)]
    },
    "a course tag of 1.9 MB": {"course_tags": [("course-1", "ab-" * 640_000)]},
    "interests of 1.9 MB": {
        "user_interests": [(user, "a" * (1_900_000 + user % 2), "2017-05-02") for user in range(1, 4)]
    },
}


@pytest.mark.proof
@pytest.mark.parametrize("more", [pytest.param(more, id=name) for name, more in HEAVY.items()])
def test_a_user_with_thousands_of_tags_and_a_tag_of_megabytes_build_in_bounded_memory(more, tmp_path):
    rows = heavy_rows(**more)
    project = built(tmp_path, lambda folder: write_inputs(folder, rows))
    with duckdb.connect(project.published, read_only=True) as connection:
        holds_numbers(connection)
        kept = dict(rows_of(connection, "select file, rows_kept from input_files"))
    assert kept["user_interests"] == len(rows["user_interests"])
    assert kept["course_tags"] == len(rows["course_tags"])
