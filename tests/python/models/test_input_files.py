"""Files as platforms deliver them: any ends of lines, encodings, folder names and kinds of Parquet columns.

What the loader makes of each is read from the raw tables: text, line numbers and the lines that are no data.
"""

import datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from project import INPUTS, Project, rows_of, succeeded

HEADERS = {
    "course_tags": "course_id,course_tags",
    "user_assessment_scores": "user_handle,assessment_tag,user_assessment_date,user_assessment_score",
    "user_course_views": "user_handle,view_date,course_id,author_handle,level,view_time_seconds",
    "user_interests": "user_handle,interest_tag,date_followed",
}


def write(folder, **contents):
    """Write the four files; an input that is not named has a header only."""
    folder.mkdir(parents=True)
    for name, header in HEADERS.items():
        content = contents.get(name, header + "\n")
        (folder / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("input-files"))
    project.write_sample(10)
    return project


@pytest.fixture(scope="module")
def load(project):
    """Return a function that loads a folder and returns the outcome and the rows of each raw table that was loaded."""

    def load_folder(folder, *arguments):
        outcome = project.dbt("seed", "--select", *INPUTS, *arguments, KINDRED_DATA_DIR=str(folder))
        with project.open_build() as connection:
            loaded = {name for (name,) in rows_of(connection, "select table_name from duckdb_tables()")}
            return outcome, {
                name: rows_of(connection, f"from raw.{name} order by line_number") for name in INPUTS if name in loaded
            }

    return load_folder


# The ends of lines

ROWS = {
    "course_tags": ["a,sql", 'b,"x ""y"", z"', "c,café", "d,r", "e,go"],
    "user_assessment_scores": ["1,sql,2017-05-01,1", '2,"x ""y"", z",2017-05-02,2', "3,café,,3", "4,r,,4", "5,go,,5"],
    "user_course_views": ["1,,a,,,1", '2,,"x ""y"", z",,,2', "3,,café,,,3", "4,,d,,,4", "5,,e,,,5"],
    "user_interests": ["1,sql,2017-05-01", '2,"x ""y"", z",2017-05-02', "3,café,2017-05-03", "4,r,,", "5,go,"],
}
ENDS = {
    "lf": ["\n"] * 6,
    "crlf": ["\r\n"] * 6,
    "cr": ["\r"] * 6,
    "cr-cr-lf": ["\r\r\n"] * 6,
    "header-crlf": ["\r\n", *["\n"] * 5],
    "header-lf": ["\n", *["\r\n"] * 5],
    "two-exports": ["\r\n", "\r\n", "\r\n", "\n", "\n", "\n"],
    "one-cr": ["\n", "\n", "\r", "\n", "\n", "\n"],
    "none-at-the-end": ["\r\n", "\n", "\r\n", "\n", "\r\n", ""],
    "all": ["\r\n", "\n", "\r", "\r\r\n", "\n", "\r\n"],
    "old-mac-then-windows": ["\r", "\r", "\r", "\r\n", "\r\n", "\r\n"],
    "windows-then-old-mac": ["\r\n", "\r\n", "\r\n", "\r", "\r", "\r"],
}


@pytest.fixture(scope="module")
def by_ends(load, tmp_path_factory):
    """Load one input with each ends of lines, four in a folder; return its rows by the name of the ends."""
    folder = tmp_path_factory.mktemp("ends")
    read = {}
    for first in range(0, len(ENDS), len(INPUTS)):
        names = dict(zip(list(ENDS)[first : first + len(INPUTS)], INPUTS, strict=True))
        contents = {
            name: "".join(map("".join, zip([HEADERS[name], *ROWS[name]], ENDS[ends], strict=True)))
            for ends, name in names.items()
        }
        outcome, raw = load(write(folder / str(first), **contents))
        succeeded(outcome)
        read |= {ends: (name, raw[name]) for ends, name in names.items()}
    return read


@pytest.mark.parametrize("ends", ENDS)
def test_lines_may_end_in_any_way_and_in_several(by_ends, ends):
    name, rows = by_ends[ends]
    text = (
        HEADERS[name].split(",").index("course_id" if name == "user_course_views" else "course_tags")
        if name in ("course_tags", "user_course_views")
        else 1
    )
    assert [(row[0], row[text], *row[-2:]) for row in rows] == [
        (row.split(",")[0], value, line, None)
        for line, row, value in zip(
            range(2, 7),
            ROWS[name],
            [ROWS[name][0].split(",")[text], 'x "y", z', "café", *(row.split(",")[text] for row in ROWS[name][3:])],
            strict=True,
        )
    ]


# Lines that are no data, and values that are none


