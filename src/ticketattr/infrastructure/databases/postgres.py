"""PostgreSQL, for what several hosts share: connections that take the statements of SQLite, tables, locks and errors.

The tables are in the first schema of the search path; a database of its own is best. The table `ticketattr_schema` has
the version of each group of tables.

The lock of a group is an advisory lock of a session, and a row that says who has it. A process that lost its connection
lost the lock, and another one may take over. The row is the fence: every change compares it, so that the first process
cannot record anything any more.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from os import getpid
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...errors import BusyError, InputError, ServiceError, SettingsError
from ..extras import install_hint
from ..network.service_words import with_words
from .sql import Connection, Cursor

if TYPE_CHECKING:
    import psycopg

CONNECT_TIMEOUT = 10
"""Seconds."""

_KEEPALIVES = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
"""Seconds, and a number: who does not answer for so long is gone, also if a machine lost its power."""

_CLOCK_ASKED = 30.0
"""Seconds after which the time of the database is asked for again."""

_SCHEMA_KEY, _GROUP_KEY, _HOLDER_KEY = 0x7469636B_00000000, 0x7469636C_00000000, 0x7469636D_00000000
"""Advisory locks: for creating tables, for a change in a group of them, and of their holder; the number is added."""

_LEAST_WAIT, _PAUSE = 0.2, 0.05
"""Seconds."""

_BASE = (
    "CREATE TABLE IF NOT EXISTS ticketattr_schema (name TEXT PRIMARY KEY, version BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS ticketattr_holders (name TEXT PRIMARY KEY, owner TEXT NOT NULL, who TEXT NOT NULL)",
    """CREATE OR REPLACE FUNCTION ticketattr_refuse() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'rows are only added'; END $$""",
)
_OF_THE_URL = ("authentication failed", "no password supplied", "does not exist", "not permitted to log in")
_READ_ONLY = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'"

_owners: dict[tuple[str, str], str] = {}
"""What this process wrote into the rows of holders, by the URL of the database and the name of the group."""


class PostgresConnection:
    """A connection that commits each statement, unless `BEGIN` started a transaction. Rows are tuples."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Cursor:
        return self._connection.execute(_translated(statement), _storable(values))

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(_translated(statement), [_storable(row) for row in rows])

    def close(self) -> None:
        """A transaction that was not committed is rolled back."""
        self._connection.close()


@contextmanager
def connected(url: str) -> Iterator[PostgresConnection]:
    """A connection to the database at `url`. Raises SettingsError, ServiceError or InputError, also for the block."""
    psycopg = _driver()
    with _errors(url, psycopg), closing(_opened(url, psycopg)) as usable:
        yield usable


def _opened(url: str, psycopg: Any) -> PostgresConnection:
    connection = psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=CONNECT_TIMEOUT,
        application_name="ticketattr",
        # Prepared statements would stay behind in the session that a pooler hands to somebody else.
        prepare_threshold=None,
        tcp_user_timeout=30_000,
        **_KEEPALIVES,
    )
    return PostgresConnection(connection)


