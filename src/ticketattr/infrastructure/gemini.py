"""Google Gemini as the classifier, through google-genai.

Transport trouble is retried with backoff. What lies in the content of one batch fails that batch; what no
batch can survive (the key, the model) is a SettingsError and ends the run.
"""

from __future__ import annotations

import json
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import anyio
import httpx
from google import genai
from google.genai import errors, types
from pydantic import ValidationError

from ..application.ports import BatchFailed
from ..domain.catalog import ServiceCatalog
from ..domain.ticket import Outcome, Ticket
from ..errors import SettingsError
from .answer import read_answer
from .options import GeminiOptions
from .prompt import answer_schema, question, system_instruction
from .retries import Transient, is_transient, retry_after, retrying

log = logging.getLogger(__name__)

# google-genai warns of every enum value that is younger than itself; we read the values ourselves.
warnings.filterwarnings("ignore", category=UserWarning, module=r"google\.genai")

_MODELS_NAMED = 8


class GeminiClassifier:
    """Usable inside `async with`, in one event loop."""

    def __init__(self, options: GeminiOptions) -> None:
        self._options = options
        self.batch_size = options.batch_size
        self.pause = options.pause

    async def __aenter__(self) -> GeminiClassifier:
        options = self._options
        # Without a client of ours google-genai follows redirects, and takes the key along.
        self._http = httpx.AsyncClient(follow_redirects=False, timeout=options.timeout)
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

    async def choose(self, tickets: Sequence[Ticket], catalog: ServiceCatalog) -> list[Outcome]:
        try:
            async for attempt in retrying(self._options.max_retries, self._options.backoff_factor):
                with attempt:
                    response = await self._generate(tickets, catalog)
        except Transient as error:
            raise BatchFailed("service_error", str(error)) from error
        return read_answer(_text(response), len(tickets), catalog)

    async def _generate(self, tickets: Sequence[Ticket], catalog: ServiceCatalog) -> types.GenerateContentResponse:
        try:
            with anyio.fail_after(self._options.timeout), _errors():
                return await self._client.aio.models.generate_content(
                    model=self._options.model,
                    contents=question(tickets),
                    config=types.GenerateContentConfig(
                        system_instruction=system_instruction(catalog),
                        response_mime_type="application/json",
                        response_json_schema=answer_schema(catalog),
                        temperature=self._options.temperature,
                        top_p=self._options.top_p,
                        top_k=self._options.top_k,
                    ),
                )
        except TimeoutError:
            raise Transient(f"Gemini did not answer within {self._options.timeout:g} s") from None
        except _UnknownModel as error:
            raise await self._unknown_model() from error

    async def _unknown_model(self) -> SettingsError:
        return SettingsError(
            f"Gemini has no model {self._options.model}",
            hint=f"Set LLM_MODEL_NAME to one that your key may use{await self._known_models()}.",
        )

    async def _known_models(self) -> str:
        """The models that the key can list, as the end of a sentence; nothing when it cannot."""
        try:
            with anyio.fail_after(self._options.timeout), _errors():
                names = [model.name or "" async for model in await self._client.aio.models.list()]
        except (TimeoutError, Transient, SettingsError, BatchFailed, _UnknownModel):
            return ""
        named = ", ".join(name.removeprefix("models/") for name in names[:_MODELS_NAMED])
        return f", such as {named}" if named else ""


class _UnknownModel(Exception):
    pass


@contextmanager
def _errors() -> Iterator[None]:
    """What google-genai and httpx raise, as ours."""
    try:
        yield
    except errors.APIError as error:
        raise _judged(error) from error
    except json.JSONDecodeError as error:
        raise BatchFailed("bad_answer", "Gemini sent something that is not JSON") from error
    except httpx.TimeoutException as error:
        raise Transient("Gemini did not answer in time") from error
    except ValidationError as error:
        raise BatchFailed("bad_answer", "Gemini sent an answer of another shape") from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise SettingsError("GOOGLE_GEMINI_BASE_URL is no usable URL") from error
    except httpx.HTTPError as error:
        raise Transient(f"Gemini did not answer: {error or type(error).__name__}") from error


def _judged(error: errors.APIError) -> Exception:
    message = f"Gemini answered {error.code} {error.status or ''}".rstrip()
    if error.code in (401, 403) or "API_KEY_INVALID" in json.dumps(error.details, default=str):
        return SettingsError(f"{message}: the key is refused", hint="Check LLM_API_KEY.")
    if error.code == 404:
        return _UnknownModel()
    if is_transient(error.code):
        return Transient(message, wait=_wait(error))
    return BatchFailed("service_error", message)


def _wait(error: errors.APIError) -> float | None:
    """The delay that the service asks for, in seconds: RetryInfo in the answer, or a Retry-After header."""
    if found := re.search(r'"retryDelay": "([0-9.]+)s"', json.dumps(error.details, default=str)):
        return float(found.group(1))
    return retry_after(error.response.headers) if error.response else None


def _text(response: types.GenerateContentResponse) -> str:
    """The text of the answer. Raises BatchFailed when there is none, or not all of it."""
    if response.prompt_feedback and response.prompt_feedback.block_reason:
        raise BatchFailed("blocked", "Gemini blocked the question")
    if not response.candidates:
        raise BatchFailed("bad_answer", "Gemini sent an empty answer")
    candidate = response.candidates[0]
    finish = _name(candidate.finish_reason)
    if finish not in ("STOP", ""):
        detail = f"Gemini stopped before the end: {finish}"
        raise BatchFailed("bad_answer" if finish == "MAX_TOKENS" else "blocked", detail)
    parts = (candidate.content.parts if candidate.content else None) or []
    return "".join(part.text for part in parts if part.text and not part.thought)


def _name(value: Any) -> str:
    return str(getattr(value, "name", value) or "")
