"""What a published version says about the tests of the build that made it."""

import json

import duckdb
from project import Project, rows_of, succeeded


def statuses(connection):
    return dict(rows_of(connection, "select test_name, status from test_results"))


def test_every_test_of_the_build_is_listed_as_passed_and_in_words(warehouse):
    manifest = json.loads((warehouse.parents[1] / "target" / "manifest.json").read_text())
    expected = {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and node.get("attached_node") != "model.kindred.test_results"
    }
    with duckdb.connect(warehouse, read_only=True) as connection:
        assert statuses(connection) == dict.fromkeys(expected, "pass")
        for name, table, column, description in rows_of(
            connection, "select test_name, table_name, column_name, description from test_results"
        ):
            node = expected[name]
            assert f"model.kindred.{table}" == (node.get("attached_node") or "model.kindred.None")
            assert column == node.get("column_name")
            assert "{" not in description, name
        described = dict(rows_of(connection, "select test_name, description from test_results"))
        starts_and_ends = rows_of(
            connection,
            "select min(tested_at) >= any_value(started_at), max(tested_at) < any_value(started_at) + interval 1 hour "
            "from test_results cross join build_info",
        )
    assert described["grain_and_range_similar_users"].startswith(
        "One row per user_handle, rank; rank between 1 and 20; user_handle != similar_user_handle"
    )
    assert described["parts_sum_to_similarity"] == (
        "The parts of the facets sum to the similarity, and each lies within 0 and 1."
    )
    assert described["relationships_user_courses_course_id__course_id__ref_courses_"] == (
        "Every course_id is a course_id of courses"
    )
    assert described["unique_user_courses_user_course_key"] == "No two rows have the same user_course_key"
    assert starts_and_ends == [(True, True)]


def test_what_was_not_tested_says_so_and_a_warning_counts_its_rows(tmp_path, warehouse):
    project = Project(tmp_path)
    project.take_build_of(warehouse)
    succeeded(project.dbt("run", "--select", "test_results", "publication"))
    with project.open_published() as connection:
        assert set(statuses(connection).values()) == {"not run"}
        assert rows_of(connection, "select count(failures), count(tested_at) from test_results") == [(0, 0)]

    broken = "select facet from {{ ref('facets') }} where facet_number <= 3"
    (tmp_path / "tests" / "three_rows.sql").write_text(f"{{{{ config(severity='warn') }}}}\n{broken}")
    outcome = project.dbt("build", "--select", "facets", "test_results", "publication")
    assert outcome.exit_status == 0, outcome.output
    with project.open_published() as connection:
        found = statuses(connection)
        assert found["three_rows"] == "warn"
        assert found["grain_and_range_facets"] == "pass"
        assert found["grain_and_range_users"] == "not run"
        assert rows_of(connection, "select failures from test_results where test_name = 'three_rows'") == [(3,)]

    (tmp_path / "tests" / "three_rows.sql").write_text(broken)
    before = project.published
    assert project.dbt("build", "--select", "facets", "test_results", "publication").exit_status == 1
    assert project.published == before
    with project.open_build() as connection:
        assert ("three_rows", "fail", 3) in rows_of(
            connection, "select test_name, status, failures from main_tests.log"
        )
