"""Learn a model of the desk from tickets that people labelled, and say what it is worth."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ..domain.catalog import RequestType, ServiceCatalog, fold
from ..domain.gold import GoldTicket
from ..domain.learning import (
    MOST_TICKETS,
    Answer,
    LabelledTicket,
    ModelCard,
    Pair,
    Unknown,
    figures_of,
    in_order_of_time,
    is_empty,
    languages_of,
    latest_fifth,
    repeated_tickets,
    unknown_labels,
)
from ..domain.times import DEFAULT_STYLE, TimeStyle, read_time
from ..domain.wording import counted, some_of
from ..errors import InputError, SettingsError
from .ports import Progress

log = logging.getLogger(__name__)

_NAMED = 8
_TOO_FEW = "Add tickets of other types: a model of one request type has nothing to decide."


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


Teacher = Callable[[ServiceCatalog, Sequence[GoldTicket], Sequence[int], Progress], TaughtModel]
"""Learns from tickets, of which those at the given positions are the latest."""


@dataclass(frozen=True, slots=True)
class History:
    """Labelled tickets from `name`, and what to do about labels that are not in the catalog.

    `renames` are pairs of texts: a type or `Category / Type` as it was called, and as it is called now.
    """

    name: str
    tickets: Sequence[LabelledTicket]
    renames: Sequence[tuple[str, str]] = ()
    ignore_unknown: bool = False
    times: TimeStyle = DEFAULT_STYLE


def learn_history(
    history: History, catalog: ServiceCatalog, teacher: Teacher, path: Path, progress: Progress, *, target: float
) -> tuple[ModelCard, int]:
    """Learns from `history`, writes the model to `path`, and returns its card and its size in bytes.

    `target` is the precision for which the coverage is measured. Raises InputError for a history from which nothing
    can be learned, SettingsError for a rename that names no entry, and what writing the file raises.
    """
    usable = usable_tickets(history, catalog)
    taught = teacher(catalog, usable.gold, latest_fifth(usable.times), progress)
    card = _card(usable, catalog, taught, target)
    return card, taught.save(path, card)


@dataclass(frozen=True, slots=True)
class UsableTickets:
    """Tickets of a history with a text and a label that is in the catalog, and the creation time of each.

    `left_out` says how many others there are, and why they do not count.
    """

    gold: Sequence[GoldTicket]
    times: Sequence[datetime | None]
    left_out: Mapping[str, int]


def usable_tickets(history: History, catalog: ServiceCatalog) -> UsableTickets:
    """Returns the tickets that can be learned from: of very many, the latest.

    Raises InputError if they do not have at least two labels, and SettingsError for a rename that names no entry.
    """
    gold, left_out = _gold_tickets(history, catalog)
    times = [read_time(one.ticket.created_at, history.times) for one in gold]
    gold, times, too_many = _latest_only(gold, times)
    if too_many:
        left_out["older than the latest that are learned from"] = too_many
    _refuse_one_type(gold, history.name)
    return UsableTickets(gold, times, left_out)


def _gold_tickets(history: History, catalog: ServiceCatalog) -> tuple[list[GoldTicket], dict[str, int]]:
    renamed = _renames(history.renames, catalog)
    labelled = [replace(one, pair=_renamed(one.pair, renamed)) for one in history.tickets]
    unknown = unknown_labels(labelled, catalog)
    if unknown and not history.ignore_unknown:
        raise _unknown_labels(unknown, history.name)
    known = [GoldTicket(one.ticket, entry) for one in labelled if (entry := catalog.find(*one.pair))]
    with_text = [gold for gold in known if not is_empty(gold.ticket)]
    left_out = {
        "labels that are not in the catalog": sum(each.tickets for each in unknown),
        "no text": len(known) - len(with_text),
    }
    return with_text, {reason: count for reason, count in left_out.items() if count}


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


def _unknown_labels(unknown: Sequence[Unknown], name: str) -> InputError:
    shown = some_of((f"{' / '.join(each.pair)} ({counted(each.tickets, 'ticket')})" for each in unknown), _NAMED)
    proposals = [f'--rename "{" / ".join(each.pair)}={each.proposal}"' for each in unknown if each.proposal]
    hint = "Leave those tickets out with --ignore-unknown, or say how the types are called now with --rename OLD=NEW"
    return InputError(
        f"{name}: labels that are not in the catalog ({len(unknown)}): {shown}",
        hint=f"{hint}, perhaps {' '.join(proposals[:_NAMED])}." if proposals else f"{hint}.",
    )


def _latest_only(
    gold: Sequence[GoldTicket], times: Sequence[datetime | None]
) -> tuple[list[GoldTicket], list[datetime | None], int]:
    kept = sorted(in_order_of_time(times)[-MOST_TICKETS:])
    return [gold[place] for place in kept], [times[place] for place in kept], len(gold) - len(kept)


def _refuse_one_type(gold: Sequence[GoldTicket], name: str) -> None:
    types = {gold_ticket.entry.pair for gold_ticket in gold}
    if not types:
        raise InputError(
            f"{name} has no ticket with a text and a label that is in the catalog", hint="Check the file and --catalog."
        )
    if len(types) == 1:
        raise InputError(f"{name}: all tickets have the label {' / '.join(*types)}", hint=_TOO_FEW)


def _card(usable: UsableTickets, catalog: ServiceCatalog, taught: TaughtModel, target: float) -> ModelCard:
    gold = usable.gold
    known_times = sorted(time for time in usable.times if time)
    types: dict[str, int] = {}
    for one in gold:
        types[str(one.entry)] = types.get(str(one.entry), 0) + 1
    return ModelCard(
        tickets=len(gold),
        repeated=repeated_tickets(gold),
        types=dict(sorted(types.items(), key=lambda item: (-item[1], item[0]))),
        languages=languages_of(one.ticket for one in gold),
        left_out=usable.left_out,
        first=known_times[0].isoformat() if known_times else "",
        last=known_times[-1].isoformat() if known_times else "",
        cross_validation=figures_of(taught.answers, gold, catalog, target),
        latest=figures_of(taught.latest, gold, catalog, target),
        without=figures_of(taught.without, gold, catalog, target),
    )
