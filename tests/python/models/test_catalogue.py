"""The catalogue that `make docs` writes, from the manifest to what a browser shows of it."""

import functools
import http.server
import json
import re
import threading
from collections import defaultdict

import duckdb
import pytest
import yaml
from playwright.sync_api import expect
from project import ROOT, Project

LINK = re.compile(r"\]\(#!/(\w+)/([\w.]+)\)")
READS = ("lookups.py", "fold_in/*.py", "stores/**/*.py")
"""What answers lookups, in python/kindred."""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def target(warehouse, tmp_path_factory):
    """Return the folder into which dbt wrote the catalogue of a project that was built."""
    project = Project(tmp_path_factory.mktemp("catalogue"))
    project.take_build_of(warehouse)
    outcome = project.dbt("docs", "generate", "--static")
    assert outcome.exit_status == 0, outcome.output
    return project.folder / "target"


@pytest.fixture(scope="module")
def manifest(target):
    return json.loads((target / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def nodes(manifest):
    """Return what the project itself has: nodes, exposures and metrics, by their unique names."""
    nodes = manifest["nodes"] | manifest["exposures"] | manifest["metrics"]
    return {name: node for name, node in nodes.items() if node["resource_type"] != "operation"}


@pytest.fixture(scope="module")
def columns(warehouse):
    """Return the type of every published column by table, in their order."""
    columns = defaultdict(dict)
    with duckdb.connect(warehouse, read_only=True) as connection:
        for table, column, data_type in connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() where not internal order by column_index"
        ).fetchall():
            columns[table][column] = data_type
    return dict(columns)


@pytest.fixture(scope="module")
def page(target):
    """Serve the folder and return the address of the page."""
    handler = functools.partial(QuietHandler, directory=target)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/static_index.html"
        server.shutdown()


@pytest.fixture
def tab(open_tab, page):
    """Return a tab with the page, and assert that nothing went wrong in it and nobody else was asked."""
    with open_tab() as tab:
        tab.page.goto(page)
        expect(tab.page.locator("h1").first).to_be_visible()
        yield tab
    assert tab.complaints == []
    host = page.rpartition("/")[0]
    assert [url for url in tab.requested if not url.startswith((host, "data:"))] == []


def overview_links(manifest):
    return LINK.findall(manifest["docs"]["doc.kindred.__overview__"]["block_contents"])


def test_everything_is_described(nodes, manifest):
    """But for generic tests, which are what their macro is."""
    undescribed = [
        name for name, node in nodes.items() if not node["description"].strip() and "test_metadata" not in node
    ]
    undescribed += [
        (name, "columns")
        for name, node in nodes.items()
        if node["resource_type"] in ("model", "seed", "analysis") and not node["columns"]
    ]
    undescribed += [
        (name, column["name"])
        for name, node in nodes.items()
        for column in node.get("columns", {}).values()
        if not column["description"].strip()
    ]
    macros = [macro for macro in manifest["macros"].values() if macro["package_name"] == "kindred"]
    assert len(macros) > 40
    for macro in macros:
        if not macro["description"].strip() or not all(each["description"].strip() for each in macro["arguments"]):
            undescribed.append(macro["unique_id"])
    assert undescribed == []


def test_a_singular_test_is_described_by_its_first_comment(nodes):
    tests = [node for node in nodes.values() if node["resource_type"] == "test" and "test_metadata" not in node]
    assert len(tests) >= 10
    for test in tests:
        comment = re.match(r"(?:--.*\n)+", (ROOT / test["original_file_path"]).read_text(encoding="utf-8"))[0]
        assert test["description"].split() == comment.replace("--", " ").split(), test["name"]


def test_descriptions_that_recur_are_doc_blocks():
    """The same words about the same column in two tables are written once, in docs/columns.md.

    An input is one table, whether it is read from a file or a relation.
    """
    written = defaultdict(set)
    for file in [*ROOT.glob("models/**/*.yml"), *ROOT.glob("seeds/*.yml"), *ROOT.glob("analyses/*.yml")]:
        declared = yaml.safe_load(file.read_text(encoding="utf-8"))
        for table in [table for kind in ("models", "seeds", "analyses") for table in declared.get(kind, [])]:
            for column in table["columns"]:
                if "doc(" not in column["description"]:
                    written[column["name"], column["description"]].add(table["name"].removeprefix("mapped_"))
    assert {what: tables for what, tables in written.items() if len(tables) > 1} == {}


def test_the_overview_leads_to_every_mart_and_ready_made_query(manifest, nodes, columns):
    links = overview_links(manifest)
    for kind, name in links:
        assert nodes[name]["resource_type"] == kind
    linked = {name.removeprefix("model.kindred.") for kind, name in links if kind == "model"}
    assert linked == columns.keys()
    for kind in ("analysis", "exposure"):
        assert {name for each, name in links if each == kind} == {
            name for name, node in nodes.items() if node["resource_type"] == kind
        }


def test_the_exposure_of_the_api_names_what_lookups_read(nodes, columns):
    sources = [file for pattern in READS for file in (ROOT / "python" / "kindred").glob(pattern)]
    text = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    read = {table for table in columns if re.search(rf"\b(from|join) ({{schema}}|{{self\._schema}})?{table}\b", text)}
    assert {"similar_users", "tag_map", "clusters"} <= read
    assert reads(nodes["exposure.kindred.api"]) == read


@pytest.mark.parametrize("name", ["dashboard", "stores"])
def test_other_exposures_read_all_that_is_published(nodes, columns, name):
    assert reads(nodes[f"exposure.kindred.{name}"]) == columns.keys()


def reads(exposure):
    return {name.removeprefix("model.kindred.") for name in exposure["depends_on"]["nodes"]}


def test_the_page_begins_with_questions_that_lead_to_tables(tab):
    question = tab.page.get_by_role("row", name="Who is most like a user, and why?")
    expect(question).to_be_visible()
    question.get_by_role("link", name="similar_users").click()
    expect(tab.page.locator("h1").first).to_contain_text("similar_users")
    expect(tab.page.locator("tr.column-row").filter(has_text="ranking_score")).to_be_visible()


def test_every_published_table_is_shown_with_all_columns_and_types(tab, nodes, columns):
    for table, types in columns.items():
        show(tab, f"model/model.kindred.{table}", table)
        rows = tab.page.locator("tr.column-row")
        expect(rows).to_have_count(len(types))
        shown = [row.split("\t") for row in rows.all_inner_texts()]
        assert {name.strip(): data_type.strip() for name, data_type, *_ in shown} == types
        description = " ".join(nodes[f"model.kindred.{table}"]["description"].split())
        assert description in " ".join(tab.texts("body")[0].split())


def test_tests_exposures_and_ready_made_queries_are_shown(tab, nodes):
    tests = {
        name.removeprefix("test.kindred.").partition(".")[0]
        for name, node in nodes.items()
        if node["resource_type"] == "test" and "test_metadata" not in node
    }
    pages = [(f"test/test.kindred.{name}", name) for name in tests]
    pages += [(f"analysis/{name}", node["name"]) for name, node in nodes.items() if node["resource_type"] == "analysis"]
    pages += [
        (f"exposure/{name}", node["label"]) for name, node in nodes.items() if node["resource_type"] == "exposure"
    ]
    for address, title in pages:
        show(tab, address, title)
    show(tab, "exposure/exposure.kindred.api", "Lookups by kindred serve")
    expect(tab.page.get_by_role("link", name="course_relations")).to_be_visible()


@pytest.mark.proof
def test_the_lineage_of_a_table_is_drawn(tab):
    tab.page.goto(tab.page.url.partition("#")[0] + "#!/model/model.kindred.similar_users?g_v=1&g_i=%2Bsimilar_users%2B")
    tab.page.reload()
    expect(tab.page.get_by_text("Lineage Graph").first).to_be_visible()
    expect(tab.page.locator("canvas").first).to_be_visible()


@pytest.mark.proof
def test_the_file_opens_without_a_server(open_tab, target):
    with open_tab() as tab:
        tab.page.goto((target / "static_index.html").as_uri())
        expect(tab.page.get_by_role("heading", name="Start from a question")).to_be_visible()
    assert [url for url in tab.requested if not url.startswith(("file:", "data:"))] == []


def show(tab, address, title):
    tab.page.goto(tab.page.url.partition("#")[0] + f"#!/{address}")
    expect(tab.page.locator("h1").filter(has_text=title).first).to_be_visible()
