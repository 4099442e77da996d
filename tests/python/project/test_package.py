"""The example of a project that has Kindred as a package, built as its README says, without a network."""

import json
import shutil

import duckdb
import pytest
import yaml
from project import (
    ROOT,
    Outcome,
    Project,
    assert_closest_users_are_exact,
    clean_environment,
    rows_of,
    run_dbt,
    succeeded,
)

EXAMPLE = ROOT / "examples" / "package"
MAX_SECONDS = 300
OWN_TABLE = """
{% materialization table, adapter='duckdb' %}
  {% do run_query("create or replace table stamped_" ~ this.name ~ " (x int)") %}
  {{ return(dbt.materialization_table_duckdb()) }}
{% endmaterialization %}
"""
OWN_SCHEMAS = """
{% macro generate_schema_name(custom_schema_name, node) %}
  {{ return('our_' ~ (custom_schema_name or 'own')) }}
{% endmacro %}
"""


def dbt(folder, *arguments):
    closed = "http://127.0.0.1:9"  # nothing listens there
    environment = clean_environment() | {"HTTP_PROXY": closed, "HTTPS_PROXY": closed}
    return Outcome(*run_dbt(["--no-use-colors", *arguments], folder, environment, MAX_SECONDS))


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """Copy the example into a copy of Kindred, as it lies in the repository, with a materialisation of its own."""
    kindred = Project(tmp_path_factory.mktemp("package"))
    kindred.write_sample(10)  # nothing of it may be read
    folder = kindred.folder / "examples" / "package"
    made = shutil.ignore_patterns("target", "logs", "warehouse", "dbt_packages", "package-lock.yml")
    shutil.copytree(EXAMPLE, folder, ignore=made)
    (folder / "macros").mkdir()
    (folder / "macros" / "table.sql").write_text(OWN_TABLE)
    installed = dbt(folder, "deps")
    assert installed.exit_status == 0, installed.output
    return folder


@pytest.fixture(scope="module")
def built(example):
    """Return the database of the example after a build."""
    outcome = succeeded(dbt(example, "build"))
    assert "WARN=0" in outcome.output
    assert "WARNING" not in outcome.output, outcome.output
    with duckdb.connect(example / "target" / "academy.duckdb", read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def nodes(example, built):
    return json.loads((example / "target" / "manifest.json").read_text(encoding="utf-8"))["nodes"]


def test_a_model_of_the_project_selects_from_similar_users(built):
    assert rows_of(built, "select count(*) > 90, count(distinct member) > 30, max(rank) from study_partners") == [
        (True, True, 3)
    ]
    assert rows_of(built, "select count(*) from users anti join study_partners using (member)") == [(0,)]


def test_the_similar_users_are_those_of_the_projects_tables(example, built):
    members = "select member from lesson_views union select member from read_csv('{}/data/follows.csv')"
    assert rows_of(built, f"select user_handle from main_kindred.users except ({members.format(example)})") == []
    with duckdb.connect(example / "warehouse" / "kindred.duckdb", read_only=True) as published:
        assert_closest_users_are_exact(published, 20)
        assert rows_of(published, "select count(*) > 1000 from similar_user_reasons") == [(True,)]


def test_every_row_is_accounted_for_under_the_name_of_its_table(built):
    assert rows_of(built, "select file, rows_read from main_kindred.input_files order by file") == [
        ("course_tags (lms.lesson_topics)", lines("data/lesson_topics.csv")),
        ("user_assessment_scores (none)", 0),
        ("user_course_views (stg_lesson_views)", lines("seeds/lesson_views.csv")),
        ("user_interests (lms.follows)", lines("data/follows.csv")),
    ]


def lines(file):
    return len((EXAMPLE / file).read_text(encoding="utf-8").splitlines()) - 1


def test_materialisations_stay_those_of_each_project(built, nodes):
    own = {
        node["name"]
        for node in nodes.values()
        if node["package_name"] == "academy" and node["resource_type"] == "model"
    }
    stamped = rows_of(built, "select table_name from duckdb_tables() where table_name like 'stamped_%'")
    assert {name.removeprefix("stamped_") for (name,) in stamped} == own
    seed = rows_of(
        built, "select column_name from duckdb_columns() where schema_name = 'main' and table_name = 'members'"
    )
    assert seed == [("member",), ("joined_on",)]  # Kindred's have line_number and read_error
    assert rows_of(built, "select data_type from duckdb_columns() where table_name = 'members' limit 1") == [
        ("INTEGER",)
    ]


def test_tables_of_one_name_stay_apart_and_models_are_built_in_order(built, nodes):
    assert nodes["model.kindred.mapped_user_course_views"]["depends_on"]["nodes"] == ["model.academy.stg_lesson_views"]
    assert nodes["model.kindred.mapped_user_interests"]["depends_on"]["nodes"] == ["source.academy.lms.follows"]
    (tested,) = (node for name, node in nodes.items() if "relationships_study_partners" in name)
    assert "model.academy.users" in tested["depends_on"]["nodes"]
    readers = [
        name for name, node in nodes.items() if "model.academy.users" in node.get("depends_on", {}).get("nodes", [])
    ]
    assert not [name for name in readers if name.split(".")[1] == "kindred"]
    schemas = "select schema_name from duckdb_tables() where table_name = 'users' order by all"
    assert rows_of(built, schemas) == [("main",), ("main_kindred",)]


def test_the_results_of_kindreds_tests_are_kept_and_only_those(built, nodes):
    tests = {
        node["name"] for node in nodes.values() if node["package_name"] == "kindred" and node["resource_type"] == "test"
    }
    listed = dict(rows_of(built, "select test_name, status from main_kindred.test_results"))
    assert listed.keys() <= tests
    assert len(tests - listed.keys()) == len([name for name in tests if "test_results" in name])
    assert set(listed.values()) == {"pass"}


def test_what_dbt_would_mix_up_or_take_from_the_sample_stops_the_build(example, built):
    """The project's own rule for schemas is tested in the same run, from what dbt parsed."""
    built.close()
    settings = example / "dbt_project.yml"
    declared = yaml.safe_load(settings.read_text(encoding="utf-8"))
    del declared["flags"]["require_ref_searches_node_package_before_root"]
    del declared["vars"]["kindred"]["inputs"]["user_assessment_scores"]
    settings.write_text(yaml.safe_dump(declared), encoding="utf-8")
    (example / "macros" / "schemas.sql").write_text(OWN_SCHEMAS)
    outcome = dbt(example, "build", "--vars", "{their_own: 1}")
    assert outcome.exit_status != 0
    assert "START" not in outcome.output
    assert [line.strip() for line in outcome.output.splitlines() if line.strip().startswith("The ")] == [
        "The input user_assessment_scores has no data in the project academy: map it to a table in the var inputs, "
        "map it to none if there is none, or name a folder in KINDRED_DATA_DIR.",
        "The project academy has a model users, as Kindred has, and Kindred would read theirs: set the flag "
        "require_ref_searches_node_package_before_root to true in dbt_project.yml, or rename it.",
    ]
    nodes = json.loads((example / "target" / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    schemas = {
        name: nodes[f"model.{name}"]["schema"] for name in ("academy.users", "kindred.users", "kindred.int_users")
    }
    assert schemas == {
        "academy.users": "our_own",
        "kindred.users": "our_kindred",
        "kindred.int_users": "our_kindred_intermediate",
    }
