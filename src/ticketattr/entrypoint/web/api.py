"""The API under /api/v1, for programs. Its OpenAPI document is at /api/v1/openapi.json."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Header, HTTPException, Path, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from ...application.report import report_name
from ...application.service.deliveries import PLACE, deliveries_page
from ...application.service.report_files import ReportGone, runs_in_store_alone, workbook_of_run
from ...application.service.runs import (
    change_schedule,
    found_run,
    log_of,
    next_times,
    request_run,
    schedule_of,
    times_of,
)
from ...application.service.undo import request_undo
from ...domain.access import Caller
from ...domain.report_status import ReportStatus
from ...domain.run_id import RUN_ID
from ...domain.service_run import ServiceRun, Undo
from ...domain.write_back import all_undoable
from ...errors import InputError, ServiceError
from ...infrastructure.reports.plain_sheet import write_sheet
from ..presentation.change_lists import change_row
from ..presentation.listing import DELIVERY_FIELDS, csv_file, delivery_rows, flat
from ..presentation.log_lines import plain
from .downloads import content_download, etag_of, headers_of, is_known, not_modified
from .parts import bearer, downloads_of, parts_of, shown_line

Reader = Annotated[Caller, Depends(bearer("read"))]
Operator = Annotated[Caller, Depends(bearer("operate"))]
Limit = Annotated[int, Query(ge=1, le=500, description="At most so many items.")]
RunNumber = Annotated[int, Path(ge=1, le=2**53, description="The number of the run in the service.")]
RunId = Annotated[str, Path(pattern=f"^{RUN_ID}$", description="The id of a run, as in the name of its report.")]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="The same key from the same token is the same request: it starts nothing a second time.",
    ),
]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    hint: str = ""


_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text, "content": {"application/problem+json": {}}}
    for status, text in {
        400: "The request is not one that this service takes.",
        401: "There is no valid token.",
        403: "The token may not do this.",
        404: "Nothing here has this address, number or id.",
        408: "The body did not arrive in time.",
        409: "Another process is at work.",
        413: "The body is too large.",
        422: "A value is not valid.",
        429: "Too many wrong tokens came from this address.",
        503: "Something outside failed or is busy.",
    }.items()
}

router = APIRouter(prefix="/api/v1", responses=_PROBLEMS)


class RunWanted(BaseModel):
    """What a new run shall do."""

    model_config = ConfigDict(extra="forbid", strict=True)

    dry_run: bool = Field(default=False, description="Send nothing, and keep the report in the work folder.")


class Undone(BaseModel):
    """Which changes are put back: all of a run, or the one with that number (0: all)."""

    run_id: str
    change: int


class Run(BaseModel):
    """A run that the service was asked for. Times are in UTC."""

    number: int
    state: Literal["queued", "running", "ended", "lost"]
    trigger: Literal["schedule", "api", "page", "chat"]
    requested_by: str
    requested: datetime
    dry_run: bool
    host: str = Field(description="The host that it is for, where several share the service; empty otherwise.")
    undo: Undone | None = Field(description="What it puts back in the helpdesk; null for a run of the pipeline.")
    started: datetime | None
    ended: datetime | None
    exit_code: int | None = Field(description="As of the command line: 0 done, 5 done in part.")
    state_text: str = Field(description="The state as pages and chat show it, such as `failed (exit code 4)`.")
    run_id: str
    stage: str
    done: int = Field(description="Tickets with an outcome.")
    total: int
    message: str
    hint: str
    figures: dict[str, int] = Field(description="Tickets by outcome.")


class Runs(BaseModel):
    """Runs, newest first. `next` continues after the last one."""

    items: list[Run]
    next: str | None


class Report(BaseModel):
    """A workbook, and whether it was sent."""

    run_id: str
    file: str
    sha256: str
    size: int
    modified: datetime
    state: str
    detail: str


class Reports(BaseModel):
    """Reports, newest first. `next` continues after the last one."""

    items: list[Report]
    next: str | None


class StoredReport(BaseModel):
    """A report in the store. It is downloaded like any other, by the id of its run."""

    run_id: str


class StoredReports(BaseModel):
    """Reports, newest first. `next` continues after the last one."""

    items: list[StoredReport]
    next: str | None


class Recipient(BaseModel):
    """Who a message is for, and the reply of the mail server about them."""

    address: str
    state: Literal["sending", "sent", "deferred", "refused", "in_doubt"]
    reply: str


class DeliveredReport(BaseModel):
    """A report of a message, or a report that is in none. Sizes are in bytes; times are in UTC, or empty."""

    file: str
    age: str
    state: Literal["pending", "sending", "sent", "failed", "in_doubt", "held", "edited", "damaged"]
    modified: str
    size: int
    sha256: str
    run_id: str
    transport: str
    message_id: str
    date: str
    sender: str
    recipients: list[Recipient]
    mail_size: int
    attempts: int
    changed: str
    changed_local: str
    last_error: str
    reply: str
    detail: str


class Deliveries(BaseModel):
    """Reports in no message, then every report of every message, newest first. `next` continues after the last one."""

    items: list[DeliveredReport]
    next: str | None


class Change(BaseModel):
    """What a run did to a ticket in the helpdesk, or tried to do. An empty text is an empty field."""

    number: int
    changed: datetime
    helpdesk: str
    run_id: str
    ticket_id: str
    mode: Literal["shadow", "suggest", "fill", "undo"]
    state: Literal["applying", "applied", "kept", "conflict", "refused", "in_doubt"]
    old_category: str
    old_type: str
    new_category: str
    new_type: str
    confidence: float | None
    source: str
    started: datetime
    undoes: int = Field(description="The number of the change that this one puts back, or 0.")
    detail: str
    can_be_undone: bool


class Changes(BaseModel):
    """Changes in the helpdesk, newest first. `next` continues after the last one."""

    items: list[Change]
    next: str | None


class UndoWanted(BaseModel):
    """Which changes are put back: all of a run, or the one with that number (0: all)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    run_id: str = Field(pattern=f"^{RUN_ID}$", description="The run that set the values.")
    change: int = Field(default=0, ge=0, le=2**53, description="The number of one change; 0: all of the run.")


