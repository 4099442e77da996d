"""Load on a local `kindred serve`: how fast it answers, with which status, and how much CPU time it uses."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

HOST = "127.0.0.1"
KINDRED = Path(sys.executable).with_name("kindred")


@dataclass(frozen=True)
class Server:
    """A running `kindred serve`."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Return the CPU time of the process so far, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running_server(store_url: str, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """Start `kindred serve` on a free port, wait until it listens, and stop it at the end."""
    command = [KINDRED, "serve", "--port", "0", "--store", store_url]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = process.stderr.readline()
            listening = re.search(r":(\d+)/", said)
            assert listening, said + process.stderr.read()
            yield Server(int(listening[1]), process.pid)
        finally:
            process.terminate()


@dataclass
class Load:
    """The result of a load: seconds from request to complete answer, and the number of answers by status."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    elapsed_seconds: float = 0.0

    @property
    def requests_per_second(self) -> float:
        """Return the number of requests answered per second."""
        return len(self.seconds) / self.elapsed_seconds

    def percentile_ms(self, share: float) -> float:
        """Return the milliseconds within which a share of the requests was answered."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def put_load_on(
    port: int,
    requests: Iterable[tuple[str, str, bytes]],
    seconds: float,
    connections: int = 8,
    check: Callable[[str, int, bytes], None] = lambda path, status, body: None,
    go_on: Callable[[], bool] = lambda: True,
) -> Load:
    """Send requests to a server on this machine over several connections, each with one request at a time.

    Parameters
    ----------
    port
        The port of the server.
    requests
        Method, path and JSON body (b"" for none) of each; repeated from the start when all are sent.
    seconds
        How long to send requests; the last answers are waited for.
    connections
        The number of connections.
    check
        Called with the path, status and body of every answer; raises if they are wrong.
    go_on
        Called before every request; returns whether to send it.

    """
    load = Load()
    source = cycle(list(requests))
    started = time.perf_counter()

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            while time.perf_counter() < started + seconds and go_on():
                method, path, body = next(source)
                head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n"
                if body:
                    head += "Content-Type: application/json\r\n"
                begun = time.perf_counter()
                writer.write(head.encode() + b"\r\n" + body)
                status, content = await _answer(reader)
                load.seconds.append(time.perf_counter() - begun)
                load.statuses[status] = load.statuses.get(status, 0) + 1
                check(path, status, content)
        finally:
            writer.close()

    async def all_connections() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(connection())

    asyncio.run(all_connections())
    load.elapsed_seconds = time.perf_counter() - started
    return load


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    return status, await reader.readexactly(length)
