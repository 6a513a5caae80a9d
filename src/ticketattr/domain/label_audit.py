"""Which labels of a history are doubtful, and what the history says about its catalog.

Labels are doubted by confident learning (Northcutt et al. 2021): a model that was not shown a ticket says how likely
each request type is. The threshold of a type is the mean probability that its own tickets get. A label is doubted if
another type is likelier, and surely if that type reaches its threshold.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from .catalog import RequestType, ServiceCatalog
from .gold import GoldTicket

FEWEST_TICKETS = 5
"""A type with fewer tickets cannot be learned: after cross-validation, one of five parts has none."""

SHOWN_OTHERS = 5
"""How many other request types a Guess names."""

_LEAST = 1e-9
_ALIKE = 0.2
_FEWEST_MIXED = 3
_SAME_TEXT = 0.8
_RAREST = 4
_COMPARED = 20
_CHANGED = 4.0
"""A difference of so many standard errors is more than chance, whatever the number of types."""
_LATEST_PART = 5
_WORD = re.compile(r"[^\W\d_]+|\d+")


@dataclass(frozen=True, slots=True)
class Guess:
    """The probability of a ticket's label, and of other types, by a model that was not shown the ticket.

    `others` are positions in the catalog with their probabilities, the likeliest first.
    """

    label: float
    others: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class DoubtfulLabel:
    """The ticket at position `row` of the history, from 0, and what its label should be instead.

    `doubt` is the logarithm of how many times likelier `suggested` is. `is_sure`: it reaches its threshold.
    """

    row: int
    suggested: RequestType
    doubt: float
    probability: float
    suggested_probability: float
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Tickets with almost the same text and different labels, by their positions in the history."""

    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SmallType:
    """A request type with too few tickets to learn it from."""

    entry: RequestType
    tickets: int


@dataclass(frozen=True, slots=True)
class AlikeTypes:
    """Two types that cannot be told apart: `mixed` of their tickets look like the other one, a part `share` of them."""

    one: RequestType
    other: RequestType
    mixed: int
    share: float


@dataclass(frozen=True, slots=True)
class Drift:
    """A type whose share of the tickets changed: before, and in the latest fifth by creation time."""

    entry: RequestType
    earlier: float
    latest: float
    since: datetime


@dataclass(frozen=True, slots=True)
class LabelAudit:
    """What an audit found. The most doubtful of `labels` comes first. `dated` counts tickets with a time."""

    tickets: int
    labels: tuple[DoubtfulLabel, ...]
    contradictions: tuple[Contradiction, ...]
    small: tuple[SmallType, ...]
    alike: tuple[AlikeTypes, ...]
    drift: tuple[Drift, ...]
    dated: int

    @property
    def sure(self) -> int:
        """How many labels are surely wrong, as far as the model can tell."""
        return sum(label.is_sure for label in self.labels)


def audit(
    history: Sequence[GoldTicket],
    catalog: ServiceCatalog,
    guesses: Sequence[Guess],
    times: Sequence[datetime | None],
) -> LabelAudit:
    """Returns what is doubtful. `guesses` and the creation `times` have one for each ticket of the history."""
    doubtful = doubtful_labels(history, catalog, guesses)
    return LabelAudit(
        tickets=len(history),
        labels=tuple(doubtful),
        contradictions=tuple(contradictions(history)),
        small=tuple(small_types(history, catalog)),
        alike=tuple(alike_types(history, doubtful)),
        drift=tuple(drift(history, times)),
        dated=sum(time is not None for time in times),
    )


def doubtful_labels(
    history: Sequence[GoldTicket], catalog: ServiceCatalog, guesses: Sequence[Guess]
) -> list[DoubtfulLabel]:
    """Returns the labels than which another type is likelier, the most doubtful first."""
    thresholds = _thresholds(history, guesses)
    found = []
    for row, guess in enumerate(guesses):
        if not guess.others or guess.others[0][1] <= guess.label:
            continue
        likely = [(place, share) for place, share in guess.others if share > guess.label]
        sure = [(place, share) for place, share in likely if share >= thresholds.get(catalog.entries[place], math.inf)]
        place, share = (sure or likely)[0]
        doubt = math.log((share + _LEAST) / (guess.label + _LEAST))
        found.append(DoubtfulLabel(row, catalog.entries[place], doubt, guess.label, share, bool(sure)))
    return sorted(found, key=lambda label: -label.doubt)


def _thresholds(history: Sequence[GoldTicket], guesses: Sequence[Guess]) -> dict[RequestType, float]:
    """Returns the mean probability of each type for its own tickets."""
    of_type: defaultdict[RequestType, list[float]] = defaultdict(list)
    for gold, guess in zip(history, guesses, strict=True):
        of_type[gold.entry].append(guess.label)
    return {entry: math.fsum(shares) / len(shares) for entry, shares in of_type.items()}


