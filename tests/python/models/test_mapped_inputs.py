"""Inputs that the var inputs maps to relations give what the same rows give from files."""

import duckdb
import pytest
import yaml
from project import Project, fingerprints, rows_of, succeeded

INPUTS = {
    "course_tags": {"relation": "lesson_topics", "columns": {"course_id": "lesson", "course_tags": "topic"}},
    "user_assessment_scores": {
        "relation": 'elsewhere."quiz results"',  # in another file, which is attached
        "columns": {"assessment_tag": "subject", "user_assessment_date": "Taken At"},
    },
    "user_course_views": {"relation": "lms.views", "columns": {"user_handle": "MEMBER"}},
    "user_interests": {"relation": "elsewhere.main.follows"},
}
CSV = "from read_csv('{}/seeds/{}.csv', all_varchar = true)"


def map_inputs(project, **inputs):
    """Write the var inputs into dbt_project.yml."""
    file = project.folder / "dbt_project.yml"
    settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    settings["vars"]["inputs"] = inputs
    file.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a project that was built from files and has the same rows as relations, too: tables and a view."""
    project = Project(tmp_path_factory.mktemp("mapped"))
    project.write_sample(120)
    succeeded(project.dbt("build", "--vars", "{quality_splits: 0}"))
    seeds = {name: CSV.format(project.folder, name) for name in INPUTS}
    elsewhere = project.folder / "elsewhere.duckdb"
    with duckdb.connect(project.folder / "target" / "kindred_build.duckdb") as build:
        build.execute("create schema lms")
        build.execute(
            f"create table lesson_topics as select course_tags as topic, course_id as lesson {seeds['course_tags']}"
        )
        build.execute(
            "create table lms.delivered as select user_handle::bigint as member, view_date::date as view_date, "
            f"course_id, author_handle::int as author_handle, level, view_time_seconds::double as view_time_seconds "
            f"{seeds['user_course_views']}"
        )
        build.execute("create view lms.views as from lms.delivered")
        build.execute(f"attach '{elsewhere}'")
        build.execute(
            'create table elsewhere."quiz results" as '
            "select user_handle::hugeint as user_handle, assessment_tag as subject, "
            "user_assessment_date::timestamp at time zone 'UTC' as \"taken at\", "
            f"user_assessment_score::decimal(9, 2) as user_assessment_score {seeds['user_assessment_scores']}"
        )
        build.execute(
            "create table elsewhere.follows as "
            f"select user_handle, interest_tag, date_followed::timestamp_s as date_followed {seeds['user_interests']}"
        )
    profiles = project.folder / "profiles.yml"
    profile = yaml.safe_load(profiles.read_text(encoding="utf-8"))
    local = profile["kindred"]["outputs"]["local"]
    local["attach"] = [{"path": "elsewhere.duckdb"}]
    local["settings"]["TimeZone"] = "Asia/Kathmandu"  # where times with a zone would be shown otherwise
    profiles.write_text(yaml.safe_dump(profile), encoding="utf-8")
    return project


@pytest.fixture(scope="module")
def builds(project):
    """Return the fingerprints of the published tables, built from files and built from relations."""
    with project.open_published() as connection:
        files = fingerprints(connection)
    map_inputs(project, **INPUTS)
    for name in INPUTS:
        (project.folder / "seeds" / f"{name}.csv").unlink()
    succeeded(project.dbt("build", "--vars", "{quality_splits: 0}"))
    with project.open_published() as connection:
        return files, fingerprints(connection)


def test_relations_give_the_tables_that_files_give(builds):
    files, relations = builds
    differ = {name for name in files if files[name] != relations[name]}
    assert differ <= {"build_info", "test_results", "input_files"}
    assert files.keys() == relations.keys()
    assert min(files[name][0] for name in ("similar_users", "user_assessments", "tag_map")) > 5


@pytest.mark.usefixtures("builds")
def test_times_with_a_zone_become_the_text_that_a_file_has(project):
    columns = "select user_handle, assessment_tag, user_assessment_date from raw"
    with project.open_build() as build:
        mapped = rows_of(build, f"{columns}.mapped_user_assessment_scores order by all")
        assert mapped == rows_of(build, f"{columns}.user_assessment_scores order by all")


@pytest.mark.usefixtures("builds")
def test_rows_are_accounted_for_under_the_name_of_the_relation(project):
    with project.open_published() as connection:
        assert rows_of(connection, "select file, rows_read > 5 from input_files order by file") == [
            ("course_tags (lesson_topics)", True),
            ('user_assessment_scores (elsewhere."quiz results")', True),
            ("user_course_views (lms.views)", True),
            ("user_interests (elsewhere.main.follows)", True),
        ]


@pytest.mark.usefixtures("builds")
def test_a_rejected_row_names_the_relation(project):
    with duckdb.connect(project.folder / "target" / "kindred_build.duckdb") as build:
        build.execute("insert into lms.delivered values (7, null, 'unix', 1, 'Beginner', 60)")
    succeeded(
        project.dbt("run", "--select", "mapped_user_course_views", "rejected_rows", "--vars", "{quality_splits: 0}")
    )
    with project.open_build() as build:
        rejected = rows_of(build, "select file, reason, user_handle, delivered_row from rejected_rows")
    row = "user_handle=7, view_date=, course_id=unix, author_handle=1, level=Beginner, view_time_seconds=60.0"
    assert rejected == [("user_course_views (lms.views)", "view_date is not a date of the form YYYY-MM-DD", "7", row)]


# What cannot be read


def refused(project, **inputs):
    """Return the outcome of making the raw tables with these inputs."""
    map_inputs(project, **inputs)
    outcome = project.dbt("build", "--select", "mapped_*")
    assert outcome.exit_status != 0
    assert "Traceback" not in outcome.output
    return outcome


@pytest.mark.usefixtures("builds")
def test_a_relation_or_column_that_is_missing_is_named_with_what_there_is(project):
    with duckdb.connect(project.folder / "target" / "kindred_build.duckdb") as build:
        build.execute("create schema elsewhere; create table elsewhere.follows (user_handle int)")
    outcome = refused(
        project,
        course_tags={"relation": "lessons.topics", "columns": {"course_tags": "topic"}},
        user_assessment_scores={"model": "stg_tag_relations"},
        user_course_views={"relation": "lms.views", "columns": {"course_id": "course"}},
        user_interests={"relation": "elsewhere.follows"},
    )
    assert outcome.failure("mapped_course_tags") == [
        "There is no relation lessons.topics, to which the var inputs maps course_tags with the columns course_id, "
        "topic: make it before the build, or correct its name in inputs.course_tags."
    ]
    assert outcome.failure("mapped_user_assessment_scores") == [
        "The var inputs maps user_assessment_scores to stg_tag_relations, which is ephemeral: make it a table "
        "or a view."
    ]
    assert outcome.failure("mapped_user_course_views") == [
        "Column user_handle and column course (our course_id) is missing from lms.views, to which the var inputs maps "
        "user_course_views: it has member, view_date, course_id, author_handle, level, view_time_seconds; name the "
        "right ones in inputs.user_course_views.columns, as our name: their name."
    ]
    assert outcome.failure("mapped_user_interests") == [
        'The var inputs maps user_interests to elsewhere.follows, but that is "elsewhere"."main"."follows" and '
        '"kindred_build"."elsewhere"."follows": name one with its database and schema.'
    ]


@pytest.mark.usefixtures("builds")
def test_a_form_that_makes_no_sense_stops_the_build_before_it_starts(project):
    outcome = refused(
        project,
        course_tag="none",
        course_tags={"relation": "lms.topics", "model": "topics"},
        user_assessment_scores=None,
        user_course_views={"relation": "lms.views", "columns": ["member"]},
        user_interests={"source": "lms.follows"},
    )
    form = (
        "but it must be none, {relation: schema.table}, {model: name} or {source: [name, table]}, "
        "and columns if names differ."
    )
    assert "START" not in outcome.output
    assert [line.strip() for line in outcome.output.splitlines() if line.strip().startswith("The var")] == [
        "The var inputs names the input course_tag, but the inputs are course_tags, user_assessment_scores, "
        "user_course_views, user_interests.",
        f"The var inputs maps course_tags to {{'relation': 'lms.topics', 'model': 'topics'}}, {form}",
        f"The var inputs maps user_assessment_scores to nothing, {form}",
        "The var inputs gives user_course_views the columns ['member'], but they must be as our name: their name.",
        f"The var inputs maps user_interests to {{'source': 'lms.follows'}}, {form}",
    ]


@pytest.mark.usefixtures("builds")
def test_columns_that_an_input_does_not_have_are_named(project):
    inverted = {"relation": "lesson_topics", "columns": {"topic": "course_tags"}}
    outcome = refused(project, **INPUTS | {"course_tags": inverted})
    assert (
        "The var inputs names the column topic of course_tags, but its columns are course_id, course_tags."
        in outcome.output
    )
    assert "START" not in outcome.output
