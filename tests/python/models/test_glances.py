"""A glance at a course counts less than a view of it: in the profile, in the lists, and for a posted profile."""

import csv

import pytest
from project import Project, rows_of, succeeded

from kindred.fold_in.activity import Activity
from kindred.fold_in.profile_space import ProfileSpace

HOUR, GLANCE = "viewed-for-an-hour", "glanced-at"
USUAL, ONLY_BOTH, MOSTLY_GLANCES = 1, 2, 3
SHARE_HOUR, SHARE_GLANCE = range(11, 15), range(21, 25)
"""Users who viewed one of the two courses for an hour, and as many courses besides."""


def views():
    """Yield (user, course, seconds): each of the two courses has the same viewers in number, times and courses."""
    for user in (USUAL, ONLY_BOTH, MOSTLY_GLANCES):
        yield from ((user, HOUR, 3600), (user, GLANCE, 150))
    for number, seconds in enumerate((900, 1800, 2700, 3600, 5400)):
        yield USUAL, f"usual-{number}", seconds
    for user in (*SHARE_HOUR, *SHARE_GLANCE):
        for seconds in (900, 2700):
            yield user, f"own-{user}-{seconds}", seconds
    for number in range(5):
        yield MOSTLY_GLANCES, f"brief-{number}", 100
    yield from ((user, HOUR, 3600) for user in SHARE_HOUR)
    yield from ((user, GLANCE, 3600) for user in SHARE_GLANCE)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("glances"))
    project.write_sample(10)
    seeds = project.folder / "seeds"
    for name in ("user_assessment_scores", "user_interests"):
        path = seeds / f"{name}.csv"
        path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    with (seeds / "user_course_views.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["user_handle", "view_date", "course_id", "author_handle", "level", "view_time_seconds"])
        for user, course, seconds in views():
            writer.writerow([user, "2017-06-01", course, "", "", seconds])
    succeeded(project.dbt("build", "--vars", "{quality_splits: 0}"))
    return project


@pytest.fixture(scope="module")
def published(project):
    with project.open_published() as connection:
        yield connection


@pytest.mark.parametrize("user", [USUAL, ONLY_BOTH, MOSTLY_GLANCES])
@pytest.mark.parametrize("facet", ["courses", "view_time"])
def test_an_hour_outweighs_a_glance_in_the_profile(published, user, facet):
    weights = dict(
        rows_of(
            published, f"select feature, weight from user_features where user_handle = {user} and facet = '{facet}'"
        )
    )
    assert weights[HOUR] > 1.5 * weights[GLANCE]


@pytest.mark.parametrize("user", [USUAL, ONLY_BOTH, MOSTLY_GLANCES])
def test_who_shares_the_hour_is_closer_than_who_shares_the_glance(published, user):
    listed = [
        other
        for (other,) in rows_of(
            published, f"select similar_user_handle from similar_users where user_handle = {user} order by rank"
        )
        if other in (*SHARE_HOUR, *SHARE_GLANCE)
    ]
    assert set(listed[: len(SHARE_HOUR)]) == set(SHARE_HOUR)
    assert len(listed) > len(SHARE_HOUR)


@pytest.mark.parametrize("user", [USUAL, ONLY_BOTH, MOSTLY_GLANCES])
def test_a_posted_profile_has_the_same_weights(published, user):
    seconds = {course: time for viewer, course, time in views() if viewer == user}
    weights = rows_of(
        published,
        f"select feature_id, weight from user_features where user_handle = {user} and facet <> 'cluster'",
    )
    assert ProfileSpace.read(published).encode(Activity(courses=seconds)).features == pytest.approx(dict(weights))
