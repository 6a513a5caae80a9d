"""What `fill` would have set, compared with what people chose meanwhile: may this desk turn it on?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from .statistics import Estimate, wilson_estimate
from .write_back import Change, TicketNow, is_same

Verdict = Literal["agrees", "differs", "undecided", "ours", "gone"]
"""`undecided`: nobody has set both fields yet. `ours`: this program set them, so no person agreed."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A change of the mode `shadow` and the ticket as it is now; without a ticket, it is gone or cannot be read."""

    change: Change
    now: TicketNow | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of `decided` tickets of a category (empty: of all), people chose the same pair for `agreed` of them."""

    category: str
    agreed: int
    decided: int
    estimate: Estimate


def last_shadows(changes: Iterable[Change]) -> list[Change]:
    """The last change of the mode `shadow` for each ticket; `changes` come oldest first."""
    return list({change.ticket_id: change for change in changes if change.mode == "shadow"}.values())


def compare(change: Change, now: TicketNow | None, filled: Change | None) -> Compared:
    """What people made of a ticket; `filled` is the last change that set its fields, if there is one."""
    if now is None:
        return Compared(change, None, "gone")
    if not all(value.strip() for value in now.pair):
        return Compared(change, now, "undecided")
    if filled and is_same(filled.after, now.pair):
        return Compared(change, now, "ours")
    return Compared(change, now, "agrees" if is_same(now.pair, change.after) else "differs")


def agreements(compared: Sequence[Compared]) -> list[Agreement]:
    """The agreement over all tickets, then by the category that would have been set, in alphabetical order."""
    decided = [one for one in compared if one.verdict in ("agrees", "differs")]
    categories = sorted({one.change.after[0] for one in decided})
    return [
        _agreement("", decided),
        *(_agreement(name, [one for one in decided if one.change.after[0] == name]) for name in categories),
    ]


def _agreement(category: str, decided: Sequence[Compared]) -> Agreement:
    agreed = sum(one.verdict == "agrees" for one in decided)
    return Agreement(category, agreed, len(decided), wilson_estimate(agreed, len(decided)))
