"""The probes of `check`, in their order: each reads its settings, builds adapters and runs the check on them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from ..application.check import CheckResult, Probe
from ..application.ports import Clock
from ..application.probes.mail import probe_mail_server
from ..application.probes.monitoring import probe_alerts, probe_pushgateway, probe_run_history, probe_textfile
from ..application.probes.reports import probe_corrections, probe_reports
from ..application.probes.service import probe_hosts
from ..application.probes.sources import SourceKind, probe_catalog, probe_helpdesk
from ..application.probes.storage import FileChecks, probe_disks, probe_files, probe_folder, probe_folders
from ..application.report_store import probe_store
from ..domain.catalog import ServiceCatalog
from ..domain.gold import no_labelled_tickets
from ..domain.wording import some_of
from ..errors import TicketAttrError
from ..infrastructure.classifiers.llm.known_models import retirement_of
from ..infrastructure.classifiers.llm.model_choice import parameter_notes
from ..infrastructure.disks import disk_of, modes_above
from ..infrastructure.files import STREAM, try_file, try_folder
from . import wiring
from .presentation.preview import preview_lines
from .settings.classifier import ClassifierSettings
from .settings.environment import Environment
from .settings.folders import FolderSettings
from .settings.mail import MailSettings, is_loopback
from .settings.monitoring import LogSettings, MonitoringSettings
from .settings.probe import probe_settings
from .settings.report_tracker import ReportTrackerSettings
from .settings.sources import SourceSettings
from .settings.store import StoreSettings
from .settings.values import Values
from .settings.write_back import WriteBackSettings

T = TypeVar("T")

# A probe reads whole sections. The settings that it does not use get these values, so that they cannot stop it.
_NO_HELPDESK = {"HELPDESK_API_URL": "."}
_NO_CATALOG = {"SERVICE_CATALOG_URL": "."}
_NO_MAIL_TEMPLATE = {
    "EMAIL_RECIPIENT": "nobody@example.com",
    "EMAIL_CC": "",
    "EMAIL_REPLY_TO": "",
    "CODEBASE_URL": "-",
}

_FILES = FileChecks(try_folder, try_file, disk_of)


@dataclass(slots=True)
class Checks:
    """The probes over one set of settings.

    `everything`: list the settings that have their defaults, too. `online`: also ask the model, the helpdesk and the
    Pushgateway.
    """

    values: Values
    clock: Clock
    everything: bool = False
    online: bool = False
    _catalog: ServiceCatalog | None = None
    """The catalog that `_check_catalog` found; the calibration is checked against it."""

    def probes(self) -> Sequence[Probe]:
        """All probes, in the order in which they run."""
        return (
            Probe("settings", lambda: probe_settings(self.values, everything=self.everything)),
            self._probe("folders", FolderSettings.read, _check_folders),
            self._probe("disk", FolderSettings.read, _check_disks),
            self._probe(
                *("reports", ReportTrackerSettings.read, self._check_reports),
                fix="Check OUTPUT_DIR and REPORT_LOG_DB_PATH.",
            ),
            self._probe("corrections", FolderSettings.read, self._check_corrections),
            self._probe("service", FolderSettings.read, self._check_service),
            self._probe(
                *("catalog", _read_catalog_settings, self._check_catalog),
                overrides=_NO_HELPDESK,
                fix="Correct the catalog that SERVICE_CATALOG_URL names.",
            ),
            self._probe(
                *("helpdesk", SourceSettings.read, self._check_helpdesk),
                overrides=_NO_CATALOG,
                fix="Check HELPDESK_API_URL, and what answers there.",
            ),
            self._probe("write-back", _read_write_back, self._check_write_back, overrides=_NO_CATALOG),
            self._probe("embedded classifier", _read_classifier_without_key, _check_embedded_classifier),
            self._probe("model", ClassifierSettings.read, self._check_model),
            self._probe("redaction", _read_classifier_without_key, _check_redaction),
            self._probe(
                *("calibration", _read_classifier_without_key, self._check_calibration),
                fix="Check CALIBRATION_FILE, or make one with `ticketattr evaluate --save-calibration`.",
            ),
            self._probe("mail", MailSettings.read, self._check_mail, overrides=_NO_MAIL_TEMPLATE),
            self._probe("store", StoreSettings.read, self._check_store),
            self._probe("log file", LogSettings.read, _check_log_file),
            self._probe("metrics", MonitoringSettings.read, self._check_metrics),
            self._probe("alerts", MonitoringSettings.read, _check_alerts),
            self._probe("run history", MonitoringSettings.read, self._check_run_history),
        )

    def _probe(
        self,
        area: str,
        read: Callable[[Environment], T],
        check: Callable[[T], Iterable[CheckResult]],
        *,
        overrides: Mapping[str, str] | None = None,
        fix: str = "",
    ) -> Probe:
        """A probe that checks the settings that `read` returns, or says that they are missing or wrong.

        `overrides`: values for settings of the section that the check does not use.
        """

        def run() -> Iterator[CheckResult]:
            section = _read_section(self.values.under(overrides or {}), read)
            if section is None:
                yield CheckResult.warning(area, "not checked: its settings are missing or wrong", "Correct them first.")
            else:
                yield from check(section)

        return Probe(area, run, fix)

    def _check_reports(self, settings: ReportTrackerSettings) -> Iterator[CheckResult]:
        folders = settings.folders
        log = wiring.report_log(folders)
        name = log.where if folders.database else str(folders.report_log)
        return probe_reports(wiring.tracker(settings), log, name, self.clock)

    def _check_service(self, settings: FolderSettings) -> Iterator[CheckResult]:
        if settings.database:
            now = wiring.service_clock(settings, self.clock)()
            yield from probe_hosts(wiring.service_leader(settings), wiring.service_state(settings).hosts(), now)

    def _check_catalog(self, settings: tuple[SourceSettings, FolderSettings]) -> Iterator[CheckResult]:
        sources, folders = settings
        cache = wiring.catalog_source(_without_retries(sources), folders, self.clock)
        self._catalog = yield from probe_catalog(cache.source, cache, _kind_of(sources.catalog_location), self.clock)

    def _check_helpdesk(self, settings: SourceSettings) -> Iterator[CheckResult]:
        helpdesk = wiring.helpdesk(_without_retries(settings))
        return probe_helpdesk(
            *(helpdesk, _kind_of(settings.helpdesk.location), lambda: preview_lines(helpdesk.preview(1))),
            online=self.online,
        )

    def _check_write_back(
        self, settings: tuple[WriteBackSettings, SourceSettings, FolderSettings]
    ) -> Iterator[CheckResult]:
        from ..application.probes.write_back import probe_write_back

        written, sources, folders = settings
        if written.mode != "off":
            back = wiring.write_back(written, sources, folders, self.clock, mode=written.mode)
            yield from probe_write_back(back, self._catalog)

    def _check_model(self, settings: ClassifierSettings) -> Iterator[CheckResult]:
        from ..application.probes.classifiers import probe_model, probe_model_list, probe_parameters, probe_retirement

        llm = settings.llm
        if llm is None:
            return
        for model in llm.models:
            if retirement := retirement_of(model):
                yield from probe_retirement(model, retirement.day, retirement.answered_by, self.clock().date())
            if not self.online:
                yield from probe_parameters(
                    parameter_notes(model, llm.options.parameters, wiring.chat_model(llm).parameters)
                )
        if self.online:
            yield from probe_model_list(wiring.listed_models(llm))
        alone = ClassifierSettings(llm.provider, llm.without_retries())
        yield from probe_model(lambda: wiring.uncalibrated(alone, no_labelled_tickets), llm.models, online=self.online)

    def _check_calibration(self, settings: ClassifierSettings) -> Iterator[CheckResult]:
        from ..application.probes.classifiers import probe_calibration
        from ..infrastructure.classifiers.calibrated import read_calibration

        if settings.calibration:
            yield from probe_calibration(
                read_calibration(settings.calibration),
                str(settings.calibration),
                lambda: wiring.uncalibrated(settings, no_labelled_tickets),
                self._catalog,
            )

    def _check_mail(self, settings: MailSettings) -> Iterator[CheckResult]:
        server = settings.destination
        chosen = wiring.mailer(settings)
        chosen.compose(wiring.addressing(settings, chosen).message((), self.clock()))
        if isinstance(server, Path):
            yield probe_folder("mail", "EMAIL_OUTBOX_DIR", server, _FILES)
        else:
            mailer = wiring.smtp_mailer(settings, server)
            yield from probe_mail_server(server, mailer.server_info, self.clock, is_local=is_loopback(server.host))

    def _check_store(self, settings: StoreSettings) -> Iterator[CheckResult]:
        store = wiring.report_store(settings)
        if store and not self.online:
            yield CheckResult("store", "REPORT_STORE_URL: not contacted; --online writes a file and removes it")
        elif store:
            wrong = probe_store(store, f"check-{self.clock():%Y%m%dT%H%M%S%f}Z")
            for what in wrong:
                yield CheckResult.warning("store", f"REPORT_STORE_URL: {what}", "Let only one host write to it.")
            if not wrong:
                yield CheckResult("store", "REPORT_STORE_URL: files can be written, and are never overwritten")

    def _check_metrics(self, settings: MonitoringSettings) -> Iterator[CheckResult]:
        if settings.textfile:
            yield from probe_textfile(settings.textfile, _FILES, modes_above)
        if gateway := wiring.pushgateway(settings):
            yield from probe_pushgateway(gateway.probe, online=self.online)

    def _check_corrections(self, settings: FolderSettings) -> Iterator[CheckResult]:
        yield from probe_corrections(wiring.corrections(settings))
        folder = settings.corrected_workbooks
        if not os.path.lexists(folder) and os.access(folder.parent, os.X_OK):
            yield CheckResult("corrections", f"CORRECTIONS_DIR: {folder} does not exist, so no workbook is taken over")
            return
        yield probe_folder("corrections", "CORRECTIONS_DIR", folder, _FILES)
        if folder.is_dir() and (waiting := wiring.incoming_corrections(settings, self.clock).inbox.workbooks()):
            names = some_of((file.name for file in waiting), 5)
            yield CheckResult("corrections", f"CORRECTIONS_DIR: the next run takes over {names}")

    def _check_run_history(self, settings: MonitoringSettings) -> Iterator[CheckResult]:
        if settings.is_enabled:
            file = wiring.history(settings.tracker.folders)
            yield from probe_run_history(file.read, str(file.path), self.clock())


def _read_write_back(env: Environment) -> tuple[WriteBackSettings, SourceSettings, FolderSettings]:
    return WriteBackSettings.read(env), SourceSettings.read(env), FolderSettings.read(env)


def _check_folders(settings: FolderSettings) -> Iterator[CheckResult]:
    return probe_folders(_folders_of(settings), _FILES)


def _check_disks(settings: FolderSettings) -> Iterator[CheckResult]:
    return probe_disks(_folders_of(settings).values(), _FILES)


def _check_alerts(settings: MonitoringSettings) -> Iterator[CheckResult]:
    return probe_alerts(wiring.alert_services(settings))


def _check_redaction(settings: ClassifierSettings) -> Iterator[CheckResult]:
    from ..application.probes.classifiers import probe_redaction

    if settings.llm:
        redaction = settings.llm.redaction
        yield from probe_redaction(is_on=redaction.is_on, has_terms=bool(redaction.terms.finders))


def _check_embedded_classifier(settings: ClassifierSettings) -> Iterator[CheckResult]:
    from ..application.probes.classifiers import probe_embedded_classifier

    if settings.name in ("offline", "cascade"):
        alone = ClassifierSettings("offline", llm=None)
        yield from probe_embedded_classifier(wiring.uncalibrated(alone, no_labelled_tickets))


def _check_log_file(settings: LogSettings) -> Iterator[CheckResult]:
    from ..infrastructure.monitoring.log_file import lock_path

    if settings.file:
        # The log of a run by root cannot be written by others.
        yield probe_files("log file", "LOG_FILE", (settings.file, lock_path(settings.file)), _FILES)


def _folders_of(settings: FolderSettings) -> dict[str, Path]:
    """The folders in which files will be made, by the name of the setting."""
    folders = {"OUTPUT_DIR": settings.output, "WORK_DIR": settings.work}
    if settings.database:
        return folders
    return {
        **folders,
        "REPORT_LOG_DB_PATH": settings.report_log.parent,
        "CORRECTIONS_DB_PATH": settings.corrections.parent,
    }


def _kind_of(location: str) -> SourceKind:
    from ..infrastructure.locations import is_remote

    if location == str(STREAM):
        return "stdin"
    return "server" if is_remote(location) else "file"


def _without_retries(settings: SourceSettings) -> SourceSettings:
    """A check says how things are now, so it does not wait for a server to recover."""
    return replace(settings, http=replace(settings.http, max_retries=0))


def _read_catalog_settings(env: Environment) -> tuple[SourceSettings, FolderSettings]:
    return SourceSettings.read(env), FolderSettings.read(env)


def _read_classifier_without_key(env: Environment) -> ClassifierSettings:
    return ClassifierSettings.read(env, calls=False)


def _read_section(values: Values, read: Callable[[Environment], T]) -> T | None:
    """None when a setting of the section is missing or wrong; `probe_settings` says which."""
    env = Environment(values)
    try:
        section = read(env)
    except TicketAttrError:
        return None
    return None if env.missing or env.wrong else section
