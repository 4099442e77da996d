"""The DynamoDB store, with two servers that answer as DynamoDB does, and a proxy that makes requests fail."""

import math
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from threading import Event, Thread
from uuid import uuid4

import boto3
import duckdb
import pytest
from changed_warehouse import ODD_TAGS, with_odd_tags
from dynamodb_servers import SERVERS, Answer, aws_environment, dynalite_server, proxy_before, refusal

from kindred import errors, lookups
from kindred.errors import NoWarehouseError, StaleVersionError, StoreError
from kindred.stores import open_store
from kindred.stores.duckdb import DuckdbStore
from kindred.stores.dynamodb import client as dynamodb_client
from kindred.stores.dynamodb import publication as dynamodb_publication
from kindred.stores.dynamodb import store as dynamodb_store
from kindred.stores.dynamodb import table as dynamodb_table
from kindred.stores.dynamodb.client import Client
from kindred.stores.dynamodb.items import STATE

UNKNOWN_USER = 10**9

VERSION_USERS = 250

# Few users, and numbers that tell the version of every answer.
CHANGES = """
    delete from users where user_handle > {users};
    delete from similar_users where user_handle > {users};
    delete from user_features where user_handle > {users};
    delete from user_courses where user_handle > {users};
    update build_info set version = '{version}';
    update users set total_views = {mark};
    update similar_users set similarity = {mark};
    update user_features set weight = {mark};
    update user_courses set course_id = '{mark}';
"""

PUBLISH = """
import sys
from pathlib import Path
from kindred.stores import open_store
from kindred.stores.dynamodb import publication
publication.BLOCK_USERS = 100
open_store(sys.argv[1], to_publish=True).publish(Path(sys.argv[2]), lambda *step: None)
"""


@pytest.fixture(scope="module", autouse=True)
def _environment():
    with aws_environment():
        yield


# The two imitations of DynamoDB differ in what they refuse, so that proofs are run on both.
@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[] if name == "dynalite" else pytest.mark.proof) for name in SERVERS],
)
def port(request, _environment):
    with SERVERS[request.param]() as port:
        yield port


@pytest.fixture(scope="module")
def dynalite(_environment):
    with dynalite_server() as port:
        yield port


@pytest.fixture
def proxy(dynalite):
    with proxy_before(dynalite) as proxy:
        yield proxy


@pytest.fixture
def _small_blocks(monkeypatch):
    """Write the users of the small warehouse in several blocks."""
    monkeypatch.setattr(dynamodb_publication, "BLOCK_USERS", 100)


def table_url(port, table=None):
    return f"dynamodb://{table or f'table-{uuid4()}'}?endpoint=http://127.0.0.1:{port}"


def table_of(url):
    return url.split("://")[1].split("?")[0]


def client(port):
    return boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}")


def publish(url, warehouse, progress=lambda *step: None):
    store = open_store(url, to_publish=True)
    try:
        return store.publish(warehouse, progress)
    finally:
        store.close()


def scanned(port, url):
    """Return the keys of all items in a table, and the state."""
    pages = (
        client(port)
        .get_paginator("scan")
        .paginate(TableName=table_of(url), ProjectionExpression="pk, sk", ConsistentRead=True)
    )
    keys = {(item["pk"]["S"], item["sk"]["S"]) for page in pages for item in page["Items"]}
    return keys, table_at(port, url).get(STATE)


def table_at(port, url):
    return dynamodb_table.Table(Client(table_of(url), None, f"http://127.0.0.1:{port}", url))


def expected_keys(reader, version):
    """Return the keys of all items of a table that holds what a reader reads and nothing else."""
    users = reader.users(0, 10**6)
    listings = {"users": [user["user_handle"] for user in users]}
    for user in users:
        listings.setdefault(f"cluster#{user['cluster_id']}", []).append(user["user_handle"])
    parts = math.ceil(len(reader.space().to_bytes()) / (350 * 1024))
    return (
        {("current", "-")}
        | {(f"{version}#user#{user['user_handle']}", "-") for user in users}
        | {
            (f"{version}#{name}", f"{handles[min(start + 100, len(handles)) - 1] + 2**53 - 1:017d}")
            for name, handles in listings.items()
            for start in range(0, len(handles), 100)
        }
        | {(f"{version}#space", f"{part:06d}") for part in range(parts)}
    )


