"""The parsers of untrusted input. Each is a function of bytes that raises if the parser breaks its promise.

The promise: for any input, the result is a value of the right type, which can be written and read again, or a
ticketattr error with a short message. It takes a few seconds at most.
"""

from __future__ import annotations

import atexit
import io
import json
import shutil
import sqlite3
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from httpx import Response

from ticketattr.application.ports import BatchFailed, Run
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.correction import ReviewedReport
from ticketattr.domain.delivery import Message, RecipientResult, ReportFile
from ticketattr.domain.numbers import read_count, read_http_date, read_seconds
from ticketattr.domain.prompt_injection import find_prompt_injection
from ticketattr.domain.report import Report, Row
from ticketattr.domain.sanitizing import sanitize
from ticketattr.domain.ticket import Attribution, Ticket, Unattributed
from ticketattr.domain.times import read_time
from ticketattr.errors import TicketAttrError
from ticketattr.infrastructure.catalog.yaml_format import parse_catalog
from ticketattr.infrastructure.classifiers.gemini.wire import refusal_of, wait_asked_for
from ticketattr.infrastructure.classifiers.llm.answer import read_answer
from ticketattr.infrastructure.delivery.report_log import SQLiteReportLog
from ticketattr.infrastructure.gold_files import GoldFile
from ticketattr.infrastructure.helpdesk.ticket_file import TicketFile
from ticketattr.infrastructure.options import HelpdeskAccess
from ticketattr.infrastructure.redaction.rules import build_redactor
from ticketattr.infrastructure.redaction.terms_file import Terms
from ticketattr.infrastructure.reports.corrections_reader import read_reviewed
from ticketattr.infrastructure.reports.excel import write_workbook
from ticketattr.infrastructure.reports.workbook_archive import inspect_archive
from ticketattr.infrastructure.retries import retry_after
from ticketattr.infrastructure.service_words import forget_secrets, know_secrets, reason_in, service_words
from ticketattr.infrastructure.stage_files import read_catalog, read_tickets, write_catalog, write_tickets

from ..fakes import CATALOG, MIDNIGHT
from ..private_texts import private_texts

SECONDS = 20.0
"""Much more time than any input needs that is not a bomb, even on a busy machine."""
ASKED = 3

_LONGEST_REASON = 2_000
_REDACTOR = build_redactor(Terms())
_RUN = Run("20261123T150301Z-7f3a", lambda: MIDNIGHT)
_DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Parser:
    """`seeds` are valid inputs, or nearly valid ones. `words` are parts of the grammar."""

    check: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]


def helpdesk(content: bytes) -> None:
    # Without a suffix, the content tells whether it is JSON, a table or a workbook.
    path = _folder() / "answer"
    path.write_bytes(content)
    with _keeps_promise():
        tickets = TicketFile(HelpdeskAccess(str(path))).fetch_tickets()
        for ticket in tickets:
            assert isinstance(ticket, Ticket)
            find_prompt_injection(ticket)
            sanitize(ticket.long_description).encode()
        stage = _folder() / "tickets.json"
        write_tickets(stage, tickets, _RUN)
        assert read_tickets(stage).data == tickets


def catalog(content: bytes) -> None:
    with _keeps_promise():
        found = parse_catalog(content, "catalog.yaml")
        assert isinstance(found, ServiceCatalog)
        stage = _folder() / "catalog.json"
        write_catalog(stage, found, _RUN)
        assert read_catalog(stage).data == found


def answer(content: bytes) -> None:
    with _keeps_promise():
        outcomes = read_answer(content.decode("utf-8", "surrogateescape"), ASKED, CATALOG)
        assert len(outcomes) == ASKED
        assert all(isinstance(outcome, Unattributed) or _is_valid(outcome) for outcome in outcomes)


def workbook(content: bytes) -> None:
    """The first byte selects the part of a report that the rest replaces; from 128 on, the rest is the whole file."""
    place, rest = (content[0], content[1:]) if content else (255, b"")
    whole_workbook(rest if place >= 128 else with_part(sorted(parts())[place % len(parts())], rest))


