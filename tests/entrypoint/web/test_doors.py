"""Command line, pages, API and chat are doors to the same use cases, and say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter

from ticketattr.application.service.chat import ChatDesk, ChatFiles
from ticketattr.domain.chat import CHAT_COMMANDS, AllowedSender, ChatMessage, Reply, Sender, TextReply
from ticketattr.entrypoint.web import api, pages

from ...command_tree import command_called
from ...conftest import CLI
from ...doors import REFUSALS, ROWS, Row, chat_method, named_by, routes, scope_of
from .conftest import Web
from .test_api import RUN, put_report, record_doubt

ANN = Sender("telegram", "7", "7")
MISSING = "20261127T120000Z-ffff"


def said(web: Web, text: str, scope: Any = "operate") -> Reply:
    """What a chat answers to somebody with that scope."""
    files = ChatFiles(web.parts.reports.get, bytes, str)
    desk = ChatDesk(web.service, [AllowedSender(ANN, scope)], files, lambda: "secret")
    reply = desk.answer(ChatMessage(text + scope, ANN, text, web.clock()))
    assert reply
    return reply


@pytest.mark.parametrize(("door", "router"), [("page", pages.router), ("call", api.router)])
def test_everything_that_can_be_asked_stands_in_the_table(door: str, router: APIRouter) -> None:
    listed = {getattr(row, door) for row in ROWS} - {""}
    assert listed == set(routes(router)), "give each a row in tests/doors.py, and run `python -m tests.reference`"


def test_every_chat_command_stands_in_the_table() -> None:
    listed = {row.chat[1:].split()[0] for row in ROWS if row.chat}
    own = set(CHAT_COMMANDS) - {"help", "confirm"}
    assert listed == own, "give each a row in tests/doors.py, and run `python -m tests.reference`"


def test_the_page_about_the_service_explains_every_chat_command() -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "service.md"
    explained = set(re.findall(r"^\| `/(\w+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert explained == set(CHAT_COMMANDS) - {"help", "confirm"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_each_door_calls_the_use_case(row: Row) -> None:
    functions = [routes(router)[place].endpoint for router, place in _places(row)]
    functions += [command_called(row.command).callback] if row.command else []
    functions += [chat_method(row.chat)] if row.chat else []
    for function in functions:
        assert named_by(function) & set(row.uses.split()), f"{row.what}: {function.__qualname__}"


def _places(row: Row) -> list[tuple[APIRouter, str]]:
    return [(router, place) for router, place in ((pages.router, row.page), (api.router, row.call)) if place]


@pytest.mark.parametrize("row", [row for row in ROWS if row.chat], ids=lambda row: row.what)
def test_a_chat_asks_for_the_same_scope_as_pages_and_api(web: Web, row: Row) -> None:
    reply = said(web, row.chat, "read")
    is_refused = isinstance(reply, TextReply) and "may only read" in reply.text
    assert is_refused == (scope_of(row) == "operate")


def test_the_doors_refuse_in_the_same_words(web: Web, tmp_path: Path) -> None:
    gone = put_report(tmp_path)
    record_doubt(web, gone)
    sha256 = "f" * 64
    gone.unlink()
    cli = CLI(tmp_path)
    cli.settings |= {"OUTPUT_DIR": str(tmp_path / "output"), "WORK_DIR": str(tmp_path / "work")}
    cli.settings |= {"REPORT_LOG_DB_PATH": str(tmp_path / "output" / "reports.db"), "RUN_SCHEDULE": "0 0 30 2 *"}
    with web.browser("read") as reader, web.browser() as person, web.client("read") as program, web.client() as other:
        impossible = {"cron": "0 0 30 2 *"}
        answers = [
            [reader.post("/runs").text, program.post("/api/v1/runs").text, text(said(web, "/run", "read"))],
            [
                person.post("/schedule", data=impossible).text,
                other.put("/api/v1/schedule", json=impossible).text,
                text(said(web, "/schedule 0 0 30 2 *")),
                cli("serve").stderr,
            ],
            *(
                [
                    person.get(f"/reports/{run}/workbook").text,
                    program.get(f"/api/v1/reports/{run}/workbook").text,
                    text(said(web, f"/report {run}")),
                    cli("download", run).stderr,
                ]
                for run in (MISSING, RUN)
            ),
            [person.get("/runs/99").text, program.get("/api/v1/runs/99").text],
            [
                person.post("/changes/undo", data={"run": MISSING}).text,
                other.post("/api/v1/changes/undo", json={"run_id": MISSING}).text,
            ],
            [
                person.post("/deliveries/resolve", data={"report": sha256, "decision": "sent"}).text,
                cli("pending", "resolve", "--sent", sha256).stderr,
            ],
        ]
    runs = iter((MISSING, RUN, MISSING))
    for (what, refusal), doors in zip(REFUSALS, answers, strict=True):
        # Each door has another name for who asks.
        words = {"NAME ": "", "NUMBER": "99", "REPORT": sha256, **({"RUN": next(runs)} if "RUN" in refusal else {})}
        for word, value in words.items():
            refusal = refusal.replace(word, value)
        for answer in doors:
            assert refusal in " ".join(answer.split()), what


def text(reply: Reply) -> str:
    assert isinstance(reply, TextReply)
    return reply.text
