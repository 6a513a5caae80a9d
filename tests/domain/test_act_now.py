"""What somebody should look at first."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from ticketattr.domain.act_now import least_certain, most_urgent
from ticketattr.domain.due import URGENCIES
from ticketattr.domain.report import Report, Row

NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)


def report(*rows: Row) -> Report:
    return Report("20261123T150301Z-7f3a", NOW, rows)


def soon(id: str, hours: float) -> Row:
    return Row(id, urgency="due within a day", due=NOW + timedelta(hours=hours))


def test_the_most_urgent_tickets_come_first() -> None:
    rows = (
        Row("failed", urgency="failed"),
        Row("certain", request_type="A", urgency="needs review", confidence=0.5),
        Row("not at all", urgency="needs review"),
        Row("uncertain", request_type="A", urgency="needs review", confidence=0.1),
        Row("does not say", request_type="A", urgency="needs review"),
        soon("tonight", 20),
        Row("fine"),
        soon("at noon", 12),
        Row("a little", urgency="overdue", overdue_by=0.5),
        Row("much", urgency="overdue", overdue_by=48),
    )
    assert [row.id for _, row in most_urgent(report(*rows), 100)] == [
        *("much", "a little", "at noon", "tonight", "not at all", "uncertain", "certain", "does not say", "failed"),
    ]


def test_each_ticket_keeps_its_place_in_the_report() -> None:
    made = report(Row("a"), Row("b", urgency="failed"), Row("c", urgency="overdue", overdue_by=1))
    assert [(place, row.id) for place, row in most_urgent(made, 100)] == [(3, "c"), (2, "b")]


def test_no_more_are_told_than_were_asked_for() -> None:
    made = report(*(Row(str(number), urgency="overdue", overdue_by=number) for number in range(10)))
    assert [row.id for _, row in most_urgent(made, 3)] == ["9", "8", "7"]


def test_the_least_certain_are_those_of_the_lowest_confidence_that_need_no_review() -> None:
    made = report(
        Row("flagged", confidence=0.1, needs_review="unsure"),
        Row("high", request_type="A", confidence=0.99),
        Row("low", request_type="A", confidence=0.73),
        Row("does not say", request_type="A"),
        Row("middle", request_type="A", confidence=0.8),
    )
    assert [(place, row.id) for place, row in least_certain(made, 2)] == [(3, "low"), (5, "middle")]
    assert [row.id for _, row in least_certain(made)] == ["low", "middle", "high"]


rows = st.builds(
    Row,
    st.text(max_size=2),
    urgency=st.sampled_from(URGENCIES),
    overdue_by=st.none() | st.floats(0, 1e6),
    due=st.none() | st.just(NOW),
    confidence=st.none() | st.floats(0, 1),
    request_type=st.sampled_from(["", "A"]),
)


@given(st.lists(rows, max_size=30))
def test_each_urgent_ticket_is_told_once(some: list[Row]) -> None:
    told = most_urgent(report(*some), 100)
    assert sorted(place for place, _ in told) == [place for place, row in enumerate(some, start=1) if row.urgency]
    assert [URGENCIES.index(row.urgency) for _, row in told] == sorted(URGENCIES.index(row.urgency) for _, row in told)
