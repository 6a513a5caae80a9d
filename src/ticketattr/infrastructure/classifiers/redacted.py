"""Redaction around a model: what is private does not reach it, and is put back into its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...application.ports import AnswerCache
from ...domain.catalog import ServiceCatalog
from ...domain.examples import Example
from ...domain.redaction.redactor import Redaction, Redactor
from ...domain.ticket import Attribution, Outcome, Ticket

_LONGEST_EXAMPLE = 4_000
"""How many characters of a description are read for an example, of which far fewer are sent."""
_LONGEST_EVIDENCE = 1_000
"""Evidence that would be longer than that keeps its placeholders, in characters."""


@dataclass(frozen=True, slots=True)
class RedactedBatch:
    """The tickets and examples of one call as the model gets them. `redaction` is None where nothing is hidden."""

    tickets: Sequence[Ticket]
    examples: Sequence[Example]
    redaction: Redaction | None = None

    def restored(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Returns the outcomes, in the order of the tickets, with the private text of each ticket in their words.

        Words about one ticket never get the private text of another.
        """
        if self.redaction is None:
            return list(outcomes)
        return [_restored(outcome, self.redaction, place) for place, outcome in enumerate(outcomes)]


def redact_batch(tickets: Sequence[Ticket], examples: Sequence[Example], redactor: Redactor | None) -> RedactedBatch:
    """Returns what a model may see of the tickets and examples. Equal texts always give equal placeholders."""
    if redactor is None:
        return RedactedBatch(tickets, examples)
    shown = [tuple(text[:_LONGEST_EXAMPLE] for text in example.full_texts) for example in examples]
    redaction = redactor.redact([*(ticket.texts for ticket in tickets), *shown])
    texts = redaction.documents
    return RedactedBatch(
        [_with_texts(ticket, *texts[place]) for place, ticket in enumerate(tickets)],
        [
            replace(example, short_description=short, long_description=long)
            for example, (short, long) in zip(examples, texts[len(tickets) :], strict=True)
        ],
        redaction,
    )


def redact_each(tickets: Sequence[Ticket], examples: Sequence[Example], redactor: Redactor | None) -> RedactedBatch:
    """Returns what a model may see of them, with placeholders that depend on nothing but the ticket that has them.

    Whoever reads the answer later may not have the other tickets any more.
    """
    alone = [redact_batch([ticket], (), redactor).tickets[0] for ticket in tickets]
    return RedactedBatch(alone, redact_batch((), examples, redactor).examples)


def _with_texts(ticket: Ticket, short_description: str, long_description: str) -> Ticket:
    return replace(ticket, short_description=short_description, long_description=long_description)


class RedactedAnswerCache:
    """A cache of answers whose words have placeholders in the file, and the private text for whoever asks."""

    def __init__(self, cache: AnswerCache, redactor: Redactor) -> None:
        self._cache = cache
        self._redactor = redactor

    def get(self, tickets: Mapping[str, Ticket], catalog: ServiceCatalog) -> dict[str, Outcome]:
        found = self._cache.get(tickets, catalog)
        return {key: self._shown(outcome, tickets[key]) for key, outcome in found.items()}

    def put(self, answers: Mapping[str, Outcome], tickets: Mapping[str, Ticket]) -> None:
        self._cache.put({key: self._hidden(outcome, tickets[key]) for key, outcome in answers.items()}, tickets)

    def _shown(self, outcome: Outcome, ticket: Ticket) -> Outcome:
        if "[" not in _words(outcome):
            return outcome
        return _restored(outcome, self._redactor.redact([ticket.texts]), 0)

    def _hidden(self, outcome: Outcome, ticket: Ticket) -> Outcome:
        words = _words(outcome)
        if not words:
            return outcome
        hidden = self._redactor.redact([ticket.texts]).hidden(words)
        # A model may quote what is in no ticket: that gets placeholders that nothing is put back for.
        return _with_words(outcome, self._redactor.redact([(hidden,)]).documents[0][0])


def _restored(outcome: Outcome, redaction: Redaction, document: int) -> Outcome:
    words = redaction.restored(_words(outcome), document)
    return outcome if len(words) > _LONGEST_EVIDENCE else _with_words(outcome, words)


def _words(outcome: Outcome) -> str:
    return outcome.evidence if isinstance(outcome, Attribution) else outcome.detail


def _with_words(outcome: Outcome, words: str) -> Outcome:
    if isinstance(outcome, Attribution):
        return replace(outcome, evidence=words)
    return replace(outcome, detail=words)
