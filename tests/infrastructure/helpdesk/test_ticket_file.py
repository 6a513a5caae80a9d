"""Files that helpdesks export are read as tickets, or refused with the reason."""

from __future__ import annotations

import csv
import io
import json
import re
import tracemalloc
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ticketattr.domain.ticket import Ticket
from ticketattr.errors import InputError
from ticketattr.infrastructure.helpdesk.profile_yaml import parse_profile
from ticketattr.infrastructure.helpdesk.shipped_profiles import read_profile
from ticketattr.infrastructure.helpdesk.ticket_file import TicketFile
from ticketattr.infrastructure.options import HelpdeskAccess
from ticketattr.infrastructure.reports import workbook_archive

Rows = Sequence[Sequence[Any]]


def helpdesk(path: Path, profile: str = "", **options: Any) -> TicketFile:
    read = read_profile(profile) if profile else None
    return TicketFile(HelpdeskAccess(str(path)), read, **options)


def tickets_in(path: Path, content: Any, profile: str = "") -> list[Ticket]:
    """The tickets of a file; rows are written as CSV, other values than bytes as JSON."""
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return helpdesk(path, profile).fetch_tickets()


def csv_of(rows: Rows, delimiter: str = ",", encoding: str = "utf-8", line_end: str = "\r\n") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=line_end).writerows(rows)
    return text.getvalue().encode(encoding)


def workbook_of(sheets: dict[str, Rows]) -> bytes:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def refusal(path: Path, content: Any, profile: str = "") -> InputError:
    with pytest.raises(InputError) as caught:
        tickets_in(path, content, profile)
    assert caught.value.hint
    return caught.value


HTML = "<p>Der Drucker <b>klemmt</b></p><p>seit Montag</p>"
TEXT = "Der Drucker klemmt\n\nseit Montag"

