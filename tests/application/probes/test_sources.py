"""The helpdesk and the catalog, as a check sees them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import pytest

from ticketattr.application.check import CheckResult
from ticketattr.application.probes.sources import SourceKind, probe_catalog, probe_helpdesk
from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.ticket import Ticket
from ticketattr.errors import InputError, ServiceError

from ...fakes import MIDNIGHT

T = TypeVar("T")


@dataclass
class FakeHelpdesk:
    tickets: list[Ticket] | None

    def fetch_tickets(self) -> list[Ticket]:
        assert self.tickets is not None, "it is not asked"
        return self.tickets


@pytest.mark.parametrize("kind", ["file", "server"])
def test_the_queue_of_the_helpdesk_is_counted(kind: SourceKind) -> None:
    helpdesk = FakeHelpdesk([Ticket("1", "locked out")])
    assert list(probe_helpdesk(helpdesk, kind, lambda: ["T-1"], online=True)) == [
        CheckResult("helpdesk", "it answers, with 1 ticket"),
        CheckResult("helpdesk", "T-1"),
    ]


def test_a_file_is_read_without_online() -> None:
    assert list(probe_helpdesk(FakeHelpdesk([]), "file", list, online=False)) == [
        CheckResult("helpdesk", "it answers, with 0 tickets")
    ]


def test_a_server_is_not_asked_without_online_and_stdin_is_never_read() -> None:
    assert list(probe_helpdesk(FakeHelpdesk(None), "server", list, online=False)) == [
        CheckResult("helpdesk", "not asked: --online asks it for the queue")
    ]
    assert list(probe_helpdesk(FakeHelpdesk(None), "stdin", list, online=True)) == [
        CheckResult("helpdesk", "not checked: the tickets come from stdin")
    ]


def catalog_of(*names: str) -> ServiceCatalog:
    return ServiceCatalog(
        tuple(RequestType(f"Category {number}", name, SLA(4, "hours")) for number, name in enumerate(names))
    )


CURRENT, EARLIER = catalog_of("Reset password", "Other"), catalog_of("Other")
COUNTED = CheckResult("catalog", "2 request types in 2 categories")
DOWN = ServiceError("the catalog answered 503", hint="Try again later.")


@dataclass
class FakeSource:
    catalog: ServiceCatalog | ServiceError = CURRENT

    def fetch_catalog(self) -> ServiceCatalog:
        if isinstance(self.catalog, ServiceError):
            raise self.catalog
        return self.catalog


@dataclass
class FakeKept:
    confirmed_at: datetime
    catalog: ServiceCatalog = EARLIER


@dataclass
class FakeCache:
    content: FakeKept | InputError | None = None
    is_young: bool = True
    max_stale: timedelta = timedelta(hours=24)

    def read_copy(self) -> FakeKept | None:
        if isinstance(self.content, InputError):
            raise self.content
        return self.content

    def is_usable(self, kept: FakeKept) -> bool:
        return self.is_young


def run(results: Generator[CheckResult, None, T]) -> tuple[list[CheckResult], T]:
    """All results, and what the probe returns."""
    found: list[CheckResult] = []
    while True:
        try:
            found.append(next(results))
        except StopIteration as stop:  # noqa: PERF203  # the only way to the returned value
            returned: T = stop.value
            return found, returned


def check(
    source: FakeSource, cache: FakeCache, kind: SourceKind = "server"
) -> tuple[list[CheckResult], ServiceCatalog | None]:
    return run(probe_catalog(source, cache, kind, lambda: MIDNIGHT))


def test_a_catalog_from_a_file_is_counted_and_no_kept_one_is_read() -> None:
    assert check(FakeSource(), FakeCache(InputError("it is damaged")), "file") == ([COUNTED], CURRENT)


def test_a_catalog_on_stdin_is_not_read() -> None:
    assert check(FakeSource(DOWN), FakeCache(), "stdin") == (
        [CheckResult("catalog", "not checked: it comes from stdin")],
        None,
    )


def test_without_a_kept_catalog_only_the_current_one_is_named() -> None:
    assert check(FakeSource(), FakeCache()) == ([COUNTED], CURRENT)


def test_a_kept_catalog_is_named_with_the_time_until_which_it_can_be_used() -> None:
    results, catalog = check(FakeSource(), FakeCache(FakeKept(MIDNIGHT - timedelta(hours=2))))
    assert catalog == CURRENT
    assert results == [
        CheckResult(
            "catalog",
            "a catalog of 2026-11-22 22:00 UTC is kept, and can be used until 2026-11-23 22:00 UTC while the server is"
            " down",
        ),
        COUNTED,
    ]


def test_a_kept_catalog_that_is_too_old_is_named_as_such() -> None:
    cache = FakeCache(FakeKept(MIDNIGHT), is_young=False)
    assert check(FakeSource(), cache)[0][0] == CheckResult(
        "catalog",
        "a catalog of 2026-11-23 00:00 UTC is kept, but is too old to be used while the server is down",
    )


def test_a_kept_catalog_in_the_future_says_that_the_clock_is_wrong() -> None:
    cache = FakeCache(FakeKept(MIDNIGHT + timedelta(minutes=1)), is_young=False)
    assert check(FakeSource(), cache)[0][0] == CheckResult(
        "catalog",
        "the kept catalog is of 2026-11-23 00:01 UTC, which is in the future",
        "warning",
        "Check the clock of this machine; the next run keeps the catalog again.",
    )


def test_a_kept_catalog_that_is_damaged_is_a_warning() -> None:
    assert check(FakeSource(), FakeCache(InputError("x.json is damaged"))) == (
        [
            CheckResult(
                "catalog",
                "x.json is damaged: no catalog can be used while its server is down",
                "warning",
                "The next run writes it again.",
            ),
            COUNTED,
        ],
        CURRENT,
    )


def test_while_the_server_is_down_the_kept_catalog_is_used() -> None:
    results, catalog = check(FakeSource(DOWN), FakeCache(FakeKept(MIDNIGHT)))
    assert catalog == EARLIER
    assert results == [
        CheckResult(
            "catalog",
            "the catalog answered 503: runs use the catalog of the last run until 2026-11-24 00:00 UTC",
            "warning",
            "Have the server repaired before.",
        ),
        CheckResult("catalog", "1 request type in 1 categories"),
    ]


@pytest.mark.parametrize("cache", [FakeCache(), FakeCache(FakeKept(MIDNIGHT), is_young=False)])
def test_while_the_server_is_down_and_no_kept_catalog_can_be_used_its_error_is_raised(cache: FakeCache) -> None:
    with pytest.raises(ServiceError, match="answered 503"):
        check(FakeSource(DOWN), cache)


def test_a_probable_mistake_in_the_catalog_is_a_warning_with_what_to_do() -> None:
    mistaken = ServiceCatalog(
        tuple(RequestType("Access", name, SLA(4, "hours")) for name in ("Password Reset", "Pasword Reset", "Other"))
    )
    results, _ = check(FakeSource(mistaken), FakeCache())
    (warning,) = (result for result in results if result.status != "ok")
    assert (warning.area, warning.status) == ("catalog", "warning")
    assert warning.message == "names that differ by one letter: 'Password Reset' and 'Pasword Reset'"
    assert warning.fix


def test_a_remark_on_the_catalog_that_needs_no_action_is_fine() -> None:
    lone = ServiceCatalog((RequestType("Access", "Password Reset", SLA(4, "hours")),))
    results, _ = check(FakeSource(lone), FakeCache())
    assert {(result.status, bool(result.fix)) for result in results} <= {("ok", False), ("warning", True)}
