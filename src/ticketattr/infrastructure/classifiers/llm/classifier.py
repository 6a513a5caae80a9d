"""A large language model as the classifier, whoever provides it.

A call that fails for a passing reason is repeated with backoff. A reason in the content of one batch fails that
batch. A quota or cost limit that is used up stops all further calls. What makes every call fail (the key, the
model) is a SettingsError.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from types import TracebackType

import anyio

from ....application.ports import BatchFailed, ClassifierStopped
from ....domain.catalog import ServiceCatalog
from ....domain.examples import NO_EXAMPLES, Examples
from ....domain.redaction.redactor import Redactor
from ....domain.ticket import Outcome, Ticket
from ....domain.usage import Bill, Usage
from ....errors import SettingsError
from ...network.rate_limit import RateLimit
from ...network.retries import MAX_WAIT, Patience, Transient, retrying
from ...options import LLMOptions
from ..redacted import RedactedBatch, redact_batch, redact_each
from .answer import outcomes_by_id
from .answer_schema import AnswerForm, AnswerForms
from .budget import Budget, Reserved
from .chat_model import (
    AskAgain,
    ChatAnswer,
    ChatModel,
    ChatModelError,
    ChatRequest,
    QuotaExhausted,
    RateLimited,
    RefusedParameters,
    ServerFailed,
    Unanswered,
    UnknownModel,
)
from .model_choice import ModelChoice
from .model_list import listed_models
from .outage import Outage, ServiceDown
from .prompt import tokens
from .style import COMPACT, FULL, PromptStyle

BACKOFF_FACTOR = 1.0
"""The wait before the first retry, in seconds."""

_TOKENS_PER_SECOND = 100
"""What a model is expected to write in one call: services name 50 to 300."""

_DEFAULT_PAUSE = 1.0
"""How long no call starts after the service wants fewer calls and does not say for how long, in seconds."""

_MODELS_NAMED = 8


class LLMClassifier:
    """Usable inside `async with`, in one event loop."""

    def __init__(self, chat_model: ChatModel, options: LLMOptions, redactor: Redactor | None = None) -> None:
        """With a `redactor`, what is private in tickets and examples is not sent, and put back into the answers."""
        self._chat_model = chat_model
        self._options = options
        self._redactor = redactor
        self._style = FULL if options.evidence else COMPACT
        self._rules = options.rules or self._style.default_rules()
        self.batch_size = options.batch_size
        self.concurrency = options.concurrency
        self._budget = Budget(options.prices, options.max_cost)
        self._choice = ModelChoice(chat_model, options.models, options.parameters)
        self._rate_limit = RateLimit(options.requests_per_minute, options.tokens_per_minute)
        self._forms = AnswerForms(chat_model.formats, self._style.schema)
        self._patience = Patience()
        self._outage = Outage(options.max_retries)
        self._batches = 0
        self._started = time.monotonic()

    async def __aenter__(self) -> LLMClassifier:
        self._started = time.monotonic()
        await self._chat_model.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._chat_model.__aexit__(kind, error, trace)

    @property
    def bill(self) -> Bill:
        seconds = round(time.monotonic() - self._started, 3)
        budget = self._budget
        models = ", ".join(budget.models) or self._choice.model
        usage, cost = budget.usage + budget.job_usage, budget.cost_with_jobs
        return Bill(usage, cost, seconds, models, tuple(self._choice.notes))

    def fingerprint(self, catalog: ServiceCatalog) -> str:
        provider, models = self._chat_model.provider.lower(), list(self._options.models)
        parameters = sorted(self._options.parameters.items())
        redactor = [self._redactor.fingerprint] if self._redactor else []
        text = json.dumps([provider, self._style.name, models, parameters, *redactor])
        text += _instruction(self._style, catalog, self._rules)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def estimate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES) -> Bill:
        usage = self._estimated_usage(self._batch(tickets, catalog, examples))
        # Calls overlap, and no two of them start sooner than the limits allow.
        answering = usage.tokens_out / _TOKENS_PER_SECOND / self.concurrency
        seconds = max(answering, self._rate_limit.seconds_of(usage.tokens_in))
        return Bill(usage, self._budget.cost_of(usage, self._choice.model), seconds)

    async def choose(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
    ) -> list[Outcome]:
        batch = self._batch(tickets, catalog, examples)
        try:
            answer = await self._forms.ask(lambda form: self._ask_with_retries(batch, form), catalog)
        except UnknownModel as error:
            raise await self._unknown_model() from error
        except QuotaExhausted as error:
            raise ClassifierStopped(error.reason, str(error)) from error
        except ChatModelError as error:
            raise BatchFailed(error.reason, str(error), lies_in_content=error.lies_in_content) from error
        except ServiceDown as error:
            raise BatchFailed("service_error", str(error), lies_in_content=False, is_transient=True) from error
        except Transient as error:
            lies_in_content = isinstance(error, ServerFailed)
            raise BatchFailed(
                "service_error", str(error), lies_in_content=lies_in_content, is_transient=True
            ) from error
        return batch.content.restored(self._style.read(answer.text, len(tickets), catalog, answer.model))

    def call_of_job(
        self, tickets: Sequence[Ticket], first: int, catalog: ServiceCatalog, examples: Examples
    ) -> ChatRequest:
        """Returns the call about these tickets for a batch job, in which their ids begin at `first`."""
        content = redact_each(tickets, examples.for_batch(tickets), self._redactor)
        batch = _Batch(0, content, catalog, self._rules, self._style, first)
        return self._request(batch, self._forms.form(catalog))

    def restored(self, outcome: Outcome, ticket: Ticket) -> Outcome:
        """Returns an outcome of a batch job with the private text of its ticket in its words."""
        return redact_batch([ticket], (), self._redactor).restored([outcome])[0]

    def read_from_job(self, answer: ChatAnswer, asked: str, catalog: ServiceCatalog) -> dict[int, Outcome]:
        """Returns the outcomes in an answer of a batch job by the ids of the tickets, and adds it to the bill.

        `asked` is the model that was asked. Raises BatchFailed when the answer cannot be read.
        """
        self._budget.record_job(answer.usage, asked=asked, answered=answer.model)
        return outcomes_by_id(self._style.items(answer.text, catalog), catalog, answer.model)

    @property
    def options(self) -> LLMOptions:
        """How the model is asked."""
        return self._options

    @property
    def budget(self) -> Budget:
        """What was used so far, and what may be used."""
        return self._budget

    def _batch(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples) -> _Batch:
        self._batches += 1
        content = redact_batch(tickets, examples.for_batch(tickets), self._redactor)
        return _Batch(self._batches, content, catalog, self._rules, self._style)

    async def _ask_with_retries(self, batch: _Batch, form: AnswerForm) -> ChatAnswer:
        estimate = self._estimated_usage(batch)
        async for attempt in retrying(self._options.max_retries, BACKOFF_FACTOR, self._patience):
            is_retry = attempt.num > 1
            with attempt:
                async with self._outage.call(batch.number, is_retry=is_retry):
                    return await self._ask_as_accepted(batch, form, estimate, is_retry=is_retry)
        raise AssertionError("stamina makes at least one attempt")

    async def _ask_as_accepted(self, batch: _Batch, form: AnswerForm, estimate: Usage, *, is_retry: bool) -> ChatAnswer:
        """Asks again without the parameters that the model refuses, and asks the next model when there is none.

        Ends, because there are fewer models or parameters each time, or fewer ways to ask that were not tried.
        """
        while True:
            request = self._request(batch, form)
            try:
                return await self._ask_within_budget(request, batch, estimate, is_retry=is_retry)
            except AskAgain:
                pass
            except RefusedParameters as refusal:
                self._choice.drop(request.model, refusal.parameters)
            except UnknownModel:
                if not self._choice.fall_back(request.model):
                    raise
            is_retry = True

    def _request(self, batch: _Batch, form: AnswerForm) -> ChatRequest:
        choice = self._choice
        return ChatRequest(choice.model, batch.system, batch.user, form.schema, choice.parameters(), format=form.format)

    async def _ask_within_budget(
        self, request: ChatRequest, batch: _Batch, estimate: Usage, *, is_retry: bool
    ) -> ChatAnswer:
        budget, tickets = self._budget, len(batch.content.tickets)
        async with budget.reserve(model=request.model, sent=request.size, tickets=tickets) as reserved:
            budget.record_call(is_retry=is_retry)
            await self._rate_limit.acquire(estimate.tokens_in)
            request = replace(request, max_tokens=reserved.max_tokens)
            try:
                answer = await self._ask_once(request)
            except Unanswered:
                budget.record_lost(reserved)
                raise
            except ChatModelError as error:
                # The service charges for an answer that it cut off or blocked.
                if error.usage != Usage():
                    self._record(error.usage, reserved, request, error.model or request.model, batch)
                raise
            if answer.wait:
                self._rate_limit.pause(min(answer.wait, MAX_WAIT))
            if answer.usage == Usage():
                budget.record_lost(reserved)
            self._record(answer.usage, reserved, request, answer.model, batch)
            self._choice.answered(request.model, answer.model, request.parameters)
            return answer

    def _record(self, usage: Usage, reserved: Reserved, request: ChatRequest, answered: str, batch: _Batch) -> None:
        self._budget.record_answer(
            usage,
            reserved,
            asked=request.model,
            answered=answered,
            tokens_in=batch.tokens,
            sent=request.size,
            tickets=len(batch.content.tickets),
        )

    async def _ask_once(self, request: ChatRequest) -> ChatAnswer:
        try:
            with anyio.fail_after(self._options.timeout):
                return await self._chat_model.ask(request)
        except TimeoutError:
            provider, timeout = self._chat_model.provider, self._options.timeout
            raise Unanswered(f"{provider} did not answer within {timeout:g} s") from None
        except RateLimited as error:
            wait = _DEFAULT_PAUSE if error.wait is None else min(max(error.wait, 0.0), MAX_WAIT)
            if self._patience.allows(wait):
                self._rate_limit.pause(wait)
            raise

    def _estimated_usage(self, batch: _Batch) -> Usage:
        return self._budget.estimate(batch.tokens, len(batch.content.tickets))

    async def _unknown_model(self) -> SettingsError:
        return SettingsError(
            f"{self._chat_model.provider} does not have the model {' nor '.join(self._options.models)}",
            hint=f"Set LLM_MODEL_NAME to a model that your key may use{await self._known_models()}.",
        )

    async def _known_models(self) -> str:
        """Returns some models that the key may use, as the end of a sentence; empty when the service names none."""
        names = await listed_models(self._chat_model, self._options.timeout)
        return f", such as {', '.join(names[:_MODELS_NAMED])}" if names else ""


@dataclass(frozen=True)
class _Batch:
    """The content of one call, and the texts that the model gets about it. `number` tells it from other batches.

    `first` is the id of the first ticket.
    """

    number: int
    content: RedactedBatch
    catalog: ServiceCatalog
    rules: str
    style: PromptStyle
    first: int = 1

    @property
    def system(self) -> str:
        return _instruction(self.style, self.catalog, self.rules)

    @cached_property
    def user(self) -> str:
        return self.style.user(self.content.tickets, self.content.examples, self.first)

    @property
    def tokens(self) -> int:
        """The size of the request, in tokens, as estimated from its text."""
        return tokens(self.system) + tokens(self.user)


@lru_cache(maxsize=32)
def _instruction(style: PromptStyle, catalog: ServiceCatalog, rules: str) -> str:
    """Cached, because every call of a run needs it."""
    return style.system(catalog, rules)
