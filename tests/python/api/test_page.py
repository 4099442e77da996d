"""The page in a real browser, from a real server: what a person sees and clicks."""

import re
import shutil
from urllib.parse import quote

import duckdb
import pytest
from playwright.sync_api import expect
from serving import serving

KEY = "open sesame"
FIRST = 1234001  # long handles show that they are written without separators
NOBODY = 99


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


@pytest.fixture
def tab(open_tab):
    """Return a tab, and assert afterwards that the browser logged no errors or warnings."""
    with open_tab() as tab:
        yield tab
    assert tab.complaints == []


def show(tab, url):
    """Load a page, and wait until it shows the answers to its requests."""
    tab.page.goto(url)
    expect(tab.page.locator("#answer:not([aria-busy])")).to_have_count(1)


def submit(tab, selector, text):
    """Type a text into a field, and press Enter."""
    tab.page.fill(selector, text)
    tab.page.press(selector, "Enter")


def similar_users(sql):
    return sql("select similar_user_handle, similarity from similar_users where user_handle = ? order by rank", FIRST)


def pair(user):
    return f'#similar li[data-user="{user}"] .pair'


def test_a_user_is_shown_with_similar_users_and_courses_to_take(tab, server, sql):
    show(tab, f"{server.url}/?user={FIRST}")
    expected = similar_users(sql)
    assert tab.texts("h1") == [f"User {FIRST}"]
    assert tab.texts("#similar .head button") == [f"User {user}" for user, _ in expected]
    assert tab.texts("#similar .score") == [f"{similarity:.3f}" for _, similarity in expected]
    ((reasons,),) = sql("select top_reasons from similar_users where user_handle = ? and rank = 1", FIRST)
    shown = tab.texts("#similar li:first-child .words li")
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
    assert tab.texts("#courses li b")[0] == most_viewed
    assert "400 users" in tab.texts("footer")[0]


def test_the_bar_of_a_user_has_a_part_for_each_facet(tab, server, sql):
    show(tab, f"{server.url}/?user={FIRST}")
    (row,) = sql("select columns('_part$') from similar_users where user_handle = ? and rank = 1", FIRST)
    widths = tab.page.evaluate(
        "[...document.querySelector('#similar .bar').children].map((part) => parseFloat(part.style.width))"
    )
    parts = [part for part in row if part > 0]
    most = max(similarity for _, similarity in similar_users(sql))
    assert widths == pytest.approx([100 * part / most for part in parts], abs=0.01)
    label = tab.page.evaluate("document.querySelector('#similar .bar').getAttribute('aria-label')")
    assert label.count(",") == len(parts) - 1


def test_a_click_on_a_user_shows_everything_the_two_have_in_common(tab, server, sql):
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
    show(tab, f"{server.url}/?user={FIRST}")
    tab.page.locator(f'#similar li[data-user="{other}"] button').first.click()
    expect(tab.page.locator(pair(other))).to_be_visible()
    assert tab.page.evaluate("location.search") == f"?user={FIRST}&with={other}"
    assert shared > 12
    assert len(tab.texts(f"{pair(other)} .words li")) == 12
    tab.page.click(f"{pair(other)} button")
    assert len(tab.texts(f"{pair(other)} .words li")) == shared
    # Back to the page before the pair was opened.
    tab.page.go_back()
    expect(tab.page.locator(pair(other))).to_have_count(0)
    assert tab.page.evaluate("location.search") == f"?user={FIRST}"


def test_the_address_of_a_pair_shows_it_and_leads_to_the_other(tab, server, sql):
    other = similar_users(sql)[2][0]
    show(tab, f"{server.url}/?user={FIRST}&with={other}")
    expect(tab.page.locator(pair(other))).to_be_visible()
    tab.page.click(f"{pair(other)} a")
    expect(tab.page.locator("h1")).to_have_text(f"User {other}")
    assert tab.page.evaluate("location.search") == f"?user={other}"
    assert tab.page.evaluate("document.title") == f"User {other} · Kindred"


def test_a_handle_is_typed_to_go_to_a_user(tab, server):
    show(tab, f"{server.url}/")
    assert tab.texts(".intro a.chip")[0] == str(FIRST)
    submit(tab, "#user", str(FIRST + 1))
    expect(tab.page.locator("h1")).to_have_text(f"User {FIRST + 1}")
    assert tab.page.evaluate("location.search") == f"?user={FIRST + 1}"


