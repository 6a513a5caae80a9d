"""What can be asked and done by each door, with which states and refusals: docs/reference/doors.md is written from it.

The tests hold that every address, call and chat command stands here, and that each does what the row says.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, get_args

from fastapi import APIRouter
from fastapi.routing import APIRoute

from ticketattr.application.service.chat import ChatDesk
from ticketattr.domain.report_status import ReportState
from ticketattr.domain.service_run import ServiceRun
from ticketattr.domain.write_back import ChangeMode, ChangeState
from ticketattr.entrypoint.web import api, pages

from .fakes import MIDNIGHT


@dataclass(frozen=True)
class Row:
    """What can be asked or done, and what it is called at each door; `uses`: the use cases, or methods of a port."""

    what: str
    uses: str
    command: str = ""
    page: str = ""
    call: str = ""
    chat: str = ""


_FILE = "GET /deliveries.{format}"
_LIST = "GET /deliveries"
_WORKBOOK = "GET /reports/{run_id}/workbook"

ROWS = (
    Row("start a run", "request_run run_pipeline", "run", "POST /runs", "POST /runs", "/run"),
    Row("what runs, and how runs ended", "current_run runs", "", "GET /", "GET /runs", "/status"),
    Row("one run", "found_run", "", "GET /runs/{number}", "GET /runs/{number}"),
    Row("the log of a run", "log_of", "", "GET /logs", "GET /logs", "/logs"),
    Row("the schedule", "schedule_of", "", "GET /schedule", "GET /schedule", "/schedule"),
    Row("change the schedule", "change_schedule", "", "POST /schedule", "PUT /schedule", "/schedule 30 6 * * 1-5"),
    Row("the next times of any expression", "times_of", "", "", "GET /schedule/times"),
    Row("reports, sent or not", "statuses unsent reports", "pending list", "GET /reports", "GET /reports"),
    Row("a report as a workbook", "workbook_of_run report_of_run", "download", _WORKBOOK, _WORKBOOK, "/report"),
    Row("a report as a page", "page_of_run", "", "GET /reports/{run_id}/page"),
    Row("reports in the store alone", "runs_in_store_alone", "", "GET /reports/stored", "GET /stored-reports"),
    Row("deliveries, page by page", "deliveries_page report_history", "pending list", _LIST, _LIST),
    Row("all deliveries as a file", "report_history deliveries", "pending list", _FILE, _LIST, "/sent"),
    Row("decide about a report in doubt", "resolve_doubt", "pending resolve", "POST /deliveries/resolve"),
    Row("tickets that need a person", "open_review", "", "GET /review"),
    Row("correct a ticket", "decide import_corrections", "corrections import", "POST /review"),
    Row("changes in the helpdesk", "changes", "changes list", "GET /changes", "GET /changes"),
    Row("put changes back", "request_undo undo_run", "changes undo", "POST /changes/undo", "POST /changes/undo"),
    Row("the audit", "audit", "", "GET /audit"),
    Row("create a token", "create_token", "token create"),
    Row("tokens", "tokens", "token list"),
    Row("revoke a token", "revoke_token", "token revoke"),
    Row("sign in", "sign_in", "", "POST /sign-in"),
    Row("sign out", "sign_out", "", "POST /sign-out"),
)

REFUSALS = (
    ("whoever may only read asks for a change", "NAME may only read; this needs the scope operate"),
    ("a schedule that never comes true", "0 0 30 2 * is not a valid cron expression: Bad day-of-month"),
    ("a run without a report", "the run RUN has no report"),
    ("a report that retention deleted", "the report of the run RUN is no longer in the folder: retention deleted it"),
    ("a run that the service does not know", "the service does not know the run NUMBER"),
    ("a change that is not in the ledger", "not in the ledger of changes: all of RUN"),
    ("a report that is not in doubt", "no message in doubt contains REPORT"),
)
"""What is refused, and in which words, wherever it can be asked."""

_FORMS = ("GET /sign-in",)
"""Pages that only show a form."""

_PAGE = """\
# Doors: commands, pages, API and chat

Command line, pages, API and chat are doors to the same use cases. What can be asked at one is called the same at the
others, has the same states, and is refused for the same reasons. The API is below `/api/v1`. Scope: what a token, or a
person on the list of a chat, needs; whoever runs a command needs the files.
"""


def routes(router: APIRouter) -> dict[str, APIRoute]:
    """The routes by method and path, as in `GET /runs/{number}`."""
    return {
        f"{method} {route.path.removeprefix(router.prefix)}": route
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
        if method != "HEAD" and f"{method} {route.path.removeprefix(router.prefix)}" not in _FORMS
    }


def scope_of(row: Row) -> str:
    """The scope that the doors of the row ask for; empty if none asks for one."""
    found = {
        inspect.getclosurevars(dependency.call).nonlocals.get("rights", "")
        for router, place in ((pages.router, row.page), (api.router, row.call))
        if place
        for dependency in routes(router)[place].dependant.dependencies
        if isinstance(dependency.call, FunctionType)
    } - {""}
    assert len(found) <= 1, f"{row.what}: {found}"
    return str(next(iter(found), ""))


def named_by(function: Callable[..., Any]) -> set[str]:
    """The names that a function of ours uses, and those that the functions use which it calls at the same door."""
    seen: set[str] = set()
    waiting: list[Any] = [inspect.unwrap(function)]
    while waiting:
        found = waiting.pop()
        for name in set(_names(found.__code__)) - seen:
            seen.add(name)
            called = found.__globals__.get(name)
            if isinstance(called, FunctionType) and called.__module__ in (function.__module__, api.__name__):
                waiting.append(called)
    return seen


def chat_method(command: str) -> FunctionType:
    """What carries out a chat command, as in `/logs 50`."""
    method = vars(ChatDesk)[f"_{command[1:].split()[0]}"]
    assert isinstance(method, FunctionType)
    return method


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def doors_page() -> list[str]:
    """The lines of the page."""
    rows = [
        (
            row.what,
            *(_code(name) for name in (row.command, row.page, row.call, row.chat)),
            scope_of(row),
            ", ".join(map(_code, row.uses.split())),
        )
        for row in ROWS
    ]
    lines = [*_PAGE.splitlines(), "", *_table(("what", "command", "page", "API", "chat", "scope", "use case"), rows)]
    lines += ["", "## The state of a run", "", "Pages and chat show the text; the API has it as `state_text`.", ""]
    ends: tuple[dict[str, Any], ...] = (
        {"state": "queued"},
        {"state": "running"},
        {"state": "ended", "exit_code": 0},
        {"state": "ended", "exit_code": 5},
        {"state": "ended", "exit_code": 4},
        {"state": "ended", "exit_code": -9},
        {"state": "lost"},
    )
    runs = [ServiceRun(1, "api", "ann", MIDNIGHT, **end) for end in ends]
    shown = [(_code(run.state), "" if run.exit_code is None else str(run.exit_code), run.state_text) for run in runs]
    lines += _table(("state", "exit code", "text"), shown)
    lines += ["", "## Other states", "", "Pages write a space for the underscore.", ""]
    others = (
        ("a delivery", ReportState),
        ("a change in the helpdesk", ChangeState),
        ("its mode", ChangeMode),
    )
    lines += _table(("of", "states"), [(what, ", ".join(map(_code, get_args(kind)))) for what, kind in others])
    lines += ["", "## Refusals", ""]
    return [*lines, *_table(("asked for", "answer"), REFUSALS)]


def _code(name: str) -> str:
    return f"`{name}`" if name else ""


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (headings, ["---"] * len(headings), *rows)]
