"""What all pages of the dashboard use: queries, the format of values, reasons in words, and colours."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from project import ROOT, rows_of

from kindred.dashboard import wording
from kindred.dashboard.drawing import colours
from kindred.dashboard.published import open_published
from kindred.dashboard.queries.reading import FOLDER, read_query
from kindred.dashboard.widgets.answers import formatted
from kindred.warehouse.reading import open_file

NAMES = sorted(file.stem for file in FOLDER.glob("*.sql"))


@pytest.fixture(scope="module")
def parameters(warehouse):
    """Return a value for every parameter of the queries, so that most of them return rows."""
    with open_file(warehouse) as connection:
        ((user, other),) = rows_of(
            connection,
            "select user_handle, similar_user_handle from similar_users where rank = 1 order by user_handle limit 1",
        )
    return {
        "user_handle": user,
        "other_handle": other,
        "cluster_id": 0,
        "shown_users": 100,
        "is_single_facet": False,
        "tag": "sql",
        "search": "sql",
        "vocabulary": "",
        "method": "",
        "file": "",
        "reason": "",
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_query_runs_and_says_what_each_column_means(name, warehouse, parameters, monkeypatch):
    monkeypatch.setenv("KINDRED_WAREHOUSE", str(warehouse))
    query = read_query(name)
    asked = {parameter: parameters[parameter] for parameter in re.findall(r"\$(\w+)", query.sql)}
    answer = open_published().ask(name, **asked)
    assert query.definition.endswith(".")
    assert set(answer.frame.columns) == answer.meanings.keys() & set(answer.frame.columns)
    assert query.meanings.keys() <= set(answer.frame.columns)
    with open_file(warehouse) as connection:
        pd.testing.assert_frame_equal(connection.execute(query.filled(asked)).df(), answer.frame)


def test_values_are_filled_in_as_sql_literals():
    query = read_query("find_users")
    assert "cluster_id = -1" in query.filled({"cluster_id": -1})
    quoted = "o'neil"
    assert "= 'o''neil'" in query.filled({"cluster_id": quoted})


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("user_handle", np.int64(1234567), "1234567"),
        ("author_handle", 1234.0, "1234"),
        ("cluster_id", 1000, "1000"),
        ("rank", 1000, "1000"),
        ("total_views", np.int64(1234567), "1,234,567"),
        ("users", 0, "0"),
        ("noise_share", 0.4567, "45.7%"),
        ("similarity", 0.12345, "0.123"),
        ("hours_viewed", 1234.56, "1,234.6"),
        ("avg_assessment_score", float("nan"), "none"),
        ("last_view_date", pd.Timestamp("2017-05-02"), "2017-05-02"),
        ("started_at", pd.Timestamp("2017-05-02 10:03:04"), "2017-05-02 10:03"),
        ("started_at", pd.NaT, "none"),
        ("label", "sql", "sql"),
        ("label", None, "none"),
    ],
)
def test_values_are_formatted_by_the_names_of_their_columns(name, value, text):
    assert formatted(name, value) == text


def test_reasons_are_sentences_in_which_names_are_escaped():
    assert wording.reason("courses", "sql-1", 42, 77) == r"both viewed **sql\-1**"
    assert wording.reason("next_courses", "x", 42, 77) == "77 viewed **x**, predicted next for 42"
    assert wording.reason("taken_courses", "x", 42, 77) == "42 viewed **x**, predicted next for 77"
    assert wording.reason("job_titles", "a", 42, 77) == "both have **a** (job titles)"


def test_facets_are_called_the_same_here_and_on_the_page_of_the_api():
    page = (ROOT / "python" / "kindred" / "api" / "static" / "page.js").read_text(encoding="utf-8")
    labels = dict(re.findall(r'(\w+): "([^"]+)"', re.search(r"FACET_LABELS = \{(.+?)\};", page, re.DOTALL)[1]))
    before_and_after = re.findall(
        r"(\w+): \(.*?\) => \[[\"`](.*?)[\"`], [\"`](.*?)[\"`]\]",
        re.search(r"REASON_TEXTS = \{(.+?)\};", page, re.DOTALL)[1],
    )
    assert len(labels) == len(before_and_after) == 10
    for facet, label in labels.items():
        assert wording.facet_title(facet) == label
    for facet, before, after in before_and_after:
        text = f"{before}**x**{after}".replace("${user}", "42").replace("${other}", "77")
        assert wording.sentence(wording.reason(facet, "x", 42, 77)) == text


# How people without one of the three cones see colours, in linear RGB (Machado, Oliveira, Fernandes 2009: A
# physiologically-based model for simulation of color vision deficiency, severity 1).
SEEN_BY = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def lab(colour, seen_by):
    """Return a colour in CIELAB (D65), as people with that colour vision see it."""
    rgb = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(SEEN_BY[seen_by]) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    ratio = xyz / [0.9505, 1, 1.089]
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


@pytest.mark.parametrize("seen_by", SEEN_BY)
def test_colours_differ_for_every_kind_of_colour_vision(seen_by):
    distances = {
        pair: np.linalg.norm(lab(pair[0], seen_by) - lab(pair[1], seen_by))
        for pair in itertools.combinations(colours.CATEGORIES, 2)
    }
    # A trained eye just notices 2.3 (Mahy and others 1994); areas in a chart need several times that.
    assert min(distances.values()) > 10, min(distances.items(), key=lambda item: item[1])


def test_a_category_keeps_its_colour_when_others_are_added():
    assert colours.of_categories(["a", "b"])["b"] == colours.of_categories(["a", "b", "c"])["b"]
    many = colours.of_categories([str(number) for number in range(12)])
    assert many["10"] == many["0"]
