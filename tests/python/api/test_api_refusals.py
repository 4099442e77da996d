"""Requests that the API refuses: each error is a problem that says what is wrong and reveals nothing else."""

import asyncio
import http.client
import json
import logging
import shutil
import subprocess
import sys

import anyio.to_thread
import duckdb
import httpx
import pytest
from api_client import KEY, NOBODY, Client, client_of, got, refused
from serving import serving

from kindred.api import ApiSettings, create_app

ACTIVITY = {"interests": ["python"]}


@pytest.fixture(scope="module")
def client(warehouse):
    with client_of(warehouse) as client:
        yield client


# --- wrong requests ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/similar", "/courses", "/similar/1"], ids=["user", "similar", "courses", "pair"])
def test_an_unknown_user_is_a_problem_of_its_own_type(client, path):
    problem = refused(client.get(f"/users/{NOBODY}{path}"), 404)
    assert problem["type"] == "urn:kindred:unknown-user"
    assert problem["detail"] == f"There is no user {NOBODY} in the warehouse."


@pytest.mark.parametrize("handle", ["0", "-5", str(NOBODY + 1), "+1", "1.5", "me", "a%2Fb", "%00", "%ff", "similar"])
def test_what_cannot_be_a_user_is_an_unknown_user(client, handle):
    for path in ("", "/similar", "/courses", "/similar/1"):
        problem = refused(client.get(f"/users/{handle}{path}"), 404)
        assert problem["type"] == "urn:kindred:unknown-user"


@pytest.mark.parametrize("cursor", ["-1", "42", "0", "%C8%BE", "NDI=", "bWU"])  # the last is of a warehouse with texts
def test_what_is_not_the_next_after_of_a_page_is_the_place_of_no_page(client, cursor):
    assert "begin again without it" in refused(client.get(f"/users?after={cursor}"), 404)["detail"]


def test_the_unknown_user_of_a_pair_is_named(client):
    assert str(NOBODY) in refused(client.get(f"/users/1/similar/{NOBODY}"), 404)["detail"]


@pytest.mark.parametrize(
    ("path", "location"),
    [
        (f"/users/{'x' * 201}", "path.user_handle"),
        (f"/users/1/similar/{'x' * 201}", "path.other_handle"),
        ("/users/1/similar?limit=0", "query.limit"),
        ("/users/1/similar?limit=101", "query.limit"),
        ("/users/1/similar?limit=many", "query.limit"),
        ("/users/1/similar?min_similarity=1.5", "query.min_similarity"),
        ("/users/1/similar?min_similarity=nan", "query.min_similarity"),
        ("/users/1/similar?cluster=mine", "query.cluster"),
        ("/users/1/similar?exclude_same_profile=perhaps", "query.exclude_same_profile"),
        ("/users/1/similar?limits=5", "query.limits"),
        ("/users/1/courses?limit=-1", "query.limit"),
        ("/users?after=", "query.after"),
        ("/users?cluster=-2", "query.cluster"),
        ("/users?limit=101", "query.limit"),
    ],
)
def test_wrong_parameters_are_named(client, path, location):
    (error,) = refused(client.get(path), 422)["errors"]
    assert error["location"] == location
    assert error["message"]


