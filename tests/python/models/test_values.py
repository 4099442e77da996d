"""Values mean what they say: dates in the form of their column, texts without what nobody sees, tags as lists.

Builds end at the tables of what was read and rejected.
"""

import csv
import datetime
import io
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project import Project, rows_of, succeeded
from test_input_files import HEADERS, parquet, write

VARS = "--vars"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("values"))
    project.write_sample(10)
    return project


@pytest.fixture(scope="module")
def staged(project):
    """Return a function that builds what is read of a folder and opens the database of the build."""

    def build(folder, *arguments, **environment):
        select = (
            "--select",
            "+input_files",
            "--indirect-selection",
            "cautious",
            "--exclude-resource-type",
            "unit_test",
        )
        succeeded(project.dbt("build", *select, *arguments, KINDRED_DATA_DIR=str(folder), **environment))
        return project.open_build()

    return build


# Dates

DATES = ("user_assessment_scores", "user_course_views", "user_interests")
AT = datetime.datetime(2017, 8, 21, 19, 3, 38)
DAY = datetime.datetime(2017, 8, 21)
FORMS = [
    (
        "YYYY-MM-DD",
        {
            "2017-08-21": DAY,
            "2017-8-21": DAY,
            "2017/08/21": DAY,
            "2017.08.21": DAY,
            "2017-08-21 19:03:38": AT,
            "2017-08-21T19:03:38": AT,
            "2017-08-21 19:03": AT.replace(second=0),
            "2017-08-21T19:03:38Z": AT,
            "2017-08-21t19:03z": AT.replace(second=0),
            "2017-08-21 21:03:38+02": AT,
            "2017-08-21 21:03:38.000 +0200": AT,
            "2017-08-21T21:03:38,5+02:00": AT.replace(microsecond=500_000),
            "2017-08-21T21:03:38+02:00[Europe/Berlin]": AT,
            "2017-08-21 21:03:38 Europe/Berlin": AT,
            "2017-08-21 19:03:38 UTC": AT,
            "2017-08-22T00:33:38+05:30": AT,
            "2017-08-21 12:03:38-07:00": AT,
            "2017-08-21 07:03:38 PM": AT,
            "\ufeff2017-08-21\u3000": DAY,
            "21.08.2017": None,
            "2017-02-30": None,
            "1899-12-31": None,
            "2200-01-01": None,
            "20170821": None,
            "infinity": None,
            "2017-08-21 19:03:38 Atlantis": None,
        },
    ),
    (
        "DD.MM.YYYY",
        {
            "21.08.2017": DAY,
            "2.8.2017": DAY.replace(day=2),
            "21.08.2017, 21:03:38 +02:00": AT,
            "2017-08-21": DAY,
            "soon": None,
            "32.08.2017": None,
            "21/08/2017": None,
        },
    ),
    (
        "MM/DD/YYYY",
        {
            "08/21/2017": DAY,
            "8/2/2017": DAY.replace(day=2),
            "8/21/2017 7:03:38 PM": AT,
            "8/21/2017 7:03 p.m.": AT.replace(second=0),
            "8/21/2017 12:00 AM": DAY,
            "13/13/2017": None,
        },
    ),
    ("DD/MM/YYYY", {"21/08/2017": DAY, "02/08/2017 19:03:38": AT.replace(day=2)}),
    ("DD-MM-YYYY", {"21-08-2017": DAY, "02-08-2017T19:03Z": AT.replace(day=2, second=0), "1502478218": None}),
    (
        "YYYYMMDD",
        {"20170821": DAY, "20170821T190338Z": AT, "20170821 19:03:38": AT, "20170821190338": AT, "20170231": None},
    ),
    (
        "DD Mon YYYY",
        {
            "21 Aug 2017": DAY,
            "21-AUG-2017": DAY,
            "21AUG2017": DAY,
            "August 21, 2017": DAY,
            "Mon, 21 Aug 2017 21:03:38 +0200": AT,
            "Mon Aug 21 2017 21:03:38 GMT+0200 (CEST)": AT,
            "Aug 21st, 2017 7:03:38 PM": AT,
            "21 Foo 2017": None,
        },
    ),
    ("epoch seconds", {"1503342218": AT, "1503342218.0": AT, "15": None, "1503342218000": None}),
    ("epoch milliseconds", {"1503342218000": AT, "1503342218500": AT.replace(microsecond=500_000)}),
    ("epoch microseconds", {"1503342218000000": AT}),
    ("epoch nanoseconds", {"1503342218000000000": AT}),
    ("spreadsheet days", {"42968": DAY, "42968.794189814819": AT, "42968.0": DAY, "17399": None}),
    ("days since 1970-01-01", {"17399": DAY, "-5": None}),
    ("YYYY-MM-DD", {"": None}),
    ("DD/MM/YYYY", {"08/08/2017": datetime.datetime(2017, 8, 8)}),
]