EXPORTS: dict[str, tuple[Rows, dict[str, str]]] = {
    "Zammad": (
        [
            ["Tickets: Count", "", "", "", "", "", "", "", "", ""],
            [
                "#",
                "Title",
                "State",
                "Priority",
                "Group",
                "Owner",
                "Customer",
                "Organization",
                "Created at",
                "Updated at",
            ],
            [
                "96001",
                "Drucker",
                "open",
                "2 normal",
                "Users",
                "-",
                "ann@example.com",
                "",
                "2026-11-20 08:00:00 UTC",
                "",
            ],
        ],
        {"id": "96001", "short_description": "Drucker", "requester_email": "ann@example.com", "group": "Users"},
    ),
    "GLPI in French": (
        [
            [
                "ID",
                "Titre",
                "Statut",
                "Dernière modification",
                "Date d'ouverture",
                "Priorité",
                "Demandeur - Demandeur",
                "Attribué à - Technicien",
                "Catégorie",
                "Description",
            ],
            ["17", "Imprimante", "Nouveau", "", "2026-11-20 08:00", "Moyenne", "Ann", "Bob", "Matériel", HTML],
        ],
        {
            "id": "17",
            "short_description": "Imprimante",
            "long_description": TEXT,
            "status": "Nouveau",
            "created_at": "2026-11-20 08:00",
            "request_category": "Matériel",
            "assignee": "Bob",
            "requester_email": "",
        },
    ),
    "Jira": (
        [
            [
                "Summary",
                "Issue key",
                "Issue id",
                "Issue Type",
                "Status",
                "Priority",
                "Assignee",
                "Reporter",
                "Created",
                "Updated",
                "Labels",
                "Labels",
                "Description",
                "Comment",
                "Comment",
                "Custom field (Category)",
                "Custom field (Request Type)",
            ],
            [
                "Printer",
                "DESK-1",
                "10001",
                "Task",
                "Open",
                "High",
                "bob",
                "ann",
                "2026-11-20 08:00",
                "",
                "a",
                "b",
                "It jams",
                "x",
                "y",
                "Hardware",
                "Printer Problem",
            ],
        ],
        {
            "id": "DESK-1",
            "short_description": "Printer",
            "long_description": "It jams",
            "priority": "High",
            "request_category": "Hardware",
            "request_type": "Printer Problem",
        },
    ),
    "ServiceNow": (
        [
            [
                "number",
                "short_description",
                "description",
                "caller_id",
                "caller_id.email",
                "opened_at",
                "state",
                "priority",
                "assigned_to",
                "assignment_group",
                "category",
                "subcategory",
                "sys_updated_on",
                "sys_id",
            ],
            [
                "INC0010001",
                "Printer",
                "It jams",
                "Ann",
                "ann@example.com",
                "2026-11-20 08:00:00",
                "New",
                "3 - Moderate",
                "",
                "Desk",
                "hardware",
                "printer",
                "2026-11-20 09:00:00",
                "9d385017c611228701d22104cc95c371",
            ],
        ],
        {
            "id": "INC0010001",
            "short_description": "Printer",
            "requester_email": "ann@example.com",
            "group": "Desk",
            "created_at": "2026-11-20 08:00:00",
            "updated_at": "2026-11-20 09:00:00",
            "request_type": "printer",
        },
    ),
    "Freshdesk": (
        [
            [
                "Ticket ID",
                "Subject",
                "Status",
                "Priority",
                "Source",
                "Type",
                "Agent",
                "Group",
                "Created time",
                "Last update time",
                "Tags",
                "Full name",
                "Title",
                "Email",
            ],
            [
                "7",
                "Printer",
                "Open",
                "Low",
                "Email",
                "Incident",
                "Bob",
                "IT",
                "2026-11-20 08:00:00",
                "",
                "",
                "Ann",
                "CEO",
                "ann@example.com",
            ],
        ],
        {"id": "7", "short_description": "Printer", "requester_email": "ann@example.com", "assignee": "Bob"},
    ),
    "Zendesk": (
        [
            [
                "Summation column",
                "Id",
                "Requester",
                "Requester email",
                "Assignee",
                "Group",
                "Subject",
                "Tags",
                "Status",
                "Priority",
                "Via",
                "Ticket type",
                "Created at",
                "Updated at",
            ],
            [
                "1",
                "35",
                "Ann",
                "ann@example.com",
                "Bob",
                "IT",
                "Printer",
                "",
                "Open",
                "-",
                "Web",
                "",
                "2026-11-20 08:00",
                "",
            ],
        ],
        {
            "id": "35",
            "short_description": "Printer",
            "requester_email": "ann@example.com",
            "created_at": "2026-11-20 08:00",
        },
    ),
    "osTicket": (
        [
            [
                "Ticket Number",
                "Date Created",
                "Subject",
                "From",
                "From Email",
                "Priority",
                "Department",
                "Help Topic",
                "Source",
                "Current Status",
                "Last Updated",
                "Assigned To",
            ],
            [
                "123456",
                "2026-11-20 08:00",
                "Printer",
                "Ann",
                "ann@example.com",
                "Normal",
                "Support",
                "Hardware",
                "Web",
                "Open",
                "",
                "",
            ],
        ],
        {"id": "123456", "requester_email": "ann@example.com", "request_category": "Hardware", "status": "Open"},
    ),
    "OTRS in German": (
        [
            [
                "Ticket#",
                "Alter",
                "Erstellt",
                "Geschlossen",
                "Status",
                "Priorität",
                "Queue",
                "Sperre",
                "Besitzer",
                "Vorname",
                "Kundennummer",
                "Von",
                "Betreff",
                "Artikelbaum",
            ],
            [
                "2026112010000017",
                "1 d",
                "2026-11-20 08:00:00",
                "",
                "neu",
                "3 normal",
                "Raw",
                "frei",
                "root",
                "Ann",
                "C1",
                '"Ann" <ann@example.com>',
                "Drucker",
                "Er klemmt",
            ],
        ],
        {
            "id": "2026112010000017",
            "short_description": "Drucker",
            "long_description": "Er klemmt",
            "group": "Raw",
            "requester_email": "ann@example.com",
            "created_at": "2026-11-20 08:00:00",
            "assignee": "root",
        },
    ),
    "Redmine in German": (
        [
            [
                "#",
                "Projekt",
                "Tracker",
                "Übergeordnetes Ticket",
                "Status",
                "Priorität",
                "Thema",
                "Autor",
                "Zugewiesen an",
                "Aktualisiert",
                "Kategorie",
                "Angelegt",
                "Beschreibung",
            ],
            [
                "12",
                "Desk",
                "Support",
                "",
                "Neu",
                "Normal",
                "Drucker",
                "Ann",
                "Bob",
                "",
                "Hardware",
                "20.11.2026 08:00",
                "Er klemmt",
            ],
        ],
        {"id": "12", "short_description": "Drucker", "long_description": "Er klemmt", "assignee": "Bob"},
    ),
    "Spanish": (
        [
            ["Número", "Asunto", "Descripción", "Correo electrónico", "Fecha de creación", "Estado"],
            ["5", "Impresora", "No imprime", "ann@example.com", "2026-11-20", "Abierto"],
        ],
        {"id": "5", "short_description": "Impresora", "long_description": "No imprime", "status": "Abierto"},
    ),
    "Portuguese": (
        [
            ["Nº do chamado", "Título", "Descrição", "E-mail do solicitante", "Data de abertura", "Situação"],
            ["5", "Impressora", "Não imprime", "ann@example.com", "2026-11-20", "Aberto"],
        ],
        {
            "id": "5",
            "short_description": "Impressora",
            "requester_email": "ann@example.com",
            "created_at": "2026-11-20",
        },
    ),
}


