"""A service catalog to begin with: from the pairs that a desk has already, or a small example."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..domain.catalog import SLA, fold

MAX_TYPES = 5_000
_SLA = SLA(3, "days")
_PLAIN = re.compile(r"(?!(?:yes|no|on|off|true|false|null|y|n)$)[^\W\d_](?:[^\W\d_]|[ -])*", re.IGNORECASE)
_HEAD = """\
# yaml-language-server: $schema={schema}
# The service catalog: what the service desk offers, and in what time. docs/reference/formats.md explains each field.
#
# description, keywords and examples are optional. They help whoever chooses: write words that your users write.
# units of an SLA: minutes, hours, days, weeks
service_catalog:
  catalog:
    categories:
"""


@dataclass(frozen=True, slots=True)
class StarterType:
    """A request type that a catalog begins with; without an `sla`, the text says that one must be set."""

    category: str
    name: str
    sla: SLA | None = None
    description: str = ""


EXAMPLE = (
    StarterType("Access", "Password Reset", SLA(4, "hours"), "A forgotten or expired password, a locked account."),
    StarterType("Access", "Permission", SLA(1, "days"), "Access to a folder, a mailbox or an application."),
    StarterType("Hardware", "Laptop or PC", SLA(3, "days"), "A device that is broken, slow, or does not start."),
    StarterType("Hardware", "Printer", SLA(2, "days"), "A printer that does not print, paper jams, toner."),
    StarterType("Software", "Installation or Licence", SLA(3, "days"), "A program to install, a licence that expired."),
    StarterType("Network", "VPN and Wi-Fi", SLA(8, "hours"), "No connection, at home or in the office."),
    StarterType("Other", "Other Request", SLA(5, "days"), "Whatever fits nowhere else."),
)
"""Request types that nearly every desk has."""


def catalog_text(types: Iterable[StarterType], schema: str) -> str:
    """The YAML of a catalog with each of `types` once, grouped by category, at most MAX_TYPES of them.

    `schema` is the location of the JSON Schema that an editor checks it by.
    """
    by_category: dict[str, list[StarterType]] = {}
    names: dict[str, str] = {}
    known: set[tuple[str, str]] = set()
    for each in types:
        key = (fold(each.category), fold(each.name))
        if all(key) and key not in known and len(known) < MAX_TYPES:
            known.add(key)
            by_category.setdefault(names.setdefault(key[0], each.category.strip()), []).append(each)
    lines = [_HEAD.format(schema=schema)]
    for category, entries in by_category.items():
        lines.append(f"    - name: {_quoted(category)}\n      requests:\n")
        lines += [line for each in entries for line in _entry(each)]
    return "".join(lines)


def _entry(each: StarterType) -> list[str]:
    sla = each.sla or _SLA
    remark = "" if each.sla else "  # set the time that you promise"
    description = [f"        description: {_quoted(each.description)}\n"] if each.description else []
    return [
        f"      - name: {_quoted(each.name.strip())}\n",
        *description,
        f"        sla: {{value: {sla.value:g}, unit: {sla.unit}}}{remark}\n",
    ]


def _quoted(text: str) -> str:
    """`text` as YAML has it: plain where it is plain, otherwise as JSON, which YAML contains.

    JSON escapes a character such as an emoji as a surrogate pair, which YAML does not know. It stays as it is.
    """
    one_line = " ".join(text.split())
    if _PLAIN.fullmatch(one_line):
        return one_line
    escaped = "".join(each if each > "\uffff" else json.dumps(each)[1:-1] for each in one_line)
    return f'"{escaped}"'
