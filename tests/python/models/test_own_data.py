"""A platform with UUIDs, names of authors, times with offsets and no assessments, beside the same one in numbers."""

import csv
import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from project import INPUTS, Project, rows_of, succeeded

OFFSETS = (timedelta(hours=-7), timedelta(0), timedelta(hours=2), timedelta(hours=5, minutes=30))


def read(file):
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write(file, rows, names):
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, names)
        writer.writeheader()
        writer.writerows(rows)


def with_offset(text, rng):
    """Return a time, or noon of a day, as the clocks of some place show it."""
    at = datetime.fromisoformat(text if " " in text else f"{text} 12:00:00").replace(tzinfo=UTC)
    return at.astimezone(timezone(rng.choice(OFFSETS))).isoformat()


@pytest.fixture(scope="module")
def platforms(tmp_path_factory):
    """Build one platform in numbers and one in UUIDs; return their projects, and the UUID of each number."""
    built, files = {}, {}
    for handles in ("number", "uuid"):
        project = built[handles] = Project(tmp_path_factory.mktemp(handles))
        project.write_sample(1)  # dbt needs the seeds, even if it reads a folder
        folder = project.folder / "platform"
        project.printed_by("kindred", "sample", "--users", "150", "--handles", handles, "--out", str(folder))
        files[handles] = {name: read(folder / f"{name}.csv") for name in INPUTS}
        write(folder / "user_assessment_scores.csv", [], files[handles]["user_assessment_scores"][0])
        rng = random.Random(1)
        for name, column in (("user_course_views", "view_date"), ("user_interests", "date_followed")):
            rows = files[handles][name]
            if handles == "uuid":
                rows = [row | {column: with_offset(row[column], rng)} for row in rows]
            write(folder / f"{name}.csv", rows, rows[0])
        succeeded(project.dbt("build", KINDRED_DATA_DIR=str(folder), TZ="Pacific/Auckland"))
    texts = {
        int(number["user_handle"]): text["user_handle"]
        for name in ("user_course_views", "user_interests")
        for number, text in zip(files["number"][name], files["uuid"][name], strict=True)
    }
    return built, texts


def rows(project, query):
    with project.open_published() as connection:
        return rows_of(connection, query)


def test_the_build_says_what_handles_are(platforms):
    query = "select handle_type, author_handle_type from build_info"
    assert [rows(project, query) for project in platforms[0].values()] == [[("number", "number")], [("text", "text")]]


def test_everybody_has_the_same_similar_users(platforms):
    built, texts = platforms
    query = "select user_handle, similar_user_handle, similarity from similar_users"
    expected = {
        (texts[user], texts[other]): pytest.approx(similarity, abs=1e-12)
        for user, other, similarity in rows(built["number"], query)
    }
    found = {(user, other): similarity for user, other, similarity in rows(built["uuid"], query)}
    # A tie for the last place is broken by a hash of the handles, which differ.
    kept = {pair: found[pair] for pair in expected.keys() & found.keys()}
    assert len(expected) > 2000
    assert len(kept) > 0.99 * len(expected)
    assert kept == {pair: expected[pair] for pair in kept}


def test_days_and_times_are_the_same(platforms):
    built, texts = platforms
    for query in (
        "select user_handle, course_id, first_view_date, last_view_date from user_courses",
        "select user_handle, null, first_followed_at, last_followed_at from users",
    ):
        expected = {(texts[user], *rest) for user, *rest in rows(built["number"], query)}
        assert set(rows(built["uuid"], query)) == expected


def test_what_cannot_be_measured_says_why(platforms):
    query = "select distinct missing_reason from neighbour_quality where value is null"
    for project in platforms[0].values():
        assert rows(project, query) == [("No user has evidence of the facet assessments.",)]
