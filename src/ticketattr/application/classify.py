"""Attribute each ticket to a request type of the catalog, or say why there is none."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ..domain.catalog import ServiceCatalog
from ..domain.correction import Correction, decisions
from ..domain.digest import digest
from ..domain.examples import Example, Examples
from ..domain.gold import GoldTicket
from ..domain.ticket import AttributedTicket, Attribution, Decision, Outcome, Ticket
from ..domain.usage import NOTHING_PLANNED, ClassificationPlan, total
from ..domain.wording import counted
from .batch_jobs import BatchJobs, ask_in_jobs
from .batches import Answers, ask_in_batches, chunks
from .interruptible import run_interruptible
from .ports import AnswerCache, Classifier, Progress

log = logging.getLogger(__name__)

_TEXTS_AT_ONCE = 10_000


def classify_tickets(
    tickets: Sequence[Ticket],
    catalog: ServiceCatalog,
    classifier: Classifier,
    cache: AnswerCache,
    progress: Progress,
    corrections: Sequence[Correction] = (),
    labelled: Sequence[GoldTicket] = (),
    jobs: BatchJobs | None = None,
) -> list[AttributedTicket]:
    """Returns every ticket with its outcome, in the order of the queue.

    The first of these decides: a person, by one of the `corrections` that are in force; the pair that the ticket
    came with; a cached answer about the same text; the classifier. Tickets with the same text are classified once.
    The classifier is shown what people decided about similar tickets: corrections and `labelled` tickets. A pair
    that is not in the catalog decides nothing. With `jobs`, what the jobs of earlier runs answered is taken first, and
    many tickets are asked about in jobs; those that have no answer yet are pending. Raises SettingsError when no batch
    can succeed.
    """
    examples = Examples(corrections, catalog, labelled)
    return _classified(tickets, catalog, classifier, cache, progress, corrections, examples, jobs)


def classify_stream(
    tickets: Iterable[Ticket],
    catalog: ServiceCatalog,
    classifier: Classifier,
    cache: AnswerCache,
    corrections: Sequence[Correction] = (),
    labelled: Sequence[GoldTicket] = (),
) -> Iterator[AttributedTicket]:
    """Yields every ticket with its outcome, in their order. As many are in memory as are asked about at once.

    It decides as `classify_tickets` does; only tickets of the same part of the stream share an answer, and an id counts
    as unique if it is unique in its part. The same tickets in the same order always make the same parts.
    """
    examples = Examples(corrections, catalog, labelled)
    for part in _parts(tickets, classifier):
        yield from _classified(part, catalog, classifier, cache, _no_progress, corrections, examples)


def _parts(tickets: Iterable[Ticket], classifier: Classifier) -> Iterator[list[Ticket]]:
    """Yields as many of the tickets as are asked about at once."""
    remaining = iter(tickets)
    while part := list(islice(remaining, max(classifier.batch_size * classifier.concurrency, 1))):
        yield part


def classify_texts(
    tickets: Iterable[Ticket],
    count: int,
    catalog: ServiceCatalog,
    classifier: Classifier,
    cache: AnswerCache,
    progress: Progress,
    labelled: Sequence[GoldTicket] = (),
) -> list[Outcome]:
    """Returns the outcomes of `count` tickets, in their order, by what their texts say alone.

    They are those of `classify_tickets`, from the same batches, but only some 10,000 texts are in memory at a time. Of
    earlier ones, there is a digest and the outcome. Raises SettingsError when no batch can succeed.
    """
    examples, fingerprint = Examples((), catalog, labelled), classifier.fingerprint(catalog)
    at_once = max(classifier.batch_size * classifier.concurrency, 1)
    # Many batches at once: those of one part are answered before those of the next one are sent.
    at_once *= max(_TEXTS_AT_ONCE // at_once, 1)
    numbers: dict[str, int] = {}
    of_tickets = array("q")
    to_ask: dict[str, Ticket] = {}
    answers: dict[int, Outcome] = {}

    def answer(keys: Sequence[str]) -> None:
        before, unread = len(numbers) - len(to_ask), count - len(of_tickets)
        asked = {key: to_ask.pop(key) for key in keys}
        total_now = len(numbers) + unread
        found = _ask(asked, catalog, classifier, cache, examples, lambda done, _: progress(before + done, total_now))
        answers.update((numbers[key], outcome) for key, outcome in found.items())

    remaining = iter(tickets)
    while part := list(islice(remaining, at_once)):
        keys = [_key(ticket, fingerprint, examples.nearest(ticket)) for ticket in part]
        new = {key: ticket for key, ticket in zip(keys, part, strict=True) if key not in numbers}
        for key in new:
            numbers[key] = len(numbers)
        of_tickets.extend(numbers[key] for key in keys)
        known = {key: _as_cached(outcome) for key, outcome in cache.get(new, catalog).items()}
        answers.update((numbers[key], outcome) for key, outcome in known.items())
        to_ask |= {key: ticket for key, ticket in new.items() if key not in known}
        if len(to_ask) >= at_once:
            answer(list(to_ask)[:at_once])
    answer(list(to_ask))
    return [answers[number] for number in of_tickets]


def _no_progress(done: int, of: int) -> None:
    return None


def _classified(
    tickets: Sequence[Ticket],
    catalog: ServiceCatalog,
    classifier: Classifier,
    cache: AnswerCache,
    progress: Progress,
    corrections: Sequence[Correction],
    examples: Examples,
    jobs: BatchJobs | None = None,
) -> list[AttributedTicket]:
    open_tickets = _open_tickets(tickets, catalog, classifier, cache, examples, corrections)
    log.log(logging.DEBUG if progress is _no_progress else logging.INFO, "%s", open_tickets)
    in_jobs = _ask_in_jobs(jobs, open_tickets, catalog, classifier, cache, examples) if jobs else {}
    open_tickets = open_tickets.without(in_jobs)
    asked = _ask(open_tickets.to_ask, catalog, classifier, cache, examples, progress)
    answers = {**open_tickets.known, **in_jobs, **asked}
    return [
        AttributedTicket(ticket, open_tickets.decided.get(place) or answers[open_tickets.keys[place]], decision)
        for place, (ticket, decision) in enumerate(zip(tickets, open_tickets.decisions, strict=True))
    ]


def plan_classification(
    tickets: Sequence[Ticket],
    catalog: ServiceCatalog,
    classifier: Classifier,
    cache: AnswerCache,
    corrections: Sequence[Correction] = (),
    labelled: Sequence[GoldTicket] = (),
) -> ClassificationPlan:
    """Returns what `classify_tickets` would ask the classifier about, and an estimate of the cost. Asks nothing."""
    return _planned(tickets, catalog, classifier, cache, corrections, Examples(corrections, catalog, labelled))


def plan_stream(
    tickets: Iterable[Ticket],
    catalog: ServiceCatalog,
    classifier: Classifier,
    cache: AnswerCache,
    corrections: Sequence[Correction] = (),
    labelled: Sequence[GoldTicket] = (),
) -> ClassificationPlan:
    """The same for `classify_stream`, with as many tickets in memory."""
    examples = Examples(corrections, catalog, labelled)
    plans = (_planned(part, catalog, classifier, cache, corrections, examples) for part in _parts(tickets, classifier))
    return sum(plans, NOTHING_PLANNED)


def _planned(
    tickets: Sequence[Ticket],
    catalog: ServiceCatalog,
    classifier: Classifier,
    cache: AnswerCache,
    corrections: Sequence[Correction],
    examples: Examples,
) -> ClassificationPlan:
    open_tickets = _open_tickets(tickets, catalog, classifier, cache, examples, corrections)
    asked = list(open_tickets.to_ask.values())
    batches = list(chunks(asked, classifier.batch_size))
    return ClassificationPlan(
        tickets=len(tickets),
        kept=len(open_tickets.decided) - open_tickets.corrected_tickets,
        cached=open_tickets.cached_tickets,
        to_ask=len(asked),
        batches=len(batches),
        bill=total(classifier.estimate(batch, catalog, examples) for batch in batches),
        corrected=open_tickets.corrected_tickets,
    )


@dataclass(frozen=True, slots=True)
class _OpenTickets:
    """The tickets, sorted by what is known: `decided` and `keys` by position, `known` and `to_ask` by key.

    `decisions` are those of people, in the order of the queue.
    """

    decisions: list[Decision | None]
    decided: dict[int, Attribution]
    keys: dict[int, str]
    known: dict[str, Outcome]
    to_ask: dict[str, Ticket]

    @property
    def cached_tickets(self) -> int:
        return sum(key in self.known for key in self.keys.values())

    @property
    def corrected_tickets(self) -> int:
        return sum(decision is not None and decision.holds for decision in self.decisions)

    def without(self, asked: Container[str]) -> _OpenTickets:
        """These tickets, of which those with the keys `asked` need not be asked about."""
        return replace(self, to_ask={key: ticket for key, ticket in self.to_ask.items() if key not in asked})

    def __str__(self) -> str:
        return (
            f"{counted(self.corrected_tickets, 'ticket')} decided by a person, "
            f"{len(self.decided) - self.corrected_tickets} with the pair from the helpdesk, "
            f"{self.cached_tickets} with a cached answer; "
            f"{counted(len(self.to_ask), 'different text')} left to ask about"
        )


def _open_tickets(
    tickets: Sequence[Ticket],
    catalog: ServiceCatalog,
    classifier: Classifier,
    cache: AnswerCache,
    examples: Examples,
    corrections: Sequence[Correction],
) -> _OpenTickets:
    by_people = decisions(tickets, corrections, catalog)
    decided = {
        place: outcome
        for place, (ticket, decision) in enumerate(zip(tickets, by_people, strict=True))
        if (outcome := _by_person(decision, catalog) or _kept(ticket, catalog))
    }
    fingerprint = classifier.fingerprint(catalog)
    keys = {
        place: _key(ticket, fingerprint, examples.nearest(ticket))
        for place, ticket in enumerate(tickets)
        if place not in decided
    }
    different = {key: tickets[place] for place, key in keys.items()}
    known = {key: _as_cached(outcome) for key, outcome in cache.get(different, catalog).items()}
    return _OpenTickets(
        by_people, decided, keys, known, {key: ticket for key, ticket in different.items() if key not in known}
    )


def _ask_in_jobs(
    jobs: BatchJobs,
    open_tickets: _OpenTickets,
    catalog: ServiceCatalog,
    classifier: Classifier,
    cache: AnswerCache,
    examples: Examples,
) -> dict[str, Outcome]:
    fingerprint = classifier.fingerprint(catalog)
    return run_interruptible(ask_in_jobs, jobs, open_tickets.to_ask, catalog, fingerprint, examples, cache.put)


def _ask(
    to_ask: Mapping[str, Ticket],
    catalog: ServiceCatalog,
    classifier: Classifier,
    cache: AnswerCache,
    examples: Examples,
    progress: Progress,
) -> dict[str, Outcome]:
    keys = list(to_ask)
    if not keys:
        return {}

    def keep(answers: Answers) -> None:
        cache.put({keys[place]: outcome for place, outcome in answers.items()}, to_ask)

    asked = list(to_ask.values())
    outcomes = run_interruptible(ask_in_batches, asked, catalog, classifier, keep, progress, examples)
    return dict(zip(keys, outcomes, strict=True))


def _by_person(decision: Decision | None, catalog: ServiceCatalog) -> Attribution | None:
    if decision is None or not decision.holds:
        return None
    entry = catalog.find(decision.request_category, decision.request_type)
    return Attribution(entry, source="confirmed" if decision.is_confirmation else "corrected") if entry else None


def _kept(ticket: Ticket, catalog: ServiceCatalog) -> Attribution | None:
    entry = catalog.find(ticket.request_category, ticket.request_type)
    return Attribution(entry, source="kept") if entry else None


def _as_cached(outcome: Outcome) -> Outcome:
    return replace(outcome, source="cached") if isinstance(outcome, Attribution) else outcome


def _key(ticket: Ticket, fingerprint: str, examples: Sequence[Example]) -> str:
    """Returns a digest of everything that decides the answer: the text, the examples shown and the classifier."""
    shown = [part for example in examples for part in (*example.texts, str(example.entry))]
    return digest((fingerprint, *ticket.texts, *shown))
