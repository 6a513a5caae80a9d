"""Divide labelled tickets by time: measuring on later tickets shows what the next months will be like."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime

from ..domain.gold import GoldTicket, GoldTickets, LabelledTickets
from ..domain.learning import FOLDS, in_order_of_time, same_words
from ..domain.times import TimeStyle, read_time
from ..domain.wording import counted
from ..errors import InputError

log = logging.getLogger(__name__)

_TIMES = "Name the column with the creation time `created_at`; TIME_FORMAT names the form of its times."


@dataclass(frozen=True, slots=True)
class Border:
    """Where the later tickets begin: at the time `after`, or, if that is None, with the latest fifth."""

    after: datetime | None
    times: TimeStyle


@dataclass(frozen=True, slots=True)
class _Slice:
    """Those of `gold` whose place is among `later`, or, unless they are `wanted`, the others."""

    gold: GoldTickets
    later: Container[int]
    count: int
    wanted: bool

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[GoldTicket]:
        return (case for place, case in enumerate(self.gold) if (place in self.later) == self.wanted)


def divided(gold: GoldTickets, border: Border, name: str) -> tuple[GoldTickets, GoldTickets]:
    """Returns the earlier and the later tickets of the file `name`. Tickets without a readable time are earlier ones.

    Raises InputError if no ticket has a time, or if there are no later tickets.
    """
    times = [read_time(case.ticket.created_at, border.times) for case in gold]
    unknown = times.count(None)
    if unknown == len(times):
        raise InputError(f"{name}: no ticket has a creation time that can be read", hint=_TIMES)
    if unknown:
        log.warning("%s without a readable creation time, which are taken for earlier ones", counted(unknown, "ticket"))
    if border.after is None:
        later = set(in_order_of_time(times)[-max(1, len(times) // FOLDS) :])
    else:
        later = {place for place, time in enumerate(times) if time and time >= border.after}
    if not later:
        raise InputError(f"{name}: no ticket was created after {border.after}", hint="Name an earlier date.")
    return (
        _Slice(gold, later, len(times) - len(later), wanted=False),
        _Slice(gold, later, len(later), wanted=True),
    )


def learned_with(earlier: GoldTickets, later: GoldTickets, others: LabelledTickets) -> LabelledTickets:
    """Returns what a classifier learns from: `others`, and the `earlier` tickets whose words no `later` ticket has."""
    asked = {same_words(case.ticket) for case in later}
    taught = [case for case in earlier if same_words(case.ticket) not in asked]
    if repeated := len(earlier) - len(taught):
        log.warning("%s not learned from, because a later one has the same words", counted(repeated, "earlier ticket"))
    return lambda catalog: [*others(catalog), *taught]
