"""The command evaluate on a build with poor weights, so that other weights gain.

The level of courses counts for almost everything, courses and their tags for almost nothing.
"""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys

import duckdb
import pytest
import yaml
from click.testing import CliRunner
from project import BIN, Project, clean_environment, rows_of, succeeded

from kindred.cli import main

SEED, SPLITS = 4, 2
OVERRIDES = {
    "courses": {"weight": 0.001, "confidence_prior": 4},
    "course_tags": {"weight": 0.001},
    "interests": {"weight": 0},
    "levels": {"weight": 5},
}
WITH_WEIGHT = ("courses", "course_tags", "assessments", "next_courses", "view_time", "authors", "levels", "cluster")
NDCG = "hold_out_ndcg_at_20"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("evaluate"))
    project.write_sample(200)
    return project


def run_dbt(project, command, overrides, *arguments):
    settings = {"facet_overrides": overrides, "quality_seed": SEED, "quality_splits": SPLITS}
    succeeded(project.dbt(command, "--vars", yaml.safe_dump(settings), *arguments))


@pytest.fixture(scope="module")
def built(project, tmp_path_factory):
    """Return a copy of the build under another name; later builds do not change it."""
    run_dbt(project, "build", OVERRIDES)
    return shutil.copy(
        project.folder / "target" / "kindred_build.duckdb", tmp_path_factory.mktemp("copy") / "built.duckdb"
    )


@pytest.fixture(scope="module")
def facets(built):
    """Return the weight of every facet."""
    with duckdb.connect(built, read_only=True) as connection:
        return dict(rows_of(connection, "select facet, weight from facets"))


@pytest.fixture(scope="module")
def quality(built):
    """Return (value, interval_low, interval_high) for all facets, by measure."""
    with duckdb.connect(built, read_only=True) as connection:
        return {
            name: values
            for name, *values in rows_of(
                connection,
                "select measure, value, interval_low, interval_high from neighbour_quality "
                "where variant = 'all_facets'",
            )
        }


def run(*arguments):
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def table_of(text):
    """Return the rows of the first printed table as dicts by its header."""
    lines = text.splitlines()
    rule = next(number for number, line in enumerate(lines) if re.fullmatch(r"-+( +-+)+", line))
    spans = [match.span() for match in re.finditer("-+", lines[rule])]

    def cells(line):
        return [line[start:stop].strip() for start, stop in spans]

    body = lines[rule + 1 :]
    stop = body.index("") if "" in body else len(body)
    return [dict(zip(cells(lines[rule - 1]), cells(line), strict=True)) for line in body[:stop]]


@pytest.fixture(scope="module")
def improved(built):
    """Try weights that gain much, with the courses hidden that the build hides."""
    arguments = ("--weight", "levels=0.00005,5", "--seed", SEED, "--splits", SPLITS, "--build", built)
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result


# --- printed output ----------------------------------------------------------------------------------------


def test_the_weights_in_place_and_each_tried_have_one_line(improved):
    in_place, tried = table_of(improved.stdout)
    assert (in_place["weights"], tried["weights"]) == ("in place", "levels 5e-05")
    assert (in_place["gain"], in_place["95% interval of gain"]) == ("", "")
    assert float(tried["gain"]) == pytest.approx(float(tried["NDCG@20"]) - float(in_place["NDCG@20"]), abs=2e-4)
    low, high = map(float, tried["95% interval of gain"].split(" to "))
    assert 0 < low < float(tried["gain"]) < high
    assert improved.stderr == ""


def test_the_weights_in_place_measure_what_the_build_did_on_the_same_hidden_courses(improved, quality):
    in_place = table_of(improved.stdout)[0]
    value, low, high = quality[NDCG]
    assert in_place["NDCG@20"] == f"{value:.4f}"
    assert in_place["95% interval"] == f"{low:.4f} to {high:.4f}"
    assert in_place["Recall@20"] == f"{quality['hold_out_recall_at_20'][0]:.4f}"
    assert in_place["interest lift"] == f"{quality['interest_overlap_lift'][0]:.2f}"


def test_other_courses_are_hidden_unless_a_seed_is_given(built, quality):
    result = run("--weight", "levels=5", "--format", "json", "--build", built)
    (in_place,) = json.loads(result.stdout)
    assert in_place[NDCG] != pytest.approx(quality[NDCG][0], abs=1e-4)


