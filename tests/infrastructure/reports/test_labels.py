"""The words of a report."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ticketattr.domain.catalog import Scope, ServiceCatalog
from ticketattr.domain.report import Report, ReportContext, Row
from ticketattr.domain.service_hours import ServiceHours
from ticketattr.infrastructure.reports.labels import facts, urgency_in_words
from ticketattr.infrastructure.words import words as words_of
from ticketattr.infrastructure.words.urgency import duration

from ...fakes import CATALOG, LAPTOP, MIDNIGHT, PASSWORD

OFFICE = ServiceHours("Europe/Berlin", (((480, 1020),),) * 5 + ((), ()))
BUSINESS = ServiceCatalog(CATALOG.entries, {(PASSWORD.category,): OFFICE})


def report(catalog: ServiceCatalog | None) -> Report:
    return Report("20261123T150301Z-7f3a", MIDNIGHT, (), ReportContext(catalog=catalog))


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0.5, "less than 1 min"),
        (1, "1\u00a0min"),
        (60, "1\u00a0h"),
        (135.9, "2\u00a0h 15\u00a0min"),
        (1440, "1\u00a0d"),
        (1441, "1\u00a0d 1\u00a0min"),
        (3065, "2\u00a0d 3\u00a0h"),
    ],
)
def test_a_duration_is_its_two_largest_parts(minutes: float, words: str) -> None:
    assert duration(minutes, words_of("en")) == words


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Row("1", *LAPTOP.pair, urgency="overdue", overdue_by=51.25), "overdue by 2\u00a0d 3\u00a0h"),
        (
            Row("1", *PASSWORD.pair, urgency="overdue", overdue_by=51.25),
            "overdue by 51\u00a0h 15\u00a0min of service hours",
        ),
        (Row("1", *PASSWORD.pair, urgency="overdue", overdue_by=0), "overdue; the desk was closed since then"),
        (Row("1", urgency="due within a day", due=MIDNIGHT + timedelta(minutes=40)), "due in 40\u00a0min"),
        (Row("1", urgency="failed"), "failed"),
        (Row("1"), ""),
    ],
)
def test_urgency_is_told_in_words_of_its_clock(row: Row, words: str) -> None:
    assert urgency_in_words(row, report(BUSINESS)) == words


def test_a_report_names_the_clock_of_each_part_of_the_catalog() -> None:
    clocks = [value for name, value in facts(report(BUSINESS)) if name.startswith("clock")]
    assert clocks == [
        "the calendar, day and night: a day has 24 hours",
        "service hours: Monday-Friday 08:00-17:00 (Europe/Berlin); a day is a business day",
    ]
    (unknown,) = [value for name, value in facts(report(None)) if name.startswith("clock")]
    assert unknown.startswith("unknown: ")


def test_a_report_names_a_few_of_many_clocks() -> None:
    parts: dict[Scope, ServiceHours | None] = {(str(number),): OFFICE for number in range(30)}
    lines = [line for line in facts(report(ServiceCatalog(CATALOG.entries, parts))) if "clock" in line[0]]
    assert len(lines) == 11
    assert lines[-1] == ("clocks of other parts", "21 more")