def assert_only(port, url, warehouse):
    """Check that a table holds all of a version and nothing else."""
    keys, state = scanned(port, url)
    with DuckdbStore(warehouse).read() as reader:
        version = reader.edition.version
        assert keys == expected_keys(reader, version)
    assert state["version"] == version
    assert state.keys() == {"pk", "sk", "version", "edition", "first_user"}


def assert_same_answers(reader, other, handles):
    """Check that two readers return the same for some users."""
    for handle in handles:
        assert reader.user(handle) == other.user(handle)
        assert reader.similar(handle) == other.similar(handle)
        assert sorted(reader.features(handle)) == sorted(other.features(handle))
    assert _sorted(reader.courses(handles)) == _sorted(other.courses(handles))


def _sorted(courses):
    return {handle: sorted(ids) for handle, ids in courses.items()}


@pytest.fixture(scope="module")
def versions(warehouse, tmp_path_factory):
    """Return three warehouses by their versions; the numbers in each tell its version."""
    folder = tmp_path_factory.mktemp("versions")
    made = {}
    for mark in (1, 2, 3):
        version = f"v{mark}"
        made[version] = folder / f"{version}.duckdb"
        shutil.copy(warehouse, made[version])
        with duckdb.connect(made[version]) as connection:
            connection.execute(CHANGES.format(version=version, mark=mark, users=VERSION_USERS))
    return made


def marks(reader, handle):
    """Return the versions that the numbers in a reader's answers tell, and the reader's own."""
    (user,) = reader.users(handle - 1, 1)
    return {
        int(reader.edition.version[1:]),
        reader.user(handle)["total_views"],
        user["total_views"],
        *(int(row["similarity"]) for row in reader.similar(handle)),
        *(int(weight) for _, _, weight in reader.features(handle)),
        *(int(course) for course in reader.courses([handle]).get(handle, [])),
    }


def version_of(url):
    with open_store(url).read() as reader:
        return reader.edition.version


# --- what readers return -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(port, warehouse):
    url = table_url(port)
    assert publish(url, warehouse) is True
    return url


@pytest.fixture
def readers(published, warehouse):
    with open_store(published).read() as reader, DuckdbStore(warehouse).read() as expected:
        yield reader, expected


def test_every_user_is_the_same_as_in_the_file(readers):
    reader, expected = readers
    assert reader.edition == expected.edition
    assert len(expected.edition.cluster_labels) > 2
    handles = [user["user_handle"] for user in expected.users(0, 1000)]
    assert len(handles) == 400
    assert_same_answers(reader, expected, handles)
    assert reader.first_user() == expected.first_user()


def test_a_tag_arrives_as_one_whatever_signs_it_has(port, warehouse, tmp_path):
    url = table_url(port)
    publish(url, with_odd_tags(warehouse, tmp_path, 1))
    with open_store(url).read() as reader:
        assert reader.user(1)["top_course_tags"] == ODD_TAGS
        assert [row["top_course_tags"] for row in reader.users(0, 2)] == [ODD_TAGS, None]


def test_an_unknown_user_has_nothing(readers):
    reader, _ = readers
    for handle in (UNKNOWN_USER, 0, -1):
        assert reader.user(handle) is None
        assert reader.similar(handle) == []
        assert reader.features(handle) == []
        assert reader.courses([handle]) == {}
        with pytest.raises(errors.UnknownUserError):
            lookups.similar_users(reader, handle)
    assert reader.courses([]) == {}


