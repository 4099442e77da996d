"""Shared by the tests of deployments: folders with selected packages, lists of packages, and expected answers."""

import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from project import ROOT

from kindred.warehouse.reading import open_file


def link_packages(folder: Path, names: list[str]) -> Path:
    """Fill a folder with links to the files of these packages in site-packages."""
    folder.mkdir()
    for name in names:
        package = distribution(name)
        for top in {file.parts[0] for file in package.files} - {"..", "__pycache__"}:  # scripts are in another folder
            if not (folder / top).exists():
                (folder / top).symlink_to(package.locate_file(top))
    return folder


def needed_packages(*extras: str) -> list[str]:
    """Return all packages that pyproject.toml needs with these extras, and what they need in turn."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pending = list(project["dependencies"])
    for extra in extras:
        pending += project["optional-dependencies"][extra]
    seen = set()
    names = set()
    while pending:
        line = pending.pop()
        if line in seen:
            continue
        seen.add(line)
        requirement = Requirement(line.partition(";")[0])
        names.add(canonicalize_name(requirement.name))
        for needed in distribution(requirement.name).requires or ():
            marker = Requirement(needed).marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *requirement.extras)):
                pending.append(needed)
    return sorted(names)


def listed_packages(requirements: Path, root: Path = ROOT) -> list[str]:
    """Return the packages that a list of requirements names; their versions are those of the lock file."""
    names = []
    for line in requirements.read_text().splitlines():
        if line.startswith("-c "):
            assert (requirements.parent / line[3:]).resolve() == root / "requirements-dev.lock"
        elif not line.startswith("#"):
            names.append(line)
    return names


def find_wheels(requirements: Path, *options: str) -> None:
    """Check with pip that every listed package has a wheel for the platform that the options name."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-deps", "--only-binary=:all:"]
    target = requirements.parent / "nothing-is-installed"  # pip requires one for another platform
    subprocess.run([*pip, *options, "--target", target, "--requirement", requirements], check=True)
    assert not target.exists()


def similar_handles(warehouse: Path, user_handle: int) -> list[int]:
    """Return the similar users of a user, as the warehouse lists them."""
    query = "select similar_user_handle from similar_users where user_handle = ? order by rank"
    with open_file(warehouse) as connection:
        return [handle for (handle,) in connection.execute(query, [user_handle]).fetchall()]
