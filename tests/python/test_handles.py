"""Users whose handles are text, on every surface: what goes in comes out, equal and once."""

import csv
import json
import re
import shutil
import sqlite3
from contextlib import closing
from functools import cache
from urllib.parse import quote

import duckdb
import pytest
from api_client import client_of, got, refused
from click.testing import CliRunner
from dashboard_app import page_of
from dynamodb_servers import aws_environment, dynalite_server
from hypothesis import example, given, settings
from hypothesis import strategies as st
from project import ROOT, Project, assert_closest_users_are_exact, rows_of
from servers import postgresql_server
from text_handles import BLANKS_AROUND, TEXTS, text_of

from kindred import lookups
from kindred.cli import main
from kindred.errors import UnknownUserError
from kindred.fold_in.activity import Activity
from kindred.fold_in.spelling import BLANKS
from kindred.stores import open_store
from kindred.stores.base import Edition
from kindred.warehouse.reading import open_file

EVERYBODY = sorted(text_of(number) for number in range(1, 401))


@pytest.fixture(scope="module")
def sql(text_warehouse):
    with open_file(text_warehouse) as connection:
        yield connection


@pytest.fixture(scope="module")
def numbers(warehouse):
    with open_file(warehouse) as connection:
        yield connection


# --- the build -------------------------------------------------------------------------------------------------


def test_every_user_comes_out_once_as_delivered(sql):
    assert [handle for (handle,) in rows_of(sql, "select user_handle from users order by user_handle")] == EVERYBODY
    assert rows_of(sql, "select handle_type, author_handle_type from build_info") == [("text", "text")]
    assert rows_of(sql, "select * from rejected_rows") == []


def test_the_lists_of_users_with_texts_are_exact(sql):
    assert_closest_users_are_exact(sql, k=20)


def test_profiles_are_those_of_the_same_users_with_numbers(sql, numbers):
    query = "select user_handle, facet, feature, weight from user_features where facet not in ('cluster', 'authors')"
    expected = {(text_of(user), *what): weight for user, *what, weight in rows_of(numbers, query)}
    found = {(user, *what): weight for user, *what, weight in rows_of(sql, query)}
    assert found == pytest.approx(expected)


def test_an_author_who_cannot_be_read_costs_the_author_and_not_the_view(sql, numbers):
    query = "select count(*) from user_courses where author_handle {}"
    assert rows_of(sql, query.format("is null")) == rows_of(numbers, query.format("= 1"))
    assert rows_of(sql, query.format("like 'Ann, %'")) == rows_of(numbers, query.format("> 1"))
    views = "select sum(total_views) from user_courses"
    assert rows_of(sql, views) == rows_of(numbers, views)


@pytest.mark.parametrize("file", sorted((ROOT / "analyses").glob("*.sql")), ids=lambda file: file.stem)
def test_a_ready_made_query_runs_on_numbers_and_on_texts(sql, numbers, file):
    query = "\n".join(line for line in file.read_text().splitlines() if not line.startswith("--"))
    for connection in (sql, numbers):
        found = connection.execute(query).fetchall()
        assert found or "where user_handle = '42'" not in query


# --- any text ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def expressions(tmp_path_factory):
    """Return the SQL that the macros make of a column h, or of h and c."""
    project = Project(tmp_path_factory.mktemp("macros"))
    project.write_sample(1)
    asked = ["handle_as_text('h')", "is_plain_number('h')", "clean_handle('h', 'bigint')", "key_of_two('h', 'c')"]
    inline = " ".join(f"<<{{{{ {macro} }}}}>>" for macro in asked)
    output = project.dbt("compile", "--quiet", "--inline", inline).output
    return [part.partition(">>")[0] for part in output.split("<<")[1:]]


@cache
def memory():
    return duckdb.connect()


def value_of(expression, h, c=None):
    return (
        memory().execute(f"select {expression} from (select $1::varchar as h, $2::varchar as c)", [h, c]).fetchone()[0]
    )


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=210)
PADDED = st.tuples(st.sampled_from(BLANKS_AROUND), ANY_TEXT | st.sampled_from(TEXTS), st.sampled_from(BLANKS_AROUND))
NUMBERS = st.integers(-(2**55), 2**55).map(str) | st.from_regex(r"[+-]?[0-9]{1,17}([.]0*)?", fullmatch=True)
SEARCH = settings(deadline=None, max_examples=400, derandomize=True)


@SEARCH
@given(parts=PADDED)
def test_text_stays_as_it_is_but_for_blanks_around(expressions, parts):
    delivered = "".join(parts)
    bare = delivered.strip(BLANKS)
    expected = bare if 1 <= len(bare) <= 200 else None
    assert value_of(expressions[0], delivered) == expected
    assert not any(letter.isspace() and letter not in BLANKS for letter in delivered)
    if expected is not None:
        # Who asks for the text as delivered finds the user.
        assert Edition("", "", 0, handle_type="text").handle(delivered) == expected


