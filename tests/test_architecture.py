"""Who may import whom, read from the source of every module; docs/architecture.md says why."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"

# Part (a module, or a package with all its modules) -> the parts it may import besides itself.
# ``errors`` is open to all and imports nothing; so is ``__version__`` of the package itself.
ALLOWED: dict[str, frozenset[str]] = {
    part: frozenset(others.split())
    for part, others in {
        "__init__": "recognition client",
        "errors": "",
        "files": "",
        "limits": "",
        "vocabulary": "",
        "latex": "",
        "mathml": "latex",
        "notations": "latex mathml",
        "ink": "limits",
        "image": "limits",
        "decoding": "latex vocabulary",
        "recognition": "image ink decoding latex mathml notations vocabulary files",
        "client": "image ink recognition",
        "service": "image ink latex limits mathml notations recognition",
        "models": "",
        "metrics": "latex",
        "data": "latex vocabulary ink image files limits",
        "training": "data models decoding metrics vocabulary image files",
        "export": "models recognition vocabulary",
        "predictions": "data latex metrics recognition",
        "pages": "latex mathml training visualize",
        "visualize": "data ink latex mathml recognition decoding vocabulary training",
        "documents": "latex mathml notations pages",
        "commands": (
            "latex mathml vocabulary ink image decoding recognition metrics data models training export "
            "predictions pages documents visualize files service"
        ),
        "cli": "commands",
    }.items()
}
# What may import PyTorch or need something that does; nobody who only recognizes or prepares data loads it.
WITH_TORCH = ("models", "training", "export", "data.batches.batching")
IMPORT_NAMES = {
    "opencv-python-headless": "cv2",
    "PyYAML": "yaml",
    "python-docx": "docx",
    "python-multipart": "python_multipart",
    "prometheus-client": "prometheus_client",
}
USED_BY_OTHERS = {"tensorboard"}  # by Lightning, for its log
BROUGHT_BY_OTHERS = {"pydantic", "pydantic_core"}  # by FastAPI, whose schemas and JSON they are
HEAVY = frozenset({"torch", "lightning", "safetensors", "onnx", "tensorboard"})


def module_name(path: Path) -> str:
    """``data.dataset`` of inktex/data/dataset.py, ``data`` of its __init__.py, ``__init__`` of the root's."""
    parts = path.relative_to(SOURCE / "inktex").with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


MODULES: dict[str, Path] = {module_name(path): path for path in sorted((SOURCE / "inktex").rglob("*.py"))}


