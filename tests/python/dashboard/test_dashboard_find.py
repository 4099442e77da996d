"""The page Find: one user, the similar users and why, and two users side by side."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from changed_warehouse import ODD_TAGS, changed, emptied, with_odd_tags
from dashboard_app import page_of
from project import rows_of

from kindred import lookups
from kindred.dashboard import wording
from kindred.dashboard.widgets.answers import csv_of
from kindred.stores import open_store
from kindred.warehouse.reading import open_file


@pytest.fixture(scope="module")
def reader(warehouse):
    with open_store(f"duckdb:///{warehouse}").read() as reader:
        yield reader


@pytest.fixture(scope="module")
def handle(warehouse):
    """Return a user with courses, interests and an assessment, in a cluster."""
    with open_file(warehouse) as connection:
        return rows_of(
            connection,
            "select user_handle from users where total_courses > 5 and total_interests > 1 and total_assessments > 0 "
            "and cluster_id >= 0 order by user_handle limit 1",
        )[0][0]


def said(app):
    """Return all text of the page."""
    return "\n".join(element.value for kind in ("markdown", "info", "warning", "caption") for element in app.get(kind))


def test_a_user_is_shown_with_their_activity(warehouse, handle, monkeypatch):
    with open_file(warehouse) as connection:
        ((courses, hours),) = rows_of(
            connection,
            f"select count(*), sum(total_view_seconds) / 3600 from user_courses where user_handle = {handle}",
        )
        ((label,),) = rows_of(
            connection, f"select label from clusters join users using (cluster_id) where user_handle = {handle}"
        )
    app = page_of("find", warehouse, monkeypatch, user=handle)
    assert not app.exception
    assert [header.value for header in app.header] == [f"User {handle}"]
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Courses"] == str(courses)
    assert shown["Hours viewed"] == f"{hours:,.1f}"
    assert label in said(app).replace("\\", "")


def test_similar_users_are_those_of_every_other_lookup(warehouse, handle, reader, monkeypatch):
    expected = lookups.similar_users(reader, handle, limit=20)
    app = page_of("find", warehouse, monkeypatch, user=handle)
    similar = app.dataframe[0].value
    assert list(similar["similar_user_handle"]) == [row["similar_user_handle"] for row in expected]
    assert list(similar["similarity"]) == pytest.approx([row["similarity"] for row in expected])
    assert list(similar["cluster"].fillna("")) == [row["cluster"] or "" for row in expected]
    for row in expected[:5]:
        assert f"**{row['similar_user_handle']}** ({row['similarity']:.2f})" in said(app)
    courses = app.dataframe[1].value
    suggested = lookups.courses_to_take(reader, handle, limit=30)
    assert list(courses["course_id"]) == [course["course_id"] for course in suggested]
    assert [list(users) for users in courses["viewed_by"]] == [course["similar_user_handles"] for course in suggested]


def test_a_tag_is_shown_and_exported_as_one_whatever_signs_it_has(warehouse, handle, tmp_path, monkeypatch):
    app = page_of("find", with_odd_tags(warehouse, tmp_path, handle), monkeypatch, user=handle)
    assert not app.exception
    badges = [element.value for element in app.markdown if "badge[" in element.value]
    assert badges[: len(ODD_TAGS)] == [f":blue-badge[{wording.escaped(tag)}]" for tag in ODD_TAGS]
    similar, courses = (element.value for element in app.dataframe[:2])
    assert [list(reasons) for reasons in similar["top_reasons"]] == [[f"Interests: {ODD_TAGS[0]}"]] * len(similar)
    exported = list(csv.DictReader(io.StringIO(csv_of(courses).decode())))
    assert [json.loads(row["course_tags"]) for row in exported] == [ODD_TAGS] * len(courses)
    assert [json.loads(row["viewed_by"]) for row in exported] == [list(users) for users in courses["viewed_by"]]


def test_lists_that_are_missing_are_empty_fields_of_a_csv():
    frame = pd.DataFrame({"number": [1, 2], "tags": [np.array(["a, b", "c"]), None]})
    assert csv_of(frame).decode() == 'number,tags\n1,"[""a, b"",""c""]"\n2,\n'


def test_two_users_are_compared_by_everything_they_have_in_common(warehouse, handle, reader, monkeypatch):
    other = lookups.similar_users(reader, handle)[2]["similar_user_handle"]
    expected = lookups.explain(reader, handle, other)
    app = page_of("find", warehouse, monkeypatch, user=handle, other=other)
    assert not app.exception
    assert [header.value for header in app.header] == [f"User {handle}", f"User {other}"]
    assert [header.value for header in app.subheader] == [f"Similarity {expected['similarity']:.3f}"]
    shown = app.dataframe[0].value
    assert list(shown["feature"]) == [reason["feature"] for reason in expected["reasons"]]
    assert list(shown["contribution"]) == pytest.approx(
        [reason["contribution"] for reason in expected["reasons"]], abs=1e-9
    )
    assert f"(adds {expected['reasons'][0]['contribution']:.3f})" in said(app)


def test_the_start_page_lists_the_most_active_users(warehouse, monkeypatch):
    app = page_of("find", warehouse, monkeypatch)
    with open_file(warehouse) as connection:
        ((users, most),) = rows_of(connection, "select count(*), max(total_courses) from users")
    assert {metric.label: metric.value for metric in app.metric}["Users"] == str(users)
    assert app.dataframe[0].value["total_courses"][0] == most


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("999999", "There is no user 999999 in the warehouse"),
        ("abc", "There is no user abc in the warehouse"),
        ("1,000", "There is no user 1,000 in the warehouse"),
        ("0", "There is no user 0 in the warehouse"),
        ("-3", "There is no user \\-3 in the warehouse"),
        ("9" * 30, "There is no user 999999"),
        ("٣", "There is no user ٣ in the warehouse"),
    ],
)
def test_an_invalid_or_unknown_handle_gives_a_warning(warehouse, monkeypatch, typed, answer):
    app = page_of("find", warehouse, monkeypatch, user=typed)
    assert not app.exception
    assert [answer in warning.value for warning in app.warning] == [True]
    assert not app.header


def test_spaces_and_zeros_around_a_handle_are_ignored(warehouse, handle, monkeypatch):
    app = page_of("find", warehouse, monkeypatch, user=f" 0{handle} ")
    assert [header.value for header in app.header] == [f"User {handle}"]


def test_a_user_is_not_compared_with_itself(warehouse, handle, monkeypatch):
    app = page_of("find", warehouse, monkeypatch, user=handle, other=handle)
    assert "the same user" in app.info[0].value
    assert [header.value for header in app.header] == [f"User {handle}"]


def test_a_user_without_similar_users_is_shown_with_a_reason(warehouse, handle, tmp_path, monkeypatch):
    alone = changed(warehouse, tmp_path, f"delete from similar_users where user_handle = {handle}")
    app = page_of("find", alone, monkeypatch, user=handle)
    assert not app.exception
    assert [header.value for header in app.header] == [f"User {handle}"]
    assert "nothing in common with anybody" in app.info[0].value


def test_a_user_without_activity_is_shown_with_what_is_known(warehouse, handle, tmp_path, monkeypatch):
    idle = changed(
        warehouse,
        tmp_path,
        f"update users set cluster_id = -1, nearest_cluster_id = -1, total_courses = 0, top_course_tags = null, "
        f"main_level = null, last_view_date = null, avg_assessment_score = null where user_handle = {handle}",
    )
    app = page_of("find", idle, monkeypatch, user=handle)
    assert not app.exception
    assert "In no cluster, and none is near." in said(app)
    assert {metric.label: metric.value for metric in app.metric}["Average assessment score"] == "none"
    assert not page_of("user_map", idle, monkeypatch, user=handle).exception


def test_a_pair_with_nothing_in_common_is_shown_as_such(warehouse, handle, reader, tmp_path, monkeypatch):
    other = lookups.similar_users(reader, handle)[0]["similar_user_handle"]
    apart = changed(warehouse, tmp_path, f"delete from user_features where user_handle = {other}")
    app = page_of("find", apart, monkeypatch, user=handle, other=other)
    assert not app.exception
    assert "nothing in common" in app.info[0].value


def test_an_empty_warehouse_is_not_an_error(warehouse, tmp_path, monkeypatch):
    empty = emptied(warehouse, tmp_path)
    app = page_of("find", empty, monkeypatch)
    assert not app.exception
    assert app.metric[0].value == "0"
    assert "There is no user 1" in page_of("find", empty, monkeypatch, user=1).warning[0].value
