"""Settings for folders and files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .environment import Environment

_LOG_NAME = "reports.db"


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """The paths of reports, runs, report log and corrections, and of the folder for corrected workbooks.

    `database`: the URL of the database in PostgreSQL that has report log, ledger, corrections, answers and the
    state of the service instead of files (empty: files). The path of the report log then says where a restore keeps
    the former log.
    """

    output: Path
    work: Path
    report_log: Path
    corrections: Path
    corrected_workbooks: Path
    database: str = ""

    @property
    def ledger(self) -> Path:
        """The ledger of what was changed in the helpdesk."""
        return self.work / "applied.db"

    @property
    def answers(self) -> Path:
        """The answers of models."""
        return self.work / "answers.db"

    @property
    def service_state(self) -> Path:
        """The state of the service."""
        return self.work / "service.db"

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
            report_log=env.path("REPORT_LOG_DB_PATH", str(_default_report_log(output))),
            corrections=env.path("CORRECTIONS_DB_PATH", "work/corrections.db"),
            corrected_workbooks=corrected_workbooks,
            database=_database(env),
        )


def _database(env: Environment) -> str:
    url = env.optional_secret("DATABASE_URL").strip()
    if url and not url.startswith(("postgresql://", "postgres://")):
        env.wrong.append("DATABASE_URL must begin with postgresql://")
        return ""
    return url


def _default_report_log(output: Path) -> Path:
    """The log in OUTPUT_DIR. Where only the default of earlier versions exists, which did not follow it, that one."""
    beside, former = output / _LOG_NAME, Path("output", _LOG_NAME)
    return former if former.is_file() and not beside.exists() else beside
