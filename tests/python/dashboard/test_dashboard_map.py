"""The page Map, against the published file of 400 users."""

import json
import shutil

import duckdb
import numpy as np
import pytest
from changed_warehouse import ODD_TAGS, with_odd_tags
from dashboard_app import page_of

from kindred.dashboard.drawing import colours
from kindred.warehouse.reading import open_file


@pytest.fixture(scope="module")
def rows(warehouse):
    """Return a function that runs a query on the published file."""
    with open_file(warehouse) as connection:
        yield lambda query: connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def emptied(warehouse, tmp_path_factory):
    """Return a published file whose tables are empty, except build_info."""
    path = tmp_path_factory.mktemp("emptied") / "kindred.duckdb"
    shutil.copy(warehouse, path)
    with duckdb.connect(str(path)) as connection:
        for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            if table != "build_info":
                connection.execute(f"delete from {table}")
    return path


def drawing(app):
    """Return the drawing that is sent to the browser, and its layers by their names."""
    (chart,) = app.get("deck_gl_json_chart")
    drawn = json.loads(chart.proto.json)
    return drawn, {layer["id"]: layer for layer in drawn["layers"]}


def points(layers):
    return [(layer, point) for name, layer in layers.items() if name.startswith("#") for point in layer["data"]]


def messages(app):
    return [element.value for element in [*app.warning, *app.info]]


def test_every_user_is_drawn_once_at_the_position_of_the_table(warehouse, monkeypatch, rows):
    app = page_of("user_map", warehouse, monkeypatch)
    assert not app.exception
    _, layers = drawing(app)
    drawn = {handle: (x, y, label, subjects) for _, (x, y, _, handle, label, subjects) in points(layers)}
    expected = rows(
        "select m.user_handle, m.x, m.y, "
        "case when m.cluster_id < 0 then 'in no cluster' else coalesce(c.label, '') end, "
        "coalesce(array_to_string(u.top_course_tags, ', '), '') from user_map m join users u using (user_handle) "
        "left join clusters c on c.cluster_id = m.cluster_id"
    )
    assert len(points(layers)) == len(drawn) == len(expected) == 400
    assert {handle: point[2:] for handle, point in drawn.items()} == {row[0]: row[3:] for row in expected}
    # Both axes have one scale, so that distances are true: the longer side has 10,000 units, rounded to whole units.
    true = np.array([row[1:3] for row in expected])
    sent = np.array([drawn[row[0]][:2] for row in expected])
    scale = 10_000 / np.ptp(true, axis=0).max()
    assert np.abs(sent - (true - true.min(axis=0)) * scale).max() <= 0.5 + 1e-6


def test_a_cluster_has_one_colour_and_users_in_none_are_grey_and_below(warehouse, monkeypatch, rows):
    _, layers = drawing(page_of("user_map", warehouse, monkeypatch))
    cluster_of = dict(rows("select user_handle, cluster_id from user_clusters"))
    colour_of = {}
    for layer, point in points(layers):
        colour_of.setdefault(cluster_of[point[3]], set()).add(tuple(layer["getFillColor"]))
    assert len(colour_of) > 2
    assert all(len(used) == 1 for used in colour_of.values())
    grey = (0xBB, 0xBB, 0xBB)
    assert colour_of[-1] == {grey}
    assert all(used != {grey} for cluster, used in colour_of.items() if cluster >= 0)
    assert tuple(next(iter(layers.values()))["getFillColor"]) == grey
    labels = {row["text"] for row in layers["labels"]["data"]}
    named = rows("select label from clusters where label is not null")
    assert labels == {", ".join(label.split(", ")[:2]) for (label,) in named}


def test_a_selected_cluster_is_highlighted(warehouse, monkeypatch, rows):
    app = page_of("user_map", warehouse, monkeypatch, cluster=1)
    assert not app.exception
    assert app.selectbox[0].value == 1
    drawn, layers = drawing(app)
    clear = {point[3] for layer, point in points(layers) if layer["opacity"] > 0.5}
    assert clear == {handle for (handle,) in rows("select user_handle from users where cluster_id = 1")}
    whole, _ = drawing(page_of("user_map", warehouse, monkeypatch))
    assert drawn["initialViewState"]["zoom"] > whole["initialViewState"]["zoom"]
    app.selectbox[0].select(0).run()
    assert app.query_params["cluster"] == "0"
    app.selectbox[0].select(-1).run()
    assert "cluster" not in app.query_params


