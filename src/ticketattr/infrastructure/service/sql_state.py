"""The state of the service in SQL: what a file of SQLite and a database of PostgreSQL have in common.

Secrets are kept as SHA-256 only. Times are texts in ISO 8601, in UTC.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Any, cast

from ...application.service.ports import ChangeAudit, RunAudit
from ...domain.access import Scope, Token
from ...domain.chat import CHAT_COMMANDS, ChatCount
from ...domain.service_run import AuditEntry, HostSeen, RunState, Schedule, ServiceRun, Trigger, Undo
from ..databases.sql import Connection

TABLES = ("tokens", "sessions", "runs", "requests", "schedule", "audit", "claims")
"""Each after those that it refers to. `hosts` is not among them: it is about the present moment."""

HOSTS = "CREATE TABLE IF NOT EXISTS hosts (host TEXT PRIMARY KEY, seen TEXT NOT NULL, since TEXT NOT NULL)"

_UNFINISHED = "(state IN ('queued', 'running') OR (state = 'lost' AND ended IS NULL))"

UNFINISHED_RUNS = f"CREATE INDEX IF NOT EXISTS unfinished_runs ON runs (number) WHERE {_UNFINISHED}"

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS tokens (
        name TEXT PRIMARY KEY, scope TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, created TEXT NOT NULL,
        expires TEXT, revoked TEXT, last_used TEXT
    )""",
    """CREATE TABLE IF NOT EXISTS sessions (
        digest TEXT PRIMARY KEY, token TEXT NOT NULL REFERENCES tokens, expires TEXT NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT, caused TEXT NOT NULL, requested_by TEXT NOT NULL,
        requested TEXT NOT NULL, state TEXT NOT NULL, dry_run INTEGER NOT NULL, started TEXT, ended TEXT,
        exit_code INTEGER, run_id TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '',
        hint TEXT NOT NULL DEFAULT '', figures TEXT NOT NULL DEFAULT '{}',
        undo_run TEXT NOT NULL DEFAULT '', undo_change INTEGER NOT NULL DEFAULT 0,
        host TEXT NOT NULL DEFAULT '', stage TEXT NOT NULL DEFAULT '', done INTEGER NOT NULL DEFAULT 0,
        total INTEGER NOT NULL DEFAULT 0
    )""",
    UNFINISHED_RUNS,
    """CREATE TABLE IF NOT EXISTS requests (
        who TEXT NOT NULL, key TEXT NOT NULL, run INTEGER NOT NULL REFERENCES runs, PRIMARY KEY (who, key)
    )""",
    """CREATE TABLE IF NOT EXISTS schedule (
        one INTEGER PRIMARY KEY CHECK (one = 1), cron TEXT NOT NULL, changed TEXT NOT NULL, changed_by TEXT NOT NULL,
        last_due TEXT NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, origin TEXT NOT NULL,
        action TEXT NOT NULL, detail TEXT NOT NULL, outcome TEXT NOT NULL
    )""",
    "CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, at TEXT NOT NULL)",
    HOSTS,
)
_RUN = (
    "number, caused, requested_by, requested, state, dry_run, started, ended, exit_code, run_id, message, hint,"
    " figures, undo_run, undo_change, host, stage, done, total"
)
_TOKEN = "name, scope, digest, created, expires, revoked, last_used"  # noqa: S105  # nosec B105  # columns
_CLAIM_KEPT = timedelta(days=30)
# nosec B608 below: only constants are put into statements.


