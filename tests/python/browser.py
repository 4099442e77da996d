"""A real browser for tests: Chromium without a window, told what to do over two pipes (its DevTools protocol)."""

import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

from servers import missing

LONGEST_SECONDS = 20
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip

# Chromium takes commands from descriptor 3 and answers on 4.
LAUNCH = "import os, sys; [os.dup2(int(sys.argv[1 + n]), 3 + n) for n in (0, 1)]; os.execv(sys.argv[3], sys.argv[3:])"


class Browser:
    """One tab. It remembers what was requested, and what the browser complained of."""

    def __init__(self, folder: Path):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if program is None:
            missing("These tests need a browser: `apt-get install chromium` installs it.")
        commands, self._commands = _pipe()
        self._answers, answers = _pipe()
        arguments = [*QUIET, "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(commands), str(answers), program, *arguments],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._received = b""
        self._number = 0
        self._session = None
        self.requested: list[str] = []
        self.complaints: list[str] = []
        (target,) = (target for target in self._tell("Target.getTargets")["targetInfos"] if target["type"] == "page")
        attached = self._tell("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._tell(f"{domain}.enable")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def resize(self, width: int, height: int) -> None:
        self._tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True)

    def open(self, url: str) -> None:
        """Load a page, and wait until it has shown what it asks for."""
        self._tell("Page.navigate", url=url)
        self.wait_for(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")
        self.settle()

    def settle(self) -> None:
        self.wait_for("!document.querySelector('#answer').hasAttribute('aria-busy')")

    def evaluate(self, script: str) -> object:
        result = self._tell("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, script: str) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        while not self.evaluate(f"Boolean({script})"):
            assert time.monotonic() < deadline, (script, self.evaluate("document.body.innerText"), self.complaints)
            time.sleep(0.02)

    def texts(self, selector: str) -> list[str]:
        """Return what can be read in every element that a CSS selector finds."""
        return self.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.innerText)")

    def click(self, selector: str) -> None:
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def type(self, selector: str, text: str) -> None:
        """Type a text into a field, and press Enter."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self._tell("Input.insertText", text=text)
        for kind in ("keyDown", "keyUp"):
            self._tell(
                "Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r", windowsVirtualKeyCode=13
            )

    def _tell(self, method: str, **parameters: object) -> dict:
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._remember(message)

    def _message(self) -> dict:
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._answers], [], [], LONGEST_SECONDS)
            part = os.read(self._answers, 1 << 16) if ready else b""
            assert part, f"The browser does not answer (exit status {self._process.poll()})."
            self._received += part
        message, _, self._received = self._received.partition(b"\0")
        return json.loads(message)

    def _remember(self, message: dict) -> None:
        parameters = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requested.append(parameters["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(parameters["exceptionDetails"]))
            case "Log.entryAdded" if parameters["entry"]["source"] != "network":
                self.complaints.append(parameters["entry"]["text"])


def _pipe() -> tuple[int, int]:
    """Return the ends of a pipe, away from the descriptors that they become."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return moved