def whole_workbook(content: bytes) -> None:
    path = _folder() / "returned.xlsx"
    path.write_bytes(content)
    with _keeps_promise():
        damage, run_id = inspect_archive(content)
        assert run_id in ("", _RUN.id) or len(run_id) == len(_RUN.id)
        assert len(damage) <= _LONGEST_REASON
    with _keeps_promise():
        assert isinstance(read_reviewed(path), ReviewedReport)
    with _keeps_promise():
        GoldFile.read(path).tickets(CATALOG, ignore_unknown=True)


def numbers(content: bytes) -> None:
    """Numbers, durations and times in headers, errors and replies, which no reader may choke on."""
    text = content.decode("utf-8", "replace")
    with _keeps_promise():
        wait = retry_after({"Retry-After": text}, MIDNIGHT)
        assert wait is None or abs(wait) < 1e12
        seconds = read_seconds(text)
        assert seconds is None or 0 <= seconds < 1e10
        count = read_count(text, most=1_000)
        assert count is None or 0 <= count <= 1_000
        for date in (read_http_date(text), read_time(text)):
            assert date is None or isinstance(MIDNIGHT - date, timedelta)
        for value in (text, content.hex(), f"{text}s"):
            refusal = refusal_of(Response(429, json={"error": {"details": [{"retryDelay": value}]}}))
            assert (wait_asked_for(refusal) or 0.0) >= 0


def service_said(content: bytes) -> None:
    """The body of a refusal, of which one line is shown: without the secrets, without anything invisible."""
    know_secrets(["hunter2-hunter2", "pässwörd"], ["lead@example.com"])
    try:
        with _keeps_promise():
            for words in (reason_in(content), content, content.decode("latin-1")):
                shown = service_words(words)
                assert len(shown) <= 320
                assert shown.isprintable() or not shown.isascii()
                assert not any(each in shown for each in ("hunter2-hunter2", "pässwörd", "lead@example.com"))
    finally:
        forget_secrets()


def private_text(content: bytes) -> None:
    """The text of a ticket: what is hidden in it comes back, and hiding it again changes nothing."""
    text = content.decode("utf-8", "surrogateescape")
    with _keeps_promise():
        redaction = _REDACTOR.redact([(text,)])
        (hidden,) = redaction.documents[0]
        assert redaction.restored(hidden) == text
        assert _REDACTOR.redact([(hidden,)]).documents[0] == (hidden,)


def log_row(content: bytes) -> None:
    """The first byte selects a column of the report log, which gets the rest as its value, as text or as bytes."""
    place, rest = (content[0], content[1:]) if content else (0, b"")
    path = _folder() / "deliveries.db"
    path.write_bytes(report_log())
    table, column = _COLUMNS[place % len(_COLUMNS)]
    with closing(sqlite3.connect(path, isolation_level=None)) as log:
        log.execute("PRAGMA ignore_check_constraints = ON")
        log.execute("DROP TRIGGER events_stay")
        with suppress(sqlite3.Error):
            kind = "BLOB" if place % 2 else "TEXT"
            log.execute(f"UPDATE {table} SET {column} = CAST(? AS {kind})", (rest,))  # noqa: S608
    read = SQLiteReportLog(path)
    for rows in (read.deliveries, read.adoptions, read.events, lambda: read.delivery("<1@x>")):
        with _keeps_promise():
            rows()


@cache
def report_log() -> bytes:
    path = _folder() / "log.db"
    log = SQLiteReportLog(path, who="ann@host")
    report = ReportFile(Path("output/a.xlsx"), "ab" * 32, 10, MIDNIGHT, _RUN.id)
    message = Message("<1@x>", MIDNIGHT, "smtp", "a@x", ("b@x",), "s", (report,), frame=("Head", "1"))
    log.start_attempt(message, MIDNIGHT)
    log.record_result(message, "sent", "250 ok", MIDNIGHT, results=[RecipientResult("b@x", "sent", "250 ok")], size=9)
    log.adopt([report], "adopted", MIDNIGHT)
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA journal_mode = DELETE")
    return path.read_bytes()


