"""The examples of docs/reference/formats.md are read, and the schemas for editors agree with our own readers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ticketattr.errors import TicketAttrError
from ticketattr.infrastructure.catalog.yaml_format import parse_catalog
from ticketattr.infrastructure.helpdesk.profile_yaml import parse_profile
from ticketattr.infrastructure.helpdesk.shipped_profiles import profile_names, profile_text
from ticketattr.infrastructure.helpdesk.ticket_file import TicketFile
from ticketattr.infrastructure.options import HelpdeskAccess
from ticketattr.infrastructure.schemas import Schema, schema_url
from ticketattr.infrastructure.yaml_nodes import compose, value_of

from .conftest import DATA, EXAMPLES

PAGE = (Path(__file__).parents[1] / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")


def example(name: str) -> str:
    (found,) = re.findall(rf"<!-- {name} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@cache
def validator(name: Schema) -> Draft202012Validator:
    schema = json.loads(Path(schema_url(name).removeprefix("file://")).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def by_schema(name: Schema, text: str) -> list[str]:
    """What the schema has against a document; nothing if it accepts it."""
    document = json.loads(text) if name == "tickets" else value_of(compose(text.encode(), name))
    return [error.message for error in validator(name).iter_errors(document)]


def accepted(read: Callable[[], Any]) -> bool:
    try:
        read()
    except TicketAttrError:
        return False
    return True


CATALOG = """\
service_catalog:
  catalog:
    categories:
    - name: Hardware
      requests:
      - name: Printer
        sla: {value: 2, unit: days}
"""
PROFILE = """\
name: Desk
verified: documentation
tickets:
  request: {path: /tickets}
  items: tickets
  fields: {id: number}
"""
UPDATE = """\
update:
  read: {request: {path: "/tickets/${id}"}, version_header: ETag, values: {title: title}}
  set:
    request:
      method: PUT
      path: /tickets/${id}
      json: {a: "${request_category}", b: "${request_type}"}
    stale: [409]
    empty: null
  note: {request: {method: POST, path: "/tickets/${id}/n", json: {text: "${note}", internal: true}}, texts: notes}
  values: {request_category: {longest: 9}, request_type: {map: {Printer: 3}}}
