"""The layers of dbt's models: each reads only those below it, and every mart is published or left out on purpose."""

import json

import pytest
from project import ROOT, Project

READS = {
    "raw": set(),
    "staging": {"raw", "staging"},
    "intermediate": {"staging", "intermediate"},
    "marts": {"staging", "intermediate", "marts"},
    "metrics": {"marts", "metrics"},
    "publication": {"marts"},
    "analyses": {"marts"},
    "exposures": {"marts"},
}
"""What each layer may read. A model's layer is its folder in models/; seeds are raw, as are inputs from relations."""

NOT_PUBLISHED = set()
"""Marts that stay in the database of the build on purpose."""

READERS = {"analysis": "analyses", "exposure": "exposures", "semantic_model": "metrics", "metric": "metrics"}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """Return models, seeds and all that reads them but data tests, by their unique ids, as dbt parses them.

    One input is mapped to none, so that its model in models/raw counts as well.
    """
    project = Project(tmp_path_factory.mktemp("layers"))
    project.write_sample(10)
    outcome = project.dbt("parse", "--vars", "{inputs: {user_assessment_scores: none}}")
    assert outcome.exit_status == 0, outcome.output
    manifest = json.loads((project.folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    kinds = ("nodes", "exposures", "semantic_models", "metrics")
    found = {name: node for kind in kinds for name, node in manifest[kind].items()}
    return {name: node for name, node in found.items() if node["resource_type"] not in ("test", "operation")}


def layer(node):
    """Return the layer of a node by its path."""
    if node["resource_type"] == "seed":
        return "raw"
    if node["resource_type"] == "model":
        return node["original_file_path"].split("/")[1]
    return READERS[node["resource_type"]]


def test_every_folder_of_models_is_a_layer(nodes):
    folders = {layer(node) for node in nodes.values() if node["resource_type"] == "model"}
    assert folders == {path.name for path in (ROOT / "models").iterdir() if path.is_dir()}
    assert folders == READS.keys() - {"analyses", "exposures"}


def test_every_layer_reads_only_the_layers_that_it_may(nodes):
    read = [
        (layer(node), layer(nodes[source]), name, source)
        for name, node in nodes.items()
        for source in node.get("depends_on", {}).get("nodes", [])
    ]
    assert {reader for reader, *_ in read} == READS.keys() - {"raw"}
    assert len(read) > 150
    wrong = [f"{name} reads {source}" for reader, below, name, source in read if below not in READS[reader]]
    assert wrong == []


def test_every_mart_is_published_or_left_out_on_purpose(nodes):
    marts = {name.split(".")[-1] for name, node in nodes.items() if layer(node) == "marts"}
    # test_results waits for every mart that is published, and the publication waits for test_results.
    published = {name.split(".")[-1] for name in nodes["model.kindred.test_results"]["depends_on"]["nodes"]}
    assert published | {"test_results"} == marts - NOT_PUBLISHED
    assert set(nodes["model.kindred.publication"]["depends_on"]["nodes"]) == {
        "model.kindred.build_info",
        "model.kindred.test_results",
    }