_COLUMNS = [
    *(("messages", name) for name in "message_id date sender recipients subject detail changed cc reply_to".split()),
    *(("messages", name) for name in "transport state attempts size released".split()),
    *(("message_reports", name) for name in "path sha256 size modified run_id position".split()),
    *(("message_recipients", name) for name in "address state reply position".split()),
    *(("message_frames", name) for name in ("frame", "message_id")),
    *(("adoptions", name) for name in "at detail sha256 name run_id".split()),
    *(("events", name) for name in "at what message_id who facts number".split()),
]


@cache
def report() -> bytes:
    file = io.BytesIO()
    write_workbook(Report(_RUN.id, MIDNIGHT, (Row("T-1", short_description="x"),)), file)
    return file.getvalue()


@cache
def parts() -> Mapping[str, bytes]:
    """The content of each part of a report, by name."""
    with zipfile.ZipFile(io.BytesIO(report())) as package:
        return {name: package.read(name) for name in package.namelist()}


def with_part(name: str, content: bytes) -> bytes:
    """A valid zip file of the report in which one part has another content."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for part, known in parts().items():
            package.writestr(part, content if part == name else known)
    return file.getvalue()


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ticketattr-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def _keeps_promise() -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    except (TicketAttrError, BatchFailed) as error:
        assert len(str(error)) <= _LONGEST_REASON  # noqa: PT017  # this is not a test
    assert time.monotonic() - began < SECONDS


def _is_valid(outcome: Attribution) -> bool:
    is_share = outcome.confidence is None or 0 <= outcome.confidence <= 1
    return outcome.entry in CATALOG.entries and is_share and len(outcome.evidence) <= 200


def _words(text: str) -> tuple[bytes, ...]:
    return tuple(word.encode() for word in text.split("|"))


_JSON_WORDS = (
    *_words('{}|[]|"|,|:|null|true|1e999|NaN|-0|"\\ud800"|"id"|"sla"|"unit"|"value"|"data"|"requests"|"items"|500'),
    *_words('"response_code"|"confidence"|"evidence"'),
    b"9" * 5_000,
    b"[" * 60,
    b"\xff",
)
_YAML_WORDS = _words(
    "- |: |? |[|]|{|}|&a |*a|!!python/name:os |!!binary |<<: |---\n|...\n|'|\"|#|>\n|%YAML 9.9\n|\t|.inf|.nan"
    "|0x10|1:30|~|\ufeff|\x85|\u2028|\0|name: |sla: "
)
_HOURS_WORDS = _words(
    "service_hours: |clock: |calendar|business|time_zone: |UTC|hours: |mon: |sun-thu: |00:00-24:00|8-17|closed: "
    "|12-24|2026-12-31|0001-01-01|9999-12-31|holidays: |DE-BE|ZZ|response: |resolution: "
)
_SERVICE_HOURS = b"""service_catalog:
  catalog:
    service_hours:
      time_zone: Europe/Berlin
      hours: {monday-thursday: [08:00-12:00, 13:00-17:00], friday: 08:00-12:00}
      holidays: DE-BE
      closed: [2026-12-31, 12-24]
    categories:
    - name: Access
      service_hours: calendar
      requests:
      - name: Password Reset
        sla: {resolution: {value: 4, unit: hours}, response: {value: 30, unit: minutes}}
