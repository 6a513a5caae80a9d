"""Attributions of any number as JSON Lines and Parquet: what was written is read, and a damaged file is named."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticketattr.application.ports import Run
from ticketattr.domain.catalog import SLA, RequestType
from ticketattr.domain.ticket import AttributedTicket, Attribution, Decision, Ticket, Unattributed
from ticketattr.domain.usage import Bill, Usage
from ticketattr.errors import InputError, StageFileError
from ticketattr.infrastructure.helpdesk.ticket_file import TicketFile
from ticketattr.infrastructure.options import HelpdeskAccess
from ticketattr.infrastructure.stage_files.attributions import (
    open_attributions,
    read_attributions,
    write_attributions,
    write_stream,
)

arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")

NOW = datetime(2026, 11, 23, 15, 3, 1, tzinfo=timezone.utc)
RUN = Run("20261123T150301Z-7f3a", lambda: NOW)
BILL = Bill(Usage(3, 1, 10, 20, 5, 2), 0.25, 1.5, "a model", ("a note",))
RESET = RequestType("Access", "Password Reset", SLA(0, "hours"), response=SLA(30, "minutes"))
UNLOCK = RequestType("Access", "Account Unlock", SLA(1.5, "days"))
FULL = Ticket(
    *("T-1", "Locked \u2028out", "Since\nMonday.", "ann@example.com", "2026-11-20T08:00:00Z", "Access", "Reset"),
    SLA(9, "weeks"),
    {"tags": ["ü", None, {"deep": 1.0}], "empty": None, "none": {}},
    *("open", "P1", "bob", "desk", "https://example.com/1", "2026-11-21", "7"),
)
TICKETS = [
    AttributedTicket(FULL, Attribution(RESET, "model", 0.25, "locked", (UNLOCK, RESET), "m-1")),
    AttributedTicket(FULL, Attribution(UNLOCK, "corrected"), Decision("Access", "Account Unlock", False, NOW)),
    AttributedTicket(Ticket("", ""), Attribution(UNLOCK, "offline", 1.0)),
    AttributedTicket(Ticket("", "\x1b\x00 \U0001f600"), Unattributed("blocked", "refused", "m-2")),
    AttributedTicket(Ticket("", ""), Unattributed("no_match")),
]


@pytest.fixture(params=["a.jsonl", "a.parquet"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def test_every_field_of_the_json_stage_is_read_as_it_was_written(path: Path, tmp_path: Path) -> None:
    write_stream(path, TICKETS, RUN, lambda: BILL)
    write_attributions(tmp_path / "a.json", TICKETS, RUN, BILL)
    read, expected = read_attributions(path), read_attributions(tmp_path / "a.json")
    assert asdict(read) == asdict(expected)
    assert [each.outcome.model for each in read.data] == [each.outcome.model for each in expected.data]


def test_no_ticket_at_all_is_read_as_none(path: Path) -> None:
    write_stream(path, [], RUN, Bill)
    assert read_attributions(path).data == []


@given(
    text=st.text(), confidence=st.floats(0, 1) | st.none(), value=st.integers(0, 1000) | st.floats(0, 1000, width=32)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_and_number_comes_back(path: Path, text: str, confidence: float | None, value: float) -> None:
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    entry = RequestType(text, text, SLA(value, "hours"))
    ticket = AttributedTicket(Ticket(text, text, extra={"x": text}), Attribution(entry, "model", confidence, text))
    write_stream(path, [ticket], RUN, Bill)
    assert read_attributions(path).data == [ticket]


def test_the_bill_is_known_once_all_tickets_are_read(path: Path) -> None:
    write_stream(path, TICKETS, RUN, lambda: BILL)
    with open_attributions(path) as stream:
        assert len(list(stream.items)) == len(TICKETS)
        assert stream.bill == BILL


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_is_refused(path: Path, share: float) -> None:
    write_stream(path, TICKETS * 50, RUN, Bill)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StageFileError):
        read_attributions(path)


def test_a_file_that_is_cut_between_two_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_stream(path, TICKETS, RUN, Bill)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(StageFileError, match="is cut: it has no last line after 5 items"):
        read_attributions(path)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{", "line 3, is not valid JSON"),
        (b'{"ticket": {"id": 5, "short_description": ""}}', "line 3, ticket.id: "),
        (b"{}", "line 3, ticket: Field required"),
        (b'{"end": {"items": 7}}', "line 3, says that there are 7 items, but there are 1"),
        (b'{"end": {"items": 1}}', "line 3, says that the file ends, but more follows"),
    ],
)
def test_a_bad_line_is_named_by_its_number(tmp_path: Path, line: bytes, says: str) -> None:
    path = tmp_path / "a.jsonl"
    write_stream(path, TICKETS, RUN, Bill)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], line + b"\n", *lines[3:]]))
    with pytest.raises(StageFileError) as caught:
        read_attributions(path)
    assert says in str(caught.value)


def test_a_stream_that_fails_leaves_the_earlier_file(path: Path) -> None:
    write_stream(path, TICKETS[:1], RUN, Bill)

    def broken() -> object:
        yield from TICKETS
        raise StageFileError("stop")

    with pytest.raises(StageFileError, match="stop"):
        write_stream(path, broken(), RUN, Bill)  # type: ignore[arg-type]
    assert len(read_attributions(path).data) == 1
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_parquet_file_whose_names_are_not_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tickets.parquet"
    parquet.write_table(arrow.table({"id": ["1"], "subject": ["a"]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"subject", b"subj\xb1ct"))
    with pytest.raises(InputError, match=r"tickets\.parquet is not a whole Parquet file"):
        TicketFile(HelpdeskAccess(str(path))).fetch_tickets()


def test_a_parquet_file_with_a_time_that_no_calendar_has_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tickets.parquet"
    columns = {"id": ["1"], "subject": ["a"], "created_at": arrow.array([2**62], arrow.timestamp("us"))}
    parquet.write_table(arrow.table(columns), path)
    with pytest.raises(InputError, match=r"tickets\.parquet is not a whole Parquet file"):
        TicketFile(HelpdeskAccess(str(path))).fetch_tickets()
