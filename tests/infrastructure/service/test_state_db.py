"""The state of the service: many processes at once, files of strangers, and no lost row."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ticketattr.domain.access import Token
from ticketattr.domain.service_run import AuditEntry, HostSeen, Schedule, ServiceRun, Undo
from ticketattr.errors import InputError, ServiceError, SettingsError
from ticketattr.infrastructure.service.sql_state import SQLServiceState
from ticketattr.infrastructure.service.state_db import SQLiteServiceState

NOW = datetime(2026, 11, 28, 9, tzinfo=timezone.utc)
LATER = NOW + timedelta(hours=1)
ENTRY = AuditEntry(NOW, "ann", "192.0.2.7", "run", "", "queued")


TOKEN = Token("ann", "operate", "d1", NOW, NOW + timedelta(days=1))
SCHEDULE = Schedule("0 6 * * *", NOW, "ann", NOW)


class ServiceStateContract:
    """What a file of SQLite and a database of PostgreSQL do alike. `state` is empty."""

    def test_an_empty_state_has_nothing(self, state: SQLServiceState) -> None:
        assert not any([*state.tokens(), *state.runs(), *state.unfinished(), *state.audit(), *state.hosts()])
        assert not any([state.schedule(), state.run(1), state.token_of("x"), state.session("x", NOW)])
        assert (state.count_runs(), state.count_chat_commands()) == ({}, {})

    def test_a_token_is_kept_once_and_signs_people_in_until_it_is_revoked(self, state: SQLServiceState) -> None:
        assert [state.add_token(TOKEN), state.add_token(replace(TOKEN, digest="d2"))] == [True, False]
        state.start_session("s1", "ann", LATER)
        state.touch_token("ann", NOW)
        assert state.tokens() == [replace(TOKEN, last_used=NOW)]
        assert state.token_of("d1") == state.session("s1", NOW) == replace(TOKEN, last_used=NOW)
        assert state.session("s1", LATER) is None
        state.end_session("s1")
        assert state.session("s1", NOW) is None
        state.start_session("s2", "ann", LATER)
        assert [state.revoke_token(name, NOW) for name in ("ann", "bob")] == [True, False]
        assert state.session("s2", NOW) is None
        revoked = state.token_of("d1")
        assert revoked
        assert revoked.revoked == NOW

    def test_a_run_that_waits_stands_for_the_same_wish_and_a_key_for_the_same_request(
        self, state: SQLServiceState
    ) -> None:
        def wish(who: str, key: str = "", *, dry_run: bool = False, undo: Undo | None = None) -> tuple[int, bool]:
            run, is_new = state.request_run("api", who, NOW, dry_run=dry_run, key=key, undo=undo, host="one")
            return run.number, is_new

        assert [wish("ann", "k"), wish("bob"), wish("ann", dry_run=True)] == [(1, True), (1, False), (2, True)]
        assert [wish("ann", undo=Undo("a", 3)), wish("ann", undo=Undo("a"))] == [(3, True), (4, True)]
        first = state.run(1)
        assert first
        state.save_run(replace(first, state="ended", exit_code=0, ended=LATER))
        assert [wish("ann", "k"), wish("bob", "k")] == [(1, False), (5, True)]
        assert [run.number for run in state.runs(before=4, limit=2)] == [3, 2]
        assert [run.number for run in state.unfinished()] == [2, 3, 4, 5]
        assert state.count_runs() == {("api", "queued"): 2, ("api", "ended"): 1}

    def test_a_run_and_its_entry_of_the_audit_are_kept_together_or_not_at_all(self, state: SQLServiceState) -> None:
        def broken(run: ServiceRun, is_new: bool) -> AuditEntry:
            raise InputError("no")

        with pytest.raises(InputError):
            state.request_run("api", "ann", NOW, dry_run=False, key="", audited=broken)
        assert state.runs() == []
        state.request_run("api", "ann", NOW, dry_run=False, key="", audited=lambda run, is_new: ENTRY)
        assert [replace(entry, number=0) for entry in state.audit()] == [ENTRY]

    def test_one_run_is_started_at_a_time_and_its_end_is_final(self, state: SQLServiceState) -> None:
        runs = [state.request_run("api", "ann", NOW, dry_run=dry, key="", host="one")[0] for dry in (False, True)]
        working = replace(runs[0], state="running", started=NOW, host="two")
        assert [state.start_run(run) for run in (working, working, replace(runs[1], started=NOW))] == [
            True,
            False,
            False,
        ]
        assert state.run(runs[0].number) == working
        seen = replace(working, stage="classify", done=3, total=14, run_id="a", message="m", hint="h", figures={"x": 3})
        state.save_run(seen)
        assert state.run(runs[0].number) == seen
        lost = replace(seen, state="lost", message="gone")
        state.save_run(lost)
        assert lost in state.unfinished()
        ended = replace(seen, state="ended", ended=LATER, exit_code=5)
        state.save_run(ended)
        state.save_run(lost)
        assert state.run(runs[0].number) == ended
        assert [run.number for run in state.unfinished()] == [runs[1].number]

    def test_only_who_set_the_first_schedule_sets_another_first_one(self, state: SQLServiceState) -> None:
        state.start_schedule(SCHEDULE)
        state.start_schedule(replace(SCHEDULE, changed=LATER))
        assert state.schedule() == SCHEDULE, "the same one is kept as it is"
        state.start_schedule(replace(SCHEDULE, cron="0 7 * * *"))
        assert state.schedule() == replace(SCHEDULE, cron="0 7 * * *")

    def test_a_time_of_the_schedule_is_taken_once_and_not_from_a_schedule_that_was_changed(
        self, state: SQLServiceState
    ) -> None:
        state.start_schedule(SCHEDULE)
        state.start_schedule(replace(SCHEDULE, cron="0 7 * * *", changed_by="another"))
        assert state.schedule() == SCHEDULE
        assert [state.request_due_run(SCHEDULE, LATER, who="schedule", key="6:00", host="one") for _ in range(2)] == [
            True,
            False,
        ]
        assert state.schedule() == replace(SCHEDULE, last_due=LATER)
        assert [(run.trigger, run.host) for run in state.runs()] == [("schedule", "one")]
        state.save_schedule(replace(SCHEDULE, changed=LATER), ENTRY)
        assert not state.request_due_run(SCHEDULE, LATER, who="schedule", key="7:00")
        assert [entry.who for entry in state.audit()] == ["ann"]

    def test_chat_commands_are_counted_by_platform_name_and_outcome(self, state: SQLServiceState) -> None:
        for action, outcome in (("chat run", "done"), ("chat run", "refused: no"), ("chat what", "help"), ("run", "")):
            state.add_audit(replace(ENTRY, origin="telegram", action=action, outcome=outcome))
        assert state.count_chat_commands() == {
            ("telegram", "run", "done"): 1,
            ("telegram", "run", "refused"): 1,
            ("telegram", "other", "done"): 1,
        }

    def test_a_claim_is_given_once(self, state: SQLServiceState) -> None:
        assert [state.claim("telegram:7", NOW) for _ in range(3)] == [True, False, False]

    def test_a_claim_is_forgotten_after_thirty_days(self, state: SQLServiceState) -> None:
        assert state.claim("telegram:7", NOW)
        assert not state.claim("telegram:7", NOW + timedelta(days=30))
        assert state.claim("telegram:7", NOW + timedelta(days=30, seconds=1))

    def test_a_host_was_there_without_a_gap_since_it_came_or_came_back(self, state: SQLServiceState) -> None:
        minute = timedelta(minutes=1)
        for number in range(3):
            state.beat("one", NOW + number * minute, steady=NOW + (number - 1) * minute)
        back = NOW + 10 * minute
        assert state.beat("two", back, steady=back - minute) == [
            HostSeen("one", NOW + 2 * minute, NOW),
            HostSeen("two", back, back),
        ]
        assert state.beat("one", back, steady=back - minute)[0] == HostSeen("one", back, back)

    def test_processes_at_the_same_time_make_one_run_and_start_it_once(self, state: SQLServiceState) -> None:
        with ThreadPoolExecutor(8) as pool:
            made = list(
                pool.map(lambda who: state.request_run("api", f"{who}", NOW, dry_run=False, key="1"), range(24))
            )
            started = list(pool.map(lambda one: state.start_run(replace(one[0], started=NOW)), made))
        assert (sum(is_new for _, is_new in made), sum(started)) == (1, 1)
        assert {run.number for run, _ in made} == {1}


class TestSQLite(ServiceStateContract):
    @pytest.fixture
    def state(self, tmp_path: Path) -> SQLServiceState:
        return SQLiteServiceState(tmp_path / "service.db")


def test_reading_creates_no_file(tmp_path: Path) -> None:
    state = SQLiteServiceState(tmp_path / "service.db")
    assert not any([*state.tokens(), *state.runs(), *state.unfinished(), *state.audit()])
    assert not any([state.schedule(), state.run(1), state.token_of("x")])
    assert list(tmp_path.iterdir()) == []


def test_an_entry_of_the_audit_is_never_changed_or_deleted(tmp_path: Path) -> None:
    state = SQLiteServiceState(tmp_path / "service.db")
    state.add_audit(ENTRY)
    with closing(sqlite3.connect(state.path)) as db, db:
        for statement in ("DELETE FROM audit", "UPDATE audit SET who = 'bob'"):
            with pytest.raises(sqlite3.IntegrityError, match="the audit is only ever added to"):
                db.execute(statement)
    assert [entry.who for entry in state.audit()] == ["ann"]


@pytest.mark.parametrize("content", [b"not a database, but long enough to look at", b"\0" * 8192])
def test_a_file_that_is_no_state_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "service.db").write_bytes(content)
    with pytest.raises(InputError):
        SQLiteServiceState(tmp_path / "service.db").runs()


@pytest.mark.parametrize("version", [1, 2])
def test_a_state_of_an_earlier_version_keeps_its_runs(tmp_path: Path, version: int) -> None:
    state = SQLiteServiceState(tmp_path / "service.db")
    run, _ = state.request_run("api", "ann", NOW, dry_run=False, key="")
    since_1, since_2 = ("undo_run", "undo_change"), ("host", "stage", "done", "total")
    with closing(sqlite3.connect(state.path, isolation_level=None)) as db:
        for statement in ("DROP TABLE hosts", "DROP INDEX unfinished_runs"):
            db.execute(statement)
        for column in (*since_2, *(since_1 if version == 1 else ())):
            db.execute(f"ALTER TABLE runs DROP COLUMN {column}")
        db.execute(f"PRAGMA user_version = {version}")
    assert state.runs() == state.unfinished() == [run]
    undo, _ = state.request_run("api", "ann", NOW, dry_run=False, key="", undo=Undo("a", 2), host="one")
    assert state.runs()[0] == undo
    assert (undo.undo, undo.host) == (Undo("a", 2), "one")
    assert state.count_runs() == {("api", "queued"): 1}
    assert [host.name for host in state.beat("one", NOW, steady=NOW)] == ["one"]


def test_a_state_of_another_version_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "service.db"
    with closing(sqlite3.connect(path)) as db, db:
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
    with closing(connect(state.path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(ServiceError, match="locked"):
            state.add_audit(ENTRY)
        db.execute("ROLLBACK")


def test_a_folder_in_place_of_the_file_is_a_settings_error(tmp_path: Path) -> None:
    (tmp_path / "service.db").mkdir()
    with pytest.raises(SettingsError):
        SQLiteServiceState(tmp_path / "service.db").runs()
