"""Metrics, alerts and the history of runs, as a check sees them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ticketattr.application.check import CheckResult
from ticketattr.application.probes.monitoring import (
    AlertService,
    probe_alerts,
    probe_pushgateway,
    probe_run_history,
    probe_textfile,
)
from ticketattr.application.probes.storage import FileChecks
from ticketattr.domain.run_history import RunHistory, RunRecord
from ticketattr.errors import ExitCode, InputError, ServiceError, SettingsError

from ...fakes import MIDNIGHT

FINE = FileChecks(lambda path: True, lambda path: None, lambda path: None)
WRITABLE = CheckResult("metrics", "METRICS_TEXTFILE: metrics can be written")


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        (0o755, 0o755, CheckResult("metrics", "METRICS_TEXTFILE: everybody may read the file")),
        (0o750, 0o755, CheckResult("metrics", "METRICS_TEXTFILE: only its owner and group may enter metrics")),
        (0o750, 0o750, CheckResult("metrics", "METRICS_TEXTFILE: only its owner and group may enter /srv")),
        (
            0o700,
            0o750,
            CheckResult(
                "metrics",
                "METRICS_TEXTFILE: only its owner may enter metrics, so node_exporter cannot read the file",
                "warning",
                "chmod g+x metrics and add the user of node_exporter to its group, or choose another folder.",
            ),
        ),
    ],
)
def test_who_may_read_the_metrics_depends_on_the_folders(inner: int, outer: int, expected: CheckResult) -> None:
    file = Path("metrics/x.prom")
    above = {file: [(Path("metrics"), 0o40000 | inner), (Path("/srv"), 0o40000 | outer)]}
    assert list(probe_textfile(file, FINE, above.__getitem__)) == [WRITABLE, expected]


def test_where_folders_have_no_permission_bits_nothing_is_said_about_readers() -> None:
    assert list(probe_textfile(Path("metrics/x.prom"), FINE, lambda path: [])) == [WRITABLE]


def test_readers_of_metrics_that_cannot_be_written_do_not_matter() -> None:
    def try_folder(path: Path) -> bool:
        raise SettingsError("metrics is a file", hint="Check it.")

    checks = FileChecks(try_folder, lambda path: None, lambda path: None)
    (result,) = probe_textfile(Path("metrics/x.prom"), checks, lambda path: [(path, 0o40755)])
    assert (result.status, result.message) == ("error", "METRICS_TEXTFILE: metrics is a file")


def test_a_pushgateway_is_contacted_only_online() -> None:
    asked: list[str] = []
    assert list(probe_pushgateway(lambda: asked.append("asked"), online=False)) == [
        CheckResult("metrics", "METRICS_PUSH_URL: not contacted; --online contacts it")
    ]
    assert asked == []
    assert list(probe_pushgateway(lambda: asked.append("asked"), online=True)) == [
        CheckResult("metrics", "METRICS_PUSH_URL: a Pushgateway answers; no metrics were pushed")
    ]
    assert asked == ["asked"]


def test_a_pushgateway_that_fails_raises_its_error() -> None:
    def examine() -> None:
        raise ServiceError("it is down")

    with pytest.raises(ServiceError, match="it is down"):
        list(probe_pushgateway(examine, online=True))


def test_an_alert_url_that_is_not_valid_for_apprise_is_an_error() -> None:
    assert list(probe_alerts([AlertService("json", True), AlertService("tgram", False)])) == [
        CheckResult("alerts", "alert service 1 of 2 (json): its URL is valid for apprise; no message was sent"),
        CheckResult(
            "alerts",
            "alert service 2 of 2 (tgram): its URL is not valid for apprise",
            "error",
            "Correct it in ALERT_URLS: the documentation of apprise has the URL format of each service.",
            ExitCode.USAGE,
        ),
    ]


def check(history: RunHistory | None) -> list[CheckResult]:
    return list(probe_run_history(lambda: history, "work/run-history.json", MIDNIGHT))


def test_the_last_run_of_each_command_is_named_with_its_end() -> None:
    assert check(None) == [CheckResult("run history", "no run is recorded yet")]
    before, now = MIDNIGHT - timedelta(minutes=5), MIDNIGHT
    history = RunHistory(
        last_run={"run": RunRecord("1", "run", before, before, 0, ()), "send": RunRecord("2", "send", now, now, 4, ())}
    )
    assert check(history) == [
        CheckResult("run history", "the last `run` ended at 2026-11-22 23:55 UTC with exit code 0"),
        CheckResult("run history", "the last `send` ended at 2026-11-23 00:00 UTC with exit code 4"),
    ]


def test_a_run_that_ended_in_the_future_says_that_the_clock_was_wrong() -> None:
    later = MIDNIGHT + timedelta(minutes=1)
    assert check(RunHistory(last_run={"run": RunRecord("1", "run", later, later, 0, ())})) == [
        CheckResult(
            "run history",
            "the last `run` ended at 2026-11-23 00:01 UTC with exit code 0, which is in the future",
            "warning",
            "Check the clock of this machine, then run once. Until then, the last success looks recent.",
        )
    ]


def test_a_history_that_cannot_be_used_is_a_warning() -> None:
    def read() -> RunHistory:
        raise InputError("it is damaged")

    assert list(probe_run_history(read, "work/run-history.json", MIDNIGHT)) == [
        CheckResult(
            "run history",
            "the run history cannot be read: it is damaged",
            "warning",
            "The next run starts a new one, with counters from 0. Restore work/run-history.json from a backup if you"
            " need them.",
        )
    ]