def small_types(history: Sequence[GoldTicket], catalog: ServiceCatalog) -> list[SmallType]:
    """Returns the types of the catalog with fewer than FEWEST_TICKETS tickets, the smallest first."""
    counts = Counter(gold.entry for gold in history)
    few = [SmallType(entry, counts[entry]) for entry in catalog.entries if counts[entry] < FEWEST_TICKETS]
    return sorted(few, key=lambda small: small.tickets)


def alike_types(history: Sequence[GoldTicket], doubtful: Sequence[DoubtfulLabel]) -> list[AlikeTypes]:
    """Returns pairs of types of whose tickets many look like the other type, the most mixed first.

    The share is that of the smaller type.
    """
    counts = Counter(gold.entry for gold in history)
    mixed: Counter[frozenset[RequestType]] = Counter(
        frozenset((history[label.row].entry, label.suggested)) for label in doubtful
    )
    found = []
    for pair, count in mixed.items():
        one, other = sorted(pair, key=str)
        share = count / max(min(counts[one], counts[other]), FEWEST_TICKETS)
        if count >= _FEWEST_MIXED and share >= _ALIKE:
            found.append(AlikeTypes(one, other, count, min(share, 1.0)))
    return sorted(found, key=lambda alike: (-alike.share, str(alike.one), str(alike.other)))


def contradictions(history: Sequence[GoldTicket]) -> list[Contradiction]:
    """Returns groups of tickets with almost the same words, of which at least two have different labels.

    Texts are compared if they share three of their four rarest words, so that time grows in proportion to the tickets.
    """
    bags = [frozenset(_WORD.findall(" ".join(gold.ticket.texts).casefold())) for gold in history]
    groups = _Groups(len(history))
    for one, other in _candidates(bags):
        if len(bags[one] & bags[other]) >= _SAME_TEXT * len(bags[one] | bags[other]):
            groups.join(one, other)
    return [Contradiction(rows) for rows in groups.all() if len({history[row].entry for row in rows}) > 1]


def _candidates(bags: Sequence[frozenset[str]]) -> Iterator[tuple[int, int]]:
    """Yields pairs of rows that may have almost the same words."""
    spread = Counter(word for bag in bags for word in bag)
    seen: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, bag in enumerate(bags):
        rarest = sorted(bag, key=lambda word: (spread[word], word))[:_RAREST]
        size = min(_RAREST - 1, len(rarest))
        for key in combinations(rarest, size) if rarest else ():
            for other in seen[key]:
                yield other, row
            if len(seen[key]) < _COMPARED:
                seen[key].append(row)


class _Groups:
    """Rows that belong together, directly or through others."""

    def __init__(self, count: int) -> None:
        self._leader = list(range(count))

    def join(self, one: int, other: int) -> None:
        """Puts the groups of two rows together."""
        first, second = sorted((self._find(one), self._find(other)))
        self._leader[second] = first

    def all(self) -> list[tuple[int, ...]]:
        """Returns the groups of at least two rows."""
        members: defaultdict[int, list[int]] = defaultdict(list)
        for row in range(len(self._leader)):
            members[self._find(row)].append(row)
        return [tuple(rows) for rows in members.values() if len(rows) > 1]

    def _find(self, row: int) -> int:
        while self._leader[row] != row:
            self._leader[row] = self._leader[self._leader[row]]
            row = self._leader[row]
        return row


def drift(history: Sequence[GoldTicket], times: Sequence[datetime | None]) -> list[Drift]:
    """Returns the types whose share of the latest fifth of the dated tickets differs from before by more than chance.

    The largest change comes first.
    """
    dated = sorted(((time, row) for row, time in enumerate(times) if time), key=lambda pair: pair[0])
    latest = len(dated) // _LATEST_PART
    if not latest:
        return []
    before, after = (Counter(history[row].entry for _, row in part) for part in (dated[:-latest], dated[-latest:]))
    sizes, since = (len(dated) - latest, latest), dated[-latest][0]
    found = []
    for entry in dict.fromkeys([*before, *after]):
        shares = before[entry] / sizes[0], after[entry] / sizes[1]
        whole = (before[entry] + after[entry]) / len(dated)
        error = math.sqrt(whole * (1 - whole) * (1 / sizes[0] + 1 / sizes[1]))
        if error and abs(shares[1] - shares[0]) / error >= _CHANGED:
            found.append(Drift(entry, *shares, since))
    return sorted(found, key=lambda one: -abs(one.latest - one.earlier))
