"""Service hours as YAML.

    service_hours: calendar

    service_hours:
      clock: business
      time_zone: Europe/Berlin
      hours:
        monday-thursday: [08:00-12:00, 13:00-17:00]
        friday: 08:00-12:00
      holidays: DE-BE
      closed: [2026-12-31, 12-24]

`calendar` is a clock that never stops. Holidays are those of a region, or of several; a closing day without a year
is one of each year.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches

from ruamel.yaml.nodes import Node, SequenceNode

from ...domain.service_hours import MINUTES_A_DAY, WEEKDAYS, ServiceHours, Span, wrong_spans
from ...domain.time_zones import time_zone
from ...errors import CatalogError
from ..yaml_nodes import WrongYAML, line_of
from .yaml_fields import field_of, fields_of, is_text, items_of, text_of

HolidayDates = Callable[[str], frozenset[date]]

_CLOCKS = ("calendar", "business")
_FIELDS = ("clock", "time_zone", "hours", "holidays", "closed")
_MAX_SPANS = 48
_SPAN = re.compile(r"(\d{1,2})(?::([0-5]\d))? ?[-\u2013] ?(\d{1,2})(?::([0-5]\d))?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEARLY = re.compile(r"(\d{2})-(\d{2})")
_LEAP_YEAR = 2024


def parse_service_hours(node: Node, holiday_dates: HolidayDates) -> ServiceHours | None:
    """The service hours in `node`; None for a clock that never stops. Raises WrongYAML, with the line."""
    if is_text(node):
        if text_of(node) != "calendar":
            raise WrongYAML(f"service hours are 'calendar', or fields: {', '.join(_FIELDS)}", line_of(node))
        return None
    fields = fields_of(node)
    _refuse_unknown(fields, _FIELDS, "a field of service hours")
    clock = text_of(fields["clock"]) if "clock" in fields else "business"
    if clock not in _CLOCKS:
        raise WrongYAML(f"the clock '{clock}' is none of {', '.join(_CLOCKS)}", line_of(fields["clock"]))
    if clock == "calendar":
        if more := next((name for name in fields if name != "clock"), ""):
            raise WrongYAML(f"the calendar's clock never stops: '{more}' means nothing to it", line_of(fields[more]))
        return None
    return _business(fields, node, holiday_dates)


def _business(fields: Mapping[str, Node], node: Node, holiday_dates: HolidayDates) -> ServiceHours:
    zone = _time_zone(field_of(fields, "time_zone", node))
    week = _week(field_of(fields, "hours", node))
    dates, yearly = _closed(fields.get("closed"))
    regions = {text_of(item).strip(): item for item in _list(fields.get("holidays"))}
    for region, item in regions.items():
        dates |= _holidays(region, item, holiday_dates)
    return ServiceHours(zone, week, dates, yearly, tuple(regions))


def _holidays(region: str, node: Node, holiday_dates: HolidayDates) -> frozenset[date]:
    try:
        return holiday_dates(region)
    except CatalogError as error:
        raise WrongYAML(str(error), line_of(node)) from None


def _time_zone(node: Node) -> str:
    name = text_of(node).strip()
    try:
        time_zone(name)
    except ValueError as error:
        raise WrongYAML(str(error), line_of(node)) from None
    return name


def _week(node: Node) -> tuple[tuple[Span, ...], ...]:
    week: dict[int, tuple[Span, ...]] = {}
    for name, spans in fields_of(node).items():
        for day in _days(name, spans):
            if day in week:
                raise WrongYAML(f"{WEEKDAYS[day]} has hours twice", line_of(spans))
            week[day] = _spans(spans)
    if not any(week.values()):
        raise WrongYAML("the service hours have no open hour", line_of(node))
    return tuple(week.get(day, ()) for day in range(len(WEEKDAYS)))


def _days(name: str, node: Node) -> Iterator[int]:
    """The weekdays of `friday`, `fri` or `sunday-thursday`, Monday being 0."""
    first, dash, last = (part.strip() for part in name.lower().partition("-"))
    ends = [_weekday(part, name, node) for part in ((first, last) if dash else (first, first))]
    day = ends[0]
    yield day
    while day != ends[1]:
        day = (day + 1) % len(WEEKDAYS)
        yield day


def _weekday(text: str, name: str, node: Node) -> int:
    for place, weekday in enumerate(WEEKDAYS):
        if text in (weekday, weekday[:3]):
            return place
    close = get_close_matches(text[:64], WEEKDAYS, n=1)
    raise WrongYAML(
        f"'{name}' is not a weekday, like 'monday', 'mon' or 'monday-friday'"
        + (f"; did you mean '{close[0]}'?" if close else ""),
        line_of(node),
    )


def _spans(node: Node) -> tuple[Span, ...]:
    texts = [(part.strip(), item) for item in _list(node) for part in text_of(item).split(",")]
    if len(texts) == 1 and texts[0][0] in ("", "closed"):
        return ()
    if len(texts) > _MAX_SPANS:
        raise WrongYAML(f"more than {_MAX_SPANS} spans on one day", line_of(node))
    spans = tuple(_span(text, item) for text, item in texts)
    if wrong := wrong_spans(spans):
        after_midnight = any(opens >= closes for opens, closes in spans)
        remedy = "; write what is after midnight with the next weekday" if after_midnight else ""
        raise WrongYAML(f"{wrong}{remedy}", line_of(node))
    return spans


def _span(text: str, node: Node) -> Span:
    match = _SPAN.fullmatch(text)
    ends = [60 * int(match[hour]) + int(match[hour + 1] or 0) for hour in (1, 3)] if match else []
    if not ends or max(ends) > MINUTES_A_DAY:
        raise WrongYAML(f"'{text}' is not a span of time, like '08:00-17:00'", line_of(node))
    return ends[0], ends[1]


def _closed(node: Node | None) -> tuple[frozenset[date], frozenset[tuple[int, int]]]:
    dates, yearly = set[date](), set[tuple[int, int]]()
    for item in _list(node):
        text = text_of(item).strip()
        try:
            if match := _YEARLY.fullmatch(text):
                day = date(_LEAP_YEAR, int(match[1]), int(match[2]))
                yearly.add((day.month, day.day))
            elif _DATE.fullmatch(text):
                dates.add(date.fromisoformat(text))
            else:
                raise ValueError(text)
        except ValueError:
            raise WrongYAML(f"'{text}' is not a day, like '2026-12-31' or '12-31'", line_of(item)) from None
    return frozenset(dates), frozenset(yearly)


def _list(node: Node | None) -> list[Node]:
    """One item that stands alone, or all of a list, which may be empty."""
    if node is None or (isinstance(node, SequenceNode) and not node.value):
        return []
    return [node] if is_text(node) else items_of(node, "texts")


def _refuse_unknown(fields: Mapping[str, Node], known: tuple[str, ...], what: str) -> None:
    for name, node in fields.items():
        if name not in known:
            close = get_close_matches(name[:64].lower(), known, n=1)
            meant = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known)}"
            raise WrongYAML(f"'{name}' is not {what}; {meant}", line_of(node))
