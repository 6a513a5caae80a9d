"""Packages are imported while the program does something else."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from ticketattr.infrastructure.background_import import import_in_background

SLOW_MODULE = """
import threading
loaded_by = threading.current_thread()
"""


def test_a_package_is_imported_by_another_thread_and_an_import_statement_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "first_of_two.py").write_text(SLOW_MODULE)
    (tmp_path / "second_of_two.py").write_text(SLOW_MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    import_in_background(["first_of_two", "no_such_package", "second_of_two"]).join()
    for name in ("first_of_two", "second_of_two"):
        assert name in sys.modules
        assert import_module(name).loaded_by.name == "background import"
        del sys.modules[name]


def test_a_missing_package_is_reported_where_it_is_needed() -> None:
    import_in_background(["no_such_package"]).join()
    with pytest.raises(ModuleNotFoundError):
        import_module("no_such_package")
