"""The settings of a whole run."""

from __future__ import annotations

from dataclasses import dataclass

from ...application.retention import Retention
from .classifier import ClassifierSettings
from .environment import Environment
from .folders import FolderSettings
from .mail import MailSettings
from .report import ReportSettings
from .retention import read_retention
from .sources import SourceSettings
from .store import StoreSettings
from .write_back import WriteBackSettings


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The sections that `run` uses. `mail` is None for a dry run, which sends nothing."""

    folders: FolderSettings
    sources: SourceSettings
    classifier: ClassifierSettings
    report: ReportSettings
    mail: MailSettings | None
    retention: Retention
    store: StoreSettings
    write_back: WriteBackSettings

    @classmethod
    def read(cls, env: Environment, *, sends: bool) -> RunSettings:
        return cls(
            folders=FolderSettings.read(env),
            sources=SourceSettings.read(env),
            classifier=ClassifierSettings.read(env),
            report=ReportSettings.read(env),
            mail=MailSettings.read(env) if sends else None,
            retention=read_retention(env),
            store=StoreSettings.read(env),
            write_back=WriteBackSettings.read(env),
        )