@SEARCH
@given(text=NUMBERS | ANY_TEXT)
@example("9007199254740991")
@example("9007199254740992")
@example("-9007199254740991.000")
@example("-0")
@example("0")
@example("007")
@example("٤٢")
def test_a_plain_number_is_what_a_store_of_numbers_finds(expressions, text):
    bare = value_of(expressions[0], text)
    is_number = bare is not None and value_of(expressions[1], bare)
    whole = re.sub(r"[.]0+$", "", bare or "", flags=re.ASCII)
    number = Edition("", "", 0).handle(whole)
    is_plain = number is not None and whole == str(number)  # 007 and -0 are 7 and 0 to who asks, but no plain numbers
    assert bool(is_number) == is_plain
    if is_plain:
        assert value_of(expressions[2], text) == number


@SEARCH
@given(one=st.tuples(ANY_TEXT, ANY_TEXT), other=st.tuples(ANY_TEXT, ANY_TEXT))
@example(("a:b", "c"), ("a", "b:c"))
@example(("1:a", ""), ("1", ":a"))
def test_no_two_pairs_have_the_same_key(expressions, one, other):
    assert (value_of(expressions[3], *one) == value_of(expressions[3], *other)) == (one == other)


def test_a_number_and_its_text_are_the_same_question():
    numbers, texts = Edition("", "", 0), Edition("", "", 0, handle_type="text")
    assert [numbers.handle(asked) for asked in (42, "42", " 42 ", "042")] == [42] * 4
    assert [texts.handle(asked) for asked in (42, "42", "\u00a042")] == ["42"] * 3
    for nobody in ("+42", "42.5", "", "me", 2**53, "9007199254740992", "٤٢"):
        assert numbers.handle(nobody) is None
    for nobody in ("", " ", "a\0b", "\ud800"):
        assert texts.handle(nobody) is None


