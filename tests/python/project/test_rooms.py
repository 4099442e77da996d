"""The rooms of the package: their order, no circles, and nothing that nobody imports."""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from project import ROOT

PACKAGE = ROOT / "python" / "kindred"

ROOMS = (
    "errors",
    "matrices",
    "build",
    "warehouse",
    "sample",
    "profiles",
    "graph",
    "neighbours",
    "fold_in",
    "evaluation",
    "stores",
    "lookups",
    "api",
    "dashboard",
    "cli",
)
"""From the ground up: a room imports only the rooms before it."""

STARTED_BY_OTHERS = {
    "kindred.api.lambda_handler": "AWS Lambda starts it",
    "kindred.dashboard.frame.app": "Streamlit runs it",
    "kindred.cli": "the command",
    "kindred": "the package itself",
}
"""Modules that nothing in the package, the models or the deployments imports, and who starts them."""

PUBLIC_NAMES = {
    "kindred": {"__version__", "top_k"},
    "kindred.api": {"ApiSettings", "create_app"},
    "kindred.cli": {"main"},
    "kindred.stores": {"open_store"},
}
"""What a package offers instead of its modules."""


def module_name(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(file): file for file in PACKAGE.rglob("*.py")}


def imported_names(tree: ast.AST, package: str) -> set[str]:
    """Return all that a module imports or names: at its top, in functions, for type checkers, and by a string."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join([*parents[: len(parents) - node.level + 1], *([base] if base else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names} | {base}
        elif isinstance(node, ast.Constant) and re.fullmatch(r"kindred(\.\w+)+", str(node.value)):
            names.add(node.value)  # what import_module, files() and the like take
    return names


@cache
def imports_of(module: str) -> frozenset[str]:
    """Return the modules of the package that a module imports."""
    file = FILES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    names = imported_names(ast.parse(file.read_text()), package)
    # `from kindred.graph import layout` imports a module; `from kindred.graph.layout import x` a name of one.
    longest = {name if name in FILES else name.rpartition(".")[0] for name in names if name.startswith("kindred")}
    # A package is imported with each of its modules, but that of a module's own room says nothing.
    return frozenset(name for name in longest if name in FILES and name != module and not module.startswith(f"{name}."))


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def test_every_module_is_in_a_room():
    assert {room_of(module) for module in FILES} == {*ROOMS, "kindred"}


@pytest.mark.parametrize("module", sorted(set(FILES) - {"kindred"}))
def test_a_room_imports_only_the_rooms_below(module):
    rank = ROOMS.index(room_of(module))
    above = {name for name in imports_of(module) if name != "kindred" and ROOMS.index(room_of(name)) > rank}
    assert not above


def test_no_module_imports_itself_by_way_of_others():
    # The package itself names top_k, which it loads when somebody asks for it.
    graph = {module: imports_of(module) - {"kindred"} for module in FILES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_stores_do_not_import_each_other_or_their_package():
    shared = {"kindred.stores.base", "kindred.stores.sql", "kindred.stores.tables"}
    for module in FILES:
        if module.startswith("kindred.stores.") and module not in shared:
            own = {"kindred.stores.dynamodb"} if module.startswith("kindred.stores.dynamodb") else {module}
            found = {name for name in imports_of(module) if name.startswith("kindred.stores")}
            others = {name for name in found - shared if not any(name.startswith(each) for each in own)}
            assert not others, module
            tree = ast.parse(FILES[module].read_text())
            assert "kindred.stores" not in {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_every_module_is_imported_by_somebody():
    outside = [*(ROOT / "models").rglob("*.py"), *(ROOT / "deploy").rglob("*.py"), *(ROOT / "deploy").rglob("*.yaml")]
    text = "\n".join(file.read_text() for file in outside)
    used = {name for module in FILES for name in imports_of(module)} | set(STARTED_BY_OTHERS)
    used |= {module for module in FILES if re.search(rf"\b{re.escape(module)}\b", text)}
    used |= {module for module in FILES for other in used if other.startswith(f"{module}.")}
    assert set(FILES) - used == set()


@pytest.mark.parametrize("room", sorted(module for module, file in FILES.items() if file.name == "__init__.py"))
def test_a_room_says_what_it_is_for_and_lists_its_modules(room):
    file = FILES[room]
    tree = ast.parse(file.read_text())
    assert re.fullmatch(r"[^.]+\.", ast.get_docstring(tree) or ""), "one sentence"
    listed = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    modules = {
        path.stem for path in file.parent.iterdir() if (path.suffix == ".py" or (path / "__init__.py").exists())
    } - {"__init__"}
    assert len(listed) == 1
    assert listed[0] == sorted(listed[0])
    assert set(listed[0]) == PUBLIC_NAMES.get(room, modules)


@pytest.mark.parametrize("module", ["kindred.cli", "kindred.stores"])
def test_commands_and_stores_load_nothing_heavy(module):
    heavy = ("scipy", "pyarrow", "streamlit", "pandas", "sklearn", "numba", "dbt")
    program = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_offers_top_k():
    import kindred
    from kindred.neighbours.top_k import top_k

    assert kindred.top_k is top_k
    with pytest.raises(AttributeError, match="no attribute 'bottom_k'"):
        kindred.bottom_k  # noqa: B018
