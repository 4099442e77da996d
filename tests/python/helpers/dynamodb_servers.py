"""Two servers that answer as DynamoDB does, moto and dynalite, and a proxy before one that fails on demand."""

import fcntl
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_connection
from threading import Thread
from typing import NamedTuple

import pytest
from project import BIN
from servers import free_port, missing

DYNALITE = Path(__file__).parent / "dynalite"
OLDEST_NODE = 20
STARTING_SECONDS = 30

NPM_CI = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "a-key",
    "AWS_SECRET_ACCESS_KEY": "not-to-be-shown",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    "NO_PROXY": "127.0.0.1",
}
OTHER_VARIABLES = ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB")


@contextmanager
def aws_environment() -> Iterator[None]:
    """Have credentials that only these servers take, and nothing else of AWS in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in OTHER_VARIABLES:
            patch.delenv(name, raising=False)
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield


@contextmanager
def moto_server() -> Iterator[int]:
    """Run moto's server and give its port."""
    with _running(lambda port: [BIN / "moto_server", "-H", "127.0.0.1", "-p", str(port)]) as port:
        yield port


@contextmanager
def dynalite_server() -> Iterator[int]:
    """Run dynalite, in memory, and give its port; install it first if need be."""
    cli = _installed_dynalite()
    at_once = ["--createTableMs", "0", "--deleteTableMs", "0", "--updateTableMs", "0"]
    with _running(lambda port: ["node", cli, "--host", "127.0.0.1", "--port", str(port), *at_once]) as port:
        yield port


SERVERS = {"moto": moto_server, "dynalite": dynalite_server}


class Answer(NamedTuple):
    """What the proxy answers in place of the server, or with a changed request: a status and a body."""

    status: int
    body: dict


def refusal(code: str, message: str = "") -> Answer:
    """Return an error of DynamoDB."""
    return Answer(400, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message})


Forward = Callable[[dict], Answer]
Fault = Callable[[str, dict, Forward], Answer | None]


class Proxy:
    """Passes requests on to a server, and notes them.

    Attributes
    ----------
    port
        Where it listens.
    requests
        The operation and the body of every request since the list was last cleared.
    fault
        Takes an operation, its body and what passes a body on, and returns what to answer; None for what the server
        answers, or an operation that is passed on as it is.

    """

    def __init__(self, server_port: int):
        self.requests: list[tuple[str, dict]] = []
        self.fault: Fault | None = None
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Else the answer waits for what acknowledges its head.
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answered = proxy._answer(server_port, dict(self.headers), body)
                content = json.dumps(answered.body).encode()
                self.send_response(answered.status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, address: object) -> None:
                """Say nothing when a client is killed."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port

    def _answer(self, server_port: int, headers: dict[str, str], body: bytes) -> Answer:
        operation = headers["X-Amz-Target"].split(".")[1]
        request = json.loads(body)
        self.requests.append((operation, request))
        fault = self.fault

        def forward(changed: dict) -> Answer:
            connection = HTTPConnection("127.0.0.1", server_port)
            content = json.dumps(changed)
            connection.request("POST", "/", content, headers | {"Content-Length": str(len(content))})
            response = connection.getresponse()
            answer = Answer(response.status, json.loads(response.read()))
            connection.close()
            return answer

        return (fault and fault(operation, request, forward)) or forward(request)


@contextmanager
def proxy_before(server_port: int) -> Iterator[Proxy]:
    """Run a proxy before a server."""
    proxy = Proxy(server_port)
    thread = Thread(target=proxy._server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield proxy
    finally:
        proxy._server.shutdown()
        thread.join()
        proxy._server.server_close()


@contextmanager
def _running(command: Callable[[int], list[str | Path]]) -> Iterator[int]:
    port = free_port()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command(port), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=DYNALITE
        )
        try:
            deadline = time.monotonic() + STARTING_SECONDS
            while not _is_listening(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    output.seek(0)
                    pytest.fail(f"{process.args[0]} does not start:\n{output.read().decode()}")
                time.sleep(0.02)
            yield port
        finally:
            process.kill()
            process.wait()


def _is_listening(port: int) -> bool:
    try:
        create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _installed_dynalite() -> Path:
    """Return dynalite's command; npm installs what the lock file says, once for all workers of a test run."""
    _require_node()
    lock_file, installed = DYNALITE / "package-lock.json", DYNALITE / "node_modules" / ".package-lock.json"
    with lock_file.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < lock_file.stat().st_mtime:
            with tempfile.TemporaryDirectory() as cache:
                ended = subprocess.run(
                    [*NPM_CI, "--cache", cache],
                    cwd=DYNALITE,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            if ended.returncode:
                pytest.fail(f"`{' '.join(NPM_CI)}` in {DYNALITE} does not install dynalite:\n{ended.stdout}")
    return DYNALITE / "node_modules" / "dynalite" / "cli.js"


def _require_node() -> None:
    if shutil.which("node") and shutil.which("npm"):
        version = subprocess.check_output(["node", "--version"], text=True)
        if int(re.match(r"v(\d+)", version)[1]) >= OLDEST_NODE:
            return
    missing(
        f"These tests run dynalite, a DynamoDB server of Node.js: install Node.js {OLDEST_NODE} or later with npm, "
        "as https://nodejs.org says, so that `node` and `npm` are on the path."
    )