@pytest.mark.parametrize("desk", EXPORTS)
@pytest.mark.parametrize("form", ["commas", "semicolons in Windows-1252", "tabs in UTF-16", "workbook"])
def test_the_export_of_a_helpdesk_is_read(tmp_path: Path, desk: str, form: str) -> None:
    rows, expected = EXPORTS[desk]
    content = {
        "commas": lambda: csv_of(rows),
        "semicolons in Windows-1252": lambda: csv_of(rows, ";", "cp1252"),
        "tabs in UTF-16": lambda: csv_of(rows, "\t", "utf-16"),
        "workbook": lambda: workbook_of({"Notes": [["Exported by", "Ann"]], "Export": rows}),
    }[form]()
    (ticket,) = tickets_in(tmp_path / ("export.xlsx" if form == "workbook" else "export.csv"), content)
    assert {name: getattr(ticket, name) for name in expected} == expected
    assert ticket.extra == {}


JSON_EXPORTS: dict[str, tuple[Any, dict[str, str]]] = {
    "Jira": (
        {
            "issues": [
                {
                    "id": "10001",
                    "key": "DESK-1",
                    "fields": {
                        "summary": "Printer",
                        "description": {"type": "doc", "content": [{"type": "text", "text": "It jams"}]},
                        "status": {"name": "Open"},
                        "priority": {"name": "High"},
                        "assignee": {"displayName": "Bob"},
                        "reporter": {"displayName": "Ann", "emailAddress": "ann@example.com"},
                        "created": "2026-11-20T08:00:00Z",
                    },
                }
            ]
        },
        {
            "id": "DESK-1",
            "short_description": "Printer",
            "long_description": "It jams",
            "status": "Open",
            "requester_email": "ann@example.com",
            "assignee": "Bob",
            "created_at": "2026-11-20T08:00:00Z",
        },
    ),
    "ServiceNow": (
        {
            "result": [
                {
                    "number": {"display_value": "INC1", "value": "INC1"},
                    "sys_id": {"value": "9d"},
                    "short_description": {"display_value": "Printer", "value": "Printer"},
                    "description": {"display_value": "It jams", "value": "It jams"},
                    "caller_id": {"display_value": "Ann", "link": "https://x"},
                    "state": {"display_value": "New", "value": "1"},
                }
            ]
        },
        {"id": "INC1", "short_description": "Printer", "long_description": "It jams", "status": "New"},
    ),
    "Zammad": (
        [
            {
                "id": 1,
                "number": "96001",
                "title": "Printer",
                "customer": "ann@example.com",
                "state": "open",
                "created_at": "2026-11-20T08:00:00Z",
                "articles": [{"body": HTML, "content_type": "text/html"}],
            }
        ],
        {"id": "1", "short_description": "Printer", "long_description": TEXT, "requester_email": "ann@example.com"},
    ),
    "GLPI": (
        [
            {
                "id": 1,
                "name": "Printer",
                "content": "&lt;p&gt;It jams&lt;/p&gt;",
                "date": "2026-11-20 08:00:00",
                "itilcategories_id": 7,
                "status": 1,
                "users_id_recipient": 2,
            }
        ],
        {"id": "1", "short_description": "Printer", "long_description": "It jams", "created_at": "2026-11-20 08:00:00"},
    ),
    "iTop": (
        {
            "code": 0,
            "objects": {
                "UserRequest::12": {
                    "code": 0,
                    "class": "UserRequest",
                    "key": "12",
                    "fields": {"ref": "R-000012", "title": "Printer", "description": "<p>It jams</p>", "status": "new"},
                }
            },
        },
        {"id": "12", "short_description": "Printer", "long_description": "It jams", "status": "new"},
    ),
    "Zendesk": (
        [
            {
                "url": "https://x.zendesk.com/api/v2/tickets/35.json",
                "id": 35,
                "subject": "Printer",
                "description": "It jams",
                "requester": {"id": 4, "name": "Ann", "email": "ann@example.com"},
                "status": "open",
                "custom_fields": [],
            }
        ],
        {"id": "35", "requester_email": "ann@example.com", "url": "", "status": "open"},
    ),
    "Freshdesk": (
        {"tickets": [{"id": 7, "subject": "Printer", "description": HTML, "description_text": "It jams", "status": 2}]},
        {"id": "7", "long_description": "It jams", "status": "2"},
    ),
    "Redmine": (
        {
            "issues": [
                {
                    "id": 12,
                    "subject": "Printer",
                    "description": "It jams",
                    "status": {"id": 1, "name": "New"},
                    "author": {"id": 1, "name": "Ann"},
                    "created_on": "2026-11-20T08:00:00Z",
                }
            ],
            "total_count": 1,
        },
        {"id": "12", "status": "New", "created_at": "2026-11-20T08:00:00Z", "requester_email": ""},
    ),
}


