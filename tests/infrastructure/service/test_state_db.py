"""The state of the service: many processes at once, files of strangers, and no lost row."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ticketattr.domain.service_run import AuditEntry, Undo
from ticketattr.errors import InputError, ServiceError, SettingsError
from ticketattr.infrastructure.service.state_db import SQLiteServiceState

NOW = datetime(2026, 11, 28, 9, tzinfo=timezone.utc)
ENTRY = AuditEntry(NOW, "ann", "192.0.2.7", "run", "", "queued")


def test_processes_that_begin_at_the_same_time_share_one_file(tmp_path: Path) -> None:
    path = tmp_path / "service.db"
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(
                lambda number: SQLiteServiceState(path).request_run("api", f"{number}", NOW, dry_run=False, key="1"),
                range(24),
            )
        )
    assert sum(is_new for _, is_new in made) == 1
    assert {run.number for run, _ in made} == {1}


def test_reading_creates_no_file(tmp_path: Path) -> None:
    state = SQLiteServiceState(tmp_path / "service.db")
    assert not any([*state.tokens(), *state.runs(), *state.unfinished(), *state.audit()])
    assert not any([state.schedule(), state.run(1), state.token_of("x")])
    assert list(tmp_path.iterdir()) == []


def test_an_entry_of_the_audit_is_never_changed_or_deleted(tmp_path: Path) -> None:
    state = SQLiteServiceState(tmp_path / "service.db")
    state.add_audit(ENTRY)
    with sqlite3.connect(state.path) as db:
        for statement in ("DELETE FROM audit", "UPDATE audit SET who = 'bob'"):
            with pytest.raises(sqlite3.IntegrityError, match="the audit is only ever added to"):
                db.execute(statement)
    assert [entry.who for entry in state.audit()] == ["ann"]


def test_a_claim_is_given_once(tmp_path: Path) -> None:
    state = SQLiteServiceState(tmp_path / "service.db")
    assert [state.claim("telegram:7", NOW) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize("content", [b"not a database, but long enough to look at", b"\0" * 8192])
def test_a_file_that_is_no_state_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "service.db").write_bytes(content)
    with pytest.raises(InputError):
        SQLiteServiceState(tmp_path / "service.db").runs()


def test_a_state_of_the_first_version_keeps_its_runs(tmp_path: Path) -> None:
    state = SQLiteServiceState(tmp_path / "service.db")
    run, _ = state.request_run("api", "ann", NOW, dry_run=False, key="")
    with closing(sqlite3.connect(state.path, isolation_level=None)) as db:
        for statement in ("DROP COLUMN undo_run", "DROP COLUMN undo_change"):
            db.execute(f"ALTER TABLE runs {statement}")
        db.execute("PRAGMA user_version = 1")
    assert state.runs() == [run]
    undo, _ = state.request_run("api", "ann", NOW, dry_run=False, key="", undo=Undo("a", 2))
    assert state.runs()[0].undo == undo.undo == Undo("a", 2)
    assert state.count_runs() == {("api", "queued"): 1}


def test_a_state_of_another_version_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "service.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE things (a)")
        db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(InputError, match="schema version 99"):
        SQLiteServiceState(path).add_audit(ENTRY)
    assert path.read_bytes() == before


def test_a_file_that_another_process_keeps_locked_is_a_service_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = SQLiteServiceState(tmp_path / "service.db")
    state.add_audit(ENTRY)
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **options: connect(path, **{**options, "timeout": 0.01}))
    with connect(state.path, isolation_level=None) as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(ServiceError, match="locked"):
            state.add_audit(ENTRY)
        db.execute("ROLLBACK")


def test_a_folder_in_place_of_the_file_is_a_settings_error(tmp_path: Path) -> None:
    (tmp_path / "service.db").mkdir()
    with pytest.raises(SettingsError):
        SQLiteServiceState(tmp_path / "service.db").runs()
