"""The pages, for people: rendered on the server, without a script that anything depends on."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.templating import Jinja2Templates

from ...application.report import report_name
from ...application.resolve import Decision, resolve_doubt
from ...application.service.access import SESSION, caller_of_session, sign_in, sign_out
from ...application.service.deliveries import PLACE, deliveries_page
from ...application.service.report_files import ReportGone, page_of_run, runs_in_store_alone
from ...application.service.review import decide, open_review
from ...application.service.runs import (
    change_schedule,
    current_run,
    found_run,
    log_of,
    next_times,
    request_run,
    schedule_of,
)
from ...application.service.undo import request_undo
from ...domain.access import Caller
from ...domain.report import Row
from ...domain.report_status import ReportStatus
from ...domain.run_id import is_run_id
from ...domain.sanitizing import sanitize, truncate
from ...domain.service_run import AuditEntry, Undo
from ...domain.write_back import all_undoable, shown_pair
from ...errors import TicketAttrError
from ...infrastructure.reports.html_report import policy_of
from ...infrastructure.reports.labels import urgency_in_words
from ..presentation.listing import delivery_rows, flat
from ..presentation.log_lines import plain
from .api import deliveries_file, workbook
from .downloads import MadeFile, made_path, write_bytes
from .parts import COOKIE, Parts, downloads_of, origin_of, parts_of, person, random_secret, shown_line, signed_in

PAGE = 50
"""The rows on one page of a list."""

REVIEWED = 25
"""The tickets on the page of the review."""

_BETWEEN = "\x1f"
"""Stands between category and request type in a form; no name has a control character."""

# The path of a page of this service: not `//host`, nor `/\\host`, which browsers take for another server.
_PAGE_HERE = re.compile(r"/(?![/\\])[!-\[\]-~]*")
_TEMPLATES = Jinja2Templates(Path(__file__).with_name("templates"))
_MAX_FORM = 4096

router = APIRouter(default_response_class=Response)

Reader = Annotated[Caller, Depends(person("read"))]
Operator = Annotated[Caller, Depends(person("operate"))]


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, each once."""
    body = await request.body()
    if len(body) > _MAX_FORM:
        raise HTTPException(413, "the form is too large")
    return {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}


Form = Annotated[dict[str, str], Depends(form_of)]


@router.get("/sign-in")
def sign_in_page(request: Request, to: str = "/") -> Response:
    """The form that asks for a token. `to` is the page that follows."""
    return _page(request, "sign_in.html", None, wrong=False, to=to)


@router.post("/sign-in")
def sign_in_with_token(request: Request, form: Form) -> Response:
    """Start a session for whoever knows the secret of a token, and go on to the page that was asked for."""
    parts, origin, to = parts_of(request), origin_of(request), form.get("to", "/")
    if wait := parts.failures.wait(origin):
        raise HTTPException(429, f"too many wrong tokens: wait {int(wait) + 1} seconds")
    state, now = parts.service.state, parts.service.clock()
    cookie = sign_in(state, form.get("token", "").strip(), origin, now, random_secret)
    if not cookie:
        parts.failures.add(origin)
        state.add_audit(AuditEntry(now, "", origin, "sign in", "", "refused"))
        response = _page(request, "sign_in.html", None, wrong=True, to=to)
        response.status_code = 401
        return response
    if caller := caller_of_session(state, cookie, origin, now):
        state.add_audit(AuditEntry(now, caller.name, origin, "sign in", "", "done"))
    response = _redirect(request, to if _PAGE_HERE.fullmatch(to) else "/")
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(SESSION.total_seconds()),
        path=_root(request) or "/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@router.post("/sign-out")
def sign_out_person(request: Request) -> Response:
    """End the session of this browser."""
    sign_out(parts_of(request).service.state, request.cookies.get(COOKIE, ""))
    response = _redirect(request, "/sign-in")
    response.delete_cookie(COOKIE, path=_root(request) or "/")
    return response


