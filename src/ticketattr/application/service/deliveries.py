"""The list of deliveries, page by page: of a log of many years, a page reads no more than what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.report_status import ReportStatus
from ..report_tracker import ReportTracker

PLACE = r"[fm][0-9]{1,15}"
"""What `next` of a page is like: so many reports of the folder were shown, or the messages down to that number."""


@dataclass(frozen=True, slots=True)
class DeliveriesPage:
    """A part of the list. The next page begins at `next` (empty: this is the last one)."""

    statuses: tuple[ReportStatus, ...]
    next: str


def deliveries_page(tracker: ReportTracker, reports: Sequence[ReportStatus], place: str, limit: int) -> DeliveriesPage:
    """First the reports that are in no message, then every report of every message by any transport, newest first.

    `reports` are those of the folder, newest first. `place` is `next` of the page before; empty for the first one. At
    most `limit` reports of the folder and messages are on a page. Raises the errors of the report log.
    """
    shown = int(place[1:] or 0)
    before = shown if place.startswith("m") else None
    apart = [] if before is not None else [status for status in reports if not status.delivery]
    part = apart[shown : shown + limit]
    if shown + limit < len(apart):
        return DeliveriesPage(tuple(part), f"f{shown + limit}")
    wanted = limit - len(part)
    # One more than is shown, to know whether there is another page.
    messages = tracker.recent_history(before, wanted + 1)
    numbers = list(messages)[:wanted]
    sent = [status for number in numbers for status in messages[number]]
    if len(messages) <= wanted:
        return DeliveriesPage((*part, *sent), "")
    return DeliveriesPage((*part, *sent), f"m{numbers[-1]}" if numbers else f"f{shown + limit}")
