"""Learn a model of the desk from tickets that people labelled, and say what it is worth."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol, overload

from ..domain.catalog import RequestType, ServiceCatalog, fold
from ..domain.gold import GoldTicket
from ..domain.learning import (
    MOST_TICKETS,
    Answer,
    LabelledTicket,
    ModelCard,
    Pair,
    digest_of_words,
    figures_of,
    is_empty,
    languages_of,
    latest_fifth,
    new_names,
    unknown_labels,
)
from ..domain.ticket import Ticket
from ..domain.times import DEFAULT_STYLE, TimeStyle, read_time
from ..domain.wording import counted, some_of
from ..errors import InputError, SettingsError
from .ports import LearningProgress

_NAMED = 8
_SHOWN_EVERY = 500
_NO_TIME = datetime.min.replace(tzinfo=timezone.utc)
_TOO_FEW = "Add tickets of other types: a model of one request type has nothing to decide."


class TicketStore(Protocol):
    """Keeps tickets while they are learned from, by their positions: a list does, and so does a file."""

    def append(self, ticket: Ticket, /) -> None:
        """Keeps one more ticket. Raises ServiceError or SettingsError."""

    def __getitem__(self, place: int, /) -> Ticket: ...


class TaughtModel(Protocol):
    """What was learned. Answers of the cross-validation, about the latest tickets, and without what was learned."""

    @property
    def answers(self) -> Sequence[Answer]: ...

    @property
    def latest(self) -> Sequence[Answer]: ...

    @property
    def without(self) -> Sequence[Answer]: ...

    def save(self, path: Path, card: ModelCard) -> int:
        """Writes the model whole or not at all, and returns its size in bytes. Raises SettingsError or ServiceError."""


Teacher = Callable[[ServiceCatalog, Sequence[GoldTicket], Sequence[int], LearningProgress], TaughtModel]
"""Learns from tickets, of which those at the given positions are the latest."""


@dataclass(frozen=True, slots=True)
class History:
    """Labelled tickets from `name`, which are read once, and what to do about labels that are not in the catalog.

    `renames` are pairs of texts: a type or `Category / Type` as it was called, and as it is called now. `store` is
    empty, and keeps the tickets that can be learned from.
    """

    name: str
    tickets: Iterable[LabelledTicket]
    renames: Sequence[tuple[str, str]] = ()
    ignore_unknown: bool = False
    times: TimeStyle = DEFAULT_STYLE
    store: TicketStore = field(default_factory=list[Ticket])


@dataclass(frozen=True, slots=True)
class UsableTickets:
    """Tickets of a history with a text and a label that is in the catalog, and the creation time of each.

    `left_out` says how many others there are, and why they do not count.
    """

    gold: Sequence[GoldTicket]
    times: Sequence[datetime | None]
    left_out: Mapping[str, int]


def learn_tickets(
    usable: UsableTickets,
    catalog: ServiceCatalog,
    teacher: Teacher,
    path: Path,
    progress: LearningProgress,
    *,
    target: float,
) -> tuple[ModelCard, int]:
    """Learns from tickets, writes the model to `path`, and returns its card and its size in bytes.

    `target` is the precision for which the coverage is measured. Raises what reading tickets and writing files raise.
    """
    taught = teacher(catalog, usable.gold, latest_fifth(usable.times), progress)
    card = _card(usable, catalog, taught, target)
    return card, taught.save(path, card)


def usable_tickets(history: History, catalog: ServiceCatalog, progress: LearningProgress) -> UsableTickets:
    """Reads the tickets that can be learned from into the store of the history, and returns them: the latest of many.

    Raises InputError if they do not have at least two labels, SettingsError for a rename that names no entry, and what
    reading tickets and keeping them raises.
    """
    renamed = _renames(history.renames, catalog)
    labels: Counter[Pair] = Counter()
    kept: list[_Kept] = []
    without_text = known = 0
    progress.describe("Reading tickets")
    for number, labelled in enumerate(history.tickets):
        if number % _SHOWN_EVERY == 0:
            progress(number, None)
        pair = _renamed(labelled.pair, renamed)
        labels[pair] += 1
        entry = catalog.find(*pair)
        if entry and is_empty(labelled.ticket):
            without_text += 1
        elif entry:
            history.store.append(labelled.ticket)
            time = read_time(labelled.ticket.created_at, history.times)
            (heapq.heappush if known < MOST_TICKETS else heapq.heappushpop)(kept, _Kept(time or _NO_TIME, known, entry))
            known += 1
    unknown = unknown_labels(labels, catalog)
    if unknown and not history.ignore_unknown:
        raise _unknown_labels(unknown, catalog, labels, history.name)
    kept.sort(key=lambda one: one.place)
    _refuse_one_type({one.entry for one in kept}, history.name)
    left_out = {
        "labels that are not in the catalog": sum(unknown.values()),
        "no text": without_text,
        f"older than the latest {MOST_TICKETS:,}": known - len(kept),
    }
    return UsableTickets(
        _StoredTickets(history.store, kept),
        [None if one.time is _NO_TIME else one.time for one in kept],
        {reason: count for reason, count in left_out.items() if count},
    )


class _Kept(NamedTuple):
    """A ticket by its place in the store. The order is that of time; those without a time come first."""

    time: datetime
    place: int
    entry: RequestType


class _StoredTickets(Sequence[GoldTicket]):
    """Tickets in a store, each of which is read when it is asked for."""

    def __init__(self, store: TicketStore, kept: Sequence[_Kept]) -> None:
        self._store, self._kept = store, kept

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, place: int, /) -> GoldTicket: ...

    @overload
    def __getitem__(self, place: slice, /) -> list[GoldTicket]: ...

    def __getitem__(self, place: int | slice, /) -> GoldTicket | list[GoldTicket]:
        if isinstance(place, slice):
            return [self._gold(one) for one in self._kept[place]]
        return self._gold(self._kept[place])

    def __iter__(self) -> Iterator[GoldTicket]:
        return map(self._gold, self._kept)

    def _gold(self, kept: _Kept) -> GoldTicket:
        return GoldTicket(self._store[kept.place], kept.entry)


def _renames(renames: Sequence[tuple[str, str]], catalog: ServiceCatalog) -> Mapping[str, RequestType]:
    """The entry that each old name stands for now. Raises SettingsError for a new name that the catalog lacks."""
    by_name: dict[str, list[RequestType]] = {}
    for entry in catalog.entries:
        for name in (fold(entry.name), fold(str(entry))):
            by_name.setdefault(name, []).append(entry)
    found: dict[str, RequestType] = {}
    for old, new in renames:
        entries = by_name.get(fold(new), [])
        if len(entries) != 1:
            problem = "is not in the catalog" if not entries else f"stands for {len(entries)} entries of the catalog"
            raise SettingsError(f"--rename {old}={new}: {new!r} {problem}", hint="Name it as 'Category / Type'.")
        found[fold(old)] = entries[0]
    return found


def _renamed(pair: Pair, renamed: Mapping[str, RequestType]) -> Pair:
    entry = renamed.get(fold(f"{pair[0]} / {pair[1]}")) or renamed.get(fold(pair[1]))
    return entry.pair if entry else pair


def _unknown_labels(
    unknown: Mapping[Pair, int], catalog: ServiceCatalog, labels: Iterable[Pair], name: str
) -> InputError:
    shown = some_of((f"{' / '.join(pair)} ({counted(count, 'ticket')})" for pair, count in unknown.items()), _NAMED)
    # Only of those that are shown: a column of free text has as many labels as tickets.
    renames = new_names(islice(unknown, _NAMED), catalog, labels)
    proposals = [f'--rename "{" / ".join(pair)}={entry}"' for pair, entry in renames.items()]
    hint = "Leave those tickets out with --ignore-unknown, or say how the types are called now with --rename OLD=NEW"
    return InputError(
        f"{name}: labels that are not in the catalog ({len(unknown):,}): {shown}",
        hint=f"{hint}, perhaps {' '.join(proposals)}." if proposals else f"{hint}.",
    )


def _refuse_one_type(types: Collection[RequestType], name: str) -> None:
    if not types:
        raise InputError(
            f"{name} has no ticket with a text and a label that is in the catalog", hint="Check the file and --catalog."
        )
    if len(types) == 1:
        raise InputError(f"{name}: all tickets have the label {next(iter(types))}", hint=_TOO_FEW)


def _card(usable: UsableTickets, catalog: ServiceCatalog, taught: TaughtModel, target: float) -> ModelCard:
    gold = usable.gold
    known_times = sorted(time for time in usable.times if time)
    types: Counter[str] = Counter()
    texts: set[int] = set()
    for one in gold:
        types[str(one.entry)] += 1
        texts.add(digest_of_words(one.ticket))
    return ModelCard(
        tickets=len(gold),
        repeated=len(gold) - len(texts),
        types=dict(sorted(types.items(), key=lambda item: (-item[1], item[0]))),
        languages=languages_of(one.ticket for one in gold),
        left_out=usable.left_out,
        first=known_times[0].isoformat() if known_times else "",
        last=known_times[-1].isoformat() if known_times else "",
        cross_validation=figures_of(taught.answers, gold, catalog, target),
        latest=figures_of(taught.latest, gold, catalog, target),
        without=figures_of(taught.without, gold, catalog, target),
    )
