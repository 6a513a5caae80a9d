"""What is known from one run to the next, on disk."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ticketattr.domain.run_history import PendingAlert, RunHistory, RunRecord, with_alert_sent, with_overlap, with_run
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


def known(path: Path) -> RunHistory:
    return RunHistoryFile(path).change(unchanged)


def test_what_was_remembered_is_known_later_and_is_for_the_owner_alone(path: Path) -> None:
    history = with_overlap(with_run(RunHistory(), RECORD))
    history = with_alert_sent(history, PendingAlert("doubt", RECORD, history.incidents["run"]))
    assert RunHistoryFile(path).change(lambda _: history) == history
    assert known(path) == history
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
        b'{"kind": "run_history", "schema_version": 1, "data": {"succeeded": {"run": "2026-11-23T00:00:00"}}}',
        b"\xff" * 100,
        b"[" * 5000,
    ],
)
def test_what_cannot_be_used_is_warned_about_and_starts_anew(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert RunHistoryFile(path).change(lambda history: with_run(history, RECORD)) == with_run(RunHistory(), RECORD)
    assert "cannot be used, and starts anew" in caplog.text
    assert known(path).last == {"run": RECORD}


def test_where_nothing_can_be_written_it_is_said_and_nothing_else_happens(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "run-history.json", tmp_path / "run-history.json"):
        if path.parent == tmp_path:
            path.mkdir()
        caplog.clear()
        assert RunHistoryFile(path).change(with_overlap).overlaps == 1
        assert "is not remembered" in caplog.text


def test_changes_of_several_at_once_are_all_kept(path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: RunHistoryFile(path).change(with_overlap), range(40)))
    assert known(path).overlaps == 40


def test_new_fields_of_a_later_version_are_no_damage(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    RunHistoryFile(path).change(lambda history: replace(history, overlaps=2))
    content = json.loads(path.read_text())
    content["data"]["colour"] = "blue"
    path.write_text(json.dumps(content))
    with caplog.at_level(logging.WARNING):
        assert known(path).overlaps == 2
    assert not caplog.records
