"""A real `kindred serve` or `kindred dashboard` for tests, as a separate process on a free port."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from project import BIN, clean_environment

MAX_SECONDS = 30


@dataclass(frozen=True)
class Serving:
    """A running server, and the file to which it prints."""

    process: subprocess.Popen
    log: Path

    @property
    def printed(self) -> str:
        return self.log.read_text()

    @property
    def port(self) -> int:
        return int(re.search(r"http://\S+:(\d+)/", self.printed)[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_for(self, pattern: str) -> None:
        deadline = time.monotonic() + MAX_SECONDS
        while not re.search(pattern, self.printed):
            assert time.monotonic() < deadline, self.printed
            assert self.process.poll() is None, self.printed
            time.sleep(0.02)


@contextmanager
def serving(folder: Path, *arguments: str, **environment: str) -> Iterator[Serving]:
    """Serve from a folder, wait until the server names the warehouse, and kill it at the end if it still runs."""
    with _running("serve", folder, *arguments, **environment) as server:
        server.wait_for(r"\n.*(version|503)")
        yield server


@contextmanager
def showing(folder: Path, *arguments: str, **environment: str) -> Iterator[Serving]:
    """Run the dashboard in a folder, wait until it answers, and kill it at the end if it still runs."""
    with _running("dashboard", folder, *arguments, **environment) as server:
        server.wait_for(r"The dashboard is at")
        deadline = time.monotonic() + MAX_SECONDS
        while not _is_healthy(f"{server.url}/_stcore/health"):
            assert time.monotonic() < deadline, server.printed
            assert server.process.poll() is None, server.printed
            time.sleep(0.05)
        yield server


def _is_healthy(url: str) -> bool:
    try:
        return httpx.get(url).text == "ok"
    except httpx.TransportError:
        return False


@contextmanager
def _running(command: str, folder: Path, *arguments: str, **environment: str) -> Iterator[Serving]:
    log = folder / f"{command}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [BIN / "kindred", command, "--port", "0", *arguments],
            cwd=folder,
            env=clean_environment() | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Serving(process, log)
    finally:
        process.kill()
        process.wait()
