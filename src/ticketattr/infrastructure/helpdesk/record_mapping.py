"""Tickets from the records of a file: by the columns that hold their fields, or by the expressions of a profile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parseaddr
from typing import Any

from ...errors import InputError
from ..ticket_files.columns import HINT, TEXT_FIELDS, Columns, find_columns, is_closed
from ..ticket_files.json_records import address_at, first_message, shape_of, value_at
from ..ticket_files.records import Records
from .body_text import body_reader
from .mapping import MappedTicket, has_text_fields, map_ticket
from .profile import COLUMN_FIELDS, Profile
from .ticket_fields import FieldNames, read_field, read_ticket
from .webhook import FIELD_NAMES

_FIRST_MESSAGE = "the first message"


@dataclass(slots=True)
class ByProfile:
    """Makes tickets of JSON records as `profile` reads the answers of its API. `first` is the first record."""

    records: Records
    profile: Profile
    first: Mapping[str, Any] | None = None

    @property
    def in_words(self) -> str:
        """What was read by what, in one line."""
        return f"{self.records.what} ({self.records.form}) is read by the profile {self.profile.name}"

    @property
    def is_worth_a_word(self) -> bool:
        """Always True: a profile was chosen."""
        return True

    @property
    def has_text_fields(self) -> bool:
        """Whether the first record has what the profile takes for a text."""
        return has_text_fields(self.profile, self.first)

    def tickets(self) -> Iterator[MappedTicket]:
        """The tickets in the order of the file, each with the expressions that found its fields."""
        # There is no base URL that a relative link could follow.
        page = self.profile.page if self.profile.page.startswith(("http://", "https://")) else ""
        profile, to_text = replace(self.profile, page=page), body_reader(self.profile.text.kind)
        for record in self.records.read(frozenset()):
            self.first = self.first or record
            yield map_ticket(profile, record, base_url="", to_text=to_text)


@dataclass(slots=True)
class ByColumns:
    """Makes tickets of records by the columns that hold their fields. `first` is the first record."""

    records: Records
    columns: Columns
    first: Mapping[str, Any] | None = None
    _names: FieldNames = field(init=False)

    def __post_init__(self) -> None:
        self._names = {name: self._candidates(name) for name in COLUMN_FIELDS}

    @property
    def in_words(self) -> str:
        """Which columns were taken for which fields, in one line."""
        return f"{self.records.what} ({self.records.form}): {self.columns.in_words or 'no field was found'}"

    @property
    def is_worth_a_word(self) -> bool:
        """Whether a table was read, or a field was found by another name than its own."""
        taken = self.columns.taken.items()
        return self.records.is_table or any(names[0] != field_name for field_name, names in taken)

    @property
    def has_text_fields(self) -> bool:
        """Whether a column holds a text of tickets."""
        return any(name in self.columns.taken for name in TEXT_FIELDS) or first_message(self.first or {}) is not None

    def tickets(self) -> Iterator[MappedTicket]:
        """The tickets in the order of the file, each with the columns that its fields were found in."""
        for position, record in enumerate(self.records.read(self.columns.names), start=1):
            self.first = self.first or record
            yield self._ticket(record, position)

    def refuse_without_state(self) -> None:
        """Raises InputError where no column says which tickets are open, or only by numbers."""
        if "status" not in self.columns.taken:
            raise InputError(
                f"{self.records.what} has no column for the status, which HELPDESK_KEEP=open needs", hint=HINT
            )

    def _candidates(self, name: str) -> tuple[str, ...]:
        """The columns of a field. Objects differ in their fields, so each of the names of the webhook counts."""
        taken = self.columns.taken.get(name, ())
        return taken if self.records.is_table else tuple(dict.fromkeys((*taken, *FIELD_NAMES.get(name, ()))))

    def _ticket(self, record: Mapping[str, Any], position: int) -> MappedTicket:
        item: dict[str, Any] = dict(record)
        if not self.records.is_table:
            item |= {name: self._value(record, field_name, name) for field_name, name in self._nested(record)}
        ticket = read_ticket(item, position, self._names, hint=HINT)
        origins = {
            name: column
            for name, columns in self._names.items()
            for column in reversed(columns)
            if getattr(ticket, name) and read_field(name, item.get(column)) == getattr(ticket, name)
        }
        if not ticket.long_description and (message := first_message(record)):
            ticket = replace(ticket, long_description=read_field("long_description", message))
            origins["long_description"] = _FIRST_MESSAGE
        if (address := self._address(ticket.requester_email, record)) != ticket.requester_email:
            ticket = replace(ticket, requester_email=address)
            origins.setdefault("requester_email", self.columns.requester)
        if ticket.url and not _is_page(ticket.url):
            ticket = replace(ticket, url="")
        extra = {} if self.records.is_table else {k: v for k, v in ticket.extra.items() if k in record}
        return MappedTicket(replace(ticket, extra=extra), not is_closed(ticket.status), origins)

    def _nested(self, record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The fields whose value is not simply there: under a name with a dot, or within an object or a list."""
        for field_name, names in self._names.items():
            for name in names:
                if "." in name or isinstance(record.get(name), (dict, list)):
                    yield field_name, name

    @staticmethod
    def _value(record: Mapping[str, Any], field_name: str, name: str) -> Any:
        return address_at(record, name) if field_name == "requester_email" else value_at(record, name)

    def _address(self, found: str, record: Mapping[str, Any]) -> str:
        """The address of the requester: also out of `Ann <ann@example.com>`, and from a column that may hold a name."""
        if found or not self.columns.requester:
            return _bare(found)
        value = read_field("requester_email", address_at(record, self.columns.requester))
        return _bare(value) if "@" in value else ""


def by_columns(records: Records, own: Mapping[str, tuple[str, ...]]) -> ByColumns:
    """Finds the columns of `records`, those that `own` names first. Raises InputError."""
    if records.is_table:
        return ByColumns(records, find_columns(records.names, own, records.what))
    shape = {name: (column,) for name, column in shape_of(records.names).items() if column in records.names}
    return ByColumns(records, find_columns(records.names, {**shape, **own}, records.what, unique=False))


def _bare(address: str) -> str:
    return parseaddr(address)[1] or address if "<" in address else address


def _is_page(url: str) -> bool:
    """Whether a person can open `url`: an API often gives its own URL of a ticket."""
    return url.lower().startswith(("http://", "https://")) and "/api/" not in url and not url.endswith(".json")