class Schedule(BaseModel):
    """When runs start by themselves. `cron` is empty if they do not."""

    cron: str
    time_zone: str
    changed: datetime
    changed_by: str
    next: list[datetime]


class ScheduleTimes(BaseModel):
    """When a cron expression would start runs: the next five times, in UTC."""

    cron: str
    time_zone: str
    next: list[datetime]


class ScheduleWanted(BaseModel):
    """A new schedule: five fields, as in `30 6 * * 1-5`, in the time zone of the service; empty for none."""

    model_config = ConfigDict(extra="forbid", strict=True)

    cron: str = Field(max_length=200, description="Five fields, as in `30 6 * * 1-5`; empty: no runs by schedule.")


class Logs(BaseModel):
    """The last lines that a run printed, oldest first."""

    run: int | None
    lines: list[str]


@router.post("/runs", status_code=202, tags=["runs"])
def start_run(
    request: Request, response: Response, caller: Operator, wanted: RunWanted | None = None, key: Key = ""
) -> Run:
    """Ask for a run. While one waits already, that one is the answer."""
    dry_run = bool(wanted and wanted.dry_run)
    run, _ = request_run(parts_of(request).service, caller, "api", dry_run=dry_run, key=key)
    response.headers["Location"] = _place(request, run)
    return run_shown(run)


@router.get("/runs", tags=["runs"])
def list_runs(
    request: Request,
    caller: Reader,
    limit: Limit = 100,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="The number of the last run.")] = None,
) -> Runs:
    """The runs of the service, newest first."""
    runs = parts_of(request).service.state.runs(before=before, limit=limit)
    more = len(runs) == limit and runs[-1].number > 1
    return Runs(
        items=[run_shown(run) for run in runs], next=f"?before={runs[-1].number}&limit={limit}" if more else None
    )


@router.get("/runs/{number}", tags=["runs"])
def show_run(request: Request, caller: Reader, number: RunNumber) -> Run:
    """One run, with its progress."""
    service = parts_of(request).service
    if service.state.run(number) is None:
        raise HTTPException(404, f"the service does not know the run {number}")
    return run_shown(found_run(service, number))


@router.get("/reports", tags=["reports"], response_model=Reports)
async def list_reports(
    request: Request,
    caller: Reader,
    limit: Limit = 100,
    after: Annotated[str, Query(pattern="^[0-9a-f]{64}$|^$", description="The SHA-256 of the last report.")] = "",
) -> Response:
    """The reports in the folder, newest first."""
    parts = parts_of(request)
    reports = parts.reports.recent
    if reports is None:
        reports = await run_sync(parts.reports.get)
    content = parts.report_pages.get(reports, (after, limit), lambda: _page_of(reports, after, limit))
    return Response(content, media_type="application/json")


