"""Settings for folders and files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .environment import Environment


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """The paths of reports, runs, report log and corrections."""

    output: Path
    work: Path
    report_log: Path
    corrections: Path

    @classmethod
    def read(cls, env: Environment) -> FolderSettings:
        """The settings, with everything wrong recorded in `env`."""
        return cls(
            output=env.path("OUTPUT_DIR", "output"),
            work=env.path("WORK_DIR", "work"),
            report_log=env.path("REPORT_LOG_DB_PATH", "output/reports.db"),
            corrections=env.path("CORRECTIONS_DB_PATH", "work/corrections.db"),
        )
