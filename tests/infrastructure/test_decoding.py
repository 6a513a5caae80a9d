"""JSON and CSV as other programs write them."""

from __future__ import annotations

import io
import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketattr.errors import InputError
from ticketattr.infrastructure.json_text import parse_foreign_json
from ticketattr.infrastructure.ticket_files.columns import find_columns, recognized
from ticketattr.infrastructure.ticket_files.delimited import Delimited, as_records

same_each_time = settings(derandomize=True, database=None)
TICKETS = [{"id": "1", "subject": "Büro – Drucker"}, {"id": "2", "subject": "VPN"}]
TEXT = json.dumps(TICKETS, ensure_ascii=False)
COLUMNS = ("id", "short_description", "request_type")
ROWS = [{"id": "1", "short_description": "Büro, Drucker", "request_type": "A; B"}]


def parsed(content: bytes) -> Any:
    return parse_foreign_json(content, "x")


def rows(content: bytes) -> list[dict[str, Any]]:
    """The rows of a CSV file by the fields that their columns hold."""
    table = Delimited(io.BytesIO(content), "x", recognized)
    header = table.header or []
    fields = {columns[0]: name for name, columns in find_columns(header, {}, "x").taken.items()}
    records = as_records(header, table.rows(), frozenset(fields))
    return [{fields[name]: cell for name, cell in record.items()} for record in records]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_json_is_read_in_any_encoding_of_unicode(encoding: str) -> None:
    assert parsed(TEXT.encode(encoding)) == TICKETS


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_null(number: str) -> None:
    assert parsed(f'[{{"id": 1, "x": {number}}}, 2]'.encode()) == [{"id": 1, "x": None}, 2]


def test_a_number_with_thousands_of_digits_is_text() -> None:
    assert parsed(b"[" + b"9" * 5_000 + b"]") == ["9" * 5_000]


def test_line_ends_and_tabs_may_stand_in_a_text_as_they_are() -> None:
    assert parsed(b'["a\nb\r\nc\td"]') == ["a\nb\r\nc\td"]


def test_a_byte_that_is_not_utf_8_spoils_its_character_alone() -> None:
    assert parsed(b'[{"subject": "B\xfcro"}, {"subject": "VPN"}]') == [{"subject": "B\ufffdro"}, {"subject": "VPN"}]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_json_lines_are_a_list(end: str) -> None:
    content = end.join(json.dumps(ticket) for ticket in TICKETS).encode()
    assert parsed(content) == TICKETS


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"id": 1}\n{"id": \n', "line 2"),
        (b"[1] [2]", "Extra data"),
        (b"<html>", "web page"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 60 + b"]" * 60, "nested too deeply"),
        (b"", "not valid JSON"),
        (b"[{}" * 600_000, "objects and lists"),
    ],
)
def test_what_is_no_json_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    began = time.monotonic()
    with pytest.raises(InputError, match=reason):
        parsed(content)
    assert time.monotonic() - began < 10


@same_each_time
@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\n\n\ufeff1eE.-NaI ', max_size=40).map(str.encode))
def test_any_bytes_are_json_or_refused(content: bytes) -> None:
    with suppress(InputError):
        json.dumps(parsed(content), allow_nan=False).encode()


def csv_text(delimiter: str) -> str:
    return delimiter.join(COLUMNS) + "\r\n" + delimiter.join(("1", '"Büro, Drucker"', '"A; B"')) + "\r\n\r\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_csv_is_read_with_any_delimiter_and_encoding(delimiter: str, encoding: str) -> None:
    assert rows(csv_text(delimiter).encode(encoding)) == ROWS


def test_the_line_in_which_excel_names_the_delimiter_is_no_header() -> None:
    assert rows(b"sep=;\r\n" + csv_text(";").encode()) == ROWS


def test_windows_1252_is_told(caplog: pytest.LogCaptureFixture) -> None:
    rows(csv_text(";").encode("cp1252"))
    assert "read as Windows-1252" in caplog.text


def test_one_wrong_byte_among_many_right_ones_is_marked() -> None:
    content = "id;short_description\n1;Büro für Grüße\n2;B".encode() + b"\xfcro\n"
    assert [row["short_description"] for row in rows(content)] == ["Büro für Grüße", "B\ufffdro"]


def test_headings_are_compared_without_case_and_spaces() -> None:
    assert rows(b"ID; Short Description \n1;x\n") == [{"id": "1", "short_description": "x"}]


def test_a_cell_may_have_line_ends_and_any_length() -> None:
    assert rows(b'id,short_description\n1,"a\nb' + b"x" * 200_000 + b'"\n')[0]["short_description"].startswith("a\nb")


@same_each_time
@given(st.binary(max_size=80) | st.text(alphabet='id,;\t|"\n\r\0=sep ', max_size=40).map(str.encode))
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    with suppress(InputError):
        assert all(isinstance(cell, str) for row in rows(content) for cell in row.values())
