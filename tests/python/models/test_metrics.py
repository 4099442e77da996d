"""The metrics, asked of MetricFlow as an analyst does, against SQL over what they are made of."""

import csv
import json
from collections import defaultdict

import pytest
from project import Project, rows_of, succeeded
from servers import needs_metricflow

VIEWS = ("active_users", "courses_viewed", "hours_viewed")
ASSESSMENTS = ("assessments_taken", "avg_assessment_score")
USERS = ("users", "close_neighbours_share")

# Each metric as the table that has its facts and what to make of them.
DEFINITIONS = {
    "active_users": ("viewed", "count(distinct user_handle)"),
    "courses_viewed": ("viewed", "count(distinct course_id)"),
    "hours_viewed": ("viewed", "sum(view_seconds) / 60 / 60"),
    "assessments_taken": ("assessed", "count(*)"),
    "avg_assessment_score": ("assessed", "sum(score) / count(*)"),
    "users": ("people", "count(*)"),
    "close_neighbours_share": ("people", "count(*) filter (where neighbourhood_similarity >= 0.1) / count(*)"),
}
FACTS = """
with people as (
    select users.*, clusters.label, date_trunc('month', users.first_view_date) as month
    from users
    left join clusters using (cluster_id)
),
levels as (
    select course_id, any_value(level) as level
    from staging.stg_user_course_views
    group by course_id
),
viewed as (
    select views.*, levels.level as course_level, people.cluster_id, people.label, people.main_level,
        date_trunc('month', views.view_date) as month
    from staging.stg_user_course_views as views
    inner join levels using (course_id)
    inner join people using (user_handle)
),
assessed as (
    select scores.user_handle, scores.score, tag_map.canonical_tag as subject, people.cluster_id, people.label,
        people.main_level, date_trunc('month', scores.assessed_at) as month,
        scores.assessed_at = max(scores.assessed_at) over (partition by scores.user_handle, subject) as is_latest
    from staging.stg_user_assessment_scores as scores
    inner join tag_map on tag_map.raw_tag = scores.assessment_tag and tag_map.vocabulary = 'assessment'
    inner join people using (user_handle)
)
"""

