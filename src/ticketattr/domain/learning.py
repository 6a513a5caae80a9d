"""Learning from the labelled tickets of a helpdesk: what is learned from, and the card that says what it is worth."""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TypeAlias

from .catalog import RequestType, ServiceCatalog, fold
from .gold import GoldTicket
from .languages import language_of
from .scoring import Prediction, calibration_error, coverage_at_precision
from .statistics import Estimate, wilson_estimate
from .ticket import Ticket

FOLDS = 5
FEWEST_LETTERS = 2
MOST_TICKETS = 100_000
"""How many tickets are learned from: the latest ones. More would take longer and hardly teach more."""

_ALIKE = 0.6
_NO_TIME = datetime.min.replace(tzinfo=timezone.utc)
_DATED = 0.9
"""The share of tickets with a readable time from which on the latest fifth is measured."""

Pair: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LabelledTicket:
    """A ticket with the names of the category and the request type that people gave it, as they were then."""

    ticket: Ticket
    pair: Pair


def with_request_type(tickets: Iterable[Ticket]) -> Iterator[LabelledTicket]:
    """Yields the tickets that have a request type, with it as their label."""
    for ticket in tickets:
        if ticket.request_type:
            yield LabelledTicket(ticket, (ticket.request_category, ticket.request_type))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a cross-validation about the ticket `row`. `label` and `chosen` are positions of request types."""

    row: int
    label: int
    chosen: int
    confidence: float

    @property
    def is_right(self) -> bool:
        """Whether the label was chosen."""
        return self.chosen == self.label


@dataclass(frozen=True, slots=True)
class Figures:
    """How good answers are. `ece` is the expected calibration error.

    `coverage` is the share of tickets that can be decided alone with the precision `target`: those from the confidence
    `threshold` on (None: there is no such confidence). `precision` is what they reached.
    """

    tickets: int
    accuracy: Estimate
    ece: float
    target: float
    coverage: Estimate
    precision: Estimate
    threshold: float | None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model was learned from, and what it reaches.

    `types` counts the tickets of each request type, `languages` those of each language that was recognised.
    `left_out` says how many tickets did not count, and why. `repeated` tickets have the words of another one.
    `cross_validation`, `latest` (the latest fifth by time) and `without` (no learning) are None where there are too few
    tickets. `first` and `last` are creation times.
    """

    tickets: int
    repeated: int
    types: Mapping[str, int]
    languages: Mapping[str, int]
    left_out: Mapping[str, int]
    first: str
    last: str
    cross_validation: Figures | None
    latest: Figures | None
    without: Figures | None


def figures_of(
    answers: Sequence[Answer], tickets: Sequence[GoldTicket], catalog: ServiceCatalog, target: float
) -> Figures | None:
    """The figures of answers about `tickets`; None without answers."""
    if not answers:
        return None
    predictions = [
        Prediction.of(tickets[answer.row], catalog.entries[answer.chosen], answer.confidence) for answer in answers
    ]
    reach = coverage_at_precision(predictions, target)
    return Figures(
        tickets=len(answers),
        accuracy=wilson_estimate(sum(answer.is_right for answer in answers), len(answers)),
        ece=calibration_error([(answer.confidence, answer.is_right) for answer in answers]),
        target=target,
        coverage=reach.coverage,
        precision=reach.precision,
        threshold=reach.threshold,
    )


def is_empty(ticket: Ticket) -> bool:
    """Whether a ticket has no text to learn from."""
    return sum(map(str.isalnum, ticket.short_description + ticket.long_description)) < FEWEST_LETTERS


def same_words(ticket: Ticket) -> str:
    """What tickets with the same words have in common."""
    return " ".join(fold(" ".join(ticket.texts)).split())


def digest_of_words(ticket: Ticket) -> int:
    """A number of 64 bits that is the same for tickets with the same words."""
    return int.from_bytes(hashlib.blake2b(same_words(ticket).encode("utf-8", "replace"), digest_size=8).digest(), "big")


def unknown_labels(counts: Mapping[Pair, int], catalog: ServiceCatalog) -> dict[Pair, int]:
    """How many tickets have each label that is not in the catalog, the most frequent first."""
    return {pair: count for pair, count in Counter(counts).most_common() if not catalog.find(*pair)}


def new_names(pairs: Iterable[Pair], catalog: ServiceCatalog, used: Iterable[Pair]) -> dict[Pair, RequestType]:
    """The entries that labels may be called now, by the names of the types; without the labels that no entry is like.

    `used` are all labels of the history: an entry that no ticket has comes first.
    """
    taken = {catalog.find(*label) for label in used}
    unused = [entry for entry in catalog.entries if entry not in taken]
    found = {pair: _most_similar(pair, unused) or _most_similar(pair, catalog.entries) for pair in pairs}
    return {pair: entry for pair, entry in found.items() if entry}


def _most_similar(pair: Pair, entries: Sequence[RequestType]) -> RequestType | None:
    category, name = map(fold, pair)
    matcher = difflib.SequenceMatcher(b=name)
    best, rank = None, (_ALIKE, False)
    for entry in entries:
        matcher.set_seq1(fold(entry.name))
        found = matcher.ratio(), fold(entry.category) == category
        if found > rank:
            best, rank = entry, found
    return best


def in_order_of_time(times: Sequence[datetime | None]) -> list[int]:
    """The positions of tickets, the earliest first; those without a time come before all others, in their order."""
    return sorted(range(len(times)), key=lambda place: times[place] or _NO_TIME)


def latest_fifth(times: Sequence[datetime | None]) -> list[int]:
    """The positions of the latest fifth of tickets; none if too few of them have a time, or all have the same."""
    known = [time for time in times if time]
    if len(known) < _DATED * len(times) or len(set(known)) < FOLDS:
        return []
    return sorted(in_order_of_time(times)[-(len(times) // FOLDS) :])


def languages_of(tickets: Iterable[Ticket]) -> dict[str, int]:
    """How many tickets are in each language that was recognised, the most frequent first."""
    counts = Counter(language_of(f"{ticket.short_description} {ticket.long_description[:500]}") for ticket in tickets)
    return {language: count for language, count in counts.most_common() if language}
