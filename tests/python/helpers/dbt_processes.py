"""dbt commands as processes of their own that start in no time: forks of one process that has imported all they need.

Importing dbt takes as long as a small build's models. The first command of a test run starts the process to fork from.
"""

import multiprocessing
import os
import sys
import tempfile
from multiprocessing import forkserver
from pathlib import Path

PRELOADED = ("dbt.cli.main", "dbt.adapters.duckdb", "pandas", "pyarrow", "scipy.sparse", "sklearn.cluster", "numba")


def run_dbt(arguments: list[str], folder: Path, environment: dict[str, str], timeout: float) -> tuple[int, str]:
    """Run dbt in a folder with that environment only; return its exit status and all that it printed.

    Raises TimeoutError, after killing it, if it takes longer than that many seconds.
    """
    context = multiprocessing.get_context("forkserver")
    _start_server(environment)
    with tempfile.NamedTemporaryFile() as output:
        process = context.Process(target=_become_dbt, args=(arguments, folder, environment, output.name))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            raise TimeoutError(f"dbt {' '.join(arguments)} took more than {timeout} seconds")
        return process.exitcode, Path(output.name).read_text(encoding="utf-8")


def _start_server(environment: dict[str, str]) -> None:
    own = dict(os.environ)
    os.environ.clear()  # with the variables of coverage, every fork would be measured
    os.environ.update(environment)
    try:
        multiprocessing.set_forkserver_preload(list(PRELOADED))
        forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(own)


def _become_dbt(arguments: list[str], folder: Path, environment: dict[str, str], output: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    descriptor = os.open(output, os.O_WRONLY)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.argv = ["dbt", *arguments]
    from dbt.cli.main import cli

    cli()
