"""The result of `corrections import`: all corrections of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from ...application.ports import Run
from ...domain.correction import Correction
from .header import write_stage_file

_CORRECTIONS = TypeAdapter(list[Correction])


def write_corrections(path: Path, corrections: Sequence[Correction], run: Run) -> None:
    """Write the stage file; `corrections` are all corrections of the run."""
    write_stage_file(path, "corrections", run, _CORRECTIONS.dump_python(list(corrections), mode="json"))
