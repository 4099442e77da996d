"""dbt commands as processes of their own that start at once: forks of one process that has imported what they need.

Importing dbt takes as long as some builds of small data. A worker of the test run starts this file as a program at its
first command; it then reads a command a line and answers with a line.
"""

import atexit
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path

IMPORTED = ("dbt.cli.main", "dbt.adapters.duckdb", "pandas", "pyarrow", "scipy.sparse", "sklearn.cluster", "numba")
ONE_AT_A_TIME = threading.Lock()


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what would steer dbt, Kindred or a make inside a make.

    Coverage is not measured there either: with it a build takes half as long again, and servers answer late.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KINDRED_", "DBT_", "MAKE", "COVERAGE_")) and name != "MFLAGS"
    }


def run_dbt(arguments: list[str], folder: Path, environment: dict[str, str], max_seconds: float) -> tuple[int, str]:
    """Run dbt in a folder with that environment only; return its exit status and all that it printed.

    The exit status is that of a process that was killed if it takes longer.
    """
    with tempfile.NamedTemporaryFile() as output, ONE_AT_A_TIME:
        command = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": environment,
            "output": output.name,
            "max_seconds": max_seconds,
        }
        process = _process()
        process.stdin.write(json.dumps(command) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline()), Path(output.name).read_text(encoding="utf-8")


@cache
def _process() -> subprocess.Popen:
    """Start the process that forks."""
    return subprocess.Popen(
        [sys.executable, __file__], env=clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def serve() -> dict | None:
    """Fork for every command and answer with its exit status; return the command in the fork, nothing at the end."""
    for module in IMPORTED:
        importlib.import_module(module)
    for line in sys.stdin:
        command = json.loads(line)
        child = os.fork()
        if child == 0:
            return command
        print(wait_for(child, command["max_seconds"]), flush=True)
    return None


def wait_for(child: int, max_seconds: float) -> int:
    deadline = time.monotonic() + max_seconds
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)


def become_dbt(command: dict) -> None:
    os.environ.clear()
    os.environ.update(command["environment"])
    os.chdir(command["folder"])
    output = os.open(command["output"], os.O_WRONLY | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = ["dbt", *command["arguments"]]
    try:
        importlib.import_module("dbt.cli.main").cli()
    except SystemExit as ended:
        atexit._run_exitfuncs()  # closes the database, so that its file is whole
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ended.code or 0)  # libraries end badly whose threads stayed behind in the process that forked


if __name__ == "__main__":
    command = serve()
    if command is not None:
        become_dbt(command)
