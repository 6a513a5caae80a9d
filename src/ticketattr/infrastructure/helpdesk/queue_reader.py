"""The whole queue of a helpdesk, page by page: followed to its end, or an error, never a part of it in silence."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import anyio
import anyio.to_thread

from ...domain.ticket import Ticket
from ...errors import InputError, ServiceError, TicketAttrError
from ..options import Filter
from .completeness import refuse_part_of_queue
from .connection import Answer, Connection
from .details import with_details
from .mapping import HINT, MappedTicket, items_of, map_ticket, seen
from .paging import MAX_PAGES, PageFacts, Step, first_step, next_link, next_step, total_of_range
from .profile import Profile
from .requests import filter_parts
from .thread import ToText

log = logging.getLogger(__name__)

_PASSES = 2
_NO_ORIGINS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the queue, and the total that its answer stated."""

    number: int
    items: Sequence[Mapping[str, Any]]
    total: int | None


# asyncio writes the repr of a result when its loop ends, which would be a text of the whole queue.
@dataclass(slots=True, repr=False)
class QueueRead:
    """What was read so far: `came` tickets, `mapped` by id, or by page and place where one has none.

    `first` is the first ticket as it came, `totals` is what each page of the last pass said about the whole.
    """

    mapped: MutableMapping[Any, MappedTicket] = field(default_factory=dict)
    first: Mapping[str, Any] | None = None
    came: int = 0
    details: int = 0
    failures: list[TicketAttrError] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)

    @property
    def has_shrunk(self) -> bool:
        """Whether tickets went away while pages were read: then others may have slid over the border of a page."""
        return any(after < before for before, after in zip(self.totals, self.totals[1:], strict=False))

    @property
    def misses_some(self) -> bool:
        """Whether fewer tickets are known than the helpdesk says that it has; one may have come twice instead."""
        return bool(self.totals) and len(self.mapped) < self.totals[-1]

    @property
    def is_short(self) -> bool:
        return self.misses_some and self.came < self.totals[-1]


@dataclass(frozen=True, slots=True)
class QueueReader:
    """Reads by `profile`; `keep` and `since` say what to ask for, `to_text` makes text of descriptions."""

    profile: Profile
    base_url: str
    to_text: ToText
    keep: frozenset[Filter] = frozenset()
    since: datetime | None = None

    async def read(
        self,
        connection: Connection,
        *,
        at_most: int | None = None,
        into: MutableMapping[Any, MappedTicket] | None = None,
    ) -> QueueRead:
        """All tickets, or the first `at_most`; `into` is an empty mapping for them.

        Raises SettingsError, InputError or ServiceError.
        """
        read = QueueRead({} if into is None else into)
        for attempt in range(1, _PASSES + 1):
            await self._pass(connection, read, at_most)
            if at_most is not None or not (read.has_shrunk or read.misses_some):
                break
            if attempt < _PASSES:
                log.info("the queue changed while it was read: reading it once more")
        if at_most is None and read.is_short:
            raise _short(read)
        if read.failures and len(read.failures) == read.details:
            raise read.failures[0]
        return read

    async def _pass(self, connection: Connection, read: QueueRead, at_most: int | None) -> None:
        """Read the pages from first to last; while one is asked for, the one before is made into tickets."""
        for key in [key for key in read.mapped if isinstance(key, tuple)]:
            del read.mapped[key]
        read.came = read.details = 0
        read.failures.clear()
        read.totals.clear()
        async with aclosing(self._pages(connection)) as pages:
            page = await anext(pages, None)
            while page:
                is_enough = at_most is not None and len(read.mapped) + len(page.items) >= at_most
                take = partial(self._take, connection, read, page, at_most)
                page = await _together(take, partial(anext, pages, None) if not is_enough else None)

    async def _pages(self, connection: Connection) -> AsyncGenerator[Page, None]:
        part = self.profile.tickets
        text, query = filter_parts(part.filters, self.keep, self.since)
        came_before: set[bytes] = set()
        asked_before: set[str] = set()
        step: Step | None = first_step(part.paging)
        while step:
            if step.number > MAX_PAGES:
                raise InputError(f"the queue has more than {MAX_PAGES:,} pages, which is refused", hint=HINT)
            _refuse_loop(step, asked_before)
            request = part.paging.records if part.paging.records and not step.wants_ids else part.request
            answer = await connection.ask(
                request,
                {"filter": text, **step.values},
                url=step.url,
                query=query if request is part.request else None,
                error=part.error,
            )
            items = [] if step.wants_ids else items_of(part.items, answer.body)
            facts = _facts(self.profile, answer, len(items), wants_ids=step.wants_ids)
            _refuse_repetition(items, step, came_before)
            if part.paging.style == "none":
                refuse_part_of_queue(answer.body, len(items), answer.headers)
            yield Page(step.number, items, facts.total)
            step = next_step(part.paging, step, facts)

    async def _take(self, connection: Connection, read: QueueRead, page: Page, at_most: int | None) -> None:
        if read.first is None and page.items:
            read.first = page.items[0]
        if page.total is not None:
            read.totals.append(page.total)
        items: Sequence[Mapping[str, Any]] = page.items
        if at_most is not None:
            items = items[: at_most - len(read.mapped)]
        failures: Mapping[int, TicketAttrError] = {}
        if self.profile.detail:
            detailed = await with_details(self.profile.detail, self.profile.tickets.fields["id"], connection, items)
            items, failures = detailed.items, detailed.failures
            read.details += len(items)
            read.failures += failures.values()
        # In a thread, so that the next page comes in meanwhile.
        mapped = await anyio.to_thread.run_sync(partial(self._map, items, failures))
        if at_most is None:
            # Nobody asks where the fields of a whole queue came from.
            mapped = [replace(each, origins=_NO_ORIGINS) for each in mapped]
        read.came += len(page.items)
        read.mapped.update({each.ticket.id or (page.number, place): each for place, each in enumerate(mapped)})

    def _map(self, items: Sequence[Mapping[str, Any]], failures: Mapping[int, TicketAttrError]) -> list[MappedTicket]:
        return [
            map_ticket(
                self.profile,
                item,
                base_url=self.base_url,
                to_text=self.to_text,
                failure=str(failures[place]) if place in failures else "",
            )
            for place, item in enumerate(items)
        ]