@dataclass(frozen=True)
class Tables:
    """A group of tables in the database at `url`, created by `statements` when they are first changed.

    `number` tells its locks from those of other groups. Every call opens a connection.
    """

    url: str
    name: str
    number: int
    version: int
    statements: tuple[str, ...]

    @property
    def where(self) -> str:
        """Where they are, for people, without a password."""
        return f"the database {place_of(self.url)}"

    def exist(self) -> bool:
        """Whether somebody created the tables."""
        with connected(self.url) as db:
            return self._has_schema(db)

    def check(self) -> bool:
        """As `exist`. Raises SettingsError if the database only allows to read."""
        with connected(self.url) as db:
            if db.execute(_READ_ONLY).fetchone()[0]:
                hint = "DATABASE_URL must lead to the primary server."
                raise SettingsError(f"{self.where} only allows to read", hint=hint)
            return self._has_schema(db)

    @contextmanager
    def reading(self) -> Iterator[Connection | None]:
        """A connection with one consistent view of all tables; None if nobody created them."""
        with connected(self.url) as db:
            db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield db if self._has_schema(db) else None

    @contextmanager
    def changing(self, *, may_be_new: bool = True) -> Iterator[Connection]:
        """A transaction that no other process can come between. Nothing of it stays if the block raises.

        Raises ServiceError if this process held the lock, and another one took it over.
        """
        with connected(self.url) as db:
            if may_be_new:
                self._ensure_schema(db)
            elif not self._has_schema(db):
                raise SettingsError(
                    f"the {self.name} in {self.where} has disappeared",
                    hint="Restore it: without it, nobody knows what was done.",
                )
            # If anything fails before COMMIT, closing the connection rolls back.
            self._begin(db)
            owner = _owners.get((self.url, self.name))
            if owner and _holder(db, self.name)[0] != owner:
                raise ServiceError(
                    f"another process took over the {self.name}, because the connection to the database was lost",
                    hint="Run the command again: it settles what is in doubt now.",
                )
            yield db
            db.execute("COMMIT")

    @contextmanager
    def lock(self, who: str, at: datetime, wait: float) -> Iterator[datetime]:
        """Hold the lock for the block. Yields the time since when: `at` plus the time waited.

        Raises BusyError if another process, on any host, holds it for longer than `wait` seconds.
        """
        began = time.monotonic()
        with connected(self.url) as session:
            self._ensure_schema(session)
            while not (owner := self.take_lock(session, who, since := _later(at, began))):
                if time.monotonic() - began >= max(wait, _LEAST_WAIT):
                    hint = "Try again when it has ended, or use `--wait`."
                    raise BusyError(f"another ticketattr is at work: {_holder(session, self.name)[1]}", hint=hint)
                time.sleep(_PAUSE)
            _owners[self.url, self.name] = owner
            try:
                yield since
            finally:
                del _owners[self.url, self.name]
                # If this fails, the next process replaces the row anyway.
                with suppress(Exception):
                    session.execute("DELETE FROM ticketattr_holders WHERE owner = ?", (owner,))

    def take_lock(self, session: Connection, who: str, since: datetime) -> str:
        """Take the lock for as long as the session lasts. Returns what is in the row; empty if another one has it."""
        if not session.execute("SELECT pg_try_advisory_lock(?)", (_HOLDER_KEY + self.number,)).fetchone()[0]:
            return ""
        self._refuse_pooler(session)
        # The server ends the session, and frees the lock, soon after the machine of this process is gone.
        for name, value in _KEEPALIVES.items():
            session.execute(f"SET tcp_{name} = {value}")
        return self._sign(session, who, since)

    def lock_holder(self) -> str:
        """The process that holds the lock, on any host; empty if none does."""
        key = _HOLDER_KEY + self.number
        query = (
            "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
            " WHERE datname = current_database() AND locktype = 'advisory' AND granted"
            " AND classid::bigint = ? AND objid::bigint = ?"
        )
        with connected(self.url) as db:
            is_locked = db.execute(query, (key >> 32, key & 0xFFFFFFFF)).fetchone()
            return _holder(db, self.name)[1] if is_locked and self._has_schema(db) else ""

    def _sign(self, session: Connection, who: str, since: datetime) -> str:
        owner = secrets.token_hex(16)
        self._begin(session)
        session.execute("DELETE FROM ticketattr_holders WHERE name = ?", (self.name,))
        session.execute(
            "INSERT INTO ticketattr_holders VALUES (?, ?, ?)",
            (self.name, owner, f"process {getpid()}{f' of {who}' if who else ''} since {since:%Y-%m-%d %H:%M:%S} UTC"),
        )
        session.execute("COMMIT")
        return owner

    def _refuse_pooler(self, session: Connection) -> None:
        """A pooler in transaction mode gives one session to several clients, which would all have the lock."""
        backend = "SELECT pg_backend_pid()"
        with connected(self.url) as other:
            is_same = session.execute(backend).fetchone() == other.execute(backend).fetchone()
            if is_same or other.execute("SELECT pg_try_advisory_lock(?)", (_HOLDER_KEY + self.number,)).fetchone()[0]:
                raise SettingsError(
                    f"{self.where} is behind a pooler that shares sessions (transaction mode), so no lock holds",
                    hint="DATABASE_URL must lead to the server itself, or to a pooler in session mode.",
                )

    def _begin(self, db: Connection) -> None:
        db.execute("BEGIN")
        db.execute("SELECT pg_advisory_xact_lock(?)", (_GROUP_KEY + self.number,))

    def _ensure_schema(self, db: Connection) -> None:
        if self._has_schema(db):
            return
        db.execute("BEGIN")
        db.execute("SELECT pg_advisory_xact_lock(?)", (_SCHEMA_KEY,))
        # Read again under the lock: another host may have created the tables in the meantime.
        if not self._has_schema(db):
            for statement in (*_BASE, *self.statements):
                db.execute(statement)
            db.execute("INSERT INTO ticketattr_schema VALUES (?, ?)", (self.name, self.version))
        db.execute("COMMIT")

    def _has_schema(self, db: Connection) -> bool:
        """Whether the tables exist. Raises InputError if another version created them."""
        # FROM: without a table to lock, the server would answer from what it knew before it waited for another host.
        if not db.execute("SELECT to_regclass('ticketattr_schema') FROM pg_class LIMIT 1").fetchone()[0]:
            return False
        found = db.execute("SELECT version FROM ticketattr_schema WHERE name = ?", (self.name,)).fetchone()
        if found and found[0] != self.version:
            raise InputError(
                f"the {self.name} in {self.where} has schema version {found[0]}, which this ticketattr cannot read",
                hint="Install the version of ticketattr that wrote it on every host.",
            )
        return bool(found)