@pytest.mark.parametrize(
    ("path", "body", "location"),
    [
        ("/similar", {}, "body"),
        ("/similar", {"interests": [], "courses": []}, "body"),
        ("/similar", [], "body"),
        ("/similar", {"interests": "python"}, "body.interests"),
        ("/similar", {"interests": [7]}, "body.interests.0"),
        ("/similar", {"interests": [""]}, "body.interests.0"),
        ("/similar", {"interests": ["\ud800"]}, "body.interests.0"),
        ("/similar", {"interests": ["x" * 201]}, "body.interests.0"),
        ("/similar", {"interests": ["x"] * 501}, "body.interests"),
        ("/similar", {"interests": ["x"], "limit": 1000}, "body.limit"),
        ("/similar", {"interests": ["x"], "limit": "5"}, "body.limit"),
        ("/similar", {"interests": ["x"], "limits": 5}, "body.limits"),
        ("/similar", {"courses": [{"view_seconds": 3}]}, "body.courses.0.course_id"),
        ("/similar", {"courses": ["a", {"course_id": "b", "view_seconds": -1}]}, "body.courses.1.view_seconds"),
        ("/similar", {"courses": [{"course_id": "b", "view_seconds": float("nan")}]}, "body.courses.0.view_seconds"),
        ("/similar", {"assessments": [{"tag": "a", "score": "good"}]}, "body.assessments.0.score"),
        ("/users/similar", {}, "body.user_handles"),
        ("/users/similar", {"user_handles": []}, "body.user_handles"),
        ("/users/similar", {"user_handles": [1, 2.5]}, "body.user_handles.1"),
        ("/users/similar", {"user_handles": list(range(1, 102))}, "body.user_handles"),
        ("/users/similar", {"user_handles": [True]}, "body.user_handles.0"),
        ("/invocations", {"user_handles": [""]}, "body.user_handles.0"),
        ("/users/similar", {"user_handles": [NOBODY + 1]}, "body.user_handles.0"),
        ("/invocations", {"user_handle": 1, "interests": ["x"]}, "body.interests"),
    ],
)
def test_what_is_wrong_in_a_body_is_named(client, path, body, location):
    response = client.post(path, content=json.dumps(body), headers={"content-type": "application/json"})
    assert [error["location"] for error in refused(response, 422)["errors"]] == [location]


@pytest.mark.parametrize(
    ("body", "status"), [(b'{"interests": ["a', 422), (b"", 422), (b"\xff\xfe\x00", 400), (b"[" * 60_000, 400)]
)
def test_a_body_that_is_not_json_is_refused(client, body, status):
    refused(client.post("/similar", content=body, headers={"content-type": "application/json"}), status)


@pytest.mark.parametrize("path", ["/similar", "/users/similar", "/invocations"])
@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_a_body_of_another_media_type_is_refused(client, path, media_type):
    headers = {"content-type": media_type} if media_type else {}
    refused(client.post(path, content=json.dumps(ACTIVITY).encode(), headers=headers), 415)


def test_a_media_type_may_have_parameters(client):
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    got(client.post("/similar", content=json.dumps(ACTIVITY), headers=headers))


@pytest.mark.parametrize("path", ["/no/such/path", "/users/", "/users/1/similar/", "/page.html"])
def test_an_unknown_path_is_a_problem(client, path):
    refused(client.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/users/1", "GET"),
        ("PUT", "/users", "GET"),
        ("GET", "/similar", "POST"),
        ("PATCH", "/users/similar", "POST"),
        ("POST", "/health", "GET"),
        ("OPTIONS", "/users/1/similar", "GET"),
    ],
)
def test_another_method_is_refused_with_what_is_allowed(client, method, path, allowed):
    response = client.request(method, path)
    refused(response, 405)
    assert response.headers["allow"] == allowed


def test_bodies_have_a_limit(client):
    body = json.dumps({"interests": ["x" * 200] * 400})
    assert len(body) > 64 * 1024
    response = client.post("/similar", content=body, headers={"content-type": "application/json"})
    assert "65536" in refused(response, 413)["detail"]


def test_a_body_that_says_it_is_too_long_is_refused_before_it_is_sent(warehouse, tmp_path):
    with serving(tmp_path, "--store", f"duckdb:///{warehouse}") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.putrequest("POST", "/similar")
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(10**12))):
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == 413


def test_bodies_without_a_declared_length_have_the_limit_too(warehouse, tmp_path):
    def answer_to(chunks):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/similar", iter(chunks), headers, encode_chunked=True)
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    with serving(tmp_path, "--store", f"duckdb:///{warehouse}") as server:
        status, answer = answer_to([b'{"interests": ', b'["python"]}'])
        assert status == 200
        assert answer["similar"]
        status, problem = answer_to([b'{"interests": ["', *[b"x" * 1024] * 70, b'"]}'])
        assert (status, problem["status"]) == (413, 413)
        assert answer_to([b'{"interests": ["python"]}'])[0] == 200


