"""The app on Lambda: events of API Gateway, the table of the template, and the package of `sam build`."""

import base64
import importlib
import json
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import parse_qs

import boto3
import duckdb
import pytest
from cfnlint.decode import cfn_yaml
from deployments import find_wheels, link_packages, listed_packages, similar_handles
from dynamodb_servers import aws_environment, moto_server, proxy_before
from project import ROOT, clean_environment

from kindred.stores import open_store
from kindred.warehouse.reading import open_file

DEPLOYED = ROOT / "deploy" / "lambda"
RESOURCES = cfn_yaml.load(DEPLOYED / "template.yaml")["Resources"]
FUNCTION = RESOURCES["LookUps"]["Properties"]

NOT_PACKED = {"dbt", "duckdb", "matplotlib", "numba", "pandas", "pyarrow", "sklearn"}
RUNTIME = ["boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"]
MAX_UNZIPPED_BYTES = 250 << 20  # the limit of Lambda

ANSWER = """
import json, sys
from kindred.api.lambda_handler import handler
answers = [handler(event, None) for event in json.load(sys.stdin)]
json.dump({"answers": answers, "modules": list(sys.modules)}, sys.stdout)
"""


# --- events, as the Developer Guide of API Gateway shows them -------------------------------------------------

HEADERS = {
    "Accept": "*/*",
    "Host": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
    "User-Agent": "curl/8.5.0",
    "X-Amzn-Trace-Id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
}


def version_2(method, path, query="", headers=None, body=None, is_base64=False, stage="$default"):
    """Return an event of an HTTP API; a named stage comes before the path."""
    before = "" if stage == "$default" else f"/{stage}"
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": before + path,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in (HEADERS | (headers or {})).items()},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": HEADERS["Host"],
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": method,
                "path": before + path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": stage,
            "time": "10/Mar/2026:05:16:23 +0000",
            "timeEpoch": 1773119783000,
        },
        "isBase64Encoded": is_base64,
    }
    if query:
        event["queryStringParameters"] = {name: ",".join(values) for name, values in parse_qs(query).items()}
    if body is not None:
        event["body"] = body
    return event


def version_1(method, path, query="", headers=None, body=None, is_base64=False, stage="prod"):
    """Return an event of a REST API: headers unchanged, the query in parts, and the stage only in the context."""
    sent = HEADERS | (headers or {})
    values = parse_qs(query) or None
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": values and {name: given[-1] for name, given in values.items()},
        "multiValueQueryStringParameters": values,
        "pathParameters": {"proxy": path[1:]},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": HEADERS["Host"],
            "domainPrefix": "a1b2c3d4e5",
            "extendedRequestId": "JKJaXmPLvHcESHA=",
            "httpMethod": method,
            "identity": {"accessKey": None, "sourceIp": "203.0.113.7", "user": None, "userAgent": "curl/8.5.0"},
            "path": f"/{stage}{path}",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTime": "10/Mar/2026:05:16:23 +0000",
            "requestTimeEpoch": 1773119783000,
            "resourceId": "123456",
            "resourcePath": "/{proxy+}",
            "stage": stage,
        },
        "body": body,
        "isBase64Encoded": is_base64,
    }


def version_1_of_http_api(*arguments, **more):
    """Return an event of an HTTP API that uses the older format."""
    return {"version": "1.0", **version_1(*arguments, **more)}


@pytest.fixture(params=[version_1, version_1_of_http_api, version_2])
def event(request):
    return request.param