@pytest.mark.parametrize("handle", ["a/b", "<b>bold</b>", "?user=1&x=2", "Ωμέγα", "a%2Fb"])
def test_a_user_with_a_text_is_shown_and_so_is_a_pair(tab, text_warehouse, tmp_path, handle):
    with serving(tmp_path, "--store", f"duckdb:///{text_warehouse}") as server:
        address = f"{server.url}/?user={quote(handle, safe='')}"
        show(tab, address)
        expect(tab.page.locator("h1")).to_have_text(f"User {handle}")
        other = tab.page.locator("#similar .card").first.get_attribute("data-user")
        show(tab, f"{address}&with={quote(other, safe='')}")
        expect(tab.page.locator("#similar .card.open .pair")).to_be_visible()
        tab.page.locator("#similar .card button").nth(1).click()
        assert handle in tab.page.evaluate("new URLSearchParams(location.search).get('user')")


def test_an_unknown_user_is_reported(tab, server):
    show(tab, f"{server.url}/?user={NOBODY}")
    expect(tab.page.locator("#message .bad")).to_be_visible()
    assert tab.texts("#message") == [f"Unknown user\nThere is no user {NOBODY} in the warehouse."]
    assert tab.texts("#answer section") == []


@pytest.mark.parametrize("text", ["me", "0", "1.5", "<img src=x onerror=alert(1)>", "../health"])
def test_text_that_is_no_user_is_reported(tab, server, text):
    show(tab, f"{server.url}/")
    tab.page.evaluate(f"location.search = new URLSearchParams({{ user: {text!r} }})")
    expect(tab.page.locator("#message .bad")).to_be_visible()
    assert tab.texts("#message") == [f"Unknown user\nThere is no user {text} in the warehouse."]
    assert tab.page.evaluate("document.querySelectorAll('main img').length") == 0


def test_a_key_is_asked_for_where_one_is_needed(tab, published, tmp_path):
    with serving(tmp_path, "--store", f"duckdb:///{published}", KINDRED_API_KEY=KEY) as server:
        show(tab, f"{server.url}/?user={FIRST}")
        expect(tab.page.locator("#message .bad")).to_be_visible()
        assert "needs a key" in tab.texts("#message")[0]
        submit(tab, "#key-input", "sesame")
        expect(tab.page.locator("#message")).to_contain_text("This key is wrong")
        submit(tab, "#key-input", KEY)
        expect(tab.page.locator("#similar .card")).to_have_count(20)
        assert tab.page.evaluate("getComputedStyle(document.querySelector('#key')).display") == "none"
        assert tab.texts("#message") == [""]
        # The key is kept for the tab, but not in the address or a cookie.
        assert tab.page.evaluate("document.cookie + location.href").count("sesame") == 0
        show(tab, f"{server.url}/?user={FIRST + 1}")
        expect(tab.page.locator("#similar .card")).to_have_count(20)


def test_a_missing_warehouse_is_reported_with_the_command_that_builds_one(tab, tmp_path):
    with serving(tmp_path) as server:
        for address in ("/", f"/?user={FIRST}"):
            show(tab, f"{server.url}{address}")
            expect(tab.page.locator("#message .bad")).to_be_visible()
            assert "No warehouse yet" in tab.texts("#message")[0]
            assert "make build" in tab.texts("#message")[0]


def test_a_stopped_server_is_reported(tab, published, tmp_path):
    with serving(tmp_path, "--store", f"duckdb:///{published}") as server:
        show(tab, f"{server.url}/")
    submit(tab, "#user", str(FIRST))
    expect(tab.page.locator("#message")).to_contain_text("cannot be reached")


def test_nothing_is_requested_from_other_hosts(tab, server):
    show(tab, f"{server.url}/?user={FIRST}")
    assert len(tab.requested) >= 6
    for url in tab.requested:
        assert url.startswith((server.url, "data:")), url


def test_handles_have_no_separators(tab, server):
    show(tab, f"{server.url}/?user={FIRST}&with={FIRST + 1}")
    text = tab.texts("main")[0]
    assert str(FIRST) in text
    assert not re.search(r"1[,. \u00a0\u202f]234", text)


def test_the_page_fits_a_phone_and_its_fields_are_labelled(open_tab, server, sql):
    with open_tab(width=390, height=844, is_mobile=True) as tab:
        show(tab, f"{server.url}/?user={FIRST}&with={similar_users(sql)[0][0]}")
        expect(tab.page.locator(".pair")).to_be_visible()
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert tab.page.evaluate("[...document.querySelectorAll('input')].every((input) => input.labels.length === 1)")
        assert tab.page.evaluate("[...document.querySelectorAll('button')].every((b) => b.textContent.trim())")
    assert tab.complaints == []