def dated(name, values):
    """Return a file whose rows have these dates; the score, the course or the tag is the number of the row."""
    rows = {
        "user_assessment_scores": lambda row, value: [1, "sql", value, row],
        "user_course_views": lambda row, value: [1, value, "a", "", "", row],
        "user_interests": lambda row, value: [1, row, value],
    }
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows[name](row, value) for row, value in enumerate(values, start=1))
    return f"{HEADERS[name]}\n{file.getvalue()}"


COLUMNS = {
    "user_assessment_scores": ("user_assessment_date", "score", "assessed_at"),
    "user_course_views": ("view_date", "view_seconds", "view_date"),
    "user_interests": ("date_followed", "interest_tag", "followed_at"),
}


@pytest.fixture(scope="module")
def read_dates(staged, tmp_path_factory):
    """Read a column in each of the forms, three in a build; return the name, dates by row and reasons of each."""
    folder = tmp_path_factory.mktemp("dates")
    read = []
    for first in range(0, len(FORMS), len(DATES)):
        contents = {name: dated(name, values) for name, (_, values) in zip(DATES, FORMS[first:], strict=False)}
        with staged(write(folder / str(first), **contents)) as build:
            for name in contents:
                _, number, date = COLUMNS[name]
                read.append(
                    (
                        name,
                        dict(
                            rows_of(
                                build,
                                f"select cast({number} as integer), cast({date} as timestamp) from staging.stg_{name}",
                            )
                        ),
                        dict(
                            rows_of(build, f"select line_number - 1, reason from rejected_rows where file = '{name}'")
                        ),
                    )
                )
    return read


@pytest.mark.parametrize("number", range(len(FORMS)), ids=[form for form, _ in FORMS])
def test_dates_are_read_in_the_form_of_their_column_or_rejected_with_it(read_dates, number):
    form, values = FORMS[number]
    name, dates, reasons = read_dates[number]
    expected = dict(enumerate(values.values(), start=1))
    if name == "user_course_views":
        expected = {
            row: date and datetime.datetime.combine(date.date(), datetime.time()) for row, date in expected.items()
        }
    assert dates == {row: date for row, date in expected.items() if date}
    reason = f"{COLUMNS[name][0]} is not a date of the form {form}"
    assert reasons == {row: reason for row, date in expected.items() if not date}


def test_a_column_with_days_in_both_places_is_rejected_with_both_forms(staged, tmp_path):
    content = dated("user_interests", ["21/08/2017", "08/21/2017", "02/08/2017", "2017-08-02"])
    with staged(write(tmp_path / "in", user_interests=content)) as build:
        assert rows_of(build, "select interest_tag from staging.stg_user_interests") == [("4",)]
        assert {reason for (reason,) in rows_of(build, "select reason from rejected_rows")} == {
            "date_followed is not a date of the form DD/MM/YYYY or MM/DD/YYYY: say which in the var date_forms"
        }


def test_one_slip_in_a_hundred_days_does_not_change_their_form(staged, tmp_path):
    content = dated("user_interests", [*["21/08/2017"] * 101, "08/21/2017"])
    with staged(write(tmp_path / "in", user_interests=content)) as build:
        assert rows_of(build, "select count(*) from staging.stg_user_interests") == [(101,)]
        assert rows_of(build, "select line_number, reason from rejected_rows") == [
            (103, "date_followed is not a date of the form DD/MM/YYYY")
        ]