def test_lists_of_users_are_the_same_wherever_they_begin_and_end(readers):
    reader, expected = readers
    clusters = Counter(user["cluster_id"] for user in expected.users(0, 1000))
    assert max(clusters.values()) > 100  # more than a page
    for cluster_id in (None, -1, max(clusters), max(clusters, key=clusters.get), 10**6):
        for after, limit in ((0, 1000), (0, 1), (99, 2), (100, 100), (137, 250), (399, 5), (UNKNOWN_USER, 5), (0, 0)):
            assert reader.users(after, limit, cluster_id) == expected.users(after, limit, cluster_id)


def test_the_profile_space_is_the_same_and_loaded_once(published, warehouse):
    with DuckdbStore(warehouse).read() as expected:
        content = expected.space().to_bytes()
    assert len(content) > 350 * 1024  # more than an item
    store = open_store(published)
    with store.read() as reader:
        space = reader.space()
        assert space.to_bytes() == content
    with store.read() as reader:
        assert reader.space() is space


@pytest.mark.proof
def test_large_warehouses_are_published_in_seconds(port, large_warehouse):
    # Other tests run at the same time: a slow attempt may not be the fault of the store.
    for _ in range(3):
        url = table_url(port)
        started, started_cpu = time.monotonic(), time.process_time()
        assert publish(url, large_warehouse) is True
        seconds, cpu_seconds = time.monotonic() - started, time.process_time() - started_cpu
        if cpu_seconds < 10 and seconds < 40:
            break
    assert cpu_seconds < 10
    assert seconds < 40
    with open_store(url).read() as reader, DuckdbStore(large_warehouse).read() as expected:
        assert_same_answers(reader, expected, range(3, 10_000, 97))
        assert reader.users(5_000, 1_234) == expected.users(5_000, 1_234)
    started = time.monotonic()
    assert publish(url, large_warehouse) is False
    assert time.monotonic() - started < 2


# --- requests ----------------------------------------------------------------------------------------------


def test_a_lookup_is_one_request(proxy, warehouse):
    url = table_url(proxy.port)
    publish(url, warehouse)
    store = open_store(url)
    with store.read() as reader:
        handle = reader.first_user()
        other = reader.similar(handle)[0]["similar_user_handle"]
    for lookup, expected in (
        (lambda reader: lookups.similar_users(reader, handle, cluster="same"), ["GetItem"]),
        (lambda reader: lookups.profile(reader, handle), ["GetItem"]),
        (lambda reader: lookups.explain(reader, handle, other), ["GetItem", "GetItem"]),
        (lambda reader: lookups.courses_to_take(reader, handle), ["GetItem", "BatchGetItem"]),
        (lambda reader: lookups.users_page(reader, 0, 100), ["Query"]),
    ):
        proxy.requests.clear()
        with store.read() as reader:
            lookup(reader)
        assert [operation for operation, body in proxy.requests if not is_of_state(body)] == expected


def is_of_state(body):
    return body.get("Key", {}).get("pk") == {"S": "current"}


def test_the_state_is_read_once_a_second(proxy, versions):
    url = table_url(proxy.port)
    publish(url, versions["v1"])
    store = open_store(url)
    proxy.requests.clear()
    started = time.monotonic()
    for _ in range(500):
        with store.read():
            pass
    assert 1 <= len(proxy.requests) <= 1 + (time.monotonic() - started)
    time.sleep(1.1)
    proxy.requests.clear()
    with store.read():
        assert len(proxy.requests) == 1


def test_publishing_what_is_there_writes_nothing(proxy, dynalite, versions):
    url = table_url(proxy.port)
    assert publish(url, versions["v1"]) is True
    before = scanned(dynalite, url)
    proxy.requests.clear()
    assert publish(url, versions["v1"]) is False
    assert {operation for operation, _ in proxy.requests} == {"DescribeTable", "GetItem"}
    assert scanned(dynalite, url) == before