@router.get("/")
def overview(request: Request) -> Response:
    """What runs, what comes next, what waits for a person, and how the last runs ended."""
    caller = signed_in(request)
    if not caller:
        return _redirect(request, "/sign-in")
    parts = parts_of(request)
    reports, running = parts.reports.get(), current_run(parts.service)
    return _page(
        request,
        "overview.html",
        caller,
        running=running,
        queued=[run for run in parts.service.state.unfinished() if run.state == "queued"],
        runs=parts.service.state.runs(limit=10),
        next=next_times(parts.service, 1),
        pending=[status for status in reports if status.is_pending],
        to_review=_to_review(parts),
        doubts=[status for status in reports if status.state in ("in_doubt", "held")],
    )


@router.post("/runs")
def start_run(request: Request, caller: Operator, form: Form) -> Response:
    """Ask for a run."""
    request_run(
        parts_of(request).service, caller, "page", dry_run=form.get("dry_run") == "yes", key=form.get("key", "")
    )
    return _redirect(request, "/")


@router.get("/runs/{number}")
def show_run(request: Request, caller: Reader, number: int) -> Response:
    """One run, with the last lines of its log."""
    service = parts_of(request).service
    if service.state.run(number) is None:
        raise HTTPException(404, f"the service does not know the run {number}")
    run = found_run(service, number)
    lines = [shown_line(line) for line in log_of(service, run, 300)]
    has_page = bool(run.figures) and run.run_id in parts_of(request).reviewing.runs()
    return _page(request, "run.html", caller, run=run, lines=lines, has_page=has_page)


@router.get("/reports")
def list_reports(request: Request, caller: Reader, page: int = 1) -> Response:
    """The reports in the folder, newest first."""
    parts = parts_of(request)
    rows, runs = parts.reports.get(), frozenset(parts.reviewing.runs())
    stored = runs_in_store_alone(rows, parts.stored.runs)
    values = {"stored": len(stored), "problem": parts.stored.problem, "has_page": runs.union(parts.stored.runs)}
    return _list(request, "reports.html", caller, rows, page, **values)


@router.get("/reports/stored")
def list_stored_reports(request: Request, caller: Reader, page: int = 1) -> Response:
    """The reports that are in the store and no longer in the folder, newest first."""
    parts = parts_of(request)
    rows = runs_in_store_alone(parts.reports.get(), parts.stored.runs)
    return _list(request, "stored.html", caller, rows, page, problem=parts.stored.problem)


@router.get("/reports/{run_id}/page")
def show_report(request: Request, caller: Reader, run_id: str) -> Response:
    """The report of a run as a page: in a sandbox, so that nothing in it can use the session of the person."""
    parts, name = parts_of(request), report_name(run_id, "html")
    if not is_run_id(run_id):
        raise HTTPException(404, "that is not the id of a run")
    folder = downloads_of(parts)
    try:
        found = page_of_run(
            run_id, lambda run: made_path(folder, lambda path: parts.write_page(run, path)), parts.store
        )
    except ReportGone as error:
        raise HTTPException(410, f"{error}. {error.hint}") from error
    path = made_path(folder, lambda path: write_bytes(path, found)) if isinstance(found, bytes) else found
    with path.open(encoding="utf-8", errors="replace") as file:
        policy = f"{policy_of(file.read(4096))}; frame-ancestors 'none'; sandbox allow-scripts"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "private, no-store"}
    return MadeFile(path, media_type="text/html", filename=name, headers=headers, content_disposition_type="inline")


@router.get("/reports/{run_id}/workbook")
def download_workbook(request: Request, caller: Reader, run_id: str) -> Response:
    """The workbook of a run."""
    return workbook(request, run_id)


@router.get("/deliveries")
def list_deliveries(
    request: Request, caller: Reader, after: Annotated[str, Query(pattern=f"^({PLACE})?$")] = ""
) -> Response:
    """The reports in no message, then every report of every message, newest first."""
    parts = parts_of(request)
    page = deliveries_page(parts.tracker, parts.reports.get(), after, PAGE)
    rows = [_delivery_shown(flat(row)) for row in delivery_rows(page.statuses, parts.service.clock())]
    return _page(request, "deliveries.html", caller, rows=rows, after=after, next=page.next)


