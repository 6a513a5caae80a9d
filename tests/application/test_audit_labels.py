"""An audit writes a workbook with the doubtful labels of a history, and what people decide in it is imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import openpyxl
import pytest

from ticketattr.application.audit_labels import AuditedHistory, audit_labels, save_audit
from ticketattr.application.corrections import Import, import_corrections
from ticketattr.application.learn import History, UsableTickets, usable_tickets
from ticketattr.application.ports import NO_PROGRESS, LearningProgress, Run
from ticketattr.domain.catalog import SLA, ServiceCatalog
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.label_audit import Guess
from ticketattr.domain.learning import LabelledTicket
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket
from ticketattr.errors import InputError
from ticketattr.infrastructure.corrections.corrections_db import SQLiteCorrections
from ticketattr.infrastructure.reports.cell_text import cell_matches
from ticketattr.infrastructure.reports.corrections_reader import read_reviewed
from ticketattr.infrastructure.reports.excel import write_audit_workbook
from ticketattr.infrastructure.stage_files.run_files import read_reported
from ticketattr.infrastructure.stage_files.work_folder import WorkFolder

from ..conftest import CLI
from ..fakes import CATALOG, GENERAL, LAPTOP, MIDNIGHT
from ..workbooks import tickets_table

RUN = Run("20261120T080000Z-0000", lambda: MIDNIGHT)
HISTORY = [
    GoldTicket(Ticket("A-1", "Laptop is dead", created_at="2020-01-01T08:00:00Z"), LAPTOP),
    GoldTicket(Ticket("A-2", "Who can help?"), GENERAL),
    GoldTicket(Ticket("A-3", "=HYPERLINK(1) screen is black"), GENERAL),
    GoldTicket(Ticket("A-4", "the laptop is dead, please help us"), LAPTOP),
    GoldTicket(Ticket("A-5", "Laptop, is dead!"), GENERAL),
]


def guessing(*labels: float) -> Callable[[Sequence[GoldTicket], ServiceCatalog, LearningProgress], list[Guess]]:
    """Each label has that probability, and one other type has the rest."""

    def guesses(history: Sequence[GoldTicket], catalog: ServiceCatalog, progress: LearningProgress) -> list[Guess]:
        others = [catalog.entries.index(LAPTOP if gold.entry is GENERAL else GENERAL) for gold in history]
        return [Guess(label, ((other, 1 - label),)) for label, other in zip(labels, others, strict=True)]

    return guesses


def audited_history(gold: Sequence[GoldTicket], *labels: float) -> AuditedHistory:
    """The audit of a history, by the probability of each label."""
    history = History("history.jsonl", [LabelledTicket(one.ticket, one.entry.pair) for one in gold])
    usable = usable_tickets(history, CATALOG, NO_PROGRESS)
    return audit_labels(usable, CATALOG, guessing(*labels), RUN, NO_PROGRESS)


@dataclass
class Desk:
    """An audit that is saved, with its workbook."""

    folder: Path
    audited: AuditedHistory

    @property
    def workbook(self) -> Path:
        return self.folder / "audit.xlsx"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    audited = audited_history(HISTORY, 0.9, 0.8, 0.02, 0.7, 0.6)
    desk = Desk(tmp_path, audited)
    save_audit(audited, CATALOG, WorkFolder(tmp_path / "work").audits, RUN)
    write_audit_workbook(audited, desk.workbook)
    return desk


def test_workbook_lists_doubtful_labels_first_and_then_other_contradictions(desk: Desk) -> None:
    rows = tickets_table(desk.workbook)

    assert [row["id"] for row in rows] == ["A-3", "A-1", "A-5"]
    assert rows[0]["needs_review"] == "surely another type: Laptop Repair (0.98 against 0.02)"
    assert rows[0]["next_best"] == str(LAPTOP)
    assert rows[1]["needs_review"] == "almost the same text as A-5 (General Inquiry)"
    assert rows[0]["short_description"] == "=HYPERLINK(1) screen is black"
    assert all("overdue" not in str(row) for row in rows), "closed tickets are never overdue"


def test_findings_say_what_to_do_and_what_the_catalog_lacks(desk: Desk) -> None:
    sheet = openpyxl.load_workbook(desk.workbook)["Findings"]
    cells = [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]

    assert any("ticketattr corrections import" in cell for cell in cells)
    assert "Request types with too few tickets (" in "\n".join(cells)
    assert str(LAPTOP) in cells


def test_corrections_import_takes_back_what_people_decide(desk: Desk) -> None:
    book = openpyxl.load_workbook(desk.workbook)
    sheet = book["Tickets"]
    sheet["B2"], sheet["C2"] = LAPTOP.pair
    sheet["H3"] = "x"
    book.save(desk.workbook)
    work, store = WorkFolder(desk.folder / "work"), SQLiteCorrections(desk.folder / "corrections.db")
    review = read_reviewed(desk.workbook)

    imported = import_corrections(
        review, read_reported(review.run_id, None, None, work), store, Import(cell_matches, "ann", MIDNIGHT)
    )

    decided = {one.ticket_id: (one.request_type, one.is_confirmation) for one in imported.new}
    assert decided == {"A-3": ("Laptop Repair", False), "A-1": ("Laptop Repair", True)}


def test_command_imports_the_workbook_of_an_audit_which_is_no_run(desk: Desk, cli: CLI) -> None:
    book = openpyxl.load_workbook(desk.workbook)
    book["Tickets"]["B2"], book["Tickets"]["C2"] = LAPTOP.pair
    book.save(desk.workbook)

    imported = cli.ok("corrections", "import", str(desk.workbook))
    reported = cli("report")

    assert "1 correction imported" in imported.stderr
    assert (desk.folder / "work/audits" / RUN.id / "corrections.json").exists()
    assert reported.exit_code == 3
    assert "has no run" in reported.stderr


def test_each_listed_ticket_keeps_its_label_with_its_probability_and_the_likelier_type() -> None:
    audited = audited_history(HISTORY, 0.9, 0.8, 0.0234567, 0.7, 0.6)
    assert audited.tickets == (
        AttributedTicket(HISTORY[2].ticket, Attribution(GENERAL, "kept", 0.0235, alternatives=(LAPTOP,))),
        AttributedTicket(HISTORY[0].ticket, Attribution(LAPTOP, "kept")),
        AttributedTicket(HISTORY[4].ticket, Attribution(GENERAL, "kept")),
    )
    report = audited.report
    assert (report.run_id, report.generated_at, report.context.catalog) == (RUN.id, MIDNIGHT, CATALOG)
    assert [(row.place, row.id) for row in report.rows] == [(1, "A-3"), (2, "A-1"), (3, "A-5")]
    of_open_tickets = [(row.due, row.overdue_by, row.urgency, row.response_due, row.age_days) for row in report.rows]
    assert of_open_tickets == [(None, None, "", None, None)] * 3


def test_a_label_with_a_promised_first_answer_is_not_due_either() -> None:
    quick = replace(GENERAL, response=SLA(1, "hours"))
    gold = [GoldTicket(Ticket("A-1", "Who can help?", created_at="2026-11-20T08:00:00Z"), quick), *HISTORY[:1]]
    usable = UsableTickets(gold, [None, None], {})
    catalog = ServiceCatalog((LAPTOP, quick))

    def doubtful(*given: object) -> list[Guess]:
        return [Guess(0.02, ((0, 0.98),)), Guess(0.9, ((1, 0.1),))]

    (row,) = audit_labels(usable, catalog, doubtful, RUN, NO_PROGRESS).report.rows
    assert (row.id, row.due, row.response_due) == ("A-1", None, None)


def test_all_reasons_to_look_at_a_label_are_told_with_three_of_the_tickets_that_contradict_it() -> None:
    ids = ["A-1", "", "x" * 70, "B\x07", "C"]
    labels = [LAPTOP, *[GENERAL] * 4]
    history = [GoldTicket(Ticket(one, "Laptop is dead"), label) for one, label in zip(ids, labels, strict=True)]
    audited = audited_history(history, 0.02, 0.9, 0.9, 0.9, 0.9)
    others = ", ".join(f"{name} (General Inquiry)" for name in ("ticket 2", "x" * 60, "B\u2407"))
    doubt = "surely another type: General Inquiry (0.98 against 0.02)"
    assert [row.needs_review for row in audited.report.rows] == [
        f"{doubt}; almost the same text as {others}, and 1 more",
        *["almost the same text as A-1 (Laptop Repair)"] * 4,
    ]


def test_history_with_one_label_cannot_be_audited() -> None:
    with pytest.raises(InputError, match="all tickets have the label"):
        audited_history(HISTORY[1:3], 0.9, 0.9)
