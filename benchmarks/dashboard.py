"""Time the pages of the dashboard: dashboard.py FILE, where FILE is a published DuckDB file; needs Chromium.

With --screenshots DIR it saves screenshots instead, wide and narrow, light and dark.

It prints the median seconds from the request for a page until its last part is drawn; for the map, until its points are
drawn. The browser has loaded the program before. A lookup is typed into Find, and a user is clicked on the map, which
the browser draws without a graphics card.
"""

import argparse
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tabulate import tabulate

from kindred.dashboard.drawing.user_map import MAP_SHARE
from kindred.dashboard.pages.user_map import SHOWN_USERS
from kindred.dashboard.queries.reading import read_query
from kindred.dashboard.widgets.choices import ALL_CLUSTERS

TIMES = 5
PAGES = ("", "map", "clusters", "clusters?cluster=0", "tags", "quality", "pipeline")
SCREENS = {"desktop": (1280, 900, "light", None), "phone": (390, 844, "dark", "Mobile")}
"""Width, height, colour scheme and, if not the browser's own, the user agent."""
MAX_MILLISECONDS = 60_000
DRAWING_MILLISECONDS = 2_000
QUIET = ("--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-dev-shm-usage")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="The browser.")
    parser.add_argument(
        "--screenshots", type=Path, metavar="DIR", help="Save screenshots of the pages in this folder instead."
    )
    arguments = parser.parse_args()
    with duckdb.connect(arguments.file, read_only=True) as connection:
        handles = [
            handle
            for (handle,) in connection.execute(
                "select user_handle from users where total_courses > 3 order by user_handle limit ?", [TIMES]
            ).fetchall()
        ]
        shown = connection.execute(
            read_query("map_users").sql, {"shown_users": SHOWN_USERS, "cluster_id": ALL_CLUSTERS}
        ).df()
    kindred = Path(sys.executable).with_name("kindred")
    with subprocess.Popen(
        [kindred, "dashboard", "--port", "0", "--warehouse", arguments.file], stderr=subprocess.PIPE, text=True
    ) as process:
        url = re.search(r"http://\S+", process.stderr.readline())[0]
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=arguments.chromium, args=QUIET)
                expect.set_options(timeout=MAX_MILLISECONDS)
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                sent = [0]
                page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: sent.append(len(frame))))
                wait_for_server(page, url)
                if arguments.screenshots:
                    draw(browser, url, handles[0], arguments.screenshots)
                else:
                    rows = [*measure(page, url, handles), measure_clicks(page, url, shown)]
                    print(tabulate(rows, headers=["what", "seconds, median", "worst"], floatfmt=".2f"))
                    print(f"The largest message, the map, had {max(sent) / 1e6:.1f} MB.")
        finally:
            process.terminate()


def measure(page: Page, url: str, handles: list[int]) -> list[tuple[str, float, float]]:
    """Return the name, the median and the longest time in seconds of each measurement."""
    rows = []
    for path in PAGES:
        seconds = []
        for _ in range(TIMES + 1):
            page.goto("about:blank")
            began = time.monotonic()
            page.goto(url + path)
            settle(page)
            seconds.append(time.monotonic() - began)
        rows.append((f"/{path}", statistics.median(seconds[1:]), max(seconds[1:])))
    seconds = []
    for handle in handles:
        page.goto(url)
        settle(page)
        began = time.monotonic()
        page.get_by_label("User handle").fill(str(handle))
        page.get_by_label("User handle").press("Enter")
        expect(page.get_by_role("heading", name=f"User {handle}")).to_be_visible()
        expect(page.get_by_text("The whole profile")).to_be_visible()
        seconds.append(time.monotonic() - began)
    rows.append(("a lookup in Find", statistics.median(seconds), max(seconds)))
    return rows


def measure_clicks(page: Page, url: str, users: pd.DataFrame) -> tuple[str, float, float]:
    """Click the leftmost users, each on a newly loaded map, and time until each one is shown."""
    seconds = []
    places = users[["x", "y"]].to_numpy()
    low, high = places.min(axis=0), places.max(axis=0)
    for place in places[np.argsort(places[:, 0])[:TIMES]]:
        page.goto(f"{url}map")
        settle(page)
        box = page.get_by_test_id("stDeckGlJsonChart").bounding_box()
        across, up = (place - (low + high) / 2) * box["height"] * MAP_SHARE / (high - low).max()
        began = time.monotonic()
        page.mouse.click(box["x"] + box["width"] / 2 + across, box["y"] + box["height"] / 2 - up)
        expect(page.get_by_role("heading", name="User ")).to_be_visible()
        expect(page.get_by_text("Lines lead to the similar users")).to_be_visible()
        seconds.append(time.monotonic() - began)
    return "a click on the map", statistics.median(seconds), max(seconds)


def draw(browser: Browser, url: str, handle: int, folder: Path) -> None:
    """Save a screenshot of every page, and of Find with a user, for each screen."""
    folder.mkdir(parents=True, exist_ok=True)
    for screen, (width, height, colour_scheme, user_agent) in SCREENS.items():
        page = browser.new_page(
            viewport={"width": width, "height": height}, color_scheme=colour_scheme, user_agent=user_agent
        )
        for path in (*PAGES, f"?user={handle}"):
            page.set_viewport_size({"width": width, "height": height})
            page.goto(url + path)
            settle(page)
            whole = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
            page.set_viewport_size({"width": width, "height": max(height, whole + 60)})
            page.wait_for_timeout(DRAWING_MILLISECONDS)
            name = re.sub(r"\W+", "-", path or "find").strip("-")
            page.screenshot(path=folder / f"{screen}-{name}.png")


def wait_for_server(page: Page, url: str) -> None:
    """Wait until the server answers, a second or two after it has printed its address."""
    for _ in range(100):
        try:
            page.goto(url)
        except Exception:  # the class depends on the browser
            time.sleep(0.2)
        else:
            break
    settle(page)


def settle(page: Page) -> None:
    """Wait until a page is completely drawn."""
    expect(page.get_by_text(re.compile(r"^Version \d{8}T.*, built"))).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.locator("[data-stale=true]")).to_have_count(0)
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")


if __name__ == "__main__":
    main()