def test_json_and_csv_hold_the_same_and_nothing_else(built, quality):
    arguments = ("--weight", "authors=0.01", "--weight", "levels=6,50", "--seed", SEED, "--splits", SPLITS)
    as_json = run(*arguments, "--format", "json", "--build", built)
    rows = json.loads(as_json.stdout)
    assert [row["weights"] for row in rows] == ["in place", "authors 0.01, levels 6", "authors 0.01, levels 50"]
    assert [rows[0][NDCG], rows[0][f"{NDCG}_interval_low"], rows[0][f"{NDCG}_interval_high"]] == quality[NDCG]
    assert {
        f"{NDCG}_gain",
        "hold_out_recall_at_20",
        "hubness_skew",
        "users_without_neighbours_share",
        "users_with_tied_neighbours_share",
    } < rows[0].keys()
    as_csv = run(*arguments, "--format", "csv", "--build", built)
    read = list(csv.DictReader(io.StringIO(as_csv.stdout)))
    assert [row.keys() for row in read] == [row.keys() for row in rows]
    for row, expected in zip(read, rows, strict=True):
        assert row == {name: str(value) for name, value in expected.items()}
    # Text for people goes to stderr.
    assert as_json.stderr == as_csv.stderr != ""


def test_weights_that_all_rows_share_are_printed_once(built):
    result = run("--weight", "authors=0.01", "--weight", "levels=6,5,50", "--build", built)
    assert "authors 0.01" in result.stdout.splitlines()[0]
    assert [row["weights"] for row in table_of(result.stdout)] == ["in place", "levels 6", "no other", "levels 50"]


def test_without_weights_each_facet_is_left_out_halved_and_doubled(built, facets):
    result = run("--format", "csv", "--build", built)
    assert result.exit_code == 0, result.output
    tried = {row["weights"] for row in csv.DictReader(io.StringIO(result.stdout))}
    expected = {"in place", "interests 0.05"}
    for name, weight in facets.items():
        if name in ("next_courses", "taken_courses", "interests"):
            continue
        expected |= {f"{name} {value:g}" for value in (0, weight / 2, weight * 2)}
    # Their weight of 0.2 is the largest that is tried: doubled, it would be above.
    assert (facets["next_courses"], facets["taken_courses"], facets["interests"]) == (0.2, 0.2, 0)
    expected |= {f"next_courses {value}, taken_courses {value}" for value in ("0", "0.1")}
    assert tried == expected


def test_facets_that_meet_each_other_move_together(built):
    result = run("--weight", "taken_courses=0.3", "--format", "json", "--build", built)
    weights = json.loads(result.stdout)[1]["weights"]
    assert sorted(weights.split(", ")) == ["next_courses 0.3", "taken_courses 0.3"]


def test_weights_of_a_facet_may_be_given_one_by_one(built):
    result = run("--weight", "levels=4", "--weight", "levels=6", "--format", "json", "--build", built)
    assert [row["weights"] for row in json.loads(result.stdout)] == ["in place", "levels 4", "levels 6"]


def test_weights_that_gain_nothing_are_not_proposed(built):
    result = run("--weight", "levels=50", "--build", built)
    assert result.exit_code == 0
    assert result.stdout.endswith("\nNone of these weights gains beyond chance over the weights in place.\n")
    assert "facet_overrides" not in result.output


def test_missing_values_are_null(built):
    # Without interests and assessments, no user has neighbours that are found without views.
    result = run("--weight", "assessments=0", "--format", "json", "--build", built)
    (_, tried) = json.loads(result.stdout, parse_constant=pytest.fail)
    assert tried["course_overlap_lift"] is None


# --- the proposal ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rebuilt(project, improved):
    """Build with the proposed overrides; return the proposal, the weights and the measures."""
    (line,) = [line for line in improved.stdout.splitlines() if line.startswith("  facet_overrides: ")]
    proposed = yaml.safe_load(line)["facet_overrides"]
    selected = ("int_facets", "facets", "int_hold_out_quality", "neighbour_quality")
    run_dbt(project, "run", OVERRIDES | proposed, "--select", *selected)
    with project.open_build() as connection:
        weights = dict(rows_of(connection, "select facet, weight from facets"))
        measured = {
            (name, variant): value
            for name, variant, value in rows_of(connection, "select measure, variant, value from neighbour_quality")
        }
    return proposed, weights, measured


def test_the_proposal_is_yaml_that_a_build_accepts(rebuilt, facets):
    proposed, weights, _ = rebuilt
    assert proposed == {"levels": {"weight": 0.00005}}
    assert weights == facets | {"levels": 0.00005}


def test_the_proposal_is_compared_with_the_weights_in_place_as_builds_measure_them(improved, rebuilt, quality):
    _, _, measured = rebuilt
    below = improved.stdout.split(" on the courses that neighbour_quality hides:\n\n")[1]
    rows = {(row["measure"], row["variant"]): row for row in table_of(below)}
    assert rows[NDCG, "all_facets"]["in place"] == f"{quality[NDCG][0]:.4f}"
    for place, row in rows.items():
        assert row["proposed"] == f"{measured[place]:.4f}", place
    # Measures that the weights do not change are not shown.
    assert (NDCG, "plain_cosine") not in rows
    assert (NDCG, "all_facets_but_cluster") in rows


