"""The page Quality: what is measured, in words."""

import json

import pytest
from changed_warehouse import changed, emptied
from dashboard_app import page_of
from project import rows_of

from kindred.warehouse.reading import open_file

NDCG, RECALL = "hold_out_ndcg_at_20", "hold_out_recall_at_20"

HELD_OUT = {
    (RECALL, "all_facets"): (0.306, 0.30, 0.31),
    (RECALL, "all_facets_but_cluster"): (0.307, 0.30, 0.31),
    (RECALL, "plain_cosine"): (0.149, 0.14, 0.16),
    (RECALL, "popularity"): (0.117, 0.11, 0.12),
    (RECALL, "courses_alone"): (0.25, 0.2, 0.3),
    (RECALL, "next_courses_and_taken_courses_alone"): (0.27, 0.2, 0.3),
    (NDCG, "all_facets"): (0.24, 0.23, 0.25),
    (NDCG, "all_facets_but_cluster"): (0.23, 0.22, 0.24),
    (NDCG, "plain_cosine"): (0.1, 0.09, 0.11),
    (NDCG, "popularity"): (0.07, 0.06, 0.08),
    (NDCG, "courses_alone"): (0.2, 0.1, 0.3),
    (NDCG, "next_courses_and_taken_courses_alone"): (0.21, 0.2, 0.3),
}


def value_rows(measures):
    return ", ".join(
        f"('{measure}', '{variant}', {value}, {low}, {high}, 'It tells.')"
        for (measure, variant), (value, low, high) in measures.items()
    )


@pytest.fixture
def measured(warehouse, tmp_path):
    """Return a warehouse in which hold-outs were measured; builds of tests leave them out."""
    columns = "measure, variant, value, interval_low, interval_high, meaning"
    return changed(warehouse, tmp_path, f"insert into neighbour_quality ({columns}) values {value_rows(HELD_OUT)}")


def said(app):
    return "\n".join(element.value for element in app.markdown)


def drawn(app, number):
    """Return what the bars of a chart are named, from the top."""
    chart = json.loads(app.get("vega_lite_chart")[number].proto.spec)
    return chart["layer"][0]["encoding"]["y"]["sort"]


def test_the_lead_says_how_many_hidden_courses_are_found(measured, monkeypatch):
    app = page_of("quality", measured, monkeypatch)
    assert not app.exception
    assert (
        "Of 100 courses that we hid, the similar users would have found 31; plain cosine finds 15; the most popular "
        "courses would be right for 12." in said(app)
    )
    assert "**2.4 times as good**" in said(app)  # .24 / .1


def test_the_charts_stand_in_the_order_of_their_values(measured, monkeypatch):
    app = page_of("quality", measured, monkeypatch)
    assert [drawn(app, number) for number in range(4)] == [
        ["similar users, without the cluster", "similar users", "plain cosine", "most popular courses"],
        ["similar users", "similar users, without the cluster", "plain cosine", "most popular courses"],
        ["next courses and taken courses", "courses"],
        ["next courses and taken courses", "courses"],
    ]


def test_every_measure_of_the_lists_is_a_number_with_what_it_tells(warehouse, monkeypatch):
    with open_file(warehouse) as connection:
        measures = rows_of(connection, "select measure, value, meaning from neighbour_quality where value is not null")
        ((neighbours,),) = rows_of(
            connection,
            "select 100 * count(distinct user_handle) / (select count(*) from users) from similar_users where rank = 1",
        )
    app = page_of("quality", warehouse, monkeypatch)
    assert not app.exception
    captions = " ".join(caption.value.replace("\\", "") for caption in app.caption)
    assert len(measures) >= 12
    for _, _, meaning in measures:
        assert meaning in captions
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["users with neighbours"] == f"{neighbours:.1f}%"


def test_what_was_not_measured_comes_with_the_way_to_measure_it(warehouse, monkeypatch):
    app = page_of("quality", warehouse, monkeypatch)
    assert not app.exception
    assert "`dbt build --vars '{quality_splits: 3}'`" in app.info[0].value
    assert not app.get("vega_lite_chart")


def test_measures_without_a_value_or_an_interval_are_no_error(measured, monkeypatch, tmp_path):
    (tmp_path / "nulls").mkdir()
    nothing = changed(
        measured,
        tmp_path / "nulls",
        "update neighbour_quality set value = null where variant in ('plain_cosine', 'similar_users')",
        "update neighbour_quality set interval_low = null, interval_high = null",
    )
    app = page_of("quality", nothing, monkeypatch)
    assert not app.exception
    assert "would have found 31; the most popular courses would be right for 12." in said(app)
    assert "times as good" not in said(app)
    assert {metric.value for metric in app.metric if metric.label.startswith("users")} == {"none"}


def test_without_users_it_says_so(warehouse, tmp_path, monkeypatch):
    app = page_of("quality", emptied(warehouse, tmp_path), monkeypatch)
    assert not app.exception
    assert "did not measure" in app.info[0].value
