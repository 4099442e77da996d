"""The page Pipeline: the last build, the rows of the files, and the tests."""

import json
from datetime import UTC, datetime

import pytest
from changed_warehouse import changed, emptied
from dashboard_app import page_of
from project import rows_of

from kindred.warehouse.reading import open_file

NOW = datetime.now(UTC).replace(tzinfo=None)

REJECTED = [
    *(("user_course_views", line, "the day is missing", f"{line},,c1") for line in range(2, 122)),
    *(("user_course_views", line, "the user is unknown", f"?,2017,{line}") for line in range(122, 125)),
    ("user_interests", 7, "the day is missing", "7,sql,"),
]


@pytest.fixture
def rejecting(warehouse, tmp_path):
    """Return a warehouse with rejected rows."""
    rows = ", ".join(f"('{file}', {line}, '{reason}', '{row}')" for file, line, reason, row in REJECTED)
    return changed(
        warehouse,
        tmp_path,
        f"insert into rejected_rows (file, line_number, reason, delivered_row) values {rows}",
    )


def shown_table(app, *columns):
    """Return the only table of a page that has these columns, and may have others."""
    found = [table.value for table in app.dataframe if set(columns) <= set(table.value.columns)]
    assert len(found) == 1, [list(table.value.columns) for table in app.dataframe]
    return found[0]


def said(app):
    return "\n".join(
        element.value for kind in ("markdown", "success", "warning", "caption") for element in app.get(kind)
    )


def test_the_build_and_its_settings_are_shown(warehouse, monkeypatch):
    with open_file(warehouse) as connection:
        ((version, started_at, settings_json),) = rows_of(
            connection, "select version, started_at, settings_json from build_info"
        )
    app = page_of("pipeline", warehouse, monkeypatch)
    assert not app.exception
    assert {metric.label: metric.value for metric in app.metric}["Started at"] == f"{started_at:%Y-%m-%d %H:%M}"
    assert version in said(app)
    settings = shown_table(app, "setting_name")
    expected = json.loads(settings_json)
    # A text is shown as it is, everything else as JSON.
    written = {
        name: value if isinstance(expected[name], str) else json.loads(value)
        for name, value in zip(settings["setting_name"], settings["setting_value"], strict=True)
    }
    assert written == expected


@pytest.mark.parametrize(
    ("age", "words"),
    [
        ("30 seconds", "a minute ago"),
        ("3 minutes 30 seconds", "3 minutes ago"),
        ("119 minutes 30 seconds", "119 minutes ago"),
        ("47 hours 30 minutes", "47 hours ago"),
        ("2 days 1 hour", "2 days ago"),
        ("1500 days 1 hour", "1,500 days ago"),
    ],
)
def test_how_long_ago_is_in_the_largest_unit(warehouse, tmp_path, monkeypatch, age, words):
    now = datetime.now(UTC).replace(tzinfo=None)
    copy = changed(warehouse, tmp_path, f"update build_info set started_at = timestamp '{now}' - interval '{age}'")
    assert f"The last build started {words}." in said(page_of("pipeline", copy, monkeypatch))


def test_a_recent_build_of_valid_files_needs_nothing(warehouse, tmp_path, monkeypatch):
    copy = changed(warehouse, tmp_path, "delete from rejected_rows", f"update build_info set started_at = '{NOW}'")
    app = page_of("pipeline", copy, monkeypatch)
    assert not app.warning
    assert "Nothing to do" in app.success[0].value


def test_an_old_build_should_be_repeated(warehouse, tmp_path, monkeypatch):
    copy = changed(warehouse, tmp_path, "update build_info set started_at = timestamp '2020-01-01'")
    assert "Run `dbt build` to read new rows" in page_of("pipeline", copy, monkeypatch).warning[0].value


def test_frozen_statistics_are_told(warehouse, tmp_path, monkeypatch):
    copy = changed(warehouse, tmp_path, "update build_info set statistics_computed_at = started_at - interval '2 days'")
    assert "`freeze_statistics_days`" in said(page_of("pipeline", copy, monkeypatch))
    assert "`freeze_statistics_days`" not in said(page_of("pipeline", warehouse, monkeypatch))


