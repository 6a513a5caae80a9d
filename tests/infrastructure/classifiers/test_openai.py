"""The classifier over OpenAI's protocol, against servers on loopback that behave as real ones do, and worse."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme

from ticketattr.application.batches import ask_in_batches
from ticketattr.application.ports import BatchFailed, ClassifierStopped
from ticketattr.domain.examples import NO_EXAMPLES
from ticketattr.domain.ticket import Attribution, Outcome, Ticket, Unattributed
from ticketattr.domain.usage import Price
from ticketattr.errors import SettingsError
from ticketattr.infrastructure.classifiers.llm.prices import PriceList
from ticketattr.infrastructure.classifiers.openai.answer import wait_in
from ticketattr.infrastructure.classifiers.openai.endpoint import endpoint_of
from ticketattr.infrastructure.options import ChatModelOptions

from ...fakes import CATALOG, PASSWORD
from ...servers import (
    HTTPServer,
    Request,
    Response,
    asked_tickets,
    openai,
    openai_classifier,
    openai_error,
    openai_text,
)

pytestmark = pytest.mark.usefixtures("no_backoff")

CHAT = "/v1/chat/completions"
KEY = "api-key-canary"
PAIR = {"request_category": "Access", "request_type": "Password Reset"}
ITEM = {"id": 1, **PAIR, "confidence": 0.9, "evidence": "password"}
GOOD = json.dumps({"items": [ITEM]})
TICKET = Ticket("T-1", "Forgot my password")

answer_password = openai(lambda ticket: {**PAIR, "confidence": 0.9, "evidence": "password"})


def choose(server: HTTPServer | str, *tickets: Ticket, **options: Any) -> list[Outcome]:
    url = server if isinstance(server, str) else server.url

    async def ask() -> list[Outcome]:
        async with openai_classifier(url, **{"max_retries": 0, "timeout": 5.0, **options}) as classifier:
            return await classifier.choose(tickets or (TICKET,), CATALOG)

    return anyio.run(ask)


def failure(server: HTTPServer, **options: Any) -> BatchFailed:
    with pytest.raises(BatchFailed) as failed:
        choose(server, **options)
    return failed.value


def is_password(outcomes: list[Outcome]) -> bool:
    return outcomes == [Attribution(PASSWORD, source="model", confidence=0.9, evidence="password")]


# Addresses and keys


@pytest.mark.parametrize(
    ("base", "version", "chat", "models", "is_azure"),
    [
        ("", "", "https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1/models", False),
        ("http://h:11434/v1/", "", "http://h:11434/v1/chat/completions", "http://h:11434/v1/models", False),
        ("http://h/v1/chat/completions", "", "http://h/v1/chat/completions", "http://h/v1/models", False),
        (
            "https://h/openai/v1?x=1",
            "",
            "https://h/openai/v1/chat/completions?x=1",
            "https://h/openai/v1/models?x=1",
            False,
        ),
        (
            "https://r.openai.azure.com",
            "",
            "https://r.openai.azure.com/openai/v1/chat/completions",
            "https://r.openai.azure.com/openai/v1/models",
            True,
        ),
        (
            "https://r.openai.azure.com/",
            "2025-01-01",
            "https://r.openai.azure.com/openai/deployments/m%2F1/chat/completions?api-version=2025-01-01",
            "https://r.openai.azure.com/openai/models?api-version=2025-01-01",
            True,
        ),
        (
            "http://h/openai/deployments/desk",
            "",
            "http://h/openai/deployments/desk/chat/completions?api-version=2024-10-21",
            "http://h/openai/models?api-version=2024-10-21",
            True,
        ),
        (
            "http://h/openai/deployments/desk/chat/completions?api-version=2024-06-01",
            "",
            "http://h/openai/deployments/desk/chat/completions?api-version=2024-06-01",
            "http://h/openai/models?api-version=2024-06-01",
            True,
        ),
    ],
)
def test_the_base_url_is_understood_as_documentations_give_it(
    base: str, version: str, chat: str, models: str, is_azure: bool
) -> None:
    endpoint = endpoint_of(ChatModelOptions(KEY, base_url=base, api_version=version))
    assert (endpoint.chat_url("m/1"), endpoint.models_url, endpoint.is_azure) == (chat, models, is_azure)
    header = {"api-key": KEY} if is_azure else {"Authorization": f"Bearer {KEY}"}
    assert endpoint.headers == header


def test_azure_gets_its_header_and_a_deployment_is_the_model_that_was_asked(http: HTTPServer) -> None:
    http.routes["/openai/deployments/desk/chat/completions"] = openai(lambda ticket: PAIR, model="gpt-4o-2024-08-06")
    (outcome,) = choose(http, base_url=f"{http.url}/openai", api_version="2024-10-21", models=("desk",), api_key=KEY)
    assert outcome.model == "desk"
    headers = {name.lower(): value for name, value in http.requests[0].headers.items()}
    assert (headers["api-key"], "authorization" in headers) == (KEY, False)


def test_a_server_without_a_key_gets_none(http: HTTPServer) -> None:
    http.routes[CHAT] = answer_password
    assert is_password(choose(http, api_key=""))
    assert not {"authorization", "api-key"} & {name.lower() for name in http.requests[0].headers}


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_wants_a_key_is_a_setting(http: HTTPServer, status: int) -> None:
    http.routes[CHAT] = [openai_error(status)]
    with pytest.raises(SettingsError, match="wants a key") as error:
        choose(http, api_key="")
    assert error.value.hint == "Set LLM_API_KEY."
    with pytest.raises(SettingsError, match="refuses the key"):
        choose(http)


# What servers do not know


def test_the_strict_schema_requires_everything_and_lets_no_pair_be_null(http: HTTPServer) -> None:
    http.routes[CHAT] = answer_password
    choose(http)
    sent = http.requests[0].json["response_format"]
    item = sent["json_schema"]["schema"]["properties"]["items"]["items"]
    assert (sent["type"], sent["json_schema"]["strict"], item["additionalProperties"]) == ("json_schema", True, False)
    assert item["required"] == list(item["properties"])
    assert item["properties"]["request_category"] == {
        "type": ["string", "null"],
        "enum": ["Access", "Hardware", "Other", None],
    }
    assert "minimum" not in json.dumps(sent)


def formats(http: HTTPServer) -> list[str]:
    return [request.json.get("response_format", {"type": "none"})["type"] for request in http.requests]


@pytest.mark.parametrize(
    ("known", "tried"),
    [
        (("json_schema",), ["json_schema"]),
        (("json_object", "none"), ["json_schema", "json_schema", "json_object"]),
        (("none",), ["json_schema", "json_schema", "json_object", "none"]),
    ],
    ids=["schema", "object", "plain"],
)
@pytest.mark.parametrize(
    "refusal",
    [
        openai_error(400),
        openai_error(422, "extra fields not permitted: response_format"),
        Response(400, {"error": "'response_format.type' must be 'text'"}),
        openai_error(500, 'response_format type must be one of "text", but got: something'),
    ],
    ids=["400", "422", "a text for an error", "500"],
)
def test_the_format_that_a_server_knows_is_found_out_once(
    http: HTTPServer, refusal: Response, known: tuple[str, ...], tried: list[str]
) -> None:
    def answer(request: Request) -> Response:
        kind = request.json.get("response_format", {"type": "none"})["type"]
        return answer_password(request) if kind in known else refusal

    http.routes[CHAT] = answer
    classifier = openai_classifier(http.url, max_retries=0, batch_size=1, concurrency=4)
    outcomes = anyio.run(
        ask_in_batches,
        [Ticket(str(number), "password") for number in range(12)],
        *(CATALOG, classifier, lambda answers: None, lambda done, planned: None, NO_EXAMPLES),
    )
    assert all(isinstance(outcome, Attribution) for outcome in outcomes)
    last = formats(http)[-8:]
    assert last == [tried[-1]] * 8
    assert len(http.requests) <= 12 + 4 * len(tried)


def test_a_server_that_ignores_the_schema_and_answers_in_markdown_costs_nothing(http: HTTPServer) -> None:
    thoughts = '<think>\nPerhaps [{"id": 1, "request_type": "Laptop Repair"}]?\n</think>\n\n'
    for text in (f"```json\n{GOOD}\n```", f"Sure! Here it is:\n\n{GOOD}\n\nHope that helps.", f"{thoughts}{GOOD}"):
        http.routes[CHAT] = [openai_text(text)]
        assert is_password(choose(http))


def test_a_text_may_come_in_parts(http: HTTPServer) -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "[]"}]}, {"type": "text", "text": GOOD}]
    http.routes[CHAT] = [openai_text(parts)]
    assert is_password(choose(http))


def test_entries_that_a_server_invents_are_not_taken(http: HTTPServer) -> None:
    http.routes[CHAT] = openai(lambda ticket: {"request_category": "Access", "request_type": "Free Beer"})
    (outcome,) = choose(http)
    assert isinstance(outcome, Unattributed)
    assert outcome.reason == "not_in_catalog"


@pytest.mark.parametrize(
    ("parameters", "words", "left"),
    [
        ({"temperature": 0.0}, "Unsupported value: 'temperature' does not support 0 with this model.", []),
        ({"thinking_level": "low"}, "Unrecognized request argument supplied: reasoning_effort", []),
        ({"top_k": 5, "top_p": 0.5}, "Additional properties are not allowed ('top_k' was unexpected)", ["top_p"]),
    ],
    ids=["temperature", "effort", "top_k"],
)
def test_a_refused_parameter_is_left_out(
    http: HTTPServer, parameters: dict[str, Any], words: str, left: list[str]
) -> None:
    names = {"temperature": "temperature", "thinking_level": "reasoning_effort", "top_k": "top_k"}
    refused = next(names[name] for name in parameters if name in names)

    def answer(request: Request) -> Response:
        return openai_error(400, words) if refused in request.json else answer_password(request)

    http.routes[CHAT] = answer
    assert is_password(choose(http, **parameters))
    assert [
        name for name in ("temperature", "top_p", "top_k", "reasoning_effort") if name in http.requests[1].json
    ] == left


def test_the_limit_of_an_answer_has_the_name_and_size_that_the_server_wants(http: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        if "max_tokens" in request.json:
            return openai_error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        if request.json["max_completion_tokens"] > 4_096:
            return openai_error(400, "max_completion_tokens is too large: this model supports at most 4096 tokens.")
        return answer_password(request)

    http.routes[CHAT] = answer
    prices = PriceList({"model-1": Price(1.0, 1.0, 1.0)})
    assert is_password(choose(http, max_cost=1.0, prices=prices))
    assert [request.json.get("max_completion_tokens") for request in http.requests] == [None, 5_596, 4_096]


def test_a_model_without_system_messages_gets_one_message(http: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        if len(request.json["messages"]) > 1:
            return openai_error(500, "System role not supported by the chat template")
        return answer_password(request)

    http.routes[CHAT] = answer
    assert is_password(choose(http))
    assert len(http.requests) == 2


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_a_server_that_refuses_every_limit_is_not_asked_for_ever(http: HTTPServer, limit: str) -> None:
    http.routes[CHAT] = [openai_error(400, "max_tokens and max_completion_tokens are too large and unsupported")]
    prices = PriceList({"model-1": Price(1.0, 1.0, 1.0)})
    assert failure(http, max_cost=1.0, prices=prices).reason == "service_error"
    assert len(http.requests) < 20


# Usage


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "completion_tokens_details": {"reasoning_tokens": 30},
                "prompt_tokens_details": {"cached_tokens": 40},
            },
            (100, 20, 30, 40),
        ),
        ({"prompt_tokens": 100, "completion_tokens": 5, "completion_tokens_details": None}, (100, 5, 0, 0)),
        ({"prompt_tokens": 10**400, "completion_tokens": -1}, (0, 0, 0, 0)),
        ({"prompt_tokens": "many", "completion_tokens": 1.5}, (0, 0, 0, 0)),
        (None, (0, 0, 0, 0)),
        ([1], (0, 0, 0, 0)),
    ],
    ids=["all", "null", "huge", "text", "none", "list"],
)
def test_tokens_are_counted_as_far_as_they_are_told(http: HTTPServer, usage: Any, counted: tuple[int, ...]) -> None:
    http.routes[CHAT] = openai(lambda ticket: PAIR, usage=usage)

    async def bill() -> tuple[int, ...]:
        async with openai_classifier(http.url) as classifier:
            await classifier.choose([TICKET], CATALOG)
            used = classifier.bill.usage
            return used.tokens_in, used.tokens_out, used.tokens_thinking, used.tokens_cached

    assert anyio.run(bill) == counted


def test_without_usage_a_limit_of_cost_counts_what_was_set_aside(http: HTTPServer) -> None:
    http.routes[CHAT] = openai(lambda ticket: PAIR, usage=None)
    prices = PriceList({"model-1": Price(1.0, 100.0, 1.0)})

    classifier = openai_classifier(http.url, max_cost=1.0, prices=prices, batch_size=1, concurrency=1)
    outcomes = anyio.run(
        ask_in_batches,
        [Ticket(str(number), "password") for number in range(20)],
        *(CATALOG, classifier, lambda answers: None, lambda done, planned: None, NO_EXAMPLES),
    )
    assert 1 <= sum(isinstance(outcome, Attribution) for outcome in outcomes) <= 3


# Waiting


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360.0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20ms"}, 0.02),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "1h2m3.5s",
            },
            3723.5,
        ),
        ({"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "6m0s"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1.2.3s"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "9" * 400}, None),
        ({"x-ratelimit-remaining-requests": "0"}, None),
        ({"retry-after-ms": "1500"}, 1.5),
        ({}, None),
    ],
)
def test_the_wait_until_a_limit_begins_anew_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_in(headers) == seconds


def test_a_limit_that_is_used_up_delays_the_next_call(http: HTTPServer) -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "150ms"}
    http.routes[CHAT] = [Response(body=openai_text(GOOD).body, headers=headers), openai_text(GOOD)]

    async def ask() -> float:
        async with openai_classifier(http.url) as classifier:
            await classifier.choose([TICKET], CATALOG)
            started = anyio.current_time()
            await classifier.choose([TICKET], CATALOG)
            return anyio.current_time() - started

    assert anyio.run(ask) >= 0.14


# Misbehaviour


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (Response(body=b"<html>Welcome to the hotel</html>"), "bad_answer"),
        (Response(body=b"\xff\xfe"), "bad_answer"),
        (Response(body=b""), "bad_answer"),
        (Response(body={}), "bad_answer"),
        (Response(body=b"[]"), "bad_answer"),
        (Response(body={"choices": []}), "bad_answer"),
        (Response(body={"choices": "text"}), "bad_answer"),
        (Response(body={"choices": [{"finish_reason": "stop"}]}), "bad_answer"),
        (Response(body={"choices": [{"message": "text"}]}), "bad_answer"),
        (openai_text(None), "bad_answer"),
        (openai_text(""), "bad_answer"),
        (openai_text([1, {"type": "image"}]), "bad_answer"),
        (openai_text(GOOD, "length"), "bad_answer"),
        (openai_text(GOOD, "tool_calls"), "bad_answer"),
        (openai_text('{"items": [{"id": 1'), "bad_answer"),
        (openai_text("I am sorry, I cannot help with that."), "bad_answer"),
        (openai_text(GOOD, "content_filter"), "blocked"),
        (Response(body={"choices": [{"message": {"content": None, "refusal": "I will not."}}]}), "blocked"),
        (openai_error(400, "The response was filtered", code="content_filter"), "blocked"),
        (openai_error(403, "Your input was flagged by moderation"), "blocked"),
        (openai_error(400, "This model's maximum context length is 4096 tokens"), "service_error"),
        (Response(413, b"<html>too large</html>"), "service_error"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value.content[:60]),
)
def test_an_unusable_answer_fails_the_batch_at_once(http: HTTPServer, response: Response, reason: str) -> None:
    http.routes[CHAT] = [response]
    failed = failure(http)
    assert (failed.reason, failed.lies_in_content, len(http.requests)) == (reason, True, 1)


@pytest.mark.parametrize("finish", ["stop", None, "", "eos", "stop_sequence"])
def test_a_whole_answer_counts_whatever_ended_it(http: HTTPServer, finish: str | None) -> None:
    http.routes[CHAT] = [openai_text(GOOD, finish)]
    assert is_password(choose(http))


SOON = {"retry-after-ms": "10"}
"""Without it, a client that sends too much waits a second: tests of Gemini prove that for all providers."""


@pytest.mark.parametrize(
    "trouble",
    [
        replace(openai_error(429, "slow down"), headers=SOON),
        openai_error(500),
        openai_error(503, "loading model"),
        Response(503, b"<html>busy</html>"),
        Response(502, b""),
        Response(529, b"[1]"),
        Response(hang_up=True),
        Response(body={"error": {"message": "upstream failed", "code": 502}}),
        Response(body={"error": {"message": "slow down", "code": 429}}, headers=SOON),
        Response(body={"error": "something went wrong"}),
        Response(body={"choices": [{"message": {"content": ""}, "error": {"message": "upstream", "code": 503}}]}),
    ],
    ids=lambda trouble: f"{trouble.status} {trouble.content[:40]!r}",
)
def test_a_passing_failure_changes_no_outcome(http: HTTPServer, trouble: Response) -> None:
    http.routes[CHAT] = [trouble, trouble, openai_text(GOOD)]
    assert is_password(choose(http, max_retries=2))
    assert len(http.requests) == 3


@pytest.mark.parametrize(
    "refusal",
    [
        openai_error(402, "Insufficient credits"),
        openai_error(429, "Rate limit reached: requests per day (RPD): Limit 200"),
        Response(body={"error": {"message": "Insufficient credits", "code": 402}}),
    ],
    ids=["402", "per day", "200 with 402"],
)
def test_a_quota_that_is_used_up_stops_the_run(http: HTTPServer, refusal: Response) -> None:
    http.routes[CHAT] = [refusal]
    with pytest.raises(ClassifierStopped) as stopped:
        choose(http, max_retries=3)
    assert (stopped.value.reason, len(http.requests)) == ("quota", 1)


@pytest.mark.parametrize(
    "refusal",
    [
        openai_error(404, 'model "model-1" not found, try pulling it first'),
        openai_error(404, "The API deployment for this resource does not exist", code="DeploymentNotFound"),
        openai_error(403, "Project does not have access to model `model-1`: not have access"),
        openai_error(400, "model-1 is not a valid model ID"),
    ],
    ids=["404", "deployment", "403", "400"],
)
def test_of_a_list_the_next_model_is_asked(http: HTTPServer, refusal: Response) -> None:
    def answer(request: Request) -> Response:
        return refusal if request.json["model"] == "model-1" else answer_password(request)

    http.routes[CHAT] = answer
    (outcome,) = choose(http, models=("model-1", "model-2"))
    assert outcome.model == "model-2"


@pytest.mark.parametrize("listing", [Response(404), Response(body=b"<html>"), Response(body={"data": "x"})])
def test_an_unknown_model_is_a_setting_even_without_a_list_of_models(http: HTTPServer, listing: Response) -> None:
    http.routes = {CHAT: [openai_error(404, "model not found")], "/v1/models": [listing]}
    with pytest.raises(SettingsError, match="does not have the model model-1") as error:
        choose(http)
    assert "LLM_MODEL_NAME" in error.value.hint


def test_a_wrong_path_is_a_setting_and_says_which(http: HTTPServer) -> None:
    http.routes["/"] = [Response(404, b"<html>Not Found</html>")]
    with pytest.raises(SettingsError, match="answered 404") as error:
        choose(http)
    assert "LLM_BASE_URL" in error.value.hint


POISON = {
    "a thousand brackets": openai_text("[" * 1_000),
    "a hundred thousand brackets": openai_text("[" * 100_000),
    "brackets in the items": openai_text('{"items": [{"id": 1, "confidence": ' + "[" * 5_000),
    "nested objects": openai_text('{"a":' * 20_000 + "1" + "}" * 20_000),
    "a body nested too deeply": Response(body=b"[" * 100_000),
    "a closed body nested too deeply": Response(body=b'{"choices":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    "an error nested too deeply": Response(body=b'{"error":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    "usage of 400 digits": Response(
        body=b'{"choices":[{"message":{"content":"{}"}}],"usage":{"prompt_tokens":' + b"9" * 400 + b"}}"
    ),
    "a number of 5,000 digits": openai_text('{"items": [{"id": ' + "9" * 5_000 + "}]}"),
    "half a pair of surrogates": openai_text('{"items": [{"id": 1, "evidence": "\ud800"}]}'),
    "names that are no names": Response(body={"model": ["x"], "choices": [{"message": {"content": 5}}]}),
}


STATUSES = (200, 201, 400, 408, 409, 413, 418, 422, 429, 451, 500, 503, 529, 599)


@pytest.mark.parametrize(
    "statuses", [(200, 400, 503), pytest.param(STATUSES, marks=pytest.mark.thorough)], ids=["some", "all"]
)
@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_no_answer_ends_a_run(http: HTTPServer, poison: Response, statuses: tuple[int, ...]) -> None:
    queue = [Ticket("1", "good"), Ticket("2", "poison"), Ticket("3", "good")]
    for status in statuses:

        def answer(request: Request, status: int = status) -> Response:
            poisoned = asked_tickets(request)[0]["short_description"] == "poison"
            return Response(status, poison.body) if poisoned else answer_password(request)

        http.routes[CHAT] = answer
        classifier = openai_classifier(http.url, max_retries=0, batch_size=1, timeout=5.0)
        outcomes = anyio.run(
            ask_in_batches, queue, CATALOG, classifier, lambda answers: None, lambda done, planned: None, NO_EXAMPLES
        )
        assert [isinstance(outcome, Attribution) for outcome in outcomes] == [True, False, True], status


@contextmanager
def raw_server(talk: Callable[[Any], None], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that reads a request and then calls `talk` with the connection."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            self.rfile.read(length)
            talk(self.wfile)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def get_request(self) -> Any:
            connection, address = super().get_request()
            return (context.wrap_socket(connection, server_side=True) if context else connection), address

        def handle_error(self, request: Any, client_address: Any) -> None:
            return None

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"{'https' if context else 'http'}://localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def good_answer_in(version: str) -> Callable[[Any], None]:
    return lambda file: file.write(f"HTTP/{version} 200 OK\r\n\r\n".encode() + openai_text(GOOD).content)


def test_a_server_that_speaks_http_1_0_is_understood() -> None:
    with raw_server(good_answer_in("1.0")) as url:
        assert is_password(choose(url))


def test_an_answer_that_never_ends_costs_no_more_than_the_timeout() -> None:
    def drip(file: Any) -> None:
        file.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not over.wait(0.02):
            file.write(b" ")
            file.flush()

    over = threading.Event()
    with raw_server(drip) as url:
        with pytest.raises(BatchFailed, match=r"did not answer within 0\.3 s"):
            choose(url, timeout=0.3)
        over.set()


def test_a_certificate_of_ones_own_is_trusted_when_its_authority_is_named(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with raw_server(good_answer_in("1.0"), context) as url:
        assert is_password(choose(url, ca_file=str(file)))
        with pytest.raises(BatchFailed, match="certificate verify failed"):
            choose(url)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["absent", "empty", "text"])
def test_a_file_without_authorities_is_a_wrong_setting(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match="LLM_CA_FILE cannot be used"):
        choose("http://127.0.0.1:1", ca_file=str(file))
