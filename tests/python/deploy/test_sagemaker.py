"""The container for SageMaker: its entry point as a process with only the packages of the image."""

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import pytest
from deployments import find_wheels, link_packages, listed_packages, similar_handles
from project import BIN, ROOT, clean_environment
from servers import free_port

DEPLOYED = ROOT / "deploy" / "sagemaker"
ENTRY_POINT = DEPLOYED / "entry_point.py"
DOCKERFILE = (DEPLOYED / "Dockerfile").read_text()
STARTING_SECONDS = 30
ENDING_SECONDS = 5  # docker waits 10 s before it kills


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return link_packages(tmp_path_factory.mktemp("image") / "packages", listed_packages(DEPLOYED / "requirements.txt"))


@pytest.fixture(scope="module")
def start(packages, tmp_path_factory):
    """Return a function that starts the entry point as the container does, with the packages of the image only."""
    work = tmp_path_factory.mktemp("work")

    def start(*arguments, **environment):
        path = os.pathsep.join(map(str, (packages, ROOT / "python")))
        return subprocess.Popen(
            [sys.executable, "-S", ENTRY_POINT, *arguments],
            cwd=work,
            env=clean_environment() | {"PYTHONPATH": path, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@contextmanager
def serving(start, **environment):
    """Start the server, yield a client and the process, and kill the process at the end if it still runs."""
    port = free_port()
    process = start("serve", SAGEMAKER_BIND_TO_PORT=str(port), **environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            deadline = time.monotonic() + STARTING_SECONDS
            while not is_answering(client):
                assert process.poll() is None, process.communicate()[1]
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield client, process
    finally:
        process.kill()
        process.communicate()


def is_answering(client):
    try:
        client.get("/ping")
    except httpx.ConnectError:
        return False
    return True


@pytest.fixture(scope="module")
def model(warehouse, tmp_path_factory):
    """Pack a model as the README says, and unpack it as SageMaker does."""
    folder = tmp_path_factory.mktemp("model")
    readme = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^tar --dereference .*$", readme, re.MULTILINE)[0].split()
    assert (warehouse.parent / "kindred.duckdb").is_symlink()
    command[command.index("target/model.tar.gz")] = folder / "model.tar.gz"
    subprocess.run(command, cwd=warehouse.parents[1], check=True)
    (folder / "model").mkdir()
    subprocess.run(["tar", "-xzf", folder / "model.tar.gz", "-C", folder / "model"], check=True)
    return folder / "model"


@pytest.fixture(scope="module")
def client(start, model):
    with serving(start, KINDRED_MODEL_DIR=str(model)) as (client, _):
        yield client


# --- the contract of SageMaker ---------------------------------------------------------------------------------


def test_it_is_healthy_with_a_model(client):
    answer = client.get("/ping")
    assert answer.status_code == 200
    assert answer.content == b""
    assert client.get("/health").json()["store"] == "memory"


def test_a_user_is_looked_up(client, warehouse):
    answer = client.post("/invocations", json={"user_handle": 1, "limit": 5})
    assert answer.status_code == 200
    similar = [user["similar_user_handle"] for user in answer.json()["similar"]]
    assert similar == similar_handles(warehouse, 1)[:5]


def test_several_users_are_looked_up(client, warehouse):
    answer = client.post("/invocations", json={"user_handles": [2, 10**9, 1], "limit": 3})
    assert answer.status_code == 200
    found = {result["user_handle"]: result["similar"] for result in answer.json()["results"]}
    assert list(found) == [2, 1]
    for user_handle, similar in found.items():
        handles = [user["similar_user_handle"] for user in similar]
        assert handles == similar_handles(warehouse, user_handle)[:3]
    assert answer.json()["unknown_user_handles"] == [10**9]


def test_an_activity_is_compared(client):
    answer = client.post("/invocations", json={"interests": ["python"], "limit": 3})
    assert answer.status_code == 200
    assert len(answer.json()["similar"]) == 3


@pytest.mark.parametrize("type_", ["text/csv", "application/x-npy", "application/jsonlines"])
def test_other_bodies_than_json_are_refused(client, type_):
    answer = client.post("/invocations", content='{"user_handle": 1}', headers={"Content-Type": type_})
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_health_check_of_the_image_agrees_with_ping(client, start, packages, tmp_path):
    check = re.search(r"^HEALTHCHECK .*? CMD (\[.*?\])$", DOCKERFILE.replace("\\\n", ""), re.MULTILINE)[1]
    program, *arguments = json.loads(check)
    assert program == "python"

    def check_at(port):
        environment = clean_environment() | {"SAGEMAKER_BIND_TO_PORT": str(port), "NO_PROXY": "127.0.0.1"}
        return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True).returncode

    assert check_at(client.base_url.port) == 0
    assert check_at(free_port()) != 0
    with serving(start, KINDRED_MODEL_DIR=str(tmp_path)) as (without_model, _):
        assert check_at(without_model.base_url.port) != 0


# --- models ----------------------------------------------------------------------------------------------------


def test_it_is_not_healthy_without_a_model(start, warehouse, tmp_path):
    folder = tmp_path / "a model"
    with serving(start, KINDRED_MODEL_DIR=str(folder)) as (client, process):
        assert client.get("/ping").status_code == 503
        answer = client.post("/invocations", json={"user_handle": 1})
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        folder.mkdir()
        (folder / "kindred.duckdb").symlink_to(warehouse)
        assert client.get("/ping").status_code == 200
        assert client.post("/invocations", json={"user_handle": 1}).status_code == 200
        process.terminate()
        assert str(folder) in process.communicate(timeout=ENDING_SECONDS)[1]


def test_the_file_of_a_model_may_have_any_name(start, warehouse, tmp_path):
    (tmp_path / "näher 2.duckdb").symlink_to(warehouse)
    with serving(start, KINDRED_MODEL_DIR=str(tmp_path)) as (client, _):
        assert client.get("/ping").status_code == 200


def test_another_store_may_be_named(start, warehouse, tmp_path):
    with serving(start, KINDRED_MODEL_DIR=str(tmp_path), KINDRED_STORE_URL=f"duckdb:///{warehouse}") as (client, _):
        assert client.get("/health").json()["store"] == "duckdb"


# --- starting and ending ---------------------------------------------------------------------------------------


def test_sigterm_ends_it_with_status_0(start, model):
    with serving(start, KINDRED_MODEL_DIR=str(model)) as (client, process):
        assert client.get("/ping").status_code == 200  # the connection stays open
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=ENDING_SECONDS)
    assert process.returncode == 0
    assert re.fullmatch(r"Serving version \S+ with 400 users\.\n", errors)


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["train"], {}, "its argument must be serve, not 'train'"),
        ([], {}, "its argument must be serve"),
        (["serve", "--help"], {}, "not 'serve --help'"),
        (["serve"], {"KINDRED_STORE_URL": "model.duckdb"}, "is not the URL of a store"),
        (["serve"], {"KINDRED_MAX_CONCURRENT": "0"}, "KINDRED_MAX_CONCURRENT must be"),
        (["serve"], {"KINDRED_API_KEY": "the-key"}, "SageMaker forwards no key"),
    ],
)
def test_wrong_arguments_and_settings_are_refused_with_a_sentence(start, arguments, environment, sentence):
    process = start(*arguments, **environment)
    output, errors = process.communicate(timeout=STARTING_SECONDS)
    assert process.returncode == 2
    assert output == ""
    assert sentence in errors
    assert len(errors.splitlines()) == 1