@dataclass
class Leader:
    """Lets one of the processes that call it lead, on any host: the one whose session has the lock of `tables`.

    If its connection breaks, the database frees the lock, and the next process that calls leads. May be called by
    several threads. Raises SettingsError, ServiceError or InputError; then this process does not lead.
    """

    tables: Tables
    who: str
    _session: PostgresConnection | None = None
    _leads: bool = False
    _lock: Lock = field(default_factory=Lock)

    def __call__(self) -> bool:
        """Whether this process leads now."""
        psycopg = _driver()
        with self._lock, _errors(self.tables.url, psycopg):
            try:
                self._session = self._session or _opened(self.tables.url, psycopg)
                self._leads = self._leads_in(self._session)
            except BaseException:
                self._end()
                raise
            return self._leads

    def close(self) -> None:
        """Let another process lead."""
        with self._lock:
            self._end()

    def _leads_in(self, session: PostgresConnection) -> bool:
        if self._leads:
            session.execute("SELECT 1")
            return True
        return bool(self.tables.take_lock(session, self.who, _time_of(session)))

    def _end(self) -> None:
        session, self._session, self._leads = self._session, None, False
        if session:
            session.close()


@dataclass
class DatabaseClock:
    """The time of the database at `url`, in UTC, which is the same for all hosts.

    It goes on while the database is away. Raises what `connected` raises if the database was never there.
    """

    url: str
    _known: tuple[datetime, float] | None = None
    _asked: float = 0.0

    def __call__(self) -> datetime:
        if self._known is None:
            self._ask()
        elif time.monotonic() - self._asked > _CLOCK_ASKED:
            with suppress(ServiceError, SettingsError, InputError):
                self._ask()
        assert self._known is not None  # noqa: S101  # nosec B101  # for the type checker
        at, read = self._known
        return at + timedelta(seconds=time.monotonic() - read)

    def _ask(self) -> None:
        self._asked = time.monotonic()
        with connected(self.url) as db:
            self._known = _time_of(db), time.monotonic()


def _time_of(db: Connection) -> datetime:
    at: datetime = db.execute("SELECT clock_timestamp()").fetchone()[0]
    return at.astimezone(timezone.utc)


def _later(at: datetime, began: float) -> datetime:
    return at + timedelta(seconds=time.monotonic() - began)


def _holder(db: Connection, name: str) -> tuple[str, str]:
    """What the process that has or had the lock wrote: a random text, and who it is."""
    found = db.execute("SELECT owner, who FROM ticketattr_holders WHERE name = ?", (name,)).fetchone()
    return (str(found[0]), str(found[1])) if found else ("", "unknown process")


def tables(statements: Sequence[str]) -> tuple[str, ...]:
    """The statements of a schema for SQLite as PostgreSQL understands them. Triggers are not among them."""
    return tuple(
        statement.replace("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY")
        .replace("INTEGER", "BIGINT")
        .replace("REAL", "DOUBLE PRECISION")
        for statement in statements
        if not statement.lstrip().startswith(("CREATE TRIGGER", "PRAGMA"))
    )


def only_added_to(table: str, *verbs: str) -> tuple[str, ...]:
    """The statements that make PostgreSQL refuse these verbs (UPDATE, DELETE) on a table."""
    return tuple(
        f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION ticketattr_refuse()"
        for verb in verbs
    )


def place_of(url: str) -> str:
    """Host and name of a database, for people: without user, password and options."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'local'}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _driver() -> Any:
    try:
        import psycopg
    except ImportError:
        raise SettingsError(
            "DATABASE_URL needs psycopg, which is not installed",
            hint=install_hint("postgres"),
        ) from None
    return psycopg


@contextmanager
def _errors(url: str, psycopg: Any) -> Iterator[None]:
    """Raises the errors of the driver as ours. The words of the server are shown, and never the URL itself."""
    try:
        yield
    except psycopg.Error as error:
        words = str(error).strip().partition("\n")[0]
        message = with_words(f"the database {place_of(url)} cannot be used", words or type(error).__name__)
        if isinstance(error, (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.InsufficientPrivilege)):
            hint = "DATABASE_URL must lead to the primary server, and its user must own the tables."
            raise SettingsError(message, hint=hint) from error
        if isinstance(error, psycopg.OperationalError):
            # An error of the connection has no code, only words.
            if any(sign in words for sign in _OF_THE_URL):
                raise SettingsError(message, hint="Check DATABASE_URL.") from error
            raise ServiceError(message, hint="Check the server and its disk, then try again.") from error
        if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None:
            raise SettingsError(message, hint="Check DATABASE_URL: postgresql://user@host/name.") from error
        raise InputError(message, hint="Check that only ticketattr changes these tables.") from error


@lru_cache(maxsize=512)
def _translated(statement: str) -> str:
    return statement.replace("%", "%%").replace("?", "%s")


def _storable(values: Sequence[Any]) -> list[Any]:
    """PostgreSQL stores neither NUL nor half surrogate pairs."""
    return [_text(value) if isinstance(value, str) else value for value in values]


def _text(value: str) -> str:
    if "\0" in value:
        value = value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return value.encode("utf-8", "backslashreplace").decode()
