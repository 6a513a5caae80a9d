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
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import TracebackType

import anyio

from ....application.ports import BatchFailed, ClassifierStopped
from ....domain.catalog import ServiceCatalog
from ....domain.examples import NO_EXAMPLES, Example, Examples
from ....domain.ticket import Outcome, Ticket
from ....domain.usage import Bill, Usage
from ....errors import SettingsError
from ...options import LLMOptions
from ...rate_limit import RateLimit
from ...retries import MAX_WAIT, Transient, retrying
from .answer import read_answer
from .answer_schema import AnswerSchema
from .budget import Budget
from .chat_model import (
    ChatAnswer,
    ChatModel,
    ChatModelError,
    JSONSchema,
    QuotaExhausted,
    RateLimited,
    ServerFailed,
    UnknownModel,
)
from .outage import Outage, ServiceDown
from .prompt import PROMPT_VERSION, default_rules, system_instruction, tokens, user_text

_BACKOFF_FACTOR = 1.0
"""The wait before the first retry, in seconds."""

_DEFAULT_PAUSE = 1.0
"""How long no call starts after the service wants fewer calls and does not say for how long, in seconds."""

_MODELS_NAMED = 8


class LLMClassifier:
    """Usable inside `async with`, in one event loop."""

    def __init__(self, chat_model: ChatModel, options: LLMOptions) -> None:
        self._chat_model = chat_model
        self._options = options
        self._rules = options.rules or default_rules()
        self.batch_size = options.batch_size
        self.concurrency = options.concurrency
        self._budget = Budget(options.price, options.max_cost)
        self._rate_limit = RateLimit(options.pause, options.requests_per_minute, options.tokens_per_minute)
        self._schema = AnswerSchema()
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
        return Bill(self._budget.usage, self._budget.cost, seconds=seconds, model=self._chat_model.model)

    def fingerprint(self, catalog: ServiceCatalog) -> str:
        chat_model = self._chat_model
        parameters = json.dumps([chat_model.provider.lower(), PROMPT_VERSION, *chat_model.parameters])
        text = parameters + _instruction(catalog, self._rules)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def estimate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES) -> Bill:
        usage = self._estimated_usage(self._batch(tickets, catalog, examples))
        return Bill(usage, self._budget.cost_of(usage))

    async def choose(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
    ) -> list[Outcome]:
        batch = self._batch(tickets, catalog, examples)
        try:
            answer = await self._schema.ask(lambda schema: self._ask_with_retries(batch, schema), catalog)
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
        return read_answer(answer.text, len(tickets), catalog)

    def _batch(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples) -> _Batch:
        self._batches += 1
        return _Batch(self._batches, tickets, catalog, examples.for_batch(tickets), self._rules)

    async def _ask_with_retries(self, batch: _Batch, schema: JSONSchema) -> ChatAnswer:
        estimate = self._estimated_usage(batch)
        async for attempt in retrying(self._options.max_retries, _BACKOFF_FACTOR):
            is_retry = attempt.num > 1
            with attempt:
                async with self._outage.call(batch.number, is_retry=is_retry):
                    with self._budget.reserve(estimate):
                        self._budget.record_call(is_retry=is_retry)
                        await self._rate_limit.acquire(estimate.tokens_in)
                        return await self._ask_once(batch, schema)
        raise AssertionError("stamina makes at least one attempt")

    async def _ask_once(self, batch: _Batch, schema: JSONSchema) -> ChatAnswer:
        try:
            with anyio.fail_after(self._options.timeout):
                answer = await self._chat_model.ask(batch.system, batch.user, schema)
        except TimeoutError:
            provider, timeout = self._chat_model.provider, self._options.timeout
            raise Transient(f"{provider} did not answer within {timeout:g} s") from None
        except RateLimited as error:
            self._rate_limit.pause(_DEFAULT_PAUSE if error.wait is None else min(error.wait, MAX_WAIT))
            raise
        except ChatModelError as error:
            # The service charges for an answer that it cut off or blocked.
            if error.usage != Usage():
                self._budget.record_answer(error.usage, batch.tokens, len(batch.tickets))
            raise
        self._budget.record_answer(answer.usage, batch.tokens, len(batch.tickets))
        return answer

    def _estimated_usage(self, batch: _Batch) -> Usage:
        return self._budget.estimate(batch.tokens, len(batch.tickets))

    async def _unknown_model(self) -> SettingsError:
        return SettingsError(
            f"{self._chat_model.provider} does not have the model {self._chat_model.model}",
            hint=f"Set LLM_MODEL_NAME to a model that your key may use{await self._known_models()}.",
        )

    async def _known_models(self) -> str:
        """Returns some models that the key may use, as the end of a sentence; empty when the service names none."""
        try:
            with anyio.fail_after(self._options.timeout):
                names = await self._chat_model.list_models()
        except (TimeoutError, Transient, SettingsError, ChatModelError):
            return ""
        return f", such as {', '.join(names[:_MODELS_NAMED])}" if names else ""


@dataclass(frozen=True)
class _Batch:
    """The tickets of one call, and the texts that the model gets about them. `number` tells it from other batches."""

    number: int
    tickets: Sequence[Ticket]
    catalog: ServiceCatalog
    examples: Sequence[Example]
    rules: str

    @property
    def system(self) -> str:
        return _instruction(self.catalog, self.rules)

    @cached_property
    def user(self) -> str:
        return user_text(self.tickets, self.examples)

    @property
    def tokens(self) -> int:
        """The size of the request, in tokens, as estimated from its text."""
        return tokens(self.system) + tokens(self.user)


@lru_cache(maxsize=32)
def _instruction(catalog: ServiceCatalog, rules: str) -> str:
    """Cached, because every call of a run needs it."""
    return system_instruction(catalog, rules)
