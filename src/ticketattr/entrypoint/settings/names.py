"""The settings that there are, as the code asks for them: no list of them is kept anywhere.

For whoever has to know all of them: `check`, the warning of strange names, and the tests of the documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from .classifier import ClassifierSettings
from .environment import Asked, Environment
from .folders import FolderSettings
from .llm import PROVIDERS
from .mail import MailSettings
from .monitoring import LogSettings, MonitoringSettings
from .report import ReportSettings
from .retention import read_retention
from .sources import SourceSettings
from .values import Layer, Values

SECTIONS: tuple[Callable[[Environment], object], ...] = (
    SourceSettings.read,
    ClassifierSettings.read,
    ReportSettings.read,
    MailSettings.read,
    FolderSettings.read,
    read_retention,
    LogSettings.read,
    MonitoringSettings.read,
)
"""What reads settings, all of it."""

# Some settings are asked for only where others call for them.
_CALLS_FOR_ALL: tuple[Mapping[str, str], ...] = (
    {
        "HELPDESK_API_URL": "https://",
        "CLASSIFIER": "cascade",
        "EMAIL_TRANSPORT": "smtp",
        "EMAIL_USERNAME": "desk",
        "EMAIL_USE_TLS": "false",
    },
    {"EMAIL_TRANSPORT": "file"},
    *({"CLASSIFIER": provider} for provider in PROVIDERS),
)


@cache
def known_settings() -> dict[str, Asked]:
    """What every part of the program asks for, by name, in the order of the sections."""
    asked: dict[str, Asked] = {}
    for called_for in _CALLS_FOR_ALL:
        env = Environment(Values((Layer("", called_for),)))
        for read in SECTIONS:
            read(env)
        for name, setting in env.asked.items():
            asked.setdefault(name, setting)
    return asked
