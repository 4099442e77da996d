"""What the pages show is what comes out, and what they link to is there."""

import doctest
import re
import shlex
import shutil

import pytest
import yaml
from project import INPUTS, ROOT, Project, succeeded
from servers import needs_metricflow
from tabulate import tabulate

PAGES = [
    *(ROOT / folder / "README.md" for folder in ("", "deploy", "examples/package")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
README, ARCHITECTURE, QUERIES_PAGE, METRICS, SETTINGS, PYTHON = (
    (ROOT / page).read_text(encoding="utf-8")
    for page in [
        "README.md",
        *(f"docs/{name}.md" for name in ("architecture", "queries", "metrics", "settings", "python")),
    ]
)
QUERY = re.compile(r"```sql\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)
PYTHON_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
COMMAND = re.compile(r"```console\n\$ \.venv/bin/((?:.*\\\n)*.*)\n([^`]*)```")
QUERIES = QUERY.findall(QUERIES_PAGE) + QUERY.findall(METRICS)
COMMANDS = COMMAND.findall(README) + COMMAND.findall(METRICS)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("readme"))
    for name in INPUTS:
        shutil.copy(ROOT / "seeds" / f"{name}.csv", project.folder / "seeds")
    succeeded(project.dbt("build"))
    return project


def test_all_that_is_shown_is_found():
    assert (len(QUERIES), len(COMMANDS)) == (3 + 4, 1 + 3)
    pages = (README, QUERIES_PAGE, METRICS)
    assert [page.count("```text\n") + page.count("```console\n") for page in pages] == [1, 3, 7]


@pytest.mark.parametrize(("query", "shown"), QUERIES)
def test_a_query_gives_what_is_shown(built, query, shown):
    with built.open_published() as connection:
        result = connection.execute(query)
        names = [column[0] for column in result.description]
        assert tabulate(result.fetchall(), headers=names) == shown.rstrip("\n")


@pytest.mark.parametrize(("command", "shown"), COMMANDS)
def test_a_command_prints_what_is_shown(built, command, shown):
    program, *arguments = shlex.split(command.replace("\\\n", ""))
    if program == "mf":
        needs_metricflow()
    assert built.printed_by(program, *arguments) == shown


def test_python_prints_what_is_shown():
    (block,) = PYTHON_BLOCK.findall(PYTHON)
    example = doctest.DocTestParser().get_doctest(block, {}, "docs/python.md", "docs/python.md", 0)
    printed = []
    result = doctest.DocTestRunner().run(example, out=printed.append)
    assert (result.failed, result.attempted) == (0, 6), "".join(printed)


def test_every_published_table_answers_a_question(built):
    table = README.split("| question | table |")[1].split("\n\n")[0]
    cells = re.findall(r"^\| [^|]* \| ([^|]*) \|", table, re.MULTILINE)
    with built.open_published() as connection:
        published = {name for (name,) in connection.sql("show tables").fetchall()}
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == published


def test_every_room_is_on_the_map():
    table = ARCHITECTURE.split("| room | what it is for |")[1].split("\n\n")[0]
    package = ROOT / "python" / "kindred"
    rooms = {f"{room.parent.name}/" for room in package.glob("*/__init__.py")}
    assert set(re.findall(r"^\| `([\w/.]+)`", table, re.MULTILINE)) == rooms | {
        module.name for module in package.glob("[a-z]*.py")
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page):
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_decision_is_in_the_index_under_its_title():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    for page in set(folder.glob("*.md")) - {folder / "README.md"}:
        title, *headings = re.findall(r"^#+ (.*)", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequence"], page.name
        assert f"- [{title}]({page.name})\n" in index, page.name


def test_every_var_has_a_row_with_its_default():
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    table = SETTINGS.split("| var | default |")[1].split("\n\n")[0]
    rows = dict(re.findall(r"^\| (`[^|]*`) \| ((?:\\\||[^|])*) \|", table, re.MULTILINE))
    shown = {
        name: default.replace("\\|", "|") for names, default in rows.items() for name in re.findall(r"`(\w+)`", names)
    }
    assert shown.keys() == project["vars"].keys()
    for name, default in project["vars"].items():
        if name == "facets":
            continue
        expected = {None: "none", "{}": "none"}.get(None if default is None else str(default), default)
        assert yaml.safe_load(shown[name]) == expected, name


def test_every_facet_has_a_row_with_its_settings():
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    table = SETTINGS.split("| facet | weight |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| (\w+) ((?:\| [.\d]+ ){4})\|", table, re.MULTILINE)
    shown = [(name, *map(float, re.findall(r"[.\d]+", settings))) for name, settings in rows]
    settings = ("weight", "count_power", "idf_power", "confidence_prior")
    assert shown == [(facet["facet"], *(facet[setting] for setting in settings)) for facet in project["vars"]["facets"]]
