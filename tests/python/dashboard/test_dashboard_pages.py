"""The dashboard in a real browser, page by page."""

import csv
import io
import re
import shutil
import time
from urllib.parse import parse_qs, urlsplit

import duckdb
import pytest
from playwright.sync_api import expect
from project import rows_of
from serving import showing

from kindred.warehouse.reading import open_file

PAGES = {
    "/": "Who is most like a user?",
    "/map": "All users on a map",
    "/clusters": "Clusters of users",
    "/tags": "Which tags mean the same?",
    "/quality": "How good are the similar users?",
    "/pipeline": "Is the data fresh and valid?",
}
DESKTOP = {"width": 1280, "height": 900, "colour_scheme": "light"}
PHONE = {"width": 390, "height": 844, "colour_scheme": "dark", "is_mobile": True}
SCREENS = pytest.mark.parametrize(
    "screen", [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone", marks=pytest.mark.proof)]
)
ATTEMPTS = 3


@pytest.fixture(scope="module")
def dashboard(warehouse, tmp_path_factory):
    """Return the URL of a dashboard with 400 users."""
    with showing(tmp_path_factory.mktemp("dashboard"), "--warehouse", str(warehouse)) as server:
        yield server.url


@pytest.fixture(scope="module")
def pair(warehouse):
    """Return a user and the third in the list of similar users."""
    with open_file(warehouse) as connection:
        return rows_of(
            connection,
            "select user_handle, similar_user_handle from similar_users join users using (user_handle) "
            "where rank = 3 and total_courses > 5 and total_assessments > 0 order by user_handle limit 1",
        )[0]


def look(tab, url):
    """Open a page and wait until all of it is drawn."""
    tab.page.goto(url)
    settle(tab)


def settle(tab):
    """Wait until the server has run the whole page, and no element is stale or waits for its code."""
    expect(tab.page.get_by_text(re.compile(r"^Version \d{8}T.*, built"))).to_be_visible()
    # Not the status at the top, which appears only half a second after a run has begun.
    expect(tab.page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(tab.page.locator("[data-stale=true]")).to_have_count(0)
    expect(tab.page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(tab.page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def cells(tab, index=0):
    """Return the texts of the first rows of a table, which is a picture with texts for screen readers."""
    table = tab.page.get_by_test_id("stDataFrame").nth(index)
    table.scroll_into_view_if_needed()
    rows = table.locator("canvas tbody tr")
    expect(rows.first).to_be_attached()
    return [row.locator("td").all_text_contents() for row in rows.all()]


def parameters(tab):
    return {name: values[0] for name, values in parse_qs(urlsplit(tab.page.url).query).items()}


@SCREENS
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_complete_and_requests_nothing_from_other_hosts(path, screen, dashboard, open_tab):
    with open_tab(**screen) as tab:
        look(tab, dashboard + path)
        expect(tab.page.get_by_role("heading", level=1)).to_have_text(PAGES[path])
        expect(tab.page.get_by_test_id("stException")).to_have_count(0)
        for kind in ("stDataFrame", "stVegaLiteChart", "stDeckGlJsonChart"):
            for element in tab.page.get_by_test_id(kind).all():
                box = element.bounding_box()
                assert box["width"] > 200, kind
                assert box["height"] > 30, kind
        # Only elements that scroll by themselves may be wider than the screen.
        assert tab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= screen["width"]
        background = tab.page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
        is_light = sum(map(int, re.findall(r"\d+", background)[:3])) > 3 * 128
        assert is_light == (screen["colour_scheme"] == "light")
        assert tab.complaints == []
        # Streamlit first checks whether it is served below the path of the page; these two requests fail.
        asked = {f"{dashboard}{path}/_stcore/health", f"{dashboard}{path}/_stcore/host-config"}
        assert set(tab.refused) <= (asked if path != "/" else set())
        assert {urlsplit(url).netloc for url in tab.requested if not url.startswith(("data:", "blob:"))} == {
            urlsplit(dashboard).netloc
        }


def test_a_typed_user_is_in_the_url_and_a_selected_row_is_compared(dashboard, open_tab, warehouse, pair):
    user, other = pair
    with open_tab(**DESKTOP) as tab:
        look(tab, dashboard)
        tab.page.get_by_label("User handle").fill(str(user))
        tab.page.get_by_label("User handle").press("Enter")
        expect(tab.page.get_by_role("heading", name=f"User {user}")).to_be_visible()
        settle(tab)
        assert parameters(tab) == {"user": str(user)}
        similar = cells(tab)
        with open_file(warehouse) as connection:
            expected = rows_of(
                connection,
                f"select rank, similar_user_handle, similarity from similar_users "
                f"where user_handle = {user} order by rank",
            )
        assert [row[:3] for row in similar] == [list(map(str, row)) for row in expected[: len(similar)]]
        assert len(similar) > 5

        # The checkbox of the third row: each row, and the header, is 35 pixels high.
        tab.page.get_by_test_id("stDataFrame").first.click(position={"x": 16, "y": 35 * 3 + 17})
        expect(tab.page.get_by_role("heading", name=f"User {other}")).to_be_visible()
        settle(tab)
        assert parameters(tab) == {"user": str(user), "other": str(other)}
        url = tab.page.url
        compared = tab.texts("h1, h2, h3, li, [data-testid=stMetricValue]")
        assert len(compared) > 10
        assert tab.complaints == []
    with open_tab(**DESKTOP) as another:
        look(another, url)
        assert another.texts("h1, h2, h3, li, [data-testid=stMetricValue]") == compared


def test_every_answer_has_its_definition_its_sql_and_its_csv(dashboard, open_tab, warehouse, pair):
    user, _ = pair
    with open_tab(**DESKTOP) as tab:
        look(tab, f"{dashboard}/?user={user}")
        tab.page.get_by_role("button", name="Definition and SQL").nth(2).click()
        box = tab.page.get_by_test_id("stPopoverBody")
        expect(box).to_contain_text("The users similar to one user, by similarity after the hub correction")
        expect(box).to_contain_text("similarity: How similar the two are, 0 to 1")
        sql = box.locator("code").last.inner_text()
        with open_file(warehouse) as connection:
            answer = connection.execute(sql).df()
            expected = rows_of(
                connection, f"select similar_user_handle from similar_users where user_handle = {user} order by rank"
            )
        assert [(handle,) for handle in answer["similar_user_handle"]] == expected
        tab.page.keyboard.press("Escape")
        with tab.page.expect_download() as download:
            tab.page.get_by_test_id("stDownloadButton").nth(2).get_by_role("button").click()
        assert download.value.suggested_filename == "kindred-find_similar_users.csv"
        rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
        assert [row["similar_user_handle"] for row in rows] == [str(handle) for handle in answer["similar_user_handle"]]
        assert [float(row["similarity"]) for row in rows] == pytest.approx(list(answer["similarity"]))
        assert tab.complaints == []


def test_a_user_is_picked_from_a_list(dashboard, open_tab, warehouse):
    with open_file(warehouse) as connection:
        ((user, label),) = rows_of(
            connection,
            "select user_handle, label from users join clusters using (cluster_id) where cluster_id = 0 "
            "order by total_courses desc, user_handle limit 1",
        )
    with open_tab(**DESKTOP) as tab:
        look(tab, dashboard)
        tab.page.get_by_role("button", name="Pick from a list").click()
        tab.page.get_by_label("Of").click()
        tab.page.get_by_role("option", name=f"0: {label}").click()
        tab.page.get_by_label("User, the most active first").click()
        tab.page.get_by_role("option").first.click()
        expect(tab.page.get_by_role("heading", name=f"User {user}")).to_be_visible()
        settle(tab)
        assert parameters(tab)["user"] == str(user)


@SCREENS
def test_a_user_is_clicked_on_the_map(screen, dashboard, open_tab, warehouse):
    # The user farthest to the left, who is visible only if the whole map is.
    with open_file(warehouse) as connection:
        ((user, x, y, left, right, bottom, top),) = rows_of(
            connection,
            "select arg_min(user_handle, x), min(x), arg_min(y, x), min(x), max(x), min(y), max(y) from user_map",
        )
    with open_tab(**screen) as tab:
        look(tab, f"{dashboard}/map")
        drawing = tab.page.get_by_test_id("stDeckGlJsonChart")
        drawing.scroll_into_view_if_needed()
        box = drawing.bounding_box()
        # The longer side takes .94 of the height, the map is centred, and y points up.
        pixels = box["height"] * 0.94 / max(right - left, top - bottom)
        tab.page.mouse.click(
            box["x"] + box["width"] / 2 + (x - (left + right) / 2) * pixels,
            box["y"] + box["height"] / 2 - (y - (bottom + top) / 2) * pixels,
        )
        expect(tab.page.get_by_role("heading", name=f"User {user}")).to_be_visible()
        settle(tab)
        assert parameters(tab) == {"user": str(user)}
        assert tab.complaints == []


@SCREENS
def test_a_marked_user_is_opened_in_find(screen, dashboard, open_tab, pair):
    user, _ = pair
    with open_tab(**screen) as tab:
        look(tab, f"{dashboard}/map?user={user}")
        tab.page.get_by_role("link", name="Open in Find").click()
        expect(tab.page.get_by_role("heading", level=1)).to_have_text(PAGES["/"])
        expect(tab.page.get_by_role("heading", name=f"User {user}")).to_be_visible()
        settle(tab)
        assert parameters(tab) == {"user": str(user)}
        assert tab.complaints == []


def version_of(warehouse, folder, version):
    """Publish the warehouse as kindred.duckdb in a folder, with another version."""
    file = folder / f"kindred-{version}.duckdb"
    shutil.copy(warehouse, file)
    with duckdb.connect(file) as connection:
        connection.execute("update build_info set version = ?", [version])
    link = folder / "link"
    link.symlink_to(file.name)
    link.rename(folder / "kindred.duckdb")


def test_it_waits_for_a_warehouse_and_offers_a_new_version(open_tab, warehouse, tmp_path, pair):
    first, second = "20260101T000000Z-00000001", "20260102T000000Z-00000002"
    with showing(tmp_path, "--warehouse", "kindred.duckdb") as server, open_tab(**DESKTOP) as tab:
        tab.page.goto(f"{server.url}/?user={pair[0]}")
        expect(tab.page.get_by_text("There is no warehouse at kindred.duckdb")).to_be_visible()
        version_of(warehouse, tmp_path, first)
        tab.page.get_by_role("button", name="Try again").click()
        expect(tab.page.get_by_text(f"Version {first}")).to_be_visible()
        expect(tab.page.get_by_role("heading", name=f"User {pair[0]}")).to_be_visible()
        settle(tab)

        version_of(warehouse, tmp_path, second)
        offered = tab.page.get_by_role("button", name="A new version has been published. Show it")
        expect(offered).to_be_visible()
        expect(tab.page.get_by_role("heading", name=f"User {pair[0]}")).to_be_visible()
        offered.click()
        expect(tab.page.get_by_text(f"Version {second}")).to_be_visible()
        expect(tab.page.get_by_role("heading", name=f"User {pair[0]}")).to_be_visible()

        (tmp_path / "kindred.duckdb").unlink()
        tab.page.get_by_label("User handle").fill(str(pair[1]))
        tab.page.get_by_label("User handle").press("Enter")
        expect(tab.page.get_by_text("There is no warehouse at kindred.duckdb")).to_be_visible()
        assert tab.complaints == []


@pytest.mark.proof
def test_ten_thousand_users_are_fast_and_handles_have_no_separators(large_warehouse, open_tab, tmp_path):
    with open_file(large_warehouse) as connection:
        handles = [
            handle
            for (handle,) in rows_of(
                connection,
                "select user_handle from users where user_handle > 1000 and total_courses > 3 order by 1 limit 6",
            )
        ]
    with showing(tmp_path, "--warehouse", str(large_warehouse)) as server:
        paints, lookups = [], []
        for attempt in range(ATTEMPTS):
            with open_tab(**DESKTOP) as tab:
                began = time.monotonic()
                tab.page.goto(server.url)
                expect(tab.page.get_by_text("Definition and SQL").last).to_be_visible()
                paints.append(time.monotonic() - began)
                settle(tab)
                handle = handles[attempt]
                began = time.monotonic()
                tab.page.get_by_label("User handle").fill(str(handle))
                tab.page.get_by_label("User handle").press("Enter")
                expect(tab.page.get_by_role("heading", name=f"User {handle}")).to_be_visible()
                expect(tab.page.get_by_role("heading", name="Courses that similar users viewed")).to_be_visible()
                lookups.append(time.monotonic() - began)
                settle(tab)
                assert f"{handle:,}" not in tab.page.get_by_test_id("stMain").inner_text()
                assert all(row[1].isdigit() for row in cells(tab))
        # The first is slower: the server has not opened the file yet.
        assert min(paints[1:]) < 3, paints
        assert min(lookups) < 1, lookups
