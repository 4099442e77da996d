"""One project through its life: the first build and its truth, builds that fail or are killed, and the next ones.

The fixtures are a chain, each command after the one before in the same copy, because that is what a folder goes
through. What a build published is opened when it is new and stays open: tests of it read what it was then, and these
connections are the readers that no later build may disturb.
"""

import csv
import gzip
import json
import math
import os
import re
import shutil
import signal
import statistics
import subprocess
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import pytest
from project import (
    BIN,
    DIFFERENT_IN_EVERY_BUILD,
    INPUTS,
    ROOT,
    Project,
    assert_closest_users_are_exact,
    clean_environment,
    course_weights,
    evidence_shares,
    fingerprints,
    rows_of,
    succeeded,
)

USERS = 600
TOP_K = 20
NEXT_COURSES = 30
MAX_SHARE = 0.10


@dataclass(frozen=True)
class State:
    """What a project holds after a successful build."""

    manifest: dict
    file: str
    """The file that the published name points to."""
    files: list[str]
    """All that is in the folder of the published file."""
    connection: duckdb.DuckDBPyConnection
    """Opened when it was new."""
    marts: dict[str, tuple]
    """Fingerprints of what was published."""
    inputs: dict[str, tuple]
    """Fingerprints of the tables of the inputs as they were read."""
    evidence: dict[str, dict[tuple, float]]
    """What profiles are made of: occurrences by facet, then user, course (none if it is no view) and feature."""
    built_columns: dict[tuple[str, str], dict[str, tuple]]
    """Type and comment of every column by schema and table, in the database that dbt builds in."""


def state_of(project, outcome):
    succeeded(outcome)
    with project.open_build() as build:
        inputs = fingerprints(build, "raw")
        evidence = defaultdict(dict)
        for facet, user, course, feature, occurrences in rows_of(
            build,
            "select facet, user_handle, course_id, feature, occurrences "
            "from intermediate.int_evidence inner join intermediate.int_users using (user_number)",
        ):
            evidence[facet][user, course, feature] = occurrences
        columns = columns_by_table(build)
    connection = project.open_published()
    return State(
        json.loads((project.folder / "target" / "manifest.json").read_text()),
        project.published.name,
        files_beside(project.warehouse),
        connection,
        fingerprints(connection),
        inputs,
        evidence,
        columns,
    )


def columns_by_table(connection):
    columns = defaultdict(dict)
    for schema, table, column, data_type, comment in rows_of(
        connection,
        "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() where not internal",
    ):
        columns[schema, table][column] = (data_type.lower(), comment)
    return dict(columns)


def files_beside(file):
    return sorted(path.name for path in file.parent.iterdir())


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def declared(manifest, *kinds):
    """Return the models, or seeds, of the project."""
    return [node for node in manifest["nodes"].values() if node["resource_type"] in kinds]


