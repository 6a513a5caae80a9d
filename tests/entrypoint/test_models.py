"""Which model answers, and what is said when it is not the one that was asked, or does not take a parameter."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import openpyxl
import pytest

from ..conftest import CLI
from ..servers import HTTPServer, Request, Response, asked_tickets, gemini, gemini_error, gemini_text

pytestmark = pytest.mark.usefixtures("no_backoff")

PASSWORD = {"request_category": "Access", "request_type": "Password Reset", "confidence": 0.9, "evidence": "x"}


@pytest.fixture
def model(cli: CLI, http: HTTPServer) -> HTTPServer:
    http.routes["/v1beta/models/"] = answers()
    cli.settings |= {
        "CLASSIFIER": "gemini",
        "LLM_API_KEY": "key",
        "GOOGLE_GEMINI_BASE_URL": http.url,
        "LLM_BATCH_SIZE": "2",
        "LLM_MAX_CONCURRENCY": "1",
    }
    return http


def answers(
    *, absent: tuple[str, ...] = (), version: str = "", refuses: Mapping[str, str] | None = None
) -> Callable[[Request], Response]:
    """Gemini without the models `absent`; `version` answers, and refuses parameters with the words of `refuses`."""
    choose = gemini(lambda ticket: PASSWORD)

    def answer(request: Request) -> Response:
        if any(f"/{name}:" in request.path for name in absent):
            return gemini_error(404, "NOT_FOUND")
        for name, words in (refuses or {}).items():
            if name in parameters(request):
                return Response(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": words}})
        response = choose(request)
        if version:
            response.body["modelVersion"] = version
        return response

    return answer


def parameters(request: Request) -> dict[str, Any]:
    """The parameters of the model in a request. Gemini takes their names in both spellings."""
    config = request.json["generationConfig"]
    both = {**config, **(config.get("thinkingConfig") or {})}
    return {re.sub("_(.)", lambda match: match[1].upper(), name): value for name, value in both.items()}


def asked(model: HTTPServer) -> list[str]:
    return [request.path.removeprefix("/v1beta/models/").partition(":")[0] for request in model.requests]


def stage_file(cli: CLI) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(max(cli.folder.glob("work/*/attributions.json")).read_text())
    return content


def models_of_tickets(cli: CLI) -> set[str]:
    return {item["attribution"]["model"] for item in stage_file(cli)["data"] if "model" in item["attribution"]}


def test_of_a_list_the_first_model_that_the_key_may_use_answers(cli: CLI, model: HTTPServer) -> None:
    model.routes["/v1beta/models/"] = answers(absent=("gemini-2.5-pro",))
    cli.settings["LLM_MODEL_NAME"] = "gemini-2.5-pro, gemini-3.5-flash"
    result = cli.ok("run")
    assert asked(model) == ["gemini-2.5-pro", "gemini-3.5-flash", "gemini-3.5-flash"]
    said = "Gemini does not have the model gemini-2.5-pro: gemini-3.5-flash is asked in its place"
    assert result.stderr.count(said) == 1
    assert stage_file(cli)["bill"]["model"] == "gemini-3.5-flash"
    assert "5 of 5 tickets attributed" in cli.ok("run").stderr
    assert len(model.requests) == 3


def test_a_single_model_that_the_key_may_not_use_is_a_wrong_setting(cli: CLI, model: HTTPServer) -> None:
    model.routes["/v1beta/models/"] = answers(absent=("gemini-2.5-pro",))
    cli.settings["LLM_MODEL_NAME"] = "gemini-2.5-pro"
    result = cli("run")
    assert result.exit_code == 2
    assert "Gemini does not have the model gemini-2.5-pro" in result.stderr


@pytest.mark.parametrize("names", ["gemini-3.5-flash,", ",", "a,,b", "a b", "a,../b"])
def test_a_list_with_something_else_than_names_is_a_wrong_setting(cli: CLI, model: HTTPServer, names: str) -> None:
    cli.settings["LLM_MODEL_NAME"] = names
    result = cli("run")
    assert (result.exit_code, model.requests) == (2, [])
    assert "LLM_MODEL_NAME" in result.stderr


def test_another_model_than_the_one_asked_stands_in_stage_file_bill_and_report(cli: CLI, model: HTTPServer) -> None:
    model.routes["/v1beta/models/"] = answers(version="gemini-3.5-flash")
    cli.settings["LLM_MODEL_NAME"] = "gemini-2.5-pro"
    result = cli.ok("run")
    said = "gemini-3.5-flash answers in the place of gemini-2.5-pro"
    assert result.stderr.count(said) == 1
    bill = stage_file(cli)["bill"]
    assert (bill["model"], models_of_tickets(cli)) == ("gemini-3.5-flash", {"gemini-3.5-flash"})
    # 20 tokens in at 1.50 and 10 out at 9 US dollars a million: the prices of the model that answered.
    assert bill["cost"] == pytest.approx(0.00012)
    assert bill["notes"][0].startswith(said)
    cells = [str(cell) for row in openpyxl.load_workbook(cli.reports[0])["Summary"].values for cell in row]
    assert any(cell.startswith(said) for cell in cells)


def test_an_answer_of_another_model_is_not_reused_as_one_of_the_model_asked(cli: CLI, model: HTTPServer) -> None:
    cli.settings["LLM_MODEL_NAME"] = "gemini-2.5-pro"
    model.routes["/v1beta/models/"] = answers(version="gemini-3.8-flash")
    cli.ok("run")
    model.routes["/v1beta/models/"] = answers(version="gemini-2.5-pro")
    cli.ok("run")
    assert len(model.requests) == 4
    cli.ok("run")
    assert len(model.requests) == 4
    assert models_of_tickets(cli) == {"gemini-2.5-pro"}


def test_a_dated_version_and_the_target_of_an_alias_are_reused_without_a_word(cli: CLI, model: HTTPServer) -> None:
    model.routes["/v1beta/models/"] = answers(version="gemini-3.5-flash-preview-09-2026")
    assert "in the place of" not in cli.ok("run").stderr
    cli.ok("run")
    assert len(model.requests) == 2


@pytest.mark.parametrize(
    ("setting", "name", "words"),
    [
        ({"LLM_TEMPERATURE": "0"}, "temperature", "temperature is not supported by this model"),
        ({"LLM_TOP_P": "0.5"}, "topP", "Invalid value at 'generation_config.top_p'"),
        ({"LLM_TOP_K": "3"}, "topK", "topK was removed"),
        ({"LLM_THINKING_LEVEL": "minimal"}, "thinkingLevel", "Thinking level MINIMAL is not supported"),
        ({"LLM_MODEL_NAME": "gemini-2.5-pro", "LLM_THINKING_BUDGET": "0"}, "thinkingBudget", "Budget 0 is invalid."),
    ],
    ids=["temperature", "top_p", "top_k", "level", "budget"],
)
def test_a_parameter_that_the_model_refuses_is_dropped_and_said_once(
    cli: CLI, model: HTTPServer, setting: dict[str, str], name: str, words: str
) -> None:
    model.routes["/v1beta/models/"] = answers(refuses={name: words})
    cli.settings |= setting
    result = cli.ok("run")
    assert "5 of 5 tickets attributed" in result.stderr
    assert result.stderr.count(f"Gemini refuses {[*setting][-1]} for gemini-") == 1
    assert [name in parameters(request) for request in model.requests] == [True, False, False]
    assert "refuses" in stage_file(cli)["bill"]["notes"][0]


def test_a_thinking_parameter_is_sent_to_models_that_take_it(cli: CLI, model: HTTPServer) -> None:
    cli.settings |= {"LLM_MODEL_NAME": "gemini-2.5-pro", "LLM_THINKING_BUDGET": "128", "LLM_THINKING_LEVEL": "low"}
    assert "LLM_THINKING_LEVEL is not sent, because gemini-2.5-pro does not take it" in cli.ok("run").stderr
    cli.settings["LLM_MODEL_NAME"] = "gemini-3.8-flash"
    assert "LLM_THINKING_BUDGET is not sent, because gemini-3.8-flash does not take it" in cli.ok("run").stderr
    first, *_, last = map(parameters, model.requests)
    assert (first["thinkingBudget"], last["thinkingLevel"].lower()) == (128, "low")
    assert "thinkingLevel" not in first
    assert "thinkingBudget" not in last


def test_a_thinking_level_that_there_is_not_is_a_wrong_setting(cli: CLI, model: HTTPServer) -> None:
    cli.settings["LLM_THINKING_LEVEL"] = "deep"
    result = cli("run")
    assert (result.exit_code, model.requests) == (2, [])
    assert "LLM_THINKING_LEVEL is not one of minimal, low, medium, high" in result.stderr


def test_a_parameter_that_the_model_is_known_to_ignore_is_said_once(cli: CLI, model: HTTPServer) -> None:
    cli.settings |= {"LLM_MODEL_NAME": "gemini-3.8-flash", "LLM_TEMPERATURE": "0"}
    assert cli.ok("run").stderr.count("gemini-3.8-flash ignores LLM_TEMPERATURE") == 1


def test_a_calibration_is_not_used_for_the_answers_of_another_model(cli: CLI, model: HTTPServer) -> None:
    gold = [
        {"short_description": f"Ticket {number}", "request_category": category, "request_type": name}
        for number, (category, name) in enumerate([("Access", "Password Reset"), ("Other", "General Inquiry")] * 5)
    ]
    (cli.folder / "gold.jsonl").write_text("\n".join(map(json.dumps, gold)))
    catalog = cli.settings["SERVICE_CATALOG_URL"]
    model.routes["/v1beta/models/"] = answers(version="gemini-3.5-flash")
    cli.ok("evaluate", "gold.jsonl", "--catalog", catalog, "--save-calibration", "curve.json")
    assert json.loads((cli.folder / "curve.json").read_text())["models"] == ["gemini-3.5-flash"]
    cli.settings["CALIBRATION_FILE"] = "curve.json"
    model.routes["/v1beta/models/"] = answers(version="gemini-3.8-flash")
    said = "the calibration is not used for answers of gemini-3.8-flash: it was made for gemini-3.5-flash"
    assert cli.ok("run").stderr.count(said) == 1


def test_check_names_the_models_and_the_parameters_without_effect(cli: CLI, model: HTTPServer) -> None:
    cli.settings |= {
        "LLM_MODEL_NAME": "gemini-2.5-pro,gemini-3.8-flash",
        "LLM_TEMPERATURE": "0",
        "LLM_THINKING_LEVEL": "low",
    }
    shown = " ".join(cli("check").stdout.split())
    for words in (
        "gemini-2.5-pro, or else gemini-3.8-flash, not asked",
        "LLM_THINKING_LEVEL is not sent, because gemini-2.5-pro does not take it",
        "gemini-3.8-flash ignores LLM_TEMPERATURE",
    ):
        assert words in shown
    model.routes["/v1beta/models/"] = answers(version="gemini-3.8-flash")
    shown = " ".join(cli("check", "--online").stdout.split())
    assert "answers, as gemini-3.8-flash" in shown
    assert "gemini-3.8-flash answers in the place of gemini-2.5-pro" in shown


@pytest.mark.parametrize(
    "wrap",
    [
        "```json\n{}\n```",
        "Of course, here is the JSON:\n{}\nIs there anything else?",
        "{0}\n{0}",
        "{}",
    ],
    ids=["code fence", "prose", "twice", "bare list"],
)
def test_a_right_answer_in_a_wrong_envelope_costs_no_ticket_and_no_call(cli: CLI, model: HTTPServer, wrap: str) -> None:
    def answer(request: Request) -> Response:
        items = [{"id": ticket["id"], **PASSWORD} for ticket in asked_tickets(request)]
        return gemini_text(wrap.format(json.dumps(items if wrap == "{}" else {"items": items})))

    model.routes["/v1beta/models/"] = answer
    assert "5 of 5 tickets attributed" in cli.ok("run").stderr
    assert len(model.requests) == 2


def test_a_poison_answer_costs_its_ticket_and_not_the_run(cli: CLI, model: HTTPServer) -> None:
    good = answers()

    def answer(request: Request) -> Response:
        poisoned = any("laptop" in ticket["short_description"] for ticket in asked_tickets(request))
        return gemini_text("[" * 1_000) if poisoned else good(request)

    model.routes["/v1beta/models/"] = answer
    result = cli("run")
    assert (result.exit_code, len(cli.reports)) == (5, 1)
    assert "4 of 5 tickets attributed, 1 failed" in result.stderr
    assert "Traceback" not in result.stderr