@cache
def tree(module: str) -> ast.Module:
    """The parsed source of a module."""
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imported(module: str, nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Full names of what is imported: modules, and names that may be modules or not."""
    package = ["inktex", *module.split(".")]
    if MODULES[module].name != "__init__.py":
        package = package[:-1]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def own(name: str) -> str | None:
    """Turn an imported name into the module of ours that holds it; None if it is not ours."""
    if name.split(".")[0] != "inktex":
        return None
    if name in ("inktex", "inktex.Recognizer", "inktex.Recognition"):
        return "recognition.recognizer"
    parts = name.split(".")[1:]
    while parts and ".".join(parts) not in MODULES:
        parts.pop()
    return ".".join(parts) or "__init__"


@cache
def dependencies(module: str) -> frozenset[str]:
    """The modules of ours that a module imports anywhere, inside functions and for type checkers too."""
    found = {own(name) for name in imported(module, ast.walk(tree(module)))}
    return frozenset(name for name in found if name not in (None, "__init__", module))  # type: ignore[misc]


@cache
def packages(module: str) -> frozenset[str]:
    """The packages of others that a module imports anywhere."""
    names = {name.split(".")[0] for name in imported(module, ast.walk(tree(module)))}
    return frozenset(names - {"inktex"} - sys.stdlib_module_names)


def reachable(module: str) -> set[str]:
    """A module and all that it imports, directly or not."""
    seen: set[str] = set()
    left = [module]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left.extend(dependencies(name))
    return seen


def part_of(module: str) -> str:
    """The row of the table that a module belongs to."""
    return module.split(".")[0]


def with_torch(module: str) -> bool:
    """Whether a module stands in, or in a package of, ``WITH_TORCH``."""
    return any(module == name or module.startswith(f"{name}.") for name in WITH_TORCH)


def test_every_part_has_its_row() -> None:
    """The table names every module and package there is and no other, so a new one has to be placed in it."""
    assert {part_of(module) for module in MODULES} == set(ALLOWED)


def test_the_table_has_no_circle() -> None:
    """The parts can be put in an order in which each imports only earlier ones."""
    placed: set[str] = set()
    left = dict(ALLOWED)
    while left:
        ready = {part for part, others in left.items() if others <= placed}
        assert ready, f"these parts import one another: {sorted(left)}"
        placed |= ready
        left = {part: others for part, others in left.items() if part not in ready}


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_table(module: str) -> None:
    """A module imports its own part, ``errors`` and what the table allows, also inside functions."""
    part = part_of(module)

    forbidden = {
        other for other in dependencies(module) if part_of(other) not in {part, "errors"} | ALLOWED[part]
    }

    assert not forbidden, f"inktex.{module} must not import {sorted(forbidden)}"


@pytest.mark.parametrize("module", MODULES)
def test_modules_import_one_another_in_one_direction(module: str) -> None:
    """Following imports, no module comes back to itself, within a package either."""
    assert not any(module in reachable(other) for other in dependencies(module))


def test_nothing_imports_the_command_line() -> None:
    """The command line stands on top: no other module knows it."""
    assert not [module for module in MODULES if "cli" in dependencies(module)]


DO_WITHOUT_TORCH = [
    name for name in MODULES if part_of(name) not in ("cli", "commands") and not with_torch(name)
]


@pytest.mark.parametrize("module", DO_WITHOUT_TORCH)
def test_pytorch_stays_where_training_is(module: str) -> None:
    """All but the training modules do without PyTorch and its kin, whatever they import in turn."""
    needed = {name: sorted(packages(name) & HEAVY) for name in reachable(module)}

    assert not {name: heavy for name, heavy in needed.items() if heavy}


@pytest.mark.parametrize("module", WITH_TORCH)
def test_the_list_of_pytorch_modules_is_not_stale(module: str) -> None:
    """Each module or package on the list does need PyTorch or its kin."""
    inside = [name for name in MODULES if name == module or name.startswith(f"{module}.")]

    assert any(packages(name) & HEAVY for start in inside for name in reachable(start))


COMMAND_LINE = [name for name in MODULES if part_of(name) in ("cli", "commands")]


@pytest.mark.parametrize("module", COMMAND_LINE)
def test_the_command_line_imports_inside_functions(module: str) -> None:
    """Importing the command line loads only itself, ``errors``, ``files`` and the standard library."""
    top = [node for node in tree(module).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = set(imported(module, iter(top)))

    ours = {part_of(own(name) or "") for name in names if name.startswith("inktex")}
    others = {name.split(".")[0] for name in names} - {"inktex"} - sys.stdlib_module_names

    assert ours <= {"__init__", "errors", "files", "commands"}
    assert not others


def declared(*extras: str) -> set[str]:
    """Import names of the packages that pyproject.toml asks for, in the base install and in some extras."""
    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"]]
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    names = {re.split(r"[\[<>=;~! ]", each)[0] for each in wanted}
    return {IMPORT_NAMES.get(name, name) for name in names} - {"inktex"}


def test_what_recognition_imports_is_in_the_base_install() -> None:
    """The base install has every package that the recognizer needs."""
    needed = set().union(*(packages(name) for name in reachable("recognition.recognizer")))

    assert needed <= declared()


def test_what_is_imported_is_declared_and_the_other_way_round() -> None:
    """Base, data, train, serve and docx together ask for exactly the packages that the source imports."""
    used = set().union(*(packages(module) for module in MODULES))

    assert used - BROUGHT_BY_OTHERS == declared("data", "train", "serve", "docx") - USED_BY_OTHERS


@pytest.mark.parametrize("module", MODULES)
def test_importing_does_no_work(module: str) -> None:
    """At the top of a module stand imports, definitions and constants; no loops, no calls for effect."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    allowed = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.Assign, ast.AnnAssign, *functions)
    for node in tree(module).body:
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)  # a docstring
        condition = ast.unparse(node.test) if isinstance(node, ast.If) else ""
        guard = condition in ("TYPE_CHECKING", "__name__ == '__main__'")
        assert isinstance(node, allowed) or text or guard, f"inktex.{module}, line {node.lineno}"


@pytest.mark.parametrize("module", MODULES)
def test_there_are_no_singletons(module: str) -> None:
    """No function keeps state in its module: ``global`` does not occur, nor a cache of results."""
    for node in ast.walk(tree(module)):
        assert not isinstance(node, ast.Global), f"inktex.{module}, line {node.lineno}"
    assert not {"functools.cache", "functools.lru_cache"} & set(imported(module, ast.walk(tree(module))))


def run_python(code: str) -> str:
    """Run code in a new interpreter that finds the package in this tree; return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_recognizer_leaves_pytorch_alone() -> None:
    """A program that uses the recognizer has loaded neither PyTorch nor what only data and training need."""
    heavy = sorted(HEAVY | {"pyarrow", "jsonargparse", "yaml", "rich"})

    loaded = run_python(
        f"import sys, inktex; inktex.Recognizer; print([name for name in {heavy} if name in sys.modules])"
    )

    assert loaded.strip() == "[]"


def test_the_public_surface_is_four_names() -> None:
    """The package offers recognizer, reading, client and version, and loads nothing before it is asked."""
    printed = run_python(
        "import sys, inktex; print(sorted(inktex.__all__), 'numpy' in sys.modules);"
        "print(inktex.Recognizer.__module__, inktex.Recognition.__module__, inktex.Client.__module__)"
    )

    assert printed.splitlines() == [
        "['Client', 'Recognition', 'Recognizer', '__version__'] False",
        "inktex.recognition.recognizer inktex.recognition.result inktex.client",
    ]


TESTS = sorted(Path(__file__).parent.glob("test_*.py"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_every_test_states_a_behaviour(path: Path) -> None:
    """Each test begins with a sentence that ends in a full stop."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            assert (ast.get_docstring(node) or "").endswith("."), f"{path.name}, line {node.lineno}"
