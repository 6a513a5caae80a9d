"""Writing back, as a check sees it."""

from __future__ import annotations

import pytest

from ticketattr.application.apply import WriteBack
from ticketattr.application.check import CheckResult
from ticketattr.application.probes.write_back import probe_write_back
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.write_back import ApplyAbove, Change, ChangeState
from ticketattr.errors import SettingsError

from ...fakes import CATALOG, MIDNIGHT, PASSWORD, FakeChangeLedger, ticking_clock
from ..test_ticket_change import DESK, ScriptedDesk


def check(
    *states: ChangeState, above: ApplyAbove | None = None, catalog: ServiceCatalog | None = CATALOG
) -> list[CheckResult]:
    back = WriteBack(
        ScriptedDesk([None]), FakeChangeLedger(), ticking_clock(), "fill", DESK, above=above or ApplyAbove()
    )
    for number, state in enumerate(states, start=1):
        pairs = (("", ""), PASSWORD.pair)
        back.ledger.add(Change(DESK, "run", f"T-{number}", "fill", *pairs, state, MIDNIGHT, MIDNIGHT))
    return list(probe_write_back(back, catalog))


def test_the_mode_is_told_with_the_changes_so_far() -> None:
    assert check() == [CheckResult("write-back", "fill: 0 changes in the ledger so far")]
    assert check("applied", catalog=None) == [CheckResult("write-back", "fill: 1 change in the ledger so far")]


def test_changes_in_doubt_are_a_warning_that_names_their_tickets() -> None:
    assert check("applying", "applied", "in_doubt", "refused")[1:] == [
        CheckResult(
            "write-back",
            "2 changes in doubt: tickets T-1, T-3",
            "warning",
            "The next `ticketattr run` or `apply` reads these tickets and settles them.",
        )
    ]
    (_, warning) = check(*(("in_doubt",) * 7))
    assert warning.message == "7 changes in doubt: tickets T-1, T-2, T-3, T-4, T-5, and 2 more"


def test_thresholds_of_unknown_categories_are_a_warning_unless_the_catalog_is_unknown() -> None:
    above = ApplyAbove(by_category={"hardware": 0.5, **dict.fromkeys("gfedcba", 0.5)})
    assert check(above=above)[1:] == [
        CheckResult(
            "write-back",
            "APPLY_ABOVE names categories that the catalog does not have: a, b, c, d, e, and 2 more",
            "warning",
            "Correct their names: for the categories of the catalog, the default counts.",
        )
    ]
    assert len(check(above=above, catalog=None)) == 1


def test_a_helpdesk_that_cannot_be_written_is_a_wrong_setting() -> None:
    back = WriteBack(None, FakeChangeLedger(), ticking_clock(), "fill", DESK)
    with pytest.raises(SettingsError, match="this helpdesk cannot set fields"):
        list(probe_write_back(back, CATALOG))
