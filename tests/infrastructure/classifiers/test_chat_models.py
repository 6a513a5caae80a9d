"""What the ChatModel of every provider must do. A further provider is a further case in `CASES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import anyio
import httpx
import pytest

from ticketattr.errors import SettingsError
from ticketattr.infrastructure.classifiers.gemini.chat_model import GeminiChatModel
from ticketattr.infrastructure.classifiers.llm.chat_model import (
    ChatAnswer,
    ChatModel,
    ChatModelError,
    ChatRequest,
    ContentBlocked,
    InvalidRequest,
    QuotaExhausted,
    RateLimited,
    ServerFailed,
    UnknownModel,
    UnusableAnswer,
)
from ticketattr.infrastructure.classifiers.llm.http import MAX_BYTES
from ticketattr.infrastructure.classifiers.openai.chat_model import OpenAIChatModel
from ticketattr.infrastructure.network.retries import Transient
from ticketattr.infrastructure.options import ChatModelOptions

from ...servers import HTTPServer, Request, Response, gemini_error, gemini_text, openai_error, openai_text

KEY = "api-key-canary"
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"items": {"type": "array"}}}
REQUEST = ChatRequest("model-1", "the system", "the user", SCHEMA)

Failure: TypeAlias = tuple[type[Exception], Response]


@dataclass(frozen=True)
class Case:
    """A provider: how to build its ChatModel, and how its service answers. `tokens`: in and out, of each answer."""

    build: Callable[[ChatModelOptions], ChatModel]
    text: Callable[[str], Response]
    cut_off: Response
    blocked: Response
    models: Callable[[list[str]], Response]
    status: Callable[[int], Response]
    quota: Response
    tokens: tuple[int, int]
    limit_sent: Callable[[Request], Any]
    texts_sent: Callable[[Request], tuple[str, str, Any]]


def gemini_texts(request: Request) -> tuple[str, str, Any]:
    sent = request.json
    system, user = sent["systemInstruction"]["parts"][0]["text"], sent["contents"][0]["parts"][0]["text"]
    return system, user, sent["generationConfig"]["responseJsonSchema"]


def openai_texts(request: Request) -> tuple[str, str, Any]:
    """The schema is sent in the form of the strict mode, which allows no other properties."""
    sent = request.json
    system, user = (message["content"] for message in sent["messages"])
    schema = dict(sent["response_format"]["json_schema"]["schema"])
    assert (schema.pop("required"), schema.pop("additionalProperties")) == (["items"], False)
    schema["properties"]["items"]["type"] = schema["properties"]["items"]["type"][0]
    return system, user, schema


CASES = {
    "gemini": Case(
        build=GeminiChatModel,
        text=gemini_text,
        cut_off=gemini_text('{"items": [', "MAX_TOKENS"),
        blocked=gemini_text("", "SAFETY"),
        models=lambda names: Response(body={"models": [{"name": f"models/{name}"} for name in names]}),
        status=lambda status: gemini_error(status, "STATUS"),
        quota=gemini_error(429, "RESOURCE_EXHAUSTED", [{"violations": [{"quotaId": "RequestsPerDayPerModel"}]}]),
        tokens=(10, 5),
        limit_sent=lambda request: request.json["generationConfig"].get("maxOutputTokens"),
        texts_sent=gemini_texts,
    ),
    "openai": Case(
        build=OpenAIChatModel,
        text=openai_text,
        cut_off=openai_text('{"items": [', "length"),
        blocked=openai_text("", "content_filter"),
        models=lambda names: Response(body={"data": [{"id": name, "object": "model"} for name in names]}),
        status=lambda status: openai_error(status, "no such model" if status == 404 else "no"),
        quota=openai_error(429, "You exceeded your current quota", code="insufficient_quota"),
        tokens=(10, 5),
        limit_sent=lambda request: request.json.get("max_tokens"),
        texts_sent=openai_texts,
    ),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def within(case: Case, url: str, work: Callable[[ChatModel], Any]) -> Any:
    """What `work` returns, of a ChatModel of the service at `url`."""

    async def use() -> Any:
        options = ChatModelOptions(KEY, base_url=url, timeout=5.0)
        async with case.build(options) as chat_model:
            return await work(chat_model)

    return anyio.run(use)


def ask(case: Case, http: HTTPServer, *responses: Response, **asked: Any) -> ChatAnswer:
    http.routes["/"] = list(responses)
    request = ChatRequest("model-1", "the system", "the user", SCHEMA, **asked)
    answer: ChatAnswer = within(case, http.url, lambda chat_model: chat_model.ask(request))
    return answer


def failure(case: Case, http: HTTPServer, response: Response, **asked: Any) -> Exception:
    with pytest.raises(Exception) as raised:  # noqa: PT011  # the tests look at its type
        ask(case, http, response, **asked)
    return raised.value


def test_the_answer_has_the_text_the_tokens_and_the_model(case: Case, http: HTTPServer) -> None:
    answer = ask(case, http, case.text('{"items": []}'))
    assert (answer.text, answer.model) == ('{"items": []}', "model-1")
    assert (answer.usage.tokens_in, answer.usage.tokens_out) == case.tokens


def test_the_service_gets_both_texts_and_the_schema(case: Case, http: HTTPServer) -> None:
    ask(case, http, case.text("{}"))
    (request,) = http.requests
    assert case.texts_sent(request) == ("the system", "the user", SCHEMA)


def test_the_service_is_told_how_long_the_answer_may_be(case: Case, http: HTTPServer) -> None:
    ask(case, http, case.text("{}"))
    ask(case, http, case.text("{}"), max_tokens=4_321)
    assert [case.limit_sent(request) for request in http.requests] == [None, 4_321]


def test_the_key_is_sent_in_a_header_only(case: Case, http: HTTPServer) -> None:
    ask(case, http, case.text("{}"))
    (request,) = http.requests
    assert any(KEY in value for value in request.headers.values())
    assert KEY not in request.path
    assert KEY.encode() not in request.body


def test_several_calls_can_be_in_flight(case: Case, http: HTTPServer) -> None:
    http.routes["/"] = [case.text("{}")]

    async def ask_thrice(chat_model: ChatModel) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(chat_model.ask, REQUEST)

    within(case, http.url, ask_thrice)
    assert len(http.requests) == 3


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InvalidRequest),
        (401, SettingsError),
        (403, SettingsError),
        (404, UnknownModel),
        (408, Transient),
        (413, ChatModelError),
        (429, RateLimited),
        (500, ServerFailed),
        (503, ServerFailed),
    ],
)
def test_a_status_has_the_error_that_says_whether_to_try_again(
    case: Case, http: HTTPServer, status: int, error: type[Exception]
) -> None:
    assert type(failure(case, http, case.status(status))) is error
    assert len(http.requests) == 1


def test_a_used_up_daily_quota_is_told_from_too_many_calls(case: Case, http: HTTPServer) -> None:
    assert type(failure(case, http, case.quota)) is QuotaExhausted


def test_the_wait_that_the_service_asks_for_is_told(case: Case, http: HTTPServer) -> None:
    too_many = case.status(429)
    error = failure(case, http, Response(429, too_many.body, headers={"Retry-After": "7"}))
    assert isinstance(error, RateLimited)
    assert error.wait == 7.0


def test_a_cut_off_answer_and_a_blocked_one_say_what_they_cost(case: Case, http: HTTPServer) -> None:
    for response, kind in ((case.cut_off, UnusableAnswer), (case.blocked, ContentBlocked)):
        error = failure(case, http, response)
        assert isinstance(error, ChatModelError)
        assert type(error) is kind
        assert (error.usage.tokens_in, error.usage.tokens_out) == case.tokens


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"<html>", b"[]", b"{}", b" " * (MAX_BYTES + 1)], ids=lambda body: repr(body[:8])
)
def test_what_is_not_in_the_format_of_the_service_is_an_unusable_answer(
    case: Case, http: HTTPServer, body: bytes
) -> None:
    assert type(failure(case, http, Response(body=body))) is UnusableAnswer


def test_a_compressed_answer_is_not_unpacked(case: Case, http: HTTPServer) -> None:
    response = Response(body=b"x", headers={"Content-Encoding": "gzip"})
    assert type(failure(case, http, response)) is UnusableAnswer


def test_a_redirect_is_not_followed(case: Case, http: HTTPServer) -> None:
    error = failure(case, http, Response(302, headers={"Location": f"{http.url}/elsewhere"}))
    assert isinstance(error, ChatModelError)
    assert not error.lies_in_content
    assert len(http.requests) == 1


def test_a_lost_connection_and_an_absent_service_are_transient(case: Case, http: HTTPServer, closed_port: int) -> None:
    assert isinstance(failure(case, http, Response(hang_up=True)), Transient)
    with pytest.raises(Transient):
        within(case, f"http://127.0.0.1:{closed_port}", lambda chat_model: chat_model.ask(REQUEST))


def test_a_timeout_is_transient(case: Case, http: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def time_out(*args: Any, **kwargs: Any) -> httpx.Response:
        raise httpx.ReadTimeout("no answer")

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", time_out)
    assert isinstance(failure(case, http, case.text("{}")), Transient)


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_not_a_url_is_a_setting(case: Case, url: str) -> None:
    with pytest.raises(SettingsError, match="is not a valid URL"):
        within(case, url, lambda chat_model: chat_model.ask(REQUEST))


def test_it_lists_the_models_by_the_names_that_the_setting_takes(case: Case, http: HTTPServer) -> None:
    http.routes["/"] = [case.models(["big", "small"])]
    assert within(case, http.url, lambda chat_model: chat_model.list_models()) == ["big", "small"]
