"""All settings. They are found by reading every section, so there is no separate list to maintain.

`check`, the warnings about unknown settings and the tests of the documentation need all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from .chat import ChatSettings
from .classifier import ClassifierSettings
from .environment import Environment, SettingSpec
from .folders import FolderSettings
from .llm import PROVIDERS
from .mail import MailSettings
from .monitoring import LogSettings, MonitoringSettings
from .report import ReportSettings
from .retention import read_retention
from .serve import ServeSettings
from .sources import SourceSettings
from .store import StoreSettings
from .values import Values, ValueSource
from .write_back import WriteBackSettings

SECTIONS: tuple[Callable[[Environment], object], ...] = (
    SourceSettings.read,
    WriteBackSettings.read,
    ClassifierSettings.read,
    ReportSettings.read,
    MailSettings.read,
    FolderSettings.read,
    read_retention,
    LogSettings.read,
    MonitoringSettings.read,
    ServeSettings.read,
    ChatSettings.read,
    StoreSettings.read,
)
"""The readers of all sections."""

# Some settings are read only if others have certain values. These values make the sections read all of them.
_VALUES_THAT_NEED_ALL: tuple[Mapping[str, str], ...] = (
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
def known_settings() -> dict[str, SettingSpec]:
    """Every setting by its name, in the order of the sections."""
    specs: dict[str, SettingSpec] = {}
    for values in _VALUES_THAT_NEED_ALL:
        env = Environment(Values((ValueSource("", values),)))
        for read in SECTIONS:
            read(env)
        for name, spec in env.specs.items():
            specs.setdefault(name, spec)
    return specs