@pytest.fixture
def _short_pauses(monkeypatch):
    monkeypatch.setattr(dynamodb_client, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(dynamodb_client, "MAX_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(dynamodb_table, "MAX_TRIES_TO_WRITE", 2)


@pytest.mark.usefixtures("_short_pauses")
def test_throttled_and_unprocessed_items_are_requested_again(proxy, dynalite, versions):
    url = table_url(proxy.port)
    table = table_of(url)
    seen, refused = Counter(), Counter()

    def fault(operation, body, forward):
        if not operation.startswith("Batch"):
            return None
        wanted = body["RequestItems"][table]
        # boto3 itself asks a second time.
        if "#150'" in str(wanted) and refused[operation] < 3:
            refused[operation] += 1
            return refusal(("ProvisionedThroughputExceededException", "ThrottlingException")[refused[operation] % 2])
        seen[operation] += 1
        if operation == "BatchWriteItem":
            if seen[operation] % 3 or len(wanted) == 1:
                return None
            answer = forward({"RequestItems": {table: wanted[::2]}})
            answer.body["UnprocessedItems"] = {table: wanted[1::2]}
        else:
            answer = forward({"RequestItems": {table: wanted | {"Keys": wanted["Keys"][:30]}}})
            if wanted["Keys"][30:]:
                answer.body["UnprocessedKeys"] = {table: wanted | {"Keys": wanted["Keys"][30:]}}
        return answer

    proxy.fault = fault
    publish(url, versions["v1"])
    publish(url, versions["v2"])
    assert_only(dynalite, url, versions["v2"])
    with open_store(url).read() as reader, DuckdbStore(versions["v2"]).read() as expected:
        assert_same_answers(reader, expected, range(101, 251))
    assert refused == {"BatchWriteItem": 3, "BatchGetItem": 3}
    assert seen["BatchWriteItem"] > 60
    assert seen["BatchGetItem"] == 6  # 100 users and 50, 30 at a time


@pytest.mark.usefixtures("_short_pauses")
@pytest.mark.parametrize("is_left_over", [True, pytest.param(False, marks=pytest.mark.proof)])
def test_endless_throttling_is_reported(is_left_over, proxy, dynalite, versions):
    url = table_url(proxy.port)
    publish(url, versions["v1"])

    def fault(operation, body, forward):
        if operation != "BatchWriteItem":
            return None
        return (
            Answer(200, {"UnprocessedItems": body["RequestItems"]}) if is_left_over else refusal("ThrottlingException")
        )

    proxy.fault = fault
    with pytest.raises(StoreError, match="try again later"):
        publish(url, versions["v2"])
    proxy.fault = None
    assert version_of(url) == "v1"
    publish(url, versions["v2"])
    assert_only(dynalite, url, versions["v2"])


# --- a new version -----------------------------------------------------------------------------------------


def test_a_new_version_takes_the_place_of_the_old_one(port, versions, monkeypatch):
    monkeypatch.setattr(dynamodb_store, "MAX_STATE_AGE_SECONDS", 60)  # only a missing item causes a refresh
    url = table_url(port)
    publish(url, versions["v1"])
    store = open_store(url)
    with store.read() as old:
        handle = old.first_user()
        assert marks(old, handle) == {1}
        publish(url, versions["v2"])
        assert_only(port, url, versions["v2"])
        # An item that the reader keeps can still be read.
        assert old.user(handle)["total_views"] == 1
        for ask in (
            lambda: old.user(handle + 1),
            lambda: old.similar(handle + 1),
            lambda: old.features(handle + 1),
            lambda: old.courses([handle]),
            lambda: old.users(0, 10),
            lambda: old.users(0, 10, -1),
            old.space,
        ):
            with pytest.raises(StaleVersionError):
                ask()
        # The next reader does not get the old version again.
        with store.read() as new:
            assert marks(new, handle) == {2}
    publish(url, versions["v1"])
    assert_only(port, url, versions["v1"])


def test_readers_never_see_two_versions_at_once(dynalite, versions):
    url = table_url(dynalite)
    publish(url, versions["v1"])
    store, seen, is_over = open_store(url), [], Event()

    def look():
        while not is_over.is_set():
            try:
                with store.read() as reader:
                    seen.append(frozenset(marks(reader, 1 + len(seen) % VERSION_USERS)))
            except StaleVersionError:
                seen.append("stale")
            except BaseException as error:
                seen.append(error)
                raise

    threads = [Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for version in ("v2", "v3"):
        publish(url, versions[version])
        time.sleep(0.3)
    is_over.set()
    for thread in threads:
        thread.join()
    assert set(seen) - {"stale"} == {frozenset({1}), frozenset({2}), frozenset({3})}


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("failing_step", [2, pytest.param(6, marks=pytest.mark.proof)])
def test_a_failure_half_way_leaves_the_version_before(failing_step, dynalite, versions):
    url = table_url(dynalite)
    publish(url, versions["v1"])
    steps = []

    def fail(*step):
        steps.append(step)
        if len(steps) == failing_step:
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        publish(url, versions["v2"], fail)
    with open_store(url).read() as reader:
        assert marks(reader, 7) == {1}
    publish(url, versions["v3"])
    assert_only(dynalite, url, versions["v3"])


def test_steps_are_counted_to_the_end(dynalite, versions):
    url = table_url(dynalite)
    steps = []
    publish(url, versions["v1"], lambda *step: steps.append(step))
    publish(url, versions["v2"], lambda *step: steps.append(step))
    last = {label: (done, total) for label, done, total in steps}
    assert last.pop("users") == (VERSION_USERS, VERSION_USERS)
    assert last.pop("users by cluster") == (VERSION_USERS, VERSION_USERS)
    assert last.pop("pages of users removed") == (3, 3)
    ((label, (done, total)),) = last.items()
    assert label == "bytes of the profile space"
    assert done == total


def test_the_publication_that_began_last_continues(dynalite, versions):
    url = table_url(dynalite)
    publish(url, versions["v1"])
    others = iter([versions["v3"]])

    def publish_another(*step):
        for other in others:
            publish(url, other)

    with pytest.raises(StoreError, match="Another publication"):
        publish(url, versions["v2"], publish_another)
    with open_store(url).read() as reader, DuckdbStore(versions["v3"]).read() as expected:
        assert reader.edition.version == "v3"
        assert_same_answers(reader, expected, range(1, VERSION_USERS + 1))
        assert reader.users(0, 1000) == expected.users(0, 1000)


def test_a_user_who_is_too_large_is_named_before_anything_is_switched(dynalite, versions, tmp_path):
    url = table_url(dynalite)
    publish(url, versions["v1"])
    shutil.copy(versions["v2"], tmp_path / "large.duckdb")
    with duckdb.connect(tmp_path / "large.duckdb") as connection:
        # Texts that cannot be compressed: 32 hexadecimal digits are 16 bytes.
        connection.execute(
            """
            insert into user_features (user_handle, facet, feature_id, matching_feature_id, feature, weight)
            select 200, 'courses', 1000000 + range, 1000000 + range, md5(range::varchar), 0.1
            from range(30000)
            """
        )
    with pytest.raises(StoreError, match=r"^The features and courses of user 200 .* DynamoDB takes 400 KB"):
        publish(url, tmp_path / "large.duckdb")
    assert version_of(url) == "v1"
    publish(url, versions["v3"])
    assert_only(dynalite, url, versions["v3"])


# --- killed ------------------------------------------------------------------------------------------------


def nth(count, is_it):
    """Return a function that is true for the nth request of a kind."""
    seen = Counter()

    def is_nth(operation, body):
        seen["requests"] += is_it(operation, body)
        return is_it(operation, body) and seen["requests"] == count

    return is_nth


def is_put(part, operation, body):
    return operation == "BatchWriteItem" and any(
        part in request["PutRequest"]["Item"]["pk"]["S"]
        for requests in body["RequestItems"].values()
        for request in requests
        if "PutRequest" in request
    )


def is_deletion(operation, body):
    return operation == "BatchWriteItem" and any(
        "DeleteRequest" in request for requests in body["RequestItems"].values() for request in requests
    )


def is_note(attribute, operation, body):
    return operation == "UpdateItem" and attribute in body.get("ExpressionAttributeNames", {}).values()


# The request at which the run is killed, whether the server still gets it, the version that is then read, and the
# version that is published next: the same or another.
MOMENTS = {
    "users at first": (nth(3, partial(is_put, "v2#")), True, "v1", "v2"),
    "users in the middle": (nth(8, partial(is_put, "v2#")), False, "v1", "v3"),
    "the profile space": (nth(1, partial(is_put, "v2#space")), True, "v1", "v3"),
    "before the switch": (nth(1, partial(is_note, "edition")), False, "v1", "v2"),
    "after the switch": (nth(1, partial(is_note, "edition")), True, "v2", "v2"),
    "the removal": (nth(6, is_deletion), True, "v2", "v3"),
    "the last note": (nth(2, partial(is_note, "removing")), False, "v2", "v2"),
}

QUICK_MOMENTS = ("users in the middle", "after the switch")


def kill_publication(proxy, url, warehouse, is_time, is_forwarded):
    """Publish in a process of its own and kill it at a request."""
    begun = Event()

    def fault(operation, body, forward):
        if not begun.is_set() and is_time(operation, body):
            begun.set()
            if is_forwarded:
                forward(body)
            process.send_signal(signal.SIGKILL)
            process.wait()
            return refusal("InternalServerError")
        # Other requests of the killed process may be on their way.
        return refusal("InternalServerError") if begun.is_set() else None

    proxy.fault = fault
    with subprocess.Popen([sys.executable, "-c", PUBLISH, url, warehouse], stderr=subprocess.PIPE) as process:
        assert process.wait(60) == -signal.SIGKILL, process.stderr.read().decode()
    proxy.fault = None


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize(
    "moment",
    [moment if moment in QUICK_MOMENTS else pytest.param(moment, marks=pytest.mark.proof) for moment in MOMENTS],
)
def test_a_killed_publication_leaves_one_version_and_the_next_one_nothing_else(moment, proxy, dynalite, versions):
    is_time, is_forwarded, version, following = MOMENTS[moment]
    url = table_url(proxy.port)
    publish(url, versions["v1"])
    kill_publication(proxy, url, versions["v2"], is_time, is_forwarded)
    with open_store(url).read() as reader:
        assert marks(reader, 7) == {int(version[1:])}
    assert publish(url, versions[following]) is (following != version)
    assert_only(dynalite, url, versions[following])


@pytest.mark.usefixtures("_small_blocks")
def test_the_next_run_continues_a_killed_publication(proxy, dynalite, versions):
    url = table_url(proxy.port)
    kill_publication(proxy, url, versions["v1"], nth(3, partial(is_note, "last_handle")), is_forwarded=True)
    with pytest.raises(NoWarehouseError), open_store(url).read():
        pass
    written = set()

    def fault(operation, body, forward):
        if is_put("#", operation, body):
            written.update(request["PutRequest"]["Item"]["pk"]["S"] for request in body["RequestItems"][table_of(url)])

    proxy.fault = fault
    publish(url, versions["v1"])
    # Two blocks of 100 were noted.
    assert {f"v1#user#{handle}" for handle in range(201, 251)} < written
    assert not {f"v1#user#{handle}" for handle in range(1, 201)} & written
    assert_only(dynalite, url, versions["v1"])


# --- errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "dynamodb://",
        "dynamodb://?region=eu-west-1",
        "dynamodb://ab",
        "dynamodb://two words",
        "dynamodb:///table",
        "dynamodb://table/other",
        "dynamodb://table#other",
        "dynamodb://table:8000",
        "dynamodb://key:not-to-be-shown@table",
        "dynamodb://table?regoin=eu-west-1",
        "dynamodb://table?region=",
        "dynamodb://table?region=eu-west-1&region=eu-west-2",
        "dynamodb://table?region=EU west",
        "dynamodb://table?endpoint=127.0.0.1:8000",
        "dynamodb://table?endpoint=ftp://127.0.0.1",
        "dynamodb://table?endpoint=http://127.0.0.1:port",
        "dynamodb://table?endpoint=http://127.0.0.1:8000/path",
        "dynamodb://table?endpoint=http://key:not-to-be-shown@127.0.0.1",
    ],
)
def test_wrong_urls_are_refused(url):
    with pytest.raises(StoreError) as caught:
        open_store(url)
    assert_is_a_sentence(caught.value)


def assert_is_a_sentence(error):
    said = str(error)
    assert len(said.splitlines()) == 1
    assert said.endswith(".")
    assert "not-to-be-shown" not in said
    assert "a-key" not in said


def read(url, warehouse):
    with open_store(url).read():
        pass


@pytest.fixture(params=[read, publish])
def use(request, versions):
    """Return a function that reads a table or publishes to it, and returns the error."""

    def used(url):
        with pytest.raises(StoreError) as caught:
            request.param(url, versions["v1"])
        assert_is_a_sentence(caught.value)
        return str(caught.value)

    return used


def test_without_credentials_the_error_says_how_to_give_some(use, dynalite, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "There are no credentials" in use(table_url(dynalite))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "nobody" in use(table_url(dynalite))


def test_without_a_region_the_error_says_how_to_set_one(use, dynalite, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert "No region is set" in use(table_url(dynalite))
    with pytest.raises(NoWarehouseError), open_store(table_url(dynalite) + "&region=eu-west-1").read():
        pass


def test_an_endpoint_where_nothing_listens_is_reported_at_once(use):
    started = time.monotonic()
    assert "cannot be reached at 127.0.0.1:1 " in use(table_url(1))
    assert time.monotonic() - started < 5


def test_an_endpoint_that_does_not_answer_is_reported_after_two_tries(versions, monkeypatch):
    monkeypatch.setattr(dynamodb_client, "READ_TIMEOUT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(StoreError, match="cannot be reached"):
            read(table_url(silent.getsockname()[1]), versions["v1"])
        assert 2 <= time.monotonic() - started < 4.5


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "does not allow the credentials in use the operation dynamodb:"),
        ("UnrecognizedClientException", "does not know the credentials in use"),
        ("ThrottlingException", "try again later"),
        ("SomethingNewException", "with SomethingNewException"),
    ],
)
def test_refusals_of_dynamodb_are_reported(code, said, use, proxy, dynalite):
    proxy.fault = lambda operation, body, forward: refusal(code, "It was so.")
    assert said in use(table_url(proxy.port))


@pytest.mark.parametrize("keys", [{"pk": "S"}, {"pk": "S", "sk": "N"}, {"pk": "N", "sk": "S"}, {"id": "S", "sk": "S"}])
def test_a_table_with_other_keys_is_refused_and_left_alone(keys, port, versions):
    url = table_url(port)
    other = client(port)
    other.create_table(
        TableName=table_of(url),
        KeySchema=[
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": type_} for name, type_ in keys.items()],
        BillingMode="PAY_PER_REQUEST",
    )
    other.get_waiter("table_exists").wait(TableName=table_of(url), WaiterConfig={"Delay": 1})
    with pytest.raises(StoreError, match="is not one of Kindred's") as caught:
        publish(url, versions["v1"])
    assert_is_a_sentence(caught.value)
    # Readers do not check the keys; moto accepts keys of other types.
    with pytest.raises(StoreError, match=r"is not one of Kindred's|Nothing is published"):
        read(url, versions["v1"])
    assert other.scan(TableName=table_of(url))["Items"] == []


def test_a_table_without_a_version_says_how_to_publish_one(port, versions):
    url = table_url(port)
    with pytest.raises(NoWarehouseError, match=f"no table .*`kindred publish {re.escape(shlex.quote(url))}`") as caught:
        read(url, None)
    assert_is_a_sentence(caught.value)
    assert table_of(url) not in client(port).list_tables()["TableNames"]
    table_at(port, url).create()
    with pytest.raises(
        NoWarehouseError, match=f"Nothing is published .*`kindred publish {re.escape(shlex.quote(url))}`"
    ) as caught:
        read(url, None)
    assert_is_a_sentence(caught.value)
    publish(url, versions["v1"])
    assert version_of(url) == "v1"
