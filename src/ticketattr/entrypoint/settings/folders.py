"""Settings for folders and files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .environment import Environment


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """The paths of reports, runs, report log and corrections, and of the folder for corrected workbooks."""

    output: Path
    work: Path
    report_log: Path
    corrections: Path
    corrected_workbooks: Path

    @classmethod
    def read(cls, env: Environment) -> FolderSettings:
        """The settings, with everything wrong recorded in `env`."""
        output, work = env.path("OUTPUT_DIR", "output"), env.path("WORK_DIR", "work")
        corrected_workbooks = env.path("CORRECTIONS_DIR", "corrections")
        for name, other in (("OUTPUT_DIR", output), ("WORK_DIR", work)):
            if corrected_workbooks.absolute() == other.absolute():
                env.wrong.append(f"CORRECTIONS_DIR must be another folder than {name}, because its workbooks are moved")
        return cls(
            output=output,
            work=work,
            report_log=env.path("REPORT_LOG_DB_PATH", "output/reports.db"),
            corrections=env.path("CORRECTIONS_DB_PATH", "work/corrections.db"),
            corrected_workbooks=corrected_workbooks,
        )