# What MetricFlow and what the facts call that by which a metric is split.
NAMES = {
    "metric_time__month": "month",
    "course__level": "course_level",
    "user__main_level": "main_level",
    "user__cluster_id": "cluster_id",
    "user__cluster__label": "label",
    "assessment__assessment_tag": "subject",
    "assessment__is_latest": "is_latest",
}
SPLITS = [
    (VIEWS + ASSESSMENTS + USERS, []),
    (VIEWS, ["metric_time__month", "course__level", "user__cluster__label"]),
    *(
        pytest.param(*split, marks=pytest.mark.proof)
        for split in [
            (ASSESSMENTS, ["metric_time__month", "assessment__is_latest", "user__cluster_id"]),
            (VIEWS + ASSESSMENTS + USERS, ["metric_time__month"]),
            (VIEWS + ASSESSMENTS + USERS, ["user__cluster_id", "user__cluster__label"]),
            (VIEWS + ASSESSMENTS + USERS, ["user__main_level"]),
            (VIEWS, ["course__level"]),
            (ASSESSMENTS, ["assessment__assessment_tag"]),
        ]
    ),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    needs_metricflow()
    project = Project(tmp_path_factory.mktemp("metrics"))
    project.write_sample(400)
    seeds = project.folder / "seeds"
    with (seeds / "user_assessment_scores.csv").open() as file:
        assessments = list(csv.DictReader(file))
    with (seeds / "user_assessment_scores.csv").open("a") as file:
        # Every third assessment was taken before, and badly: without repeats, mean scores of all and of the latest
        # would be the same.
        for row in assessments[::3]:
            file.write(f"{row['user_handle']},{row['assessment_tag']},2017-01-15 12:00:00,7\n")
    with (seeds / "user_course_views.csv").open("a") as file:
        # A course without a level, viewed by some of all.
        for row in assessments[::5]:
            file.write(f"{row['user_handle']},2017-12-24,without-level,,,5400\n")
    succeeded(project.dbt("build", "--vars", "{quality_splits: 0}"))
    return project


def answers_of_metricflow(project, metrics, group_by):
    """Return each metric's values by group, as text; a group that the metric knows nothing of is left out."""
    answer = project.folder / "target" / "answer.csv"
    split = ["--group-by", ",".join(group_by)] if group_by else []
    project.printed_by("mf", "query", "--metrics", ",".join(metrics), *split, "--csv", str(answer))
    answers = defaultdict(dict)
    with answer.open(newline="") as file:
        for row in csv.DictReader(file):
            group = tuple(row[name] for name in group_by)
            for metric in metrics:
                if row[metric] != "":
                    assert group not in answers[metric]
                    answers[metric][group] = float(row[metric])
    return dict(answers)


def answers_of_sql(project, metrics, group_by):
    columns = "".join(f"{NAMES[name]}, " for name in group_by)
    answers = {}
    with project.open_build() as build:
        for metric in metrics:
            facts, measure = DEFINITIONS[metric]
            rows = rows_of(build, f"{FACTS} select {columns} {measure} from {facts} group by all")
            answers[metric] = {
                tuple("" if value is None else str(value) for value in group): float(value) for *group, value in rows
            }
    return answers


@pytest.mark.parametrize(("metrics", "group_by"), SPLITS)
def test_a_metric_is_what_it_says(project, metrics, group_by):
    expected = answers_of_sql(project, metrics, group_by)
    answers = answers_of_metricflow(project, metrics, group_by)
    assert answers.keys() == expected.keys()
    for metric in metrics:
        assert answers[metric] == pytest.approx(expected[metric]), metric


def test_groups_are_many_and_some_have_no_name(project):
    """Else a test of splits could pass without having split anything."""
    for name, known in [("metric_time__month", 7), ("course__level", 3), ("user__cluster__label", 4)]:
        groups = answers_of_sql(project, VIEWS, [name])["hours_viewed"].keys()
        assert len(groups) > known, name
    for name in ("course__level", "user__cluster__label"):
        assert ("",) in answers_of_sql(project, VIEWS, [name])["hours_viewed"], name


def test_the_latest_scores_average_as_in_users(project):
    answer = project.folder / "target" / "latest.csv"
    project.printed_by(
        "mf", "query", "--metrics", "avg_assessment_score", "--group-by", "user", "--csv", str(answer),
        "--where", "{{ Dimension('assessment__is_latest') }}",
    )  # fmt: skip
    with answer.open(newline="") as file:
        averages = {int(row["user"]): float(row["avg_assessment_score"]) for row in csv.DictReader(file)}
    with project.open_build() as build:
        expected = dict(
            rows_of(build, "select user_handle, avg_assessment_score from users where total_assessments > 0")
        )
    assert averages == pytest.approx(expected)
    assert len(averages) > 50


def test_metricflow_finds_nothing_wrong(project):
    assert (
        project.printed_by("mf", "validate-configs", "--show-all").count("(ERRORS: 0, FUTURE_ERRORS: 0, WARNINGS: 0)")
        == 6
    )


def test_dbt_finds_nothing_to_warn_of(project):
    outcome = project.dbt("parse", "--no-partial-parse", "--warn-error")
    assert outcome.exit_status == 0, outcome.output
    assert "deprecat" not in outcome.output.lower()


def test_every_metric_has_a_label_and_a_description(project):
    metrics = json.loads((project.folder / "target" / "semantic_manifest.json").read_text())["metrics"]
    assert {metric["name"] for metric in metrics} == DEFINITIONS.keys()
    assert [metric["name"] for metric in metrics if not (metric["label"] and metric["description"])] == []
