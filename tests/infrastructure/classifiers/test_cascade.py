"""The embedded classifier decides where it is sure, and a model decides the rest."""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from ticketattr.application.classify import classify_tickets
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.examples import NO_EXAMPLES, Examples
from ticketattr.domain.ticket import Attribution, Ticket
from ticketattr.domain.usage import Bill, Usage
from ticketattr.infrastructure.classifiers.answer_cache import NoAnswerCache
from ticketattr.infrastructure.classifiers.cascade import CascadeClassifier
from ticketattr.infrastructure.classifiers.gemini.job_endpoint import GeminiJobEndpoint
from ticketattr.infrastructure.classifiers.llm.classifier import LLMClassifier
from ticketattr.infrastructure.classifiers.llm.job_service import LLMJobs
from ticketattr.infrastructure.options import ChatModelOptions, LLMOptions

from ...fakes import CATALOG, PASSWORD, FakeChatModel, ScriptedClassifier, a_correction


def test_the_model_is_shown_the_examples_of_the_tickets_that_it_is_asked_about() -> None:
    """The cascade takes five batches of the model at once. The examples of the first ones must not displace others."""
    words = [f"word{number}" for number in range(30)]
    tickets = [Ticket(str(number), f"{word} fails") for number, word in enumerate(words)]
    model = ScriptedClassifier(batch_size=6)
    cascade = CascadeClassifier(ScriptedClassifier(batch_size=500), model, threshold=0.8)
    corrections = [a_correction(f"{word} failed", id=f"C-{number}") for number, word in enumerate(words)]
    classify_tickets(tickets, CATALOG, cascade, NoAnswerCache(), lambda done, total: None, corrections)
    assert len(model.shown) == 5
    for batch, examples in zip(model.shown, model.examples, strict=True):
        expected = {ticket.short_description.replace("fails", "failed") for ticket in batch}
        assert {example.short_description for example in examples} == expected


class Counting(ScriptedClassifier):
    """Estimates a call for each batch, and refuses a batch that is too large."""

    def estimate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES) -> Bill:
        assert len(tickets) <= self.batch_size
        return Bill(Usage(calls=1, tokens_in=len(tickets)))


def test_an_estimate_counts_each_call_of_the_model() -> None:
    cascade = CascadeClassifier(ScriptedClassifier(batch_size=500), Counting(batch_size=6), threshold=0.8)
    tickets = [Ticket(str(number), "text") for number in range(20)]
    assert cascade.estimate(tickets, CATALOG) == Bill(Usage(calls=4, tokens_in=20))


def test_what_needs_no_batch_job_is_finished_as_its_answers_are() -> None:
    first = ScriptedClassifier(lambda ticket: None if ticket.id == "2" else PASSWORD)
    llm = LLMClassifier(FakeChatModel(lambda request: AssertionError()), LLMOptions(("fake-1",)))
    finished = Attribution(PASSWORD, "offline", 0.5)
    jobs = LLMJobs(
        llm,
        GeminiJobEndpoint(ChatModelOptions("key")),
        lambda outcomes, catalog: [finished for _ in outcomes],
        CascadeClassifier(first, llm, threshold=0.0),
    )
    tickets = [Ticket(number, "text") for number in "123"]
    assert anyio.run(jobs.without_model, tickets, CATALOG, NO_EXAMPLES) == [finished, None, finished]
