"""A large language model that is asked in batch jobs, whoever provides it: prompt, answer, retries, limits and bill."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Protocol, TypeVar

from ....application.batch_jobs import JobInput, JobRefused, PreparedCall
from ....application.ports import BatchFailed
from ....domain.batch_job import BatchJob, RemoteJob, join_answers
from ....domain.catalog import ServiceCatalog
from ....domain.examples import Examples
from ....domain.ticket import Outcome, Ticket
from ....domain.wording import counted
from ....errors import ServiceError
from ...network.retries import Patience, retrying
from .chat_model import ChatAnswer, ChatModelError, QuotaExhausted, RateLimited, UnusableAnswer
from .classifier import BACKOFF_FACTOR, LLMClassifier
from .job_endpoint import JobAnswer, JobEndpoint

log = logging.getLogger(__name__)

T = TypeVar("T")

_MOST_TROUBLES = 3

Finish = Callable[[Sequence[Outcome], ServiceCatalog], list[Outcome]]
"""What is done to outcomes, such as mapping their confidence."""


class Cascade(Protocol):
    """A classifier that asks the model about some tickets only."""

    async def sure(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples
    ) -> Sequence[Outcome | None]:
        """What is decided without the model; None for the tickets that the model is asked about."""


class LLMJobs:
    """Fits `ticketattr.application.batch_jobs.BatchService`. What it asks and reads is that of `classifier`.

    In a `cascade`, it asks about those tickets only that are left to the model.
    """

    def __init__(
        self,
        classifier: LLMClassifier,
        endpoint: JobEndpoint,
        finish: Finish | None = None,
        cascade: Cascade | None = None,
    ) -> None:
        self._classifier = classifier
        self._endpoint = endpoint
        self._finish = finish or (lambda outcomes, _: list(outcomes))
        self._cascade = cascade
        self._patience = Patience()
        self.batch_size = classifier.batch_size
        self.model = classifier.options.models[0]

    async def __aenter__(self) -> LLMJobs:
        await self._endpoint.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._endpoint.__aexit__(kind, error, trace)

    async def without_model(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples
    ) -> list[Outcome | None]:
        if self._cascade is None:
            return [None] * len(tickets)
        outcomes = await self._cascade.sure(tickets, catalog, examples)
        finished = iter(self._finish([outcome for outcome in outcomes if outcome], catalog))
        return [outcome and next(finished) for outcome in outcomes]

    def prepare(
        self, batches: Sequence[Sequence[Ticket]], first: int, catalog: ServiceCatalog, examples: Examples
    ) -> list[PreparedCall]:
        requests = [
            self._classifier.call_of_job(batch, first + place * self.batch_size, catalog, examples)
            for place, batch in enumerate(batches)
        ]
        sizes = [(request.size, len(batch)) for request, batch in zip(requests, batches, strict=True)]
        limits = self._classifier.budget.limits_of_job(self.model, sizes)
        contents = [
            self._endpoint.content_of(replace(request, max_tokens=limit))
            for request, limit in zip(requests, limits, strict=False)
        ]
        return [PreparedCall(hashlib.sha256(content).hexdigest(), content) for content in contents]

    async def upload(self, display_name: str, calls: Sequence[PreparedCall]) -> JobInput:
        return await self._repeated(lambda: self._endpoint.upload(display_name, calls))

    async def create(self, display_name: str, calls: JobInput) -> RemoteJob:
        try:
            return await self._endpoint.create(display_name, self.model, calls)
        except (RateLimited, QuotaExhausted) as error:
            reason = error.reason if isinstance(error, QuotaExhausted) else "service_error"
            raise JobRefused(str(error), reason=reason, is_transient=True) from error
        except UnusableAnswer as error:
            # The service took the request, and what it made of it cannot be read.
            raise ServiceError(str(error)) from error
        except ChatModelError as error:
            raise JobRefused(str(error)) from error

    async def find(self, display_name: str) -> list[RemoteJob]:
        return await self._repeated(lambda: self._endpoint.find(display_name))

    async def poll(self, name: str) -> RemoteJob | None:
        return await self._repeated(lambda: self._endpoint.poll(name))

    async def cancel(self, name: str) -> None:
        await self._repeated(lambda: self._endpoint.cancel(name))

    async def answers(self, job: BatchJob, catalog: ServiceCatalog) -> Mapping[int, Outcome]:
        found = await self._repeated(lambda: self._endpoint.answers(job.name, job.model))
        keys = {call.key for call in job.calls}
        strangers = sum(bool(one.key) and one.key not in keys for one in found)
        if strangers:
            ignored = counted(strangers, "answer")
            log.warning("ignored in the batch job %s: %s of another job", job.display_name, ignored)
        ours = [one for one in found if not one.key or one.key in keys]
        troubles: Counter[str] = Counter()
        joined = join_answers([(one.key, self._read(one, job, catalog, troubles)) for one in ours], job.calls)
        for trouble, number in troubles.most_common(_MOST_TROUBLES):
            log.warning("batch job %s: %s: %s", job.display_name, counted(number, "failed call"), trouble)
        return dict(zip(joined, self._finish(list(joined.values()), catalog), strict=True))

    def restored(self, outcome: Outcome, ticket: Ticket) -> Outcome:
        return self._classifier.restored(outcome, ticket)

    def _read(
        self, one: JobAnswer, job: BatchJob, catalog: ServiceCatalog, troubles: Counter[str]
    ) -> Mapping[int, Outcome]:
        """The outcomes by id; none for a call that failed, whose tickets are asked about otherwise."""
        try:
            if isinstance(one.answer, ChatAnswer):
                return self._classifier.read_from_job(one.answer, job.model, catalog)
            self._classifier.budget.record_job(
                one.answer.usage, asked=job.model, answered=one.answer.model or job.model
            )
            troubles[str(one.answer)] += 1
        except BatchFailed as failure:
            troubles[str(failure)] += 1
        return {}

    async def _repeated(self, call: Callable[[], Awaitable[T]]) -> T:
        """Returns what `call` returns, which may be repeated at no cost. Raises SettingsError or ServiceError."""
        async for attempt in retrying(self._classifier.options.max_retries, BACKOFF_FACTOR, self._patience):
            with attempt, _as_service_error():
                return await call()
        raise AssertionError("stamina makes at least one attempt")


@contextmanager
def _as_service_error() -> Iterator[None]:
    try:
        yield
    except ChatModelError as error:
        raise ServiceError(str(error)) from error