def test_a_column_that_reads_wholly_in_two_forms_stops_the_build_with_the_var_to_set(project, staged, tmp_path):
    folder = write(tmp_path / "in", user_interests=dated("user_interests", ["01.02.2017", "03.04.2017"]))
    outcome = project.dbt("build", "--select", "+stg_column_forms", KINDRED_DATA_DIR=str(folder))
    assert outcome.exit_status == 1
    assert (
        "The column date_followed of user_interests may be DD.MM.YYYY or MM.DD.YYYY: no number in it is above 12. "
        "Say which in the var date_forms, such as {date_followed: DD.MM.YYYY}."
    ) in outcome.output
    with staged(folder, VARS, "{date_forms: {date_followed: MM.DD.YYYY}}") as build:
        assert rows_of(build, "select cast(followed_at as varchar) from staging.stg_user_interests order by all") == [
            ("2017-01-02 00:00:00",),
            ("2017-03-04 00:00:00",),
        ]


def test_times_with_a_zone_do_not_depend_on_the_zone_of_the_machine(staged, tmp_path):
    content = dated(
        "user_course_views", ["2017-08-11 23:30:00-07:00", "2017-08-11 10:00:00", "2017-08-12T01:00:00+02:00"]
    )
    folder = write(tmp_path / "in", user_course_views=content)
    (folder / "user_interests.csv").unlink()
    parquet(
        folder / "user_interests.parquet",
        user_handle=pa.array([1]),
        interest_tag=pa.array(["sql"]),
        date_followed=pa.array([datetime.datetime(2017, 8, 12, 6, 30, tzinfo=datetime.UTC)]),
    )
    for zone in ("UTC", "Pacific/Auckland", "America/Los_Angeles"):
        with staged(folder, TZ=zone) as build:
            days = rows_of(
                build, "select cast(view_date as varchar) from staging.stg_user_course_views order by line_number"
            )
            assert days == [("2017-08-12",), ("2017-08-11",), ("2017-08-11",)], zone
            times = rows_of(build, "select cast(followed_at as varchar) from staging.stg_user_interests")
            assert times == [("2017-08-12 06:30:00",)], zone


# Tags


def test_lists_of_tags_are_taken_apart_and_every_row_is_accounted_for(staged, tmp_path):
    folder = write(
        tmp_path / "in",
        course_tags=f"""{HEADERS["course_tags"]}
a,"[""java"", ""kafka, streams"", ""java""]"
b,[]
c,[java]
d,java;sql
""",
        user_assessment_scores=HEADERS["user_assessment_scores"]
        + "\n1,sql|r,2017-05-01,1\n1,sql,2017-05-01,1\n1,|,2017-05-01,1\n",
        user_interests=HEADERS["user_interests"] + "\n1,sql; r ;,2017-05-01\n1,r;sql,2017-05-01\n2,a|b,2017-05-01\n",
    )
    with staged(folder) as build:
        tags = {
            name: rows_of(build, f"select {column} from staging.stg_{name} order by all")
            for name, column in [
                ("course_tags", "course_id, course_tag"),
                ("user_assessment_scores", "user_handle, assessment_tag"),
                ("user_interests", "user_handle, interest_tag"),
            ]
        }
        assert tags == {
            "course_tags": [
                ("a", "java"), ("a", "kafka, streams"), ("b", None), ("c", "[java]"), ("d", "java"), ("d", "sql"),
            ],
            "user_assessment_scores": [(1, "r"), (1, "sql")],
            "user_interests": [(1, "r"), (1, "sql"), (2, "a|b")],
        }  # fmt: skip
        assert rows_of(
            build, "select file, rows_read, rows_kept, rows_folded, rows_rejected from input_files order by all"
        ) == [
            ("course_tags", 4, 4, 0, 0),
            ("user_assessment_scores", 3, 1, 1, 1),
            ("user_course_views", 0, 0, 0, 0),
            ("user_interests", 3, 2, 1, 0),
        ]
        assert rows_of(build, "select reason from rejected_rows") == [("assessment_tag is blank",)]