async def _together(
    take: Callable[[], Awaitable[None]], fetch: Callable[[], Awaitable[Page | None]] | None
) -> Page | None:
    """Returns what `fetch` gives, while `take` is at work. Raises what either raises, that of `take` first."""
    pages: list[Page | None] = [None]
    errors: list[TicketAttrError] = []

    async def get() -> None:
        try:
            pages.append(await fetch() if fetch else None)
        except TicketAttrError as error:
            errors.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(get)
        try:
            await take()
        except TicketAttrError as error:
            errors.insert(0, error)
            tasks.cancel_scope.cancel()
    if errors:
        raise errors[0]
    return pages[-1]


def _facts(profile: Profile, answer: Answer, count: int, *, wants_ids: bool) -> PageFacts:
    part, paging, body = profile.tickets, profile.tickets.paging, answer.body
    total = _whole(part.total.search(body)) if part.total else None
    if total is None and part.total_header:
        total = _whole(answer.headers.get(part.total_header))
    if total is None and paging.style in ("range", "offset"):
        total = total_of_range(answer.headers.get("Content-Range", ""))
    more = paging.more.search(body) if paging.more else None
    ids = paging.ids.search(body) if paging.ids and wants_ids else ()
    if not isinstance(ids, (list, tuple)):
        raise InputError(f"the answer of the helpdesk holds no list of ids; {seen(body)}", hint=HINT)
    return PageFacts(
        count=count,
        total=total,
        next=paging.next.search(body) if paging.next else None,
        more=None if more is None else bool(more),
        link=next_link(answer.headers.get("Link", "")),
        ids=tuple(ids),
    )


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 19:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _refuse_loop(step: Step, asked_before: set[str]) -> None:
    """Raises InputError for a next page that was asked for before."""
    target = step.url or str(step.values.get("cursor") or "")
    if target and target in asked_before:
        raise InputError(
            f"after page {step.number - 1} of the queue, the helpdesk leads back to a page that came before",
            hint="Check `paging` in the profile: `next` probably finds the page itself.",
        )
    asked_before.add(target)


def _refuse_repetition(items: Sequence[Mapping[str, Any]], step: Step, came_before: set[bytes]) -> None:
    if not items:
        return
    # The first and the last ticket tell pages apart, at a hundredth of the price of all of them.
    ends = json.dumps([len(items), items[0], items[-1]], sort_keys=True)
    digest = hashlib.sha256(ends.encode()).digest()
    if digest in came_before:
        raise InputError(
            f"page {step.number} of the queue is one that came before: the helpdesk gives the same page for ever",
            hint="Check `paging` in the profile: the name of the parameter that counts pages is probably another one.",
        )
    came_before.add(digest)


def _short(read: QueueRead) -> TicketAttrError:
    came, total = len(read.mapped), read.totals[-1]
    message = f"{came} of {total} tickets came: the helpdesk says that there are more than it gives"
    if read.has_shrunk or len(set(read.totals)) > 1:
        return ServiceError(f"{message}, and the queue changed while it was read", hint="Try again later.")
    return InputError(
        message, hint="Check `paging` and `total` of the profile, and that the user may see every ticket."
    )


def tickets_of(mapped: Sequence[MappedTicket], keep: frozenset[Filter]) -> list[Ticket]:
    """The tickets that `keep` asks for: the helpdesk may not have filtered, or not by this."""
    kept = [each.ticket for each in mapped if each.is_open or "open" not in keep]
    if closed := len(mapped) - len(kept):
        log.info("%d closed tickets left out", closed)
    return without_filtered(kept, keep)


def is_kept(mapped: MappedTicket, keep: frozenset[Filter]) -> bool:
    """Whether `keep` asks for this ticket."""
    return (mapped.is_open or "open" not in keep) and (
        "uncategorised" not in keep or not _is_categorised(mapped.ticket)
    )


def without_filtered(tickets: Sequence[Ticket], keep: frozenset[Filter]) -> list[Ticket]:
    """The `tickets` without those that have a category and a request type, if `keep` asks for that."""
    kept = [ticket for ticket in tickets if "uncategorised" not in keep or not _is_categorised(ticket)]
    if categorised := len(tickets) - len(kept):
        log.info("%d categorised tickets left out", categorised)
    return kept


def _is_categorised(ticket: Ticket) -> bool:
    return bool(ticket.request_category and ticket.request_type)
