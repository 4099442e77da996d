"""The API matches its description in /openapi.json: schemathesis sends requests that it allows and others."""

import json
import re
from collections import Counter

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from kindred.api import ApiSettings, create_app

KEY = "open sesame"
HEADERS = {"X-API-Key": KEY}

# Mostly users who exist: hardly any of all possible handles does.
KNOWN_HANDLES = {"dictionary": "handles", "probability": 0.7}
CONFIG = {
    "seed": 1,
    "generation": {"deterministic": True},
    "dictionaries": {"handles": {"values": [str(user) for user in range(1, 31)]}},
    "parameters": {"path.user_handle": KNOWN_HANDLES, "path.other_handle": KNOWN_HANDLES},
}

bounded = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


def load(app, **headers):
    config = SchemathesisConfig.from_dict(CONFIG)
    return schemathesis.openapi.from_asgi("/openapi.json", app, config=config, headers=headers)


# They open the warehouse with the first request, so they can be described before it is built.
open_app, locked_app = create_app(settings=ApiSettings()), create_app(settings=ApiSettings(api_key=KEY))
open_api, locked_api = load(open_app), load(locked_app, **HEADERS)
answered = Counter()


@pytest.fixture(autouse=True, scope="module")
def _published(warehouse):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("KINDRED_WAREHOUSE", str(warehouse))
        yield
    for app in (open_app, locked_app):
        # Other tests of the same process open the same file with other settings.
        app.state.executor.store.close()


def for_every_operation(name, api, check, max_examples):
    """Create a test of every operation under its own name; max_examples are added to the requests for limits.

    schemathesis gives all of them one name, and pytest-xdist would run only the first.
    """
    for operation in api.get_all_operations():
        label = operation.ok().label

        @api.include(name=label).parametrize()
        @settings(bounded, max_examples=max_examples)
        def test(case):
            check(case)

        globals()[f"{name}_{re.sub('[^a-z_]+', '_', label.lower())}"] = test


def keeps_to_its_description(case):
    response = case.call()
    answered[case.operation.label, response.status_code] += 1
    case.validate_response(response)


def keeps_to_its_description_with_a_key(case):
    response = case.call(headers=HEADERS)
    case.validate_response(response, headers=HEADERS)


def is_answered_without_a_key_only_if_it_is_open(case):
    response = case.call()
    assert response.status_code == 401 or case.path in ("/health", "/ping")
    case.validate_response(response)


for_every_operation("test_without_a_key", open_api, keeps_to_its_description, 30)
for_every_operation("test_with_the_key", locked_api, keeps_to_its_description_with_a_key, 30)
for_every_operation("test_the_key_is_missing", locked_api, is_answered_without_a_key_only_if_it_is_open, 5)


def test_no_operation_was_only_refused():
    # An operation that is always refused would match any description of its answers.
    for operation in open_api.get_all_operations():
        assert answered[operation.ok().label, 200], answered
    assert {status for _, status in answered} >= {200, 400, 404, 405, 415, 422}


def test_answers_lead_on_to_other_answers():
    # schemathesis finds members of answers that other requests take, and sends those requests.
    open_api.as_state_machine().run(settings=settings(bounded, max_examples=30, stateful_step_count=6))


# --- the description itself --------------------------------------------------------------------------------


def contents(operation):
    """Return the place, the media type and the description of every body of a request or an answer."""
    found = {}
    if "requestBody" in operation:
        found["request"] = operation["requestBody"]["content"]
    for status, response in operation["responses"].items():
        found[status] = response.get("content", {})
    return [(place, media_type, content) for place, media in found.items() for media_type, content in media.items()]


def examples_of(content, components):
    """Return the examples of a body: its own, or those of its alternatives."""
    if "example" in content:
        return [content["example"]]
    references = content["schema"].get("oneOf", [content["schema"]])
    return [
        example
        for reference in references
        for example in components[reference["$ref"].rpartition("/")[2]].get("examples", [])
    ]


def test_every_body_has_an_example_that_fits():
    description = locked_api.raw_schema
    seen = Counter()
    for path, operations in description["paths"].items():
        for operation in operations.values():
            for place, media_type, content in contents(operation):
                examples = examples_of(content, description["components"]["schemas"])
                assert examples, (path, place)
                for example in examples:
                    schema = {**content["schema"], "components": description["components"]}
                    jsonschema.validate(example, schema, jsonschema.Draft202012Validator)
                assert media_type == ("application/json" if place in ("request", "200") else "application/problem+json")
                seen[place] += 1
    assert seen["request"] == 3
    assert seen["200"] == len(description["paths"]) - 1  # the answer of /ping is empty


def test_every_operation_is_described():
    description = locked_api.raw_schema
    assert description["openapi"].startswith("3.1.")
    tags = {tag["name"] for tag in description["tags"]}
    for path, operations in description["paths"].items():
        for operation in operations.values():
            assert operation["description"]
            assert set(operation["tags"]) <= tags
            assert "500" in operation["responses"]
            assert ("security" in operation) == ("401" in operation["responses"]) == (path not in ("/health", "/ping"))


def test_the_key_is_described_only_where_one_is_needed():
    assert set(locked_api.raw_schema["components"]["securitySchemes"]) == {"ApiKey", "Bearer"}
    assert "securitySchemes" not in open_api.raw_schema["components"]
    assert "security" not in json.dumps(open_api.raw_schema)