@pytest.fixture(scope="module")
def odd(load, tmp_path_factory):
    long = "x" * 20_000
    outcome, raw = load(
        write(
            tmp_path_factory.mktemp("odd") / "in",
            course_tags="course_id,course_tags\na,sql\n\ufeffcourse_id,course_tags\r\nb,r\n Course_ID ,COURSE_TAGS\n",
            user_assessment_scores=HEADERS["user_assessment_scores"]
            + "\n1,a\0b,2017-05-01,1\n2,sql,2017-05-01,1\n3\0,\x07,2017-05-01,1\n4,a\tb,2017-05-01,\x7f\n",
            user_course_views=f"{HEADERS['user_course_views']}\n1,2017-05-01,{long},7,,1\n2,{long}\n3,2017-05-01,c,,,1\n",
            user_interests=HEADERS["user_interests"].encode()
            + b'\r\n1,NULL,\\N\n2,"NULL","\\N"\r\n3, N/A,nan \n4,-,None\n5,"-",""\n6,null,\n7,NULLS,Null-\n'
            + b"8,caf\xe9,\n9,go,1\n",
        )
    )
    succeeded(outcome)
    return raw


def test_a_header_that_is_repeated_is_no_row(odd):
    assert odd["course_tags"] == [
        ("a", "sql", 2, None),
        (None, None, 3, "REPEATED HEADER: \ufeffcourse_id,course_tags"),
        ("b", "r", 4, None),
        (None, None, 5, "REPEATED HEADER:  Course_ID ,COURSE_TAGS"),
    ]


def test_rows_with_control_characters_are_set_aside_without_them(odd):
    rows = odd["user_assessment_scores"]
    assert [(row[0], row[-1]) for row in rows] == [
        (None, "CONTROL CHARACTER: 1,a\ufffdb,2017-05-01,1"),
        ("2", None),
        (None, "CONTROL CHARACTER: 3\ufffd,\ufffd,2017-05-01,1"),
        (None, "CONTROL CHARACTER: 4,a\tb,2017-05-01,\ufffd"),
    ]


def test_a_long_line_is_no_open_quote(odd):
    rows = odd["user_course_views"]
    assert [(row[0], len(row[2] or ""), row[-2]) for row in rows] == [("1", 20_000, 2), (None, 0, 3), ("3", 1, 4)]
    assert rows[1][-1].startswith("MISSING COLUMNS: 2,xxx")


def test_what_stands_for_a_missing_value_is_none_unless_it_is_quoted(odd):
    assert [(*row[:3], row[-2]) for row in odd["user_interests"]] == [
        ("1", None, None, 2),
        ("2", "NULL", "\\N", 3),
        ("3", None, None, 4),
        ("4", None, None, 5),
        ("5", "-", "", 6),
        ("6", None, None, 7),
        ("7", "NULLS", "Null-", 8),
        (None, None, None, 9),
        ("9", "go", "1", 10),
    ]


def test_a_line_in_another_encoding_keeps_its_place_where_lines_end_in_several_ways(odd):
    assert odd["user_interests"][7][-1] == "INVALID ENCODING: 8;caf??"


def test_the_values_that_stand_for_missing_ones_can_be_set(load, tmp_path):
    content = HEADERS["user_interests"] + "\n1,NULL,k. A.\n2,-,NA\n"
    outcome, raw = load(write(tmp_path / "in", user_interests=content), "--vars", "{missing_values: ['k. A.', \"-\"]}")
    succeeded(outcome)
    assert [row[:3] for row in raw["user_interests"]] == [("1", "NULL", None), ("2", None, "NA")]


# Encodings, and files that are refused


@pytest.fixture(scope="module")
def refused(load, tmp_path_factory):
    outcome, _ = load(
        write(
            tmp_path_factory.mktemp("refused") / "in",
            course_tags="course_id,course_tags\na,é\n".encode("utf-16"),
            user_assessment_scores=(HEADERS["user_assessment_scores"] + "\n").encode("utf-32-le"),
            user_course_views=HEADERS["user_course_views"] + "\n1;2017-05-01;a;7;;1\n2;2017-05-01;a;7;;1\n",
            user_interests=(HEADERS["user_interests"] + ",Qualität\n1,sql,2017-05-01,1\n").encode("latin-1"),
        )
    )
    assert outcome.exit_status == 1
    assert "Traceback" not in outcome.output
    return outcome


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "course_tags",
            "course_tags.csv is UTF-16, not UTF-8: set the var encoding to utf-16, or save the file as UTF-8.",
        ),
        ("user_assessment_scores", "user_assessment_scores.csv is UTF-32, not UTF-8: save it as UTF-8."),
        (
            "user_course_views",
            "user_course_views.csv are separated by semicolons, but its header by commas: both must be commas.",
        ),
        (
            "user_interests",
            "user_interests.csv is not UTF-8: if the file is Latin-1, set the var encoding to latin-1; "
            "else save it as UTF-8.",
        ),
    ],
)
def test_a_file_in_another_form_is_named_with_that_form(refused, name, words):
    (sentence,) = refused.failure(name)
    assert sentence.endswith(words)