@pytest.mark.parametrize("desk", JSON_EXPORTS)
def test_the_json_of_a_helpdesk_is_read(tmp_path: Path, desk: str) -> None:
    document, expected = JSON_EXPORTS[desk]
    (ticket,) = tickets_in(tmp_path / "export.json", document)
    assert {name: getattr(ticket, name) for name in expected} == expected


def test_what_a_file_is_its_content_tells(tmp_path: Path) -> None:
    expected = [Ticket("1", "a"), Ticket("2", "b")]
    rows = [["id", "subject"], ["1", "a"], ["2", "b"]]
    items = [{"id": "1", "subject": "a"}, {"id": "2", "subject": "b"}]
    lines = "".join(json.dumps(item) + "\n" for item in items).encode()
    for content in (csv_of(rows), workbook_of({"x": rows}), lines, json.dumps(items, indent=2).encode()):
        assert tickets_in(tmp_path / "export", content) == expected
    assert tickets_in(tmp_path / "export.txt", csv_of(rows, "|", "utf-8-sig")) == expected
    assert tickets_in(tmp_path / "export.csv", workbook_of({"x": rows})) == expected
    assert tickets_in(tmp_path / "one", lines.split(b"\n", maxsplit=1)[0]) == expected[:1]


def test_what_was_taken_for_what_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    tickets_in(tmp_path / "export.csv", csv_of([["Betreff", "Thema", "Nr.", "X"], ["a", "b", "1", "c"]], ";"))
    assert (
        "export.csv (CSV with semicolons, UTF-8): id = `Nr.`; short_description = `Betreff`, not `Thema`" in caplog.text
    )


def test_a_preview_reads_no_more_than_it_shows_and_names_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(csv_of([["Nr.", "Betreff", "X"], ["1", "a", "x"], ["2", "b", "x"]]) + b'3,"never closed')
    preview = helpdesk(path).preview(1)
    assert [each.ticket.id for each in preview.tickets] == ["1"]
    assert preview.tickets[0].origins == {"id": "Nr.", "short_description": "Betreff"}
    assert preview.fields_seen == ["Nr.", "Betreff", "X"]


# Profiles

COLUMNS = """\
name: Export
verified: documentation
sheet: Data
columns:
  id: Vorfall
  short_description: [Worum geht es, Betreff]
  long_description: Text der Meldung
"""


def test_a_profile_names_columns_and_a_sheet(tmp_path: Path) -> None:
    profile = tmp_path / "desk.yaml"
    profile.write_text(COLUMNS, encoding="utf-8")
    rows = [["vorfall", "Betreff", "Subject", "Text der Meldung", "Status"], ["7", "VPN", "other", "Down", "neu"]]
    content = workbook_of({"Other": [["Subject", "Description", "Id"], ["x", "y", "1"]], "Data": rows})
    (ticket,) = tickets_in(tmp_path / "export.xlsx", content, str(profile))
    assert (ticket.id, ticket.texts, ticket.status) == ("7", ("VPN", "Down"), "neu")