"""
_XML_WORDS = _words(
    '<c>|<c |<v>|</v>|<row>|<is>|<t>|<f>=1|t="s"|t="d"|t="e"|t="b"|t="n"|s="1"|r="XFD1048576"|r="0"|r="-1"|&#0;'
    '|<!DOCTYPE a [<!ENTITY b "c">]>|&b;|<![CDATA[|]]>|<!--|1e999|nan|99999999999|_x0041_|encoding="utf-16"'
    '|<sheetData>|<mergeCell ref="A1:XFD1048576"/>|<dimension ref="A1:XFD9"/>|xml:space="preserve"'
)
_TICKETS = [
    {"id": 1, "short_description": "a", "sla": {"value": 1, "unit": "days"}, "request_category": "Access", "x": [1.5]},
    {"ticket_id": "2", "subject": "é", "body": "b", "created_at": "2026-11-23"},
]
_ITEM = {"id": 1, "request_category": "Access", "request_type": "Password Reset", "confidence": 0.5, "evidence": "e"}


def _json_seeds(*values: object) -> tuple[bytes, ...]:
    return tuple(json.dumps(value).encode() for value in values)


_MARKUP = [{"id": 1, "subject": "Tom &amp; Jerry", "body": "<p hidden>a<table><td>b</p><!--c--><a href='https://d'>e"}]

_NUMBER_WORDS = (
    *_words("9999|0|-1|1e308|.|s|1.2.3s| GMT| +9999| -0000|Fri, |99 Nov |99999999|Infinity|nan|:|\u0663|\u00b2"),
    b"9" * 5_000,
)

PARSERS: Mapping[str, Parser] = {
    "numbers": Parser(
        numbers, _words("37|37.5s|Fri, 20 Nov 2026 10:30:00 GMT|2026-11-20T10:30:00Z|1795170600"), _NUMBER_WORDS
    ),
    "service_said": Parser(
        service_said,
        (
            *_json_seeds(
                {"error": {"message": "hunter2-hunter2", "details": ["lead%40example.com"]}}, ["E", "p\u00e4"]
            ),
            b"<html><head><title>No: hunter2-hunter2</title></head><body>aHVudGVyMi1odW50ZXIy</body></html>",
        ),
        (*_words("hunter2-|hunter2|lead|@|%40|&#64;|=\\n|\\u0070|example.com|<|>|&lt;|\x1b[31m|\u202e"), *_JSON_WORDS),
    ),
    "private_text": Parser(
        private_text,
        tuple(private.text.encode() for private in list(private_texts())[::11]),
        _words(
            "password|Passwort: | is |PIN|token=|://|@| at | dot |-----BEGIN PRIVATE KEY-----|[SECRET_1]|[EMAIL_|DE89"
            "|+49 |0171|10.0.|::|eyJ|ghp_|login |/|'|\u200b|\uff10|\n"
        ),
    ),
    "log_row": Parser(
        log_row,
        tuple(bytes([place]) + b"2026-11-20" for place in range(len(_COLUMNS))),
        (*_NUMBER_WORDS, *_words('[]|[1]|{}|["a"]|null|2026-11-20T00:00:00|9999-12-31T23:59:59-23:59|"'), b"\xff\0"),
    ),
    "helpdesk": Parser(
        helpdesk,
        (
            *_json_seeds(_TICKETS, {"data": _TICKETS}, {"response_code": 200, "data": {"requests": _TICKETS}}, _MARKUP),
            *(b'Id;Betreff;Von\n1;"a\nb";"Ann" <a@b.c>\n', "Id\tSubject\n1\tB\u00fcro\n".encode("utf-16")),
        ),
        (
            *_words("sep=;|;|,|#|Betreff|Status|From"),
            *_JSON_WORDS,
            *_words("<p>|</p>|<!--|<table>|<style>|&lt;|&#|<b hidden>|;base64,|data:"),
        ),
    ),
    "catalog": Parser(
        catalog, ((_DATA / "catalog.yaml").read_bytes(), _SERVICE_HOURS), (b"|\n", *_YAML_WORDS, *_HOURS_WORDS)
    ),
    "answer": Parser(answer, _json_seeds({"items": [_ITEM, {**_ITEM, "id": "2"}, {"id": 3.0}]}), _JSON_WORDS),
    "workbook": Parser(
        workbook,
        (b"\xff" + report(), *(bytes([place]) + parts()[name] for place, name in enumerate(sorted(parts())))),
        _XML_WORDS,
    ),
}
