"""Attribute each ticket to an entry of the catalog, or say why not."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import anyio

from ..domain.catalog import ServiceCatalog
from ..domain.ticket import AttributedTicket, Attribution, Outcome, Ticket
from ..domain.usage import Bill, Plan, Usage
from .batches import Answers, ask_in_batches
from .ports import AnswerCache, Classifier, Progress

log = logging.getLogger(__name__)


def classify_tickets(
    tickets: Sequence[Ticket],
    catalog: ServiceCatalog,
    classifier: Classifier,
    cache: AnswerCache,
    progress: Progress,
) -> list[AttributedTicket]:
    """Every ticket with its outcome, in the order of the queue.

    Who decides, first match: the pair that a ticket came with, if the catalog has it; an earlier answer to
    the same question; the classifier, which is asked once for tickets of the same text. Raises
    SettingsError when no answer can be had.
    """
    open_questions = _open_questions(tickets, catalog, classifier, cache)
    log.info("%s", open_questions)
    answers = {**open_questions.known, **_ask(open_questions, catalog, classifier, cache, progress)}
    return [
        AttributedTicket(ticket, open_questions.kept.get(place) or answers[open_questions.keys[place]])
        for place, ticket in enumerate(tickets)
    ]


def plan_classification(
    tickets: Sequence[Ticket], catalog: ServiceCatalog, classifier: Classifier, cache: AnswerCache
) -> Plan:
    """What `classify_tickets` would ask for, without asking."""
    open_questions = _open_questions(tickets, catalog, classifier, cache)
    asked = list(open_questions.to_ask.values())
    size = classifier.batch_size
    batches = [asked[start : start + size] for start in range(0, len(asked), size)]
    bills = [classifier.estimate(batch, catalog) for batch in batches]
    costs = [bill.cost for bill in bills]
    return Plan(
        tickets=len(tickets),
        kept=len(open_questions.kept),
        cached=open_questions.cached_tickets,
        to_ask=len(asked),
        batches=len(batches),
        bill=Bill(
            usage=sum((bill.usage for bill in bills), Usage()),
            cost=None if None in costs else sum(cost for cost in costs if cost is not None),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Questions:
    """The tickets by what has to be asked: kept and keys by place, known and to_ask by key."""

    kept: dict[int, Outcome]
    keys: dict[int, str]
    known: dict[str, Outcome]
    to_ask: dict[str, Ticket]

    @property
    def cached_tickets(self) -> int:
        return sum(key in self.known for key in self.keys.values())

    def __str__(self) -> str:
        return (
            f"{len(self.kept)} tickets keep the pair they came with, {self.cached_tickets} were answered before, "
            f"{len(self.to_ask)} different ones to ask about"
        )


def _open_questions(
    tickets: Sequence[Ticket], catalog: ServiceCatalog, classifier: Classifier, cache: AnswerCache
) -> _Questions:
    kept = {place: outcome for place, ticket in enumerate(tickets) if (outcome := _kept(ticket, catalog))}
    fingerprint = classifier.fingerprint(catalog)
    keys = {place: _key(ticket, fingerprint) for place, ticket in enumerate(tickets) if place not in kept}
    by_key = {key: tickets[place] for place, key in keys.items()}
    known = {key: _as_cached(outcome) for key, outcome in cache.get(list(by_key), catalog).items()}
    return _Questions(kept, keys, known, {key: ticket for key, ticket in by_key.items() if key not in known})


def _ask(
    questions: _Questions, catalog: ServiceCatalog, classifier: Classifier, cache: AnswerCache, progress: Progress
) -> dict[str, Outcome]:
    keys = list(questions.to_ask)
    if not keys:
        return {}

    def keep(answers: Answers) -> None:
        cache.put({keys[place]: outcome for place, outcome in answers.items()})

    asked = list(questions.to_ask.values())
    outcomes = anyio.run(ask_in_batches, asked, catalog, classifier, keep, progress)
    return dict(zip(keys, outcomes, strict=True))


def _kept(ticket: Ticket, catalog: ServiceCatalog) -> Outcome | None:
    entry = catalog.find(ticket.request_category, ticket.request_type)
    return Attribution(entry, source="kept") if entry else None


def _as_cached(outcome: Outcome) -> Outcome:
    return replace(outcome, source="cached") if isinstance(outcome, Attribution) else outcome


def _key(ticket: Ticket, fingerprint: str) -> str:
    """Names a question in full: what is asked, and whatever else decides the answer."""
    parts = (fingerprint, ticket.short_description, ticket.long_description)
    # The lengths keep texts apart whose ends and beginnings would otherwise run together.
    framed = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(framed.encode("utf-8", "surrogatepass")).hexdigest()
