"""A queue of which only the changes are asked for, with the tickets of the last complete fetch in a file.

    {"kind": "queue", "schema_version": 1, "source", "fetched_at", "read_whole_at", "tickets"}

`source` is a digest of helpdesk, profile and filters. A file of another source, or a damaged one, is not used: then the
whole queue is read.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from ...application.ports import Clock
from ...domain.ticket import Ticket
from ...domain.wording import counted
from ...errors import InputError, TicketAttrError
from ..files import read_bounded, replacing
from ..json_text import dump_json, parse_json
from .mapping import MappedTicket
from .profile_helpdesk import ProfileHelpdesk
from .queue_reader import without_filtered

log = logging.getLogger(__name__)

OVERLAP = timedelta(days=1)
"""Changes are asked for from so long before the last fetch: the clock and the time zone of a helpdesk may differ."""

READ_WHOLE_EVERY = timedelta(days=1)
"""How long changes are enough: a ticket that was deleted, or moved out of sight, is no change."""

_KIND, _SCHEMA_VERSION = "queue", 1
_LARGEST = 1024 * 1024 * 1024


@checked_dataclass(frozen=True)
class _File:
    kind: str
    schema_version: int
    source: str
    fetched_at: AwareDatetime
    read_whole_at: AwareDatetime
    tickets: list[Ticket]


_ADAPTER = TypeAdapter(_File)


@dataclass(frozen=True, slots=True)
class IncrementalHelpdesk:
    """Asks `helpdesk` for what changed since the last complete fetch, whose tickets lie in the file `path`."""

    helpdesk: ProfileHelpdesk
    path: Path
    clock: Clock

    def fetch_tickets(self) -> list[Ticket]:
        """The whole queue. Raises SettingsError, InputError or ServiceError."""
        now, last = self.clock(), self._read()
        if self.helpdesk.profile.tickets.filters.since is None:
            log.info("the profile cannot ask for changes, so the whole queue is read (FETCH_SINCE)")
        elif last and timedelta(0) <= now - last.read_whole_at < READ_WHOLE_EVERY and last.fetched_at <= now:
            changes = replace(self.helpdesk, since=last.fetched_at - OVERLAP).fetch_mapped()
            changed = counted(len(changes.tickets), "ticket")
            log.info("%s changed since %s UTC", changed, f"{last.fetched_at:%Y-%m-%d %H:%M}")
            queue = self._merged(last.tickets, changes.tickets)
            return self._keep(queue, now, last.read_whole_at, is_complete=not changes.failures)
        whole = self.helpdesk.fetch_mapped()
        return self._keep(self._kept(whole.tickets), now, now, is_complete=not whole.failures)

    def _kept(self, mapped: Sequence[MappedTicket]) -> list[Ticket]:
        return [each.ticket for each in mapped if each.is_open or "open" not in self.helpdesk.keep]

    def _merged(self, queue: Sequence[Ticket], changes: Sequence[MappedTicket]) -> list[Ticket]:
        """The queue with each changed ticket in its place, new ones at the end, and closed ones left out."""
        changed = {each.ticket.id for each in changes}
        now = {ticket.id: ticket for ticket in self._kept(changes)}
        places = {ticket.id for ticket in queue}
        stay = [now.get(ticket.id, ticket) for ticket in queue if ticket.id not in changed or ticket.id in now]
        return [*stay, *(ticket for ticket in now.values() if ticket.id not in places)]

    def _keep(self, queue: list[Ticket], now: datetime, whole: datetime, *, is_complete: bool) -> list[Ticket]:
        # A ticket whose description could not be read must be asked for again.
        if is_complete:
            self._write(_File(_KIND, _SCHEMA_VERSION, self._source, now, whole, queue))
        return without_filtered(queue, self.helpdesk.keep)

    def _read(self) -> _File | None:
        if not self.path.exists():
            return None
        try:
            content = read_bounded(self.path, _LARGEST)
            file = _ADAPTER.validate_python(parse_json(content, str(self.path), max_objects=len(content)))
        except (InputError, ValidationError):
            log.warning("%s is damaged and not used: the whole queue is read", self.path)
            return None
        return file if (file.kind, file.schema_version, file.source) == (_KIND, _SCHEMA_VERSION, self._source) else None

    def _write(self, file: _File) -> None:
        try:
            with replacing(self.path) as target:
                target.write(dump_json(_ADAPTER.dump_python(file, mode="json")))
        except TicketAttrError as error:
            log.warning("the queue is not kept for the next fetch, which reads all of it: %s", error)

    @property
    def _source(self) -> str:
        helpdesk = self.helpdesk
        keeps_open = "open" in helpdesk.keep
        text = f"{helpdesk.access.location}\n{stable_repr(helpdesk.profile)}\n{keeps_open}"
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def stable_repr(value: object) -> str:
    """The `repr` of a profile, but with sets in order: that of a set of texts differs from process to process."""
    if is_dataclass(value):
        shown = (f"{field.name}={stable_repr(getattr(value, field.name))}" for field in fields(value) if field.repr)
        return f"{type(value).__name__}({', '.join(shown)})"
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(map(stable_repr, value)))}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(stable_repr, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name!r}: {stable_repr(one)}' for name, one in value.items())}}}"
    return repr(value)
