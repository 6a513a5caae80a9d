"""Stage files: what one stage leaves for the next, as JSON with a header.

    {"kind": "tickets", "schema_version": 1, "run_id": "…", "generated_at": "…Z", "generator": "…", "data": …}

    catalog       data: {"entries": [{category, name, sla: {value, unit}, description, keywords, examples}]}
    tickets       data: [{id, short_description, …, extra}]
    attributions  bill: {usage: {calls, retries, tokens_in, …}, cost, seconds}
                  data: [{ticket: …, attribution: {request_category, request_type, sla, source, confidence,
                  evidence, alternatives}}], or with `unattributed: {reason, detail}` in its place
    corrections   data: [{run_id, place, ticket_id, …, reviewer, imported_by, at}], all of the run

New fields with a default keep `schema_version`; any other change raises it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from .. import __version__
from ..application.ports import Run
from ..domain.catalog import SLA, RequestType, ServiceCatalog
from ..domain.correction import Correction
from ..domain.ticket import AttributedTicket, Attribution, Source, Ticket, Unattributed
from ..domain.usage import Bill
from ..errors import ArtifactError, CatalogError, InputError
from .files import output, read_bounded, remove_folder, shown_path
from .json_text import MAX_DEPTH, dump_json, parse_json

SCHEMA_VERSION = 1
MAX_BYTES = 1024 * 1024 * 1024

Kind = Literal["catalog", "tickets", "attributions", "corrections"]
_MADE_BY: dict[Kind, str] = {
    "catalog": "fetch",
    "tickets": "fetch",
    "attributions": "classify",
    "corrections": "corrections import",
}
# What the helpdesk nests lies some levels further down in a stage file.
_DEPTH_ADDED = 10
_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StageFile(Generic[T]):
    run_id: str
    generated_at: datetime
    data: T


@dataclass(frozen=True, slots=True)
class AttributionsFile(StageFile[list[AttributedTicket]]):
    """`bill`: what they took, as far as the file says."""

    bill: Bill | None


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """`root/<run id>/<kind>.json`, a folder for each run."""

    root: Path

    def path(self, run_id: str, kind: Kind) -> Path:
        return self.root / run_id / f"{kind}.json"

    def newest(self, kind: Kind) -> Path:
        """The file of the newest run. Raises ArtifactError: an older run is never taken for it."""
        runs = self.runs()
        if not runs:
            raise ArtifactError(f"there is no run in {self.root}", hint="Run `ticketattr fetch` first.")
        return self.path(runs[-1], kind)

    def runs(self) -> list[str]:
        try:
            return sorted(path.name for path in self.root.iterdir() if _RUN_ID.fullmatch(path.name))
        except OSError:
            return []

    def remove(self, run_id: str) -> None:
        remove_folder(self.root / run_id)

    def save_catalog(self, catalog: ServiceCatalog, run: Run) -> None:
        write_catalog(self.path(run.id, "catalog"), catalog, run)

    def save_tickets(self, tickets: Sequence[Ticket], run: Run) -> None:
        write_tickets(self.path(run.id, "tickets"), tickets, run)

    def save_attributions(self, tickets: Sequence[AttributedTicket], run: Run, bill: Bill) -> datetime:
        return write_attributions(self.path(run.id, "attributions"), tickets, run, bill)

    def attributed(self, run_id: str) -> list[AttributedTicket]:
        return read_attributions(self.path(run_id, "attributions")).data


def write_catalog(path: Path, catalog: ServiceCatalog, run: Run) -> None:
    _write(path, "catalog", run, {"entries": _ENTRIES.dump_python(catalog.entries, mode="json")})


def read_catalog(path: Path) -> StageFile[ServiceCatalog]:
    """Raises ArtifactError, also when its entries cannot be told apart."""
    file = _read(path, "catalog")
    entries = _checked(_CATALOG, file.data, path).entries
    try:
        return StageFile(file.run_id, file.generated_at, ServiceCatalog(entries))
    except CatalogError as error:
        raise ArtifactError(f"{shown_path(path)}: {error}", hint=_remedy("catalog")) from error


def write_tickets(path: Path, tickets: Sequence[Ticket], run: Run) -> None:
    _write(path, "tickets", run, _TICKETS.dump_python(list(tickets), mode="json"))


def read_tickets(path: Path) -> StageFile[list[Ticket]]:
    """Raises ArtifactError."""
    file = _read(path, "tickets")
    return StageFile(file.run_id, file.generated_at, _checked(_TICKETS, file.data, path))


@dataclass(frozen=True, slots=True)
class FetchedRun:
    run_id: str
    catalog: ServiceCatalog
    tickets: list[Ticket]


def read_fetched(tickets_path: Path, catalog_path: Path | None, work: WorkFolder) -> FetchedRun:
    """The two files of a fetch; without `catalog_path`, the catalog of the tickets' own run.

    Raises ArtifactError, also when the two are of different runs.
    """
    tickets = read_tickets(tickets_path)
    catalog = read_catalog(catalog_path or work.path(tickets.run_id, "catalog"))
    if catalog.run_id != tickets.run_id:
        raise ArtifactError(
            f"the tickets are of run {tickets.run_id}, the catalog is of run {catalog.run_id}",
            hint="Give the two files of one `ticketattr fetch`.",
        )
    return FetchedRun(tickets.run_id, catalog.data, tickets.data)


def write_attributions(path: Path, tickets: Sequence[AttributedTicket], run: Run, bill: Bill) -> datetime:
    """What they took goes into the header. Returns the time that the file states."""
    records = [_record(ticket) for ticket in tickets]
    data = _RECORDS.dump_python(records, mode="json", exclude_none=True)
    return _write(path, "attributions", run, data, bill=_BILL.dump_python(bill, mode="json"))


def read_attributions(path: Path) -> AttributionsFile:
    """Raises ArtifactError."""
    header = _read_header(path, "attributions")
    file = _stage_file(header, path, "attributions")
    records = _checked(_RECORDS, file.data, path)
    bill = _checked(_BILL, header["bill"], path) if "bill" in header else None
    return AttributionsFile(file.run_id, file.generated_at, [_attributed(record, path) for record in records], bill)


def read_catalog_of(run_id: str, catalog_path: Path | None, work: WorkFolder) -> ServiceCatalog | None:
    """The catalog of a run: at `catalog_path`, or in the folder of the run; None when it is not there.

    Raises ArtifactError, also when it is of another run.
    """
    path = catalog_path or work.path(run_id, "catalog")
    if not catalog_path and not path.exists():
        return None
    catalog = read_catalog(path)
    _check_run(run_id, "attributions", catalog.run_id, "catalog")
    return catalog.data


def _check_run(run_id: str, what: str, other_run_id: str, other: str) -> None:
    if run_id != other_run_id:
        raise ArtifactError(
            f"the {what} are of run {run_id}, the {other} is of run {other_run_id}", hint="Give files of one run."
        )


@dataclass(frozen=True, slots=True)
class ReportedRun:
    catalog: ServiceCatalog
    tickets: list[AttributedTicket]


def read_reported(
    run_id: str, attributions_path: Path | None, catalog_path: Path | None, work: WorkFolder
) -> ReportedRun:
    """What a report was made from: without paths, from the folder of its run.

    Raises ArtifactError, also when a file is of another run.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise ArtifactError("the workbook names no run", hint="Give a workbook that `ticketattr report` made.")
    tickets = read_attributions(attributions_path or work.path(run_id, "attributions"))
    catalog = read_catalog(catalog_path or work.path(run_id, "catalog"))
    for kind, file in (("attributions", tickets), ("catalog", catalog)):
        if file.run_id != run_id:
            raise ArtifactError(
                f"the workbook is of run {run_id}, the {kind} are of run {file.run_id}",
                hint="Give the files of the run that the workbook came from.",
            )
    return ReportedRun(catalog.data, tickets.data)


