"""What `check` looks at, in this order. A further probe is a function that yields findings, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ...application.check import Finding, Probe
from ...application.ports import Clock
from ...errors import TicketAttrError
from ..settings.classifier import ClassifierSettings
from ..settings.environment import Environment
from ..settings.folders import FolderSettings
from ..settings.mail import MailSettings
from ..settings.monitoring import LogSettings, MonitoringSettings
from ..settings.report_tracker import ReportTrackerSettings
from ..settings.sources import SourceSettings
from ..settings.values import Values
from .files import folders_of, probe_corrections, probe_disks, probe_folders, probe_reports
from .monitoring import probe_alerts, probe_log_file, probe_metrics, probe_run_history
from .services import (
    CatalogProbe,
    ProbedCatalog,
    probe_calibration,
    probe_catalog,
    probe_embedded_classifier,
    probe_helpdesk,
    probe_mail,
    probe_model,
)
from .settings import probe_settings

T = TypeVar("T")

# What plays no part in a probe is filled in for it, so that it cannot keep it from being made.
_NO_HELPDESK = {"HELPDESK_API_URL": "."}
_NO_CATALOG = {"SERVICE_CATALOG_URL": "."}
_NO_MAIL_TEMPLATE = {
    "EMAIL_RECIPIENT": "nobody@example.com",
    "EMAIL_CC": "",
    "EMAIL_REPLY_TO": "",
    "CODEBASE_URL": "-",
}


@dataclass(frozen=True, slots=True)
class Checking:
    """`everything`: also the settings that nobody set. `online`: model, helpdesk and Pushgateway are asked, too."""

    values: Values
    clock: Clock
    everything: bool = False
    online: bool = False

    def probes(self) -> Sequence[Probe]:
        seen = ProbedCatalog()
        return (
            Probe("settings", lambda: probe_settings(self.values, everything=self.everything)),
            self._needing("folders", FolderSettings.read, lambda section: probe_folders(folders_of(section))),
            self._needing("disk", FolderSettings.read, lambda section: probe_disks(folders_of(section).values())),
            self._needing(
                "reports",
                ReportTrackerSettings.read,
                lambda section: probe_reports(section, self.clock),
                fix="Check OUTPUT_DIR and REPORT_LOG_DB_PATH.",
            ),
            self._needing("corrections", FolderSettings.read, probe_corrections),
            self._needing(
                "catalog",
                CatalogProbe.read,
                lambda desk: probe_catalog(desk, self.clock, seen),
                filled_in=_NO_HELPDESK,
                fix="Correct the catalog that SERVICE_CATALOG_URL leads to.",
            ),
            self._needing(
                "helpdesk",
                SourceSettings.read,
                lambda section: probe_helpdesk(section, online=self.online),
                filled_in=_NO_CATALOG,
                fix="Check HELPDESK_API_URL, and what answers there.",
            ),
            self._needing("embedded classifier", _classifier_without_key, probe_embedded_classifier),
            self._needing("model", ClassifierSettings.read, lambda section: probe_model(section, online=self.online)),
            self._needing(
                "calibration",
                _classifier_without_key,
                lambda section: probe_calibration(section, seen),
                fix="Check CALIBRATION_FILE, or make one with `ticketattr evaluate --save-calibration`.",
            ),
            self._needing(
                "mail", MailSettings.read, lambda section: probe_mail(section, self.clock), filled_in=_NO_MAIL_TEMPLATE
            ),
            self._needing("log file", LogSettings.read, probe_log_file),
            self._needing(
                "metrics", MonitoringSettings.read, lambda section: probe_metrics(section, online=self.online)
            ),
            self._needing("alerts", MonitoringSettings.read, probe_alerts),
            self._needing(
                "run history", MonitoringSettings.read, lambda section: probe_run_history(section, self.clock)
            ),
        )

    def _needing(
        self,
        area: str,
        read: Callable[[Environment], T],
        check: Callable[[T], Iterable[Finding]],
        *,
        filled_in: Mapping[str, str] | None = None,
        fix: str = "",
    ) -> Probe:
        """Looks with the section that `read` gives; where that is missing or wrong, it says so and looks at nothing.

        `filled_in`: values of settings of the section that play no part in it.
        """

        def probe() -> Iterator[Finding]:
            section = _section(self.values.under(filled_in or {}), read)
            if section is None:
                yield Finding.warning(area, "not looked at: its settings are missing or wrong", "Correct them first.")
            else:
                yield from check(section)

        return Probe(area, probe, fix)


def _classifier_without_key(env: Environment) -> ClassifierSettings:
    return ClassifierSettings.read(env, calls=False)


def _section(values: Values, read: Callable[[Environment], T]) -> T | None:
    """None for one that cannot be used; what is wrong with it is found where settings are looked at."""
    env = Environment(values)
    try:
        section = read(env)
    except TicketAttrError:
        return None
    return None if env.missing or env.wrong else section