def marts_of(manifest):
    return {node["name"] for node in declared(manifest, "model") if node["fqn"][1] == "marts"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def topics(project, tmp_path_factory):
    """Write the inputs and return each user's latent topics."""
    path = tmp_path_factory.mktemp("truth") / "truth.csv"
    project.write_sample(USERS, path)
    topics = defaultdict(set)
    for row in read_csv(path):
        topics[int(row["user_handle"])].add(row["topic"])
    return topics


@pytest.fixture(scope="module")
def inputs(project, topics):
    return {name: read_csv(project.folder / "seeds" / f"{name}.csv") for name in INPUTS}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def first(project, topics, home):
    """Build in a fresh copy, as after a clone."""
    assert not (project.folder / "target").exists()
    return state_of(project, project.dbt("build", HOME=str(home)))


@pytest.fixture(scope="module")
def killed(project, first):
    """Kill a build while it makes tables and another while it publishes; return what is published after each."""
    log = project.folder / "logs" / "dbt.log"
    log.unlink()
    clustering = "START python kindred_table model intermediate.int_user_clusters"
    building = project.kill_dbt_when(lambda: log.exists() and clustering in log.read_text(), "build")
    states = [(project.published.name, files_beside(project.warehouse))]
    publishing = project.kill_dbt_when(
        lambda: any(project.warehouse.parent.glob("*.part")), "run", "--select", "publication"
    )
    states.append((project.published.name, files_beside(project.warehouse)))
    # Else they were over before they were killed, and the tests would say nothing.
    assert (building, publishing) == (-signal.SIGKILL, -signal.SIGKILL)
    return states


@pytest.fixture(scope="module")
def failed(project, killed):
    """Build where a test fails of a mart that no other mart reads: the publication alone depends on it."""
    failing_test = project.folder / "tests" / "users_are_wrong.sql"
    failing_test.write_text("select user_handle from {{ ref('user_map') }} limit 1\n")
    outcome = project.dbt("build", "--select", "user_map", "publication")
    failing_test.unlink()
    return outcome, project.published.name


@pytest.fixture(scope="module")
def second(project, failed, first):
    """Publish the same tables again beside two older files, one of which no build has made."""
    for number, name in enumerate(["kindred-20200101T000000Z-0123abcd.duckdb", "kindred-backup.duckdb"]):
        file = project.warehouse.with_name(name)
        shutil.copy(project.published, file)
        os.utime(file, (number, number))
    return state_of(project, project.dbt("run", "--select", "build_info", "test_results", "publication"))


@pytest.fixture(scope="module")
def in_other_formats(project, first, second):
    """Build the same data from a folder that holds it in other formats, dialects and orders of columns.

    Return what it gave, and what a reader of the first version read all the while.
    """
    seeds, folder = project.folder / "seeds", project.folder.parent / "the owner's files"
    folder.mkdir()
    with gzip.open(folder / "course_tags.csv.gz", "wb") as file:
        file.write((seeds / "course_tags.csv").read_bytes().replace(b"\n", b"\r\n"))
    duckdb.sql(
        # Typed as Parquet files are, and in another order; an extra column is nobody's business.
        f"""
        copy (
            select view_date, 1 as extra, course_id, view_time_seconds, level, author_handle, user_handle
            from read_csv('{seeds / "user_course_views.csv"}')
        ) to '{str(folder).replace("'", "''")}/user_course_views.parquet'
        """
    )
    with open(folder / "user_interests.csv", "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(["Date_Followed", "note", "USER_HANDLE", "interest_tag"])
        for row in read_csv(seeds / "user_interests.csv"):
            writer.writerow([row["date_followed"], 'a note, with a "quote"', row["user_handle"], row["interest_tag"]])
    with open(folder / "user_assessment_scores.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        rows = read_csv(seeds / "user_assessment_scores.csv")
        writer.writerows([rows[0].keys(), *(row.values() for row in rows)])
    # Nothing may come from the seeds, or this would pass whatever the folder holds.
    for name in INPUTS:
        file = seeds / f"{name}.csv"
        file.write_text(file.read_text().splitlines()[0] + "\n")
    answers = set()
    with ThreadPoolExecutor() as pool:
        build = pool.submit(project.dbt, "build", KINDRED_DATA_DIR=f"../{folder.name}")
        while not build.done():
            answers.add(rows_of(first.connection, "select version, (select count(*) from users) from build_info")[0])
            time.sleep(0.1)
    return state_of(project, build.result()), answers


@pytest.fixture(scope="module")
def third(in_other_formats):
    state, _ = in_other_formats
    return state


@pytest.fixture(scope="module")
def part_built(project, third):
    return project.dbt("build", "--select", "users"), project.published.name


@pytest.fixture(scope="module")
def built_empty(project, part_built):
    outcome = project.dbt("build", "--empty")
    with project.open_published() as connection:
        return outcome, fingerprints(connection)


# The first build


def test_the_first_build_succeeds_and_points_the_published_name_to_a_file_of_its_version(first, project):
    ((version,),) = rows_of(first.connection, "select version from build_info")
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", version)
    assert first.files == [f"kindred-{version}.duckdb", "kindred.duckdb"]
    assert project.warehouse.is_symlink()
    assert first.file == f"kindred-{version}.duckdb"


def test_the_published_name_is_relative_so_that_the_folder_can_be_moved(first, project):
    assert os.sep not in os.readlink(project.warehouse)


def test_exactly_the_marts_are_published(first):
    published = rows_of(
        first.connection,
        "select table_schema, table_name from information_schema.tables where table_catalog = current_database()",
    )
    assert len(published) > 10
    assert set(published) == {("main", name) for name in marts_of(first.manifest)}


def test_the_publication_waits_for_every_mart(first):
    awaited, found = set(), ["model.kindred.publication"]
    while found:
        node = first.manifest["nodes"][found.pop()]
        found += {name for name in node["depends_on"]["nodes"] if name.startswith("model.")} - awaited
        awaited |= set(node["depends_on"]["nodes"])
    assert marts_of(first.manifest) <= {node.removeprefix("model.kindred.") for node in awaited}


def test_every_column_is_declared_and_every_declared_column_exists_with_its_type(first):
    built = {
        table: {column: data_type for column, (data_type, _) in columns.items()}
        for table, columns in first.built_columns.items()
        if table != ("main_tests", "log")  # what tests write while they run, which no node of dbt's is
    }
    nodes = [
        node for node in declared(first.manifest, "model", "seed") if node["config"]["materialized"] != "ephemeral"
    ]
    assert built == {
        (node["schema"], node["name"]): {
            column["name"]: (column["data_type"] or "not declared").lower() for column in node["columns"].values()
        }
        for node in nodes
    }


def test_the_published_columns_are_those_that_were_built(first):
    published = columns_by_table(first.connection)
    assert published == {table: first.built_columns[table] for table in published}
    assert len(published) == len(marts_of(first.manifest))


def test_every_published_table_and_column_carries_its_description(first):
    comments = dict(
        rows_of(
            first.connection,
            "select table_name, comment from duckdb_tables() union all "
            "select view_name, comment from duckdb_views() where not internal",
        )
    )
    columns = columns_by_table(first.connection)
    for node in declared(first.manifest, "model"):
        if node["fqn"][1] == "marts":
            assert comments[node["name"]] == node["description"].strip()
            assert {name: comment for name, (_, comment) in columns["main", node["name"]].items()} == {
                name: column["description"].strip() for name, column in node["columns"].items()
            }


def test_nothing_is_written_outside_target_logs_and_warehouse(first, home, project):
    assert list(home.rglob("*")) == []
    written = {path.name for path in project.folder.iterdir()}
    assert written - {"analyses", "models", "macros", "seeds", "tests", "docs"} == {
        "dbt_project.yml",
        "profiles.yml",
        "selectors.yml",
        "target",
        "logs",
        "warehouse",
    }


def test_the_look_up_shows_the_closest_users_that_were_published(first, project):
    shown = subprocess.run(
        [BIN / "kindred", "similar", "--limit", "3", "--format", "json"],
        cwd=project.folder,
        env=clean_environment(),
        capture_output=True,
        check=True,
    )
    assert [
        (row["rank"], row["similar_user_handle"], row["similarity"]) for row in json.loads(shown.stdout)
    ] == rows_of(
        first.connection,
        """
        select rank, similar_user_handle, round(similarity, 9)
        from similar_users
        where user_handle = (select min(user_handle) from similar_users) and rank <= 3
        order by rank
        """,
    )


# The truth of what is published


@pytest.mark.parametrize("name", INPUTS)
def test_every_row_of_a_file_is_accounted_for(first, inputs, name):
    rows = [tuple(row.values()) for row in inputs[name]]
    # A view can be repeated; to follow a tag or take an assessment twice in the same second is a repeated delivery.
    kept = len(rows) if name == "user_course_views" else len(set(rows))
    assert len(rows) > 100
    assert rows_of(
        first.connection,
        f"select rows_read, rows_kept, rows_folded, rows_rejected from input_files where file = '{name}'",
    ) == [(len(rows), kept, len(rows) - kept, 0)]


def test_users_are_those_in_any_file(first, inputs):
    named = {int(row["user_handle"]) for name in INPUTS if name != "course_tags" for row in inputs[name]}
    assert len(named) > USERS / 2
    assert [handle for (handle,) in rows_of(first.connection, "select user_handle from users")] == sorted(named)


def test_courses_of_users_have_the_views_of_the_file(first, inputs):
    views, seconds = Counter(), Counter()
    for row in inputs["user_course_views"]:
        pair = int(row["user_handle"]), row["course_id"]
        views[pair] += 1
        seconds[pair] += float(row["view_time_seconds"])
    assert max(views.values()) > 1
    listed = rows_of(
        first.connection, "select user_handle, course_id, total_views, total_view_seconds from user_courses"
    )
    assert {(user, course): views for user, course, views, _ in listed} == dict(views)
    assert {(user, course): total for user, course, _, total in listed} == pytest.approx(dict(seconds))
    assert len(listed) == len(views)


def test_weights_of_courses_follow_their_definition(first, inputs):
    courses = evidence_shares(
        (int(row["user_handle"]), row["course_id"], float(row["view_time_seconds"]))
        for row in inputs["user_course_views"]
    )
    expected = course_weights(courses, weight_share=0.65 / 1.36, confidence_prior=5)
    listed = rows_of(first.connection, "select user_handle, feature, weight from user_features where facet = 'courses'")
    assert {(user, course): weight for user, course, weight in listed} == pytest.approx(expected)


def test_evidence_of_views_keeps_its_course_and_other_evidence_has_none(first, inputs):
    views, seconds, properties = Counter(), Counter(), {}
    for row in inputs["user_course_views"]:
        pair = int(row["user_handle"]), row["course_id"]
        views[pair] += 1
        seconds[pair] += float(row["view_time_seconds"])
        properties[row["course_id"]] = row["author_handle"], row["level"]
    by_user = defaultdict(list)
    for (user, _), total in seconds.items():
        by_user[user].append(total)
    shares = evidence_shares((user, course, total) for (user, course), total in seconds.items())
    medians = {user: statistics.median(totals) for user, totals in by_user.items()}
    canonical = dict(
        rows_of(first.connection, "select raw_tag, canonical_tag from tag_map where vocabulary = 'course'")
    )
    tags = defaultdict(set)
    for row in inputs["course_tags"]:
        if row["course_tags"]:
            tags[row["course_id"]].add(canonical[row["course_tags"]])
    expected = {
        "courses": {(user, course, course): shares[user][course] for user, course in views},
        "taken_courses": {(user, course, course): 1 for user, course in views},
        "authors": {(user, course, properties[course][0]): shares[user][course] for user, course in views},
        "levels": {(user, course, properties[course][1]): shares[user][course] for user, course in views},
        "course_tags": {
            (user, course, tag): shares[user][course] / len(tags[course])
            for user, course in views
            for tag in tags[course]
        },
        "view_time": {(user, course, course): min(seconds[user, course] / medians[user], 4) for user, course in views},
    }
    for facet, occurrences in expected.items():
        assert first.evidence[facet] == pytest.approx(occurrences), facet
    others = first.evidence.keys() - expected.keys()
    assert others == {"interests", "assessments", "next_courses"}
    assert {course for facet in others for _, course, _ in first.evidence[facet]} == {None}


def test_next_courses_are_those_to_which_the_users_own_lead(first, inputs):
    taken = defaultdict(set)
    for row in inputs["user_course_views"]:
        taken[int(row["user_handle"])].add(row["course_id"])
    leads = defaultdict(dict)
    for course, following, strength in rows_of(
        first.connection, "select course_id, next_course_id, strength from course_relations"
    ):
        leads[course][following] = strength
    expected = {}
    for user, courses in taken.items():
        sums = Counter()
        for course in courses:
            sums.update(leads[course])
        # Strengths have nine decimals, and so have their sums.
        left = {following: round(strength, 9) for following, strength in sums.items() if following not in courses}
        for following in sorted(left, key=lambda course: (-left[course], course))[:NEXT_COURSES]:
            expected[user, None, following] = left[following]
    assert len(expected) > USERS
    assert first.evidence["next_courses"] == pytest.approx(expected)


def test_similar_users_are_those_of_a_comparison_of_all_with_all(first):
    assert_closest_users_are_exact(first.connection, TOP_K)


def test_cosine_similarity_is_the_plain_cosine_of_what_users_have(first, inputs):
    canonical = {
        (vocabulary, raw): tag
        for vocabulary, raw, tag in rows_of(first.connection, "select vocabulary, raw_tag, canonical_tag from tag_map")
    }
    owned = defaultdict(set)
    for row in inputs["user_course_views"]:
        owned[int(row["user_handle"])].add(("course", row["course_id"]))
    for row in inputs["user_interests"]:
        owned[int(row["user_handle"])].add(("interest", canonical["interest", row["interest_tag"]]))
    for row in inputs["user_assessment_scores"]:
        owned[int(row["user_handle"])].add(("assessment", canonical["assessment", row["assessment_tag"]]))
    listed = {
        (user, other): cosine
        for user, other, cosine in rows_of(
            first.connection, "select user_handle, similar_user_handle, cosine_similarity from similar_users"
        )
    }
    assert listed == pytest.approx(
        {
            (user, other): len(owned[user] & owned[other]) / math.sqrt(len(owned[user]) * len(owned[other]))
            for user, other in listed
        }
    )


def test_reasons_sum_to_the_similarity_of_every_listed_pair(first):
    unexplained = rows_of(
        first.connection,
        """
        with sums as (
            select user_handle, similar_user_handle, sum(contribution) as similarity
            from similar_user_reasons
            group by all
        )
        select count(*), count(*) filter (where abs(coalesce(sums.similarity, 0) - listed.similarity) < 1e-9)
        from similar_users as listed
        full join sums using (user_handle, similar_user_handle)
        """,
    )
    pairs = first.marts["similar_users"][0]
    assert unexplained == [(pairs, pairs)]


def test_no_cluster_is_above_its_share(first):
    sizes = Counter(cluster for (cluster,) in rows_of(first.connection, "select cluster_id from users"))
    del sizes[-1]
    assert len(sizes) > 3
    assert max(sizes.values()) <= MAX_SHARE * USERS
    assert dict(rows_of(first.connection, "select cluster_id, users from clusters")) == sizes


def test_neighbours_share_a_latent_topic_far_more_often_than_chance(first, topics):
    closest = rows_of(first.connection, "select user_handle, similar_user_handle from similar_users where rank <= 5")
    users = [user for (user,) in rows_of(first.connection, "select user_handle from users")]

    def share_with_topic(pairs):
        return sum(bool(topics[one] & topics[other]) for one, other in pairs) / len(pairs)

    by_chance = share_with_topic([(one, other) for one in users for other in users if one < other])
    assert share_with_topic(closest) > 0.7
    assert share_with_topic(closest) > 3 * by_chance


def test_the_measures_of_a_build_are_those_of_the_seed(first):
    declared = [row["measure"] for row in read_csv(ROOT / "seeds" / "quality_measures.csv")]
    assert len(declared) == len(set(declared)) >= 20
    measured = {measure for (measure,) in rows_of(first.connection, "select measure from neighbour_quality")}
    assert measured == set(declared)


# Builds that do not finish


def test_a_killed_build_leaves_what_was_published(killed, first):
    (after_building, files), (after_publishing, _) = killed
    assert after_building == after_publishing == first.file
    assert files == first.files


def test_a_build_with_a_failing_test_publishes_nothing(failed, first):
    outcome, published = failed
    assert outcome.exit_status == 1, outcome.output
    assert "Failure in test users_are_wrong" in outcome.output
    assert published == first.file


# The next build


def test_a_reader_reads_on_while_another_build_publishes(first, in_other_formats):
    _, answers = in_other_formats
    assert answers == {(re.search(r"kindred-(.*)[.]duckdb", first.file)[1], first.marts["users"][0])}


def test_a_reader_reads_on_when_its_version_is_removed(first, third):
    assert first.file not in third.files
    assert fingerprints(first.connection) == first.marts


def test_two_versions_are_kept_and_foreign_files_are_left_alone(first, second, third):
    foreign = ["kindred-backup.duckdb", "kindred.duckdb"]
    versions = [file for file in second.files if not file.endswith((".part", ".wal"))]
    assert versions == sorted([first.file, second.file, *foreign])
    versions = [file for file in third.files if not file.endswith((".part", ".wal"))]
    assert versions == sorted([second.file, third.file, *foreign])


def test_what_a_killed_publication_left_is_removed_by_the_next(killed, second):
    _, (_, left) = killed
    assert any(file.endswith(".part") for file in left)
    assert [file for file in second.files if ".part" in file] == []


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_reads_the_same_from_other_formats_dialects_and_orders_of_columns(first, third, name):
    assert third.inputs[name] == first.inputs[name]


def test_the_same_data_gives_the_same_marts_from_a_folder_too(first, third):
    assert third.file != first.file
    assert third.marts | DIFFERENT_IN_EVERY_BUILD == first.marts | DIFFERENT_IN_EVERY_BUILD


def test_a_build_of_a_part_publishes_nothing(part_built, third):
    outcome, published = part_built
    succeeded(outcome)
    assert published == third.file


def test_an_empty_build_is_green(built_empty):
    outcome, _ = built_empty
    succeeded(outcome)


def test_an_empty_build_does_not_replace_what_is_published(built_empty, third):
    _, marts = built_empty
    assert marts == third.marts


def test_unit_tests_are_green(project, built_empty):
    outcome = succeeded(project.dbt("test", "--select", "test_type:unit"))
    assert re.search(r"PASS=[1-9]\d+ WARN=0 ERROR=0 SKIP=0", outcome.output)
