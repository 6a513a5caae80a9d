"""Fetch the tickets again for which `fill` would have set something, and compare."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain.shadow import Compared, compare, last_shadows
from ..domain.write_back import Change, TicketNow
from ..errors import TicketAttrError
from .apply import WriteBack, changes_of, maker
from .interruptible import run_interruptible
from .ports import Progress, TicketUnreadable, TicketWriter


@dataclass(frozen=True, slots=True)
class ShadowComparison:
    """The tickets, in the order in which they were recorded. `left` were not asked for, after `stopped`."""

    compared: tuple[Compared, ...]
    left: int = 0
    stopped: TicketAttrError | None = None


def compare_shadow(write_back: WriteBack, progress: Progress) -> ShadowComparison:
    """Read each ticket that has a change of the mode `shadow`, and compare what it has now. Writes nothing.

    An error that concerns all tickets ends it early and is in the result. Raises SettingsError if the helpdesk cannot
    be read ticket by ticket, and SettingsError, InputError or ServiceError if the ledger cannot be read.
    """
    return run_interruptible(_compare, changes_of(write_back), maker(write_back).writer, progress)


async def _compare(changes: list[Change], writer: TicketWriter, progress: Progress) -> ShadowComparison:
    shadows = last_shadows(changes)
    filled = {change.ticket_id: change for change in changes if change.mode == "fill" and change.state == "applied"}
    compared: list[Compared] = []
    try:
        async with writer:
            for number, shadow in enumerate(shadows):
                progress(number, len(shadows))
                now = await _read(writer, shadow.ticket_id)
                compared.append(compare(shadow, now, filled.get(shadow.ticket_id)))
    except TicketAttrError as error:
        return ShadowComparison(tuple(compared), len(shadows) - len(compared), error)
    return ShadowComparison(tuple(compared))


async def _read(writer: TicketWriter, ticket_id: str) -> TicketNow | None:
    try:
        return await writer.read(ticket_id)
    except TicketUnreadable:
        return None
