"""`kindred serve` as a person or a container runs it: a process that prints, answers and ends."""

import re
import signal
import socket
import subprocess
import sys

import duckdb
import httpx
import pytest
from project import BIN, clean_environment
from serving import serving

from kindred.warehouse.reading import open_file

ENDING_SECONDS = 20


def ended(*arguments, folder, **environment):
    return subprocess.run(
        [BIN / "kindred", "serve", *arguments],
        cwd=folder,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        timeout=ENDING_SECONDS,
    )


def assert_refused(result, *parts):
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert re.fullmatch(r"Error: [^\n]+\n", result.stderr)
    for part in parts:
        assert str(part) in result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("store", ["duckdb", "memory"])
def test_it_names_the_warehouse_answers_and_ends_cleanly(warehouse, tmp_path, store, number):
    with serving(tmp_path, "--store", f"{store}:///{warehouse}") as server:
        with open_file(warehouse) as connection:
            (version,) = connection.execute("select version from build_info").fetchone()
        assert re.fullmatch(
            rf"Serving at http://127\.0\.0\.1:\d+/ .*\nThe warehouse is version {version} with 400 users\.\n",
            server.printed,
        )
        with httpx.Client(base_url=server.url) as kept_open:
            assert kept_open.get("/health").json()["store"] == store
            assert len(kept_open.get("/users/1/similar").json()["similar"]) == 10
            assert "server" not in kept_open.get("/").headers
            server.process.send_signal(number)
            assert server.process.wait(ENDING_SECONDS) == 0
        assert "Traceback" not in server.printed
        assert server.printed.count("\n") == 2


def test_running_requests_are_answered_before_it_ends(warehouse, tmp_path):
    with serving(tmp_path, "--store", f"duckdb:///{warehouse}") as server:
        body = b'{"interests": ["python"]}'
        head = f"POST /similar HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=ENDING_SECONDS) as connection:
            connection.sendall(head.encode() + b"\r\n" + body[:5])
            httpx.get(f"{server.url}/ping")  # by now half of the request has arrived
            server.process.terminate()
            connection.sendall(body[5:])
            answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"similar":[{' in answer
        assert server.process.wait(ENDING_SECONDS) == 0


def test_it_starts_before_there_is_a_warehouse(warehouse, tmp_path):
    with serving(tmp_path) as server:
        assert "There is no warehouse at warehouse/kindred.duckdb: make one with `make build`" in server.printed
        response = httpx.get(f"{server.url}/users/1/similar")
        assert response.status_code == 503
        assert "make build" in response.json()["detail"]
        (tmp_path / "warehouse").mkdir()
        (tmp_path / "warehouse" / "kindred.duckdb").symlink_to(warehouse)
        assert httpx.get(f"{server.url}/users/1/similar").status_code == 200


def test_it_starts_although_the_store_cannot_be_read(tmp_path):
    (tmp_path / "notes.duckdb").write_text("no database" * 1000)
    with serving(tmp_path, "--store", "duckdb:///notes.duckdb") as server:
        assert "Warning: " in server.printed
        assert httpx.get(f"{server.url}/health").status_code == 503
        server.wait_for(r"\d\d:\d\d:\d\d.* ERROR: The store cannot be reached: .*notes\.duckdb")
        assert "Traceback" not in server.printed


def test_a_failure_is_in_the_log_with_its_traceback(warehouse, tmp_path):
    (tmp_path / "kindred.duckdb").write_bytes(warehouse.read_bytes())
    with duckdb.connect(tmp_path / "kindred.duckdb") as connection:
        connection.execute("alter table similar_users drop column cosine_similarity")
    with serving(tmp_path, "--store", "duckdb:///kindred.duckdb") as server:
        response = httpx.get(f"{server.url}/users/1/similar")
        assert response.status_code == 500
        assert response.headers["content-type"] == "application/problem+json"
        server.wait_for("KeyError: 'cosine_similarity'")
        assert server.printed.count("Traceback") == 1


def test_the_environment_sets_a_key_and_without_one_it_warns(warehouse, tmp_path):
    arguments = ("--host", "0.0.0.0", "--store", f"duckdb:///{warehouse}")
    with serving(tmp_path, *arguments) as server:
        server.wait_for("KINDRED_API_KEY sets a key")
    with serving(tmp_path, *arguments, KINDRED_API_KEY="open sesame") as server:
        assert httpx.get(f"{server.url}/users/1").status_code == 401
        response = httpx.get(f"{server.url}/users/1", headers={"X-API-Key": "open sesame"})
        assert response.json()["user_handle"] == 1
        assert "Warning" not in server.printed


def test_a_port_in_use_is_refused(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_refused(ended("--port", str(port), folder=tmp_path), port, "127.0.0.1")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--store", "mysql://host/database"], "mysql://host/database"),
        (["--store", "csv:///folder"], "publishing only"),
        (["--store", "duckdb://host/file"], "three slashes"),
        (["--host", "no.such.host.invalid"], "no.such.host.invalid"),
    ],
)
def test_wrong_options_are_refused_in_one_sentence(tmp_path, arguments, part):
    assert_refused(ended("--port", "0", *arguments, folder=tmp_path), part)


def test_an_invalid_setting_is_refused_in_one_sentence(tmp_path):
    assert_refused(ended(folder=tmp_path, KINDRED_MAX_CONCURRENT="none"), "KINDRED_MAX_CONCURRENT", "'none'")


@pytest.mark.parametrize("package", ["fastapi", "uvicorn"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path, package):
    code = f"import sys; sys.modules[{package!r}] = None; from kindred.cli import main; main(['serve'])"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert_refused(result, f"{package} is not installed", "pip install", ".[serve]")
