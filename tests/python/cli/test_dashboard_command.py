"""`kindred dashboard` as a person runs it: a process that prints its address, shows the warehouse, and ends."""

import re
import signal
import socket
import subprocess
import sys

import pytest
from project import BIN, clean_environment
from serving import showing

ENDING_SECONDS = 20


def ended(*arguments, folder, program=(BIN / "kindred",), **environment):
    return subprocess.run(
        [*program, "dashboard", *arguments],
        cwd=folder,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        timeout=ENDING_SECONDS,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_address_and_ends_cleanly(tmp_path, number):
    with showing(tmp_path) as server:
        server.process.send_signal(number)
        assert server.process.wait(ENDING_SECONDS) == 0
        assert re.fullmatch(
            r"The dashboard is at http://127\.0\.0\.1:\d+/ \(stop with Ctrl-C\)\.\n  Stopping...\n", server.printed
        )


def test_nothing_is_written_to_the_home_directory(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    with showing(tmp_path, HOME=str(home)):
        pass
    assert list(home.iterdir()) == []


def test_a_page_of_another_origin_is_refused_without_calling_other_hosts(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        proxy = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
        with showing(tmp_path, HTTP_PROXY=proxy, HTTPS_PROXY=proxy, http_proxy=proxy, https_proxy=proxy) as server:
            own, foreign = (handshake(server.port, origin) for origin in (server.url, "http://example.com"))
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    assert own.startswith("HTTP/1.1 101 ")
    assert foreign.startswith("HTTP/1.1 403 ")


def handshake(port, origin):
    """Return the server's answer to a WebSocket handshake from a page of that origin."""
    head = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=ENDING_SECONDS) as connection:
        connection.sendall(head.encode())
        return connection.recv(100).decode()


def test_it_warns_if_others_can_reach_it(tmp_path):
    with showing(tmp_path, "--host", "0.0.0.0") as server:
        assert "anybody who reaches this host can see the dashboard" in server.printed


def test_a_port_in_use_is_reported_in_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = ended("--port", port, folder=tmp_path)
    assert result.returncode == 2
    assert re.fullmatch(rf"Error: Cannot listen on port {port} of 127\.0\.0\.1: .*\n", result.stderr)


def test_without_the_extra_it_says_what_to_install(tmp_path):
    blocked = "import sys; sys.modules['streamlit'] = None; from kindred.cli import main; main()"
    result = ended(folder=tmp_path, program=(sys.executable, "-c", blocked))
    assert result.returncode == 2
    assert "pip install -c requirements-dev.lock -e '.[dashboard]'" in result.stderr
    assert result.stderr.count("\n") == 1


def test_help_names_every_option(tmp_path):
    result = ended("--help", folder=tmp_path)
    assert result.returncode == 0
    for option in ("--host", "--port", "--warehouse", "--open"):
        assert option in result.stdout
