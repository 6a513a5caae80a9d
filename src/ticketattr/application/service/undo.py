"""Put back what a run wrote into the helpdesk, asked for by somebody who uses the service."""

from __future__ import annotations

from collections.abc import Sequence

from ...domain.access import Caller
from ...domain.service_run import AuditEntry, ServiceRun, Trigger, Undo
from ...domain.write_back import Change, all_undoable
from ...errors import InputError
from .runs import Service, request_run


def request_undo(
    service: Service, ledger: Sequence[Change], caller: Caller, trigger: Trigger, undo: Undo, *, key: str = ""
) -> tuple[ServiceRun, bool]:
    """The process that puts back what `caller` named, queued like a run, and whether it is a new one.

    `ledger` has all changes, oldest first. The process reads each ticket again, and leaves what somebody changed since.
    Raises InputError, which the audit shows, if the ledger has no such change, or none that can be put back.
    """
    named = [change for change in ledger if change.run_id == undo.run_id and undo.change in (0, change.number)]
    possible = {change.number for change in all_undoable(ledger)}
    if not any(change.number in possible for change in named):
        found = f"nothing of it can be put back: {undo}" if named else f"not in the ledger of changes: {undo}"
        now = service.clock()
        service.state.add_audit(AuditEntry(now, caller.name, caller.origin, "undo", str(undo)[:200], "refused"))
        raise InputError(found, hint="Only a value that a run set, and that was not put back yet, can be put back.")
    return request_run(service, caller, trigger, undo=undo, key=key)
