"""The state of the service in one SQLite file: tokens, sessions, runs, schedule, audit.

Secrets are kept as SHA-256 only. Times are texts in ISO 8601, in UTC; `user_version` is the version of the schema.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from ...application.service.ports import ChangeAudit, RunAudit
from ...domain.access import Scope, Token
from ...domain.chat import CHAT_COMMANDS, ChatCount
from ...domain.service_run import AuditEntry, RunState, Schedule, ServiceRun, Trigger, Undo
from ...errors import InputError, ServiceError, SettingsError
from ..files import make_private

SCHEMA_VERSION = 2

_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS tokens (
    name TEXT PRIMARY KEY, scope TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, created TEXT NOT NULL,
    expires TEXT, revoked TEXT, last_used TEXT
);
CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY, token TEXT NOT NULL REFERENCES tokens, expires TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, caused TEXT NOT NULL, requested_by TEXT NOT NULL,
    requested TEXT NOT NULL, state TEXT NOT NULL, dry_run INTEGER NOT NULL, started TEXT, ended TEXT,
    exit_code INTEGER, run_id TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '', figures TEXT NOT NULL DEFAULT '{{}}',
    undo_run TEXT NOT NULL DEFAULT '', undo_change INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS unfinished_runs ON runs (number) WHERE state IN ('queued', 'running');
CREATE TABLE IF NOT EXISTS requests (
    who TEXT NOT NULL, key TEXT NOT NULL, run INTEGER NOT NULL REFERENCES runs, PRIMARY KEY (who, key)
);
CREATE TABLE IF NOT EXISTS schedule (
    one INTEGER PRIMARY KEY CHECK (one = 1), cron TEXT NOT NULL, changed TEXT NOT NULL, changed_by TEXT NOT NULL,
    last_due TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, origin TEXT NOT NULL,
    action TEXT NOT NULL, detail TEXT NOT NULL, outcome TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is only ever added to'); END;
CREATE TRIGGER IF NOT EXISTS audit_stays_as_it_is BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is only ever added to'); END;
CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, at TEXT NOT NULL);
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
_UPGRADE_FROM_1 = (
    "ALTER TABLE runs ADD COLUMN undo_run TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runs ADD COLUMN undo_change INTEGER NOT NULL DEFAULT 0",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
_RUN = (
    "number, caused, requested_by, requested, state, dry_run, started, ended, exit_code, run_id, message, hint,"
    " figures, undo_run, undo_change"
)
_TOKEN = "name, scope, digest, created, expires, revoked, last_used"  # noqa: S105  # nosec B105  # columns
_TRANSIENT = ("locked", "busy", "full", "disk I/O error")
# nosec B608 below: only constants are put into statements.


@dataclass(frozen=True, slots=True)
class SQLiteServiceState:
    """The state at `path`; only its owner may read it. Every call opens the file; reading creates no file.

    `patience`: the seconds that a call waits for another process which changes the state.
    """

    path: Path
    patience: float = 10.0

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Keep the file open for the block: to open it anew, SQLite needs space on the disk, even to read."""
        make_private(self.path)
        with self._errors():
            db = self._connect()
        with closing(db):
            db.execute("SELECT count(*) FROM schedule").fetchone()
            yield

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
                "INSERT OR IGNORE INTO tokens (name, scope, digest, created, expires) VALUES (?, ?, ?, ?, ?)", values
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
    ) -> tuple[ServiceRun, bool]:
        kind = (dry_run, *((undo.run_id, undo.change) if undo else ("", 0)))
        with self._changing() as db:
            known = _known_request(db, who, key) or _queued(db, kind)
            if known is None:
                insert = (
                    "INSERT INTO runs (caused, requested_by, requested, state, dry_run, undo_run, undo_change)"
                    " VALUES (?, ?, ?, 'queued', ?, ?, ?)"
                )
                number = db.execute(insert, (trigger, who, _text(at), *kind)).lastrowid
            else:
                number = known
            if key:
                db.execute("INSERT OR IGNORE INTO requests (who, key, run) VALUES (?, ?, ?)", (who, key, number))
            row = db.execute(f"SELECT {_RUN} FROM runs WHERE number = ?", (number,)).fetchone()  # noqa: S608  # nosec B608
            run, is_new = _run(row), known is None
            if audited:
                _add_audit(db, audited(run, is_new))
        return run, is_new

    def runs(self, *, before: int | None = None, limit: int = 100) -> list[ServiceRun]:
        query = f"SELECT {_RUN} FROM runs WHERE number < ? ORDER BY number DESC LIMIT ?"  # noqa: S608  # nosec B608
        with self._reading() as db:
            return [_run(row) for row in db.execute(query, (2**62 if before is None else before, limit))]

    def run(self, number: int) -> ServiceRun | None:
        return next(iter(self.runs(before=number + 1, limit=1)), None) if self._has_run(number) else None

    def unfinished(self) -> list[ServiceRun]:
        query = f"SELECT {_RUN} FROM runs WHERE state IN ('queued', 'running') ORDER BY number"  # noqa: S608  # nosec B608
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

    def save_run(self, run: ServiceRun) -> None:
        values = (run.state, _text(run.started), _text(run.ended), run.exit_code, run.run_id, run.message, run.hint)
        with self._changing() as db:
            db.execute(
                "UPDATE runs SET state = ?, started = ?, ended = ?, exit_code = ?, run_id = ?, message = ?, hint = ?,"
                " figures = ? WHERE number = ?",
                (*values, json.dumps(dict(run.figures)), run.number),
            )

    def schedule(self) -> Schedule | None:
        with self._reading() as db:
            row = db.execute("SELECT cron, changed, changed_by, last_due FROM schedule").fetchone()
        return Schedule(row[0], datetime.fromisoformat(row[1]), row[2], datetime.fromisoformat(row[3])) if row else None

    def save_schedule(self, schedule: Schedule, entry: AuditEntry | None = None) -> None:
        values = (schedule.cron, _text(schedule.changed), schedule.changed_by, _text(schedule.last_due))
        with self._changing() as db:
            db.execute("INSERT OR REPLACE INTO schedule VALUES (1, ?, ?, ?, ?)", values)
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
            return db.execute("INSERT OR IGNORE INTO claims VALUES (?, ?)", (key, _text(at))).rowcount == 1

    def _has_run(self, number: int) -> bool:
        if not 0 < number < 2**62:
            return False
        with self._reading() as db:
            return db.execute("SELECT 1 FROM runs WHERE number = ?", (number,)).fetchone() is not None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._errors():
            if not self.path.exists():
                with closing(sqlite3.connect(":memory:")) as db:
                    db.executescript(_SCHEMA)
                    yield db
                return
            with closing(self._connect()) as db:
                yield db

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other process can come between."""
        make_private(self.path)
        with self._errors(), closing(self._connect()) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=self.patience, isolation_level=None)
        try:
            db.execute("PRAGMA foreign_keys = ON")
            self._ensure_schema(db)
        except BaseException:
            db.close()
            raise
        return db

    def _ensure_schema(self, db: sqlite3.Connection) -> None:
        # In one statement: another process may be creating the tables.
        query = "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
        version, tables = db.execute(query).fetchone()
        if version == SCHEMA_VERSION:
            return
        if version == 1:
            _upgrade_from_1(db)
            return
        if version or tables:
            raise InputError(
                f"{self.path} is not the state of a service that this ticketattr can read (schema version {version})",
                hint="Check WORK_DIR, or install the version of ticketattr that wrote the file.",
            )
        with suppress(sqlite3.OperationalError):  # another process does it
            # Pages read while a run is recorded.
            db.execute("PRAGMA journal_mode = WAL")
        db.executescript(_SCHEMA)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            message = f"the state of the service in {self.path} cannot be used: {error}"
            if any(word in str(error) for word in _TRANSIENT):
                raise ServiceError(message, hint="Try again later, and check that the disk is not full.") from error
            raise SettingsError(message, hint="Check WORK_DIR, its permissions and the disk.") from error
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"the state of the service in {self.path} is damaged: {error}",
                hint="Restore the file from a backup. Without it, tokens, schedule and audit are lost.",
            ) from error


def _upgrade_from_1(db: sqlite3.Connection) -> None:
    # If anything fails before COMMIT, closing the connection rolls back.
    db.execute("BEGIN IMMEDIATE")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    for statement in _UPGRADE_FROM_1 if version == 1 else ():  # another process may have done it meanwhile
        db.execute(statement)
    db.execute("COMMIT")


def _add_audit(db: sqlite3.Connection, entry: AuditEntry) -> None:
    db.execute(
        "INSERT INTO audit (at, who, origin, action, detail, outcome) VALUES (?, ?, ?, ?, ?, ?)",
        (_text(entry.at), *astuple(entry)[1:6]),
    )


def _known_request(db: sqlite3.Connection, who: str, key: str) -> int | None:
    row = db.execute("SELECT run FROM requests WHERE who = ? AND key = ?", (who, key)).fetchone() if key else None
    return int(row[0]) if row else None


def _queued(db: sqlite3.Connection, kind: tuple[bool, str, int]) -> int | None:
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
    figures, undo_run, undo_change = rest
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
        message=message,
        hint=hint,
        figures=json.loads(figures),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
