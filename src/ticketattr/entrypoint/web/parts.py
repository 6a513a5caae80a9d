"""What pages and API share: the parts of the service, who calls, and the reports as they were read last."""

from __future__ import annotations

import os
import re
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from fastapi import HTTPException, Request

from ...application.ports import ReportLogMaintenance
from ...application.report_store import ReportStore
from ...application.report_tracker import ReportTracker
from ...application.service.access import caller_of_secret, caller_of_session
from ...application.service.review import Reviewing, open_review, review_version
from ...application.service.runs import Service
from ...domain.access import Caller
from ...domain.access import Scope as Rights
from ...domain.chat import Platform
from ...domain.report_status import ReportStatus
from ...domain.write_back import Change
from ...infrastructure.delivery.inspection_cache import identity_of
from ...infrastructure.network.service_words import without_secrets
from ..presentation.log_lines import plain
from ..settings.serve import ServeSettings
from .guard import FailureLimit
from .stored_reports import StoredReports

COOKIE = "ticketattr_session"

_ADDRESS = re.compile(r"[^\s<>@,;:]{1,200}@[\w.-]{1,250}")

T = TypeVar("T")


def random_secret() -> str:
    """256 random bits, as text."""
    return secrets.token_urlsafe(32)


@dataclass(slots=True)
class Cached(Generic[T]):
    """A value that is read again when `version` has changed; `version` is asked at most once per second.

    One caller reads at a time. The others get the value that was read before, and wait only if there is none.
    `clock` returns seconds and never goes back.
    """

    read: Callable[[], T]
    version: Callable[[], object]
    clock: Callable[[], float]
    _asked: float = -1.0
    _version: object = None
    _value: T | None = None
    _lock: Lock = field(default_factory=Lock)

    def get(self) -> T:
        """The value. Raises what `read` raises."""
        if (recent := self.recent) is not None:
            return recent
        value = self._value
        if value is not None and not self._lock.acquire(blocking=False):
            return value
        if value is None:
            self._lock.acquire()
        try:
            return self._refreshed()
        finally:
            self._lock.release()

    @property
    def recent(self) -> T | None:
        """The value, if nothing has to be asked or read for it; None otherwise."""
        return self._value if self.clock() - self._asked < 1.0 else None

    def _refreshed(self) -> T:
        # The version of before: what changes while the value is read is read the next time.
        now, version = self.clock(), self.version()
        if self._value is None or version != self._version:
            self._value = self.read()
        self._asked, self._version = now, version
        return self._value


