"""A cache of the answers of a model, in one SQLite file that several processes may share, or in PostgreSQL.

Without the cache, a run costs more and works as well. So a cache that cannot be used causes one warning, and the run
continues.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TypeVar

from ...application.batches import chunks
from ...application.ports import Clock
from ...domain.catalog import ServiceCatalog
from ...domain.clock_leap import find_leap
from ...domain.ticket import Attribution, Outcome, Ticket, Unattributed
from ...errors import TicketAttrError
from ..databases.postgres import Tables
from ..databases.sql import Connection
from ..files import make_private

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
KEEP_DAYS = 30
"""An answer that was not used for so long is deleted."""

_TABLE = "CREATE TABLE answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL, used TEXT NOT NULL)"
_INDEX = "CREATE INDEX answers_used ON answers (used)"
_SCHEMA = f"""
BEGIN;
{_TABLE} WITHOUT ROWID;
{_INDEX};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
_PUT = (
    "INSERT INTO answers VALUES (?, ?, ?)"
    " ON CONFLICT (key) DO UPDATE SET answer = excluded.answer, used = excluded.used"
)
_AT_ONCE = 500

T = TypeVar("T")


class NoAnswerCache:
    """An empty cache, for a classifier whose answers cost nothing."""

    def get(self, tickets: Mapping[str, Ticket], catalog: ServiceCatalog) -> dict[str, Outcome]:
        return {}

    def put(self, answers: Mapping[str, Outcome], tickets: Mapping[str, Ticket]) -> None:
        return None


class SQLAnswerCache(ABC):
    """The answers of the models that are asked: `is_asked` says of a model that answered whether it is one of them.

    An answer of another model is kept, and not returned. With `fresh`, it returns no answers, so that all are asked for
    again. It keeps the new answers.
    """

    def __init__(self, clock: Clock, is_asked: Callable[[str], bool], *, fresh: bool = False) -> None:
        self._clock = clock
        self._is_asked = is_asked
        self._fresh = fresh
        self._usable = True

    def get(self, tickets: Mapping[str, Ticket], catalog: ServiceCatalog) -> dict[str, Outcome]:
        if self._fresh:
            return {}
        return self._use(lambda db: self._read(db, list(tickets), catalog), may_be_new=False) or {}

    def put(self, answers: Mapping[str, Outcome], tickets: Mapping[str, Ticket]) -> None:
        now = self._clock().isoformat()
        rows = [(key, _encode(outcome), now) for key, outcome in answers.items()]
        self._use(lambda db: db.executemany(_PUT, rows), may_be_new=True)

    def delete_unused(self) -> None:
        """Delete the answers that were not used for KEEP_DAYS, unless the clock has leapt."""
        self._use(self._delete_unused, may_be_new=False)

    @abstractmethod
    def _use(self, use: Callable[[Connection], T], *, may_be_new: bool) -> T | None:
        """What `use` returns, or None when the cache does not exist or cannot be used."""

    def _do_without(self, where: str, reason: str) -> None:
        self._usable = False
        log.warning("the answer cache %s is not used in this run: %s", where, reason)

    def _read(self, file: Connection, keys: Sequence[str], catalog: ServiceCatalog) -> dict[str, Outcome]:
        found: dict[str, Outcome] = {}
        for some in chunks(keys, _AT_ONCE):
            marks = ",".join("?" * len(some))
            for key, answer in file.execute(f"SELECT key, answer FROM answers WHERE key IN ({marks})", some):  # noqa: S608  # nosec B608  # only question marks
                outcome = _decode(answer, catalog)
                if outcome and self._is_asked(outcome.model):
                    found[key] = outcome
        file.executemany(
            "UPDATE answers SET used = ? WHERE key = ?", [(self._clock().isoformat(), key) for key in found]
        )
        self._delete_unused(file)
        return found

    def _delete_unused(self, file: Connection) -> None:
        now = self._clock()
        if not find_leap(_days_of_use(file), now):
            file.execute("DELETE FROM answers WHERE used < ?", ((now - timedelta(days=KEEP_DAYS)).isoformat(),))


