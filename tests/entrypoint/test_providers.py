"""The classifier over either wire, through the commands: what one provider can do, the other can."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from ..conftest import CLI, DATA
from ..servers import (
    HTTPServer,
    Request,
    Response,
    asked_tickets,
    gemini,
    gemini_text,
    openai,
    openai_error,
    openai_text,
)

pytestmark = pytest.mark.usefixtures("no_backoff")

KEY = "api-key-canary"
PAIR = {"request_category": "Access", "request_type": "Password Reset", "confidence": 0.9, "evidence": "x"}
GOLD = [json.loads(line) for line in (DATA / "gold" / "others.jsonl").read_text(encoding="utf-8").splitlines()]
RIGHT = {row["short_description"]: row for row in GOLD}


def server_settings(http: HTTPServer) -> dict[str, str]:
    return {
        "CLASSIFIER": "openai",
        "LLM_BASE_URL": f"{http.url}/v1",
        "LLM_MODEL_NAME": "qwen3:8b",
        "LLM_MAX_RETRIES": "0",
    }


@pytest.fixture
def server(cli: CLI, http: HTTPServer) -> HTTPServer:
    http.routes = {
        "/v1/chat/completions": openai(lambda ticket: PAIR),
        "/v1/models": [Response(body={"data": [{"id": "qwen3:8b"}, {"id": "llama3.2"}]})],
    }
    cli.settings |= server_settings(http)
    return http


def stage_file(cli: CLI) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(max(cli.folder.glob("work/*/attributions.json")).read_text())
    return content


def test_a_server_of_ones_own_needs_no_key_and_its_answers_are_kept(cli: CLI, server: HTTPServer) -> None:
    result = cli.ok("run")
    assert "answered by qwen3:8b" in result.stderr
    assert stage_file(cli)["bill"]["model"] == "qwen3:8b"
    calls = len(server.requests)
    cli.ok("run")
    assert len(server.requests) == calls


def test_openai_itself_needs_a_key_and_every_server_the_name_of_a_model(cli: CLI) -> None:
    cli.settings |= {"CLASSIFIER": "openai"}
    result = cli("run", "--dry-run")
    assert result.exit_code == 2
    assert "LLM_API_KEY" in result.stderr
    assert "LLM_MODEL_NAME" in result.stderr


def test_a_cascade_asks_the_provider_that_is_set(cli: CLI, server: HTTPServer) -> None:
    cli.settings |= {"CLASSIFIER": "cascade", "LLM_PROVIDER": "openai", "CASCADE_THRESHOLD": "1"}
    cli.ok("run")
    sources = {item["attribution"]["source"] for item in stage_file(cli)["data"]}
    assert "model" in sources
    calls = len(server.requests)
    cli.settings["LLM_PROVIDER"] = ""
    cli.ok("run", "--fresh")
    assert len(server.requests) > calls
    cli.settings["LLM_PROVIDER"] = "other"
    assert "LLM_PROVIDER is not one of gemini, openai" in cli("run").stderr


def test_check_lists_the_models_of_the_server(cli: CLI, server: HTTPServer) -> None:
    shown = " ".join(cli("check", "--online").stdout.split())
    assert "the key may use 2 models: qwen3:8b, llama3.2" in shown
    assert "qwen3:8b answers" in shown
    server.routes["/v1/models"] = [Response(404)]
    assert "the service does not list its models" in " ".join(cli("check", "--online").stdout.split())


def test_a_copied_version_of_geminis_api_means_nothing_to_another_server(cli: CLI, server: HTTPServer) -> None:
    cli.settings["LLM_API_VERSION"] = "v1beta"
    cli.ok("run")
    assert {request.path for request in server.requests} == {"/v1/chat/completions"}


def test_a_price_list_and_a_limit_of_cost_hold_for_every_server(cli: CLI, server: HTTPServer) -> None:
    cli.settings["LLM_MAX_COST"] = "1"
    assert "LLM_MAX_COST needs the price of qwen3:8b" in cli("run").stderr
    prices = {"models": {"qwen3:8b": {"input": 1000, "output": 10}}}
    (cli.folder / "prices.json").write_text(json.dumps(prices))
    cli.settings["LLM_PRICES"] = "prices.json"
    cli.settings["LLM_MAX_COST"] = "100"
    cli.ok("run")
    assert stage_file(cli)["bill"]["cost"] == pytest.approx(0.01005)
    assert all(request.json["max_tokens"] > 0 for request in server.requests)


def test_a_parameter_that_the_protocol_does_not_have_is_not_sent_and_that_is_said(cli: CLI, server: HTTPServer) -> None:
    cli.settings |= {"LLM_THINKING_BUDGET": "0", "LLM_TEMPERATURE": "0", "LLM_THINKING_LEVEL": "low"}
    assert "LLM_THINKING_BUDGET is not sent" in cli.ok("run").stderr
    sent = server.requests[0].json
    assert (sent["temperature"], sent["reasoning_effort"]) == (0.0, "low")


@pytest.mark.parametrize(
    "trouble",
    [
        lambda key: openai_error(401, f"Incorrect API key provided: {key}"),
        lambda key: openai_error(400, f"bad request by {key}"),
        lambda key: openai_error(500, f"failed for Bearer {key}"),
        lambda key: Response(404, f"no such path: {key}".encode()),
        lambda key: openai_text('{"items": [', f"stopped by {key}"),
        lambda key: openai_text('{"items": []}', model=f"model of {key}"),
    ],
    ids=["401", "400", "500", "404", "finish", "model"],
)
def test_a_key_that_the_server_repeats_is_told_to_nobody(
    cli: CLI, server: HTTPServer, trouble: Callable[[str], Response]
) -> None:
    server.routes["/v1/chat/completions"] = [trouble(KEY)]
    cli.settings |= {"LLM_API_KEY": KEY, "LLM_BASE_URL": f"{server.url}/v1"}
    for command in (("run", "-v"), ("check", "--online")):
        result = cli(*command)
        assert KEY not in result.output + result.stderr
    assert all(KEY.encode() not in file.read_bytes() for file in cli.folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://", "http://[::1", "http://h:0/v1"])
def test_a_base_url_that_is_none_is_a_wrong_setting(cli: CLI, url: str) -> None:
    cli.settings |= {"CLASSIFIER": "openai", "LLM_MODEL_NAME": "m", "LLM_BASE_URL": url}
    result = cli("run", "--dry-run")
    assert result.exit_code == 2
    assert "LLM_BASE_URL is not a valid URL" in result.stderr


def coded(request: Request) -> str:
    """The answer of a model that is asked for codes, and chooses the first one for each ticket."""
    sent = json.dumps(request.json)
    (codes,) = re.findall(r'"enum": \["([a-z]+\d+)"', sent)
    question = re.search(r"<tickets>\\n(\[.*?\])\\n</tickets>", sent)
    assert question
    rows = json.loads(json.loads(f'"{question[1]}"'))
    return json.dumps({"items": [{"i": row[0], "c": codes, "p": 88} for row in rows]})


@pytest.mark.parametrize("wire", ["gemini", "openai"])
def test_without_evidence_the_model_is_asked_for_codes(cli: CLI, http: HTTPServer, wire: str) -> None:
    http.routes = {
        "/v1beta/models/": lambda request: gemini_text(coded(request)),
        "/v1/chat/completions": lambda request: openai_text(coded(request)),
    }
    urls = {"GOOGLE_GEMINI_BASE_URL": http.url, "LLM_BASE_URL": f"{http.url}/v1"}
    cli.settings |= urls | {"CLASSIFIER": wire, "LLM_MODEL_NAME": "m", "LLM_API_KEY": "key", "LLM_EVIDENCE": "off"}
    assert "5 of 5 tickets attributed" in cli.ok("run").stderr
    chosen = [item["attribution"] for item in stage_file(cli)["data"] if item["attribution"]["source"] == "model"]
    assert len(chosen) == 4
    assert {(one["confidence"], one["evidence"]) for one in chosen} == {(0.88, "")}
    cli.ok("run")
    assert len(http.requests) == 1
    cli.settings["LLM_EVIDENCE"] = "some"
    assert "LLM_EVIDENCE is not one of on, off" in cli("run").stderr


def counted(request: Request, response: Response) -> Response:
    """The response with a token for each four characters of the texts that were sent, and of the answer."""
    sent, body = request.json, response.body
    if "messages" in sent:
        texts = [message["content"] for message in sent["messages"]]
        given = body["choices"][0]["message"]["content"]
        usage, tokens_in, tokens_out = "usage", "prompt_tokens", "completion_tokens"
    else:
        texts = [one["parts"][0]["text"] for one in (sent["systemInstruction"], *sent["contents"])]
        given = body["candidates"][0]["content"]["parts"][0]["text"]
        usage, tokens_in, tokens_out = "usageMetadata", "promptTokenCount", "candidatesTokenCount"
    numbers = {tokens_in: len("".join(texts)) // 4, tokens_out: len(given) // 4}
    return Response(body={**body, usage: numbers})


def right_answer(ticket: dict[str, Any]) -> dict[str, Any]:
    """What the model says about one of the 420 tickets."""
    row = RIGHT[ticket["short_description"].partition(" (")[0]]
    return {"request_category": row["request_category"], "request_type": row["request_type"], "confidence": 0.9}


def with_420_tickets(cli: CLI) -> None:
    """A queue of 420 different tickets, and their catalog."""
    rows = [GOLD[number % len(GOLD)] for number in range(420)]
    queue = [
        {"id": str(number), "subject": f"{row['short_description']} ({number})", "description": row["long_description"]}
        for number, row in enumerate(rows)
    ]
    (cli.folder / "queue.json").write_text(json.dumps(queue))
    cli.settings |= {
        "HELPDESK_API_URL": "queue.json",
        "SERVICE_CATALOG_URL": str(DATA / "gold" / "catalog.yaml"),
    }


def outcomes_over(cli: CLI, http: HTTPServer, wire: str) -> tuple[list[Any], dict[str, Any]]:
    """The attributions and the bill of 420 tickets, with every seventh call refused once."""
    answer = (gemini if wire == "gemini" else openai)(right_answer)
    refused: set[str] = set()

    def with_trouble(request: Request) -> Response:
        first = asked_tickets(request)[0]["short_description"]
        if int(first.partition("(")[2].rstrip(")")) % 7 == 0 and first not in refused:
            refused.add(first)
            return Response(503, b"<html>busy</html>")
        return counted(request, answer(request))

    http.routes = {"/v1beta/models/": with_trouble, "/v1/chat/completions": with_trouble}
    urls = {"GOOGLE_GEMINI_BASE_URL": http.url, "LLM_BASE_URL": f"{http.url}/v1"}
    cli.settings |= urls | {"CLASSIFIER": wire, "LLM_MODEL_NAME": "gemini-2.5-flash", "LLM_API_KEY": "key"}
    http.requests.clear()
    cli.ok("run", "--dry-run", "--fresh")
    content = stage_file(cli)
    return [item["attribution"] for item in content["data"]], content["bill"]


def test_420_tickets_have_equal_results_calls_and_price_over_both_wires(cli: CLI, http: HTTPServer) -> None:
    with_420_tickets(cli)
    bills = {}
    results = {}
    for wire in ("gemini", "openai"):
        results[wire], bills[wire] = outcomes_over(cli, http, wire)
        del bills[wire]["seconds"]
    assert results["gemini"] == results["openai"]
    assert bills["gemini"] == bills["openai"]
    assert (bills["openai"]["usage"]["calls"], bills["openai"]["usage"]["retries"]) == (16, 2)
    assert len(results["openai"]) == 420