def test_a_column_or_sheet_that_a_profile_names_and_the_file_lacks_is_refused(tmp_path: Path) -> None:
    profile = tmp_path / "desk.yaml"
    profile.write_text(COLUMNS, encoding="utf-8")
    error = refusal(tmp_path / "export.csv", csv_of([["Betreff", "Nr."], ["a", "1"]]), str(profile))
    assert "has no column `Vorfall`, which the profile names for id; the columns are Betreff, Nr." in str(error)
    error = refusal(tmp_path / "export.xlsx", workbook_of({"A": [["Betreff"], ["a"]]}), str(profile))
    assert "has no sheet Data, but A" in str(error)


def test_a_profile_of_an_api_reads_its_answer_from_a_file(tmp_path: Path) -> None:
    answer = {
        "issues": [
            {
                "id": 3,
                "subject": "VPN",
                "description": "Down",
                "status": {"name": "New"},
                "custom_fields": [{"name": "Category", "value": "Network"}],
            }
        ]
    }
    (ticket,) = tickets_in(tmp_path / "answer.json", answer, "redmine")
    assert (ticket.id, ticket.request_category) == ("3", "Network")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (COLUMNS.replace("  id: Vorfall", "  number: Vorfall"), "line 5: 'number' is not known here"),
        (COLUMNS.replace("  id: Vorfall", "  id: {a: b}"), "line 5: expected text here"),
        ("name: x\nverified: server\n", "line 1: 'tickets' is missing"),
    ],
)
def test_columns_of_a_profile_are_checked(text: str, reason: str) -> None:
    with pytest.raises(Exception, match=reason):
        parse_profile(text.encode(), "desk.yaml")


