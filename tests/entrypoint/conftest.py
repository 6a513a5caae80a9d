"""What all tests of the program share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ticketattr.domain import statistics

from ..conftest import CLI


@pytest.fixture(autouse=True)
def encodes_once(sentences_are_encoded_once: None) -> None:
    """All tests here: encoding took a quarter of their time."""


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests here: more than half of the time of an evaluation is that of 1,000 resamples."""
    monkeypatch.setattr(statistics, "_RESAMPLES", 100)


@pytest.fixture(scope="session")
def folder_after_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the first run of these tests left; empty before."""
    return tmp_path_factory.mktemp("after run")


@pytest.fixture
def report(cli: CLI, folder_after_run: Path) -> Path:
    """The report of a run with the settings of the tests. The run happens once; later tests begin with a copy."""
    if any(folder_after_run.iterdir()):
        shutil.copytree(folder_after_run, cli.folder, dirs_exist_ok=True)
    else:
        cli.ok("run")
        shutil.copytree(cli.folder, folder_after_run, dirs_exist_ok=True)
    return cli.reports[0]