# --- the key, CORS and the limit of running lookups --------------------------------------------------------


@pytest.fixture
def locked(warehouse):
    with client_of(warehouse, cors_origins=("https://app.example",), api_key=KEY) as client:
        yield client


def test_with_a_key_only_requests_that_send_it_are_answered(locked):
    for method, path in [
        ("GET", "/users"),
        ("GET", "/users/1/similar"),
        ("POST", "/similar"),
        ("GET", "/openapi.json"),
        ("GET", "/no/such/path"),
        ("GET", "/health/"),
    ]:
        response = locked.request(method, path)
        refused(response, 401)
        assert response.headers["www-authenticate"].startswith("Bearer")
    for wrong in ({"X-API-Key": "sesame"}, {"X-API-Key": ""}, {"Authorization": f"Basic {KEY}"}, {"X-API-Key": "é"}):
        encoded = {name: value.encode() for name, value in wrong.items()}
        refused(locked.get("/users/1", headers=encoded), 401)
    for right in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}, {"Authorization": f"bearer {KEY}"}):
        got(locked.get("/users/1", headers=right))
    for path in ("/", "/page.js", "/page.css", "/health", "/ping"):
        assert locked.get(path).status_code == 200


def test_without_a_key_in_the_settings_none_is_needed(client):
    got(client.get("/users/1", headers={"X-API-Key": "whatever"}))


def test_pages_of_other_origins_may_ask_only_if_they_are_named(locked, client):
    origin = {"Origin": "https://app.example"}
    asking = {**origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "X-API-Key"}
    before = locked.request("OPTIONS", "/users/1", headers=asking)
    assert before.status_code == 200
    assert "X-API-Key" in before.headers["access-control-allow-headers"]
    for headers, status in (({"X-API-Key": KEY}, 200), ({}, 401)):
        response = locked.get("/users/1", headers={**origin, **headers})
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == "https://app.example"
    other = locked.get("/users/1", headers={"Origin": "https://evil.example", "X-API-Key": KEY})
    assert "access-control-allow-origin" not in other.headers
    assert not [name for name in client.get("/users/1", headers=origin).headers if name.startswith("access-control")]


def test_requests_are_refused_while_too_many_lookups_are_running(warehouse):
    app = create_app(f"duckdb:///{warehouse}", ApiSettings(max_concurrent=2))

    async def ask():
        threads = anyio.to_thread.current_default_thread_limiter()
        # Lookups wait while these holders have all threads.
        holders = [object() for _ in range(int(threads.total_tokens))]
        for holder in holders:
            threads.acquire_on_behalf_of_nowait(holder)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client, asyncio.timeout(20):
            waiting = [asyncio.create_task(client.get("/users/1/similar")) for _ in range(2)]
            while threads.statistics().tasks_waiting < 2:
                await asyncio.sleep(0.001)
            too_many = [await client.get("/users/2"), await client.post("/similar", json=ACTIVITY)]
            for holder in holders:
                threads.release_on_behalf_of(holder)
            return [await task for task in waiting], too_many, await client.get("/users/2")

    answered, too_many, later = asyncio.run(ask())
    app.state.executor.store.close()
    for response in too_many:
        refused(response, 429)
        assert response.headers["retry-after"] == "1"
    for response in (*answered, later):
        got(response)


@pytest.mark.parametrize("number", ["0", "-3", "many", "1.5"])
def test_an_invalid_limit_is_refused(monkeypatch, number):
    monkeypatch.setenv("KINDRED_MAX_CONCURRENT", number)
    with pytest.raises(ValueError, match="KINDRED_MAX_CONCURRENT"):
        ApiSettings.from_environment()


