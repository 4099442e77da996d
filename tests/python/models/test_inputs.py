"""What owners of data may deliver: nothing at all, unreadable files, rows that cannot be used and odd headers.

All builds are in one copy, one after the other: what the first publishes is what no bad input may touch.
"""

import shutil

import duckdb
import pytest
from project import INPUTS, Project, fingerprints, rows_of, succeeded

HEADERS = {
    "course_tags": "course_id,course_tags",
    "user_assessment_scores": "user_handle,assessment_tag,user_assessment_date,user_assessment_score",
    "user_course_views": "user_handle,view_date,course_id,author_handle,level,view_time_seconds",
    "user_interests": "user_handle,interest_tag,date_followed",
}


def write_inputs(folder, **lines):
    """Write the four files; an input that is not named has a header only."""
    folder.mkdir()
    for name, header in HEADERS.items():
        write_lines(folder / f"{name}.csv", [header, *lines.get(name, [])])
    return folder


def write_lines(file, lines):
    file.write_bytes(b"".join(line + b"\n" for line in (text(line) for line in lines)))


def text(line):
    return line if isinstance(line, bytes) else line.encode()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("inputs"))
    project.write_sample(users=200)
    return project


# Files that hold nothing


@pytest.fixture(scope="module")
def nothing(project):
    """Build from four files that hold a header only."""
    folder = write_inputs(project.folder.parent / "nothing")
    # A header without an end of line, and one with a byte order mark and the ends of lines of Windows.
    (folder / "course_tags.csv").write_text(HEADERS["course_tags"])
    (folder / "user_interests.csv").write_text("\ufeff" + HEADERS["user_interests"] + "\r\n", newline="")
    succeeded(project.dbt("build", KINDRED_DATA_DIR=str(folder)))
    return project.published


@pytest.fixture(scope="module")
def published(nothing):
    """What no bad input may touch: the published file and the fingerprints of its tables."""
    with duckdb.connect(nothing, read_only=True) as connection:
        return nothing, fingerprints(connection)


def test_files_that_hold_nothing_give_tables_that_hold_nothing(published):
    _, marts = published
    rows = {name: rows for name, (rows, _) in marts.items()}
    assert {name for name, count in rows.items() if count} == {
        "build_info",
        "facets",
        "input_files",
        "neighbour_quality",
        "test_results",
    }
    assert len(rows) > 10
    assert rows["input_files"] == 4


def test_without_evidence_every_measure_says_why_it_is_missing(nothing):
    with duckdb.connect(nothing, read_only=True) as connection:
        reasons = rows_of(connection, "select value, missing_reason from neighbour_quality")
    assert {value for value, _ in reasons} == {None}
    assert {reason for _, reason in reasons} == {
        "There are no users.",
        "No user has similar users.",
        "No two similar users have both viewed courses with tags.",
        "Fewer than two users have viewed courses with tags.",
        "There are fewer than two users.",
        "Fewer than two users have both viewed courses and followed interests.",
    }


# Files that cannot be read


@pytest.fixture(scope="module")
def bad_folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")

    one = write_inputs(folder / "one")
    (one / "course_tags.csv").write_bytes(b"")
    write_lines(one / "user_course_views.csv", [HEADERS["user_course_views"].replace("view_date", "view_day")])
    write_lines(one / "user_interests.csv", ["user_handle,interest_tag", "1,sql"])

    two = write_inputs(folder / "two")
    duckdb.sql("select 'sql' as course_id, 'sql' as course_tags").write_parquet(str(two / "course_tags.parquet"))
    (two / "user_assessment_scores.csv").rename(two / "user_assessment_scores.csv.gz")
    (two / "user_course_views.csv").rename(two / "user_course_views.parquet")
    (two / "user_interests.csv").unlink()
    duckdb.sql("select 1 as user_handle, 'sql' as interest_tag").write_parquet(str(two / "user_interests.parquet"))

    return {"one": one, "two": two}


@pytest.fixture(scope="module")
def outcomes(project, bad_folders, published):
    return {
        name: (project.dbt("build", KINDRED_DATA_DIR=str(folder)), project.published)
        for name, folder in bad_folders.items()
    }


