"""What is known from one run to the next, as a JSON file.

    {"kind": "memory", "schema_version": 1, "generator": "ticketattr 0.1.0", "data": …}

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

from .. import __version__
from ..domain.operation import Memory
from ..errors import InputError, TicketAttrError
from .files import make_folder, read_bounded, replacing, write_error
from .json_text import dump_json, parse_json

SCHEMA_VERSION = 1

_MAX_BYTES = 1024 * 1024
_LONGEST_WAIT = 5.0
_MEMORY = TypeAdapter(Memory)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MemoryFile:
    path: Path

    def change(self, change: Callable[[Memory], Memory]) -> Memory:
        with self._alone() as may_write:
            memory = change(self._known())
            if may_write:
                self._write(memory)
            return memory

    def read(self) -> Memory | None:
        """None where nothing was remembered yet. Raises InputError when it cannot be used."""
        if not self.path.exists():
            return None
        content = parse_json(read_bounded(self.path, _MAX_BYTES), str(self.path))
        try:
            return _whole(_MEMORY.validate_python(_data(content)))
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

    def _known(self) -> Memory:
        try:
            return self.read() or Memory()
        except InputError as error:
            log.warning("what is remembered of earlier runs cannot be used, and starts anew: %s", error)
            return Memory()

    def _write(self, memory: Memory) -> None:
        data = _MEMORY.dump_python(memory, mode="json")
        content = {"kind": "memory", "schema_version": SCHEMA_VERSION, "generator": f"ticketattr {__version__}"}
        try:
            with replacing(self.path) as file:
                file.write(dump_json({**content, "data": data}))
        except TicketAttrError as error:
            log.warning("how this run ended is not remembered: %s", error)


def _data(content: Any) -> Any:
    if not isinstance(content, dict) or content.get("kind") != "memory":
        raise InputError("it is no such file")
    if content.get("schema_version") != SCHEMA_VERSION:
        raise InputError(f"it is of schema version {content.get('schema_version')}, not {SCHEMA_VERSION}")
    return content.get("data")


def _whole(memory: Memory) -> Memory:
    """Raises InputError for times without a zone, which compare with no other."""
    times = [*memory.succeeded.values(), *(record.ended for record in memory.last.values())]
    if not all(time.tzinfo for time in times):
        raise InputError("a time in it has no zone")
    return memory
