"""The page in a real browser, served by a real server: what a person sees and clicks."""

import re
import shutil

import duckdb
import pytest
from browser import Browser
from serving import serving

KEY = "open sesame"
FIRST = 1234001  # handles here are long, to show that they are written without separators
NOBODY = 99


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def published(warehouse, tmp_path_factory):
    """Return a copy of a warehouse with long handles."""
    copy = shutil.copy(warehouse, tmp_path_factory.mktemp("page") / "kindred.duckdb")
    with duckdb.connect(copy) as connection:
        for table in ("users", "similar_users", "user_features", "user_courses"):
            connection.execute(f"update {table} set user_handle = user_handle + {FIRST - 1}")
        connection.execute(f"update similar_users set similar_user_handle = similar_user_handle + {FIRST - 1}")
    return copy


@pytest.fixture(scope="module")
def sql(published):
    def rows(query, *parameters):
        with duckdb.connect(published, read_only=True) as connection:
            return connection.execute(query, parameters).fetchall()

    return rows


@pytest.fixture(scope="module")
def server(published, sql, tmp_path_factory):
    with serving(tmp_path_factory.mktemp("server"), "--store", f"duckdb:///{published}") as server:
        yield server


@pytest.fixture(autouse=True)
def _complaints(browser):
    """Assert that whatever a test did, the browser had nothing to complain of: no error, no broken policy."""
    browser.complaints.clear()
    browser.requested.clear()
    yield
    assert browser.complaints == []


def closest(sql):
    return sql("select similar_user_handle, similarity from similar_users where user_handle = ? order by rank", FIRST)


def pair(user):
    return f'#similar li[data-user="{user}"] .pair'


def test_a_user_is_shown_with_the_closest_and_what_to_take_next(browser, server, sql):
    browser.open(f"{server.url}/?user={FIRST}")
    expected = closest(sql)
    assert browser.texts("h1") == [f"User {FIRST}"]
    assert browser.texts("#similar .head button") == [f"User {user}" for user, _ in expected]
    assert browser.texts("#similar .score") == [f"{similarity:.3f}" for _, similarity in expected]
    ((reasons,),) = sql("select top_reasons from similar_users where user_handle = ? and rank = 1", FIRST)
    shown = browser.texts("#similar li:first-child .words li")
    assert len(shown) == len(reasons)
    for text, reason in zip(shown, reasons, strict=True):
        assert reason["feature"] in text
        assert f"+{reason['contribution']:.3f}" in text
    ((most_viewed,),) = sql(
        """
        select course_id from similar_users
        inner join user_courses on similar_users.similar_user_handle = user_courses.user_handle
        where
            similar_users.user_handle = $1
            and course_id not in (select course_id from user_courses where user_handle = $1)
        group by course_id order by sum(similarity) desc, course_id limit 1
        """,
        FIRST,
    )
    assert browser.texts("#courses li b")[0] == most_viewed
    assert "400 users" in browser.texts("footer")[0]


def test_the_bar_of_a_user_has_a_part_for_each_facet(browser, server, sql):
    browser.open(f"{server.url}/?user={FIRST}")
    (row,) = sql("select columns('_part$') from similar_users where user_handle = ? and rank = 1", FIRST)
    widths = browser.evaluate(
        "[...document.querySelector('#similar .bar').children].map((part) => parseFloat(part.style.width))"
    )
    parts = [part for part in row if part > 0]
    most = max(similarity for _, similarity in closest(sql))
    assert widths == pytest.approx([100 * part / most for part in parts], abs=0.01)
    label = browser.evaluate("document.querySelector('#similar .bar').getAttribute('aria-label')")
    assert label.count(",") == len(parts) - 1


def test_a_click_on_a_user_shows_all_that_the_two_have_in_common(browser, server, sql):
    ((other, shared),) = sql(
        """
        select similar_user_handle, count(*) as shared from similar_users
        inner join user_features as one on similar_users.user_handle = one.user_handle
        inner join user_features as other
            on similar_users.similar_user_handle = other.user_handle and one.matching_feature_id = other.feature_id
        where similar_users.user_handle = ?
        group by similar_user_handle order by shared desc limit 1
        """,
        FIRST,
    )
    browser.open(f"{server.url}/?user={FIRST}")
    browser.click(f'#similar li[data-user="{other}"] button')
    browser.wait_for(f"document.querySelector('{pair(other)}')")
    assert browser.evaluate("location.search") == f"?user={FIRST}&with={other}"
    assert shared > 12
    assert len(browser.texts(f"{pair(other)} .words li")) == 12
    browser.click(f"{pair(other)} button")
    assert len(browser.texts(f"{pair(other)} .words li")) == shared
    # Back to before it was opened.
    browser.evaluate("history.back()")
    browser.wait_for(f"!document.querySelector('{pair(other)}')")
    assert browser.evaluate("location.search") == f"?user={FIRST}"


