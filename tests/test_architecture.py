"""Imports point inward: entrypoint, infrastructure, application, domain."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "ticketattr"
ROOMS = ("domain", "application", "infrastructure", "entrypoint")
ALLOWED_OUTSIDE = {"domain": set[str](), "application": {"anyio"}}

MODULES = [path for room in ROOMS for path in sorted((SOURCE / room).glob("**/*.py"))]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_module_imports_from_its_own_room_and_those_further_in(module: Path) -> None:
    room = module.relative_to(SOURCE).parts[0]
    inward = {*ROOMS[: ROOMS.index(room) + 1], "errors", ""}
    assert set(_rooms_imported(module)) <= inward


@pytest.mark.parametrize("room", ALLOWED_OUTSIDE)
def test_the_inner_rooms_know_no_other_package(room: str) -> None:
    packages = {package for path in (SOURCE / room).glob("*.py") for package in _packages_imported(path)}
    assert packages - set(sys.stdlib_module_names) <= ALLOWED_OUTSIDE[room]


def test_errors_imports_nothing_of_ours() -> None:
    assert not list(_rooms_imported(SOURCE / "errors.py"))


def test_adapters_are_built_in_one_place_alone() -> None:
    wiring = SOURCE / "entrypoint" / "wiring.py"
    adapters = _adapters_built(wiring)
    others = [path for path in (SOURCE / "entrypoint").glob("**/*.py") if path != wiring]
    assert {"WebhookHelpdesk", "GeminiChatModel", "WorkFolder", "SMTPMailer"} <= adapters
    assert [path.name for path in others if adapters & set(_called(path))] == []


def _adapters_built(wiring: Path) -> set[str]:
    """The classes of the infrastructure that it makes instances of; what an adapter is told is none."""
    nodes = ast.walk(ast.parse(wiring.read_text(encoding="utf-8")))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and "infrastructure." in str(node.module)]
    imported = {alias.name for node in imports if node.module != "infrastructure.options" for alias in node.names}
    return {name for name in imported if name[0].isupper()} & set(_called(wiring))


def _called(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


def _rooms_imported(path: Path) -> Iterator[str]:
    """The rooms of our own that a module imports from; an empty name is the package itself."""
    depth = len(path.relative_to(SOURCE).parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            for name in names:
                if node.level == depth:
                    yield "" if name == "__version__" else str(name).split(".")[0]
                elif node.level < depth:
                    yield path.relative_to(SOURCE).parts[0]


def _packages_imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).split(".")[0]
