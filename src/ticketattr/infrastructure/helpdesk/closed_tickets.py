"""The closed tickets of a helpdesk, with the request types that people gave them: years of them, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from ...domain.learning import LabelledTicket, with_request_type
from ..evaluation.disk_list import DiskList
from .mapping import MappedTicket
from .profile_helpdesk import ProfileHelpdesk


def closed_tickets(helpdesk: ProfileHelpdesk, progress: Callable[[int, int | None], None]) -> Iterator[LabelledTicket]:
    """Yields the closed tickets that have a request type; all, if the helpdesk does not say which are closed.

    The texts are on disk. `progress` is told how many tickets came. Raises SettingsError, InputError or ServiceError.
    """
    with DiskList[MappedTicket]() as items:
        mapped = _MappedOnDisk(items, progress)
        helpdesk.fetch_into(mapped)
        some_are_closed = any(not each.is_open for each in mapped.values())
        yield from with_request_type(each.ticket for each in mapped.values() if not (each.is_open and some_are_closed))


class _MappedOnDisk(MutableMapping[Any, MappedTicket]):
    """Tickets by their keys, of which only keys and positions are in memory."""

    def __init__(self, items: DiskList[MappedTicket], progress: Callable[[int, int | None], None]) -> None:
        self._items, self._progress = items, progress
        self._places: dict[Any, int] = {}

    def __getitem__(self, key: Any) -> MappedTicket:
        return self._items[self._places[key]]

    def __setitem__(self, key: Any, mapped: MappedTicket) -> None:
        self._items.append(mapped)
        self._places[key] = len(self._items) - 1
        self._progress(len(self._places), None)

    def __delitem__(self, key: Any) -> None:
        del self._places[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
