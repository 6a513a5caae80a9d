"""What an operator relies upon: the log file, figures, alerts, and what is remembered from one run to the next."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ...application.check import Finding
from ...application.ports import Clock
from ...errors import ExitCode, InputError
from ...infrastructure.monitoring.alerts import scheme_of
from .. import wiring
from ..settings.monitoring import LogSettings, MonitoringSettings
from .files import probe_file, probe_folder

_OTHERS_MAY_ENTER = 0o001
_GROUP_MAY_ENTER = 0o010


def probe_log_file(settings: LogSettings) -> Iterator[Finding]:
    if settings.file is None:
        return
    from ...infrastructure.monitoring.log_file import lock_of

    found = probe_folder("log file", "LOG_FILE", settings.file.parent)
    if found.status == "ok":
        # Those of a run by root are not for others to write.
        files = (settings.file, lock_of(settings.file))
        found = next((incident for file in files if (incident := probe_file("log file", "LOG_FILE", file))), found)
    yield found


def probe_metrics(settings: MonitoringSettings, *, online: bool) -> Iterator[Finding]:
    if settings.textfile:
        folder = probe_folder("metrics", "METRICS_TEXTFILE", settings.textfile.parent)
        yield folder
        if folder.status == "ok":
            yield from _probe_readers(settings.textfile)
    gateway = wiring.pushgateway(settings)
    if gateway and not online:
        yield Finding("metrics", "METRICS_PUSH_URL: not asked: --online asks it")
    elif gateway:
        gateway.examine()
        yield Finding("metrics", "METRICS_PUSH_URL: a Pushgateway answers; nothing was pushed")


def _probe_readers(textfile: Path) -> Iterator[Finding]:
    """Who may read it does not depend on the file, which is made anew each time, but on the folders that it is in."""
    if os.name == "nt":
        return
    folders = [folder for folder in textfile.absolute().parents if folder.exists()]
    closed = [folder for folder in folders if not folder.stat().st_mode & _OTHERS_MAY_ENTER]
    private = [folder for folder in closed if not folder.stat().st_mode & _GROUP_MAY_ENTER]
    if private:
        yield Finding.warning(
            "metrics",
            f"METRICS_TEXTFILE: nobody but its owner may enter {private[-1]}, so node_exporter cannot read it",
            f"chmod g+x {private[-1]} and add the user of node_exporter to its group, or name another folder.",
        )
    elif closed:
        yield Finding("metrics", f"METRICS_TEXTFILE: only who is in its group may enter {closed[-1]}")
    elif folders:
        yield Finding("metrics", "METRICS_TEXTFILE: everybody may read it")


def probe_alerts(settings: MonitoringSettings) -> Iterator[Finding]:
    """Without a message to anybody: somebody would be woken."""
    alerts = wiring.alerts(settings)
    if alerts is None:
        return
    number = len(alerts.urls)
    for place, (url, is_understood) in enumerate(zip(alerts.urls, alerts.understood(), strict=True), start=1):
        service = f"alert service {place} of {number} ({scheme_of(url)})"
        if is_understood:
            yield Finding("alerts", f"{service}: apprise understands its URL; no message was sent")
        else:
            fix = "Correct it in ALERT_URLS: the documentation of apprise has the form of each service."
            yield Finding("alerts", f"{service}: apprise does not understand its URL", "error", fix, ExitCode.USAGE)


def probe_run_history(settings: MonitoringSettings, clock: Clock) -> Iterator[Finding]:
    if not settings.is_watched:
        return
    file = wiring.history(settings.tracker.folders)
    try:
        history = file.read()
    except InputError as error:
        yield Finding.warning(
            "run history",
            f"what is remembered of earlier runs cannot be used: {error}",
            f"The next run starts anew, counters from 0: put {file.path} back from a backup if you need them.",
        )
        return
    if history is None:
        yield Finding("run history", "no run is remembered yet")
        return
    for command, record in history.last.items():
        ended = f"the last `{command}` ended at {record.ended:%Y-%m-%d %H:%M} UTC with exit code {record.exit_code}"
        if record.ended > clock():
            fix = "Check the clock of this machine, then run once: until then the last success looks recent."
            yield Finding.warning("run history", f"{ended}, which is yet to come", fix)
        else:
            yield Finding("run history", ended)