def test_a_user_is_marked_with_the_similar_users(warehouse, monkeypatch, rows):
    app = page_of("user_map", warehouse, monkeypatch, user=42)
    assert not app.exception
    _, layers = drawing(app)
    position = {point[3]: point[:2] for _, point in points(layers)}
    similar = [handle for (handle,) in rows("select similar_user_handle from similar_users where user_handle = 42")]
    assert layers["lines"]["getSourcePosition"] == position[42]
    assert sorted(line["there"] for line in layers["lines"]["data"]) == sorted(position[handle] for handle in similar)
    assert [element.value for element in app.subheader] == ["User 42"]
    figures = {metric.label: metric.value for metric in app.metric}
    (counts,) = rows("select total_courses, total_interests, total_assessments from users where user_handle = 42")
    assert figures == dict(zip(("Courses", "Interests", "Assessments"), map(str, counts), strict=True))
    links = {(element.proto.page, element.proto.query_string) for element in app.get("page_link")}
    assert ("", "user=42") in links


def test_of_too_many_users_some_are_drawn_and_the_marked_user(warehouse, monkeypatch, rows):
    monkeypatch.setattr("kindred.dashboard.pages.user_map.SHOWN_USERS", 50)
    app = page_of("user_map", warehouse, monkeypatch)
    drawn = {point[3] for _, point in points(drawing(app)[1])}
    assert len(drawn) == 50
    assert any("50 of 400 users" in caption.value for caption in app.caption)
    left_out = min(set(range(1, 401)) - drawn)
    of_cluster = {handle for (handle,) in rows("select user_handle from user_map where cluster_id = 1")}
    preferred = {point[3] for _, point in points(drawing(page_of("user_map", warehouse, monkeypatch, cluster=1))[1])}
    assert not of_cluster <= drawn
    assert of_cluster <= preferred
    assert len(preferred) == 50
    app = page_of("user_map", warehouse, monkeypatch, user=left_out)
    assert not app.exception
    layers = drawing(app)[1]
    assert {point[3] for _, point in points(layers)} == drawn
    assert layers["handle"]["data"][0]["text"] == f"User {left_out}"
    assert len(layers["lines"]["data"]) == 20


@pytest.mark.parametrize("parameters", [{"cluster": "abc"}, {"cluster": 99_999}, {"cluster": "-1"}])
def test_an_invalid_cluster_in_the_url_gives_a_warning(warehouse, monkeypatch, parameters):
    app = page_of("user_map", warehouse, monkeypatch, **parameters)
    assert not app.exception
    assert any("There is no cluster" in message for message in messages(app))
    assert app.selectbox[0].value == -1


@pytest.mark.parametrize(
    ("typed", "warning"),
    [("abc", "no user abc"), ("999999", "no user 999999"), ("0", "no user 0"), ("٣", "no user ٣")],
)
def test_an_invalid_user_in_the_url_gives_a_warning(warehouse, monkeypatch, typed, warning):
    app = page_of("user_map", warehouse, monkeypatch, user=typed)
    assert not app.exception
    assert any(warning in message for message in messages(app))
    assert "lines" not in drawing(app)[1]


def test_an_empty_warehouse_has_no_map(emptied, monkeypatch):
    app = page_of("user_map", emptied, monkeypatch, user=1, cluster=0)
    assert not app.exception
    assert not app.get("deck_gl_json_chart")
    assert any("no users to draw" in message for message in messages(app))


def test_it_is_drawn_without_clusters_and_tags(warehouse, monkeypatch, tmp_path, rows):
    path = tmp_path / "kindred.duckdb"
    shutil.copy(warehouse, path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("delete from clusters")
        connection.execute("delete from similar_users")
        connection.execute("update user_map set cluster_id = -1, x = 0, y = 0")
        connection.execute("update users set cluster_id = -1, nearest_cluster_id = -1, top_course_tags = null")
    app = page_of("user_map", path, monkeypatch, user=42)
    assert not app.exception
    _, layers = drawing(app)
    assert {tuple(layer["getFillColor"]) for layer, _ in points(layers)} == {(0xBB, 0xBB, 0xBB)}
    assert layers["lines"]["data"] == []


def test_a_label_is_cut_between_its_tags_and_never_within_one(warehouse, tmp_path, monkeypatch):
    _, layers = drawing(page_of("user_map", with_odd_tags(warehouse, tmp_path, 1), monkeypatch))
    assert {row["text"] for row in layers["labels"]["data"]} == {", ".join(ODD_TAGS[:2])}


def test_near_positions_differ_in_colour():
    palette = [colour for colour in colours.CATEGORIES if colour != colours.NONE]
    # On a line, the colour used longest ago is always the farthest away, so colours repeat in order.
    line = np.column_stack([np.arange(30.0), np.zeros(30)])
    assert colours.of_positions(line) == [palette[number % len(palette)] for number in range(30)]
    # Nine positions take the nine colours; a tenth beside the first takes the colour of the one opposite.
    around = np.array([[np.cos(turn), np.sin(turn)] for turn in np.linspace(0, 2 * np.pi, 9, endpoint=False)])
    tenth = colours.of_positions(np.vstack([around, [[1.0, 0.01]]]))
    assert len(set(tenth[:9])) == 9
    opposite = np.argmax(np.hypot(*(around - [1.0, 0.01]).T))
    assert tenth[9] == tenth[opposite]
    assert colours.of_positions(np.empty((0, 2))) == []
