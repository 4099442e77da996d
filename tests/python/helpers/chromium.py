"""A real browser for tests: the Chromium of this machine, without a window, driven by Playwright."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright
from servers import missing

MAX_MILLISECONDS = 20_000
PHONE_AGENT = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
)
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip

expect.set_options(timeout=MAX_MILLISECONDS)


@dataclass(frozen=True)
class Tab:
    """A page, the URLs of its requests and of refused ones, and the errors and warnings of the browser."""

    page: Page
    requested: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def texts(self, selector: str) -> list[str]:
        """Return the visible text of every element that a CSS selector finds now."""
        return self.page.locator(selector).all_inner_texts()


OpenTab = Callable[..., AbstractContextManager[Tab]]


@contextmanager
def chromium() -> Iterator[OpenTab]:
    """Start Chromium and yield a function that opens a tab; tabs share no storage.

    Playwright runs an event loop in this thread meanwhile: use one browser at a time, and no other loop.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        missing("These tests need a browser: `apt-get install chromium` installs it.")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=program, args=QUIET) as browser:

        @contextmanager
        def open_tab(
            width: int = 1280, height: int = 800, colour_scheme: str = "light", is_mobile: bool = False
        ) -> Iterator[Tab]:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=colour_scheme,
                is_mobile=is_mobile,
                user_agent=PHONE_AGENT if is_mobile else None,
            )
            context.set_default_timeout(MAX_MILLISECONDS)
            tab = Tab(context.new_page())
            tab.page.on("request", lambda request: tab.requested.append(request.url))
            tab.page.on("response", lambda response: response.ok or tab.refused.append(response.url))
            tab.page.on("websocket", lambda socket: tab.requested.append(socket.url))
            tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
            tab.page.on("console", lambda message: _complain(tab, message))
            try:
                yield tab
            finally:
                context.close()

        yield open_tab


def _complain(tab: Tab, message: ConsoleMessage) -> None:
    """Keep errors, warnings and broken policies of the browser.

    Two kinds are ignored: refusals of the server, which tests provoke, and the graphics driver's remarks on speed.
    """
    is_ignored = message.text.startswith("Failed to load resource") or "GL Driver Message" in message.text
    if message.type not in ("log", "info", "debug") and not is_ignored:
        tab.complaints.append(f"{message.type}: {message.text}")
