"""The run history on disk."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ticketattr.domain.alerting import PendingAlert, with_alert_sent
from ticketattr.domain.run_history import RunHistory, RunRecord, with_overlap, with_run
from ticketattr.domain.usage import Bill, Usage
from ticketattr.infrastructure.monitoring.run_history_file import RunHistoryFile

from ...fakes import MIDNIGHT

RECORD = RunRecord(
    "20261123T000000Z-0000", "run", MIDNIGHT, MIDNIGHT, 5, ("reports in doubt",), "why", "what to do",
    seconds={"send": 0.25}, tickets={"model": 3, "failed": 1}, by_sla={"4 hours": 3}, bill=Bill(Usage(2), cost=None),
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "work" / "run-history.json"


def unchanged(history: RunHistory) -> RunHistory:
    return history


def kept(path: Path) -> RunHistory:
    return RunHistoryFile(path).change(unchanged)


def test_the_history_is_kept_and_only_its_owner_may_read_the_file(path: Path) -> None:
    history = with_overlap(with_run(RunHistory(), RECORD))
    history = with_alert_sent(history, PendingAlert("doubt", RECORD, history.open_incidents["run"]))
    assert RunHistoryFile(path).change(lambda _: history) == history
    assert kept(path) == history
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"kind": "tickets", "schema_version": 1, "data": {}}',
        b'{"kind": "run_history", "schema_version": 2, "data": {}}',
        b'{"kind": "run_history", "schema_version": 1, "data": {"overlaps": "many"}}',
        b'{"kind": "run_history", "schema_version": 1, "data": {"last_success": {"run": "2026-11-23T00:00:00"}}}',
        b"\xff" * 100,
        b"[" * 5000,
    ],
)
def test_a_damaged_history_is_a_warning_and_a_new_one_is_started(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert RunHistoryFile(path).change(lambda history: with_run(history, RECORD)) == with_run(RunHistory(), RECORD)
    assert "cannot be read, so a new one is started" in caplog.text
    assert kept(path).last_run == {"run": RECORD}


def test_a_history_that_cannot_be_written_is_only_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "run-history.json", tmp_path / "run-history.json"):
        if path.parent == tmp_path:
            path.mkdir()
        caplog.clear()
        assert RunHistoryFile(path).change(with_overlap).overlaps == 1
        assert "the run history is not updated" in caplog.text


def test_concurrent_changes_are_all_kept(path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: RunHistoryFile(path).change(with_overlap), range(40)))
    assert kept(path).overlaps == 40


def test_fields_of_a_later_version_are_ignored(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    RunHistoryFile(path).change(lambda history: replace(history, overlaps=2))
    content = json.loads(path.read_text())
    content["data"]["colour"] = "blue"
    path.write_text(json.dumps(content))
    with caplog.at_level(logging.WARNING):
        assert kept(path).overlaps == 2
    assert not caplog.records
