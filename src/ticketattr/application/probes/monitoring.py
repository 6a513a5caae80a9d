"""Checks of monitoring: metrics, alerts, and the history of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ...domain.run_history import RunHistory
from ...errors import ExitCode, InputError
from ..check import CheckResult
from .storage import FileChecks, probe_folder

_OTHERS_MAY_ENTER = 0o001
_GROUP_MAY_ENTER = 0o010


@dataclass(frozen=True, slots=True)
class AlertService:
    """An alert service by the scheme of its URL. `is_valid`: the URL is valid for apprise."""

    scheme: str
    is_valid: bool


def probe_textfile(
    textfile: Path, checks: FileChecks, modes_above: Callable[[Path], Sequence[tuple[Path, int]]]
) -> Iterator[CheckResult]:
    """Whether the metrics file can be written, and who may read it.

    `modes_above` returns the folders that contain the file, innermost first, with their permission bits; it is empty
    where the system has none. The file itself does not matter: it is replaced at every run.
    """
    folder = probe_folder("metrics", "METRICS_TEXTFILE", textfile.parent, checks)
    yield folder
    if folder.status == "ok":
        yield from _readers(modes_above(textfile))


def probe_pushgateway(contact: Callable[[], None], *, online: bool) -> Iterator[CheckResult]:
    """Whether a Pushgateway answers. `contact` is called only when `online`. Raises what it raises."""
    if not online:
        yield CheckResult("metrics", "METRICS_PUSH_URL: not contacted; --online contacts it")
        return
    contact()
    yield CheckResult("metrics", "METRICS_PUSH_URL: a Pushgateway answers; no metrics were pushed")


def probe_alerts(services: Sequence[AlertService]) -> Iterator[CheckResult]:
    """One result for each alert service. No message is sent, because it would alarm somebody."""
    for place, service in enumerate(services, start=1):
        name = f"alert service {place} of {len(services)} ({service.scheme})"
        if service.is_valid:
            yield CheckResult("alerts", f"{name}: its URL is valid for apprise; no message was sent")
        else:
            fix = "Correct it in ALERT_URLS: the documentation of apprise has the URL format of each service."
            yield CheckResult("alerts", f"{name}: its URL is not valid for apprise", "error", fix, ExitCode.USAGE)


def probe_run_history(read: Callable[[], RunHistory | None], name: str, now: datetime) -> Iterator[CheckResult]:
    """How the last run of each command ended, from the history in the file `name`.

    `read` returns None when no run is recorded yet, and raises InputError when the history cannot be read.
    """
    try:
        history = read()
    except InputError as error:
        yield CheckResult.warning(
            "run history",
            f"the run history cannot be read: {error}",
            f"The next run starts a new one, with counters from 0. Restore {name} from a backup if you need them.",
        )
        return
    if history is None:
        yield CheckResult("run history", "no run is recorded yet")
        return
    for command, record in history.last_run.items():
        ended = f"the last `{command}` ended at {record.ended:%Y-%m-%d %H:%M} UTC with exit code {record.exit_code}"
        if record.ended > now:
            fix = "Check the clock of this machine, then run once. Until then, the last success looks recent."
            yield CheckResult.warning("run history", f"{ended}, which is in the future", fix)
        else:
            yield CheckResult("run history", ended)


def _readers(folders: Sequence[tuple[Path, int]]) -> Iterator[CheckResult]:
    closed = [(path, mode) for path, mode in folders if not mode & _OTHERS_MAY_ENTER]
    private = [path for path, mode in closed if not mode & _GROUP_MAY_ENTER]
    if private:
        yield CheckResult.warning(
            "metrics",
            f"METRICS_TEXTFILE: only its owner may enter {private[-1]}, so node_exporter cannot read the file",
            f"chmod g+x {private[-1]} and add the user of node_exporter to its group, or choose another folder.",
        )
    elif closed:
        yield CheckResult("metrics", f"METRICS_TEXTFILE: only its owner and group may enter {closed[-1][0]}")
    elif folders:
        yield CheckResult("metrics", "METRICS_TEXTFILE: everybody may read the file")