def _page_of(reports: list[ReportStatus], after: str, limit: int) -> bytes:
    """A page of the list as JSON. Raises HTTPException 404 if there is no report `after`."""
    start = next((place for place, status in enumerate(reports, 1) if status.report.sha256 == after), 0) if after else 0
    if after and not start:
        raise HTTPException(404, "the report after which the list continues is gone: read the list from its start")
    page = reports[start : start + limit]
    more = start + limit < len(reports)
    shown = Reports(
        items=[report_shown(status) for status in page],
        next=f"?after={page[-1].report.sha256}&limit={limit}" if more else None,
    )
    return shown.model_dump_json().encode()


@router.head("/reports/{run_id}/workbook", include_in_schema=False)
@router.get(
    "/reports/{run_id}/workbook",
    tags=["reports"],
    response_class=FileResponse,
    responses={
        200: {"content": {XLSX: {}}},
        206: {"content": {XLSX: {}}},
        304: {"description": "The ETag is the same."},
        410: {"model": Problem, "description": "Retention deleted it."},
        416: {"description": "The range is outside of the file."},
    },
)
def download_workbook(request: Request, caller: Reader, run_id: RunId) -> Response:
    """The workbook of a run, as it is in the folder. Its ETag is its SHA-256."""
    return workbook(request, run_id)


@router.get("/stored-reports", tags=["reports"])
def list_stored_reports(
    request: Request,
    caller: Reader,
    limit: Limit = 100,
    after: Annotated[str, Query(pattern=f"^{RUN_ID}$|^$", description="The id of the last run.")] = "",
) -> StoredReports:
    """The runs whose reports are in the store and no longer in the folder, newest first."""
    parts = parts_of(request)
    if parts.stored.problem and not parts.stored.runs:
        raise ServiceError(parts.stored.problem)
    runs = [run for run in runs_in_store_alone(parts.reports.get(), parts.stored.runs) if not after or run < after]
    more = f"?after={runs[limit - 1]}&limit={limit}" if len(runs) > limit else None
    return StoredReports(items=[StoredReport(run_id=run) for run in runs[:limit]], next=more)


@router.head("/deliveries", response_model=None, include_in_schema=False)
@router.get(
    "/deliveries",
    tags=["reports"],
    response_model=None,
    responses={
        200: {"model": Deliveries, "content": {"text/csv": {}, XLSX: {}}},
        206: {"content": {"text/csv": {}, XLSX: {}}},
        304: {"description": "The ETag is the same."},
        416: {"description": "The range is outside of the file."},
    },
)
def list_deliveries(
    request: Request,
    caller: Reader,
    format: Annotated[Literal["json", "csv", "xlsx"], Query(description="json, csv or xlsx.")] = "json",
    limit: Limit = 100,
    after: Annotated[str, Query(pattern=f"^({PLACE})?$", description="Where the page before ended.")] = "",
) -> Response | Deliveries:
    """Every report of every message: as JSON page by page, newest first; as a file whole, oldest first."""
    parts = parts_of(request)
    if format == "json":
        page = deliveries_page(parts.tracker, parts.reports.get(), after, limit)
        items = [DeliveredReport(**row) for row in delivery_rows(page.statuses, parts.service.clock())]
        return Deliveries(items=items, next=f"?after={page.next}&limit={limit}" if page.next else None)
    return deliveries_file(request, format)


@router.get("/changes", tags=["changes"])
def list_changes(
    request: Request,
    caller: Reader,
    limit: Limit = 100,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="The number of the last change.")] = None,
    run: Annotated[str, Query(pattern=f"^{RUN_ID}$|^$", description="Only the changes of this run.")] = "",
) -> Changes:
    """What was written into the helpdesk, suggested there, or put back, newest first."""
    ledger = parts_of(request).changes.get()
    found = [one for one in reversed(ledger) if run in ("", one.run_id) and (before is None or one.number < before)]
    possible = {one.number for one in all_undoable(ledger)}
    items = [Change(**change_row(one), can_be_undone=one.number in possible) for one in found[:limit]]
    more = f"?before={items[-1].number}&limit={limit}{f'&run={run}' if run else ''}" if len(found) > limit else None
    return Changes(items=items, next=more)


@router.post("/changes/undo", status_code=202, tags=["changes"])
def undo_changes(request: Request, response: Response, caller: Operator, wanted: UndoWanted, key: Key = "") -> Run:
    """Ask to put back what a run set in the helpdesk, where nobody changed it since. It is queued like a run."""
    parts, undo = parts_of(request), Undo(wanted.run_id, wanted.change)
    run, _ = request_undo(parts.service, parts.changes.get(), caller, "api", undo, key=key)
    response.headers["Location"] = _place(request, run)
    return run_shown(run)


