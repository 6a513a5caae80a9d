"""OpenAI, and any server that speaks its protocol, as a ChatModel over HTTP."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Any

import httpx

from ....errors import SettingsError
from ...options import ChatModelOptions
from ..llm.chat_model import AskAgain, ChatAnswer, ChatRequest, Format
from ..llm.http import http_client, translated_transport_errors
from ..llm.parameters import Parameter
from .answer import AnsweredError, answer_in, error_of, names_in
from .endpoint import endpoint_of
from .request import PARAMETERS, Dialect, body_of

PROVIDER = "OpenAI"
SERVER = "the model server"
URL_SETTING = "LLM_BASE_URL"


class OpenAIChatModel:
    """Usable inside `async with`, in one event loop. Remembers the dialect that the server turned out to speak."""

    formats: tuple[Format, ...] = ("schema", "object", "text")
    parameters: frozenset[Parameter] = frozenset(PARAMETERS)

    def __init__(self, options: ChatModelOptions) -> None:
        self._options = options
        try:
            self._endpoint = endpoint_of(options)
        except ValueError:
            raise SettingsError(f"{URL_SETTING} is not a valid URL", hint="Correct it, or leave it empty.") from None
        self._dialect = Dialect("max_completion_tokens" if self._endpoint.knows_completion_limit else "max_tokens")
        self.provider = "Azure OpenAI" if self._endpoint.is_azure else SERVER if options.base_url else PROVIDER
        self._tried: set[Dialect] = set()

    async def __aenter__(self) -> OpenAIChatModel:
        options = self._options
        self._http = http_client(
            self.provider, timeout=options.timeout, connections=options.connections, ca_file=options.ca_file
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        dialect = self._dialect
        try:
            response = await self._send("POST", self._endpoint.chat_url(request.model), body_of(request, dialect))
            answer = answer_in(response.content, response.headers, request, self.provider)
        except AnsweredError as error:
            self._learn(dialect, error, request)
            raise error_of(error, request, self.provider, has_key=bool(self._options.api_key)) from None
        # Azure answers with the name of the model behind the deployment, and the deployment is what was asked.
        return replace(answer, model=request.model) if self._endpoint.is_azure else answer

    async def list_models(self) -> list[str]:
        try:
            response = await self._send("GET", self._endpoint.models_url)
        except AnsweredError as error:
            raise error_of(error, None, self.provider, has_key=bool(self._options.api_key)) from None
        return names_in(response.content, self.provider)

    def _learn(self, tried: Dialect, error: AnsweredError, request: ChatRequest) -> None:
        """Raises AskAgain if the refusal says how to ask, or if another call found that out in the meantime."""
        corrected = tried.corrected(error.words, request) if error.status in (400, 422, 500) else None
        if corrected and self._dialect == tried and corrected not in self._tried:
            self._tried |= {tried, corrected}
            self._dialect = corrected
        if corrected and self._dialect != tried:
            raise AskAgain(f"{self.provider} answered {error.status}")

    async def _send(self, method: str, url: str, body: Any = None) -> httpx.Response:
        """Returns the answer with a status of success. Raises AnsweredError for any other status."""
        with translated_transport_errors(self.provider, url_setting=URL_SETTING):
            response = await self._http.request(method, url, json=body, headers=dict(self._endpoint.headers))
        if not response.is_success:
            raise AnsweredError(response.status_code, response.content, response.headers)
        return response
