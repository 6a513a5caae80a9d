"""Check of writing back: whether the helpdesk can be written in this mode, and what earlier runs left open."""

from __future__ import annotations

from collections.abc import Iterator

from ...domain.catalog import ServiceCatalog, fold
from ...domain.wording import counted, some_of
from ...domain.write_back import OPEN_STATES
from ..apply import WriteBack, changes_of, refuse_impossible
from ..check import CheckResult

AREA = "write-back"

_NAMED = 5


def probe_write_back(write_back: WriteBack, catalog: ServiceCatalog | None) -> Iterator[CheckResult]:
    """What the mode does, and warnings about open changes and about thresholds of unknown categories.

    `catalog` is None if it could not be read. Raises SettingsError if the helpdesk cannot be written in this mode, and
    SettingsError, InputError or ServiceError if the ledger cannot be read.
    """
    refuse_impossible(write_back)
    changes = changes_of(write_back)
    yield CheckResult(AREA, f"{write_back.mode}: {counted(len(changes), 'change')} in the ledger so far")
    if in_doubt := [change.ticket_id for change in changes if change.state in OPEN_STATES]:
        yield CheckResult.warning(
            AREA,
            f"{counted(len(in_doubt), 'change')} in doubt: tickets {some_of(in_doubt, _NAMED)}",
            "The next `ticketattr run` or `apply` reads these tickets and settles them.",
        )
    known = {fold(entry.category) for entry in catalog.entries} if catalog else None
    if known is not None and (unknown := sorted(set(write_back.above.by_category) - known)):
        yield CheckResult.warning(
            AREA,
            f"APPLY_ABOVE names categories that the catalog does not have: {some_of(unknown, _NAMED)}",
            "Correct their names: for the categories of the catalog, the default counts.",
        )