# --- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (["course=0.5"], "there is no facet course: the facets are courses, course_tags, interests, "),
        (["courses"], "'courses' is not of the form courses=.5,.65"),
        (["courses="], "'courses=' is not of the form"),
        (["courses=a,b"], "'courses=a,b' is not of the form"),
        (["courses=0.5;0.6"], "is not of the form"),
        (["courses=0.1,-1"], "the weights of courses must be 0 or more"),
        (["courses=nan"], "the weights of courses must be 0 or more"),
        (["levels=inf"], "the weights of levels must be 0 or more"),
        (
            [f"{facet}=0" for facet in WITH_WEIGHT],
            "at least one facet needs a weight above 0",
        ),
    ],
)
def test_weights_that_make_no_sense_are_refused(built, weights, words):
    result = run(*(part for weight in weights for part in ("--weight", weight)), "--build", built)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert words in " ".join(result.stderr.split())
    assert "--weight" in result.stderr


@pytest.mark.parametrize("arguments", [["--splits", 0], ["--seed", -1], ["--format", "xml"]])
def test_wrong_arguments_end_with_status_2(built, arguments):
    assert run(*arguments, "--build", built).exit_code == 2


def assert_refused(result, *words):
    """Assert one sentence with the words on stderr, exit status 2, and no other output."""
    assert result.exit_code == 2
    assert result.stdout == ""
    assert re.match(r"Error: [^\n]+", result.stderr)
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


def test_a_missing_build_is_an_error_that_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_refused(run(), "target/kindred_build.duckdb", "make build", "--build")
    assert_refused(run("--build", "other.duckdb"), "other.duckdb", "make build", "--build")


@pytest.mark.parametrize("content", [b"user_handle,similarity\n1,0.5\n" * 1_000, b"\0" * 20_000])
def test_a_file_that_is_not_a_database_is_refused(tmp_path, content):
    (tmp_path / "notes.duckdb").write_bytes(content)
    assert_refused(run("--build", tmp_path / "notes.duckdb"), "notes.duckdb")


def test_a_folder_is_refused(tmp_path):
    assert_refused(run("--build", tmp_path), str(tmp_path))


def test_a_foreign_database_and_one_without_a_table_are_refused(built, tmp_path):
    with duckdb.connect(tmp_path / "other.duckdb") as connection:
        connection.execute("create table something as select 1 as a")
    assert_refused(run("--build", tmp_path / "other.duckdb"), "other.duckdb", "make build")
    shutil.copy(built, tmp_path / "lacking.duckdb")
    with duckdb.connect(tmp_path / "lacking.duckdb") as connection:
        connection.execute("drop table intermediate.int_viewed_courses")
    assert_refused(run("--build", tmp_path / "lacking.duckdb"), "lacking.duckdb", "make build")


def test_a_build_that_is_running_is_refused(built, tmp_path):
    path = shutil.copy(built, tmp_path / "locked.duckdb")
    # DuckDB lets one process open a file to write, or any number of processes to read.
    hold = f"import duckdb; connection = duckdb.connect({str(path)!r}); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        result = run("--build", path)
        holder.communicate(b"\n")
    assert_refused(result, "locked.duckdb", "a build may be running")


def test_a_build_without_users_to_measure_is_refused(built, tmp_path):
    path = shutil.copy(built, tmp_path / "nobody.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute("delete from intermediate.int_quality_users")
    assert_refused(run("--build", path), "nobody.duckdb", "quality_splits")


def test_a_build_is_only_read(built):
    with open(built, "rb") as file:
        before = file.read()
    run("--weight", "levels=6", "--build", built)
    with open(built, "rb") as file:
        assert file.read() == before


# --- progress ----------------------------------------------------------------------------------------------


def evaluate(folder, errors):
    """Run the command as a person would in the folder of a project, with stderr going to errors."""
    return subprocess.run(
        [BIN / "kindred", "evaluate", "--weight", "levels=6"],
        cwd=folder,
        env=clean_environment() | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        check=True,
    )


def test_progress_is_shown_on_a_terminal_only(project, rebuilt):
    ended = evaluate(project.folder, subprocess.PIPE)
    assert ended.stderr == ""
    assert table_of(ended.stdout)[1]["weights"] == "levels 6"
    terminal, end = os.openpty()
    on_terminal = evaluate(project.folder, end)
    os.close(end)
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert "Weights" in shown
    assert "2/2" in shown
    assert on_terminal.stdout == ended.stdout
