"""Settings that decide the status of every report: its folder, the report log, and what counts as sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from ...domain.delivery import Transport
from ...domain.report_status import DoubtPolicy
from .environment import Environment
from .folders import FolderSettings


@dataclass(frozen=True, slots=True)
class ReportTrackerSettings:
    """Folders, and what counts as sent. `doubt`: what happens to messages in doubt."""

    folders: FolderSettings
    transport: Transport
    doubt: DoubtPolicy

    @classmethod
    def read(cls, env: Environment) -> ReportTrackerSettings:
        """The settings, with everything missing or wrong recorded in `env`."""
        return cls(FolderSettings.read(env), read_transport(env), read_doubt(env))


def read_transport(env: Environment) -> Transport:
    """EMAIL_TRANSPORT."""
    return "file" if env.choice("EMAIL_TRANSPORT", "smtp", get_args(Transport)) == "file" else "smtp"


def read_doubt(env: Environment) -> DoubtPolicy:
    """EMAIL_IN_DOUBT."""
    return "hold" if env.choice("EMAIL_IN_DOUBT", "resend", get_args(DoubtPolicy)) == "hold" else "resend"
