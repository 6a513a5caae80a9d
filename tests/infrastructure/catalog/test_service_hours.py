"""Service hours in the catalog: taken whole, or refused with the line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import indent

import pytest

from ticketattr.application.ports import Run
from ticketattr.domain.catalog import SLA, ServiceCatalog
from ticketattr.domain.service_hours import ServiceHours
from ticketattr.errors import CatalogError, SettingsError, StageFileError
from ticketattr.infrastructure.catalog.holiday_dates import holiday_dates
from ticketattr.infrastructure.catalog.yaml_format import parse_catalog
from ticketattr.infrastructure.stage_files.catalog_and_tickets import read_catalog, write_catalog

from ...fakes import MIDNIGHT

OFFICE = """\
service_hours:
  clock: business
  time_zone: Europe/Berlin
  hours:
    monday-thursday: [08:00-12:00, 13:00-17:00]
    friday: 08:00-12:00
  holidays: DE-BE
  closed: [2026-12-31, 12-24]
"""
NIGHT = 'service_hours: {time_zone: UTC, hours: {mon-sun: "0-6, 22-24"}}\n'
CALENDAR = "service_hours: calendar\n"

DAY = ((480, 720), (780, 1020))
RUN = Run("20261123T150301Z-7f3a", lambda: MIDNIGHT)


def catalog_text(whole: str = "", category: str = "", entry: str = "", sla: str = "{value: 4, unit: hours}") -> str:
    return (
        f"service_catalog:\n  catalog:\n{indent(whole, '    ')}    categories:\n"
        f"    - name: Access\n{indent(category, '      ')}      requests:\n"
        f"      - name: Password\n{indent(entry, '        ')}        sla: {sla}\n"
        "      - name: Folder\n        sla: {value: 1, unit: days}\n"
        "    - name: Hardware\n      requests:\n      - name: Laptop\n        sla: {value: 3, unit: days}\n"
    )


def parse(text: str) -> ServiceCatalog:
    return parse_catalog(text.encode(), "catalog.yaml")


def refusal(text: str) -> str:
    with pytest.raises(CatalogError) as caught:
        parse(text)
    return str(caught.value)


def hours_of(catalog: ServiceCatalog, name: str) -> ServiceHours | None:
    return catalog.hours_of(next(entry for entry in catalog.entries if entry.name == name))


def test_service_hours_hold_for_the_whole_catalog() -> None:
    hours = hours_of(parse(catalog_text(OFFICE)), "Laptop")
    assert hours is not None
    assert hours.time_zone == "Europe/Berlin"
    assert hours.week == (DAY, DAY, DAY, DAY, ((480, 720),), (), ())
    assert hours.closed_yearly == {(12, 24)}
    assert hours.holidays == ("DE-BE",)
    # A day of our own, one of all of Germany, and one of Berlin alone.
    assert {date(2026, 12, 31), date(2026, 10, 3), date(2026, 3, 8)} <= hours.closed
    assert date(2026, 1, 6) not in hours.closed  # which is one of Bavaria


def test_a_catalog_without_service_hours_has_a_clock_that_never_stops() -> None:
    assert hours_of(parse(catalog_text()), "Laptop") is None


def test_the_nearest_service_hours_count() -> None:
    catalog = parse(catalog_text(OFFICE, NIGHT, CALENDAR))
    assert hours_of(catalog, "Password") is None
    assert hours_of(catalog, "Folder") == ServiceHours("UTC", (((0, 360), (1320, 1440)),) * 7)
    laptop = hours_of(catalog, "Laptop")
    assert laptop is not None
    assert laptop.time_zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("hours", "week"),
    [
        ("{sun-thu: 9-17}", (((540, 1020),),) * 4 + ((), (), ((540, 1020),))),
        ("{Monday: '8-12,13-17'}", (DAY, *((),) * 6)),
        ("{mon: [8:00 - 12:00, 13:00–17:00], tue: closed, wed: [], thu: }", (DAY, *((),) * 6)),
        ("{saturday-sunday: 00:00-24:00}", (*((),) * 5, ((0, 1440),), ((0, 1440),))),
    ],
)
def test_weekdays_and_spans_are_taken_as_people_write_them(
    hours: str, week: tuple[tuple[tuple[int, int], ...], ...]
) -> None:
    found = hours_of(parse(catalog_text(f"service_hours: {{time_zone: UTC, hours: {hours}}}\n")), "Laptop")
    assert found is not None
    assert found.week == week


def test_holidays_of_several_regions_are_closed() -> None:
    found = hours_of(parse(catalog_text(OFFICE.replace("DE-BE", "[DE-BE, DE-BY]"))), "Laptop")
    assert found is not None
    assert {date(2026, 3, 8), date(2026, 1, 6)} <= found.closed


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("clock: business", "clock: busines", 4, "the clock 'busines' is none of calendar, business"),
        ("clock: business", "clok: business", 4, "'clok' is not a field of service hours; did you mean 'clock'?"),
        ("holidays:", "holiday:", 9, "did you mean 'holidays'?"),
        ("holidays:", "xyz:", 9, "there are clock, time_zone, hours, holidays, closed"),
        ("Europe/Berlin", "Europe/Berlim", 5, "no time zone 'Europe/Berlim'; did you mean 'Europe/Berlin'?"),
        ("Europe/Berlin", "Europe", 5, "there is no time zone 'Europe'"),
        ("Europe/Berlin", "", 5, "there is no time zone ''"),
        ("  time_zone: Europe/Berlin\n", "", 4, "'time_zone' is missing"),
        ("DE-BE", "DE-XX", 9, "no holiday region 'DE-XX'; there are DE-BB, DE-BE"),
        ("DE-BE", "[DE-BE, ZZ]", 9, "no holiday region 'ZZ'; a region is a country like 'DE'"),
        ("DE-BE", "de-be", 9, "did you mean 'DE-BE'?"),
        ("DE-BE", "[[DE]]", 9, "expected a text"),
        ("friday:", "fryday:", 8, "'fryday' is not a weekday, like 'monday', 'mon' or 'monday-friday'; did you mean"),
        ("friday:", "thursday:", 8, "thursday has hours twice"),
        (
            "friday: 08:00-12:00",
            "friday: 12:00-08:00",
            8,
            "12:00-08:00 does not end after it begins, on the same day; ",
        ),
        ("friday: 08:00-12:00", "friday: 08:00-08:00", 8, "does not end after it begins"),
        ("friday: 08:00-12:00", "friday: 08:00-25:00", 8, "'08:00-25:00' is not a span of time, like '08:00-17:00'"),
        ("friday: 08:00-12:00", "friday: 08:00-12:60", 8, "is not a span of time"),
        ("friday: 08:00-12:00", "friday: morning", 8, "'morning' is not a span of time"),
        ("friday: 08:00-12:00", "friday: [8-12, 11-13]", 8, "11:00-13:00 overlaps the span before it"),
        ("2026-12-31", "2026-12-32", 10, "'2026-12-32' is not a day, like '2026-12-31' or '12-31'"),
        ("2026-12-31", "20261231", 10, "is not a day"),
        ("2026-12-31", "02-30", 10, "is not a day"),
    ],
)
def test_what_is_wrong_with_service_hours_is_refused_with_its_line(old: str, new: str, line: int, reason: str) -> None:
    assert old in OFFICE
    message = refusal(catalog_text(OFFICE.replace(old, new)))
    assert message.startswith(f"catalog.yaml, line {line}: "), message
    assert reason in message


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("service_hours: business\n", 3, "service hours are 'calendar', or fields: clock, time_zone"),
        ("service_hours: {clock: calendar, holidays: DE}\n", 3, "'holidays' means nothing to it"),
        ("service_hours: [8-17]\n", 3, "expected `name: value` pairs"),
        ("service_hours: {time_zone: UTC}\n", 3, "'hours' is missing"),
        ("service_hours: {time_zone: UTC, hours: {}}\n", 3, "the service hours have no open hour"),
        ("service_hours: {time_zone: UTC, hours: {mon-fri: closed}}\n", 3, "the service hours have no open hour"),
        ("service_hour: calendar\n", 3, "'service_hour' is not a field of the catalog; did you mean 'service_hours'?"),
        ("Service-Hours: calendar\n", 3, "did you mean 'service_hours'?"),
    ],
)
def test_service_hours_that_say_nothing_are_refused_with_their_line(text: str, line: int, reason: str) -> None:
    message = refusal(catalog_text(text))
    assert message.startswith(f"catalog.yaml, line {line}: "), message
    assert reason in message


@pytest.mark.parametrize("part", ["category", "entry"])
def test_a_typo_in_a_part_of_the_catalog_is_refused_with_its_line(part: str) -> None:
    message = refusal(catalog_text(**{part: "servce_hours: calendar\n"}))
    assert message.startswith(f"catalog.yaml, line {5 if part == 'category' else 7}: 'servce_hours'"), message


@pytest.mark.parametrize(
    "text",
    [
        f"service_hours: calendar\n{catalog_text()}",
        catalog_text().replace("  catalog:", "  service_hours: calendar\n  catalog:"),
        catalog_text(sla="{value: 4, unit: hours, service_hours: calendar}"),
    ],
)
def test_service_hours_that_stand_where_they_count_for_nothing_are_refused(text: str) -> None:
    assert "'service_hours' belongs to 'catalog', to a category or to a request type" in refusal(text)


def test_fields_that_nobody_can_have_meant_are_ignored_as_before() -> None:
    assert len(parse(catalog_text("hours: 24\nservice_owner: me\n", "owner: you\n", "price: 3\n")).entries) == 3


@pytest.mark.parametrize(
    "sla",
    [
        "{value: 4, unit: hours, response: {value: 30, unit: minutes}}",
        "{resolution: {value: 4, unit: hours}, response: {value: 30, unit: minutes}}",
    ],
)
def test_a_request_type_may_promise_a_response_too(sla: str) -> None:
    entry = parse(catalog_text(sla=sla)).entries[0]
    assert (entry.sla, entry.response) == (SLA(4, "hours"), SLA(30, "minutes"))


@pytest.mark.parametrize(
    ("sla", "reason"),
    [
        ("{value: 4, unit: hours, response: 4}", "expected `name: value` pairs"),
        ("{value: 4, unit: hours, response: {value: -1, unit: hours}}", "the response SLA value of 'Password' is not"),
        (
            "{value: 4, unit: hours, response: {value: 1, unit: moons}}",
            "the response SLA unit of 'Password' is not one",
        ),
        ("{value: 4, unit: hours, respone: {value: 1, unit: hours}}", "did you mean 'response'?"),
        ("{value: 4, unit: hours, resolution: {value: 1, unit: hours}}", "has a value and a resolution: keep one"),
        ("{response: {value: 1, unit: hours}}", "'value' is missing"),
    ],
)
def test_what_is_wrong_with_a_second_sla_is_refused_with_its_line(sla: str, reason: str) -> None:
    message = refusal(catalog_text(sla=sla))
    assert message.startswith("catalog.yaml, line 7: "), message
    assert reason in message


def test_holidays_without_their_package_say_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "holidays", None)
    holiday_dates.cache_clear()
    with pytest.raises(SettingsError, match="the catalog names holidays") as caught:
        parse(catalog_text(OFFICE) + "# which no test parsed before\n")
    assert "[holidays]" in (caught.value.hint or "")


def test_more_service_hours_than_anybody_has_are_refused() -> None:
    entries = "".join(
        f"      - {{name: T{number}, sla: {{value: 1, unit: hours}}, service_hours: "
        f"{{time_zone: UTC, hours: {{mon: 0:00-{number // 60}:{number % 60:02}}}}}}}\n"
        for number in range(1, 102)
    )
    text = f"service_catalog:\n  catalog:\n    categories:\n    - name: A\n      requests:\n{entries}"
    assert refusal(text) == "catalog.yaml, line 106: more than 100 different service hours"


def test_the_stage_file_keeps_service_hours_and_responses(tmp_path: Path) -> None:
    sla = "{value: 4, unit: hours, response: {value: 30, unit: minutes}}"
    catalog = parse(catalog_text(OFFICE, NIGHT, CALENDAR, sla))
    write_catalog(tmp_path / "catalog.json", catalog, RUN)
    assert read_catalog(tmp_path / "catalog.json").data == catalog
    assert read_catalog(tmp_path / "catalog.json").data.version == catalog.version


def test_a_stage_file_of_an_earlier_version_has_no_service_hours(tmp_path: Path) -> None:
    path = tmp_path / "catalog.json"
    write_catalog(path, parse(catalog_text()), RUN)
    path.write_text(path.read_text().replace('"service_hours"', '"x"').replace('"hours_of"', '"y"'))
    assert read_catalog(path).data == parse(catalog_text())


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"hours": 0', '"hours": 7', "names service hours that it does not have"),
        ('"hours": 0', '"hours": -3', "names service hours that it does not have"),
        ("Europe/Berlin", "Nowhere", "no time zone 'Nowhere'"),
    ],
)
def test_a_stage_file_whose_service_hours_are_damaged_is_refused(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    path = tmp_path / "catalog.json"
    write_catalog(path, parse(catalog_text(OFFICE)), RUN)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(StageFileError, match=reason):
        read_catalog(path)


def test_the_version_of_a_catalog_changes_with_its_service_hours_and_responses() -> None:
    sla = "{value: 4, unit: hours, response: {value: 30, unit: minutes}}"
    texts = (
        catalog_text(),
        catalog_text(OFFICE),
        catalog_text(OFFICE.replace("12-24", "12-23")),
        catalog_text(OFFICE.replace("17:00", "18:00")),
        catalog_text(category=OFFICE),
        catalog_text(CALENDAR),
        catalog_text(sla=sla),
    )
    assert len({parse(text).version for text in texts}) == len(texts)