def test_the_columns_that_the_page_shows_are_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "helpdesks.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"<!-- columns -->\n```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "desk.yaml").write_text(example, encoding="utf-8")
    rows = [["Case", "Subject", "Notes of the caller", "State"], ["7", "VPN", "Down", "new"]]
    content = workbook_of({"Other": rows[:1], "Tickets": rows})
    (ticket,) = tickets_in(tmp_path / "export.xlsx", content, str(tmp_path / "desk.yaml"))
    assert (ticket.id, ticket.texts, ticket.status) == ("7", ("VPN", "Down"), "new")


# Which tickets are kept


def test_closed_tickets_are_left_out_by_the_usual_words(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    words = ["Open", "Closed", "geschlossen", "Résolu", "in Bearbeitung", "Cerrado", "Concluído", "closed successful"]
    path.write_bytes(csv_of([["Subject", "Status"], *([word, word] for word in words)]))
    kept = helpdesk(path, keep=frozenset({"open"})).fetch_tickets()
    assert [ticket.status for ticket in kept] == ["Open", "in Bearbeitung"]
    path.write_bytes(csv_of([["Subject"], ["a"]]))
    with pytest.raises(InputError, match="has no column for the status"):
        helpdesk(path, keep=frozenset({"open"})).fetch_tickets()


# Bad input

HEADER = ["Id", "Subject", "Description"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        pytest.param(
            "a.csv",
            csv_of([["Id", "Subject", "subject"], ["1", "a", "b"]]),
            "`Subject` more than once",
            id="equal columns",
        ),
        pytest.param("a.csv", csv_of([["Foo", "Bar"], ["1", "a"]]), "the columns are Foo, Bar", id="no known column"),
        pytest.param("a.csv", csv_of([["Id", "Status"], ["1", "a"]]), "the columns are Id, Status", id="no text"),
        pytest.param("a.csv", b"", "is empty", id="empty"),
        pytest.param("a.csv", b"\n\n", "without names", id="blank"),
        pytest.param("a.csv", bytes(range(256)) * 9, "bytes that no text has", id="rubbish"),
        pytest.param("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(100), "bytes that no text has", id="picture"),
        pytest.param("a.csv", b"\xd0\xcf\x11\xe0" + bytes(100), "the old form (.xls)", id="xls"),
        pytest.param("a.csv", b"\x1f\x8b\x08" + bytes(100), "is compressed", id="gzip"),
        pytest.param("a.csv", b"<!doctype html><table>", "is a web page", id="web page"),
        pytest.param(
            "a.csv",
            csv_of([HEADER, ["1", "a", "b"]])[:-4],
            "is cut off: a quotation mark in line 2",
            id="cut in a cell",
        ),
        pytest.param("a.csv", b"Id,Subject,Description\n1,a,b\n2,c", "is cut off: line 3", id="cut in a row"),
        pytest.param(
            "a.csv", b'Id,Subject\n1,"open\n2,b\n3,c\n', "a quotation mark in line 2", id="open quotation mark"
        ),
        pytest.param(
            "a.xlsx", workbook_of({"A": [HEADER, [1, "a", "b"]]})[:-90], "readable workbook", id="cut workbook"
        ),
        pytest.param("a.xlsx", workbook_of({"A": [["Foo"], ["x"]]}), "the columns are Foo", id="foreign workbook"),
        pytest.param("a.xlsx", workbook_of({"A": []}), "without names", id="empty workbook"),
        pytest.param("a.jsonl", b'{"id": 1, "subject": "a"}\n{"id": 2, "sub', "line 2", id="cut lines"),
        pytest.param("a.json", b'[{"id": 1, "subject": "a"}, {"id"', "not valid JSON", id="cut JSON"),
    ],
)
def test_a_file_that_cannot_be_read_whole_is_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    error = refusal(tmp_path / name, content)
    assert words in str(error)
    assert str(tmp_path / name) in str(error)


def test_rows_of_another_length_are_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = b"Id,Subject,Description\n1,a\n2,b,c,d\n3,e,f\n"
    assert len(tickets_in(tmp_path / "a.csv", content)) == 3
    assert "1 row with fewer cells than the header: lines 2" in caplog.text
    assert "1 row with more cells than the header: lines 3" in caplog.text


def test_cells_have_several_lines_and_formulas_are_text(tmp_path: Path) -> None:
    content = csv_of([HEADER, ["1", "=cmd|' /C calc'!A0", 'one\r\n\r\ntwo; "three"']], line_end="\n")
    (ticket,) = tickets_in(tmp_path / "a.csv", content)
    assert ticket.texts == ("=cmd|' /C calc'!A0", 'one\r\n\r\ntwo; "three"')


def test_exports_that_were_put_together_have_no_ticket_for_a_header(tmp_path: Path) -> None:
    part = csv_of([HEADER, ["1", "a", "b"]])
    assert [ticket.id for ticket in tickets_in(tmp_path / "a.csv", part + part)] == ["1", "1"]


def test_an_export_without_tickets_is_an_empty_queue(tmp_path: Path) -> None:
    assert tickets_in(tmp_path / "a.csv", csv_of([HEADER])) == []
    assert tickets_in(tmp_path / "a.xlsx", workbook_of({"A": [HEADER]})) == []
    assert tickets_in(tmp_path / "a.json", []) == []


def test_a_workbook_has_title_rows_sheets_numbers_and_times(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows: list[list[Any]] = [
        ["Incidents of November", None, None, None],
        [],
        ["Number", "Short description", "Opened", "Description"],
    ]
    rows.append([1001.0, "VPN", datetime(2026, 11, 20, 8), "=A1"])  # noqa: DTZ001  # cells have no zone
    content = workbook_of({"Cover": [["Title"], ["x"]], "Data": rows, "More": rows})
    (ticket,) = tickets_in(tmp_path / "a.xlsx", content)
    assert (ticket.id, ticket.short_description, ticket.created_at) == ("1001", "VPN", "2026-11-20T08:00:00")
    assert "only the sheet Data is read, and not More" in caplog.text
    assert "2 formulas without a result in the file" in caplog.text


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_archive, "MAX_UNPACKED", 5_000_000)  # packing more than the true one takes seconds
    content = io.BytesIO(workbook_of({"A": [HEADER]}))
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/big.xml", b" " * 6_000_000)
    assert "unpacks to more than" in str(refusal(tmp_path / "a.xlsx", content.getvalue()))


def test_a_large_table_is_read_as_a_stream(tmp_path: Path) -> None:
    """Columns that nobody needs take no memory, however large they are."""
    path = tmp_path / "export.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("Id,Subject,Description,Comments\n")
        for number in range(300):
            file.write(f'{number},Printer,It jams,"{"x, " * 30_000}"\n')
    assert path.stat().st_size > 25_000_000
    tracemalloc.start()
    try:
        assert len(helpdesk(path).fetch_tickets()) == 300
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
