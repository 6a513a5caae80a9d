"""What is known from one run to the next, as a JSON file.

    {"kind": "run_history", "schema_version": 1, "generator": "ticketattr 0.1.0", "data": …}

It is of use, not of need: without it, figures start anew and somebody may be told a thing twice.
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
from ..files import make_folder, read_bounded, replacing, write_error
from ..json_text import dump_json, parse_json

SCHEMA_VERSION = 1

_MAX_BYTES = 1024 * 1024
_LONGEST_WAIT = 5.0
_RUN_HISTORY = TypeAdapter(RunHistory)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunHistoryFile:
    path: Path

    def change(self, change: Callable[[RunHistory], RunHistory]) -> RunHistory:
        with self._alone() as may_write:
            history = change(self._known())
            if may_write:
                self._write(history)
            return history

    def read(self) -> RunHistory | None:
        """None where nothing was remembered yet. Raises InputError when it cannot be used."""
        if not self.path.exists():
            return None
        content = parse_json(read_bounded(self.path, _MAX_BYTES), str(self.path))
        try:
            return _whole(_RUN_HISTORY.validate_python(_data(content)))
        except ValidationError as error:
            raise InputError(f"{error.error_count()} values are wrong") from error

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether nobody else is at it until the block ends."""
        from filelock import FileLock, Timeout

        with ExitStack() as stack:
            reason: object = None
            try:
                make_folder(self.path.parent)
                lock = FileLock(self.path.with_name(f"{self.path.name}.lock"))
                stack.enter_context(lock.acquire(timeout=_LONGEST_WAIT))
            except Timeout:
                reason = f"another process holds {self.path}"
            except OSError as error:
                reason = write_error(self.path, error)
            except TicketAttrError as error:
                reason = error
            if reason:
                log.warning("how this run ended is not remembered: %s", reason)
            yield not reason

    def _known(self) -> RunHistory:
        try:
            return self.read() or RunHistory()
        except InputError as error:
            log.warning("what is remembered of earlier runs cannot be used, and starts anew: %s", error)
            return RunHistory()

    def _write(self, history: RunHistory) -> None:
        data = _RUN_HISTORY.dump_python(history, mode="json")
        content = {"kind": "run_history", "schema_version": SCHEMA_VERSION, "generator": f"ticketattr {__version__}"}
        try:
            with replacing(self.path) as file:
                file.write(dump_json({**content, "data": data}))
        except TicketAttrError as error:
            log.warning("how this run ended is not remembered: %s", error)


def _data(content: Any) -> Any:
    if not isinstance(content, dict) or content.get("kind") != "run_history":
        raise InputError("it is no such file")
    if content.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"it is of schema version {content.get('schema_version')}, not {SCHEMA_VERSION}")
    return content.get("data")


def _whole(history: RunHistory) -> RunHistory:
    """Raises InputError for times without a zone, which compare with no other."""
    times = [*history.succeeded.values(), *(record.ended for record in history.last.values())]
    if not all(time.tzinfo for time in times):
        raise InputError("a time in it has no zone")
    return history