def test_characters_and_orders_of_bytes_that_cannot_be_read_are_named(load, tmp_path):
    contents = {
        "course_tags": "course_id,course_tags\na,“sql”\n".encode("cp1252"),
        "user_assessment_scores": (HEADERS["user_assessment_scores"] + "\n1,é,,1\n").encode("latin-1"),
        "user_course_views": (HEADERS["user_course_views"] + "\n").encode("utf-16-be"),
        "user_interests": ("\ufeff" + HEADERS["user_interests"] + "\n").encode("utf-16-be"),
    }
    outcome, _ = load(write(tmp_path / "in", **contents), "--vars", "{encoding: latin-1}")
    (sentence,) = outcome.failure("course_tags")
    assert sentence.endswith(
        "course_tags.csv is not Latin-1: it has characters such as curly quotes, which Windows-1252 has. "
        "Save it as UTF-8."
    )
    for name in ("user_course_views", "user_interests"):
        (sentence,) = outcome.failure(name)
        assert sentence.endswith(
            f"{name}.csv is UTF-16, not LATIN-1: its bytes are in the other order (big-endian), "
            "so save the file as UTF-8."
        )
    assert outcome.exit_status == 1
    assert "Failure in seed user_assessment_scores" not in outcome.output


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_files_are_read_in_the_encoding_that_is_set(load, tmp_path, encoding):
    contents = {
        name: f"{header}\r\n{','.join(['é', 'Ä b', *['ÿ'] * (header.count(',') - 1)])}\n".encode(encoding)
        for name, header in HEADERS.items()
    }
    outcome, raw = load(write(tmp_path / "in", **contents), "--vars", f"{{encoding: {encoding}}}")
    succeeded(outcome)
    for name, header in HEADERS.items():
        assert raw[name] == [("é", "Ä b", *["ÿ"] * (header.count(",") - 1), 2, None)]


# Names of folders


@pytest.mark.parametrize("folder", ["year [2024]", "a*b?c", "back\\slash", "user_handle=1", "it's ~ {x} %20", "[a]\\*"])
def test_a_folder_may_have_any_name(load, tmp_path, folder):
    named = write(tmp_path / folder, course_tags="course_id,course_tags\na,sql\n")
    (named / "user_interests.csv").unlink()
    duckdb.sql("select 7 as user_handle, 'sql' as interest_tag, date '2017-05-01' as date_followed").write_parquet(
        str(tmp_path / "it.parquet")
    )
    (tmp_path / "it.parquet").rename(named / "user_interests.parquet")
    outcome, raw = load(named)
    succeeded(outcome)
    assert raw["course_tags"] == [("a", "sql", 2, None)]
    assert raw["user_interests"] == [("7", "sql", "2017-05-01", 2, None)]


# Columns of Parquet files


def parquet(file, **columns):
    pq.write_table(pa.table(columns), file)


def test_columns_of_parquet_files_become_the_text_that_they_mean(load, tmp_path):
    folder = write(tmp_path / "in")
    for name in INPUTS:
        (folder / f"{name}.csv").unlink()
    at = datetime.datetime(2017, 8, 11, 23, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=-7)))
    parquet(
        folder / "course_tags.parquet",
        course_id=pa.array(["a", "b", "c"]),
        course_tags=pa.array([["java", "kafka, streams"], [], None], pa.list_(pa.string())),
    )
    parquet(
        folder / "user_interests.parquet",
        user_handle=pa.array([1.0, float("nan"), None]),
        interest_tag=pa.array(["café".encode(), b"caf\xe9", b"a\0b"]),
        date_followed=pa.array([at] * 3, pa.timestamp("us", "America/Los_Angeles")),
    )
    parquet(
        folder / "user_course_views.parquet",
        user_handle=pa.array([1], pa.uint8()),
        view_date=pa.array([datetime.date(2017, 8, 11)]),
        course_id=pa.array(["NULL"]).dictionary_encode(),
        author_handle=pa.array([None], pa.null()),
        level=pa.array([""]),
        view_time_seconds=pa.array([1.5]),
    )
    parquet(
        folder / "user_assessment_scores.parquet",
        user_handle=pa.array([1]),
        assessment_tag=pa.array(["sql"], pa.large_string()),
        user_assessment_date=pa.array([1502494200123456789], pa.timestamp("ns")),
        user_assessment_score=pa.array([100]).cast(pa.decimal128(20, 1)),
    )
    outcome, raw = load(folder)
    succeeded(outcome)
    assert raw == {
        "course_tags": [("a", '["java","kafka, streams"]', 2, None), ("b", "[]", 3, None), ("c", None, 4, None)],
        "user_interests": [
            ("1.0", "café", "2017-08-12 06:30:00", 2, None),
            (None, None, "2017-08-12 06:30:00", 3, "INVALID ENCODING: interest_tag=caf\\xE9"),
            (None, None, None, 4, "CONTROL CHARACTER: a\ufffdb,2017-08-12 06:30:00"),
        ],
        "user_course_views": [("1", "2017-08-11", "NULL", None, "", "1.5", 2, None)],
        "user_assessment_scores": [("1", "sql", "2017-08-11 23:30:00.123456789", "100.0", 2, None)],
    }
