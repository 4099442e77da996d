"""What the README and docs/metrics.md show is what comes out of the sample in seeds/."""

import re
import shlex
import shutil

import pytest
import yaml
from project import INPUTS, ROOT, Project, succeeded
from servers import needs_metricflow
from tabulate import tabulate

README = (ROOT / "README.md").read_text(encoding="utf-8")
METRICS = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
QUERY = re.compile(r"```sql\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"```console\n\$ \.venv/bin/((?:.*\\\n)*.*)\n([^`]*)```")
QUERIES = QUERY.findall(README) + QUERY.findall(METRICS)
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
    assert [page.count("```text\n") + page.count("```console\n") for page in (README, METRICS)] == [4, 7]


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


def test_every_var_has_a_row_with_its_default():
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    table = README.split("| var | default |")[1].split("\n\n")[0]
    rows = dict(re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|", table, re.MULTILINE))
    shown = {name: default for names, default in rows.items() for name in re.findall(r"`(\w+)`", names)}
    assert shown.keys() == project["vars"].keys()
    for name, default in project["vars"].items():
        if name == "facets":
            continue
        expected = {None: "none", "{}": "none"}.get(None if default is None else str(default), default)
        assert yaml.safe_load(shown[name]) == expected, name


def test_every_facet_has_a_row_with_its_settings():
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    table = README.split("| facet | weight |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| (\w+) ((?:\| [.\d]+ ){4})\|", table, re.MULTILINE)
    shown = [(name, *map(float, re.findall(r"[.\d]+", settings))) for name, settings in rows]
    settings = ("weight", "count_power", "idf_power", "confidence_prior")
    assert shown == [(facet["facet"], *(facet[setting] for setting in settings)) for facet in project["vars"]["facets"]]
