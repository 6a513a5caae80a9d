"""Checks of the log file, the metrics, the alerts and the run history."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ...application.check import Finding
from ...application.ports import Clock
from ...errors import ExitCode, InputError
from .. import wiring
from ..settings.monitoring import LogSettings, MonitoringSettings
from .files import probe_file, probe_folder

_OTHERS_MAY_ENTER = 0o001
_GROUP_MAY_ENTER = 0o010


def probe_log_file(settings: LogSettings) -> Iterator[Finding]:
    """Whether the log file can be written. Finds nothing without LOG_FILE."""
    if settings.file is None:
        return
    from ...infrastructure.monitoring.log_file import lock_path

    found = probe_folder("log file", "LOG_FILE", settings.file.parent)
    if found.status == "ok":
        # After a run as root, other users may not write the files that it made.
        files = (settings.file, lock_path(settings.file))
        found = next((finding for file in files if (finding := probe_file("log file", "LOG_FILE", file))), found)
    yield found


def probe_metrics(settings: MonitoringSettings, *, online: bool) -> Iterator[Finding]:
    """Whether the textfile can be written and read, and, if `online`, whether the Pushgateway answers."""
    if settings.textfile:
        folder = probe_folder("metrics", "METRICS_TEXTFILE", settings.textfile.parent)
        yield folder
        if folder.status == "ok":
            yield from _probe_readers(settings.textfile)
    gateway = wiring.pushgateway(settings)
    if gateway and not online:
        yield Finding("metrics", "METRICS_PUSH_URL: not contacted; --online contacts it")
    elif gateway:
        gateway.probe()
        yield Finding("metrics", "METRICS_PUSH_URL: a Pushgateway answers; no metrics were pushed")


def _probe_readers(textfile: Path) -> Iterator[Finding]:
    """Who may read the textfile. That depends on its folders only, because the file itself is replaced each time."""
    if os.name == "nt":
        return
    folders = [folder for folder in textfile.absolute().parents if folder.exists()]
    closed = [folder for folder in folders if not folder.stat().st_mode & _OTHERS_MAY_ENTER]
    private = [folder for folder in closed if not folder.stat().st_mode & _GROUP_MAY_ENTER]
    if private:
        yield Finding.warning(
            "metrics",
            f"METRICS_TEXTFILE: only its owner may enter {private[-1]}, so node_exporter cannot read the file",
            f"chmod g+x {private[-1]} and add the user of node_exporter to its group, or choose another folder.",
        )
    elif closed:
        yield Finding("metrics", f"METRICS_TEXTFILE: only its owner and group may enter {closed[-1]}")
    elif folders:
        yield Finding("metrics", "METRICS_TEXTFILE: everybody may read the file")


def probe_alerts(settings: MonitoringSettings) -> Iterator[Finding]:
    """Whether each URL is valid. Sends no message, because it would wake somebody."""
    alerts = wiring.alerts(settings)
    if alerts is None:
        return
    from ...infrastructure.monitoring.alerts import scheme_of

    number = len(alerts.urls)
    for place, (url, is_valid) in enumerate(zip(alerts.urls, alerts.validate_urls(), strict=True), start=1):
        service = f"alert service {place} of {number} ({scheme_of(url)})"
        if is_valid:
            yield Finding("alerts", f"{service}: its URL is valid for apprise; no message was sent")
        else:
            fix = "Correct it in ALERT_URLS: the documentation of apprise has the URL format of each service."
            yield Finding("alerts", f"{service}: its URL is not valid for apprise", "error", fix, ExitCode.USAGE)


def probe_run_history(settings: MonitoringSettings, clock: Clock) -> Iterator[Finding]:
    """How the last runs ended, and whether the run history can be read. Finds nothing if nothing is monitored."""
    if not settings.is_enabled:
        return
    file = wiring.history(settings.tracker.folders)
    try:
        history = file.read()
    except InputError as error:
        yield Finding.warning(
            "run history",
            f"the run history cannot be read: {error}",
            f"The next run starts a new one, with counters from 0. Restore {file.path} from a backup if you need them.",
        )
        return
    if history is None:
        yield Finding("run history", "no run is recorded yet")
        return
    for command, record in history.last_run.items():
        ended = f"the last `{command}` ended at {record.ended:%Y-%m-%d %H:%M} UTC with exit code {record.exit_code}"
        if record.ended > clock():
            fix = "Check the clock of this machine, then run once. Until then, the last success looks recent."
            yield Finding.warning("run history", f"{ended}, which is in the future", fix)
        else:
            yield Finding("run history", ended)
