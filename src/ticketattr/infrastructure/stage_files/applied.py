"""The result of `apply`: the changes of the run in the helpdesk, and why other tickets were left as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from ...application.ports import AppliedRun, Run
from ...domain.write_back import Change, Skipped
from .header import StageFile, checked, read_stage_file, write_stage_file


@dataclass(frozen=True, slots=True)
class _Applied:
    changes: Sequence[Change]
    skipped: Sequence[Skipped]


_APPLIED = TypeAdapter(_Applied)


def write_applied(path: Path, applied: AppliedRun, run: Run) -> None:
    """Write the stage file; `applied` holds all changes of the run."""
    data = _APPLIED.dump_python(_Applied(applied.changes, applied.skipped), mode="json")
    write_stage_file(path, "applied", run, data)


def read_applied(path: Path) -> StageFile[AppliedRun]:
    """What was applied, from the stage file at `path`. Raises StageFileError."""
    file = read_stage_file(path, "applied")
    found = checked(_APPLIED, file.data, path)
    return StageFile(file.run_id, file.generated_at, AppliedRun(tuple(found.changes), tuple(found.skipped)))
