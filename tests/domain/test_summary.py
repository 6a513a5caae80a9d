"""The figures of a report, and the changes since an earlier one."""

from __future__ import annotations

from datetime import datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.changes import EarlierReport
from ticketattr.domain.report import Report, ReportContext, Row, build_report
from ticketattr.domain.summary import UNATTRIBUTED, summarize
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket, Unattributed

NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)


def a_ticket(id: str, text: str = "open", name: str = "A", confidence: float | None = 0.9) -> AttributedTicket:
    entry = RequestType("Category", name, SLA(4, "hours"))
    return AttributedTicket(Ticket(id, text), Attribution(entry, "model", confidence))


def report(*tickets: AttributedTicket, earlier: tuple[AttributedTicket, ...] | None = None) -> Report:
    context = ReportContext(earlier=EarlierReport.of("earlier", earlier) if earlier is not None else None)
    return build_report(tickets, run_id="later", generated_at=NOW, context=context)


outcomes = st.builds(
    Attribution,
    st.builds(
        RequestType,
        st.sampled_from(["A", "B"]),
        st.sampled_from(["X", "Y"]),
        st.builds(SLA, st.sampled_from([0, 0.5, 4, 999]), st.sampled_from(["minutes", "hours", "days", "weeks"])),
    ),
    st.sampled_from(["kept", "corrected", "cached", "model", "offline"]),
    st.sampled_from([None, 0.1, 0.9]),
) | st.builds(Unattributed, st.sampled_from(["no_match", "quota", "blocked"]))
queues = st.lists(
    st.builds(AttributedTicket, st.builds(Ticket, st.sampled_from("12"), st.sampled_from("ab")), outcomes)
)


@given(queues, queues)
def test_every_group_of_figures_sums_to_the_rows(before: list[AttributedTicket], now: list[AttributedTicket]) -> None:
    made = report(*now, earlier=tuple(before))
    summary = summarize(made)
    for counts in (
        summary.states,
        summary.categories,
        summary.bands,
        summary.due,
        [(name, n) for _, name, n in summary.types],
    ):
        assert sum(count for _, count in counts) == len(made.rows)
    assert summary.since is not None
    new, changed, same, gone = (count for _, count in summary.since)
    assert new + changed + same == len(now)
    assert changed + same + gone == len(before)


def test_each_state_counts_its_rows() -> None:
    entry = RequestType("Category", "A", SLA(4, "hours"))
    tickets = [
        a_ticket("1"),
        a_ticket("2", confidence=0.1),
        AttributedTicket(Ticket("3", ""), Unattributed("quota")),
        AttributedTicket(Ticket("4", ""), Unattributed("no_match")),
        AttributedTicket(Ticket("5", "open"), Attribution(entry, "kept")),
        *(AttributedTicket(Ticket(number, "open"), Attribution(entry, "corrected")) for number in ("6", "7")),
        AttributedTicket(Ticket("8", "open"), Attribution(entry, "confirmed")),
    ]
    summary = summarize(report(*tickets))
    assert dict(summary.states) == {
        "attributed": 1,
        "kept": 1,
        "corrected": 2,
        "confirmed": 1,
        "needs review": 2,
        "failed": 1,
    }
    assert summary.needs_review == 3
    assert summary.categories == (("Category", 6), (UNATTRIBUTED, 2))
    assert summary.types == (("Category", "A", 6), (UNATTRIBUTED, "", 2))


def test_an_sla_at_the_end_of_a_band_belongs_to_that_band() -> None:
    slas = [SLA(0, "days"), SLA(4, "hours"), SLA(8, "hours"), SLA(1, "days"), SLA(3, "days"), SLA(73, "hours")]
    entries = [RequestType("Category", str(sla), sla) for sla in slas]
    tickets = [AttributedTicket(Ticket("1", ""), Attribution(entry, "model")) for entry in entries]
    bands = summarize(report(*tickets, AttributedTicket(Ticket("2", ""), Unattributed("no_match")))).bands
    assert [name for name, _ in bands] == [
        *("at once (SLA 0)", "up to 4 hours", "up to 8 hours", "up to 1 day", "up to 3 days", "more than 3 days"),
        "no SLA",
    ]
    assert {count for _, count in bands} == {1}


def test_without_an_earlier_report_nothing_is_called_new() -> None:
    made = report(a_ticket("1"))
    assert summarize(made).since is None
    assert made.rows[0].since_last_report == ""


def test_new_changed_and_gone_tickets_are_found() -> None:
    before = (a_ticket("1"), a_ticket("2"), a_ticket("3"), a_ticket("4"))
    made = report(a_ticket("1"), a_ticket("2", text="edited"), a_ticket("3", name="B"), a_ticket("5"), earlier=before)
    changes = {row.id: row.since_last_report for row in made.rows}
    assert changes == {"1": "", "2": "changed", "3": "changed", "5": "new"}
    assert [known.id for known in made.gone] == ["4"]
    assert summarize(made).since == (
        ("new", 1),
        ("changed (text or attribution)", 2),
        ("the same", 1),
        ("gone (no longer in the queue)", 1),
    )
    assert made.context.earlier
    assert made.context.earlier.run_id == "earlier"


