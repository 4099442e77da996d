"""A real PostgreSQL for tests: the binaries of this machine, in a folder and at a port of their own."""

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

PASSWORD = "not-to-be-shown"
SUPERUSER = "postgres"


class PostgresqlServer:
    """A server that can be stopped and started; its superuser has a password."""

    def __init__(self, folder: Path):
        """Make a cluster of databases in a folder."""
        self.port = free_port()
        self._binaries = postgresql_binaries()
        self._folder = folder
        # PostgreSQL refuses to run as root.
        self._user = SUPERUSER if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(
            "initdb", "--username", SUPERUSER, "--pwfile", password, "--auth", "scram-sha-256", "--encoding", "UTF8",
            "--locale", "C", "--no-sync",
        )  # fmt: skip

    def url(self, database: str, user: str = SUPERUSER, password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(self.url(database), autocommit=True)

    def start(self) -> None:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self._folder,
            "fsync": "off",
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "start", "--wait", "--log", self._folder / "log", "--options", options)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--mode", "immediate")

    def _run(self, program: str, *arguments: str | Path) -> None:
        with (self._folder / "output").open("a+") as output:
            ended = subprocess.run(
                [self._binaries / program, "--pgdata", self._folder / "data", *arguments],
                cwd=self._folder,
                user=self._user,
                stdin=subprocess.DEVNULL,
                stdout=output,  # a pipe would be kept open by the server
                stderr=subprocess.STDOUT,
            )
            output.seek(0)
            assert ended.returncode == 0, output.read()


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Start a server and stop it at the end."""
    # Not one of pytest's folders: those are closed to the user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="kindred-postgresql-", ignore_cleanup_errors=True) as folder:
        server = PostgresqlServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def postgresql_binaries() -> Path:
    """Return the folder of the newest PostgreSQL; Debian keeps the server's programs off the PATH."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True
    )
    if pg_config := shutil.which("pg_config"):
        folders.append(Path(subprocess.check_output([pg_config, "--bindir"], text=True).strip()))
    folders += [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    missing("These tests need a PostgreSQL server: `apt-get install postgresql` installs it.")


def needs_metricflow() -> None:
    """Skip a test, or fail it in CI, where MetricFlow is not installed."""
    if importlib.util.find_spec("dbt_metricflow") is None:
        missing("This needs MetricFlow: `.venv/bin/pip install -c requirements-dev.lock -e '.[metrics]'` installs it.")


def missing(sentence: str) -> NoReturn:
    """Skip a test for want of a program, which the sentence names; in CI, where all are installed, fail it."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(sentence)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
