"""Google Gemini as the classifier, through google-genai.

Transport trouble is retried with backoff. What lies in the content of one batch fails that batch; a used-up
quota or cost limit stops all further calls; what no call can survive (the key, the model) is a SettingsError.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
import warnings
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import TracebackType
from typing import Any, TypeAlias

import anyio
import httpx
from google import genai
from google.genai import types

from ....application.ports import BatchFailed, ClassifierStopped
from ....domain.catalog import ServiceCatalog
from ....domain.examples import Example
from ....domain.ticket import Outcome, Ticket
from ....domain.usage import Bill, Usage
from ....errors import SettingsError
from ...options import GeminiOptions
from ...retries import MAX_WAIT, Transient, retrying
from ..llm.answer import read_answer
from ..llm.budget import Budget
from ..llm.prompt import PROMPT_VERSION, closed_schema, default_rules, open_schema, question, system_instruction, tokens
from ..llm.rate_limit import RateLimit
from .wire import (
    Rejected,
    ServerFailed,
    TooMany,
    UnknownModel,
    answer_text,
    bound_answer,
    errors_as_ours,
    tokens_used,
)

log = logging.getLogger(__name__)

_BACKOFF_FACTOR = 1.0
"""The wait before the first retry, in seconds."""

_MODELS_NAMED = 8


class GeminiClassifier:
    """Usable inside `async with`, in one event loop."""

    def __init__(self, options: GeminiOptions) -> None:
        self._options = options
        self._rules = options.rules or default_rules()
        self.batch_size = options.batch_size
        self.concurrency = options.concurrency
        self._budget = Budget(options.price, options.max_cost)
        self._rate_limit = RateLimit(options.pause, options.requests_per_minute, options.tokens_per_minute)
        self._schema = _Schema()
        self._started = time.monotonic()

    async def __aenter__(self) -> GeminiClassifier:
        options = self._options
        self._started = time.monotonic()
        # google-genai warns of every enum value that is younger than itself; we read the values ourselves.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"google\.genai")
        # Without a client of ours google-genai follows redirects, and takes the key along.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=options.concurrency)
        self._http = httpx.AsyncClient(
            follow_redirects=False,
            timeout=options.timeout,
            limits=limits,
            headers={"Accept-Encoding": "identity"},
            event_hooks={"response": [bound_answer]},
        )
        self._client = genai.Client(
            api_key=options.api_key,
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=options.base_url or None,
                api_version=options.api_version,
                timeout=round(options.timeout * 1000),
                httpx_async_client=self._http,
            ),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    @property
    def bill(self) -> Bill:
        seconds = round(time.monotonic() - self._started, 3)
        return Bill(self._budget.usage, self._budget.cost, seconds=seconds, model=self._options.model)

    def fingerprint(self, catalog: ServiceCatalog) -> str:
        options = self._options
        parameters = (options.model, options.temperature, options.top_p, options.top_k, options.thinking_budget)
        text = json.dumps(["gemini", PROMPT_VERSION, *parameters]) + _instruction(catalog, self._rules)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def estimate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Sequence[Example] = ()) -> Bill:
        usage = self._estimate(_Question(tickets, catalog, examples))
        return Bill(usage, self._budget.cost_of(usage))

    async def choose(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Sequence[Example] = ()
    ) -> list[Outcome]:
        asked = _Question(tickets, catalog, examples)
        try:
            response = await self._schema.ask(lambda schema: self._ask_with_retries(asked, schema), catalog)
        except Rejected as error:
            raise BatchFailed("service_error", str(error)) from error
        except Transient as error:
            raise BatchFailed("service_error", str(error), lies_in_content=isinstance(error, ServerFailed)) from error
        except UnknownModel as error:
            raise await self._unknown_model() from error
        return read_answer(answer_text(response), len(tickets), catalog)

    async def _ask_with_retries(self, asked: _Question, schema: dict[str, Any]) -> types.GenerateContentResponse:
        estimate = self._estimate(asked)
        config = self._config(asked.catalog, schema)
        async for attempt in retrying(self._options.max_retries, _BACKOFF_FACTOR):
            with attempt, self._budget.reserve(estimate):
                self._budget.record_call(is_retry=attempt.num > 1)
                await self._rate_limit.acquire(estimate.tokens_in)
                response = await self._call(asked.text, config)
                self._budget.record_answer(tokens_used(response), self._size(asked), len(asked.tickets))
                return response
        raise AssertionError("stamina makes at least one attempt")

    async def _call(self, text: str, config: types.GenerateContentConfig) -> types.GenerateContentResponse:
        try:
            with anyio.fail_after(self._options.timeout), errors_as_ours():
                return await self._client.aio.models.generate_content(
                    model=self._options.model, contents=text, config=config
                )
        except TimeoutError:
            raise Transient(f"Gemini did not answer within {self._options.timeout:g} s") from None
        except TooMany as error:
            self._rate_limit.pause(min(error.pause, MAX_WAIT))
            raise

    def _config(self, catalog: ServiceCatalog, schema: dict[str, Any]) -> types.GenerateContentConfig:
        options = self._options
        thinking = None
        if options.thinking_budget is not None:
            thinking = types.ThinkingConfig(thinking_budget=options.thinking_budget)
        return types.GenerateContentConfig(
            system_instruction=_instruction(catalog, self._rules),
            response_mime_type="application/json",
            response_json_schema=schema,
            temperature=options.temperature,
            top_p=options.top_p,
            top_k=options.top_k,
            thinking_config=thinking,
        )

    def _estimate(self, asked: _Question) -> Usage:
        return self._budget.estimate(self._size(asked), len(asked.tickets))

    def _size(self, asked: _Question) -> int:
        """Of the question, in tokens, as far as its text tells."""
        return tokens(_instruction(asked.catalog, self._rules)) + tokens(asked.text)

    async def _unknown_model(self) -> SettingsError:
        return SettingsError(
            f"Gemini has no model {self._options.model}",
            hint=f"Set LLM_MODEL_NAME to one that your key may use{await self._known_models()}.",
        )

    async def _known_models(self) -> str:
        """The models that the key can list, as the end of a sentence; nothing when it cannot."""
        try:
            with anyio.fail_after(self._options.timeout), errors_as_ours():
                names = [model.name or "" async for model in await self._client.aio.models.list()]
        except (TimeoutError, Transient, SettingsError, BatchFailed, ClassifierStopped, Rejected, UnknownModel):
            return ""
        named = ", ".join(name.removeprefix("models/") for name in names[:_MODELS_NAMED])
        return f", such as {named}" if named else ""


@dataclass(frozen=True)
class _Question:
    tickets: Sequence[Ticket]
    catalog: ServiceCatalog
    examples: Sequence[Example]

    @cached_property
    def text(self) -> str:
        return question(self.tickets, self.examples)


class _Schema:
    """The shape that answers must have: closed over the names of the catalog, unless the service rejects that.

    A catalog can have more names than the service accepts. So while nothing has succeeded, one rejected
    question is asked once more with a schema that is open; if that helps, all others use the open one too.
    """

    def __init__(self) -> None:
        self._is_closed = True
        self._is_proven = False
        self._tried_open = False
        self._deciding = anyio.Lock()

    async def ask(self, call: _Call, catalog: ServiceCatalog) -> types.GenerateContentResponse:
        try:
            response = await call(closed_schema(catalog) if self._is_closed else open_schema())
        except Rejected as rejection:
            if self._is_proven:
                raise
            response = await self._ask_openly(call, rejection)
        self._is_proven = True
        return response

    async def _ask_openly(self, call: _Call, rejection: Rejected) -> types.GenerateContentResponse:
        async with self._deciding:
            if self._is_closed and self._tried_open:
                raise rejection
            self._tried_open = True
            response = await call(open_schema())
            self._is_closed = False
            return response


_Call: TypeAlias = Callable[[dict[str, Any]], Awaitable[types.GenerateContentResponse]]


@lru_cache(maxsize=32)
def _instruction(catalog: ServiceCatalog, rules: str) -> str:
    """Kept, because every call of a run needs it."""
    return system_instruction(catalog, rules)
