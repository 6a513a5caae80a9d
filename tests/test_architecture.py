"""Imports point inward: entrypoint, infrastructure, application, domain. They stand at the top of a module."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "ticketattr"
ROOMS = ("domain", "application", "infrastructure", "entrypoint")
WIRING = SOURCE / "entrypoint" / "wiring.py"
ALLOWED_OUTSIDE = {"domain": set[str](), "application": {"anyio"}}

MODULES = [path for room in ROOMS for path in sorted((SOURCE / room).glob("**/*.py"))]


def test_a_module_imports_from_its_own_room_and_those_further_in() -> None:
    def outward(module: Path) -> set[str]:
        room = module.relative_to(SOURCE).parts[0]
        return set(_rooms_imported(module)) - {*ROOMS[: ROOMS.index(room) + 1], "errors", ""}

    assert {str(module): rooms for module in MODULES if (rooms := outward(module))} == {}


@pytest.mark.parametrize("room", ALLOWED_OUTSIDE)
def test_the_inner_rooms_know_no_other_package(room: str) -> None:
    packages = {package for path in (SOURCE / room).glob("**/*.py") for package in _packages_imported(path)}
    assert packages - set(sys.stdlib_module_names) <= ALLOWED_OUTSIDE[room]


def test_errors_imports_nothing_of_ours() -> None:
    assert not list(_rooms_imported(SOURCE / "errors.py"))


def test_adapters_are_built_in_one_place_alone() -> None:
    adapters = _adapters_built(WIRING)
    others = [path for path in (SOURCE / "entrypoint").glob("**/*.py") if path != WIRING]
    assert {"WebhookHelpdesk", "GeminiChatModel", "WorkFolder", "SMTPMailer"} <= adapters
    assert [path.name for path in others if adapters & set(_called(path))] == []


def test_a_module_of_ours_is_imported_at_the_top_unless_it_loads_a_third_party_package() -> None:
    def late(module: Path) -> list[str]:
        imported = _imported_in_functions(module)
        if module == WIRING:
            # It builds every adapter, and loads an adapter when it builds it.
            imported = {path for path in imported if path.relative_to(SOURCE).parts[0] != "infrastructure"}
        return [path.name for path in imported if not _packages_loaded(path)]

    assert {str(module): names for module in MODULES if (names := late(module))} == {}


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _adapters_built(wiring: Path) -> set[str]:
    """The classes of the infrastructure that it makes instances of; what an adapter is told is none."""
    nodes = ast.walk(_parsed(wiring))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and "infrastructure." in str(node.module)]
    imported = {alias.name for node in imports if node.module != "infrastructure.options" for alias in node.names}
    return {name for name in imported if name[0].isupper()} & set(_called(wiring))


def _called(path: Path) -> Iterator[str]:
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


def _imported_in_functions(module: Path) -> set[Path]:
    """The modules of ours that the functions of `module` import."""
    tree = _parsed(module)
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return {
        path
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and node.level
        for path in _modules_named(module, node)
    }


@cache
def _packages_loaded(module: Path) -> frozenset[str]:
    """The third-party packages that are loaded with `module`, by what it and the modules below it import at the top."""
    packages: set[str] = set()
    seen, waiting = set[Path](), [module]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        body = _parsed(path).body
        packages |= set(_packages_named(body))
        waiting += [other for node in body if isinstance(node, ast.ImportFrom) for other in _modules_named(path, node)]
    return frozenset(packages - set(sys.stdlib_module_names) - {"typer"})


def _modules_named(module: Path, node: ast.ImportFrom) -> Iterator[Path]:
    """The modules of ours that the import `node` of `module` loads, packages as their `__init__.py`."""
    if not node.level:
        return
    start = module.parents[node.level - 1].joinpath(*str(node.module or "").split("."))
    for path in (start, *(start / alias.name for alias in node.names)):
        yield from (file for file in (path.with_name(f"{path.name}.py"), path / "__init__.py") if file.exists())


def _rooms_imported(path: Path) -> Iterator[str]:
    """The rooms of our own that a module imports from; an empty name is the package itself."""
    depth = len(path.relative_to(SOURCE).parts)
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            for name in names:
                if node.level == depth:
                    yield "" if name == "__version__" else str(name).split(".")[0]
                elif node.level < depth:
                    yield path.relative_to(SOURCE).parts[0]


def _packages_imported(path: Path) -> Iterator[str]:
    yield from _packages_named(ast.walk(_parsed(path)))


def _packages_named(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).split(".")[0]
