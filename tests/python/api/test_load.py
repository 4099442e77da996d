"""Load on a server while new versions are published: no request fails, and no answer mixes versions."""

import json
import shutil
import sys
import threading
import time
import uuid
from itertools import pairwise

import duckdb
import pytest
from dynamodb_servers import aws_environment, dynalite_server
from project import ROOT, clean_environment
from servers import postgresql_server

from kindred.api.schemas.requests import cursor_after
from kindred.stores import open_store
from kindred.warehouse.locations import published_file

sys.path.insert(0, str(ROOT / "benchmarks"))
from http_load import put_load_on, running_server

VERSIONS = 11  # ten publications under load
MAX_SECONDS = 120
PATHS = (
    "/users/{user}/similar",
    "/users/{user}",
    "/users/{user}/courses",
    "/users/{user}/similar/{other}",
    "/users?after={cursor}&limit=5",
)


def marked(warehouse, path, number):
    """Write a copy of a warehouse in which every value that lookups read shows its version."""
    shutil.copy(warehouse, path)
    with duckdb.connect(path) as connection:
        connection.execute(
            f"""
            update build_info set version = 'v{number}';
            update similar_users set similarity = 0.01 * {number}, cosine_similarity = 0.5;
            update users set total_views = {number};
            update user_courses set course_id = 'v{number} ' || course_id;
            update user_features set feature = 'v{number} ' || feature where facet = 'courses';
            update clusters set label = 'v{number}';
            """
        )
    return path


@pytest.fixture(scope="module")
def versions(warehouse, tmp_path_factory):
    folder = tmp_path_factory.mktemp("versions")
    return [marked(warehouse, folder / f"v{number}.duckdb", number) for number in range(1, VERSIONS + 1)]


@pytest.fixture(
    params=[
        "duckdb",
        "memory",
        *(pytest.param(kind, marks=pytest.mark.proof) for kind in ("sqlite", "postgresql", "dynamodb")),
    ]
)
def urls(request, tmp_path):
    """Return the URL to publish to and the URL to read."""
    if request.param in ("duckdb", "memory"):
        file = tmp_path / "kindred.duckdb"
        yield f"duckdb:///{file}", f"{request.param}:///{file}"
    elif request.param == "sqlite":
        yield (f"sqlite:///{tmp_path}/kindred.sqlite",) * 2
    elif request.param == "dynamodb":
        with aws_environment(), dynalite_server() as port:
            yield (f"dynamodb://load?region=eu-west-1&endpoint=http://127.0.0.1:{port}",) * 2
    else:
        with postgresql_server() as server:
            database = f"load_{uuid.uuid4().hex}"
            with server.connect("postgres") as connection:
                connection.execute(f"create database {database}")
            yield (server.url(database),) * 2


def publish(url, file):
    store = open_store(url, to_publish=True)
    try:
        assert store.publish(published_file(file), lambda *step: None)
    finally:
        store.close()


def versions_in(path, content):
    """Return every version that an answer shows."""
    found = {content["version"]}
    if path.endswith("/courses"):
        for course in content["courses"]:
            found.add(course["course_id"].split(" ")[0])
            # Rounded, it is users x .01 x the number of the version.
            found.add(f"v{round(100 * course['summed_similarity'] / course['users'])}")
    elif path == "/health":
        assert content["status"] == "ok"
    elif path == "/similar":
        found |= {user["cluster"] for user in content["similar"] if user["cluster_id"] >= 0}
    elif path == "/users/similar":
        for result in content["results"]:
            found |= {f"v{round(100 * user['similarity'])}" for user in result["similar"]}
    elif "/similar/" in path:
        found |= {reason["feature"].split(" ")[0] for reason in content["reasons"] if reason["facet"] == "courses"}
    elif path.endswith("/similar"):
        found |= {f"v{round(100 * user['similarity'])}" for user in content["similar"]}
        found |= {user["cluster"] for user in content["similar"] if user["cluster_id"] >= 0}
    elif path.startswith("/users?"):
        found |= {f"v{user['total_views']}" for user in content["users"]}
    else:
        found.add(f"v{content['total_views']}")
        found |= {feature["feature"].split(" ")[0] for feature in content["profile"]["courses"]}
    return found


def test_versions_follow_each_other_without_a_failed_request_or_a_mixed_answer(urls, versions):
    publish_url, store_url = urls
    publish(publish_url, versions[0])
    with open_store(publish_url).read() as reader:
        users = [user["user_handle"] for user in reader.users(0, 40)]
        tags = next(user["top_course_tags"] for user in reader.users(0, 40) if user["top_course_tags"]).split(", ")
    requests = [
        ("GET", "/health", b""),
        ("POST", "/users/similar", json.dumps({"user_handles": users}).encode()),
        ("POST", "/similar", json.dumps({"interests": tags}).encode()),
    ]
    requests += [
        ("GET", path.format(user=user, other=other, cursor=cursor_after(user)), b"")
        for user, other in pairwise(users)
        for path in PATHS
    ]
    seen, mixed = {}, []

    def check(path, status, body):
        content = json.loads(body)
        assert status == 200, content
        assert path != "/health" or content["store"] == store_url.split(":")[0]
        found = versions_in(path, content)
        if len(found) > 1:
            mixed.append((path, found))
        seen[content["version"]] = seen.get(content["version"], 0) + 1

    published = threading.Event()

    def publish_the_others():
        try:
            for number, file in enumerate(versions[1:], start=2):
                publish(publish_url, file)
                time.sleep(0.3)
                # On a busy machine a server may still be reading the previous version, and would miss this one.
                deadline = time.monotonic() + (30 if number == VERSIONS else 2)
                while f"v{number}" not in seen and time.monotonic() < deadline:
                    time.sleep(0.05)
        finally:
            published.set()

    publishing = threading.Thread(target=publish_the_others)
    with running_server(store_url, clean_environment()) as server:
        publishing.start()
        load = put_load_on(server.port, requests, MAX_SECONDS, check=check, go_on=lambda: not published.is_set())
        publishing.join()
    assert not mixed, mixed[:3]
    assert set(load.statuses) == {200}
    assert f"v{VERSIONS}" in seen, seen
    assert len(seen) > VERSIONS // 2, seen
    print(f"{sum(load.statuses.values())} requests, {seen}")


def test_the_load_would_notice():
    # An answer that mixes two versions, which the test above must not find.
    mixed = {"version": "v1", "similar": [{"similarity": 0.02, "cluster_id": -1, "cluster": None}]}
    assert versions_in("/users/1/similar", mixed) == {"v1", "v2"}
