"""When a ticket is due by its SLA, by how much it is overdue, and how urgent that makes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from .catalog import SLA, RequestType, ServiceCatalog
from .service_hours import ServiceHours, after_business_days, after_open_time, open_time

Urgency = Literal["overdue", "due within a day", "needs review", "failed", ""]
"""Why somebody has to act now, the most urgent first; empty where nobody has to."""

URGENCIES: tuple[Urgency, ...] = ("overdue", "due within a day", "needs review", "failed", "")

_MOST_MINUTES = 100 * 366 * 24 * 60
_MINUTES = {"minutes": 1, "hours": 60, "days": 24 * 60, "weeks": 7 * 24 * 60}


def due_at(created: datetime, sla: SLA, hours: ServiceHours | None) -> datetime | None:
    """The instant, in UTC, until which `sla` promises an answer; without service hours, its clock never stops.

    With service hours, minutes and hours are open time, days are business days, and weeks are as many business days
    as a week has. An SLA of 0 is due at once, also while the desk is closed. None when that is
    more than 100 years away.
    """
    if hours and sla.unit in ("days", "weeks"):
        days_a_unit = hours.days_a_week if sla.unit == "weeks" else 1
        return after_business_days(hours, created, _exact(sla) * days_a_unit)
    span = _span(sla)
    if span is None:
        return None
    return after_open_time(hours, created, span) if hours else created.astimezone(timezone.utc) + span


@dataclass(frozen=True, slots=True)
class DueTimes:
    """`overdue_by` is None for a ticket that is not overdue; `is_soon`: it is due within a day of its clock."""

    due: datetime
    response_due: datetime | None
    overdue_by: timedelta | None
    is_soon: bool


def due_times(created: datetime, entry: RequestType, catalog: ServiceCatalog, now: datetime) -> DueTimes | None:
    """When a ticket of that request type is due, as seen `now`; None when that is more than 100 years away."""
    hours = catalog.hours_of(entry)
    due = due_at(created, entry.sla, hours)
    if due is None:
        return None
    is_overdue = due < now
    tomorrow = _a_day_after(now, hours)
    return DueTimes(
        due=due,
        response_due=due_at(created, entry.response, hours) if entry.response else None,
        overdue_by=overdue_by(due, now, hours) if is_overdue else None,
        is_soon=not is_overdue and tomorrow is not None and due <= tomorrow,
    )


# A report asks this of each ticket, of few service hours.
@lru_cache(maxsize=64)
def _a_day_after(now: datetime, hours: ServiceHours | None) -> datetime | None:
    return due_at(now, SLA(1, "days"), hours)


def overdue_by(due: datetime, now: datetime, hours: ServiceHours | None) -> timedelta:
    """The time of the SLA's clock that has passed since `due`; nothing before that."""
    if hours is not None:
        return open_time(hours, due, now)
    return max(now - due, timedelta(0))


# A report asks for a few SLAs, for each of its tickets.
@lru_cache(maxsize=1024)
def _span(sla: SLA) -> timedelta | None:
    """The duration of an SLA; None for one of more than 100 years, or of less than nothing."""
    minutes = _exact(sla) * _MINUTES[sla.unit]
    return timedelta(microseconds=round(minutes * 60_000_000)) if 0 <= minutes <= _MOST_MINUTES else None


@lru_cache(maxsize=1024)
def _exact(sla: SLA) -> Fraction:
    return Fraction(str(sla.value))
