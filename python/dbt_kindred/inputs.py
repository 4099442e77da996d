"""Which of the input files are missing, from the names of the files alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ENDINGS = (".csv", ".csv.gz", ".parquet")
ADDED_COLUMNS = {"line_number", "read_error"}  # the loader adds them


def missing_inputs(project: Path, cli_vars: Mapping[str, Any]) -> str | None:
    """Return a sentence that names the missing input files and says what to do; None if all are there.

    The inputs are the seeds that seeds/_seeds.yml marks with `is_input`. dbt needs a file in seeds/ for each, and reads
    the file of the same name in KINDRED_DATA_DIR instead, if that is set. An input that the var `inputs` maps needs no
    file.

    Parameters
    ----------
    project
        The folder of dbt_project.yml.
    cli_vars
        The vars of the command line, which come before those of dbt_project.yml.

    """
    project_vars = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8")).get("vars") or {}
    mapped = (cli_vars if "inputs" in cli_vars else project_vars).get("inputs") or {}
    headers = {
        name: header for name, header in _headers(project / "seeds" / "_seeds.yml").items() if name not in mapped
    }
    missing = [name for name in headers if not (project / "seeds" / f"{name}.csv").is_file()]
    if missing:
        return (
            f"{_are_missing([f'seeds/{name}.csv' for name in missing])}: {_with_header_only(headers, missing)}; "
            "otherwise bring the sample back with `git checkout seeds`, and set KINDRED_DATA_DIR to the folder of your "
            "own files."
        )
    folder = os.environ.get("KINDRED_DATA_DIR", "")
    if not folder:
        return None
    unset = "unset KINDRED_DATA_DIR to build from seeds/"
    try:
        present = set(os.listdir(folder))
    except OSError:
        return (
            f"KINDRED_DATA_DIR is {folder}, which is not a folder that can be read: name one with "
            f"{_listed(list(headers))} as {_listed(list(ENDINGS), 'or')}, or {unset}."
        )
    missing = [name for name in headers if not present & {name + ending for ending in ENDINGS}]
    if missing:
        return (
            f"{_are_missing(missing)} in {folder} (KINDRED_DATA_DIR), where a file that ends in "
            f"{_listed(list(ENDINGS), 'or')} was expected: {_with_header_only(headers, missing)}; otherwise put your "
            f"own file there, or {unset}."
        )
    return None


def _headers(file: Path) -> dict[str, str]:
    """Return the header of each input, by its name."""
    seeds = yaml.safe_load(file.read_text(encoding="utf-8"))["seeds"]
    return {
        seed["name"]: ",".join(column["name"] for column in seed["columns"] if column["name"] not in ADDED_COLUMNS)
        for seed in seeds
        if seed.get("config", {}).get("meta", {}).get("is_input")
    }


def _are_missing(files: list[str]) -> str:
    return f"{_listed(files)} {'is' if len(files) == 1 else 'are'} missing"


def _with_header_only(headers: dict[str, str], missing: list[str]) -> str:
    lines = _listed([f"{name}.csv with the line {headers[name]}" for name in missing])
    return f"if your platform has nothing of the kind, write {lines} and no rows"


def _listed(names: list[str], word: str = "and") -> str:
    *first, last = names
    return f"{', '.join(first)} {word} {last}" if first else last
