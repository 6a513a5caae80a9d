"""The run history as a JSON file.

    {"kind": "run_history", "schema_version": 1, "generator": "ticketattr 0.2.0", "data": …}

The program works without it. If it is lost, the counters start from 0, and an alert may be sent a second time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ... import __version__
from ...domain.run_history import RunHistory
from ...errors import InputError, TicketAttrError
from ..files import keep_others_out, make_folder, read_bounded, replacing, write_error
from ..json_text import dump_json, parse_json

SCHEMA_VERSION = 1

_MAX_BYTES = 1024 * 1024
_LONGEST_WAIT = 5.0
_RUN_HISTORY = TypeAdapter(RunHistory)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunHistoryFile:
    """The file of the run history; only its owner may read it."""

    path: Path

    def change(self, change: Callable[[RunHistory], RunHistory]) -> RunHistory:
        with self._locked() as is_locked:
            history = change(self._read_or_empty())
            if is_locked:
                self._write(history)
            return history

    def read(self) -> RunHistory | None:
        """The history; None if there is no file yet. Raises InputError if the file is damaged."""
        if not self.path.exists():
            return None
        content = parse_json(read_bounded(self.path, _MAX_BYTES), str(self.path))
        try:
            return _with_time_zones(_RUN_HISTORY.validate_python(_data(content)))
        except ValidationError as error:
            raise InputError(f"{error.error_count()} values are wrong") from error

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        """Hold the lock for the block. Yields False if the lock could not be taken; a warning says why."""
        from filelock import FileLock, Timeout

        with ExitStack() as stack:
            reason: object = None
            try:
                make_folder(self.path.parent)
                path = self.path.with_name(f"{self.path.name}.lock")
                keep_others_out(path)
                lock = FileLock(path, mode=0o600)
                stack.enter_context(lock.acquire(timeout=_LONGEST_WAIT))
            except Timeout:
                reason = f"another process holds {self.path}"
            except OSError as error:
                reason = write_error(self.path, error)
            except TicketAttrError as error:
                reason = error
            if reason:
                log.warning("the run history is not updated: %s", reason)
            yield not reason

    def _read_or_empty(self) -> RunHistory:
        try:
            return self.read() or RunHistory()
        except InputError as error:
            log.warning("the run history cannot be read, so a new one is started: %s", error)
            return RunHistory()

    def _write(self, history: RunHistory) -> None:
        data = _RUN_HISTORY.dump_python(history, mode="json")
        content = {"kind": "run_history", "schema_version": SCHEMA_VERSION, "generator": f"ticketattr {__version__}"}
        try:
            with replacing(self.path) as file:
                file.write(dump_json({**content, "data": data}))
        except TicketAttrError as error:
            log.warning("the run history is not updated: %s", error)


def _data(content: Any) -> Any:
    if not isinstance(content, dict) or content.get("kind") != "run_history":
        raise InputError("it is not a run history")
    if content.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"it has schema version {content.get('schema_version')}, not {SCHEMA_VERSION}")
    return content.get("data")


def _with_time_zones(history: RunHistory) -> RunHistory:
    """The same history. Raises InputError if a time has no time zone, because it cannot be compared with others."""
    times = [*history.last_success.values(), *(record.ended for record in history.last_run.values())]
    if not all(time.tzinfo for time in times):
        raise InputError("a time in it has no time zone")
    return history