@router.get("/deliveries.{format}")
def download_deliveries(request: Request, caller: Reader, format: str) -> Response:
    """The list of deliveries as a file."""
    if format not in ("csv", "xlsx"):
        raise HTTPException(404, "the list comes as CSV or XLSX")
    return deliveries_file(request, format)


@router.post("/deliveries/resolve")
def resolve(request: Request, caller: Operator, form: Form) -> Response:
    """Record a decision about a report in doubt."""
    parts, now = parts_of(request), parts_of(request).service.clock()
    decision, report = form.get("decision", ""), form.get("report", "")
    decisions: dict[str, Decision] = {"sent": "sent", "resend": "resend"}
    if decision not in decisions:
        raise HTTPException(422, "decide whether the report arrived or is sent again")
    # On the command line, it may be a path; whoever asks from elsewhere names no files here.
    if not re.fullmatch("[0-9a-f]{64}", report):
        raise HTTPException(422, "that is not the SHA-256 of a report")

    def change() -> None:
        with parts.log.acquire_sender_lock(now):
            resolve_doubt(parts.tracker, parts.log, report, decisions[decision], now)

    _audited(request, caller, "resolve", f"{report[:12]} {decision}", change)
    return _redirect(request, "/deliveries")


@router.get("/review")
def show_review(request: Request, caller: Reader) -> Response:
    """The tickets of the latest run that need a person, the most urgent first."""
    parts = parts_of(request)
    review = open_review(parts.reviewing, parts.service.clock())
    shown = review.items[:REVIEWED] if review else ()

    def urgency(row: Row) -> str:
        return urgency_in_words(row, review.report) if review else ""

    return _page(request, "review.html", caller, review=review, items=shown, urgency=urgency)


@router.post("/review")
def decide_about_ticket(request: Request, caller: Operator, form: Form) -> Response:
    """Record a choice; it is a correction, which the next run takes over."""
    parts = parts_of(request)
    place, run_id = form.get("place", ""), form.get("run", "")
    category, _, name = form.get("entry", "").partition(_BETWEEN)
    number = int(place) if place.isdecimal() and len(place) < 8 else 0

    def change() -> None:
        decide(parts.reviewing, caller, run_id, number, (category, name), parts.service.clock())

    _audited(request, caller, "review", f"ticket {number} of {run_id[:30]}: {category[:80]} / {name[:80]}", change)
    return _redirect(request, "/review")


@router.get("/changes")
def list_changes(request: Request, caller: Reader, page: int = 1, run: str = "") -> Response:
    """What was written into the helpdesk, suggested there, or put back, newest first; with `run`, by that run."""
    ledger = parts_of(request).changes.get()
    rows = [change for change in reversed(ledger) if run in ("", change.run_id)]
    possible = {change.number for change in all_undoable(ledger)}
    values = {"run": run, "possible": possible, "some_possible": any(change.number in possible for change in rows)}
    return _list(request, "changes.html", caller, rows, page, pair=_pair_shown, **values)


@router.post("/changes/undo")
def undo_changes(request: Request, caller: Operator, form: Form) -> Response:
    """Ask to put back what a run set, or one change of it, where nobody changed the ticket since."""
    parts, number = parts_of(request), form.get("change", "0")
    if not (number.isascii() and number.isdecimal() and len(number) < 16):
        raise HTTPException(422, "that is not the number of a change")
    undo = Undo(form.get("run", ""), int(number))
    run, _ = request_undo(parts.service, parts.changes.get(), caller, "page", undo, key=form.get("key", ""))
    return _redirect(request, f"/runs/{run.number}")


@router.get("/logs")
def show_logs(request: Request, caller: Reader) -> Response:
    """The log of the latest run, and the way to those of the earlier ones."""
    service = parts_of(request).service
    runs = service.state.runs(limit=PAGE)
    lines = [shown_line(line) for line in log_of(service, runs[0], 300)] if runs else []
    return _page(request, "logs.html", caller, runs=runs, lines=lines)


@router.get("/schedule")
def show_schedule(request: Request, caller: Reader) -> Response:
    """The schedule and its next times."""
    return _schedule_page(request, caller)


