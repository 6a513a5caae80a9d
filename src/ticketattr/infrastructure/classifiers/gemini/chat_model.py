"""Google Gemini as a ChatModel, through google-genai.

google-genai takes about a second to load, so it is loaded when the first call is near.
"""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import TYPE_CHECKING, Any, get_args

import httpx

from ...options import ChatModelOptions
from ...tls import trusted_authorities
from ..llm.chat_model import ChatAnswer, ChatRequest, Format
from ..llm.http import http_client
from ..llm.parameters import Parameter
from .wire import PROVIDER, answer_of, shown_name, translated_errors

if TYPE_CHECKING:
    from google.genai import types


class GeminiChatModel:
    """Usable inside `async with`, in one event loop. The options that are empty are left to google-genai."""

    provider = PROVIDER
    parameters: frozenset[Parameter] = frozenset(get_args(Parameter))
    formats: tuple[Format, ...] = ("schema",)

    def __init__(self, options: ChatModelOptions) -> None:
        self._options = options

    async def __aenter__(self) -> GeminiChatModel:
        from google import genai
        from google.genai import types

        options = self._options
        # google-genai warns about every enum value that is newer than itself. We read the values ourselves.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"google\.genai")
        self._http = http_client(
            PROVIDER, timeout=options.timeout, connections=options.connections, ca_file=options.ca_file
        )
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

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        with translated_errors(request):
            response = await self._client.aio.models.generate_content(
                model=request.model, contents=request.user, config=_config(request)
            )
            return answer_of(response, request)

    async def list_models(self) -> list[str]:
        with translated_errors():
            names = [model.name or "" async for model in await self._client.aio.models.list()]
            return [shown_name(name.removeprefix("models/")) for name in names]


def _config(request: ChatRequest) -> types.GenerateContentConfig:
    from google.genai import types

    sampling: dict[str, Any] = {}
    thinking: dict[str, Any] = {}
    for name, value in request.parameters.items():
        (thinking if name.startswith("thinking") else sampling)[name] = value
    return types.GenerateContentConfig(
        system_instruction=request.system,
        response_mime_type="application/json",
        response_json_schema=request.schema,
        max_output_tokens=request.max_tokens,
        thinking_config=types.ThinkingConfig(**thinking) if thinking else None,
        **sampling,
    )