def write_corrections(path: Path, corrections: Sequence[Correction], run: Run) -> None:
    _write(path, "corrections", run, _CORRECTIONS.dump_python(list(corrections), mode="json"))


@dataclass(frozen=True, slots=True)
class _Catalog:
    entries: tuple[RequestType, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    request_category: str
    request_type: str
    sla: SLA


@dataclass(frozen=True, slots=True)
class _Attribution(_Pair):
    source: Source
    confidence: float | None = None
    evidence: str = ""
    alternatives: tuple[_Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class _Record:
    ticket: Ticket
    attribution: _Attribution | None = None
    unattributed: Unattributed | None = None


_ENTRIES = TypeAdapter(tuple[RequestType, ...])
_CATALOG = TypeAdapter(_Catalog)
_TICKETS = TypeAdapter(list[Ticket])
_RECORDS = TypeAdapter(list[_Record])
_BILL = TypeAdapter(Bill)
_CORRECTIONS = TypeAdapter(list[Correction])


def _record(attributed: AttributedTicket) -> _Record:
    match attributed.outcome:
        case Unattributed() as unattributed:
            return _Record(attributed.ticket, unattributed=unattributed)
        case Attribution(entry, source, confidence, evidence, alternatives):
            others = tuple(_Pair(other.category, other.name, other.sla) for other in alternatives)
            attribution = _Attribution(entry.category, entry.name, entry.sla, source, confidence, evidence, others)
            return _Record(attributed.ticket, attribution)


def _attributed(record: _Record, path: Path) -> AttributedTicket:
    if attribution := record.attribution:
        outcome: Attribution | Unattributed = Attribution(
            _entry(attribution),
            attribution.source,
            attribution.confidence,
            attribution.evidence,
            tuple(map(_entry, attribution.alternatives)),
        )
    elif record.unattributed:
        outcome = record.unattributed
    else:
        raise ArtifactError(f"{shown_path(path)}: a ticket has neither an attribution nor a reason for having none")
    return AttributedTicket(record.ticket, outcome)


def _entry(pair: _Pair) -> RequestType:
    return RequestType(pair.request_category, pair.request_type, pair.sla)


def _write(path: Path, kind: Kind, run: Run, data: Any, **more: Any) -> datetime:
    generated_at = run.clock().replace(microsecond=0)
    content = dump_json(
        {
            "kind": kind,
            "schema_version": SCHEMA_VERSION,
            "run_id": run.id,
            "generated_at": f"{generated_at:%Y-%m-%dT%H:%M:%SZ}",
            "generator": f"ticketattr {__version__}",
            **more,
            "data": data,
        }
    )
    with output(path) as file:
        file.write(content)
    return generated_at


def _read(path: Path, kind: Kind) -> StageFile[Any]:
    return _stage_file(_read_header(path, kind), path, kind)


def _read_header(path: Path, kind: Kind) -> dict[str, Any]:
    """The file, its header judged before its data."""
    what = shown_path(path)
    try:
        header = parse_json(read_bounded(path, MAX_BYTES), what, MAX_DEPTH + _DEPTH_ADDED)
    except InputError as error:
        raise ArtifactError(str(error), hint=_remedy(kind)) from error
    if not isinstance(header, dict) or header.get("kind") != kind:
        raise ArtifactError(f"{what} is no stage file of kind '{kind}'", hint=_remedy(kind))
    if (version := header.get("schema_version")) != SCHEMA_VERSION:
        raise ArtifactError(
            f"{what} has schema version {version}, this ticketattr reads {SCHEMA_VERSION}", hint=_remedy(kind)
        )
    return header


def _stage_file(header: dict[str, Any], path: Path, kind: Kind) -> StageFile[Any]:
    what = shown_path(path)
    run_id = header.get("run_id")
    # The id becomes part of paths.
    if not isinstance(run_id, str) or not _RUN_ID.fullmatch(run_id) or "data" not in header:
        raise ArtifactError(f"{what} has no valid header", hint=_remedy(kind))
    return StageFile(run_id, _time(header.get("generated_at"), what, kind), header["data"])


def _time(text: Any, what: str, kind: Kind) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    except (TypeError, ValueError):
        raise ArtifactError(f"{what} does not say when it was made", hint=_remedy(kind)) from None


def _checked(adapter: TypeAdapter[T], data: Any, path: Path) -> T:
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, ("data", *first["loc"])))
        raise ArtifactError(f"{shown_path(path)}: {place}: {first['msg']}", hint="Make it anew.") from error


def _remedy(kind: Kind) -> str:
    return f"Run `ticketattr {_MADE_BY[kind]}` first."
