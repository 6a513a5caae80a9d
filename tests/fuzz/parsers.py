"""The parsers of untrusted input. Each is a function of bytes that raises if the parser breaks its promise."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import zipfile
from collections.abc import Mapping
from contextlib import closing, suppress
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
from httpx import Response

from ticketattr.application.partitions import Job, JobIdentity, Partition
from ticketattr.application.ports import Run
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.correction import ReviewedReport
from ticketattr.domain.delivery import Message, RecipientResult, ReportFile
from ticketattr.domain.learning import ModelCard
from ticketattr.domain.numbers import read_count, read_http_date, read_seconds
from ticketattr.domain.prompt_injection import find_prompt_injection
from ticketattr.domain.report import Report, Row
from ticketattr.domain.sanitizing import sanitize
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket, Unattributed
from ticketattr.domain.times import read_time
from ticketattr.domain.usage import Bill
from ticketattr.errors import InputError
from ticketattr.infrastructure.catalog.yaml_format import parse_catalog
from ticketattr.infrastructure.classifiers.gemini.wire import refusal_of, wait_asked_for
from ticketattr.infrastructure.classifiers.llm.answer import read_answer
from ticketattr.infrastructure.classifiers.offline.features import WORD_DIMENSIONS, Features
from ticketattr.infrastructure.classifiers.offline.learned import Kernel, Learned, Mix
from ticketattr.infrastructure.classifiers.offline.model_file import FORMAT, read_model, write_model
from ticketattr.infrastructure.classifiers.offline.sentence_vectors import DIMENSIONS
from ticketattr.infrastructure.delivery.report_log import SQLiteReportLog
from ticketattr.infrastructure.evaluation.gold_files import GoldFile
from ticketattr.infrastructure.helpdesk.profile import Profile
from ticketattr.infrastructure.helpdesk.profile_yaml import parse_profile
from ticketattr.infrastructure.helpdesk.shipped_profiles import profile_names, profile_text
from ticketattr.infrastructure.helpdesk.ticket_file import TicketFile
from ticketattr.infrastructure.network.retries import retry_after
from ticketattr.infrastructure.network.service_words import forget_secrets, know_secrets, reason_in, service_words
from ticketattr.infrastructure.options import HelpdeskAccess
from ticketattr.infrastructure.partitions.partition_folder import SharedFolder
from ticketattr.infrastructure.redaction.rules import build_redactor
from ticketattr.infrastructure.redaction.terms_file import Terms
from ticketattr.infrastructure.reports.corrections_reader import read_reviewed
from ticketattr.infrastructure.reports.excel import write_workbook
from ticketattr.infrastructure.reports.workbook_archive import inspect_archive
from ticketattr.infrastructure.stage_files.attributions import open_attributions, write_stream
from ticketattr.infrastructure.stage_files.catalog_and_tickets import (
    read_catalog,
    read_tickets,
    write_catalog,
    write_tickets,
)
from ticketattr.infrastructure.ticket_text import ticket_text

from ..fakes import CATALOG, LAPTOP, MIDNIGHT, PASSWORD
from ..private_texts import private_texts
from . import service
from .promise import LONGEST_REASON, Parser, folder, keeps_promise, words

ASKED = 3

_REDACTOR = build_redactor(Terms())
_RUN = Run("20261123T150301Z-7f3a", lambda: MIDNIGHT)
_DATA = Path(__file__).parents[1] / "data"


def helpdesk(content: bytes) -> None:
    # Without a suffix, the content tells whether it is JSON, a table or a workbook.
    path = folder() / "answer"
    path.write_bytes(content)
    with keeps_promise():
        tickets = TicketFile(HelpdeskAccess(str(path))).fetch_tickets()
        for ticket in tickets:
            assert isinstance(ticket, Ticket)
            find_prompt_injection(ticket)
            sanitize(ticket.long_description).encode()
        stage = folder() / "tickets.json"
        write_tickets(stage, tickets, _RUN)
        assert read_tickets(stage).data == tickets


def catalog(content: bytes) -> None:
    with keeps_promise():
        found = parse_catalog(content, "catalog.yaml")
        assert isinstance(found, ServiceCatalog)
        stage = folder() / "catalog.json"
        write_catalog(stage, found, _RUN)
        assert read_catalog(stage).data == found


def profile(content: bytes) -> None:
    with keeps_promise():
        found = parse_profile(content, "desk.yaml")
        assert isinstance(found, Profile)


def markup(content: bytes) -> None:
    """The text of a ticket, whatever markup it is in, can be written, and is never longer than entities allow."""
    with keeps_promise():
        text = ticket_text(content.decode("utf-8", "replace"))
        assert text is not None
        assert len(text.encode("utf-8")) <= 10 * len(content) + 1_000


def table(content: bytes) -> None:
    """An export of a helpdesk with the suffix that says what it is."""
    path = folder() / "export.csv"
    path.write_bytes(content)
    with keeps_promise():
        assert all(isinstance(ticket, Ticket) for ticket in TicketFile(HelpdeskAccess(str(path))).fetch_tickets())


def gold(content: bytes) -> None:
    for suffix in (".jsonl", ".csv", ".json"):
        path = folder() / f"gold{suffix}"
        path.write_bytes(content)
        with keeps_promise():
            GoldFile.read(path).tickets(CATALOG, ignore_unknown=True)


def model(content: bytes) -> None:
    """The content behind the digest, which is made right: a digest is no signature."""
    path = folder() / "desk.model"
    path.write_bytes(FORMAT + hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    with keeps_promise():
        found = read_model(path, version=1)
        with suppress(InputError):
            assert len(found.fitting(CATALOG).weights)


@cache
def a_model() -> bytes:
    """A valid model, from behind its digest."""
    path, width = folder() / "seed.model", (DIMENSIONS, WORD_DIMENSIONS)
    meaning, words = (np.eye(2, columns, dtype=np.float32) for columns in width)
    kernel = Kernel(np.zeros(DIMENSIONS, np.float32), Features(meaning, words))
    learned = Learned(kernel, np.eye(2, dtype=np.float32), (PASSWORD.pair, LAPTOP.pair), Mix(0.5, 0.5))
    card = ModelCard(2, 0, {"Access / Password Reset": 1}, {"en": 2}, {}, "", "", None, None, None)
    write_model(path, learned, card, [1, 2], version=1)
    return path.read_bytes()[len(FORMAT) :].partition(b"\n")[2]


def parquet(content: bytes) -> None:
    """As tickets, and as attributions."""
    path = folder() / "some.parquet"
    path.write_bytes(content)
    with keeps_promise():
        TicketFile(HelpdeskAccess(str(path))).fetch_tickets()
    _read_attributions(path)


def stream(content: bytes) -> None:
    path = folder() / "attributions.jsonl"
    path.write_bytes(content)
    _read_attributions(path)


def _read_attributions(path: Path) -> None:
    with keeps_promise(), open_attributions(path) as opened:
        found = list(opened.items)
        write_stream(folder() / "again.jsonl", found, _RUN, lambda: opened.bill or Bill())
        with open_attributions(folder() / "again.jsonl") as again:
            assert list(again.items) == found


@cache
def attributions(suffix: str) -> bytes:
    path = folder() / f"seed{suffix}"
    tickets = [
        AttributedTicket(Ticket("T-1", "a", "b"), Attribution(PASSWORD, "model", 0.9, "a", (LAPTOP,), "m")),
        AttributedTicket(Ticket("T-2", "c", extra={"x": [1.5]}), Unattributed("blocked", "d")),
    ]
    write_stream(path, tickets, _RUN, Bill)
    return path.read_bytes()


def manifest(content: bytes) -> None:
    """The files of a job of many partitions. The first byte selects the file that gets the rest as its content."""
    place, rest = (content[0], content[1:]) if content else (0, b"")
    partition, shared = Partition("part-1", folder() / "part-1.jsonl"), SharedFolder(folder() / "job")
    for name, known in a_job().items():
        (shared.root / name).write_bytes(known)
    (shared.root / sorted(a_job())[place % len(a_job())]).write_bytes(rest)
    for read in (shared.job, shared.catalog, lambda: shared.done(partition), shared.records, shared.asked):
        with keeps_promise():
            read()
    with keeps_promise():
        list(shared.answers(shared.records()))


@cache
def a_job() -> Mapping[str, bytes]:
    """The files of a job that is done, by name."""
    shared, partition = SharedFolder(folder() / "job"), Partition("part-1", folder() / "part-1.jsonl")
    partition.path.write_bytes(b'{"id": 1, "subject": "a"}\n')
    shared.root.mkdir()
    identity = JobIdentity("a", "b", "c", "d", "e")
    shared.begin(Job(_RUN.id, MIDNIGHT, identity), CATALOG, [partition])
    shared.write(partition, identity, [AttributedTicket(Ticket("1", "a"), Unattributed("no_match"))], Bill)
    return {path.name: path.read_bytes() for path in shared.root.iterdir() if path.is_file()}


def answer(content: bytes) -> None:
    with keeps_promise():
        outcomes = read_answer(content.decode("utf-8", "surrogateescape"), ASKED, CATALOG)
        assert len(outcomes) == ASKED
        assert all(isinstance(outcome, Unattributed) or _is_valid(outcome) for outcome in outcomes)


def workbook(content: bytes) -> None:
    """The first byte selects the part of a report that the rest replaces; from 128 on, the rest is the whole file."""
    place, rest = (content[0], content[1:]) if content else (255, b"")
    whole_workbook(rest if place >= 128 else with_part(sorted(parts())[place % len(parts())], rest))


def whole_workbook(content: bytes) -> None:
    path = folder() / "returned.xlsx"
    path.write_bytes(content)
    with keeps_promise():
        damage, run_id = inspect_archive(content)
        assert run_id in ("", _RUN.id) or len(run_id) == len(_RUN.id)
        assert len(damage) <= LONGEST_REASON
    with keeps_promise():
        assert isinstance(read_reviewed(path), ReviewedReport)
    with keeps_promise():
        GoldFile.read(path).tickets(CATALOG, ignore_unknown=True)


def numbers(content: bytes) -> None:
    """Numbers, durations and times in headers, errors and replies, which no reader may choke on."""
    text = content.decode("utf-8", "replace")
    with keeps_promise():
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
        with keeps_promise():
            for said in (reason_in(content), content, content.decode("latin-1")):
                shown = service_words(said)
                assert len(shown) <= 320
                assert shown.isprintable() or not shown.isascii()
                assert not any(each in shown for each in ("hunter2-hunter2", "pässwörd", "lead@example.com"))
    finally:
        forget_secrets()


def private_text(content: bytes) -> None:
    """The text of a ticket: what is hidden in it comes back, and hiding it again changes nothing."""
    text = content.decode("utf-8", "surrogateescape")
    with keeps_promise():
        redaction = _REDACTOR.redact([(text,)])
        (hidden,) = redaction.documents[0]
        assert redaction.restored(hidden) == text
        assert _REDACTOR.redact([(hidden,)]).documents[0] == (hidden,)


def log_row(content: bytes) -> None:
    """The first byte selects a column of the report log, which gets the rest as its value, as text or as bytes."""
    place, rest = (content[0], content[1:]) if content else (0, b"")
    path = folder() / "deliveries.db"
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
        with keeps_promise():
            rows()


@cache
def report_log() -> bytes:
    path = folder() / "log.db"
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


def _is_valid(outcome: Attribution) -> bool:
    is_share = outcome.confidence is None or 0 <= outcome.confidence <= 1
    return outcome.entry in CATALOG.entries and is_share and len(outcome.evidence) <= 200


_JSON_WORDS = (
    *words('{}|[]|"|,|:|null|true|1e999|NaN|-0|"\\ud800"|"id"|"sla"|"unit"|"value"|"data"|"requests"|"items"|500'),
    *words('"response_code"|"confidence"|"evidence"'),
    b"9" * 5_000,
    b"[" * 60,
    b"\xff",
)
_YAML_WORDS = words(
    "- |: |? |[|]|{|}|&a |*a|!!python/name:os |!!binary |<<: |---\n|...\n|'|\"|#|>\n|%YAML 9.9\n|\t|.inf|.nan"
    "|0x10|1:30|~|\ufeff|\x85|\u2028|\0|name: |sla: "
)
_HOURS_WORDS = words(
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
_XML_WORDS = words(
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
    *words("9999|0|-1|1e308|.|s|1.2.3s| GMT| +9999| -0000|Fri, |99 Nov |99999999|Infinity|nan|:|\u0663|\u00b2"),
    b"9" * 5_000,
)

PARSERS: Mapping[str, Parser] = {
    "numbers": Parser(
        numbers, words("37|37.5s|Fri, 20 Nov 2026 10:30:00 GMT|2026-11-20T10:30:00Z|1795170600"), _NUMBER_WORDS
    ),
    "service_said": Parser(
        service_said,
        (
            *_json_seeds(
                {"error": {"message": "hunter2-hunter2", "details": ["lead%40example.com"]}}, ["E", "p\u00e4"]
            ),
            b"<html><head><title>No: hunter2-hunter2</title></head><body>aHVudGVyMi1odW50ZXIy</body></html>",
        ),
        (*words("hunter2-|hunter2|lead|@|%40|&#64;|=\\n|\\u0070|example.com|<|>|&lt;|\x1b[31m|\u202e"), *_JSON_WORDS),
    ),
    "private_text": Parser(
        private_text,
        tuple(private.text.encode() for private in list(private_texts())[::11]),
        words(
            "password|Passwort: | is |PIN|token=|://|@| at | dot |-----BEGIN PRIVATE KEY-----|[REDACTED_1]|[EMAIL_|DE89"
            "|+49 |0171|10.0.|::|eyJ|ghp_|login |/|'|\u200b|\uff10|\n"
        ),
    ),
    "log_row": Parser(
        log_row,
        tuple(bytes([place]) + b"2026-11-20" for place in range(len(_COLUMNS))),
        (*_NUMBER_WORDS, *words('[]|[1]|{}|["a"]|null|2026-11-20T00:00:00|9999-12-31T23:59:59-23:59|"'), b"\xff\0"),
    ),
    "helpdesk": Parser(
        helpdesk,
        (
            *_json_seeds(_TICKETS, {"data": _TICKETS}, {"response_code": 200, "data": {"requests": _TICKETS}}, _MARKUP),
            *(b'Id;Betreff;Von\n1;"a\nb";"Ann" <a@b.c>\n', "Id\tSubject\n1\tB\u00fcro\n".encode("utf-16")),
        ),
        (
            *words("sep=;|;|,|#|Betreff|Status|From"),
            *_JSON_WORDS,
            *words("<p>|</p>|<!--|<table>|<style>|&lt;|&#|<b hidden>|;base64,|data:"),
        ),
    ),
    "catalog": Parser(
        catalog, ((_DATA / "catalog.yaml").read_bytes(), _SERVICE_HOURS), (b"|\n", *_YAML_WORDS, *_HOURS_WORDS)
    ),
    "profile": Parser(
        profile,
        tuple(profile_text(name).encode() for name in profile_names()),
        words(
            "name: |verified: server|tickets: |request: |path: /|query: |paging: |style: |cursor|range|ids|next_url"
            "|size: |items: |fields: |id: |${key}|${secret}|${page}|${|}|update: |set: |note: |lookup: |map: |thread: "
            "|columns: "
            '|@|[?|`|&|"|*|[]|to_number(|sort_by(|!!|&a |*a|<<: |0x10|1e999|\t|\0'
        ),
    ),
    "markup": Parser(
        markup,
        (
            b"<p>a<br>b</p><table><tr><td>c<td>d</table><pre> e\n</pre><!--f--><a href='https://g'>h</a>",
            b"&lt;p&gt;a &amp;amp; b&lt;/p&gt;",
            b'{"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text"}]}]}',
        ),
        words(
            "<p>|</p>|<br|<!--|-->|<![CDATA[|<table>|<td colspan=9999>|<li>|<ul>|<ol start=1e9>|<style>|</style>"
            "|<script>|<pre>|<blockquote>|<img alt='|<a href='data:|&lt;|&#0;|&#x110000;|&NotEqualTilde;|&|display:none"
            '|font-size:0|"type": "bulletList"|"content": [|"marks": [|"attrs": {|\u202e|\0'
        ),
    ),
    "table": Parser(
        table,
        (b'Id;Betreff;Von\n1;"a\nb";"Ann" <a@b.c>\n', b"Id,Subject,Created\n1,a,2026-11-20 08:00\n2,b,\n"),
        (
            *words('sep=;|;|,|\t|\n|\r|"|""|Betreff|Status|Created|Id|\'|\0|\ufeff|1e999|2026-11-20'),
            b"\xff\xfe",
            b"x" * 9_000,
        ),
    ),
    "gold": Parser(
        gold,
        (
            *_json_seeds({"id": 1, "subject": "a", "request_category": "Access", "request_type": "Password Reset"}),
            b"id,short_description,request_category,request_type\n1,a,Access,Password Reset\n",
        ),
        (*_JSON_WORDS, *words("\n|,|;|Access|Password Reset|request_type")),
    ),
    "model": Parser(
        model,
        (a_model(),),
        (
            *words("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 512), }|'|O'|<U9|(9|(-1, 2)|,), }|1)|PK"),
            *words('"classifier_version": 1|"known": NaN|1e999|"pairs": [["a", "b"]]|[]|null|-9|99999'),
            b"\x50\x4b\x05\x06",
            b"9" * 5_000,
        ),
    ),
    "parquet": Parser(parquet, (attributions(".parquet"),), (*words("PAR1|ticketattr|T-1|\0"), b"\xff" * 4)),
    "stream": Parser(
        stream,
        (attributions(".jsonl"),),
        (
            *_JSON_WORDS,
            *words('\n|{"end": {"items": 2}}|"source": "model"|"reason": "quota"|"attribution": {|"bill": {'),
        ),
    ),
    "manifest": Parser(
        manifest,
        tuple(bytes([place]) + a_job()[name] for place, name in enumerate(sorted(a_job()))),
        (
            *_JSON_WORDS,
            *words('"kind": "partition"|"kind": "job"|"name": "../x"|"answers_size": |"outcomes": {|"partitions": {'),
        ),
    ),
    "api": Parser(
        service.api,
        (
            service.call("POST /api/v1/runs", b'{"dry_run": true}'),
            service.call("POST /api/v1/changes/undo", b'{"run_id": "20261127T120000Z-0000", "change": 1}'),
            service.call("PUT /api/v1/schedule", b'{"cron": "30 6 * * 1-5"}'),
            service.call("GET /api/v1/schedule/times", b"cron=30+6+*+*+1-5"),
            service.call("GET /api/v1/reports/{run_id}/workbook", b"20261127T120000Z-0000"),
            service.call("POST /sign-in", b"token=x&to=/review"),
            service.call("POST /review", b"place=1&run=20261127T120000Z-0000&entry=a%1Fb"),
            service.call("POST /deliveries/resolve", b"decision=sent&report=" + b"0" * 64),
            *(
                service.call(
                    address, b"1" if "{" in address else b"limit=5&before=3&after=&lines=2&run=1&page=2&format=csv"
                )
                for address in service.CALLS
                if address.startswith("GET ")
            ),
        ),
        (
            *_JSON_WORDS,
            *words(
                "%00|%ff|%2e%2e/|&|=|limit=|before=|cron=|@reboot|L|#|*/0|0-99|1e9|-1|9007199254740993|null|format=json"
            ),
        ),
    ),
    "chat": Parser(
        service.chat,
        (
            *(bytes([1]) + service.sync_of(text, "!help") for text in ("!logs 5", "!schedule 30 6 * * 1-5", "!run")),
            *(bytes([0]) + service.updates_of(text, "/help") for text in ("/report 20261127T120000Z-0000", "/status")),
        ),
        (
            *_JSON_WORDS,
            *words('/run|/schedule off|/confirm s0|/logs -1|!sent|\\ud800|\\u0000|@bot|1e999|"date": |"result": '),
            *words('"chat": {|"from": |"edited_message": {|"entities": [{|"events": [|"body": |"event_id": '),
        ),
    ),
    "answer": Parser(answer, _json_seeds({"items": [_ITEM, {**_ITEM, "id": "2"}, {"id": 3.0}]}), _JSON_WORDS),
    "workbook": Parser(
        workbook,
        (b"\xff" + report(), *(bytes([place]) + parts()[name] for place, name in enumerate(sorted(parts())))),
        _XML_WORDS,
    ),
}
