"""The port to a large language model, whoever provides it, and the errors that its adapters raise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias

from ....domain.ticket import Reason
from ....domain.usage import Usage
from ...retries import Transient

JSONSchema: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """The text that a model answered, the tokens that this took, and the model that answered."""

    text: str
    usage: Usage
    model: str


class ChatModel(AbstractAsyncContextManager["ChatModel"], Protocol):
    """One model of one provider. Usable inside `async with`, in one event loop, for several calls at once."""

    @property
    def provider(self) -> str:
        """The name of the provider, as messages show it."""

    @property
    def model(self) -> str:
        """The name of the model that is asked."""

    @property
    def parameters(self) -> Sequence[str | float | None]:
        """The model and its parameters: everything that decides an answer, apart from the request itself."""

    async def ask(self, system: str, user: str, schema: JSONSchema) -> ChatAnswer:
        """Returns the answer to the text `user` under the instruction `system`, as JSON that fits `schema`.

        Makes one attempt. Raises Transient, RateLimited or ServerFailed when a later attempt may succeed;
        SettingsError when the key or the address is wrong; and ChatModelError for everything else.
        """

    async def list_models(self) -> list[str]:
        """Returns the names of the models that the key may use. Raises what `ask` raises."""


class RateLimited(Transient):
    """The service wants fewer calls."""


class ServerFailed(Transient):
    """The service failed on this request. It may answer a request about fewer tickets."""


class ChatModelError(Exception):
    """A call failed, and the same call would fail again.

    `reason` is the reason that tickets of the call get. `lies_in_content`: the service may answer a request
    about some of its tickets. `usage` is what the service charges for the call nevertheless.
    """

    reason: ClassVar[Reason] = "service_error"

    def __init__(self, detail: str, *, lies_in_content: bool = True, usage: Usage | None = None) -> None:
        super().__init__(detail)
        self.lies_in_content = lies_in_content
        self.usage = usage or Usage()


class InvalidRequest(ChatModelError):
    """The service does not accept the request. The schema may be the cause."""


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