@router.post("/schedule")
def set_schedule(request: Request, caller: Operator, form: Form) -> Response:
    """Change the schedule, or say why it cannot be changed."""
    cron = form.get("cron", "")
    try:
        change_schedule(parts_of(request).service, caller, cron)
    except TicketAttrError as error:
        response = _schedule_page(request, caller, cron=cron, wrong=f"{error}. {error.hint}")
        response.status_code = 422
        return response
    return _redirect(request, "/schedule")


@router.get("/audit")
def show_audit(request: Request, caller: Reader) -> Response:
    """The latest changes that people and programs made through the service."""
    return _page(request, "audit.html", caller, entries=parts_of(request).service.state.audit(limit=200), plain=plain)


def error_page(request: Request, status: int, message: str, hint: str = "") -> Response:
    """The page of an error. Whoever did not sign in is sent to sign in."""
    if status == 401:
        url = request.url.path.removeprefix(_root(request)) + (f"?{request.url.query}" if request.url.query else "")
        return _redirect(request, f"/sign-in?to={quote(url, safe='/')}" if request.method == "GET" else "/sign-in")
    response = _page(request, "error.html", signed_in(request), message=plain(message), hint=plain(hint), status=status)
    response.status_code = status
    return response


def _to_review(parts: Parts) -> int | None:
    """The number of tickets that wait for a review; None if they cannot be read, which the page of the review tells."""
    try:
        return parts.to_review.get()
    except TicketAttrError:
        return None


def _schedule_page(request: Request, caller: Caller, *, cron: str | None = None, wrong: str = "") -> Response:
    service = parts_of(request).service
    schedule = schedule_of(service)
    shown = schedule.cron if cron is None else cron
    zone = parts_of(request).settings.time_zone
    return _page(
        request,
        "schedule.html",
        caller,
        schedule=schedule,
        cron=shown,
        wrong=wrong,
        next=next_times(service),
        zone=zone,
    )


def _audited(request: Request, caller: Caller, action: str, detail: str, change: Callable[[], None]) -> None:
    """Make a change, and record who made it and how it ended."""
    service = parts_of(request).service
    outcome = "done"
    try:
        change()
    except TicketAttrError as error:
        outcome = f"refused: {error}"
        raise
    finally:
        service.state.add_audit(AuditEntry(service.clock(), caller.name, caller.origin, action, plain(detail), outcome))


def _list(request: Request, template: str, caller: Caller, rows: list[Any], page: int, **values: Any) -> Response:
    page = min(max(1, page), max(1, -(-len(rows) // PAGE)))
    shown = rows[(page - 1) * PAGE : page * PAGE]
    last = page * PAGE >= len(rows)
    return _page(request, template, caller, rows=shown, page=page, count=len(rows), last=last, status=_state, **values)


def _pair_shown(pair: tuple[str, str]) -> str:
    return _cleaned(shown_pair(pair), 300)


def _delivery_shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row with the name of its file alone, which fits a page, and its time as a time."""
    changed = datetime.strptime(row["changed"], "%Y-%m-%dT%H:%M:%S%z") if row["changed"] else None
    return {**row, "file": Path(row["file"]).name, "changed": changed}


def _cleaned(text: str, most: int = 1500) -> str:
    """Text of a ticket: nothing invisible in it, and cut if it is very long."""
    return truncate(sanitize(text), most)


def _state(status: ReportStatus) -> str:
    return status.state.replace("_", " ")


def _page(request: Request, template: str, caller: Caller | None, **values: Any) -> Response:
    parts = parts_of(request)

    def local(time: datetime | None) -> str:
        return f"{time.astimezone(parts.settings.time_zone):%Y-%m-%d %H:%M}" if time else ""

    shown = {
        "caller": caller,
        "root": _root(request),
        "local": local,
        "key": random_secret(),
        "between": _BETWEEN,
        "clean": _cleaned,
        **values,
    }
    return _TEMPLATES.TemplateResponse(request, template, shown)


def _root(request: Request) -> str:
    return parts_of(request).settings.root_path


def _redirect(request: Request, path: str) -> RedirectResponse:
    return RedirectResponse(_root(request) + path, status_code=303)
