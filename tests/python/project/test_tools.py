"""What docs/tools.md says, where it can be run: DuckDB's own shell, and Python."""

import os
import re
import subprocess
from pathlib import Path

import duckdb
import pytest
from project import BIN, ROOT, clean_environment

DOC = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^duckdb .*", DOC, re.MULTILINE)


@pytest.fixture
def folder(warehouse, tmp_path):
    """Return a folder that looks like the repository's after a build."""
    (tmp_path / "analyses").symlink_to(ROOT / "analyses")
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "kindred.duckdb").symlink_to(warehouse)
    return tmp_path


@pytest.fixture
def shell(folder):
    """Return what runs a line of the shell, with DuckDB's program of this environment, and gives what it prints."""

    def shell(line):
        ended = subprocess.run(
            line,
            shell=True,
            cwd=folder,
            env=clean_environment() | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return shell


def test_the_shell_answers_as_shown(shell, folder, warehouse):
    clusters, closest, mentors, parquet, _ = COMMANDS
    with duckdb.connect(warehouse, read_only=True) as connection:
        labels = connection.sql("select label from clusters order by cluster_id limit 5").fetchall()
        pairs = connection.sql((ROOT / "analyses" / "who_could_mentor_whom.sql").read_text(encoding="utf-8")).fetchall()
        similar_users = connection.sql("from similar_users").fetchall()
    printed = shell(clusters)
    assert len(labels) == 5
    assert all(label in printed for (label,) in labels)
    assert "main_reasons" in shell(closest)
    assert shell(mentors) == ""
    header, *lines = (folder / "mentors.csv").read_text().splitlines()
    assert header.startswith("user_handle,mentor_user_handle")
    assert [line.split(",")[:2] for line in lines] == [[str(pair[0]), str(pair[1])] for pair in pairs]
    shell(parquet)
    assert duckdb.sql(f"from '{folder}/similar_users.parquet'").fetchall() == similar_users


def test_the_database_that_the_ui_shows_is_attached_read_only(shell):
    command = COMMANDS[-1]
    assert command.endswith(" -ui")
    attached = command.removesuffix(" -ui")
    shown = shell(f"{attached} -csv -c \"select readonly from duckdb_databases() where database_name = 'kindred'\"")
    assert shown.split() == ["readonly", "true"]
    users = shell(f'{attached} -csv -c "select count(*) as users from users"')
    assert users.split() == ["users", "400"]


def test_the_table_of_python_works(folder, monkeypatch):
    monkeypatch.chdir(folder)
    line = re.search(r"\| Python \| `(.*)` \|", DOC)[1]
    assert len(eval(line)) == 400


def test_a_new_version_is_seen_by_who_connects_again(folder, shell, warehouse):
    """The link moves as a build moves it; a program that has the old file open keeps reading it."""
    link = folder / "warehouse" / "kindred.duckdb"
    new = folder / "warehouse" / "kindred-new.duckdb"
    with duckdb.connect(new) as connection:
        connection.execute("create table build_info as select 'the new one' as version")
    question = '-readonly warehouse/kindred.duckdb -csv -c "select version from build_info"'
    before = shell(f"duckdb {question}")
    with duckdb.connect(warehouse, read_only=True) as reader:
        Path(folder / "next").symlink_to(new)
        os.replace(folder / "next", link)
        ((version,),) = reader.sql("select version from build_info").fetchall()
        assert version in before
        assert "the new one" in shell(f"duckdb {question}")


def test_the_format_is_one_that_older_drivers_read(warehouse):
    with duckdb.connect(warehouse, read_only=True) as connection:
        ((tags,),) = connection.sql("select tags from duckdb_databases() where not internal").fetchall()
    assert tags["storage_version"].startswith("v1.0.0")
    assert "storage format v1.0:" in DOC
