"""What a run tells the service about itself: a small JSON file, replaced at each step.

{"run_id", "stage", "done", "total", "exit_code", "message", "hint", "figures": {"classifier": 40, …}}
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ...domain.service_run import RunStatus
from ...errors import InputError
from ..files import read_bounded, replacing
from ..json_text import dump_json, parse_json

_MAX_BYTES = 64 * 1024
_STATUS = TypeAdapter(RunStatus)


@dataclass(frozen=True, slots=True)
class StatusFile:
    """The file at `path`; only its owner may read it."""

    path: Path

    def write(self, status: RunStatus) -> None:
        """Replace the status. Raises SettingsError or ServiceError."""
        with replacing(self.path) as file:
            file.write(dump_json(_STATUS.dump_python(status, mode="json")))

    def read(self) -> RunStatus | None:
        """The status; None if there is none, or it is damaged."""
        if not self.path.exists():
            return None
        try:
            return _STATUS.validate_python(parse_json(read_bounded(self.path, _MAX_BYTES), str(self.path)))
        except (InputError, ValidationError):
            return None