class SQLServiceState(ABC):
    """What `ServiceState` needs. Every call opens the database; reading creates none."""

    @abstractmethod
    def kept_open(self) -> AbstractContextManager[None]:
        """Make the tables if there are none, and keep them usable for the block."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Connection]:
        """A connection to read from; without a database, one to empty tables."""

    @abstractmethod
    def _changing(self) -> AbstractContextManager[Connection]:
        """One transaction that no other process can come between. Nothing of it stays if the block raises."""

    def tokens(self) -> list[Token]:
        with self._reading() as db:
            return [_token(row) for row in db.execute(f"SELECT {_TOKEN} FROM tokens ORDER BY name")]  # noqa: S608  # nosec B608

    def token_of(self, digest: str) -> Token | None:
        with self._reading() as db:
            row = db.execute(f"SELECT {_TOKEN} FROM tokens WHERE digest = ?", (digest,)).fetchone()  # noqa: S608  # nosec B608
        return _token(row) if row else None

    def add_token(self, token: Token, audited: ChangeAudit | None = None) -> bool:
        values = (token.name, token.scope, token.digest, _text(token.created), _text(token.expires))
        with self._changing() as db:
            added = db.execute(
                "INSERT INTO tokens (name, scope, digest, created, expires) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                values,
            )
            is_new = added.rowcount == 1
            if audited:
                _add_audit(db, audited(is_new))
        return is_new

    def revoke_token(self, name: str, at: datetime, audited: ChangeAudit | None = None) -> bool:
        with self._changing() as db:
            db.execute("DELETE FROM sessions WHERE token = ?", (name,))
            known = db.execute("UPDATE tokens SET revoked = coalesce(revoked, ?) WHERE name = ?", (_text(at), name))
            is_known = known.rowcount == 1
            if audited:
                _add_audit(db, audited(is_known))
        return is_known

    def touch_token(self, name: str, at: datetime) -> None:
        with self._changing() as db:
            db.execute("UPDATE tokens SET last_used = ? WHERE name = ?", (_text(at), name))

    def start_session(self, digest: str, token: str, expires: datetime) -> None:
        with self._changing() as db:
            db.execute(
                "INSERT INTO sessions (digest, token, expires) VALUES (?, ?, ?)", (digest, token, _text(expires))
            )

    def session(self, digest: str, now: datetime) -> Token | None:
        columns = ", ".join(f"tokens.{name}" for name in _TOKEN.split(", "))
        query = f"SELECT {columns} FROM sessions JOIN tokens ON name = token WHERE sessions.digest = ? AND sessions.expires > ?"  # noqa: E501, S608  # nosec B608
        with self._reading() as db:
            row = db.execute(query, (digest, _text(now))).fetchone()
        return _token(row) if row else None

    def end_session(self, digest: str) -> None:
        with self._changing() as db:
            db.execute("DELETE FROM sessions WHERE digest = ?", (digest,))

    def request_run(
        self,
        trigger: Trigger,
        who: str,
        at: datetime,
        *,
        dry_run: bool,
        key: str,
        undo: Undo | None = None,
        audited: RunAudit | None = None,
        host: str = "",
    ) -> tuple[ServiceRun, bool]:
        kind = (int(dry_run), *((undo.run_id, undo.change) if undo else ("", 0)))
        with self._changing() as db:
            run, is_new = _requested(db, trigger, who, at, kind, key, host)
            if audited:
                _add_audit(db, audited(run, is_new))
        return run, is_new

    def request_due_run(self, schedule: Schedule, at: datetime, *, who: str, key: str, host: str = "") -> bool:
        with self._changing() as db:
            values = (schedule.cron, _text(schedule.changed), _text(schedule.last_due))
            is_mine = db.execute(
                "UPDATE schedule SET last_due = ? WHERE cron = ? AND changed = ? AND last_due = ?", (_text(at), *values)
            )
            if is_mine.rowcount == 1:
                _requested(db, "schedule", who, at, (0, "", 0), key, host)
            return is_mine.rowcount == 1

    def runs(self, *, before: int | None = None, limit: int = 100) -> list[ServiceRun]:
        query = f"SELECT {_RUN} FROM runs WHERE number < ? ORDER BY number DESC LIMIT ?"  # noqa: S608  # nosec B608
        with self._reading() as db:
            return [_run(row) for row in db.execute(query, (2**62 if before is None else before, limit))]

    def run(self, number: int) -> ServiceRun | None:
        return next(iter(self.runs(before=number + 1, limit=1)), None) if self._has_run(number) else None

    def unfinished(self) -> list[ServiceRun]:
        query = f"SELECT {_RUN} FROM runs WHERE {_UNFINISHED} ORDER BY number"  # noqa: S608  # nosec B608
        with self._reading() as db:
            return [_run(row) for row in db.execute(query)]

    def count_runs(self) -> dict[tuple[Trigger, RunState], int]:
        with self._reading() as db:
            rows = db.execute(
                "SELECT caused, state, count(*) FROM runs WHERE undo_run = '' GROUP BY caused, state"
            ).fetchall()
        return {(trigger, state): count for trigger, state, count in rows}

    def count_chat_commands(self) -> dict[ChatCount, int]:
        query = (
            "SELECT origin, substr(action, 6), outcome LIKE 'refused%' AS refused, count(*) FROM audit"
            " WHERE action LIKE 'chat %' GROUP BY origin, action, refused"
        )
        with self._reading() as db:
            rows = db.execute(query).fetchall()
        counts: Counter[ChatCount] = Counter()
        for platform, name, is_refused, count in rows:
            # People may write anything behind a slash; each other name would be a time series of its own.
            command = name if name in CHAT_COMMANDS else "other"
            counts[platform, command, "refused" if is_refused else "done"] += count
        return dict(counts)

    def start_run(self, run: ServiceRun) -> bool:
        with self._changing() as db:
            started = db.execute(
                "UPDATE runs SET state = 'running', started = ?, host = ? WHERE number = ? AND state = 'queued'"
                " AND NOT EXISTS (SELECT 1 FROM runs WHERE state = 'running')",
                (_text(run.started), run.host, run.number),
            )
            return started.rowcount == 1

    def save_run(self, run: ServiceRun) -> None:
        values = (run.state, _text(run.started), _text(run.ended), run.exit_code, run.run_id, run.message, run.hint)
        progress = (json.dumps(dict(run.figures)), run.stage, run.done, run.total)
        with self._changing() as db:
            db.execute(
                "UPDATE runs SET state = ?, started = ?, ended = ?, exit_code = ?, run_id = ?, message = ?, hint = ?,"  # noqa: S608  # nosec B608
                f" figures = ?, stage = ?, done = ?, total = ? WHERE number = ? AND {_UNFINISHED}",
                (*values, *progress, run.number),
            )

    def beat(self, host: str, at: datetime, *, steady: datetime) -> list[HostSeen]:
        with self._changing() as db:
            db.execute(
                "INSERT INTO hosts VALUES (?, ?, ?) ON CONFLICT (host) DO UPDATE SET seen = excluded.seen,"
                " since = CASE WHEN hosts.seen < ? THEN excluded.since ELSE hosts.since END",
                (host, _text(at), _text(at), _text(steady)),
            )
            return _hosts(db)

    def hosts(self) -> list[HostSeen]:
        with self._reading() as db:
            return _hosts(db)

    def schedule(self) -> Schedule | None:
        with self._reading() as db:
            row = db.execute("SELECT cron, changed, changed_by, last_due FROM schedule").fetchone()
        return Schedule(row[0], datetime.fromisoformat(row[1]), row[2], datetime.fromisoformat(row[3])) if row else None

    def start_schedule(self, schedule: Schedule) -> None:
        with self._changing() as db:
            db.execute("DELETE FROM schedule WHERE changed_by = ? AND cron <> ?", (schedule.changed_by, schedule.cron))
            db.execute("INSERT INTO schedule VALUES (1, ?, ?, ?, ?) ON CONFLICT DO NOTHING", _schedule_row(schedule))

    def save_schedule(self, schedule: Schedule, entry: AuditEntry | None = None) -> None:
        with self._changing() as db:
            db.execute("DELETE FROM schedule")
            db.execute("INSERT INTO schedule VALUES (1, ?, ?, ?, ?)", _schedule_row(schedule))
            if entry:
                _add_audit(db, entry)

    def add_audit(self, entry: AuditEntry) -> None:
        with self._changing() as db:
            _add_audit(db, entry)

    def audit(self, *, limit: int = 100) -> list[AuditEntry]:
        query = "SELECT at, who, origin, action, detail, outcome, number FROM audit ORDER BY number DESC LIMIT ?"
        with self._reading() as db:
            rows = db.execute(query, (limit,)).fetchall()
        return [AuditEntry(datetime.fromisoformat(at), *others) for at, *others in rows]

    def claim(self, key: str, at: datetime) -> bool:
        with self._changing() as db:
            # A message of that age is not acted on anyway.
            db.execute("DELETE FROM claims WHERE at < ?", (_text(at - _CLAIM_KEPT),))
            return db.execute("INSERT INTO claims VALUES (?, ?) ON CONFLICT DO NOTHING", (key, _text(at))).rowcount == 1

    def _has_run(self, number: int) -> bool:
        if not 0 < number < 2**62:
            return False
        with self._reading() as db:
            return db.execute("SELECT 1 FROM runs WHERE number = ?", (number,)).fetchone() is not None


def _add_audit(db: Connection, entry: AuditEntry) -> None:
    db.execute(
        "INSERT INTO audit (at, who, origin, action, detail, outcome) VALUES (?, ?, ?, ?, ?, ?)",
        (_text(entry.at), *astuple(entry)[1:6]),
    )


def _requested(
    db: Connection, trigger: Trigger, who: str, at: datetime, kind: tuple[int, str, int], key: str, host: str
) -> tuple[ServiceRun, bool]:
    """The run that stands for this request, and whether it is a new one."""
    known = _known_request(db, who, key) or _queued(db, kind)
    if known is None:
        insert = (
            "INSERT INTO runs (caused, requested_by, requested, state, dry_run, undo_run, undo_change, host)"
            " VALUES (?, ?, ?, 'queued', ?, ?, ?, ?) RETURNING number"
        )
        (number,) = db.execute(insert, (trigger, who, _text(at), *kind, host)).fetchone()
    else:
        number = known
    if key:
        db.execute("INSERT INTO requests (who, key, run) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (who, key, number))
    row = db.execute(f"SELECT {_RUN} FROM runs WHERE number = ?", (number,)).fetchone()  # noqa: S608  # nosec B608
    return _run(row), known is None


def _known_request(db: Connection, who: str, key: str) -> int | None:
    row = db.execute("SELECT run FROM requests WHERE who = ? AND key = ?", (who, key)).fetchone() if key else None
    return int(row[0]) if row else None


def _queued(db: Connection, kind: tuple[int, str, int]) -> int | None:
    query = (
        "SELECT number FROM runs WHERE state = 'queued' AND dry_run = ? AND undo_run = ? AND undo_change = ?"
        " ORDER BY number"
    )
    row = db.execute(query, kind).fetchone()
    return int(row[0]) if row else None


def _token(row: tuple[Any, ...]) -> Token:
    name, scope, digest, created, expires, revoked, last_used = row
    times = (datetime.fromisoformat(created), _time(expires), _time(revoked), _time(last_used))
    return Token(name, cast("Scope", scope), digest, *times)


def _run(row: tuple[Any, ...]) -> ServiceRun:
    number, trigger, who, requested, state, dry_run, started, ended, exit_code, run_id, message, hint, *rest = row
    figures, undo_run, undo_change, host, stage, done, total = rest
    return ServiceRun(
        number,
        cast("Trigger", trigger),
        who,
        datetime.fromisoformat(requested),
        cast("RunState", state),
        bool(dry_run),
        Undo(undo_run, undo_change) if undo_run else None,
        _time(started),
        _time(ended),
        exit_code,
        run_id,
        stage,
        done,
        total,
        message=message,
        hint=hint,
        figures=json.loads(figures),
        host=host,
    )


def _hosts(db: Connection) -> list[HostSeen]:
    rows = db.execute("SELECT host, seen, since FROM hosts ORDER BY host").fetchall()
    return [HostSeen(host, datetime.fromisoformat(seen), datetime.fromisoformat(since)) for host, seen, since in rows]


def _schedule_row(schedule: Schedule) -> tuple[str | None, ...]:
    return schedule.cron, _text(schedule.changed), schedule.changed_by, _text(schedule.last_due)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
