"""What is private in tickets does not leave the machine, and the report shows it as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from ..batch_server import GeminiServer
from ..conftest import CLI
from ..private_texts import private_texts
from ..servers import HTTPServer, Request, Response, asked_tickets, gemini, openai

pytestmark = pytest.mark.usefixtures("no_backoff")

PRIVATE = list(private_texts())
WIRES: dict[str, tuple[str, Callable[..., Any], Callable[[HTTPServer], dict[str, str]]]] = {
    "gemini": (
        "/v1beta/models/gemini-flash-latest:generateContent",
        gemini,
        lambda http: {"GOOGLE_GEMINI_BASE_URL": http.url, "LLM_API_KEY": "key"},
    ),
    "openai": (
        "/v1/chat/completions",
        openai,
        lambda http: {"LLM_BASE_URL": f"{http.url}/v1", "LLM_MODEL_NAME": "m"},
    ),
}


def quoting(ticket: dict[str, Any]) -> dict[str, Any]:
    """A model that quotes the whole description as evidence, as far as evidence goes."""
    pair = {"request_category": "Access", "request_type": "Password Reset", "confidence": 0.9}
    return {**pair, "evidence": ticket["long_description"][:200]}


@pytest.fixture(params=["gemini", pytest.param("openai", marks=pytest.mark.thorough)])
def model(cli: CLI, http: HTTPServer, request: pytest.FixtureRequest) -> HTTPServer:
    path, fake, settings = WIRES[request.param]
    http.routes = {path: fake(quoting)}
    cli.settings |= {"CLASSIFIER": request.param, "LLM_MAX_RETRIES": "0", "LOG_FILE": "log.txt", "LOG_LEVEL": "DEBUG"}
    cli.settings |= settings(http)
    return http


def queue(cli: CLI, *texts: str) -> None:
    items = [
        {"id": f"T-{number}", "short_description": f"Ticket {number}", "long_description": text}
        for number, text in enumerate(texts)
    ]
    (cli.folder / "queue.json").write_text(json.dumps(items), encoding="utf-8")
    cli.settings["HELPDESK_API_URL"] = "queue.json"


def evidence(cli: CLI) -> dict[str, str]:
    content = json.loads(max(cli.folder.glob("work/*/attributions.json")).read_text(encoding="utf-8"))
    return {item["ticket"]["id"]: item["attribution"]["evidence"] for item in content["data"]}


def kept(cli: CLI) -> str:
    """What stays on the disk besides the tickets and the report: the cached answers, and the log."""
    files = [*cli.folder.glob("work/answers.db*"), *cli.folder.glob("log.txt*")]
    return b"".join(path.read_bytes() for path in files).decode("utf-8", "replace")


def asked(http: HTTPServer) -> list[dict[str, Any]]:
    return [ticket for request in http.requests for ticket in asked_tickets(request)]


def compact(text: str) -> str:
    return re.sub(r"\W", "", text)


@pytest.mark.parametrize("model", ["gemini", pytest.param("openai", marks=pytest.mark.thorough)], indirect=True)
def test_none_of_seven_hundred_private_texts_leaves_the_process(cli: CLI, model: HTTPServer) -> None:
    queue(cli, *(private.text for private in PRIVATE))
    result = cli.ok("run")
    tickets = asked(model)
    assert len(PRIVATE) == len(tickets) > 700
    sent = {ticket["short_description"]: ticket["long_description"] for ticket in tickets}
    kept_words = compact(kept(cli))
    found = evidence(cli)
    for number, private in enumerate(PRIVATE):
        assert compact(private.private) not in compact(sent[f"Ticket {number}"]), private
        if len(compact(private.private)) > 5:
            assert compact(private.private) not in kept_words, private
        assert found[f"T-{number}"] == private.text[:200]
    bodies = b"".join(request.body for request in model.requests).decode()
    said = bodies + json.dumps([request.headers for request in model.requests]) + result.output
    for private in PRIVATE:
        if len(private.private) > 8:
            assert private.private not in said
            assert json.dumps(private.private)[1:-1] not in said


def test_none_of_them_leaves_the_process_in_a_batch_job(cli: CLI, http: HTTPServer) -> None:
    cli.settings |= {"CLASSIFIER": "gemini", "LLM_API_KEY": "key", "GOOGLE_GEMINI_BASE_URL": http.url}
    server = GeminiServer(http, quoting)
    queue(cli, *(private.text for private in PRIVATE))
    cli.ok("fetch")
    assert cli("classify", "--batch").exit_code == 5
    server.finish()
    cli.ok("classify", "--batch")
    sent = b"".join(request.body for request in http.requests).decode("utf-8", "replace")
    assert "[EMAIL_1]" in sent
    files = b"".join(path.read_bytes() for path in cli.folder.glob("work/*.db*")).decode("utf-8", "replace")
    found = evidence(cli)
    for number, private in enumerate(PRIVATE):
        if len(compact(private.private)) > 8:
            assert private.private not in sent + files, private
        assert found[f"T-{number}"] == private.text[:200]


def test_cached_answers_show_the_original_in_a_later_run(cli: CLI, model: HTTPServer) -> None:
    queue(cli, "first a@example.com", "My password is hunter2, b@example.com")
    cli.ok("run")
    calls = len(model.requests)
    cli.ok("run")
    assert len(model.requests) == calls
    assert evidence(cli) == {"T-0": "first a@example.com", "T-1": "My password is hunter2, b@example.com"}
    assert "hunter2" not in kept(cli)


def test_switched_off_the_text_is_sent_as_it_is_and_not_taken_for_redacted(cli: CLI, model: HTTPServer) -> None:
    queue(cli, "My password is hunter2")
    cli.ok("run")
    cli.settings["REDACT"] = "off"
    cli.ok("run")
    assert [ticket["long_description"] for ticket in asked(model)] == [
        "My password is [REDACTED_1]",
        "My password is hunter2",
    ]


def test_examples_are_redacted_before_they_are_cut(cli: CLI, model: HTTPServer) -> None:
    text = "Printer jam in the hall, " + "x " * 180 + "card 4111 1111 1111 1111"
    gold = {"request_category": "Access", "request_type": "Password Reset"}
    line = {"id": "G-1", "short_description": "Printer jam a@example.com", "long_description": text, **gold}
    (cli.folder / "gold.jsonl").write_text(json.dumps(line), encoding="utf-8")
    queue(cli, "Printer jam in the hall")
    cli.ok("run", "--examples", "gold.jsonl")
    body = model.requests[0].body.decode()
    assert "Printer jam [EMAIL_1]" in body
    assert "4111" not in body


def test_own_names_and_patterns_are_hidden(cli: CLI, model: HTTPServer) -> None:
    (cli.folder / "terms.txt").write_text("# ours\nAnna Schmidt\n/EMP-[0-9]{4}/\n\nFalcon\n", encoding="utf-8")
    cli.settings["REDACT_TERMS"] = "terms.txt"
    queue(cli, "ANNA  schmidt (EMP-4711) of Falcon, not falconry")
    cli.ok("run")
    assert asked(model)[0]["long_description"] == "[TERM_1] ([TERM_2]) of [TERM_3], not falconry"
    assert evidence(cli)["T-0"].startswith("ANNA  schmidt (EMP-4711)")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("ok\n/EMP-(\\d+/", 'line 2: "/EMP-(\\d+/" is not a valid pattern'),
        ("/(a+)+$/", 'line 1: "/(a+)+$/" repeats what repeats already, which is slow'),
        ("/(?:x*y?){2,}/", "slow"),
        ("/((a|b)*c)*/", "slow"),
        ("/(a)\\1/", "not a valid pattern"),
        ("/(?<=x)y/", "Look-around is not possible"),
        ("/a{5000}/", "Use at most {1000}"),
        ("/.*/", "matches an empty text"),
        ("/x", "is not a name, and not a pattern"),
        ("x", "is too short for a name"),
        ("/" + "a" * 2000 + "/", "is longer than"),
    ],
)
def test_a_wrong_or_slow_term_is_refused_with_its_line_and_what_to_do(cli: CLI, lines: str, said: str) -> None:
    (cli.folder / "terms.txt").write_text(lines, encoding="utf-8")
    cli.settings |= {"CLASSIFIER": "openai", "LLM_BASE_URL": "http://127.0.0.1:1/v1", "LLM_MODEL_NAME": "m"}
    cli.settings["REDACT_TERMS"] = "terms.txt"
    result = cli("run")
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


@pytest.mark.parametrize("name", ["gone.txt", "."])
def test_a_file_of_terms_that_cannot_be_read_is_named(cli: CLI, name: str) -> None:
    cli.settings |= {"CLASSIFIER": "openai", "LLM_BASE_URL": "http://127.0.0.1:1/v1", "LLM_MODEL_NAME": "m"}
    cli.settings["REDACT_TERMS"] = name
    result = cli("run")
    assert result.exit_code == 2
    assert "REDACT_TERMS cannot be read" in result.stderr


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "ok redaction hidden from the model: mail addresses, phone, account, card, tax and insurance numbers"),
        ({"REDACT_TERMS": "terms.txt"}, "and what REDACT_TERMS names; names of persons are not found"),
        ({"REDACT": "off"}, "ok redaction REDACT=off: the model gets the text of tickets as it is"),
    ],
    ids=str,
)
def test_check_says_what_is_hidden_from_the_model(
    cli: CLI, model: HTTPServer, settings: dict[str, str], said: str
) -> None:
    (cli.folder / "terms.txt").write_text("Falcon\n", encoding="utf-8")
    cli.settings |= settings
    assert said in " ".join(cli.ok("check").stdout.split())
    assert model.requests == []
    cli.settings["CLASSIFIER"] = "offline"
    assert "redaction" not in cli.ok("check").stdout


def test_a_wrong_term_is_named_by_check_once(cli: CLI, model: HTTPServer) -> None:
    (cli.folder / "terms.txt").write_text("x\n", encoding="utf-8")
    cli.settings["REDACT_TERMS"] = "terms.txt"
    result = cli("check")
    assert (result.exit_code, result.stdout.count("is too short for a name")) == (2, 1)


def test_a_ticket_that_is_all_secrets_is_sent_as_placeholders_and_has_its_row(cli: CLI, model: HTTPServer) -> None:
    texts = [private.private for private in PRIVATE if private.kind in ("EMAIL", "IBAN", "CARD", "IP")]
    (cli.folder / "queue.json").write_text(
        json.dumps([{"id": "1", "subject": texts[0], "description": "\n".join(texts)}])
    )
    cli.settings["HELPDESK_API_URL"] = "queue.json"
    assert "1 of 1 ticket attributed" in cli.ok("run").stderr
    (ticket,) = asked(model)
    assert re.fullmatch(r"(\s*\[[A-Z]+_[0-9]+\])+", f"{ticket['short_description']}\n{ticket['long_description']}")


def test_a_model_that_invents_placeholders_shows_no_other_ticket(cli: CLI, http: HTTPServer) -> None:
    def stealing(ticket: dict[str, Any]) -> dict[str, Any]:
        return {**quoting(ticket), "evidence": "[EMAIL_1] [EMAIL_2] [EMAIL_9]"}

    http.routes = {"/v1/chat/completions": openai(stealing)}
    cli.settings |= {"CLASSIFIER": "openai", "LLM_BASE_URL": f"{http.url}/v1", "LLM_MODEL_NAME": "m"}
    queue(cli, "a@example.com", "b@example.com")
    cli.ok("run")
    assert evidence(cli) == {
        "T-0": "a@example.com [EMAIL_2] [EMAIL_9]",
        "T-1": "[EMAIL_1] b@example.com [EMAIL_9]",
    }


def test_the_words_of_an_answer_outside_the_catalog_come_back_too(cli: CLI, http: HTTPServer) -> None:
    def echoing(request: Request) -> Response:
        return openai(lambda ticket: {"request_category": ticket["long_description"], "request_type": "x"})(request)

    http.routes = {"/v1/chat/completions": echoing}
    cli.settings |= {"CLASSIFIER": "openai", "LLM_BASE_URL": f"{http.url}/v1", "LLM_MODEL_NAME": "m"}
    queue(cli, "a@example.com")
    cli("run")
    content = max(cli.folder.glob("work/*/attributions.json")).read_text(encoding="utf-8")
    assert "the model answered: a@example.com / x" in content


def test_what_would_be_hidden_is_shown_masked_and_counted(cli: CLI) -> None:
    cli.settings = {"REDACT": "off", "REDACT_TERMS": "terms.txt"}
    (cli.folder / "terms.txt").write_text("Falcon\n", encoding="utf-8")
    queue(cli, "My password is hunter2. hunter2!", "a.b@example.com, a.b@example.com of Falcon", "Version 10.0.0.1")
    cli.settings.pop("HELPDESK_API_URL")
    result = cli.ok("check", "--redaction", "queue.json")
    assert result.stdout.splitlines() == [
        "kind    found  tickets  ticket  for example",
        "SECRET  2      1        T-0     My password is ********. [REDACTED_1]!",
        "                        T-0     rd is [REDACTED_1]. ********!",
        "EMAIL   2      1        T-1     a.b@e******.c**, [EMAIL_1] of [TERM",
        "                        T-1     [EMAIL_1], a.b@e******.c** of [TERM_1]",
        "TERM    1      1        T-1     IL_1], [EMAIL_1] of F*****",
    ]
    assert "5 private texts in 2 of 3 tickets; REDACT=off, so nothing is hidden now" in result.stderr
    shown = json.loads(cli.ok("check", "--redaction", "queue.json", "--format", "json").stdout)
    assert {kind["kind"]: kind["found"] for kind in shown["kinds"]} == {"SECRET": 2, "EMAIL": 2, "TERM": 1}


def test_a_stage_file_is_previewed_and_a_missing_file_is_an_input_error(cli: CLI) -> None:
    queue(cli, "a@example.com")
    cli.ok("fetch")
    path = str(max(cli.folder.glob("work/*/tickets.json")))
    assert "a@e******.c**" in cli.ok("check", "--redaction", path).stdout
    result = cli("check", "--redaction", "gone.csv")
    assert result.exit_code == 3
    assert "gone.csv cannot be read" in result.stderr