def test_a_sign_in_few_values_is_part_of_them_and_separators_can_be_set(staged, tmp_path):
    content = HEADERS["course_tags"] + "\n" + "".join(f"{number},sql\n" for number in range(10)) + 'x,"r&amp;d;a/b"\n'
    folder = write(tmp_path / "in", course_tags=content)
    with staged(folder) as build:
        assert rows_of(build, "select course_tag from staging.stg_course_tags where course_id = 'x'") == [
            ("r&amp;d;a/b",)
        ]
    (folder / "course_tags.csv").write_text(HEADERS["course_tags"] + "\nx,a/b;c\n")
    with staged(folder, VARS, "{tag_separators: [/]}") as build:
        assert rows_of(build, "select course_tag from staging.stg_course_tags order by all") == [("a",), ("b;c",)]


# Texts


def test_levels_in_another_case_are_one_level_in_the_commonest_spelling(staged, tmp_path):
    levels = ["BEGINNER", "Beginner", "\u00a0Beginner\u200b", "beginner", "Expert", "EXPERT", ""]
    rows = "".join(f"1,2017-05-01,a,,{level},1\n" for level in levels)
    with staged(write(tmp_path / "in", user_course_views=f"{HEADERS['user_course_views']}\n{rows}")) as build:
        read = rows_of(build, "select level from staging.stg_user_course_views order by line_number")
    assert [level for (level,) in read] == ["Beginner"] * 4 + ["Expert"] * 2 + [None]


def test_numbers_beyond_what_is_plausible_are_rejected_with_the_limit(staged, tmp_path):
    views = "".join(
        f"1,2017-05-01,a,,,{seconds}\n" for seconds in ("1e15", "1e300", "86401", "inf", "\u3000 60\u00a0", "soon")
    )
    scores = "".join(f"1,sql,2017-05-01,{score}\n" for score in ("1e16", "-1", "high", "2e2"))
    folder = write(
        tmp_path / "in",
        user_course_views=f"{HEADERS['user_course_views']}\n{views}",
        user_assessment_scores=f"{HEADERS['user_assessment_scores']}\n{scores}",
    )
    with staged(folder) as build:
        assert rows_of(build, "select line_number, reason from rejected_rows order by file, line_number") == [
            (2, "user_assessment_score is more than 1e15"),
            (3, "user_assessment_score is negative"),
            (4, "user_assessment_score is not a number"),
            *((line, "view_time_seconds is more than 86400") for line in (2, 3, 4)),
            (5, "view_time_seconds is not a number"),
            (7, "view_time_seconds is not a number"),
        ]
        assert rows_of(build, "select view_seconds from staging.stg_user_course_views") == [(60,)]


INVISIBLE = "\t\n\r \x0b\x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000\u200b\u200c\u200d\u2060\ufeff\xad"
VISIBLE = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters=";|["), min_size=1, max_size=12
).filter(lambda text: unicodedata.normalize("NFC", text).isprintable())
TEXT = st.lists(VISIBLE, min_size=1, max_size=3).map(lambda words: '\u3000, "\n'.join(words))
AROUND = st.text(INVISIBLE, max_size=3)


@settings(max_examples=1, deadline=None, derandomize=True)
@given(st.data())
def test_what_goes_in_comes_out_equal_and_once(staged, tmp_path_factory, data):
    """Thousands of texts in one build: as courses, with blanks around them and in NFC or NFD, each delivered twice."""
    texts = data.draw(
        st.lists(TEXT, min_size=400, max_size=600, unique_by=lambda text: unicodedata.normalize("NFC", text))
    )
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for text in texts:
        for form in ("NFC", "NFD"):
            around = data.draw(AROUND), data.draw(AROUND)
            writer.writerow([around[0] + unicodedata.normalize(form, text) + around[1], "sql"])
    folder = write(
        tmp_path_factory.mktemp("texts") / "in", course_tags=f"{HEADERS['course_tags']}\r\n{file.getvalue()}"
    )
    with staged(folder) as build:
        read = [course for (course,) in rows_of(build, "select course_id from staging.stg_course_tags")]
        assert rows_of(build, "select reason from rejected_rows") == []
    assert sorted(read) == sorted(unicodedata.normalize("NFC", text) for text in texts)