class SQLiteAnswerCache(SQLAnswerCache):
    """The answers in the file at `path`."""

    def __init__(self, path: Path, clock: Clock, is_asked: Callable[[str], bool], *, fresh: bool = False) -> None:
        super().__init__(clock, is_asked, fresh=fresh)
        self._path = path

    def _use(self, use: Callable[[Connection], T], *, may_be_new: bool) -> T | None:
        if not self._usable or not (may_be_new or self._path.exists()):
            return None
        try:
            with self._opened() as file:
                return use(file)
        except sqlite3.OperationalError as error:
            self._do_without(str(self._path), str(error))
        except sqlite3.DatabaseError as error:
            self._set_aside(str(error))
        except TicketAttrError as error:
            self._do_without(str(self._path), str(error))
        return None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        make_private(self._path)
        with closing(sqlite3.connect(self._path, timeout=10)) as file:
            upgrade_answers(file, self._path)
            # A killed process loses no answers, and a machine that loses power loses a few at most.
            file.execute("PRAGMA synchronous = NORMAL")
            with file:
                yield file

    def _set_aside(self, reason: str) -> None:
        aside = self._path.with_name(f"{self._path.name}.damaged-{self._clock():%Y%m%dT%H%M%SZ}")
        try:
            self._path.rename(aside)
        except OSError as error:
            self._do_without(str(self._path), f"{reason}; {error.strerror}")
            return
        log.warning("the answer cache %s is damaged (%s) and was renamed to %s", self._path, reason, aside.name)


class PostgresAnswerCache(SQLAnswerCache):
    """The answers in the database at `url`, which several hosts share."""

    def __init__(self, url: str, clock: Clock, is_asked: Callable[[str], bool], *, fresh: bool = False) -> None:
        super().__init__(clock, is_asked, fresh=fresh)
        self._tables = answer_tables(url)

    def _use(self, use: Callable[[Connection], T], *, may_be_new: bool) -> T | None:
        try:
            if self._usable and (may_be_new or self._tables.exist()):
                with self._tables.changing() as db:
                    return use(db)
        except TicketAttrError as error:
            self._do_without(f"in {self._tables.where}", str(error))
        return None


def answer_tables(url: str) -> Tables:
    """The table of answers in the database at `url`."""
    return Tables(url, "answer cache", 4, 1, (_TABLE, _INDEX))


def upgrade_answers(file: sqlite3.Connection, path: Path) -> None:
    """Give an empty file the present schema. Raises OperationalError for the file of a newer version."""
    (version,) = file.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise sqlite3.OperationalError(f"a newer version ({version}) wrote it")
    if version == 0:
        file.executescript("PRAGMA journal_mode = WAL;" + _SCHEMA)


def _encode(outcome: Outcome) -> str:
    if isinstance(outcome, Unattributed):
        return json.dumps({"no_match": outcome.detail, "model": outcome.model})
    return json.dumps(
        {
            "request_category": outcome.entry.category,
            "request_type": outcome.entry.name,
            "confidence": outcome.confidence,
            "evidence": outcome.evidence,
            "model": outcome.model,
        }
    )


def _decode(text: str, catalog: ServiceCatalog) -> Outcome | None:
    """Returns None if the text is not a valid answer, or if `catalog` no longer has its request type."""
    try:
        answer = json.loads(text)
        if "no_match" in answer:
            return Unattributed("no_match", str(answer["no_match"]), str(answer["model"]))
        entry = catalog.find(str(answer["request_category"]), str(answer["request_type"]))
        if entry is None:
            return None
        return Attribution(entry, "model", answer["confidence"], str(answer["evidence"]), model=str(answer["model"]))
    except (ValueError, TypeError, KeyError):
        return None


def _days_of_use(file: Connection) -> Iterator[datetime]:
    for (day,) in file.execute("SELECT DISTINCT substr(used, 1, 10) FROM answers"):
        with suppress(ValueError):
            yield datetime.fromisoformat(day).replace(tzinfo=timezone.utc)
