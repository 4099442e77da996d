"""The deployments satisfy their linters without exceptions, and their parts fit together."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from cfnlint.decode import cfn_yaml
from deployments import listed_packages, needed_packages
from project import BIN, ROOT

DEPLOY = ROOT / "deploy"
TEMPLATE = DEPLOY / "lambda" / "template.yaml"
DOCKERFILE = DEPLOY / "sagemaker" / "Dockerfile"
README = (DEPLOY / "README.md").read_text(encoding="utf-8")

COPIED = [line.split()[1:] for line in re.findall(r"^COPY .*$", DOCKERFILE.read_text(), re.MULTILINE)]


@pytest.mark.parametrize("command", [["cfn-lint", TEMPLATE], ["hadolint", "--disable-ignore-pragma", DOCKERFILE]])
def test_a_linter_finds_nothing(command, tmp_path):
    # In an empty folder, so that no settings file makes the linter ignore something.
    program, *arguments = command
    ended = subprocess.run([BIN / program, *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr


def test_the_template_makes_no_exceptions():
    assert "cfn-lint" not in TEMPLATE.read_text()


@pytest.mark.parametrize("folder", ["lambda", "sagemaker"])
def test_every_package_that_is_deployed_is_locked(folder):
    locked = {line.partition("==")[0] for line in (ROOT / "requirements-dev.lock").read_text().splitlines()}
    names = listed_packages(DEPLOY / folder / "requirements.txt")
    assert names == sorted(names)
    assert locked.issuperset(names)


def test_the_image_has_all_that_serving_needs_and_no_more():
    assert listed_packages(DEPLOY / "sagemaker" / "requirements.txt") == needed_packages("serve")


def test_the_function_gives_up_before_the_api_does():
    assert cfn_yaml.load(TEMPLATE)["Resources"]["LookUps"]["Properties"]["Timeout"] < 30


def test_the_template_has_the_names_in_the_readme():
    template = cfn_yaml.load(TEMPLATE)
    for name in re.findall(r"(\w+)=kindred-api-key|`(\w+)`(?=[^.]*are parameters)", README):
        assert "".join(name) in template["Parameters"]
    assert "BuildMethod" in template["Resources"]["LookUps"]["Metadata"]
    for path in re.findall(r"deploy/[\w/.]+\w", README):
        assert (ROOT / path).exists(), path


def test_files_that_the_image_copies_exist_and_are_not_ignored():
    kept = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    for *sources, _ in COPIED:
        for source in sources:
            assert (ROOT / source).exists()
            assert any(Path(source).is_relative_to(path) for path in kept), source


def test_files_that_the_image_copies_are_enough_to_install_it(tmp_path):
    for *sources, target in COPIED:
        for source in sources:
            if (ROOT / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
                shutil.copytree(ROOT / source, tmp_path / target, ignore=ignored)
            else:
                (tmp_path / target).mkdir(exist_ok=True, parents=True)
                shutil.copy(ROOT / source, tmp_path / target)
    assert listed_packages(tmp_path / "deploy" / "sagemaker" / "requirements.txt", tmp_path)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "."], cwd=tmp_path, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(ZipFile(wheel).namelist())
    sources = ROOT / "python"
    files = (
        file for file in (sources / "kindred").rglob("[!.]*") if file.is_file() and "__pycache__" not in file.parts
    )
    assert {file.relative_to(sources).as_posix() for file in files} <= packed
