"""The script that compares two published warehouses."""

import shutil
import subprocess
import sys

import pytest
from changed_warehouse import changed
from project import ROOT


def compare(before, after):
    program = [sys.executable, ROOT / "tests" / "compare_warehouses.py", before, after]
    return subprocess.run(program, capture_output=True, text=True)


def test_a_warehouse_is_the_same_as_its_copy(warehouse, tmp_path):
    ended = compare(warehouse, shutil.copy(warehouse, tmp_path))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "DIFFERENT" not in ended.stdout
    assert ended.stdout.count("the same") == 22


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("update users set total_views = total_views + 1 where user_handle = 42", "users"),
        ("delete from user_map where user_handle = 42", "user_map"),
        ("update similar_users set similarity = nextafter(similarity, 1) where rank = 1", "similar_users"),
        ("alter table tags drop column interest_bundle", "tags"),
        ("drop table clusters", "clusters"),
    ],
)
def test_a_table_that_differs_is_named(warehouse, tmp_path, statement, table):
    ended = compare(warehouse, changed(warehouse, tmp_path, statement))
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert [line.split()[0] for line in ended.stdout.splitlines() if "DIFFERENT" in line] == [table]
