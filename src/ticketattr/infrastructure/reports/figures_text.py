"""The figures of a report as lines of JSON in a sheet of the workbook, and back.

They travel inside the workbook because its SHA-256 identifies it: a message that is composed again, by any host and at
any time, shows the same figures. A workbook may come from anybody, so what is not as expected counts as no figures.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, cast

from ...domain.due import URGENCIES, Urgency
from ...domain.figures import MAX_TEXT, MAX_URL, MOST_URGENT, FailedTickets, ReportFigures, UrgentTicket
from ...domain.sanitizing import truncate
from .cell_text import decode_escapes
from .run_id_reader import first_cells
from .workbook_archive import DAMAGE

FIGURES_SHEET = "Figures"

_COUNTS = ("tickets", "attributed", "overdue", "due_soon", "review", "failed", "urgent_count")
_CHANGES = ("new", "changed", "gone", "newly_overdue")
_TEXTS = ("id", "url", "request_category", "request_type", "short_description")
_MOST, _MOST_FAILURES = 10**9, 20


def figures_as_lines(figures: ReportFigures) -> list[str]:
    """The counts in the first line, then a line for each of the most urgent tickets. Each fits into a cell."""
    head = asdict(replace(figures, urgent=()))
    return [_line(head), *(_line(asdict(ticket)) for ticket in figures.urgent)]


def read_figures(content: bytes) -> ReportFigures | None:
    """The figures that a workbook states, which was inspected before; None if it states none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as workbook:
            lines = first_cells(workbook, FIGURES_SHEET, 1 + MOST_URGENT)
        head, *urgent = (json.loads(decode_escapes(line)) for line in lines)
        return _figures(head, urgent)
    except (*DAMAGE, TypeError, KeyError, AttributeError):
        return None


def _line(values: Mapping[str, Any]) -> str:
    """ASCII without anything that a cell spells in another way."""
    return json.dumps(values, default=datetime.isoformat).replace("_x", "_\\u0078")


def _figures(head: Mapping[str, Any], urgent: Sequence[Mapping[str, Any]]) -> ReportFigures:
    changes = {name: None if head[name] is None else _whole(head[name]) for name in _CHANGES}
    counts: dict[str, Any] = {**{name: _whole(head[name]) for name in _COUNTS}, **changes}
    return ReportFigures(
        generated_at=_time(head["generated_at"]),
        time_zone=_text(head["time_zone"]),
        **counts,
        urgent=tuple(map(_urgent, urgent)),
        failures=tuple(map(_failed, head["failures"][:_MOST_FAILURES])),
    )


def _urgent(values: Mapping[str, Any]) -> UrgentTicket:
    if values["urgency"] not in URGENCIES:
        raise ValueError(values["urgency"])
    url = _text(values["url"], MAX_URL)
    texts = {name: _text(values[name]) for name in _TEXTS}
    return UrgentTicket(
        **{**texts, "url": url if url.lower().startswith(("http://", "https://")) else ""},
        urgency=cast(Urgency, values["urgency"]),
        overdue_by=None if values["overdue_by"] is None else min(float(values["overdue_by"]), _MOST),
        is_open_time=values["is_open_time"] is True,
        due=None if values["due"] is None else _time(values["due"]),
    )


def _failed(values: Mapping[str, Any]) -> FailedTickets:
    ids = tuple(map(_text, values["ids"][:MOST_URGENT]))
    return FailedTickets(_text(values["reason"]), _whole(values["count"]), ids)


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MOST:
        raise ValueError(value)
    return value


def _text(value: object, longest: int = MAX_TEXT) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return truncate(value, longest)


def _time(value: str) -> datetime:
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError(value)
    return time
