"""The queue out of a file that a helpdesk exported: CSV, a workbook, JSON or JSON Lines, also from stdin.

A column or a field is found by its usual names, or by those that a profile names (`columns`). A profile of an API reads
JSON documents as it reads the answers of that API.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from ...application.ports import QueuePreview, TicketPreview
from ...domain.ticket import Ticket
from ...errors import InputError
from ..locations import local_path
from ..options import Filter, HelpdeskAccess
from ..ticket_files.json_records import tickets_in
from ..ticket_files.records import Records, open_records
from .completeness import refuse_missing_text, refuse_part_of_queue, refuse_without_text
from .mapping import field_names, items_of
from .profile import Profile
from .queue_reader import is_kept, tickets_of
from .record_mapping import ByColumns, ByProfile, by_columns
from .webhook import refuse_failure, webhook_service

log = logging.getLogger(__name__)

_FOR_THE_USER = {"for_user": True}


@dataclass(frozen=True, slots=True)
class TicketFile:
    """The file at the location of `access`; `profile` (None: none) names its columns, or reads its JSON.

    `keep` says which tickets are kept; `setting` is the setting or the option that holds the location.
    """

    access: HelpdeskAccess
    profile: Profile | None = None
    keep: frozenset[Filter] = frozenset()
    setting: str = "HELPDESK_API_URL"

    def fetch_tickets(self) -> list[Ticket]:
        """The tickets in the order of the file. Raises SettingsError or InputError."""
        with self._open() as (records, mapper):
            if "open" in self.keep and isinstance(mapper, ByColumns):
                mapper.refuse_without_state()
            mapped = [replace(each, origins={}) for each in mapper.tickets()]
            tickets = [each.ticket for each in mapped]
            refuse_missing_text(tickets, mapper.first, has_text_fields=mapper.has_text_fields)
            refuse_part_of_queue(records.document, len(mapped), {})
            _say(mapper)
        return tickets_of(mapped, self.keep)

    def stream_tickets(self) -> Iterator[Ticket]:
        """Yields the tickets one by one, in the order of the file. Raises SettingsError or InputError.

        JSON Lines, CSV and Parquet are read in parts, and may have any size. An error about the whole file follows the
        last ticket.
        """
        tickets = without_text = 0
        with self._open(is_bounded=False) as (_, mapper):
            if "open" in self.keep and isinstance(mapper, ByColumns):
                mapper.refuse_without_state()
            for each in mapper.tickets():
                tickets += 1
                without_text += not any(each.ticket.texts)
                if is_kept(each, self.keep):
                    yield each.ticket
            refuse_without_text(without_text, tickets, mapper.first, has_text_fields=mapper.has_text_fields)
            _say(mapper)

    def preview(self, count: int) -> QueuePreview:
        """The first `count` tickets, each with the columns that its fields were found in."""
        with self._open() as (records, mapper):
            shown = [TicketPreview(each.ticket, each.origins) for each in islice(mapper.tickets(), count)]
            _say(mapper)
            seen = records.names if records.is_table else field_names(mapper.first)
            return QueuePreview(shown, [name for name in seen if name])

    @contextmanager
    def _open(self, *, is_bounded: bool = True) -> Iterator[tuple[Records, ByColumns | ByProfile]]:
        profile = self.profile
        own = profile.columns if profile else {}
        try:
            with open_records(
                local_path(webhook_service(self.access)),
                sheet=profile.sheet if profile else "",
                own=frozenset(name for names in own.values() for name in names),
                tickets_of=self._tickets_in,
                is_bounded=is_bounded,
            ) as records:
                if profile and profile.has_api and not records.is_table:
                    yield records, ByProfile(records, profile)
                else:
                    yield records, by_columns(records, own)
        except InputError as error:
            check = f"Check {self.setting}."
            error.hint = f"{error.hint} {check}" if error.hint and check not in error.hint else check
            raise

    def _tickets_in(self, document: Any, what: str) -> list[Mapping[str, Any]]:
        refuse_failure(document, webhook_service(self.access))
        if self.profile and self.profile.has_api:
            return list(items_of(self.profile.tickets.items, document))
        return tickets_in(document, what)


def _say(mapper: ByColumns | ByProfile) -> None:
    """Tell what was taken for what, unless the fields of a JSON document simply have the names of ours."""
    if mapper.is_worth_a_word:
        log.info("%s", mapper.in_words, extra=_FOR_THE_USER)
