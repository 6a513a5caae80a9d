"""A clock that was ahead, and is set back, hides no run and deletes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ticketattr.entrypoint import cli as program

from ..conftest import CLI

NOW = datetime(2026, 11, 28, 8, tzinfo=timezone.utc)
AHEAD = NOW + timedelta(days=20 * 365)


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(program, "_now", lambda: now)


def test_after_the_clock_was_set_back_the_run_that_was_made_last_is_the_newest(
    cli: CLI, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, AHEAD)
    cli.ok("fetch")
    for days in (0, 1):
        at(monkeypatch, NOW + timedelta(days=days))
        cli.ok("fetch")
        classified = cli.ok("classify").stdout
        reported = cli.ok("report").stdout
        assert f"{NOW + timedelta(days=days):%Y%m%d}T" in classified
        assert f"{NOW + timedelta(days=days):%Y%m%d}T" in reported


def test_a_run_twenty_years_ahead_deletes_no_report_no_run_and_no_answer(
    cli: CLI, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.settings["RETENTION_DAYS"] = "30"
    for now in (NOW, NOW + timedelta(days=1)):
        at(monkeypatch, now)
        cli.ok("run")
    before = cli.reports
    at(monkeypatch, AHEAD)
    result = cli.ok("run", "--quiet")
    assert "the clock may be wrong, so nothing was deleted" in result.stderr
    assert set(before) < set(cli.reports)
    assert len(list((cli.folder / "work").glob("*/tickets.json"))) == 3


def test_a_run_that_fails_deletes_what_is_too_old(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    for now in (NOW - timedelta(days=35), NOW - timedelta(days=20)):
        at(monkeypatch, now)
        cli.ok("run")
    at(monkeypatch, NOW)
    cli.settings["HELPDESK_API_URL"] = "missing.json"
    assert cli("run").exit_code == 3
    (folder,) = (path.parent.name for path in (cli.folder / "work").glob("*/tickets.json"))
    assert folder.startswith("20261108")