def test_tickets_that_share_an_id_are_recognized_by_their_text() -> None:
    before = (a_ticket("7", "a"), a_ticket("7", "b"), a_ticket("", "c"))
    made = report(a_ticket("7", "b"), a_ticket("7", "x"), a_ticket("", "c"), earlier=before)
    assert {row.short_description: row.since_last_report for row in made.rows} == {"b": "", "x": "new", "c": ""}
    assert [known.short_description for known in made.gone] == ["a"]


def test_another_confidence_is_not_a_change() -> None:
    made = report(a_ticket("1", confidence=0.7), earlier=(a_ticket("1", confidence=0.9),))
    assert made.rows[0].since_last_report == ""


ENTRY = RequestType("Category", "A", SLA(4, "hours"))
OTHER = RequestType("Other", "B", SLA(2, "days"))


def timed(id: str, created_at: str, entry: RequestType = ENTRY) -> AttributedTicket:
    return AttributedTicket(Ticket(id, "open", created_at=created_at), Attribution(entry, "model", 0.9))


def timed_report(*tickets: AttributedTicket, earlier: str = "", catalog: bool = True) -> Report:
    context = ReportContext(
        catalog=ServiceCatalog((ENTRY, OTHER)) if catalog else None,
        earlier=EarlierReport.of(earlier, tickets) if earlier else None,
    )
    return build_report(tickets, run_id="later", generated_at=NOW, context=context)


def test_the_figures_say_what_is_due_when_and_of_what_nobody_knows() -> None:
    made = timed_report(
        timed("1", "2026-11-22T10:00:00Z"),
        timed("2", "2026-11-22T22:00:00Z"),
        timed("3", "2026-11-22T23:00:00Z", OTHER),
        timed("4", ""),
        AttributedTicket(Ticket("5", "", created_at="2026-11-22"), Unattributed("no_match")),
    )
    assert summarize(made).due == (
        ("overdue", 1),
        ("due within a day", 1),
        ("due later", 1),
        ("no creation time", 1),
        ("no request type", 1),
    )


def test_without_a_catalog_the_figures_say_that_there_are_no_due_times() -> None:
    summary = summarize(timed_report(timed("1", "2026-11-22T10:00:00Z"), catalog=False))
    assert summary.due == (("overdue", 0), ("due within a day", 0), ("due later", 0), ("no due time", 1))


def test_the_figures_say_of_which_categories_most_tickets_are_overdue_and_which_is_the_oldest() -> None:
    days = [f"2026-11-{day:02}" for day in (10, 11, 12)]
    made = timed_report(timed("1", days[1]), *(timed(day, day, OTHER) for day in days), timed("2", ""))
    summary = summarize(made)
    assert summary.overdue == (("Other", 3), ("Category", 1))
    assert summary.oldest is not None
    assert (summary.oldest.id, summary.oldest.age_days) == ("2026-11-10", 13.0)


def test_without_creation_times_no_ticket_is_the_oldest() -> None:
    assert summarize(report(a_ticket("1"))).oldest is None


def test_the_figures_say_how_many_tickets_became_overdue_since_the_last_report() -> None:
    tickets = (timed("before", "2026-11-21T10:00:00Z"), timed("since", "2026-11-22T10:00:00Z"))
    assert summarize(timed_report(*tickets, earlier="20261122T120000Z-7f3a")).newly_overdue == 1
    assert summarize(timed_report(*tickets)).newly_overdue is None
    assert summarize(timed_report(*tickets, earlier="20269999T120000Z-7f3a")).newly_overdue is None


def test_a_ticket_that_is_due_as_the_earlier_run_begins_became_overdue_since_then() -> None:
    tickets = (timed("1", "2026-11-22T08:00:00Z"),)
    assert summarize(timed_report(*tickets, earlier="20261122T120000Z-7f3a")).newly_overdue == 1
    assert summarize(timed_report(*tickets, earlier="20261122T120001Z-7f3a")).newly_overdue == 0


def test_the_oldest_of_new_tickets_is_found() -> None:
    summary = summarize(timed_report(timed("new", "2026-11-23T00:00:00Z"), timed("1", "2026-11-22T12:00:00Z")))
    assert summary.oldest is not None
    assert summary.oldest.id == "1"


def test_the_figures_count_what_was_done_in_the_helpdesk_as_far_as_anything_was() -> None:
    rows = (Row("1", written="A / B"), Row("2", written="A / B"), Row("3", kept_by_person="C"), Row("4"))
    assert summarize(Report("r", NOW, rows)).effects == (("written", 2), ("kept by person", 1))


def test_a_pending_ticket_is_counted_where_there_is_one() -> None:
    pending = AttributedTicket(Ticket("1", "x"), Unattributed("pending"))
    assert summarize(report(pending, a_ticket("2"))).states[-1] == ("pending", 1)
    assert dict(summarize(report(a_ticket("2"))).states).get("pending") is None