def test_rows_of_files_and_the_newest_day_are_those_of_the_inputs(warehouse, monkeypatch):
    with open_file(warehouse) as connection:
        ((views, newest),) = rows_of(connection, "select sum(total_views), max(last_view_date) from user_courses")
    app = page_of("pipeline", warehouse, monkeypatch)
    files = shown_table(app, "rows_read").set_index("file")
    assert len(app.get("vega_lite_chart")) == 1
    assert list(files.index) == ["course_tags", "user_assessment_scores", "user_course_views", "user_interests"]
    assert files.loc["user_course_views", "rows_kept"] == views
    assert files.loc["user_course_views", "newest_at"].date() == newest
    assert files["newest_at"].isna().sum() == 1


def test_rejected_rows_are_counted_by_reason_and_the_first_is_named(rejecting, monkeypatch):
    app = page_of("pipeline", rejecting, monkeypatch)
    assert not app.exception
    reasons = shown_table(app, "first_line")
    assert list(reasons[["file", "reason", "total_rows", "first_line"]].itertuples(index=False, name=None)) == [
        ("user_course_views", "the day is missing", 120, 2),
        ("user_course_views", "the user is unknown", 3, 122),
        ("user_interests", "the day is missing", 1, 7),
    ]
    todo = app.warning[0].value.replace("\\", "")
    assert "Rows that could not be used: 124." in todo
    assert "“the day is missing”: look at line 2 of the file user_course_views" in todo


def test_a_hundred_rejected_rows_are_shown_as_delivered(rejecting, monkeypatch):
    rows = shown_table(page_of("pipeline", rejecting, monkeypatch), "delivered_row")
    assert list(rows["line_number"]) == list(range(2, 102))
    assert rows["delivered_row"][0] == "2,,c1"


def test_file_and_reason_in_the_url_filter_the_rejected_rows(rejecting, monkeypatch):
    app = page_of("pipeline", rejecting, monkeypatch, file="user_course_views", reason="the user is unknown")
    assert not app.exception
    assert list(shown_table(app, "delivered_row")["line_number"]) == [122, 123, 124]
    app = page_of("pipeline", rejecting, monkeypatch, file="user_interests", reason="the user is unknown")
    assert [info.value for info in app.info] == ["No row of that file was rejected for that reason."]


def test_unknown_values_in_the_url_are_ignored(rejecting, monkeypatch):
    app = page_of("pipeline", rejecting, monkeypatch, file="../etc", reason="none")
    assert not app.exception
    assert len(shown_table(app, "delivered_row")) == 100


def test_tests_that_did_not_pass_come_first(warehouse, tmp_path, monkeypatch):
    copy = changed(
        warehouse,
        tmp_path,
        "update test_results set status = 'warn', failures = 3 where test_name = 'grain_and_range_tags'",
        "update test_results set status = 'not run', failures = null, tested_at = null "
        "where test_name = 'grain_and_range_users'",
    )
    with open_file(warehouse) as connection:
        ((tests,),) = rows_of(connection, "select count(*) from test_results")
    app = page_of("pipeline", copy, monkeypatch)
    assert not app.exception
    shown = shown_table(app, "test_name")
    assert list(shown["test_name"][:2]) == ["grain_and_range_tags", "grain_and_range_users"]
    figures = {metric.label: metric.value for metric in app.metric}
    assert [figures[label] for label in ("Tests", "Passed", "Not passed", "Not run")] == [
        f"{tests:,}",
        f"{tests - 2:,}",
        "1",
        "1",
    ]
    assert "Tests that did not pass: 1." in app.warning[0].value
    assert "Tests that were not run: 1." in app.warning[0].value


def test_every_published_table_has_its_rows_and_a_description(warehouse, monkeypatch):
    tables = shown_table(page_of("pipeline", warehouse, monkeypatch), "published_table")
    with open_file(warehouse) as connection:
        for name, rows in zip(tables["published_table"], tables["total_rows"], strict=True):
            assert rows_of(connection, f"select count(*) from {name}") == [(rows,)]
    assert len(tables) > 15
    assert tables["description"].notna().all()


def test_empty_files_are_named(warehouse, tmp_path, monkeypatch):
    app = page_of("pipeline", emptied(warehouse, tmp_path), monkeypatch)
    assert not app.exception
    assert list(shown_table(app, "rows_read")["rows_read"]) == [0, 0, 0, 0]
    names = "course_tags, user_assessment_scores, user_course_views, user_interests"
    assert f"Files without a row: {names}." in app.warning[0].value.replace("\\", "")
    assert not app.get("vega_lite_chart")
