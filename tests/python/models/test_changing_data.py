"""A platform that goes on: later builds keep frozen statistics and compare only those again who have changed."""

import csv
import re

import duckdb
import numpy as np
import pytest
from project import DIFFERENT_IN_EVERY_BUILD, Project, fingerprints, rows_of, succeeded

USERS = 3500  # enough for the compiled kernels
KEEPING = ("--vars", "{freeze_statistics_days: 7, quality_splits: 0}")
OF_USERS = ("user_course_views", "user_interests", "user_assessment_scores")


def build(project, *arguments):
    """Return when the published statistics were computed, and how many users of how many have changed."""
    outcome = succeeded(project.dbt("build", *KEEPING, *arguments))
    changed = re.search(r"The profiles of ([\d,]+) of ([\d,]+) users have changed", outcome.output)
    return computed_at(project), changed and tuple(int(count.replace(",", "")) for count in changed.groups())


def computed_at(project):
    with project.open_published() as connection:
        return rows_of(connection, "select statistics_computed_at from build_info")[0][0]


def edit_inputs(folder, rng):
    """Do a day's work: users leave, forget, do more, and come. Return how many there are then, and how many did any."""
    inputs = {}
    for name in OF_USERS:
        with open(folder / f"{name}.csv", encoding="utf-8", newline="") as file:
            inputs[name] = list(csv.DictReader(file))
    handles = sorted({int(row["user_handle"]) for rows in inputs.values() for row in rows})
    gone, busy, forgetful = np.split(rng.choice(handles, 60, replace=False), [15, 45])
    come = max(handles) + rng.choice(1000, 10, replace=False)
    for name, rows in inputs.items():
        own = [row for row in rows if int(row["user_handle"]) not in gone]
        kept = [row for row in own if int(row["user_handle"]) not in forgetful or rng.random() < 0.7]
        donors = rng.choice(len(rows), 5 * (len(busy) + len(come)))
        news = [
            rows[donor] | {"user_handle": str(user)}
            for user, donor in zip(np.repeat([*busy, *come], 5), donors, strict=True)
        ]
        with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(kept + news)
    return len(handles) - len(gone) + len(come), len(busy) + len(forgetful) + len(come)


def forget_lists(project):
    """Take away what the next build would refresh, and none of the frozen statistics."""
    with duckdb.connect(project.folder / "target" / "kindred_build.duckdb") as connection:
        connection.execute("drop table intermediate.int_candidates")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A project that was built once, and when it computed its statistics."""
    project = Project(tmp_path_factory.mktemp("small"))
    project.write_sample(150)
    return project, build(project)[0]


@pytest.mark.proof
def test_a_refreshed_build_is_one_of_all_users_with_the_same_weights(tmp_path):
    project = Project(tmp_path)
    project.write_sample(USERS)
    first, nothing = build(project)
    assert nothing is None
    users, active = edit_inputs(project.folder / "seeds", np.random.default_rng(1))
    again, (changed, of_users) = build(project)
    assert again == first
    # A user who did something new has a different profile; nobody else has.
    assert of_users == users
    assert 0.5 * active < changed <= active
    with project.open_build() as connection:
        # Lists that somebody left are shorter, where all were found anew they would not be.
        ((shorter,),) = rows_of(
            connection,
            "select count(*) from intermediate.int_candidates where not is_complete and len(scores) < 116",
        )
        assert shorter > 0
    with project.open_published() as connection:
        refreshed = fingerprints(connection)

    forget_lists(project)
    assert build(project) == (first, None)
    with project.open_published() as connection:
        assert refreshed | DIFFERENT_IN_EVERY_BUILD == fingerprints(connection) | DIFFERENT_IN_EVERY_BUILD


def test_statistics_are_frozen_until_a_full_refresh(small):
    project, first = small
    assert build(project) == (first, (0, 150))
    anew, changed = build(project, "--full-refresh")
    assert anew > first
    assert changed is None


@pytest.mark.proof
def test_statistics_are_not_frozen_after_a_build_that_stopped_half_way(small):
    project, _ = small
    before = computed_at(project)
    succeeded(project.dbt("build", *KEEPING, "--select", "int_frozen_statistics"))
    assert build(project)[0] > before


@pytest.mark.proof
def test_statistics_are_frozen_for_the_same_settings_and_with_the_var_only(small):
    project, _ = small
    before = computed_at(project)
    other = "quality_splits: 0, next_max_courses: 5"
    with_other, (changed, users) = build(project, "--vars", f"{{freeze_statistics_days: 7, {other}}}")
    assert with_other > before
    assert changed > 0.5 * users
    assert build(project, "--vars", f"{{{other}}}")[0] > with_other