def test_the_address_of_a_pair_shows_it_and_leads_to_the_other(browser, server, sql):
    other = closest(sql)[2][0]
    browser.open(f"{server.url}/?user={FIRST}&with={other}")
    browser.wait_for(f"document.querySelector('{pair(other)}')")
    browser.click(f"{pair(other)} a")
    browser.wait_for(f"document.querySelector('h1').innerText === 'User {other}'")
    assert browser.evaluate("location.search") == f"?user={other}"
    assert browser.evaluate("document.title") == f"User {other} · Kindred"


def test_a_handle_is_typed_to_go_to_a_user(browser, server):
    browser.open(f"{server.url}/")
    assert browser.texts(".intro a.chip")[0] == str(FIRST)
    browser.type("#user", str(FIRST + 1))
    browser.wait_for(f"document.querySelector('h1').innerText === 'User {FIRST + 1}'")
    assert browser.evaluate("location.search") == f"?user={FIRST + 1}"


def test_who_is_unknown_is_told(browser, server):
    browser.open(f"{server.url}/?user={NOBODY}")
    browser.wait_for("document.querySelector('#message .bad')")
    assert browser.texts("#message") == [f"Nobody there\nThere is no user {NOBODY} in the warehouse."]
    assert browser.texts("#answer section") == []


@pytest.mark.parametrize("text", ["me", "0", "1.5", "<img src=x onerror=alert(1)>", "../health"])
def test_what_is_no_handle_is_told(browser, server, text):
    browser.open(f"{server.url}/")
    browser.evaluate(f"location.search = new URLSearchParams({{ user: {text!r} }})")
    browser.wait_for("document.querySelector('#message .bad')")
    assert browser.texts("#message")[0].startswith("This is no user handle")
    assert browser.evaluate("document.querySelectorAll('main img').length") == 0


def test_a_key_is_asked_for_where_one_is_needed(browser, published, tmp_path):
    with serving(tmp_path, "--store", f"duckdb:///{published}", KINDRED_API_KEY=KEY) as server:
        browser.open(f"{server.url}/?user={FIRST}")
        browser.wait_for("document.querySelector('#message .bad')")
        assert "needs a key" in browser.texts("#message")[0]
        browser.type("#key-input", "sesame")
        browser.wait_for("document.querySelector('#message').innerText.includes('This is not the key')")
        browser.type("#key-input", KEY)
        browser.wait_for("document.querySelectorAll('#similar .card').length === 20")
        assert browser.evaluate("getComputedStyle(document.querySelector('#key')).display") == "none"
        assert browser.texts("#message") == [""]
        # It is kept for the tab, in no address and no cookie.
        assert browser.evaluate("document.cookie + location.href").count("sesame") == 0
        browser.open(f"{server.url}/?user={FIRST + 1}")
        browser.wait_for("document.querySelectorAll('#similar .card').length === 20")


def test_a_missing_warehouse_is_told_with_what_makes_one(browser, tmp_path):
    with serving(tmp_path) as server:
        for address in ("/", f"/?user={FIRST}"):
            browser.open(f"{server.url}{address}")
            browser.wait_for("document.querySelector('#message .bad')")
            assert "No warehouse yet" in browser.texts("#message")[0]
            assert "make build" in browser.texts("#message")[0]


def test_a_server_that_is_gone_is_told(browser, published, tmp_path):
    with serving(tmp_path, "--store", f"duckdb:///{published}") as server:
        browser.open(f"{server.url}/")
    browser.type("#user", str(FIRST))
    browser.wait_for("document.querySelector('#message').innerText.includes('cannot be reached')")


def test_nothing_is_requested_from_elsewhere(browser, server):
    browser.open(f"{server.url}/?user={FIRST}")
    assert len(browser.requested) >= 6
    for url in browser.requested:
        assert url.startswith((server.url, "data:")), url


def test_handles_have_no_separators(browser, server):
    browser.open(f"{server.url}/?user={FIRST}&with={FIRST + 1}")
    text = browser.texts("main")[0]
    assert str(FIRST) in text
    assert not re.search(r"1[,. \u00a0\u202f]234", text)


def test_the_page_fits_a_phone_and_its_fields_are_labelled(browser, server, sql):
    browser.resize(390, 844)
    browser.open(f"{server.url}/?user={FIRST}&with={closest(sql)[0][0]}")
    browser.wait_for("document.querySelector('.pair')")
    assert browser.evaluate("document.documentElement.scrollWidth") <= 390
    assert browser.evaluate("[...document.querySelectorAll('input')].every((input) => input.labels.length === 1)")
    assert browser.evaluate("[...document.querySelectorAll('button')].every((b) => b.textContent.trim())")