def test_a_model_with_several_files_is_refused(start, tmp_path):
    for name in ("a.duckdb", "b.duckdb"):
        (tmp_path / name).touch()
    process = start("serve", KINDRED_MODEL_DIR=str(tmp_path))
    assert process.wait(timeout=STARTING_SECONDS) == 2
    assert process.communicate()[1] == f"There are 2 DuckDB files in {tmp_path}: a model must have exactly one.\n"


# --- the image -------------------------------------------------------------------------------------------------


def test_the_entry_point_can_be_executed(packages):
    path = os.pathsep.join(map(str, (packages, ROOT / "python")))
    ended = subprocess.run(
        [ENTRY_POINT, "train"],
        env=clean_environment() | {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": path},
        capture_output=True,
    )
    assert ended.returncode == 2
    assert json.loads(re.search(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[1]) == ["/opt/kindred/entry_point.py"]
    assert "WORKDIR /opt/kindred\n" in DOCKERFILE
    assert "COPY deploy/sagemaker/entry_point.py ./\n" in DOCKERFILE


def test_it_listens_where_sagemaker_asks(monkeypatch):
    monkeypatch.syspath_prepend(DEPLOYED)
    entry_point = importlib.import_module("entry_point")
    assert entry_point.PORT == "8080"
    assert entry_point.MODEL_FOLDER == "/opt/ml/model"
    assert "\nEXPOSE 8080\n" in DOCKERFILE


@pytest.mark.proof
def test_there_are_wheels_for_the_image():
    version = re.search(r"^FROM python:(\S+)-slim$", DOCKERFILE, re.MULTILINE)[1]
    platforms = [part for name in ("manylinux_2_28", "manylinux2014") for part in ("--platform", f"{name}_x86_64")]
    find_wheels(DEPLOYED / "requirements.txt", "--python-version", version, *platforms)
