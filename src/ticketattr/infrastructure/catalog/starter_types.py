"""Request types for a new catalog, out of a file: a list of them, or an export of tickets that have some."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ...application.starter_catalog import StarterType
from ...domain.catalog import SLA, sla_unit
from ...errors import InputError
from ..ticket_files.columns import canonical, find_columns, usual_names
from ..ticket_files.json_records import value_at
from ..ticket_files.records import open_records

_PAIR = ("request_category", "request_type")
_SLA_NAMES = ("sla", "sla value", "sla_value", "resolution time", "lösungszeit", "délai", "plazo", "prazo")
_UNIT_NAMES = ("sla unit", "sla_unit", "unit", "einheit", "unité", "unidad", "unidade")
_AMOUNT = re.compile(r"\s*([0-9]{1,6}(?:[.,][0-9]{1,4})?)\s*([^\W\d_]{0,10})\s*", re.ASCII)
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "std": "hours", "d": "days", "t": "days", "w": "weeks"}


def read_starter_types(path: Path) -> list[StarterType]:
    """Each pair of category and request type in the file, also in another form than CSV. Raises InputError."""
    own = frozenset(name for field in _PAIR for name in usual_names(field))
    with open_records(path, own=own) as records:
        taken = find_columns(records.names, {}, records.what, unique=records.is_table).taken
        if "request_category" not in taken:
            raise InputError(
                f"{records.what} has no column for the category of a request type; the columns are "
                f"{', '.join(name for name in records.names if name)}",
                hint="Name the columns Category, Request type, SLA and Description.",
            )
        category, kind, note = (taken.get(field, ("",))[0] for field in (*_PAIR, "long_description"))
        amount, unit = _column(records.names, _SLA_NAMES), _column(records.names, _UNIT_NAMES)
        # In an export of tickets, the description is that of a ticket.
        note = "" if {"id", "short_description", "created_at"} & set(taken) else note
        wanted = frozenset({category, kind, note, amount, unit} - {""})
        types = [
            StarterType(
                _text(record, category),
                _text(record, kind) or _text(record, category),
                _sla(_text(record, amount), _text(record, unit)),
                _text(record, note),
            )
            for record in records.read(wanted)
        ]
    found = [each for each in types if each.category]
    if not found:
        raise InputError(f"{path} names no category", hint="Give a file with a category in each row.")
    return found


def _column(names: Any, usual: tuple[str, ...]) -> str:
    wanted = set(map(canonical, usual))
    return next((name for name in names if canonical(name) in wanted), "")


def _text(record: Any, name: str) -> str:
    return str(value_at(record, name) or "").strip() if name else ""


def _sla(amount: str, unit: str) -> SLA | None:
    found = _AMOUNT.fullmatch(amount)
    if not found:
        return None
    word = found[2] or unit
    known = sla_unit(word) or sla_unit(_UNITS.get(word.casefold().rstrip("."), ""))
    number = float(found[1].replace(",", "."))
    return SLA(int(number) if number.is_integer() else number, known) if known else None