# --- the stores --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["memory", "duckdb", "sqlite", "postgresql", "dynamodb"])
def store(request, text_warehouse, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stores")
    if request.param == "postgresql":
        with postgresql_server() as server:
            with server.connect("postgres") as connection:
                # A language in whose order ann comes before Ann, unlike in the order of code points.
                connection.execute("create database texts template template0 locale_provider icu icu_locale 'en'")
            yield from _published(server.url("texts"), text_warehouse)
    elif request.param == "dynamodb":
        with aws_environment(), dynalite_server() as port:
            yield from _published(f"dynamodb://texts?endpoint=http://127.0.0.1:{port}", text_warehouse)
    elif request.param == "memory":
        yield open_store(f"memory:///{text_warehouse}")
    else:
        yield from _published(f"{request.param}:///{folder}/kindred.{request.param}", text_warehouse)


def _published(url, warehouse):
    publisher = open_store(url, to_publish=True)
    assert publisher.publish(warehouse, lambda *step: None)
    publisher.close()
    store = open_store(url)
    yield store
    store.close()


def test_a_store_holds_every_user_in_the_order_of_code_points(store):
    with store.read() as reader:
        found, after = [], None
        while page := reader.users(after, 37):
            found += [row["user_handle"] for row in page]
            after = found[-1]
        assert found == EVERYBODY
        assert reader.edition.handle_type == "text"
        clusters = {row["cluster_id"] for row in reader.users(None, 1000)}
        assert sum(len(reader.users(None, 1000, cluster)) for cluster in clusters) == len(EVERYBODY)


def test_a_store_answers_as_the_published_file_does(store, text_warehouse):
    with store.read() as reader, open_store(f"duckdb:///{text_warehouse}").read() as expected:
        assert reader.first_user() == expected.first_user()
        for handle in (*TEXTS, "nobody", "ANN"):
            assert reader.user(handle) == expected.user(handle)
            assert reader.similar(handle) == expected.similar(handle)
            assert sorted(reader.features(handle)) == sorted(expected.features(handle))
        found, wanted = reader.courses(TEXTS), expected.courses(TEXTS)
        assert {user: sorted(ids) for user, ids in found.items()} == {user: sorted(ids) for user, ids in wanted.items()}
        activity = Activity(["python"], {}, {})
        assert lookups.similar_to_activity(reader, activity) == lookups.similar_to_activity(expected, activity)
        assert lookups.similar_users(reader, 42) == lookups.similar_users(expected, "42") != []
        with pytest.raises(UnknownUserError, match="There is no user 43 in the warehouse"):
            lookups.profile(reader, 43)


def test_exports_have_the_texts(text_warehouse, tmp_path):
    copied = shutil.copy(text_warehouse, tmp_path / "kindred.duckdb")  # other tests have the file open in another way
    for kind in ("csv", "parquet"):
        open_store(f"{kind}:///{tmp_path}/{kind}", to_publish=True).publish(copied, lambda *step: None)
    with (tmp_path / "csv" / "users.csv").open(newline="", encoding="utf-8") as file:
        assert sorted(row["user_handle"] for row in csv.DictReader(file)) == EVERYBODY
    users = duckdb.sql(f"select user_handle from '{tmp_path}/parquet/users.parquet' order by user_handle").fetchall()
    assert [handle for (handle,) in users] == EVERYBODY


def test_a_database_of_texts_can_be_queried(text_warehouse, tmp_path):
    open_store(f"sqlite:///{tmp_path}/k.sqlite", to_publish=True).publish(text_warehouse, lambda *step: None)
    with closing(sqlite3.connect(tmp_path / "k.sqlite")) as connection:
        found = connection.execute("select user_handle from users where user_handle = '007'").fetchall()
    assert found == [("007",)]


# --- the API -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(text_warehouse):
    with client_of(text_warehouse) as client:
        yield client


@pytest.mark.parametrize("handle", TEXTS)
def test_a_path_names_any_user(client, handle):
    path = f"/users/{quote(handle, safe='')}"
    assert got(client.get(path))["user_handle"] == handle
    similar = got(client.get(f"{path}/similar?limit=1"))
    assert similar["user_handle"] == handle
    assert got(client.get(f"{path}/courses"))["user_handle"] == handle
    other = "ann.lee+x@example.org" if handle != "ann.lee+x@example.org" else "a/b"
    pair = got(client.get(f"{path}/similar/{quote(other, safe='')}"))
    assert (pair["user_handle"], pair["similar_user_handle"]) == (handle, other)
    refused(client.get(f"{path}/similar/{quote(handle, safe='')}"), 404)


def test_a_body_names_any_user(client):
    answer = got(client.post("/users/similar", json={"user_handles": [*TEXTS, "nobody", 42, 43], "limit": 1}))
    assert [result["user_handle"] for result in answer["results"]] == list(TEXTS)
    assert answer["unknown_user_handles"] == ["nobody", 43]
    for handle in TEXTS:
        assert got(client.post("/invocations", json={"user_handle": handle, "limit": 1}))["user_handle"] == handle


def test_pages_hold_every_text_once(client):
    found, cursor = [], ""
    while cursor is not None:
        answer = got(client.get(f"/users?limit=37{cursor and f'&after={cursor}'}"))
        found += [user["user_handle"] for user in answer["users"]]
        cursor = answer["next_after"]
    assert found == EVERYBODY


def test_an_unknown_text_is_a_problem_whose_path_is_encoded(client):
    problem = refused(client.get("/users/x%2Fy%25%20%E5%90%8D"), 404)
    assert problem["detail"] == "There is no user x/y% 名 in the warehouse."
    assert problem["instance"] == "/users/x%2Fy%25%20%E5%90%8D"


def test_the_description_says_that_handles_are_numbers_or_texts(client):
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    described = schemas["UserRow"]["properties"]["user_handle"]
    assert {part["type"] for part in described["anyOf"]} == {"integer", "string"}
    asked = schemas["UserQuestion"]["properties"]["user_handle"]
    assert {part["type"] for part in asked["oneOf"]} == {"integer", "string"}


# --- the command line and the dashboard --------------------------------------------------------------------------


@pytest.mark.parametrize("handle", TEXTS)
def test_a_command_names_any_user(handle, text_warehouse, monkeypatch):
    monkeypatch.setenv("KINDRED_WAREHOUSE", str(text_warehouse))
    with open_store(f"duckdb:///{text_warehouse}").read() as reader:
        expected = lookups.similar_users(reader, handle, limit=2)
        pair = lookups.explain(reader, handle, "U-0042")
    shown = CliRunner().invoke(main, ["similar", "--limit", "2", "--format", "json", "--", handle])
    assert json.loads(shown.output) == expected
    shown = CliRunner().invoke(main, ["explain", "--format", "json", "--", handle, "U-0042"])
    assert json.loads(shown.output) == pair
    assert CliRunner().invoke(main, ["similar", "--", handle]).exit_code == 0


@pytest.mark.parametrize("handle", TEXTS)
def test_the_dashboard_finds_any_user(handle, text_warehouse, monkeypatch):
    app = page_of("find", text_warehouse, monkeypatch, user=handle)
    assert not app.exception
    assert [warning.value for warning in app.warning] == []
    assert app.header[0].value.replace("\\", "") == f"User {handle}".replace("\\", "")


def test_the_dashboard_marks_a_user_on_the_map_and_compares_two(text_warehouse, monkeypatch):
    assert not page_of("user_map", text_warehouse, monkeypatch, user="名前").exception
    app = page_of("find", text_warehouse, monkeypatch, user="*star*_x_", other="a/b")
    assert not app.exception
    assert [header.value for header in app.header] == ["User \\*star\\*\\_x\\_", "User a/b"]
    app = page_of("find", text_warehouse, monkeypatch, user="no *body*")
    assert [warning.value for warning in app.warning] == [
        "There is no user no \\*body\\* in the warehouse. Pick one from the list on the page Find."
    ]
