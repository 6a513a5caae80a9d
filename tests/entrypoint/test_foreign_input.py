"""Queues as helpdesks, spreadsheets and scripts write them become the right report."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ticketattr.infrastructure.reports.labels import field_of

from ..conftest import CLI, DATA
from ..markup import KINDS

CATALOG = DATA / "gold" / "catalog.yaml"
TEXTS = {
    "password": ("Locked out", "After my leave I no longer know the password of my Windows account."),
    "printer": ("Second floor", "The printer reports a paper jam, but there is no paper in it."),
    "vpn": ("Working from home", "The VPN tunnel breaks down every ten minutes."),
    "license": ("Question", "My subscription of Visio has expired, I need a new licence."),
}


@pytest.fixture(autouse=True)
def sources(cli: CLI) -> None:
    cli.settings |= {"HELPDESK_API_URL": "queue.json", "SERVICE_CATALOG_URL": str(CATALOG), "CLASSIFIER": "offline"}


def report_on(cli: CLI, content: Any, name: str = "queue.json") -> dict[str, dict[str, Any]]:
    """The rows of the report on a queue, by the id of the ticket; bytes are the file itself."""
    (cli.folder / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    cli.settings["HELPDESK_API_URL"] = name
    cli.ok("run", "--dry-run")
    (path,) = cli.folder.rglob("*.xlsx")
    return rows_of(path)


def rows_of(path: Path) -> dict[str, dict[str, Any]]:
    header, *lines = openpyxl.load_workbook(path)["Tickets"].values
    rows: list[dict[str, Any]] = [dict(zip(map(field_of, map(str, header)), line, strict=True)) for line in lines]
    return {str(row["id"]): row for row in rows}


def test_html_gets_the_request_type_and_the_cell_of_the_plain_text(cli: CLI) -> None:
    queue = [{"id": f"{name} plain", "subject": title, "description": text} for name, (title, text) in TEXTS.items()]
    queue += [
        {"id": f"{name} {kind}", "subject": title, "description": wrap(text)}
        for name, (title, text) in TEXTS.items()
        for kind, wrap in KINDS.items()
        if "pictures" not in kind
    ]
    rows = report_on(cli, queue)
    assert len(rows) == 28
    for key, row in rows.items():
        plain = rows[f"{key.split()[0]} plain"]
        columns = ("request_type", "long_description", "confidence", "needs_review")
        assert [row[name] for name in columns] == [plain[name] for name in columns]


def test_of_two_descriptions_the_plain_one_counts(cli: CLI) -> None:
    title, text = TEXTS["printer"]
    plain = {"id": 1, "subject": title, "description": text}
    both = {"id": 2, "subject": title, "description": KINDS["Outlook"]("Something else"), "description_text": text}
    rows = report_on(cli, [plain, both])
    assert rows["2"]["long_description"] == text
    assert rows["1"]["request_type"] == rows["2"]["request_type"]


def test_an_age_does_not_depend_on_how_the_time_is_written(cli: CLI) -> None:
    times = ["2026-05-04T10:30:00Z", "20260504103000Z", 1777890600, 1777890600123, "Mon, 04 May 2026 12:30:00 +0200"]
    rows = report_on(cli, [{"id": place, "subject": "VPN", "created_at": time} for place, time in enumerate(times)])
    assert len({row["age_days"] for row in rows.values()}) == 1
    assert all(row["age_days"] is not None for row in rows.values())


def test_a_time_that_is_not_read_is_told_and_stays_in_its_cell(cli: CLI) -> None:
    queue = [{"id": "T-1", "subject": "VPN", "created_at": "04.05.2026 12:30"}]
    row = report_on(cli, queue)["T-1"]
    assert (row["age_days"], row["created_at"]) == (None, "04.05.2026 12:30 (unreadable)")
    assert "T-1 (TIME_FORMAT names a form: %d.%m.%Y %H:%M reads them)" in cli("fetch").stderr


def test_a_local_time_is_read_by_its_form_in_its_zone(cli: CLI) -> None:
    cli.settings |= {"TIME_FORMAT": "%d.%m.%Y %H:%M", "TIME_ZONE": "Europe/Berlin"}
    row = report_on(cli, [{"id": "T-1", "subject": "VPN", "created_at": "04.05.2026 12:30"}])["T-1"]
    assert row["created_at"] == datetime(2026, 5, 4, 12, 30)  # noqa: DTZ001  # a cell has no zone; its heading names it
    assert row["age_days"] is not None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TIME_FORMAT", "dd.mm.yyyy", "TIME_FORMAT is not a form of a date"),
        ("TIME_FORMAT", "%H:%M", "TIME_FORMAT is not a form of a date"),
        ("TIME_ZONE", "Middle/Earth", "TIME_ZONE is not a time zone"),
    ],
)
def test_a_form_or_zone_that_does_not_exist_is_refused(cli: CLI, name: str, value: str, words: str) -> None:
    cli.settings[name] = value
    result = cli("fetch")
    assert result.exit_code == 2
    assert words in result.stderr


LIST = '[{"id": "1", "subject": "Büro"}, {"id": "2", "subject": "VPN"}]'


@pytest.mark.parametrize(
    ("name", "content", "titles"),
    [
        ("utf16.json", LIST.encode("utf-16"), ["Büro", "VPN"]),
        ("nan.json", b'[{"id": "1", "subject": "a", "description": NaN}, {"id": "2", "subject": "b"}]', ["a", "b"]),
        ("raw.json", b'[{"id": "1", "subject": "a"}, {"id": "2", "subject": "b", "body": "c\nd"}]', ["a", "b"]),
        ("byte.json", b'[{"id": "1", "subject": "B\xfcro"}, {"id": "2", "subject": "b"}]', ["B\ufffdro", "b"]),
        ("lines.jsonl", b'{"id": "1", "subject": "a"}\n{"id": "2", "subject": "b"}\n', ["a", "b"]),
    ],
)
def test_json_is_read_as_it_comes(cli: CLI, name: str, content: bytes, titles: list[str]) -> None:
    rows = report_on(cli, content, name)
    assert [rows[key]["short_description"] for key in ("1", "2")] == titles
    assert ("damaged text" in str(rows["1"]["needs_review"])) == (name == "byte.json")


def test_lines_of_a_form_are_not_suspicious(cli: CLI) -> None:
    texts = [
        "Name: Bea\nSystem: SAP Q02\nError: order is locked",
        "Items: one headset",
        "Please ignore my previous ticket, the screen is fine.",
        "D:\\Data\\<user>\\desktop is empty",
        "On the road in \U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f from Monday",
    ]
    rows = report_on(cli, [{"id": place, "subject": "Form", "description": text} for place, text in enumerate(texts)])
    assert [row["suspicious"] for row in rows.values() if row["suspicious"]] == []
