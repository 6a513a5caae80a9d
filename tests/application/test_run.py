"""All stages of a run, with real stage files, reports and log, and scripted services."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ticketattr.application.apply import Applied, WriteBack
from ticketattr.application.incoming_corrections import Incoming, TakenOver
from ticketattr.application.ports import AppliedRun, DroppedFile, Progress, Run
from ticketattr.application.report import AttributedRun, Reporting, last_sent_run, make_report
from ticketattr.application.run import Pipeline, RunResult, run_pipeline
from ticketattr.application.run_progress import RunProgress, current_stage
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.correction import ReportedRun, ReviewedReport, ReviewedRow
from ticketattr.domain.figures import figures_of
from ticketattr.domain.gold import no_labelled_tickets
from ticketattr.domain.report import Report
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket, Unattributed
from ticketattr.domain.usage import Bill, Usage
from ticketattr.domain.write_back import ApplyAbove, Change, effects_of
from ticketattr.errors import CatalogError, InputError, MailServerError, SettingsError
from ticketattr.infrastructure.classifiers.answer_cache import NoAnswerCache
from ticketattr.infrastructure.reports.excel import ExcelReports
from ticketattr.infrastructure.stage_files.applied import read_applied
from ticketattr.infrastructure.stage_files.work_folder import WorkFolder

from ..fakes import (
    CATALOG,
    LAPTOP,
    MIDNIGHT,
    PASSWORD,
    FakeChangeLedger,
    FakeMailer,
    ScriptedClassifier,
    a_correction,
    ticking_clock,
)
from .test_corrections import Store, same_but_for_white_space
from .test_incoming_corrections import Inbox
from .test_send import REFUSED, Desk
from .test_ticket_change import ScriptedDesk

FIRST, SECOND = "20261121T000000Z-0000", "20261122T000000Z-0000"
BILL = Bill(Usage(calls=2, tokens_in=30), cost=0.5, model="scripted")
QUEUE = [
    Ticket("1", "Screen flickers"),
    Ticket("2", "Lunch?"),
    Ticket("3", "Screen is black", request_category="hardware", request_type="laptop repair"),
]


def ignore(done: int, total: int) -> None:
    pass


@dataclass
class House:
    """A helpdesk with its catalog, a desk that sends, and what the stages leave."""

    root: Path
    tickets: list[Ticket] = field(default_factory=lambda: list(QUEUE))
    catalog: ServiceCatalog | None = CATALOG
    store: Store = field(default_factory=Store)
    asked: list[str] = field(default_factory=list)
    written: list[Report] = field(default_factory=list)
    reports_empty_queue: bool = False

    def __post_init__(self) -> None:
        self.desk = Desk(self.root / "output")
        self.classifier = ScriptedClassifier(
            lambda ticket: LAPTOP if "Screen" in ticket.short_description else None, bill=BILL
        )
        seconds = iter(range(1000))
        self.run_progress = RunProgress(lambda: float(next(seconds)))

    def fetch_catalog(self) -> ServiceCatalog:
        self.asked.append(f"catalog in {current_stage.get()}")
        if self.catalog is None:
            raise CatalogError("it is empty")
        return self.catalog

    def fetch_tickets(self) -> list[Ticket]:
        self.asked.append(f"tickets in {current_stage.get()}")
        return self.tickets

    def write(self, report: Report, path: Path) -> None:
        self.written.append(report)
        ExcelReports().write(report, path)

    @property
    def reporting(self) -> Reporting:
        return Reporting(
            *(self, self.work, self.desk.log, "smtp", 0.7, "https://desk.example.com/{id}"),
            reports_empty_queue=self.reports_empty_queue,
        )

    @property
    def work(self) -> WorkFolder:
        return WorkFolder(self.root / "work")

    def run(self, run_id: str = FIRST, *, sends: bool = True, progress: Progress = ignore, **more: Any) -> RunResult:
        outgoing = self.desk.outgoing() if sends else None
        pipeline = Pipeline(
            self,
            self,
            self.classifier,
            NoAnswerCache(),
            self.store,
            no_labelled_tickets,
            self.work,
            self.reporting,
            outgoing,
            **more,
        )
        path = self.desk.root / f"ticket-attribution-{run_id}.xlsx"
        with self.desk.log.acquire_sender_lock(self.desk.clock()):
            return run_pipeline(pipeline, Run(run_id, lambda: MIDNIGHT), path, progress, self.run_progress)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_queue_becomes_a_report_that_is_sent(house: House) -> None:
    result = house.run()
    assert [ticket.ticket for ticket in result.tickets] == QUEUE
    assert [ticket.outcome for ticket in result.tickets] == [
        Attribution(LAPTOP, "model"),
        Unattributed("no_match"),
        Attribution(LAPTOP, "kept"),
    ]
    assert result.report
    assert result.report.name == f"ticket-attribution-{FIRST}.xlsx"
    assert house.desk.mailer.sent[0][1] == [result.report.read_bytes()]
    assert [delivery.state for delivery in result.deliveries] == ["sent"]
    assert result.left == ()


def test_every_stage_writes_its_file_with_the_run_id(house: House) -> None:
    house.run()
    files = {path.stem: json.loads(path.read_text()) for path in (house.root / "work" / FIRST).iterdir()}
    assert {name: file["run_id"] for name, file in files.items()} == dict.fromkeys(
        ("catalog", "tickets", "attributions"), FIRST
    )
    assert files["attributions"]["bill"]["cost"] == 0.5
    assert [ticket.ticket for ticket in house.work.attributed(FIRST)] == QUEUE


def test_run_progress_knows_each_stage_with_its_counts_and_its_result(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    stage_before = current_stage.get()
    with caplog.at_level("INFO", logger="ticketattr.application"):
        result = house.run()
    assert [record.getMessage() for record in caplog.records if not hasattr(record, "counts")] == [
        "service catalog fetched: 4 request types",
        "queue fetched: 3 tickets",
        (
            "0 tickets decided by a person, 1 with the pair from the helpdesk, 0 with a cached answer; "
            "2 different texts left to ask about"
        ),
        "batch of 2 tickets: 2 answered",
        "report written: 3 rows, 2 attributed",
        f"sending {house.desk.sent[0].message_id}: 1 attachment, {len(house.desk.mailer.sent[0][1][0])} bytes",
        f"sent {house.desk.sent[0].message_id}",
    ]
    stages = [record for record in caplog.records if hasattr(record, "counts")]
    assert [(record.getMessage(), record.__dict__["counts"]) for record in stages] == [
        ("send done in 1.00 s: 0 messages", {"messages": 0}),
        ("fetch done in 1.00 s: 3 tickets, 4 request types", {"tickets": 3, "request_types": 4}),
        ("classify done in 1.00 s: 1 model, 1 no match, 1 kept", {"model": 1, "no_match": 1, "kept": 1}),
        ("report done in 1.00 s: 3 rows", {"rows": 3}),
        ("send done in 1.00 s: 1 message", {"messages": 1}),
    ]
    assert {record.__dict__["duration"] for record in stages} == {1.0}
    assert house.run_progress.seconds == {"send": 2.0, "fetch": 1.0, "classify": 1.0, "report": 1.0}
    assert (house.run_progress.tickets, house.run_progress.deliveries) == (list(result.tickets), result.deliveries)
    assert house.run_progress.bill() == BILL
    assert house.asked == ["catalog in fetch", "tickets in fetch"]
    assert current_stage.get() == stage_before


def test_a_stage_that_fails_is_logged_and_no_later_one_starts(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.catalog = None
    with caplog.at_level("INFO", logger="ticketattr.application.run_progress"), pytest.raises(CatalogError):
        house.run()
    assert caplog.messages[-1] == "fetch failed in 1.00 s"
    assert house.asked == ["catalog in fetch"], "without a catalog, asking for the queue is of no use"
    assert house.classifier.shown == []


def test_pending_reports_are_sent_first_and_are_part_of_the_result(house: House) -> None:
    house.desk.put("earlier.xlsx")
    result = house.run()
    assert [[report.path.name for report in delivery.message.reports] for delivery in result.deliveries] == [
        ["earlier.xlsx"],
        [f"ticket-attribution-{FIRST}.xlsx"],
    ]


def test_an_unreachable_mail_server_stops_the_run_before_anything_is_fetched_or_paid_for(house: House) -> None:
    house.desk.mailer.unreachable = MailServerError("nobody there")
    with pytest.raises(MailServerError):
        house.run()
    assert (house.asked, house.classifier.shown) == ([], [])


def test_a_report_that_cannot_be_sent_stays_pending_and_stops_nothing(house: House) -> None:
    house.desk.put("earlier.xlsx")
    house.desk.mailer.max_size = 30_000
    # First alone, then again before the new one: a mail holds no two.
    house.desk.mailer.troubles = [REFUSED, REFUSED, REFUSED]
    result = house.run()
    assert [len(delivery.message.reports) for delivery in result.deliveries] == [1, 1, 1]
    assert [status.state for status in result.left] == ["failed", "failed"]
    assert house.run_progress.left == list(result.left)


def test_reports_too_large_for_one_mail_are_sent_in_several(house: House) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        house.desk.put(name)
    house.desk.mailer.max_size = 30_000
    assert [len(delivery.message.reports) for delivery in house.run().deliveries] == [1, 1, 1]


def test_without_a_mailer_nothing_is_sent(house: House) -> None:
    house.desk.put("earlier.xlsx")
    result = house.run(sends=False)
    assert (result.deliveries, result.left, house.desk.sent) == ((), (), [])
    assert result.report
    assert result.report.exists()


def test_an_empty_queue_needs_no_report(house: House) -> None:
    house.tickets = []
    result = house.run()
    assert (result.tickets, result.report, result.deliveries) == ((), None, ())
    assert house.work.attributed(FIRST) == []


def test_an_empty_queue_gets_a_report_where_that_is_set(house: House) -> None:
    house.tickets, house.reports_empty_queue = [], True
    result = house.run()
    assert result.report == house.desk.root / f"ticket-attribution-{FIRST}.xlsx"
    assert [report.rows for report in house.written] == [()]


def test_the_result_has_the_figures_of_the_report(house: House) -> None:
    assert house.run().figures == figures_of(house.written[0])


class TestCorrections:
    """The workbooks that people put into the folder for corrections."""

    @staticmethod
    def incoming(inbox: object) -> Incoming:
        reported = ReportedRun(
            "the run", CATALOG, [AttributedTicket(ticket, Unattributed("no_match")) for ticket in QUEUE]
        )
        return Incoming(
            *(inbox, lambda run_id: reported, Store(), same_but_for_white_space, "ann", lambda: MIDNIGHT),  # type: ignore[arg-type]
        )

    def test_they_are_taken_over_before_anything_is_fetched(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", "ticketattr.application.run_progress")
        chosen = ReviewedRow(2, "2", "Lunch?", "Access", "Password Reset", "B3", "C3")
        inbox = Inbox({"a.xlsx": ReviewedReport("the run", "Lead", (chosen,), "one")})
        incoming = replace(self.incoming(inbox), store=house.store)
        assert house.run(sends=False, incoming=incoming).tickets[1].outcome == Attribution(PASSWORD, "corrected")
        (taken,) = house.run_progress.incoming
        assert (taken.name, taken.result, len(taken.new)) == ("a.xlsx", "done", 1)
        assert caplog.messages[0] == (
            "import done in 1.00 s: 1 workbook, 1 correction, 0 confirmations, 0 rows refused"
        )

    def test_a_folder_without_any_is_no_stage(self, house: House) -> None:
        house.run(incoming=self.incoming(Inbox({})))
        assert ("import" in house.run_progress.seconds, house.run_progress.incoming) == (False, ())

    def test_a_folder_that_cannot_be_read_does_not_stop_the_run(self, house: House) -> None:
        class Closed(Inbox):
            def workbooks(self) -> list[DroppedFile]:
                raise SettingsError("no rights")

        assert house.run(incoming=self.incoming(Closed({}))).report
        assert house.run_progress.incoming == [TakenOver("", "left", problem="no rights")]


class TestWriteBack:
    """What was attributed is written into the helpdesk, and the report says so."""

    @staticmethod
    def write_back(desk: ScriptedDesk, ledger: FakeChangeLedger | None = None) -> WriteBack:
        location = "https://desk.example.com"
        above = ApplyAbove(0.0)
        return WriteBack(desk, ledger or FakeChangeLedger(), ticking_clock(), "fill", location, above)

    def test_it_is_a_stage_before_the_report(self, house: House, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO", "ticketattr.application.run_progress")
        house.classifier = ScriptedClassifier(lambda ticket: None)
        house.store.corrections = [a_correction("Lunch?", "2"), a_correction("Screen flickers", "1")]
        back = self.write_back(ScriptedDesk([("", ""), LAPTOP.pair, LAPTOP.pair], can_note=False))
        steps: list[tuple[int, int]] = []
        result = house.run(write_back=back, progress=lambda done, total: steps.append((done, total)))
        assert result.applied
        assert result.applied == house.run_progress.applied
        assert [(change.ticket_id, change.run_id, change.state) for change in result.applied.changes] == [
            *(("1", FIRST, "applied"), ("2", FIRST, "kept")),
        ]
        assert steps[-3:] == [(0, 2), (1, 2), (2, 2)]
        assert "apply done in 1.00 s: 1 fill applied, 1 fill kept" in caplog.messages
        recorded = AppliedRun(result.applied.changes, result.applied.skipped)
        assert read_applied(house.work.path(FIRST, "applied")).data == recorded
        assert house.written[0].context.effects == effects_of(recorded.changes, recorded.skipped)

    def test_what_fails_goes_with_the_next_run_and_never_holds_up_the_report(self, house: House) -> None:
        class Damaged(FakeChangeLedger):
            def changes(self) -> list[Change]:
                raise damaged

        damaged = InputError("the ledger is damaged")
        result = house.run(write_back=self.write_back(ScriptedDesk([None]), Damaged()))
        assert result.applied == Applied("fill", stopped=damaged)
        assert result.report
        assert house.written[0].context.effects == {}


def test_the_latest_correction_decides(house: House) -> None:
    house.store.corrections = [
        a_correction("Lunch?", "2"),
        a_correction("Lunch?", "2", pair=("Access", "Password Reset")),
    ]
    assert house.run().tickets[1].outcome == Attribution(PASSWORD, "corrected")


class TestReport:
    def test_a_report_contains_what_is_known_besides_the_tickets(self, house: House) -> None:
        house.run()
        (report,) = house.written
        assert (report.run_id, report.generated_at) == (FIRST, MIDNIGHT)
        assert (report.context.bill, report.context.catalog) == (BILL, CATALOG)
        assert (report.context.review_below, report.context.earlier) == (0.7, None)
        assert report.rows[0].url.startswith("https://desk.example.com/")

    def test_a_report_is_compared_with_the_last_one_that_was_sent(self, house: House) -> None:
        house.run()
        house.tickets = [*QUEUE[1:], Ticket("4", "Screen cracked")]
        house.run(SECOND)
        report = house.written[-1]
        assert report.context.earlier
        assert report.context.earlier.run_id == FIRST
        assert {row.id: row.since_last_report for row in report.rows} == {"2": "", "3": "", "4": "new"}
        assert [known.id for known in report.gone] == ["1"]

    def test_a_report_created_again_says_the_same(self, house: House) -> None:
        house.run()
        house.run(SECOND)
        again = house.run(FIRST, sends=False)
        assert again.report
        assert house.written[-1].context.earlier is None

    @pytest.mark.parametrize("lose", ["file", "delivery"])
    def test_without_the_data_of_the_last_report_there_is_no_comparison(
        self, house: House, lose: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        if lose == "delivery":
            house.desk.mailer.troubles = [REFUSED, REFUSED]
        house.run()
        if lose == "file":
            house.work.path(FIRST, "attributions").unlink()
        house.run(SECOND)
        assert house.written[-1].context.earlier is None
        said = [
            message
            for message in caplog.messages
            if message.startswith("the report is not compared with an earlier one: ")
        ]
        assert [str(house.work.path(FIRST, "attributions")) in message for message in said] == [True] * (lose == "file")

    def test_a_missing_catalog_is_logged(self, house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        tickets = [AttributedTicket(QUEUE[0], Unattributed("no_match"))]
        report = make_report(AttributedRun(FIRST, MIDNIGHT, tickets), house.reporting, tmp_path / "a.xlsx")
        assert report.context.catalog is None
        assert caplog.messages == [
            f"the catalog of run {FIRST} is missing: the report has no drop-down lists and no due times"
        ]


def test_a_run_that_did_not_start_has_no_results() -> None:
    run_progress = RunProgress(lambda: 0.0)
    assert (
        run_progress.seconds,
        run_progress.tickets,
        run_progress.deliveries,
        run_progress.left,
        run_progress.incoming,
        run_progress.applied,
        run_progress.bill(),
    ) == ({}, (), (), (), (), None, Bill())


class TestLastSentRun:
    def test_it_is_the_latest_run_by_id_that_the_transport_delivered(self, house: House) -> None:
        log = house.desk.log
        assert last_sent_run(log, "smtp") == ""
        house.run(SECOND)
        house.run(FIRST)
        house.desk.put("c.xlsx", run="20261123T000000Z-0000")
        house.desk.send(FakeMailer(transport="file"))
        assert last_sent_run(log, "smtp") == SECOND
        assert last_sent_run(log, "smtp", before=SECOND) == FIRST
        assert last_sent_run(log, "smtp", before=FIRST) == ""
        assert last_sent_run(log, "file") == "20261123T000000Z-0000"


def test_a_stage_begins_without_the_tickets_of_the_one_before() -> None:
    run_progress = RunProgress(lambda: 0.0)
    seen: list[tuple[str, int, int]] = []
    run_progress.observer = lambda: seen.append((current_stage.get(), run_progress.done, run_progress.total))
    with run_progress.stage("classify"):
        run_progress.count_tickets(3, 3)
    with run_progress.stage("report"):
        pass
    assert seen == [("classify", 0, 0), ("classify", 3, 3), ("report", 0, 0)]
