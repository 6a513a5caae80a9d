"""The figures that a mail shows of a report."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.changes import EarlierReport
from ticketattr.domain.figures import (
    MAX_TEXT,
    MAX_URL,
    FailedTickets,
    ReportFigures,
    UrgentTicket,
    figures_of,
    has_service_hours,
)
from ticketattr.domain.report import Report, ReportContext, Row, build_report
from ticketattr.domain.service_hours import ServiceHours
from ticketattr.domain.ticket import AttributedTicket, Attribution, Reason, Ticket, Unattributed

RESET = RequestType("Access", "Password Reset", SLA(4, "hours"))
MOUSE = RequestType("Hardware", "Mouse", SLA(3, "days"))
OFFICE = ServiceHours("UTC", (((480, 1020),),) * 7)
CATALOG = ServiceCatalog((RESET, MOUSE), {("Hardware",): OFFICE})
NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)


def ticket(id: str, created_at: str, entry: RequestType = RESET, confidence: float = 0.9) -> AttributedTicket:
    return AttributedTicket(Ticket(id, f"text of {id}", created_at=created_at), Attribution(entry, "model", confidence))


def failed(id: str, reason: Reason = "quota") -> AttributedTicket:
    return AttributedTicket(Ticket(id, "x"), Unattributed(reason))


QUEUE = (
    ticket("late", "2026-11-22T23:00:00Z"),
    ticket("later", "2026-11-22T10:00:00Z"),
    ticket("soon", "2026-11-23T11:00:00Z"),
    ticket("fine", "2026-11-23T11:00:00Z", MOUSE),
    ticket("unsure", "", confidence=0.1),
    failed("1"),
)


def report(*tickets: AttributedTicket, earlier: EarlierReport | None = None) -> Report:
    context = ReportContext(catalog=CATALOG, earlier=earlier, time_zone="Europe/Berlin")
    return build_report(tickets, run_id="20261123T120000Z-7f3a", generated_at=NOON, context=context)


def report_of(*rows: Row) -> Report:
    return Report("20261123T120000Z-7f3a", NOON, rows)


def test_the_figures_count_the_tickets_and_compare_with_the_earlier_report() -> None:
    before = (QUEUE[1], ticket("soon", "2026-11-23T11:00:00Z", MOUSE), failed("gone"), failed("gone, too"))
    figures = figures_of(report(*QUEUE, earlier=EarlierReport.of("20261123T000000Z-7f3a", before)))
    assert replace(figures, urgent=()) == ReportFigures(
        generated_at=NOON,
        time_zone="Europe/Berlin",
        tickets=6,
        attributed=5,
        overdue=2,
        due_soon=1,
        review=2,
        failed=1,
        urgent_count=5,
        new=4,
        changed=1,
        gone=2,
        newly_overdue=1,
        failures=(FailedTickets("quota", 1, ("1",)),),
    )
    assert figures.generated_at.isoformat() == "2026-11-23T13:00:00+01:00"
    assert [urgent.id for urgent in figures.urgent] == ["later", "late", "soon", "unsure", "1"]


def test_without_an_earlier_report_nothing_is_compared_and_an_empty_queue_has_no_figures() -> None:
    assert figures_of(report()) == ReportFigures(NOON, "Europe/Berlin", 0, 0, 0, 0, 0, 0)


def test_an_urgent_ticket_says_what_is_asked_for_and_when_it_is_due() -> None:
    due = NOON - timedelta(hours=1)
    row = Row(
        "7",
        "Hardware",
        "Mouse",
        "It\nis \x1b[1mbroken",
        due=due,
        overdue_by=1.5,
        urgency="overdue",
        url="https://desk.example.com/7",
    )
    (urgent,) = figures_of(replace(report_of(row), context=ReportContext(catalog=CATALOG))).urgent
    assert urgent == UrgentTicket(
        id="7",
        urgency="overdue",
        url="https://desk.example.com/7",
        request_category="Hardware",
        request_type="Mouse",
        short_description="It\nis ␛[1mbroken",
        overdue_by=1.5,
        is_open_time=True,
        due=due,
    )


def test_long_texts_are_cut_and_links_that_are_too_long_are_left_out() -> None:
    words, url = "w" * (MAX_TEXT + 1), "https://" + "x" * (MAX_URL - 8)
    row = Row(words, words, words, words, urgency="failed", url=url)
    (whole, cut) = figures_of(report_of(row, replace(row, url=url + "x"))).urgent
    assert (whole.url, cut.url) == (url, "")
    texts = {cut.id, cut.request_category, cut.request_type, cut.short_description}
    assert texts == {"w" * (MAX_TEXT - 8) + " … [cut]"}


def test_ten_urgent_tickets_are_named_and_all_are_counted() -> None:
    figures = figures_of(report_of(*(Row(str(number), urgency="failed") for number in range(12)), Row("fine")))
    assert (figures.urgent_count, len(figures.urgent)) == (12, 10)


def test_the_most_frequent_failure_comes_first_with_the_ids_of_its_first_five_tickets() -> None:
    long = "x" * 41
    tickets = [failed("a", "blocked"), *map(failed, (long, *"23456")), failed("no", "no_match")]
    assert figures_of(report(*tickets, failed("later", "pending"))).failures == (
        FailedTickets("quota", 6, ("x" * 32 + " … [cut]", "2", "3", "4", "5")),
        FailedTickets("blocked", 1, ("a",)),
    )


@pytest.mark.parametrize(
    ("category", "name", "catalog", "stands_still"),
    [
        ("Hardware", "Mouse", CATALOG, True),
        ("Access", "Password Reset", CATALOG, False),
        ("Hardware", "Fax", CATALOG, False),
        ("Hardware", "Mouse", ServiceCatalog((MOUSE,)), False),
        ("Hardware", "Mouse", None, False),
    ],
)
def test_only_the_clock_of_a_type_with_service_hours_stands_still(
    category: str, name: str, catalog: ServiceCatalog | None, stands_still: bool
) -> None:
    made = replace(report_of(), context=ReportContext(catalog=catalog))
    assert has_service_hours(Row("1", category, name), made) is stands_still
