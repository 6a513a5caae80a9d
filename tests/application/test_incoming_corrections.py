"""Taking over the workbooks that people put into the folder for corrections: what each note says, and what waits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest

from ticketattr.application.incoming_corrections import Incoming, TakenOver, count_rows, take_over_workbooks
from ticketattr.application.ports import DroppedFile, NotFinished
from ticketattr.domain.correction import ReportedRun, ReviewedReport, ReviewedRow
from ticketattr.domain.ticket import AttributedTicket, Ticket, Unattributed
from ticketattr.errors import InputError, ServiceError, StageFileError

from ..fakes import CATALOG, MIDNIGHT
from .test_corrections import QUEUE, Store, row, same_but_for_white_space

HEAD = "{name}: 2026-11-23 00:00 UTC\n\n"
COUNTS = "{} taken over, {} known from an earlier import, {} refused.\n"
MEANING = "A row without another request type and without a mark means nothing.\n\n"
AGAIN = "Correct what was not taken over, and put the workbook into the folder again. What was taken over stays.\n"


@dataclass
class Inbox:
    """The folder in memory: what each file holds, and the notes by the file and the result."""

    reviews: dict[str, ReviewedReport | Exception]
    trouble: Exception | None = None
    notes: dict[tuple[str, str], str] = field(default_factory=dict)

    def workbooks(self) -> list[DroppedFile]:
        return [DroppedFile(name, MIDNIGHT, None) for name in self.reviews]  # type: ignore[arg-type]

    def read(self, file: DroppedFile) -> ReviewedReport:
        review = self.reviews[file.name]
        if isinstance(review, Exception):
            raise review
        return review

    def settle(self, file: DroppedFile, result: Literal["done", "refused"], note: str) -> Path:
        if self.trouble:
            raise self.trouble
        self.notes[file.name, result] = note
        return Path(result) / file.name


def review(*rows: ReviewedRow, sha256: str = "one", run_id: str = "the run") -> ReviewedReport:
    return replace(ReviewedReport(run_id, "Lead", rows), sha256=sha256)


def take_over(inbox: Inbox, store: Store | None = None) -> list[TakenOver]:
    def reported(run_id: str) -> ReportedRun:
        if run_id != "the run":
            raise StageFileError("no such folder")
        return ReportedRun(run_id, CATALOG, QUEUE)

    incoming = Incoming(inbox, reported, store or Store(), same_but_for_white_space, "ann", lambda: MIDNIGHT)
    return take_over_workbooks(inbox.workbooks(), incoming)


LAPTOP = row(1, "Hardware", "Laptop Repair")
TAKEN = "C2: ticket 1 corrected to Hardware / Laptop Repair"


def test_a_workbook_whose_rows_are_taken_is_done_and_a_second_copy_of_it_adds_nothing() -> None:
    store, inbox = Store(), Inbox({"a.xlsx": review(LAPTOP), "copy.xlsx": review(LAPTOP)})
    first, copy = take_over(inbox, store)
    assert (first.result, first.moved_to, first.new) == ("done", Path("done/a.xlsx"), tuple(store.corrections))
    assert (copy.result, copy.new, copy.needs_person) == ("done", (), False)
    assert inbox.notes == {
        ("a.xlsx", "done"): f"{HEAD.format(name='a.xlsx')}{COUNTS.format(1, 0, 0)}{MEANING}{TAKEN}\n",
        ("copy.xlsx", "done"): (
            f"{HEAD.format(name='copy.xlsx')}{COUNTS.format(0, 1, 0)}{MEANING}{TAKEN} (known from an earlier import)\n"
        ),
    }
    counts = {"workbooks": 2, "corrections": 1, "confirmations": 0, "rows_refused": 0}
    assert count_rows([first, copy]) == counts


def test_confirmations_are_counted_apart_from_corrections() -> None:
    confirmed = replace(row(1, "Other", "General Inquiry"), checked="x", checked_cell="D2")
    inbox = Inbox({"a.xlsx": review(confirmed, row(2, "Hardware", "Laptop Repair"))})
    (taken,) = take_over(inbox)
    assert inbox.notes["a.xlsx", "done"].endswith(
        "C2: ticket 1 confirmed as Other / General Inquiry\nC3: ticket 2 corrected to Hardware / Laptop Repair\n"
    )
    counts = {"workbooks": 1, "corrections": 1, "confirmations": 1, "rows_refused": 0}
    assert count_rows([taken]) == counts


def test_a_ticket_without_an_id_is_named_as_one() -> None:
    unnamed = AttributedTicket(Ticket("", "Lunch?"), Unattributed("no_match"))
    chosen = [replace(row(2, *pair), id="") for pair in (("Access", "Password Reset"), ("Canteen", "Menu"))]
    for choice, told in zip(
        chosen,
        (
            "C3: ticket without an id corrected to Access / Password Reset\n",
            f"B3: 'Canteen' is not a category in the catalog (ticket without an id): refused\n\n{AGAIN}",
        ),
        strict=True,
    ):
        inbox = Inbox({"a.xlsx": review(choice)})
        reported = ReportedRun("the run", CATALOG, [QUEUE[0], unnamed])
        of_run = {"the run": reported}.__getitem__
        incoming = Incoming(inbox, of_run, Store(), same_but_for_white_space, "ann", lambda: MIDNIGHT)
        take_over_workbooks(inbox.workbooks(), incoming)
        (note,) = inbox.notes.values()
        assert note.endswith(f"\n\n{told}")


def test_a_copy_of_an_earlier_workbook_takes_no_later_decision_back() -> None:
    store = Store()
    other = review(row(1, "Access", "Password Reset"), sha256="other")
    for inbox in (Inbox({"a.xlsx": review(LAPTOP)}), Inbox({"b.xlsx": other})):
        take_over(inbox, store)
    (copy,) = take_over(Inbox({"copy.xlsx": review(LAPTOP)}), store)
    assert ([taken.result for taken in copy.rows], len(store.corrections)) == (["known"], 2)


def test_the_valid_rows_of_a_workbook_are_taken_and_its_note_says_what_to_correct() -> None:
    store, inbox = Store(), Inbox({"a.xlsx": review(LAPTOP, row(2, "Canteen", "Menu"))})
    (taken,) = take_over(inbox, store)
    assert (taken.result, len(taken.new), taken.refused_rows, taken.needs_person) == ("refused", 1, 1, True)
    refused = "B3: 'Canteen' is not a category in the catalog (ticket 2): refused"
    note = f"{HEAD.format(name='a.xlsx')}{COUNTS.format(1, 0, 1)}{MEANING}{TAKEN}\n{refused}\n\n{AGAIN}"
    assert inbox.notes == {("a.xlsx", "refused"): note}
    assert count_rows([taken])["rows_refused"] == 1


def test_of_two_workbooks_the_later_decision_counts_and_both_notes_say_so() -> None:
    # A row that is refused decides nothing.
    other = review(row(2, "Canteen", "Menu"), row(1, "Access", "Password Reset"), sha256="other")
    first, second = take_over(Inbox({"a.xlsx": review(LAPTOP), "b.xlsx": other}))
    assert first.conflicts == ("ticket 1: Hardware / Laptop Repair was replaced by Access / Password Reset in b.xlsx",)
    assert second.conflicts == ("ticket 1: Access / Password Reset replaces Hardware / Laptop Repair in a.xlsx",)


def test_a_decision_of_an_earlier_import_is_named_with_its_run_and_day() -> None:
    store = Store()
    take_over(Inbox({"a.xlsx": review(LAPTOP)}), store)
    inbox = Inbox({"b.xlsx": review(row(1, "Access", "Password Reset"), sha256="other")})
    (second,) = take_over(inbox, store)
    sentence = (
        "ticket 1: Access / Password Reset replaces Hardware / Laptop Repair of the report of run the run, imported on"
        " 2026-11-23"
    )
    assert second.conflicts == (sentence,)
    assert inbox.notes["b.xlsx", "done"].endswith(
        f"\n\nOf two decisions about a ticket, the one in the workbook that was saved last counts:\n{sentence}\n"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (InputError("it is no workbook"), "it is no workbook"),
        (
            review(run_id=""),
            "the workbook does not name a run. Put in the report itself, as it was saved, and not a copy of its rows.",
        ),
        (
            review(run_id="gone"),
            "the files of its run gone cannot be read: no such folder. They are deleted, or of another desk.",
        ),
    ],
)
def test_a_workbook_that_is_no_report_of_this_desk_is_refused(content: ReviewedReport | Exception, reason: str) -> None:
    inbox = Inbox({"a.xlsx": content})
    refused = TakenOver("a.xlsx", "refused", reason=reason, moved_to=Path("refused/a.xlsx"))
    assert take_over(inbox) == [refused]
    assert inbox.notes == {("a.xlsx", "refused"): f"{HEAD.format(name='a.xlsx')}Not taken over: {reason}\n"}


def test_a_workbook_that_somebody_still_saves_is_left_for_the_next_run() -> None:
    inbox = Inbox({"a.xlsx": NotFinished("it is open")})
    left = take_over(inbox)
    assert left == [TakenOver("a.xlsx", "left", reason="it is open")]
    assert (inbox.notes, count_rows(left)["workbooks"], left[0].needs_person) == ({}, 0, False)


@pytest.mark.parametrize(
    ("trouble", "changes", "needs_person"),
    [
        (NotFinished("it was changed"), {"result": "left", "reason": "it was changed"}, False),
        (ServiceError("the disk is full"), {"result": "done", "problem": "the disk is full"}, True),
    ],
)
def test_a_workbook_that_cannot_be_moved_stays_and_its_corrections_are_taken(
    trouble: Exception, changes: dict[str, str], needs_person: bool, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store()
    (taken,) = take_over(Inbox({"a.xlsx": review(LAPTOP)}, trouble), store)
    assert taken == TakenOver("a.xlsx", rows=taken.rows, sha256="one", **changes)  # type: ignore[arg-type]
    assert (len(store.corrections), taken.needs_person) == (1, needs_person)
    warned = "a workbook that was taken over cannot be moved: the disk is full"
    assert caplog.messages == ([warned] if needs_person else [])
