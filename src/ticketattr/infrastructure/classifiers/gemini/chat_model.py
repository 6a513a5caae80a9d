"""Google Gemini as a ChatModel, through google-genai.

google-genai takes about a second to load, so it is loaded when the first call is near.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

import httpx

from ...options import ChatModelOptions
from ...tls import trusted_authorities
from ..llm.chat_model import ChatAnswer, JSONSchema
from ..llm.http import http_client
from .wire import PROVIDER, answer_text, shown_name, tokens_used, translated_errors

if TYPE_CHECKING:
    from google.genai import types


class GeminiChatModel:
    """Usable inside `async with`, in one event loop. The options that are empty or None are left to google-genai."""

    provider = PROVIDER

    def __init__(self, options: ChatModelOptions) -> None:
        self._options = options
        self.model = options.model

    async def __aenter__(self) -> GeminiChatModel:
        from google import genai
        from google.genai import types

        options = self._options
        # google-genai warns about every enum value that is newer than itself. We read the values ourselves.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"google\.genai")
        self._http = http_client(PROVIDER, timeout=options.timeout, connections=options.connections)
        self._client = genai.Client(
            api_key=options.api_key,
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=options.base_url or None,
                api_version=options.api_version or None,
                timeout=round(options.timeout * 1000),
                httpx_async_client=self._http,
                # google-genai also makes a client for synchronous calls and prepares web sockets, which nobody uses
                # here. It would read the certificates for each of them.
                httpx_client=httpx.Client(transport=httpx.BaseTransport()),
                async_client_args={"ssl": trusted_authorities()},
            ),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    @property
    def parameters(self) -> Sequence[str | float | None]:
        options = self._options
        return (options.model, options.temperature, options.top_p, options.top_k, options.thinking_budget)

    async def ask(self, system: str, user: str, schema: JSONSchema) -> ChatAnswer:
        with translated_errors(system + json.dumps(user)[1:-1] + user):
            response = await self._client.aio.models.generate_content(
                model=self.model, contents=user, config=self._config(system, schema)
            )
            return ChatAnswer(
                answer_text(response), tokens_used(response), shown_name(response.model_version or self.model)
            )

    async def list_models(self) -> list[str]:
        with translated_errors():
            names = [model.name or "" async for model in await self._client.aio.models.list()]
            return [shown_name(name.removeprefix("models/")) for name in names]

    def _config(self, system: str, schema: JSONSchema) -> types.GenerateContentConfig:
        from google.genai import types

        options = self._options
        thinking = None
        if options.thinking_budget is not None:
            thinking = types.ThinkingConfig(thinking_budget=options.thinking_budget)
        return types.GenerateContentConfig(
            system_instruction=system,
            response_mime_type="application/json",
            response_json_schema=schema,
            temperature=options.temperature,
            top_p=options.top_p,
            top_k=options.top_k,
            thinking_config=thinking,
        )
