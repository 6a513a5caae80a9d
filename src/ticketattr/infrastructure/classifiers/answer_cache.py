"""A cache of the answers of a model, in one SQLite file that several processes may share.

Without the cache, a run costs more and works as well. So a file that cannot be used causes one warning, and the run
continues.
"""

from __future__ import annotations

import json
import logging
import sqlite3
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
from ..files import make_private

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
KEEP_DAYS = 30
"""An answer that was not used for so long is deleted."""

_SCHEMA = f"""
BEGIN;
CREATE TABLE answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL, used TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX answers_used ON answers (used);
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
_AT_ONCE = 500

T = TypeVar("T")


class NoAnswerCache:
    """An empty cache, for a classifier whose answers cost nothing."""

    def get(self, tickets: Mapping[str, Ticket], catalog: ServiceCatalog) -> dict[str, Outcome]:
        return {}

    def put(self, answers: Mapping[str, Outcome], tickets: Mapping[str, Ticket]) -> None:
        return None


class SQLiteAnswerCache:
    """The answers of the models that are asked: `is_asked` says of a model that answered whether it is one of them.

    An answer of another model is kept, and not returned. With `fresh`, it returns no answers, so that all are asked for
    again. It keeps the new answers.
    """

    def __init__(self, path: Path, clock: Clock, is_asked: Callable[[str], bool], *, fresh: bool = False) -> None:
        self._path = path
        self._clock = clock
        self._is_asked = is_asked
        self._fresh = fresh
        self._usable = True

    def get(self, tickets: Mapping[str, Ticket], catalog: ServiceCatalog) -> dict[str, Outcome]:
        if self._fresh or not self._path.exists():
            return {}
        return self._with_file(lambda file: self._read(file, list(tickets), catalog)) or {}

    def put(self, answers: Mapping[str, Outcome], tickets: Mapping[str, Ticket]) -> None:
        now = self._clock().isoformat()
        rows = [(key, _encode(outcome), now) for key, outcome in answers.items()]
        self._with_file(lambda file: file.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows))

    def _read(self, file: sqlite3.Connection, keys: Sequence[str], catalog: ServiceCatalog) -> dict[str, Outcome]:
        now = self._clock()
        found: dict[str, Outcome] = {}
        for some in chunks(keys, _AT_ONCE):
            marks = ",".join("?" * len(some))
            for key, answer in file.execute(f"SELECT key, answer FROM answers WHERE key IN ({marks})", some):  # noqa: S608  # nosec B608  # only question marks
                outcome = _decode(answer, catalog)
                if outcome and self._is_asked(outcome.model):
                    found[key] = outcome
        file.executemany("UPDATE answers SET used = ? WHERE key = ?", [(now.isoformat(), key) for key in found])
        if not find_leap(_days_of_use(file), now):
            file.execute("DELETE FROM answers WHERE used < ?", ((now - timedelta(days=KEEP_DAYS)).isoformat(),))
        return found

    def _with_file(self, use: Callable[[sqlite3.Connection], T]) -> T | None:
        """Returns what `use` returns, or None when the file cannot be used."""
        if not self._usable:
            return None
        try:
            with self._opened() as file:
                return use(file)
        except sqlite3.OperationalError as error:
            self._do_without(str(error))
        except sqlite3.DatabaseError as error:
            self._set_aside(str(error))
        except TicketAttrError as error:
            self._do_without(str(error))
        return None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        make_private(self._path)
        with closing(sqlite3.connect(self._path, timeout=10)) as file:
            (version,) = file.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise sqlite3.OperationalError(f"a newer version ({version}) wrote it")
            if version == 0:
                file.executescript("PRAGMA journal_mode = WAL;" + _SCHEMA)
            # A killed process loses no answers, and a machine that loses power loses a few at most.
            file.execute("PRAGMA synchronous = NORMAL")
            with file:
                yield file

    def _do_without(self, reason: str) -> None:
        self._usable = False
        log.warning("the answer cache %s is not used in this run: %s", self._path, reason)

    def _set_aside(self, reason: str) -> None:
        aside = self._path.with_name(f"{self._path.name}.damaged-{self._clock():%Y%m%dT%H%M%SZ}")
        try:
            self._path.rename(aside)
        except OSError as error:
            self._do_without(f"{reason}; {error.strerror}")
            return
        log.warning("the answer cache %s is damaged (%s) and was renamed to %s", self._path, reason, aside.name)


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


def _days_of_use(file: sqlite3.Connection) -> Iterator[datetime]:
    for (day,) in file.execute("SELECT DISTINCT substr(used, 1, 10) FROM answers"):
        with suppress(ValueError):
            yield datetime.fromisoformat(day).replace(tzinfo=timezone.utc)