@pytest.mark.parametrize(
    ("folder", "name", "words"),
    [
        pytest.param(
            "one", "course_tags", ["course_tags.csv", "course_id, course_tags", "has none"], id="a file of 0 bytes"
        ),
        pytest.param(
            "one",
            "user_course_views",
            ["Column view_date is missing", "user_course_views.csv", "view_day"],
            id="a renamed column",
        ),
        pytest.param(
            "one",
            "user_interests",
            ["Column date_followed is missing", "user_interests.csv", "user_handle, interest_tag, date_followed"],
            id="a missing column",
        ),
        pytest.param(
            "two",
            "course_tags",
            ["More than one file", "/two/course_tags.csv", "/two/course_tags.parquet"],
            id="two files for one input",
        ),
        pytest.param(
            "two",
            "user_interests",
            ["Column date_followed is missing", "user_interests.parquet", "user_handle, interest_tag, date_followed"],
            id="a Parquet file without a column",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_named_in_one_sentence(outcomes, folder, name, words):
    outcome, _ = outcomes[folder]
    assert outcome.exit_status == 1
    assert "Traceback" not in outcome.output
    (sentence,) = outcome.failure(name)
    assert [word for word in words if word not in sentence] == []
    assert sentence.endswith(".")


@pytest.mark.parametrize("name", ["user_assessment_scores.csv.gz", "user_course_views.parquet"])
def test_a_file_that_is_not_what_its_ending_says_is_named(outcomes, name):
    # The words are DuckDB's own: dbt cannot catch its error to say it in a sentence.
    outcome, _ = outcomes["two"]
    assert outcome.exit_status == 1
    assert "Traceback" not in outcome.output
    assert [line for line in outcome.failure(name.split(".")[0]) if f"/two/{name}" in line]


@pytest.mark.parametrize("folder", ["one", "two"])
def test_files_that_cannot_be_read_leave_what_is_published(outcomes, published, folder):
    file, marts = published
    _, file_afterwards = outcomes[folder]
    assert file_afterwards == file
    with duckdb.connect(file, read_only=True) as connection:
        assert fingerprints(connection) == marts


# Files that are missing


def missing(outcome):
    """Return the sentence of a build that stopped before it parsed."""
    assert outcome.exit_status != 0
    assert "Traceback" not in outcome.output
    assert "Found" not in outcome.output
    return outcome.output.split("Runtime Error\n")[1].strip()


@pytest.mark.parametrize("command", ["build", "seed", "run"])
def test_a_missing_seed_stops_dbt_before_it_parses(project, published, command):
    file, _ = published
    hidden = (project.folder / "seeds" / "user_interests.csv").rename(project.folder / "user_interests.csv")
    # dbt would stumble over this file if it parsed the project.
    broken = project.folder / "models" / "broken.yml"
    broken.write_text("models: [")
    outcome = project.dbt(command)
    broken.unlink()
    hidden.rename(project.folder / "seeds" / "user_interests.csv")
    assert missing(outcome) == (
        "seeds/user_interests.csv is missing: if your platform has nothing of the kind, write user_interests.csv with "
        "the line user_handle,interest_tag,date_followed and no rows; otherwise bring the sample back with `git "
        "checkout seeds`, and set KINDRED_DATA_DIR to the folder of your own files."
    )
    assert project.published == file


def test_all_files_that_a_folder_lacks_are_named_at_once(project, published, tmp_path):
    folder = write_inputs(tmp_path / "some [of] them")
    (folder / "user_interests.csv").unlink()
    (folder / "course_tags.csv").rename(folder / "course_tags.csv.gz")
    (folder / "user_course_views.csv").rename(folder / "user_course_views.txt")
    assert missing(project.dbt("build", KINDRED_DATA_DIR=str(folder))) == (
        f"user_course_views and user_interests are missing in {folder} (KINDRED_DATA_DIR), where a file that ends in "
        ".csv, .csv.gz or .parquet was expected: if your platform has nothing of the kind, write user_course_views.csv "
        f"with the line {HEADERS['user_course_views']} and user_interests.csv with the line "
        f"{HEADERS['user_interests']} and no rows; otherwise put your own file there, or unset KINDRED_DATA_DIR to "
        "build from seeds/."
    )


def test_a_folder_that_is_none_is_named(project, published, tmp_path):
    sentence = missing(project.dbt("build", KINDRED_DATA_DIR=str(tmp_path / "none")))
    assert f"{tmp_path}/none, which is not a folder" in sentence
    assert [name for name in INPUTS if name not in sentence] == []


def test_other_commands_and_other_projects_need_no_files(project, published, tmp_path):
    assert project.dbt("ls", "--select", "users", KINDRED_DATA_DIR=str(tmp_path)).exit_status == 0
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "one.sql").write_text("select 1 as one")
    (tmp_path / "dbt_project.yml").write_text("{name: other, profile: kindred, version: 1.0.0}")
    shutil.copy(project.folder / "profiles.yml", tmp_path)
    (tmp_path / "target").mkdir()
    succeeded(project.dbt("run", "--project-dir", str(tmp_path), "--profiles-dir", str(tmp_path)))


# Rows that cannot be used

COURSE_TAGS = [
    "sql-basics,sql",
    "sql-basics,databases",
    "sql-basics,sql",  # repeated
    "untagged,",
    "python-basics,python,extra",  # 6
    "python-basics",  # 7
    ",python",  # 8
    "python-basics,python",
    "   ,python",  # 10
]
ASSESSMENTS = [
    "1,sql,2017-05-01 10:00:00,100",
    "1,sql,2017-05-01 10:00:00,100",  # repeated
    "1,sql,2017-05-01 10:00:01,100",
    "1,sql,2017-05-02,high",  # 5
    "2,sql,2017-05-02,-3",  # 6
    b"3,caf\xe9,2017-05-02,100",  # 7
    "3,sql,2017-02-29,100",  # 8
    "3,,2017-05-02,100",  # 9
    "3,sql,2017-05-02,",  # 10
    "3,sql,2017-05-02,0",
]
VIEWS = [
    "1,2017-05-01,sql-basics,7,Beginner,30",
    "1,2017-05-01,sql-basics,7,Beginner,30",  # repeated, hence a second view
    "1,2017-05-01,untagged,7,Beginner,0",
    ",2017-05-01,sql-basics,7,Beginner,30",  # 5
    f"{'x' * 201},2017-05-01,sql-basics,7,Beginner,30",  # 6
    " \u00a0,2017-05-01,sql-basics,7,Beginner,30",  # 7
    "2,01/05/2017,sql-basics,7,Beginner,30",  # 8
    "2,2017-05-01,sql-basics,7,Beginner,-30",  # 9
    "2,2017-05-01,sql-basics,7,Beginner,86401",  # 10
    "2,2017-05-01,sql-basics,7,Beginner,1e300",  # 11
    "2,2017-05-01, ,7,Beginner,30",  # 12
    f"2,2017-05-01,untagged,{'x' * 201},Beginner,30",  # an author who cannot be read
    "2,2017-05-01,sql-basics,7,Beginner",  # 14
    "2,2017-05-01,sql-basics,7,Beginner,30,",
    "2.0, 2017-05-01 ,sql-basics,,,86400",
    '2,2017-05-01,"sql-basics,7,Beginner,30',  # 17
]
INTERESTS = [
    "1,sql,2017-05-01 10:00:00",
    "1,sql,2017-05-01 10:00:00",  # repeated
    "1,sql,2017-05-01 10:00:00",  # repeated
    "1,sql,2017-05-02 10:00:00",
    "2,,2017-05-01",  # 6
    '2,"  ",2017-05-01',  # 7
    "2,sql,yesterday",  # 8
    "2,sql,",  # 9
    '2,"sql",2017-05-01,4,5',  # 10
    '3,"a, ""b""",2017-05-01',
    "3,sql,9999-12-31",  # 12
    "\t,sql,2017-05-01",  # 13
]
UNSPLIT, NO_HANDLE = "line cannot be split into columns", "user_handle is blank"
REJECTED = {
    ("course_tags", 6): UNSPLIT,
    ("course_tags", 7): UNSPLIT,
    ("course_tags", 8): "course_id is blank",
    ("course_tags", 10): "course_id is blank",
    ("user_assessment_scores", 5): "user_assessment_score is not a number",
    ("user_assessment_scores", 6): "user_assessment_score is negative",
    ("user_assessment_scores", 7): "text is not UTF-8: see the var encoding",
    ("user_assessment_scores", 8): "user_assessment_date is not a date of the form YYYY-MM-DD",
    ("user_assessment_scores", 9): "assessment_tag is blank",
    ("user_assessment_scores", 10): "user_assessment_score is not a number",
    ("user_course_views", 5): NO_HANDLE,
    ("user_course_views", 6): "user_handle is longer than 200 characters",
    ("user_course_views", 7): NO_HANDLE,
    ("user_course_views", 8): "view_date is not a date of the form YYYY-MM-DD",
    ("user_course_views", 9): "view_time_seconds is negative",
    ("user_course_views", 10): "view_time_seconds is more than 86400",
    ("user_course_views", 11): "view_time_seconds is more than 86400",
    ("user_course_views", 12): "course_id is blank",
    ("user_course_views", 14): UNSPLIT,
    ("user_course_views", 17): UNSPLIT,
    ("user_interests", 6): "interest_tag is blank",
    ("user_interests", 7): "interest_tag is blank",
    ("user_interests", 8): "date_followed is not a date of the form YYYY-MM-DD",
    ("user_interests", 9): "date_followed is not a date of the form YYYY-MM-DD",
    ("user_interests", 10): UNSPLIT,
    ("user_interests", 12): "date_followed is not a date of the form YYYY-MM-DD",
    ("user_interests", 13): NO_HANDLE,
}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    return tmp_path_factory.mktemp("elsewhere") / "deeper" / "people.duckdb"


@pytest.fixture(scope="module")
def unusable(project, published, outcomes, elsewhere):
    """Build from files with rows that cannot be used, publish it elsewhere and open that."""
    folder = write_inputs(
        project.folder.parent / "unusable",
        course_tags=COURSE_TAGS,
        user_assessment_scores=ASSESSMENTS,
        user_course_views=VIEWS,
        user_interests=INTERESTS,
    )
    succeeded(project.dbt("build", KINDRED_DATA_DIR=str(folder), KINDRED_WAREHOUSE=str(elsewhere)))
    with duckdb.connect(elsewhere.resolve(), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("name", INPUTS)
def test_rows_that_cannot_be_used_are_listed_with_line_and_reason(unusable, name):
    listed = rows_of(unusable, f"select line_number, reason from rejected_rows where file = '{name}'")
    assert dict(listed) == {line: reason for (file, line), reason in REJECTED.items() if file == name}


@pytest.mark.parametrize(
    ("name", "read", "folded"),
    [
        ("course_tags", len(COURSE_TAGS), 1),
        ("user_assessment_scores", len(ASSESSMENTS), 1),
        ("user_course_views", len(VIEWS), 0),
        ("user_interests", len(INTERESTS), 2),
    ],
)
def test_rows_read_are_kept_folded_or_rejected(unusable, name, read, folded):
    rejected = sum(file == name for file, _ in REJECTED)
    counts = "rows_read, rows_kept, rows_folded, rows_rejected"
    assert rows_of(unusable, f"select {counts} from input_files where file = '{name}'") == [
        (read, read - folded - rejected, folded, rejected)
    ]


def test_a_rejected_row_can_be_found_in_its_file(unusable):
    rows = dict(rows_of(unusable, "select line_number, delivered_row from rejected_rows where file like '%views'"))
    assert "view_date=01/05/2017" in rows[8]
    assert VIEWS[14 - 2] in rows[14]
    handles = dict(rows_of(unusable, "select line_number, user_handle from rejected_rows where file like '%views'"))
    assert (handles[5], handles[6], handles[7]) == (None, "x" * 201, " \u00a0")


def test_repeated_views_are_kept_and_unusual_values_read(unusable):
    listed = rows_of(
        unusable,
        "select user_handle, course_id, author_handle, level, total_views, total_view_seconds "
        "from user_courses order by all",
    )
    # The view of user 2 that ends with a comma too many has nothing in its last column: that is no loss.
    assert listed == [
        (1, "sql-basics", 7, "Beginner", 2, 60),
        (1, "untagged", 7, "Beginner", 1, 0),
        (2, "sql-basics", 7, "Beginner", 2, 86430),
        (2, "untagged", None, "Beginner", 1, 30),
    ]


def test_a_course_with_a_blank_tag_is_kept(unusable):
    assert rows_of(unusable, "select course_id, course_tags from courses order by course_id") == [
        ("python-basics", ["python"]),
        ("sql-basics", ["databases", "sql"]),
        ("untagged", None),
    ]


def test_where_nobody_viewed_five_courses_nothing_is_hidden(unusable):
    assert rows_of(unusable, "select max(total_courses) between 1 and 4 from users") == [(True,)]
    reasons = "select value, missing_reason from neighbour_quality where starts_with(measure, 'hold_out')"
    assert set(rows_of(unusable, reasons)) == {
        (None, "No user has viewed 5 courses or more, so that none can be hidden.")
    }


def test_users_without_a_usable_row_are_not_users(unusable):
    assert rows_of(unusable, "select user_handle from users") == [(1,), (2,), (3,)]


def test_the_warehouse_is_published_where_the_environment_says_and_nowhere_else(
    unusable, elsewhere, project, published
):
    ((version,),) = rows_of(unusable, "select version from build_info")
    assert sorted(file.name for file in elsewhere.parent.iterdir()) == [f"people-{version}.duckdb", "people.duckdb"]
    assert elsewhere.resolve().name == f"people-{version}.duckdb"
    file, _ = published
    assert list(project.warehouse.parent.glob("*-*.duckdb")) == [file]


# Files whose oddities must not cost rows in silence: they are read, or refused


UNCLOSED_QUOTES = [
    '1,"never closed,2017-05-01',  # it swallows lines up to the next quote
    "2,sql,2017-05-01",
    '3,"sql",2017-05-01',
    "4,sql,2017-05-01",
    "5,sql,2017-05-01,extra",
    "6,sql,2017-05-01",
    '7,"never closed,2017-05-01',
    "8,sql,2017-05-01",
    "9,sql,2017-05-01,extra",
    '10,"sql",2017-05-01',
    "11,sql,2017-05-01",
    "12,sql,2017-05-01,extra",
    "13,sql,2017-05-01",
    '14,"never closed,2017-05-01',  # it swallows all the rest
    "15,sql,2017-05-01",
    "16,sql,2017-05-01",
]


@pytest.fixture(scope="module")
def odd(project, unusable):
    """Load odd files and return what was read of each; None if it was refused."""
    folder = write_inputs(
        project.folder.parent / "odd",
        course_tags=['a,"none, really",sql'],
        user_course_views=["0,1,2017-05-01,a,7,Beginner,30"],
        user_interests=UNCLOSED_QUOTES,
    )
    replace_header(folder / "course_tags.csv", 'course_id,"notes, if any",course_tags')
    replace_header(folder / "user_course_views.csv", f",{HEADERS['user_course_views']}")
    output = project.dbt("seed", KINDRED_DATA_DIR=str(folder)).output
    with project.open_build() as connection:
        return {
            name: None if f"Failure in seed {name}" in output else rows_of(connection, f"from raw.{name} order by all")
            for name in INPUTS
        }


def replace_header(file, header):
    write_lines(file, [header, *file.read_text().splitlines()[1:]])


def test_a_column_name_with_a_comma_costs_no_row(odd):
    assert odd["course_tags"] in (None, [("a", "sql", 2, None)])


def test_a_column_without_a_name_as_pandas_writes_its_index_costs_no_row(odd):
    assert odd["user_course_views"] in (None, [("1", "2017-05-01", "a", "7", "Beginner", "30", 2, None)])


def test_a_quote_that_is_never_closed_hides_no_other_line(odd):
    rows = odd["user_interests"]
    assert rows is None or sorted(line for *_, line, _ in rows) == list(range(2, 2 + len(UNCLOSED_QUOTES)))


def test_lines_after_a_quote_that_is_never_closed_keep_their_numbers(odd):
    rows = odd["user_interests"]
    handles = {line: int(user) for user, *_, line, error in rows or [] if error is None}
    assert rows is None or handles == {line: line - 1 for line in handles}
    errors = {line: error for *_, line, error in rows or [] if error is not None}
    assert [line for line, error in errors.items() if UNCLOSED_QUOTES[line - 2] not in error] == []


# A published name that somebody else's file has


def test_a_file_that_kindred_did_not_publish_is_refused_and_kept(project, odd, tmp_path):
    file = tmp_path / "precious.duckdb"
    file.write_text("precious")
    # Everything is built: what is asked for is the step at the end of a build.
    outcome = project.dbt("build", "--select", "publication", KINDRED_WAREHOUSE=str(file))
    assert outcome.exit_status == 1
    assert file.read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["precious.duckdb"]
    # dbt-duckdb shows a Python model's error with its traceback; the sentence is its last line.
    sentence = outcome.failure("publication")[-1]
    assert str(file) in sentence
    assert "KINDRED_WAREHOUSE" in sentence