"""
TICKET = '{"id": 1, "subject": "a"}'


def changed(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


SLA = "sla: {value: 2, unit: days}"
CATALOGS: Mapping[str, tuple[str, bool]] = {
    "least": (CATALOG, True),
    "with other fields": (changed(CATALOG, ("- name: Printer", "- name: Printer\n        owner: Bob")), True),
    "unit in capitals": (changed(CATALOG, ("unit: days", "unit: DAY")), True),
    "SLA of zero": (changed(CATALOG, ("value: 2", "value: 0")), True),
    "fraction": (changed(CATALOG, ("value: 2", "value: 1.5")), True),
    "resolution and response": (
        changed(CATALOG, (SLA, "sla: {resolution: {value: 2, unit: days}, response: {value: 1, unit: hours}}")),
        True,
    ),
    "value and response": (
        changed(CATALOG, (SLA, "sla: {value: 2, unit: days, response: {value: 1, unit: hours}}")),
        True,
    ),
    "number as a name": (changed(CATALOG, ("name: Printer", "name: 2024")), True),
    "texts": (changed(CATALOG, (SLA, f"{SLA}\n        keywords: [a, 1]\n        description: b")), True),
    "calendar": (changed(CATALOG, ("    categories", "    service_hours: calendar\n    categories")), True),
    "service hours": (
        changed(
            CATALOG,
            ("    categories", "    service_hours: {time_zone: UTC, hours: {monday: 08:00-12:00}}\n    categories"),
        ),
        True,
    ),
    "no list": ("service_catalog: {catalog: {categories: {}}}", False),
    "empty list": ("service_catalog: {catalog: {categories: []}}", False),
    "no catalog": ("service_catalog: {}", False),
    "a list": ("- service_catalog", False),
    "no SLA": (changed(CATALOG, (SLA, "description: x")), False),
    "negative": (changed(CATALOG, ("value: 2", "value: -1")), False),
    "value as text": (changed(CATALOG, ("value: 2", 'value: "2"')), False),
    "unknown unit": (changed(CATALOG, ("unit: days", "unit: fortnights")), False),
    "unknown field of an SLA": (changed(CATALOG, ("unit: days", "unit: days, x: 1")), False),
    "value and resolution": (
        changed(CATALOG, (SLA, "sla: {value: 2, unit: days, resolution: {value: 2, unit: days}}")),
        False,
    ),
    "SLA as text": (changed(CATALOG, (SLA, "sla: 2 days")), False),
    "no name": (changed(CATALOG, ("name: Printer", "title: Printer")), False),
    "empty name": (changed(CATALOG, ("name: Printer", 'name: " "')), False),
    "no requests": (changed(CATALOG, ("requests:", "other:")), False),
    "keywords as text": (changed(CATALOG, (SLA, f"{SLA}\n        keywords: a")), False),
    "service hours without a zone": (
        changed(CATALOG, ("    categories", "    service_hours: {hours: {monday: 08:00-12:00}}\n    categories")),
        False,
    ),
    "unknown field of service hours": (
        changed(
            CATALOG,
            ("    categories", "    service_hours: {time_zone: UTC, hours: {monday: 8-12}, x: 1}\n    categories"),
        ),
        False,
    ),
}
PROFILES: Mapping[str, tuple[str, bool]] = {
    "least": (PROFILE, True),
    "columns alone": ("name: x\nverified: server\ncolumns: {id: [Nr, No]}\nsheet: Data\n", True),
    "paging": (changed(PROFILE, ("  items", "  paging: {style: cursor, next: n}\n  items"), ("{path: /tickets}",
        '{path: /tickets, query: {c: "${cursor}"}}')), True),
    "thread": (f"{PROFILE}text: {{kind: html, thread: {{messages: m, body: b, at_most: 0}}}}\n", True),
    "text": (f"{PROFILE}text: plain\n", True),
    "detail": (f'{PROFILE}detail: {{request: {{path: "/t/${{id}}"}}, at_most: 2}}\n', True),
    "categories": (f"{PROFILE}categories: {{request: {{path: /c}}, items: c, category: n, separator: '>'}}\n", True),
    "update": (PROFILE + UPDATE, True),
    "update by ids": (
        PROFILE + changed(UPDATE, ("{longest: 9}", "{lookup: {request: {path: /c}, items: c, name: n, id: i}}")),
        True,
    ),
    "update that only reads": (PROFILE + UPDATE.partition("  set:")[0], False),
    "update that reads with PUT": (PROFILE + changed(UPDATE, ('{path: "/tickets/${id}"}',
        '{method: PUT, path: "/tickets/${id}"}')), False),
    "update that writes with GET": (PROFILE + changed(UPDATE, ("method: PUT", "method: GET")), False),
    "update that writes without a method": (PROFILE + changed(UPDATE, ("      method: PUT\n", "")), False),
    "update with a status of success": (PROFILE + changed(UPDATE, ("[409]", "[200]")), False),
    "update with note and tag": (PROFILE + changed(UPDATE, ("  note:", "  tag: {}\n  note:")), False),
    "limits": (f"{PROFILE}limits: {{requests_per_minute: 60}}\n", True),
    "several expressions": (changed(PROFILE, ("id: number", "id: [number, id]")), True),
    "neither tickets nor columns": ("name: x\nverified: server\n", False),
    "misspelt key": (changed(PROFILE, ("  items", "  itmes")), False),
    "unknown key": (f"{PROFILE}colour: red\n", False),
    "unknown field": (changed(PROFILE, ("id: number", "id: number, urgency: u")), False),
    "unknown column": ("name: x\nverified: server\ncolumns: {sla: x}\n", False),
    "no id": (changed(PROFILE, ("id: number", "status: state")), False),
    "unknown style": (changed(PROFILE, ("  items", "  paging: {style: pages}\n  items")), False),
    "key of another style": (changed(PROFILE, ("  items", "  paging: {style: none, size: 5}\n  items")), False),
    "cursor without next": (changed(PROFILE, ("  items", "  paging: {style: cursor}\n  items")), False),
    "size of zero": (changed(PROFILE, ("  items", "  paging: {style: link_header, size: 0}\n  items")), False),
    "path without a slash": (changed(PROFILE, ("path: /tickets", "path: tickets")), False),
    "unknown method": (changed(PROFILE, ("path: /tickets", "path: /tickets, method: DELETE")), False),
    "json and form": (changed(PROFILE, ("path: /tickets", "path: /tickets, json: {}, form: {}")), False),
    "kept open, but what is open": (f"{PROFILE}  keep: [open]\n", False),
    "keep of something else": (f"{PROFILE}  keep: [closed]\n", False),
    "verified by nobody": (changed(PROFILE, ("verified: documentation", "verified: no")), False),
    "thread without a body": (f"{PROFILE}text: {{thread: {{messages: m}}}}\n", False),
    "too many at once": (f"{PROFILE}detail: {{request: {{path: /t}}, at_most: 33}}\n", False),
    "a list": ("- name", False),
}  # fmt: skip
TICKETS: Mapping[str, tuple[str, bool]] = {
    "list": (f"[{TICKET}]", True),
    "empty": ("[]", True),
    "data": (f'{{"data": [{TICKET}]}}', True),
    "requests": (f'{{"response_code": 200, "data": {{"requests": [{TICKET}]}}}}', True),
    "issues": (f'{{"issues": [{TICKET}]}}', True),
    "other fields": ('[{"id": "1", "subject": "a", "tags": ["x"], "sla": null}]', True),
    "Jira document": ('[{"subject": "a", "long_description": {"type": "doc", "content": []}}]', True),
    "object": ("{}", False),
    "no list": ('{"data": {}}', False),
    "text": ('["a"]', False),
    "list in a list": (f"[[{TICKET}]]", False),
    "number": ("1", False),
}


@pytest.mark.parametrize("case", CATALOGS)
def test_schema_and_reader_agree_about_a_catalog(case: str) -> None:
    text, is_valid = CATALOGS[case]
    assert accepted(lambda: parse_catalog(text.encode(), "catalog.yaml")) == is_valid
    assert (not by_schema("catalog", text)) == is_valid


@pytest.mark.parametrize("case", PROFILES)
def test_schema_and_reader_agree_about_a_profile(case: str) -> None:
    text, is_valid = PROFILES[case]
    assert accepted(lambda: parse_profile(text.encode(), "desk.yaml")) == is_valid
    assert (not by_schema("profile", text)) == is_valid


@pytest.mark.parametrize("case", TICKETS)
def test_schema_and_reader_agree_about_tickets(case: str, tmp_path: Path) -> None:
    text, is_valid = TICKETS[case]
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    assert accepted(TicketFile(HelpdeskAccess(str(tmp_path / "x.json"))).fetch_tickets) == is_valid
    assert (not by_schema("tickets", text)) == is_valid


@pytest.mark.parametrize("name", profile_names())
def test_the_shipped_profiles_fit_the_schema(name: str) -> None:
    assert by_schema("profile", profile_text(name)) == []


def test_the_catalogs_and_tickets_of_the_examples_fit_the_schemas() -> None:
    for path in (EXAMPLES / "catalog.yaml", DATA / "catalog.yaml", DATA / "gold" / "catalog.yaml"):
        assert by_schema("catalog", path.read_text(encoding="utf-8")) == []
    assert by_schema("tickets", (EXAMPLES / "tickets.json").read_text(encoding="utf-8")) == []


def test_the_examples_of_the_page_are_read_and_fit_the_schemas(tmp_path: Path) -> None:
    for name, suffix in (("tickets", "json"), ("csv", "csv")):
        (tmp_path / f"x.{suffix}").write_text(example(name), encoding="utf-8")
        (ticket,) = TicketFile(HelpdeskAccess(str(tmp_path / f"x.{suffix}"))).fetch_tickets()
        assert (ticket.id, ticket.short_description) == ("T-1042", "Printer on floor 2")
        assert ticket.requester_email == "ann@example.com"
    assert by_schema("tickets", example("tickets")) == []
    assert len(parse_catalog(example("catalog").encode(), "catalog.yaml").entries) == 2
    assert by_schema("catalog", example("catalog")) == []
    profile = parse_profile(example("profile").encode(), "desk.yaml")
    assert profile.columns["short_description"] == ("Title", "Subject")
    assert by_schema("profile", example("profile")) == []
