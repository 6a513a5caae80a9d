"""Which columns of a file hold which fields of a ticket: by their usual names, or by those that a profile names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from ...domain.wording import some_of
from ...errors import InputError
from ..yaml_nodes import compose, value_of

TEXT_FIELDS = ("short_description", "long_description")
HINT = (
    "Rename the columns in the file, or name them in a profile (HELPDESK_PROFILE=./desk.yaml, with `columns`): "
    "docs/how-to/helpdesks.md, Files."
)
_NAMED = 40
_LONGEST_SHOWN = 60
_IN_PARENTHESES = re.compile(r"(.*?)\s*\((.*)\)\s*")


@dataclass(frozen=True, slots=True)
class Columns:
    """For each field of a ticket, the columns that hold it, best first; `rivals` have a usual name of it, too.

    `requester` is a column in which the address of the requester, or only a name, may stand.
    """

    taken: Mapping[str, tuple[str, ...]]
    rivals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    requester: str = ""

    @property
    def names(self) -> frozenset[str]:
        """All columns that hold a field."""
        return frozenset(name for names in self.taken.values() for name in names) | {self.requester} - {""}

    @property
    def in_words(self) -> str:
        """Which column was taken for which field, in one line."""
        parts = []
        for name, columns in self.taken.items():
            beside = f", not {_quoted(self.rivals[name])}" if self.rivals.get(name) else ""
            parts.append(f"{name} = {_quoted(columns[:1])}{beside}")
        if self.requester:
            parts.append(f"requester_email = {_quoted([self.requester])} where an address stands there")
        return "; ".join(parts)


def recognized(names: Iterable[object]) -> int:
    """How many fields of a ticket the columns `names` hold by their usual names; 0 without one that holds text."""
    known = {found for name in names if (found := _field_of(str(name or "")))}
    return len(known) if known & set(TEXT_FIELDS) else 0


def find_columns(names: Sequence[str], own: Mapping[str, Sequence[str]], what: str, *, unique: bool = True) -> Columns:
    """The columns of the file `what` among `names`, those that `own` names first.

    Raises InputError for a column that is needed and occurs twice (if `unique`), and where a profile names one that
    does not exist.
    """
    by_name: dict[str, list[str]] = {}
    for name in names:
        for form in _forms(name)[:1]:
            by_name.setdefault(form, []).append(name)
    taken = {name: _own(name, wanted, by_name, names, what) for name, wanted in own.items()}
    rivals: dict[str, tuple[str, ...]] = {}
    used = {column for columns in taken.values() for column in columns}
    for ticket_field, usual in _usual_names().items():
        found = tuple(name for name in _in_order(usual, names) if name not in used)
        if found and ticket_field not in taken:
            taken[ticket_field], rivals[ticket_field] = found[:1], found[1:]
    requester = "" if "requester_email" in taken else next(iter(_in_order(_requester_names(), names)), "")
    columns = Columns(taken, rivals, requester)
    if unique:
        _refuse_repeated(columns, by_name, what)
    return columns


def no_columns(names: Sequence[object], what: str) -> InputError:
    """The error that says which columns were seen where none holds a short or a long description."""
    shown = [" ".join(str(name).split())[:_LONGEST_SHOWN] for name in names if name not in (None, "")]
    return InputError(
        f"no column of {what} is known to hold a short or a long description; the columns are "
        f"{some_of(shown, _NAMED) if shown else 'without names'}",
        hint=HINT,
    )


def usual_names(ticket_field: str) -> tuple[str, ...]:
    """The usual names of the column that holds a field of a ticket."""
    return tuple(map(str, _data()["fields"][ticket_field]))


def words(name: str) -> tuple[str, ...]:
    """The list `name` of columns.yaml."""
    return tuple(map(str, _data()[name]))


def is_closed(status: str) -> bool:
    """Whether `status` is a usual word for a ticket that is done."""
    return canonical(status) in _closed()


def shapes() -> Sequence[tuple[frozenset[str], Mapping[str, str]]]:
    """Names that must be there together, and the fields that names then hold."""
    return [(frozenset(shape["beside"]), shape["fields"]) for shape in _data()["shapes"]]


def canonical(name: str) -> str:
    """A name as it is compared: without case, accents, white space and punctuation. A name of signs stays."""
    plain = unicodedata.normalize("NFKD", name.strip().casefold()[:1_000])
    return "".join(character for character in plain if character.isalnum()) or name.strip()


def _forms(name: str) -> list[str]:
    """The forms under which a column may be known, the whole name first: also within or without parentheses."""
    whole = name.removeprefix("fields.")
    forms = [whole]
    if found := _IN_PARENTHESES.fullmatch(whole):
        forms.append(found[2] if canonical(found[1]) in _wrappers() else found[1])
    return list(dict.fromkeys(canonical(form) for form in forms if form.strip()))


def _field_of(name: str) -> str:
    return next((found for form in _forms(name) if (found := _fields_by_name().get(form))), "")


def _in_order(usual: Sequence[str], names: Sequence[str]) -> list[str]:
    """Those of `names` that have a usual name, in the order of the usual names."""
    by_form: dict[str, str] = {}
    for depth in (0, 1):
        for name in names:
            if form := next(iter(_forms(name)[depth:]), ""):
                by_form.setdefault(form, name)
    return list(dict.fromkeys(by_form[form] for form in usual if form in by_form))


def _own(
    ticket_field: str, wanted: Sequence[str], by_name: Mapping[str, Sequence[str]], names: Sequence[str], what: str
) -> tuple[str, ...]:
    found = tuple(by_name[canonical(name)][0] for name in wanted if canonical(name) in by_name)
    if not found:
        raise InputError(
            f"{what} has no column {_quoted(wanted)}, which the profile names for {ticket_field}; the columns are "
            f"{some_of([name for name in names if name][:_NAMED], _NAMED)}",
            hint="Correct `columns` in the profile, or the file.",
        )
    return found


def _refuse_repeated(columns: Columns, by_name: Mapping[str, Sequence[str]], what: str) -> None:
    """Raises InputError for two equal columns of which one is needed: which of them is meant, nobody can tell."""
    for ticket_field, names in columns.taken.items():
        for name in names:
            if len(by_name.get(canonical(name.removeprefix("fields.")), ())) > 1:
                raise InputError(
                    f"{what} has the column {_quoted([name])} more than once, and it holds {ticket_field}",
                    hint="Rename or remove all of them but one.",
                )


def _quoted(names: Iterable[str]) -> str:
    return " or ".join(f"`{' '.join(name.split())[:_LONGEST_SHOWN]}`" for name in names)


@cache
def _data() -> Mapping[str, Any]:
    content = (files(__package__) / "columns.yaml").read_bytes()
    data: Mapping[str, Any] = value_of(compose(content, "columns.yaml"))
    return data


@cache
def _usual_names() -> Mapping[str, Sequence[str]]:
    return {name: [canonical(each) for each in usual] for name, usual in _data()["fields"].items()}


@cache
def _fields_by_name() -> Mapping[str, str]:
    return {usual: name for name, names in reversed(list(_usual_names().items())) for usual in names}


@cache
def _requester_names() -> Sequence[str]:
    return [canonical(name) for name in words("requester")]


@cache
def _wrappers() -> frozenset[str]:
    return frozenset(map(canonical, words("wrappers")))


@cache
def _closed() -> frozenset[str]:
    return frozenset(map(canonical, words("closed")))