@contextmanager
def handler_with(**environment):
    """Import the handler as a container with this environment does."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("API_KEY", "BASE_PATH", "CORS_ORIGINS", "MAX_CONCURRENT", "STORE_URL", "WAREHOUSE"):
            patch.delenv(f"KINDRED_{name}", raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        sys.modules.pop("kindred.api.lambda_handler", None)
        handler = importlib.import_module("kindred.api.lambda_handler").handler
        yield lambda event: handler(event, None)


@pytest.fixture(scope="module")
def handler(warehouse):
    with handler_with(KINDRED_STORE_URL=f"duckdb:///{warehouse}") as handler:
        yield handler


def is_problem(answer, status):
    """Return whether an answer is a problem that API Gateway passes on as text."""
    assert answer["statusCode"] == status
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert answer["isBase64Encoded"] is False
    return json.loads(answer["body"])["status"] == status


# --- answers ---------------------------------------------------------------------------------------------------


def test_a_lookup_is_answered_as_text_with_its_headers(handler, event, warehouse):
    answer = handler(event("GET", "/users/1/similar", "limit=5"))
    assert answer["statusCode"] == 200
    assert answer["isBase64Encoded"] is False
    assert answer["headers"]["content-type"] == "application/json"
    content = json.loads(answer["body"])
    assert answer["headers"]["kindred-version"] == content["version"]
    assert answer["headers"]["content-length"] == str(len(answer["body"].encode()))
    assert [user["similar_user_handle"] for user in content["similar"]] == similar_handles(warehouse, 1)[:5]


def test_percent_encoding_is_decoded_once(handler, event, warehouse):
    plain = handler(event("GET", "/users/1/similar", "cluster=same&limit=20"))
    encoded = handler(event("GET", "/users/%31/similar", "cluster=s%61me&limit=%32%30"))
    assert json.loads(encoded["body"]) == json.loads(plain["body"])
    every = handler(event("GET", "/users/1/similar", "limit=20"))
    assert len(json.loads(encoded["body"])["similar"]) < len(json.loads(every["body"])["similar"]) == 20
    unknown = handler(event("GET", "/n%C3%A4her"))
    assert is_problem(unknown, 404)
    assert json.loads(unknown["body"])["instance"] == "/n%C3%A4her"


@pytest.mark.parametrize("is_base64", [False, True])
@pytest.mark.parametrize("name", ["Content-Type", "content-type", "CONTENT-TYPE"])
def test_bodies_come_as_text_or_in_base64_and_headers_in_any_case(handler, event, name, is_base64):
    text = json.dumps({"interests": ["python", "nähen"], "limit": 3}, ensure_ascii=False)
    body = base64.b64encode(text.encode()).decode() if is_base64 else text
    answer = handler(event("POST", "/similar", headers={name: "application/json"}, body=body, is_base64=is_base64))
    assert answer["statusCode"] == 200
    content = json.loads(answer["body"])
    assert len(content["similar"]) == 3
    assert content["unknown"]["interests"] == ["nähen"]


@pytest.mark.parametrize(
    ("path", "file", "type_"),
    [
        ("/", "page.html", "text/html"),
        ("/page.css", "page.css", "text/css"),
        ("/page.js", "page.js", "text/javascript"),
    ],
)
def test_the_page_is_text(handler, event, path, file, type_):
    answer = handler(event("GET", path))
    assert answer["statusCode"] == 200
    assert answer["isBase64Encoded"] is False
    assert answer["headers"]["content-type"] == f"{type_}; charset=utf-8"
    assert answer["body"] == (ROOT / "python" / "kindred" / "api" / "static" / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("status", "arguments"),
    [
        (400, ("POST", "/similar", "", {"Content-Type": "application/json"}, "/w==", True)),
        (404, ("GET", "/users/999999999/similar")),
        (405, ("DELETE", "/users/1")),
        (
            413,
            ("POST", "/similar", "", {"Content-Type": "application/json"}, json.dumps({"interests": ["x" * 70_000]})),
        ),
        (415, ("POST", "/similar", "", {"Content-Type": "text/csv"}, "python")),
        (422, ("GET", "/users/1/similar", "limit=many")),
    ],
)
def test_errors_are_problems_as_text(handler, event, status, arguments):
    assert is_problem(handler(event(*arguments)), status)


def test_requests_with_the_key_are_answered(warehouse, event):
    with handler_with(KINDRED_STORE_URL=f"duckdb:///{warehouse}", KINDRED_API_KEY="the-key") as handler:
        assert is_problem(handler(event("GET", "/users/1")), 401)
        assert handler(event("GET", "/users/1", headers={"X-API-Key": "the-key"}))["statusCode"] == 200
        assert handler(event("GET", "/health"))["statusCode"] == 200


def test_a_browser_is_told_which_origins_may_ask(warehouse, event):
    origin = "https://platform.example"
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    with handler_with(KINDRED_STORE_URL=f"duckdb:///{warehouse}", KINDRED_CORS_ORIGINS=origin) as handler:
        answer = handler(event("OPTIONS", "/users/1", headers=asked))
        assert answer["statusCode"] == 200
        assert answer["headers"]["access-control-allow-origin"] == origin


def test_a_stage_before_the_path_is_removed(warehouse):
    staged = version_2("GET", "/users/1", stage="prod")
    assert staged["requestContext"]["http"]["path"] == "/prod/users/1"
    with handler_with(KINDRED_STORE_URL=f"duckdb:///{warehouse}", KINDRED_BASE_PATH="/prod") as handler:
        assert handler(staged)["statusCode"] == 200
    # A REST API has the stage only in the context.
    with handler_with(KINDRED_STORE_URL=f"duckdb:///{warehouse}") as handler:
        assert handler(version_1("GET", "/users/1", stage="prod"))["statusCode"] == 200


def test_requests_share_the_app_and_its_store(warehouse, event, monkeypatch):
    opened = []
    monkeypatch.setattr("kindred.stores.duckdb.open_file", lambda file: opened.append(file) or open_file(file))
    with handler_with(KINDRED_STORE_URL=f"duckdb:///{warehouse}") as handler:
        for user_handle in (1, 2, 1):
            assert handler(event("GET", f"/users/{user_handle}"))["statusCode"] == 200
    assert opened == [warehouse]


# --- starting --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "KINDRED_STORE_URL is not set"),
        ({"KINDRED_STORE_URL": ""}, "KINDRED_STORE_URL is not set"),
        ({"KINDRED_STORE_URL": "dynamodb:/table"}, "is not the URL of a store"),
        ({"KINDRED_STORE_URL": "duckdb:///", "KINDRED_MAX_CONCURRENT": "no"}, "KINDRED_MAX_CONCURRENT must be"),
    ],
)
def test_a_function_with_wrong_settings_fails_at_once_with_a_sentence(environment, sentence):
    ended = subprocess.run(
        [sys.executable, "-c", "import kindred.api.lambda_handler"],
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert sentence in ended.stderr.splitlines()[-1]


# --- the table of the template, and the permissions for it -------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def _environment():
    with aws_environment():
        yield


@pytest.fixture(scope="module")
def proxy(_environment):
    with moto_server() as port, proxy_before(port) as proxy:
        properties = RESOURCES["Table"]["Properties"]
        made = {name: properties[name] for name in ("AttributeDefinitions", "BillingMode", "KeySchema")}
        boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}").create_table(TableName="kindred", **made)
        yield proxy


@pytest.fixture(scope="module")
def publishing(proxy, warehouse, tmp_path_factory):
    """Publish two versions, and return the operations used."""
    other = tmp_path_factory.mktemp("other") / "kindred.duckdb"
    shutil.copy(warehouse, other)
    with duckdb.connect(other) as connection:
        connection.execute("update build_info set version = 'other'")
    proxy.requests.clear()
    store = open_store(url_of(proxy), to_publish=True)
    for file in (other, warehouse):
        assert store.publish(file, lambda *step: None)
    store.close()
    return {operation for operation, _ in proxy.requests}


def url_of(proxy):
    """Return the URL that the template gives the function, with the server of the test."""
    url = FUNCTION["Environment"]["Variables"]["KINDRED_STORE_URL"]["Fn::Sub"]
    named = url.replace("${Table}", "kindred").replace("${AWS::Region}", "eu-west-1")
    return f"{named}&endpoint=http://127.0.0.1:{proxy.port}"


def allowed(policy):
    (statement,) = policy["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Resource"] == {"Fn::GetAtt": ["Table", "Arn"]}
    return {action.removeprefix("dynamodb:") for action in statement["Action"]}


def test_the_publisher_may_do_what_publishing_takes_and_no_more(publishing):
    assert allowed(RESOURCES["PublisherPolicy"]["Properties"]["PolicyDocument"]) == publishing


def test_the_function_may_do_what_lookups_take_and_no_more(proxy, publishing, event):
    (policy,) = FUNCTION["Policies"]
    proxy.requests.clear()
    with handler_with(KINDRED_STORE_URL=url_of(proxy)) as handler:
        for path in ("/health", "/users", "/users/1", "/users/1/similar", "/users/1/similar/2", "/users/1/courses"):
            assert handler(event("GET", path))["statusCode"] == 200
        posted = {"headers": {"Content-Type": "application/json"}, "body": '{"interests": ["python"]}'}
        assert handler(event("POST", "/similar", **posted))["statusCode"] == 200
    assert {operation for operation, _ in proxy.requests} == allowed(policy)


def test_a_table_that_is_not_there_or_not_reached_is_a_problem(proxy, event):
    missing = url_of(proxy).replace("kindred", "missing")
    away = "dynamodb://kindred?region=eu-west-1&endpoint=http://127.0.0.1:1"
    for url in (missing, away):
        with handler_with(KINDRED_STORE_URL=url) as handler:
            answer = handler(event("GET", "/users/1"))
            assert is_problem(answer, 503)
            assert answer["headers"]["retry-after"] == "5"


# --- what is packed ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Build the function as `sam build` does, but for this machine."""
    folder = tmp_path_factory.mktemp("function")
    subprocess.run(
        ["make", "--makefile", DEPLOYED / "Makefile", "build-LookUps", f"PYTHON={sys.executable}", "WHEELS="],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        env=clean_environment() | {"ARTIFACTS_DIR": str(folder)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder


@pytest.fixture(scope="module")
def run_packed(package, proxy, publishing, tmp_path_factory):
    """Return a function that answers events with the package and Lambda's own packages only."""
    folder = tmp_path_factory.mktemp("runtime")
    runtime = link_packages(folder / "packages", RUNTIME)

    def run(*events):
        ended = subprocess.run(
            [sys.executable, "-S", "-c", ANSWER],
            input=json.dumps(events),
            cwd=folder,
            env=clean_environment() | {"PYTHONPATH": f"{package}:{runtime}", "KINDRED_STORE_URL": url_of(proxy)},
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        outcome = json.loads(ended.stdout)
        assert {answer["statusCode"] for answer in outcome["answers"]} == {200}
        return outcome["answers"], {module.partition(".")[0] for module in outcome["modules"]}

    return run


def test_lookups_of_users_are_answered_from_the_package_without_numpy(run_packed, warehouse):
    answers, modules = run_packed(
        version_2("GET", "/users/1/similar", "limit=5"), version_2("GET", "/users/1/courses"), version_2("GET", "/")
    )
    similar = json.loads(answers[0]["body"])["similar"]
    assert [user["similar_user_handle"] for user in similar] == similar_handles(warehouse, 1)[:5]
    assert not modules & (NOT_PACKED | {"numpy", "scipy"})


def test_an_activity_is_compared_from_the_package(run_packed):
    body = json.dumps({"interests": ["python"], "limit": 3})
    (answer,), modules = run_packed(version_2("POST", "/similar", "", {"Content-Type": "application/json"}, body))
    assert len(json.loads(answer["body"])["similar"]) == 3
    assert not modules & NOT_PACKED


def test_the_package_has_the_listed_packages_and_fits_lambda(package):
    names = {path.name.split("-")[0].replace("_", "-") for path in package.glob("*.dist-info")}
    assert names == {"kindred", *listed_packages(DEPLOYED / "requirements.txt")}
    assert sum(file.stat().st_size for file in package.rglob("*") if file.is_file()) < MAX_UNZIPPED_BYTES


@pytest.mark.proof
def test_there_are_wheels_for_the_platform_of_the_function():
    assert FUNCTION["Runtime"] == "python3.13"
    assert FUNCTION["Architectures"] == ["arm64"]
    wheels = re.search(r"^WHEELS \?= (.*)$", (DEPLOYED / "Makefile").read_text(), re.MULTILINE)[1].split()
    assert wheels[wheels.index("--python-version") + 1] == "3.13"
    assert {option for option in wheels if option.startswith("manylinux")} == {
        "manylinux_2_28_aarch64",
        "manylinux2014_aarch64",
    }
    find_wheels(DEPLOYED / "requirements.txt", *wheels)