def test_settings_come_from_the_environment(monkeypatch):
    for name in ("KINDRED_API_KEY", "KINDRED_CORS_ORIGINS", "KINDRED_MAX_CONCURRENT"):
        monkeypatch.setenv(name, "")
    assert ApiSettings.from_environment() == ApiSettings()
    monkeypatch.setenv("KINDRED_API_KEY", KEY)
    monkeypatch.setenv("KINDRED_CORS_ORIGINS", "https://a.example, https://b.example")
    monkeypatch.setenv("KINDRED_MAX_CONCURRENT", "7")
    read = ApiSettings.from_environment()
    assert read == ApiSettings(api_key=KEY, cors_origins=("https://a.example", "https://b.example"), max_concurrent=7)
    assert KEY not in repr(read)


# --- warehouses that come, go and break --------------------------------------------------------------------


def version_of(warehouse, path, version):
    """Write a copy of a warehouse as another version."""
    shutil.copy(warehouse, path)
    with duckdb.connect(path) as connection:
        connection.execute("update build_info set version = ?", [version])
    return path


def point(name, file):
    """Publish a file as publication does: replace the link to the previous one."""
    link = name.with_suffix(".new")
    link.symlink_to(file)
    link.replace(name)


@pytest.mark.parametrize("store", ["duckdb", "memory"])
def test_a_warehouse_is_served_as_soon_as_it_is_published(warehouse, tmp_path, store):
    name = tmp_path / "kindred.duckdb"
    client = Client(create_app(f"{store}:///{name}", ApiSettings()))
    for path in ("/users/1/similar", "/health", "/ping"):
        response = client.get(path)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        problem = response.json()
        assert problem["type"] == "urn:kindred:no-warehouse"
        assert "make build" in problem["detail"]
    refused_activity = client.post("/similar", json=ACTIVITY)
    assert refused_activity.status_code == 503

    point(name, version_of(warehouse, tmp_path / "one.duckdb", "one"))
    assert got(client.get("/users/1/similar"))["version"] == "one"
    assert got(client.get("/health"))["version"] == "one"

    point(name, version_of(warehouse, tmp_path / "two.duckdb", "two"))
    deadline = 200
    while got(client.get("/users/1/similar"))["version"] != "two":  # a store in memory loads it in the background
        deadline -= 1
        assert deadline
        asyncio.run(asyncio.sleep(0.05))
    assert got(client.get("/users/1"))["version"] == "two"


def test_a_store_that_cannot_be_reached_is_reported_without_details(tmp_path, caplog):
    (tmp_path / "secret.duckdb").write_bytes(b"no database" * 1000)
    client = client_of(tmp_path / "secret.duckdb")
    for path in ("/users/1", "/health", "/ping"):
        response = client.get(path)
        problem = refused(response, 503)
        assert problem["type"] == "urn:kindred:store-unreachable"
        assert "cannot be reached" in problem["detail"]
        assert "secret" not in response.text.replace(problem["instance"], "")
        assert int(response.headers["retry-after"]) > 0
    assert "secret.duckdb" in caplog.text


def test_details_of_a_failure_go_to_the_log_only(warehouse, tmp_path, caplog):
    # This warehouse has lost a column, which the code does not expect.
    copy = shutil.copy(warehouse, tmp_path / "kindred.duckdb")
    with duckdb.connect(copy) as connection:
        connection.execute("alter table similar_users drop column cosine_similarity")
    client = client_of(copy)
    with caplog.at_level(logging.ERROR):
        problem = refused(client.get("/users/1/similar"), 500)
    assert "cosine" not in str(problem)
    assert "GET /users/1/similar failed" in caplog.text
    assert "KeyError" in caplog.text
    got(client.get("/users/1"))


def test_the_app_starts_without_the_packages_that_only_builds_need():
    code = (
        "import sys; from kindred.api import create_app; create_app('duckdb:///none.duckdb');"
        "print([name for name in ('dbt', 'sklearn', 'pandas', 'scipy', 'numba', 'pyarrow') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