@dataclass(slots=True)
class Derived:
    """Bytes that were made of a value, kept as long as the value is the same object. Used by one thread."""

    MOST = 100

    _value: object = None
    _made: dict[object, bytes] = field(default_factory=dict)

    def get(self, value: object, key: object, make: Callable[[], bytes]) -> bytes:
        """What `make` returned for this value and key. Raises what `make` raises."""
        if value is not self._value or len(self._made) >= self.MOST:
            self._value, self._made = value, {}
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """The answered requests, by door (`api`, `page`) and class of the status (`2xx`)."""

    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def add(self, path: str, status: int) -> None:
        """Count a request of `path` that was answered with `status`."""
        door = "api" if path.startswith("/api/") else "page"
        with self._lock:
            self._counts[door, f"{status // 100}xx"] += 1

    def all(self) -> dict[tuple[str, str], int]:
        """The counts so far."""
        with self._lock:
            return dict(self._counts)


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the service that requests need. `log` is changed only under its own lock.

    `to_review` is the number of tickets that wait for a review. `changes` are those in the helpdesk, oldest first.
    `write_page` writes the page of a run to a path, and raises StageFileError if the data of the run are gone. `stored`
    says what is in `store`. `tasks` work beside the requests, as long as the service does. `platforms` are those of the
    chat.
    """

    service: Service
    settings: ServeSettings
    tracker: ReportTracker
    log: ReportLogMaintenance
    reports: Cached[list[ReportStatus]]
    reviewing: Reviewing
    to_review: Cached[int]
    changes: Cached[list[Change]]
    write_page: Callable[[str, Path], None]
    store: ReportStore | None = None
    stored: StoredReports = field(default_factory=lambda: StoredReports([]))
    tasks: Sequence[Callable[[], Awaitable[None]]] = ()
    platforms: Sequence[Platform] = ()
    report_pages: Derived = field(default_factory=Derived)
    failures: FailureLimit = field(default_factory=FailureLimit)
    requests: RequestCounts = field(default_factory=RequestCounts)


def waiting_for_review(reviewing: Reviewing, now: Callable[[], datetime], clock: Callable[[], float]) -> Cached[int]:
    """The number of tickets that wait for a review, which takes seconds to count in a large queue."""

    def count() -> int:
        review = open_review(reviewing, now())
        return len(review.items) if review else 0

    return Cached(count, lambda: review_version(reviewing), clock)


def shown_line(line: str) -> str:
    """A line of a log as anybody may see it: no control characters, no secret of the settings, no mail address."""
    return _ADDRESS.sub("(address)", plain(without_secrets(line)))


def downloads_of(parts: Parts) -> Path:
    """The folder of files that are made for one download."""
    return parts.settings.tracker.folders.work / "service" / "downloads"


def parts_of(request: Request) -> Parts:
    """The parts of the service that got `request`."""
    parts: Parts = request.app.state.parts
    return parts


def folder_version(folder: Path) -> object:
    """Something that changes when a workbook is added to `folder`, removed, replaced or written.

    Other files of the folder do not count: SQLite adds and removes some whenever a database there is read.
    """
    try:
        with os.scandir(folder) as entries:
            workbooks = [entry for entry in entries if ".xlsx" in entry.name.lower()]
            return frozenset((entry.name, identity_of(entry.stat(follow_symlinks=False))) for entry in workbooks)
    except OSError:
        return None


def bearer(rights: Rights) -> Callable[[Request], Caller]:
    """A dependency: the caller whom a bearer token names. Sessions of people do not count.

    Raises HTTPException: 401 without a valid token, 403 without the rights, 429 after too many failures.
    """

    def caller(request: Request) -> Caller:
        parts, origin = parts_of(request), origin_of(request)
        _refuse_while_waiting(parts, origin)
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret.strip():
            raise HTTPException(401, "send a token: `Authorization: Bearer …` (`ticketattr token create`)")
        found = caller_of_secret(parts.service.state, secret.strip(), origin, parts.service.clock())
        if not found:
            parts.failures.add(origin)
            raise HTTPException(401, "the token is not known, or it is no longer valid")
        return _with_rights(found, rights)

    return caller


def person(rights: Rights) -> Callable[[Request], Caller]:
    """A dependency: the person who signed in, or whom a trusted proxy names. Raises HTTPException 401 or 403."""

    def caller(request: Request) -> Caller:
        found = signed_in(request)
        if not found:
            raise HTTPException(401, "sign in first")
        return _with_rights(found, rights)

    return caller


def signed_in(request: Request) -> Caller | None:
    """The person who signed in, or whom a trusted proxy names; None for anybody else."""
    parts, origin = parts_of(request), origin_of(request)
    header = parts.settings.user_header
    if header and request.scope["state"]["by_proxy"] and (name := request.headers.get(header, "").strip()):
        return Caller(f"proxy:{name[:100]}", "operate", origin)
    cookie = request.cookies.get(COOKIE, "")
    return caller_of_session(parts.service.state, cookie, origin, parts.service.clock()) if cookie else None


def origin_of(request: Request) -> str:
    """The address that the request came from."""
    return request.client.host if request.client else ""


def _refuse_while_waiting(parts: Parts, origin: str) -> None:
    if wait := parts.failures.wait(origin):
        raise HTTPException(429, "too many wrong tokens", {"Retry-After": str(int(wait) + 1)})


def _with_rights(caller: Caller, rights: Rights) -> Caller:
    if not caller.may(rights):
        raise HTTPException(403, caller.refusal)
    return caller
