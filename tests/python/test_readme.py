"""What the README shows is what comes out of the sample in seeds/."""

import re
import shutil
import subprocess

import pytest
import yaml
from project import BIN, INPUTS, ROOT, Project, clean_environment, succeeded
from tabulate import tabulate

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```sql\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("readme"))
    for name in INPUTS:
        shutil.copy(ROOT / "seeds" / f"{name}.csv", project.folder / "seeds")
    succeeded(project.dbt("build"))
    return project


def test_there_are_three_queries():
    assert len(SHOWN) == 3


@pytest.mark.parametrize(("query", "shown"), SHOWN)
def test_a_query_gives_what_is_shown(built, query, shown):
    with built.open_published() as connection:
        result = connection.execute(query)
        names = [column[0] for column in result.description]
        assert tabulate(result.fetchall(), headers=names) == shown.rstrip("\n")


def test_the_command_prints_what_is_shown(built):
    command, shown = re.search(r"```console\n\$ \.venv/bin/(.*?)\n(.*?)```", README, re.DOTALL).groups()
    program, *arguments = command.split()
    printed = subprocess.run(
        [BIN / program, *arguments],
        cwd=built.folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == shown


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
