"""The choices of a person in a report are all imported, or none is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from ticketattr.application.corrections import Import, Imported, RowResult, compare_rows, import_corrections
from ticketattr.domain.correction import Correction, ReportedRun, ReviewedReport, ReviewedRow
from ticketattr.domain.sanitizing import sanitize
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket, Unattributed
from ticketattr.errors import InputError

from ..fakes import CATALOG, GENERAL, LAPTOP, MIDNIGHT, a_correction

QUEUE = [
    AttributedTicket(Ticket("1", "Screen flickers", "Since Monday."), Attribution(GENERAL, "model")),
    AttributedTicket(Ticket("2", "Lunch?"), Unattributed("no_match")),
    AttributedTicket(Ticket("3", "Locked\x07 out"), Attribution(LAPTOP, "model")),
]


@dataclass
class Store:
    corrections: list[Correction] = field(default_factory=list)

    def all(self) -> list[Correction]:
        return list(self.corrections)

    def add(self, corrections: Sequence[Correction]) -> None:
        self.corrections += corrections


def row(place: int, category: str = "", request_type: str = "", *, number: int = 0) -> ReviewedRow:
    """The row of a ticket as in the report, with this choice."""
    ticket = QUEUE[place - 1].ticket
    number = number or place + 1
    text = sanitize(ticket.short_description)
    return ReviewedRow(place, ticket.id, text, category, request_type, f"B{number}", f"C{number}")


def same_but_for_white_space(written: str, text: str) -> bool:
    return written.casefold().split() == sanitize(text).casefold().split()


UNTOUCHED = [row(1, "Other", "General Inquiry"), row(2), row(3, "Hardware", "Laptop Repair")]


def take_over(*rows: ReviewedRow, store: Store | None = None, run_id: str = "the run") -> Imported:
    review = ReviewedReport(run_id, "Lead", rows)
    store = Store() if store is None else store
    how = Import(same_but_for_white_space, "ann", MIDNIGHT)
    return import_corrections(review, ReportedRun(run_id, CATALOG, QUEUE), store, how)


def refusal(*rows: ReviewedRow) -> str:
    store = Store()
    with pytest.raises(InputError) as caught:
        take_over(row(1, "Hardware", "Laptop Repair"), *rows, store=store)
    assert store.corrections == [], "the valid rows are not imported either"
    assert caught.value.hint == "Correct these cells, then import the report again."
    return str(caught.value)


def test_an_import_logs_how_many_rows_were_compared_and_are_new(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        take_over(UNTOUCHED[0], row(2, "Hardware", "Laptop Repair"), UNTOUCHED[2])
    assert caplog.messages == ["3 rows compared, 1 new correction"]


def test_a_correction_holds_everything_that_an_audit_needs() -> None:
    store = Store()
    imported = take_over(row(1, " hardware", "LAPTOP repair"), *UNTOUCHED[1:], store=store)
    expected = Correction(
        run_id="the run",
        place=1,
        ticket_id="1",
        short_description="Screen flickers",
        long_description="Since Monday.",
        request_category="Hardware",
        request_type="Laptop Repair",
        reported_category="Other",
        reported_type="General Inquiry",
        reviewer="Lead",
        imported_by="ann",
        at=MIDNIGHT,
        has_unique_id=True,
    )
    assert imported == Imported((expected,), (expected,))
    assert store.corrections == [expected]


def test_a_ticket_without_a_request_type_may_be_given_one() -> None:
    (correction,) = take_over(row(2, "Other", "General Inquiry")).new
    assert (correction.place, correction.reported_category, correction.reported_type) == (2, "", "")


@pytest.mark.parametrize("order", [1, -1])
def test_unchanged_rows_mean_nothing_in_any_order(order: int) -> None:
    respelled = replace(UNTOUCHED[2], short_description="locked␇  out", request_type="laptop  REPAIR")
    assert take_over(*[*UNTOUCHED[:2], respelled][::order]) == Imported((), ())


def test_a_choice_is_new_if_it_differs_from_the_last_import_of_the_same_run() -> None:
    store = Store([replace(a_correction("x", run_id="another run"), place=2)])
    choice = row(2, "Hardware", "Laptop Repair")
    first = take_over(choice, store=store)
    assert len(first.new) == 1
    assert take_over(choice, store=store) == Imported((), first.of_run)
    assert take_over(row(2), store=store).new == (), "a row that agrees with the report takes nothing back"
    second = take_over(row(2, "Access", "Password Reset"), store=store)
    assert second.of_run == (*first.new, *second.new)
    assert take_over(choice, store=store).new, "the first choice is new again"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (row(2, "Canteen", "Menu"), "B3: 'Canteen' is not a category in the catalog"),
        (row(2, "hardware", "Menu"), "C3: 'Menu' is not a request type of hardware in the catalog"),
        (row(2, "Hardware", " "), "C3: the cell is empty, but must hold a request type of Hardware in the catalog"),
        (row(2, " ", "Menu"), "B3: the cell is empty, but must hold a category in the catalog"),
        (row(2, "x\x07" * 99, "y"), f"B3: '{'x␇' * 50}' is not a category in the catalog"),
        (replace(row(2), place=None), "B3: this row does not belong to the report"),
        (replace(row(2), place=0), "B3: this row does not belong to the report"),
        (replace(row(2), place=4), "B3: this row does not belong to the report"),
        (replace(row(2), id="3"), "B3: the id and the text of this row belong to another ticket"),
        (replace(row(2), short_description="Supper?"), "B3: the id and the text of this row belong to another ticket"),
        (row(1, "Access", "Password Reset", number=9), "B9: the same ticket as in B2"),
    ],
)
def test_an_import_that_cannot_be_complete_names_the_cells_and_imports_nothing(wrong: ReviewedRow, said: str) -> None:
    assert refusal(wrong) == f"nothing imported: {said}"


@pytest.mark.parametrize(("wrong", "end"), [(2, ""), (20, ""), (23, "; and 3 more")])
def test_an_error_names_at_most_twenty_wrong_cells(wrong: int, end: str) -> None:
    rows = [replace(row(2, number=number), place=None) for number in range(1, wrong + 1)]
    named = "; ".join(f"B{number}: this row does not belong to the report" for number in range(1, min(wrong, 20) + 1))
    assert refusal(*rows) == f"nothing imported: {named}{end}"


def compared(*rows: ReviewedRow, known: Sequence[Correction] = (), once: bool = False) -> list[RowResult]:
    how = Import(same_but_for_white_space, "ann", MIDNIGHT, once)
    return compare_rows(ReviewedReport("the run", "Lead", rows), ReportedRun("the run", CATALOG, QUEUE), known, how)


def test_a_row_that_was_taken_over_before_names_the_earlier_correction() -> None:
    choice = row(2, "Hardware", "Laptop Repair")
    (taken,) = compared(choice)
    assert taken.correction
    assert compared(choice, known=[taken.correction]) == [RowResult(choice, "known", taken.correction)]


def test_a_row_that_decides_otherwise_names_the_correction_that_it_replaces() -> None:
    (first,) = compared(row(1, "Hardware", "Laptop Repair"))
    assert first.correction
    assert first == RowResult(first.row, "taken", first.correction)
    (second,) = compared(row(1, "Access", "Password Reset"), known=[first.correction])
    assert second == RowResult(second.row, "taken", second.correction, replaced=first.correction)
    # The same decision in the report of another run replaces nothing.
    of_other = replace(first.correction, run_id="another run")
    (again,) = compared(first.row, known=[of_other])
    assert (again.result, again.replaced) == ("taken", None)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (replace(row(2), checked="maybe", checked_cell="D3"), "D3: 'maybe' is neither an x nor empty"),
        (
            replace(row(2), checked="\x07" * 101, checked_cell="D3"),
            f"D3: '{'␇' * 100}' is neither an x nor empty",
        ),
        (
            replace(row(2), checked="x", checked_cell="D3"),
            "D3: there is no request type to confirm, so choose one",
        ),
    ],
)
def test_a_mark_that_means_nothing_is_refused(changed: ReviewedRow, reason: str) -> None:
    assert compared(changed) == [RowResult(changed, "refused", reason=reason)]


@pytest.mark.parametrize(("once", "result"), [(True, "known"), (False, "taken")])
def test_a_file_that_was_imported_before_adds_nothing_if_it_counts_once(once: bool, result: str) -> None:
    choice = row(1, "Hardware", "Laptop Repair")
    (first,) = compared(choice)
    (later,) = compared(row(1, "Access", "Password Reset"))
    assert first.correction
    assert later.correction
    known = [first.correction, replace(later.correction, workbook="another file")]
    assert [again.result for again in compared(choice, known=known, once=once)] == [result]
