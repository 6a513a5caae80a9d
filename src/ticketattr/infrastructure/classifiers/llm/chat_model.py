"""The port to a large language model, whoever provides it, and the errors that its adapters raise."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

from ....domain.numbers import read_count
from ....domain.ticket import Reason
from ....domain.usage import Usage
from ...network.retries import Transient
from .parameters import Parameter, ParameterValues

JSONSchema: TypeAlias = Mapping[str, Any]

Format = Literal["schema", "object", "text"]
"""What keeps an answer to JSON: its schema, the service's promise of a JSON object, or the instruction alone."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A question to the model `model`: the text `user` under the instruction `system`, to be answered by `schema`.

    Parameters that are missing are left to the model. `max_tokens` bounds the answer with all thinking, in tokens.
    """

    model: str
    system: str
    user: str
    schema: JSONSchema
    parameters: ParameterValues = field(default_factory=dict)
    max_tokens: int | None = None
    format: Format = "schema"

    @property
    def size(self) -> int:
        """The size of the texts and of the schema, in bytes of UTF-8."""
        texts = (self.system, self.user, json.dumps(self.schema, ensure_ascii=False))
        return sum(len(text.encode("utf-8", "replace")) for text in texts)


MAX_TOKENS = 1_000_000_000
"""No call uses more tokens: a service that counts more counts wrongly."""


def token_count(value: Any) -> int:
    """Returns the number of tokens that a service counted; 0 for what cannot be such a number."""
    return read_count(value, most=MAX_TOKENS) or 0


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """The text that a model answered, the tokens that this took, and the model that answered.

    `wait`: the seconds for which the service takes no further call, if it says so.
    """

    text: str
    usage: Usage
    model: str
    wait: float | None = None


class ChatModel(AbstractAsyncContextManager["ChatModel"], Protocol):
    """The models of one provider. Usable inside `async with`, in one event loop, for several calls at once."""

    @property
    def provider(self) -> str:
        """The name of the provider, as messages show it."""

    @property
    def parameters(self) -> Collection[Parameter]:
        """The parameters that the provider's protocol has."""

    @property
    def formats(self) -> Sequence[Format]:
        """The formats that a request may ask for, the best one first."""

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        """Returns the answer as JSON that fits the schema of the request.

        Makes one attempt. Raises Transient, Unanswered, RateLimited or ServerFailed when a later attempt may succeed;
        SettingsError when the key or the address is wrong; and ChatModelError for everything else.
        """

    async def list_models(self) -> list[str]:
        """Returns the names of the models that the key may use. Raises what `ask` raises."""


class Unanswered(Transient):
    """The request was sent and no answer came. The service may charge for it nevertheless."""


class RateLimited(Transient):
    """The service wants fewer calls."""


class ServerFailed(Transient):
    """The service failed on this request. It may answer a request about fewer tickets."""


class ChatModelError(Exception):
    """A call failed, and the same call would fail again.

    `reason` is the reason that tickets of the call get. `lies_in_content`: the service may answer a request
    about some of its tickets. `usage` is what the service charges for the call nevertheless, and `model` the model that
    answered, if the service says so.
    """

    reason: ClassVar[Reason] = "service_error"

    def __init__(
        self, detail: str, *, lies_in_content: bool = True, usage: Usage | None = None, model: str = ""
    ) -> None:
        super().__init__(detail)
        self.lies_in_content = lies_in_content
        self.usage = usage or Usage()
        self.model = model


class InvalidRequest(ChatModelError):
    """The service does not accept the request. The schema may be the cause."""


class RefusedParameters(ChatModelError):
    """The model does not take some parameters of the request."""

    def __init__(self, detail: str, parameters: Collection[Parameter]) -> None:
        super().__init__(detail)
        self.parameters = frozenset(parameters)


class AskAgain(ChatModelError):
    """The adapter found out how this service wants to be asked. The same request is worth another call at once."""


class UnusableAnswer(ChatModelError):
    """The answer is empty, cut off, too large, or does not have the format of the service."""

    reason = "bad_answer"


class ContentBlocked(ChatModelError):
    """The service does not answer this content."""

    reason = "blocked"


class QuotaExhausted(ChatModelError):
    """The quota of the day is used up. No further call will be answered."""

    reason = "quota"


class UnknownModel(ChatModelError):
    """The provider does not have this model."""
