"""Time lookups in every store, in process and over HTTP, and publishing.

Run: .venv/bin/python benchmarks/store_lookups.py warehouse/kindred.duckdb
It uses the stores that run on one machine. Memory and DuckDB read the named warehouse; to SQLite, PostgreSQL, DynamoDB
(dynalite), CSV and Parquet it is published first. Servers are started in the same way as in the tests. In process,
lookups run one after the other. Over HTTP, a client on the same machine keeps eight connections busy, and one worker
answers. Unless stated otherwise, a request is GET /users/{user_handle}/similar for ten similar users.
"""

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from http_load import put_load_on, running_server
from tabulate import tabulate

from kindred import lookups
from kindred.fold_in.activity import Activity
from kindred.stores import open_store
from kindred.stores.base import Reader, Store
from kindred.warehouse.locations import published_file

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python" / "helpers"))
import dynamodb_servers
import servers

KINDS = ("memory", "duckdb", "sqlite", "postgresql", "dynamodb", "csv", "parquet")

TIMED_LOOKUPS = 2000
"""How many lookups of each kind are timed in process."""

SLOW_LOOKUPS = 200
"""The same for lookups that compare with all users."""

WARM_UPS = 50


@click.command(help=__doc__)
@click.argument("warehouse", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--store", "kinds", type=click.Choice(KINDS), multiple=True, default=KINDS, help="Only these stores.")
@click.option("--seconds", type=float, default=5.0, show_default=True, help="How long each load over HTTP lasts.")
def main(warehouse: Path, kinds: tuple[str, ...], seconds: float) -> None:
    """Publish, time lookups, and print the figures."""
    os.environ["KINDRED_WAREHOUSE"] = str(warehouse)
    file = published_file(warehouse)
    columns = {}
    for kind in kinds:
        with store_of(kind) as url:
            columns[kind] = measured(url, file, seconds)
        names = dict.fromkeys(name for column in columns.values() for name in column)
        click.echo(
            tabulate(
                [[name, *(_shown(column.get(name)) for column in columns.values())] for name in names],
                headers=["", *columns],
                colalign=["left", *["right"] * len(columns)],
                disable_numparse=True,
            )
        )


@contextmanager
def store_of(kind: str) -> Iterator[str]:
    """Yield the URL of a store in a temporary folder or server."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        if kind == "postgresql":
            yield stack.enter_context(servers.postgresql_server()).url("postgres")
        elif kind == "dynamodb":
            stack.enter_context(dynamodb_servers.aws_environment())
            port = stack.enter_context(dynamodb_servers.dynalite_server())
            yield f"dynamodb://kindred?endpoint=http://127.0.0.1:{port}"
        else:
            yield {"memory": "memory://", "duckdb": "duckdb:///"}.get(kind, f"{kind}:///{folder}/kindred.{kind}")


def measured(url: str, file: Path, seconds: float) -> dict[str, float | int]:
    """Return all figures of a store by name."""
    figures: dict[str, float | int] = {}
    if not url.startswith(("memory:", "duckdb:")):
        figures["publish s"] = seconds_to_publish(url, file)
        figures["publish again s"] = seconds_to_publish(url, file)
    if url.startswith(("csv:", "parquet:")):
        return figures
    store = open_store(url)
    started = time.perf_counter()
    with store.read() as reader:
        figures["users"] = reader.edition.users
        handles = [user["user_handle"] for user in reader.users(None, 10 * TIMED_LOOKUPS)]
    figures["open s"] = time.perf_counter() - started
    random.Random(1).shuffle(handles)
    for name, of_one_kind in in_process(store, handles).items():
        figures[f"{name} p50 ms"], figures[f"{name} p99 ms"] = timed(store, of_one_kind)
    store.close()
    return figures | over_http(url, handles, activity_of(file, handles[0]), seconds)


def seconds_to_publish(url: str, file: Path) -> float:
    """Return the seconds that publishing takes; a second time there is nothing to do."""
    store = open_store(url, to_publish=True)
    started = time.perf_counter()
    store.publish(file, lambda *step: None)
    store.close()
    return time.perf_counter() - started


def in_process(store: Store, handles: list[int]) -> dict[str, list[Callable[[Reader], object]]]:
    """Return lookups by kind."""
    few = handles[: TIMED_LOOKUPS + WARM_UPS]
    with store.read() as reader:
        activities = [activity_in(reader, handle) for handle in handles[: SLOW_LOOKUPS + WARM_UPS]]
    return {
        "similar": [lambda reader, user=user: lookups.similar_users(reader, user) for user in few],
        "pair": [lambda reader, user=user: lookups.explain(reader, user, handles[0]) for user in few],
        "user": [lambda reader, user=user: lookups.profile(reader, user) for user in few],
        "courses": [lambda reader, user=user: lookups.courses_to_take(reader, user) for user in few],
        "POST /similar": [lambda reader, done=done: lookups.similar_to_activity(reader, done) for done in activities],
    }


def activity_in(reader: Reader, user_handle: int) -> Activity:
    """Return the activity of a user, as far as the profile shows it."""
    features = reader.features(user_handle)
    interests = [feature for facet, feature, _ in features if facet == "interests"]
    return Activity(interests, dict.fromkeys(reader.courses([user_handle]).get(user_handle, ())), {})


def activity_of(file: Path, user_handle: int) -> bytes:
    """Return the body of a POST /similar with the activity of a user."""
    with open_store(f"duckdb:///{file}").read() as reader:
        activity = activity_in(reader, user_handle)
    return json.dumps({"interests": activity.interests, "courses": list(activity.courses)}).encode()


def timed(store: Store, of_one_kind: list[Callable[[Reader], object]]) -> tuple[float, float]:
    """Return p50 and p99 of the lookups, in milliseconds."""
    milliseconds = []
    for lookup in of_one_kind:
        started = time.perf_counter()
        lookups.at_one_version(store, lookup)
        milliseconds.append(1000 * (time.perf_counter() - started))
    milliseconds = sorted(milliseconds[WARM_UPS:])
    return milliseconds[len(milliseconds) // 2], milliseconds[int(0.99 * len(milliseconds))]


def over_http(url: str, handles: list[int], activity: bytes, seconds: float) -> dict[str, float]:
    """Return the throughput, latency and CPU time of a server."""
    similar = [("GET", f"/users/{handle}/similar", b"") for handle in handles]
    found = {}
    with running_server(url) as server:
        put_load_on(server.port, similar, 1)
        cpu_seconds = server.cpu_seconds()
        load = put_load_on(server.port, similar, seconds)
        cpu_seconds = server.cpu_seconds() - cpu_seconds
        found["HTTP requests/s"] = load.requests_per_second
        found["HTTP CPU ms/request"] = 1000 * cpu_seconds / len(load.seconds)
        found["HTTP p99 ms, 8 connections"] = load.percentile_ms(0.99)
        alone = put_load_on(server.port, similar, seconds, connections=1)
        found["HTTP p50 ms, 1 connection"] = alone.percentile_ms(0.5)
        found["HTTP p99 ms, 1 connection"] = alone.percentile_ms(0.99)
        post = [("POST", "/similar", activity)]
        put_load_on(server.port, post, 1, connections=1)
        posts = put_load_on(server.port, post, seconds, connections=1)
        found["HTTP POST /similar p50 ms, 1 connection"] = posts.percentile_ms(0.5)
        found["HTTP POST /similar p99 ms, 1 connection"] = posts.percentile_ms(0.99)
        for answered in (load, alone, posts):
            assert set(answered.statuses) == {200}, answered.statuses
    return found


def _shown(figure: float | int | None) -> str:
    return "-" if figure is None else str(figure) if isinstance(figure, int) else f"{figure:.2f}"


if __name__ == "__main__":
    main()
