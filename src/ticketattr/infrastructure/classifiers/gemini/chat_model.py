"""Google Gemini as a ChatModel, over its REST API: https://ai.google.dev/api/generate-content."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, get_args
from urllib.parse import quote

from ...options import ChatModelOptions
from ..llm.chat_model import ChatAnswer, ChatRequest, Format
from ..llm.http import http_client, translated_transport_errors
from ..llm.parameters import Parameter
from .wire import PROVIDER, answer_of, error_of, models_of, request_body

BASE_URL = "https://generativelanguage.googleapis.com"
API_VERSION = "v1beta"
_PAGE_SIZE = 1000
_MOST_PAGES = 10


class GeminiChatModel:
    """Usable inside `async with`, in one event loop."""

    provider = PROVIDER
    parameters: frozenset[Parameter] = frozenset(get_args(Parameter))
    formats: tuple[Format, ...] = ("schema",)

    def __init__(self, options: ChatModelOptions) -> None:
        self._options = options
        self._url = f"{(options.base_url or BASE_URL).rstrip('/')}/{options.api_version or API_VERSION}"

    async def __aenter__(self) -> GeminiChatModel:
        options = self._options
        self._http = http_client(
            PROVIDER, timeout=options.timeout, connections=options.connections, ca_file=options.ca_file
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        model = request.model if "/" in request.model else f"models/{request.model}"
        content = json.dumps(request_body(request), ensure_ascii=False).encode("utf-8", "replace")
        return answer_of(await self._call("POST", f"{quote(model)}:generateContent", request, content=content), request)

    async def list_models(self) -> list[str]:
        names: list[str] = []
        page_mark = ""
        for _ in range(_MOST_PAGES):
            query = {"pageSize": str(_PAGE_SIZE), **({"pageToken": page_mark} if page_mark else {})}
            found, page_mark = models_of(await self._call("GET", "models", params=query))
            names += found
            if not page_mark:
                break
        return names

    async def _call(self, method: str, path: str, request: ChatRequest | None = None, **more: Any) -> bytes:
        """Returns the content of the answer to one call. Raises what a ChatModel may raise."""
        headers = {"x-goog-api-key": self._options.api_key, "Content-Type": "application/json"}
        with translated_transport_errors(PROVIDER, url_setting="GOOGLE_GEMINI_BASE_URL"):
            response = await self._http.request(method, f"{self._url}/{path}", headers=headers, **more)
        if response.status_code != 200:
            raise error_of(response, request)
        return response.content