@router.get("/schedule", tags=["schedule"])
def show_schedule(request: Request, caller: Reader) -> Schedule:
    """The schedule, and the next five times, in UTC."""
    return _schedule(request)


@router.put("/schedule", tags=["schedule"])
def set_schedule(request: Request, caller: Operator, wanted: ScheduleWanted) -> Schedule:
    """Change the schedule. An expression that is not valid, or never comes true, is refused with 422."""
    change_schedule(parts_of(request).service, caller, wanted.cron)
    return _schedule(request)


@router.get("/schedule/times", tags=["schedule"])
def show_times(
    request: Request,
    caller: Reader,
    cron: Annotated[str, Query(max_length=200, description="Five fields, as in `30 6 * * 1-5`.")],
) -> ScheduleTimes:
    """The next five times of any cron expression. It changes nothing, and refuses with 422 what `PUT` would refuse.

    For schedulers that take an impossible expression and then never start anything.
    """
    parts = parts_of(request)
    return ScheduleTimes(
        cron=" ".join(cron.split()), time_zone=str(parts.settings.time_zone), next=times_of(parts.service, cron)
    )


@router.get("/logs", tags=["runs"])
def show_logs(
    request: Request,
    caller: Reader,
    lines: Annotated[int, Query(ge=1, le=2000, description="At most so many lines.")] = 100,
    run: Annotated[int | None, Query(ge=1, le=2**53, description="The number of a run in the service.")] = None,
) -> Logs:
    """The last lines that a run printed; of the latest run, unless `run` names another."""
    service = parts_of(request).service
    found = service.state.run(run) if run else next(iter(service.state.runs(limit=1)), None)
    if found is None and run:
        raise HTTPException(404, f"the service does not know the run {run}")
    return Logs(
        run=found.number if found else None,
        lines=[shown_line(line) for line in log_of(service, found, lines)] if found else [],
    )


def run_shown(run: ServiceRun) -> Run:
    """A run as the API shows it."""
    names = set(Run.model_fields) - {"figures", "undo"}
    undo = Undone(run_id=plain(run.undo.run_id), change=run.undo.change) if run.undo else None
    return Run(**{name: getattr(run, name) for name in names}, figures=dict(run.figures), undo=undo)


def _place(request: Request, run: ServiceRun) -> str:
    return f"{request.scope.get('root_path', '')}/api/v1/runs/{run.number}"


def report_shown(status: ReportStatus) -> Report:
    """A report as the API shows it."""
    report = status.report
    return Report(
        run_id=plain(report.run_id),
        file=plain(report.path.name),
        sha256=report.sha256,
        size=report.size,
        modified=report.modified,
        state=status.state,
        detail=plain(status.detail),
    )


def workbook(request: Request, run_id: str) -> Response:
    """The workbook of a run, whole or in part, from the folder, or else from the store.

    Raises HTTPException 404 or 410.
    """
    parts = parts_of(request)
    try:
        found = workbook_of_run(parts.reports.get(), run_id, parts.store)
        if not isinstance(found, bytes):
            # The list may be a second old, and the file written since.
            found = parts.tracker.folder.inspect(found.path)
    except InputError as error:
        raise HTTPException(410 if isinstance(error, ReportGone) else 404, str(error)) from error
    if isinstance(found, bytes):
        return content_download(request, downloads_of(parts), found, XLSX, report_name(run_id))
    etag = etag_of(found.sha256)
    if is_known(request, etag):
        return not_modified(etag)
    return FileResponse(found.path, media_type=XLSX, filename=found.path.name, headers=headers_of(etag))


def deliveries_file(request: Request, format: str) -> Response:
    """All deliveries as a CSV or XLSX file. No cell of it is a formula."""
    parts, fields = parts_of(request), DELIVERY_FIELDS
    rows = [flat(row) for row in delivery_rows(parts.tracker.report_history(), parts.service.clock())]
    if format == "xlsx":
        kind, content = XLSX, write_sheet("Deliveries", fields, ([row[field] for field in fields] for row in rows))
    else:
        kind, content = "text/csv; charset=utf-8", csv_file(rows, fields).encode()
    return content_download(request, downloads_of(parts), content, kind, f"ticketattr-deliveries.{format}")


def _schedule(request: Request) -> Schedule:
    parts = parts_of(request)
    schedule = schedule_of(parts.service)
    return Schedule(
        cron=schedule.cron,
        time_zone=str(parts.settings.time_zone),
        changed=schedule.changed,
        changed_by=schedule.changed_by,
        next=next_times(parts.service),
    )
