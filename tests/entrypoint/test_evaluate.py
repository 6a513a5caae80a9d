"""`ticketattr evaluate`, as users call it."""

from __future__ import annotations

import csv
import html
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ticketattr.errors import ExitCode

from ..conftest import CLI, DATA
from ..servers import HTTPServer, Request, Response, asked_tickets, gemini_text

pytestmark = pytest.mark.usefixtures("no_backoff")

GOLD, CATALOG = DATA / "gold" / "further.jsonl", DATA / "gold" / "catalog.yaml"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in GOLD.read_text(encoding="utf-8").splitlines()]
COLUMNS = ("id", "short_description", "long_description", "request_category", "request_type")


def evaluate(cli: CLI, gold: Path = GOLD, *options: str, format: str = "json") -> Any:
    result = cli.ok("--quiet", "evaluate", str(gold), "--catalog", str(CATALOG), "--format", format, *options)
    return json.loads(result.stdout) if format == "json" else result.stdout


def gold_file(cli: CLI, rows: list[dict[str, Any]], name: str = "gold.jsonl") -> Path:
    path = cli.folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def refused(cli: CLI, *arguments: str, exit_code: ExitCode = ExitCode.INPUT) -> str:
    result = cli("--quiet", "evaluate", *arguments)
    assert result.exit_code == exit_code, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    return result.stderr


@pytest.fixture
def model(cli: CLI, http: HTTPServer) -> HTTPServer:
    """Gemini's wire, with a model that knows the labels and is wrong in every fifth ticket."""
    labels = {(row["short_description"], row["long_description"]): place for place, row in enumerate(ROWS)}

    def answer(request: Request) -> Response:
        items = []
        for ticket in asked_tickets(request):
            place = labels[ticket["short_description"], ticket["long_description"]]
            label = (
                ROWS[place] if place % 5 else {"request_category": "Security", "request_type": "Other Security Concern"}
            )
            pair = {name: label[name] for name in ("request_category", "request_type")}
            items.append({"id": ticket["id"], **pair, "confidence": 0.9, "evidence": ""})
        return gemini_text(json.dumps({"items": items}))

    http.routes["/v1beta/models/"] = answer
    cli.settings |= {"CLASSIFIER": "gemini", "LLM_API_KEY": "key", "GOOGLE_GEMINI_BASE_URL": http.url}
    return http


def test_the_embedded_classifier_is_measured_without_a_key(cli: CLI) -> None:
    results = evaluate(cli)
    figures = results["figures"]
    assert results["classifier"] == "offline"
    assert results["calibration"] == "the shipped map"
    assert figures["tickets"] == len(ROWS) == len(results["tickets"])
    assert figures["pair_accuracy"]["low"] >= 0.7
    assert figures["reach"]["coverage"]["low"] >= 0.6
    assert figures["top3"]["value"] >= figures["pair_accuracy"]["value"]


@pytest.mark.thorough
def test_the_same_tickets_give_the_same_results_twice(cli: CLI, known_vectors: dict[str, Any]) -> None:
    known_vectors.clear()
    once = evaluate(cli)["tickets"]
    known_vectors.clear()
    assert evaluate(cli)["tickets"] == once


def test_the_form_of_the_file_changes_no_figure(cli: CLI, model: HTTPServer) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {name: [row[name] for row in ROWS] for name in COLUMNS}
    parquet.write_table(arrow.table(columns), cli.folder / "gold.parquet", row_group_size=50)
    cli.ok("classify", "-i", str(GOLD), "--catalog", str(CATALOG), "-o", "result.jsonl")
    lines, table = evaluate(cli), evaluate(cli, cli.folder / "gold.parquet")
    assert table["figures"] == lines["figures"]
    assert table["tickets"] == lines["tickets"]
    # A result of `classify` has labels, too: those that the classifier chose, or, as here, the tickets came with.
    assert evaluate(cli, cli.folder / "result.jsonl")["figures"] == lines["figures"]


def test_the_interval_contains_the_true_accuracy_of_a_model(cli: CLI, model: HTTPServer) -> None:
    results = evaluate(cli)
    accuracy = results["figures"]["pair_accuracy"]
    assert accuracy["value"] == pytest.approx(0.8, abs=0.02)
    assert accuracy["low"] <= 0.8 <= accuracy["high"]
    assert accuracy["method"] == "Wilson"
    assert results["classifier"] == "gemini (gemini-flash-latest)"
    assert results["bill"]["usage"]["calls"] == len(model.requests) == 6
    assert results["figures"]["top3"] is None


@pytest.mark.parametrize(
    ("settings", "mapped_by"),
    [
        ({}, "nothing: it is the model's own word"),
        ({"CLASSIFIER": "cascade"}, "the shipped map; what the model decides, nothing: it is the model's own word"),
    ],
)
def test_the_confidence_that_a_model_states_is_not_called_mapped(
    cli: CLI, model: HTTPServer, settings: dict[str, str], mapped_by: str
) -> None:
    cli.settings |= settings
    assert evaluate(cli)["calibration"] == mapped_by
    (row,) = (line for line in evaluate(cli, format="table").splitlines() if "confidence mapped by" in line)
    assert row.split("mapped by")[1].strip() == mapped_by


def test_repeated_runs_say_how_far_they_agree(cli: CLI, model: HTTPServer) -> None:
    steady = model.routes["/v1beta/models/"]
    assert callable(steady)

    def moody(request: Request) -> Response:
        """Knows the labels as before, and changes its mind about the first ticket of each batch in every other run."""
        response = steady(request)
        run = (len(model.requests) - 1) // 6
        if run % 2:
            part = response.body["candidates"][0]["content"]["parts"][0]
            answer = json.loads(part["text"])
            answer["items"][0] |= {"request_category": "Security", "request_type": "Report Phishing/Suspicious Email"}
            part["text"] = json.dumps(answer)
        return response

    model.routes["/v1beta/models/"] = moody
    cli.settings["LLM_MAX_CONCURRENCY"] = "1"
    results = evaluate(cli, GOLD, "--repeat", "3")
    consistency = results["consistency"]
    changed = len(consistency["changing"])
    assert 0 < changed <= 6
    assert consistency["runs"] == len(consistency["accuracies"]) == 3
    assert consistency["same"]["value"] == pytest.approx(1 - changed / len(ROWS))
    # Of the three pairs of runs, two differ.
    assert consistency["agreement"] == pytest.approx(1 - changed / len(ROWS) * 2 / 3)
    assert consistency["accuracies"][0] == consistency["accuracies"][2]
    assert results["bill"]["usage"]["calls"] == len(model.requests) == 18
    assert [count for _, count in consistency["changing"][0]["chosen"]] == [2, 1]
    table = evaluate(cli, GOLD, "--repeat", "2", format="table")
    assert "the same answer in all runs" in table
    assert "Different answers" in table


@pytest.mark.thorough
def test_the_embedded_classifier_agrees_with_itself(cli: CLI) -> None:
    consistency = evaluate(cli, GOLD, "--repeat", "2")["consistency"]
    assert (consistency["same"]["value"], consistency["agreement"], consistency["changing"]) == (1.0, 1.0, [])


def test_repeating_does_not_go_together_with_comparing_or_calibrating(cli: CLI) -> None:
    both = str(GOLD), "--catalog", str(CATALOG), "--repeat", "2"
    said = refused(cli, *both, "--save-calibration", "curve.json", exit_code=ExitCode.USAGE)
    assert "--repeat measures one classifier" in said


def test_no_label_is_shown_to_a_model(cli: CLI, model: HTTPServer) -> None:
    evaluate(cli)
    asked = [ticket for request in model.requests for ticket in asked_tickets(request)]
    assert {name for ticket in asked for name in ticket} == {"id", "short_description", "long_description"}


def test_the_table_names_every_figure_with_its_interval(cli: CLI) -> None:
    table = evaluate(cli, format="table")
    for words in ("pair accuracy", "category accuracy", "macro F1", "ECE", "cross-validated", "Wilson", "bootstrap"):
        assert words in table
    assert "Worst pairs" in table
    assert "Reliability" in table


def test_the_page_has_plots_and_loads_nothing_else(cli: CLI) -> None:
    page = evaluate(cli, format="html")
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") == 2
    assert not re.search(r"(src|href)=|<script|@import|url\(", page)


@pytest.mark.thorough
def test_gold_tickets_may_be_csv_a_workbook_or_a_stage_file(cli: CLI) -> None:
    some = ROWS[:40]
    expected = evaluate(cli, gold_file(cli, some))["figures"]["pair_accuracy"]
    with (cli.folder / "gold.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(some)
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    for line in (COLUMNS, *([row[name] for name in COLUMNS] for row in some)):
        sheet.append(list(line))
    workbook.save(cli.folder / "gold.xlsx")
    for name in ("gold.csv", "gold.xlsx"):
        assert evaluate(cli, cli.folder / name)["figures"]["pair_accuracy"] == expected
    cli.settings |= {"HELPDESK_API_URL": "queue.json", "SERVICE_CATALOG_URL": str(CATALOG)}
    (cli.folder / "queue.json").write_text(json.dumps([{name: row[name] for name in COLUMNS} for row in some]))
    cli.ok("fetch")
    attributions = Path(cli.ok("classify").stdout.strip())
    assert evaluate(cli, attributions)["figures"]["pair_accuracy"] == expected


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_gold_may_come_as_excel_writes_csv_in_other_countries(cli: CLI, encoding: str, delimiter: str) -> None:
    some = [{**row, "short_description": "Büro " + row["id"]} for row in ROWS[:20]]
    with (cli.folder / "gold.csv").open("w", newline="", encoding=encoding, errors="replace") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", delimiter=delimiter)
        writer.writeheader()
        writer.writerows(some)
    assert evaluate(cli, cli.folder / "gold.csv")["figures"]["tickets"] == 20


def test_a_report_is_gold(cli: CLI) -> None:
    cli.settings |= {"HELPDESK_API_URL": "queue.json", "SERVICE_CATALOG_URL": str(CATALOG)}
    queue = [{name: row[name] for name in COLUMNS} for row in ROWS[:20]] + [{"id": "", "subject": ""}]
    (cli.folder / "queue.json").write_text(json.dumps(queue))
    cli.ok("run", "--dry-run", "--classifier", "offline")
    (report,) = cli.folder.rglob("*.xlsx")
    assert evaluate(cli, report)["figures"]["tickets"] in (20, 21)


def test_html_in_gold_is_read_as_the_helpdesk_reader_does(cli: CLI) -> None:
    some = ROWS[:40]
    wrapped = [
        {**row, "long_description": f"<style>p {{}}</style><p>{html.escape(row['long_description'])}</p>"}
        for row in some
    ]
    plain, marked = evaluate(cli, gold_file(cli, some)), evaluate(cli, gold_file(cli, wrapped, "html.jsonl"))
    assert plain["figures"]["pair_accuracy"] == marked["figures"]["pair_accuracy"]


def test_other_acceptable_labels_count_in_the_lenient_accuracy(cli: CLI) -> None:
    wrong = [{**row, "request_category": "Security", "request_type": "Other Security Concern"} for row in ROWS[:20]]
    also_ok = [
        {**row, "also_ok": [{name: label[name] for name in COLUMNS[3:]}]}
        for row, label in zip(wrong, ROWS[:20], strict=True)
    ]
    figures = evaluate(cli, gold_file(cli, [*also_ok, ROWS[20]]))["figures"]
    assert figures["pair_accuracy"]["value"] < 0.2
    assert figures["lenient_accuracy"]["value"] > 0.8


def test_an_accuracy_below_fail_under_exits_with_5(cli: CLI) -> None:
    options = ("evaluate", str(GOLD), "--catalog", str(CATALOG), "--fail-under")
    assert cli(*options, "0.5").exit_code == 0
    result = cli(*options, "1.0")
    assert result.exit_code == ExitCode.PARTIAL
    assert "below 1: 0.9" in result.stderr


def test_two_classifiers_and_saved_results_are_compared_on_the_same_tickets(cli: CLI, model: HTTPServer) -> None:
    (cli.folder / "saved.json").write_text(json.dumps(evaluate(cli)))
    for pair in (("offline", "gemini"), ("offline", "saved.json")):
        result = cli.ok("evaluate", str(GOLD), "--catalog", str(CATALOG), "--compare", *pair)
        assert re.search(r"McNemar p = 0\.0000: they differ", result.stdout)
    result = cli.ok("evaluate", str(GOLD), "--catalog", str(CATALOG), "--compare", "gemini", "saved.json")
    assert "McNemar p = 1.0000: no difference is shown" in result.stdout
    # Saved results do not say it, and nothing is said in their place.
    assert result.stdout.count("confidence mapped by") == 1


def test_comparing_shows_what_a_cascade_of_the_two_would_cost(cli: CLI, model: HTTPServer) -> None:
    dear = {"input": 1e6, "output": 1e6, "cached": 1e6}
    cli.folder.joinpath("prices.json").write_text(json.dumps({"models": {"gemini-flash-latest": dear}}))
    cli.settings["LLM_PRICES"] = "prices.json"
    result = cli.ok("evaluate", str(GOLD), "--catalog", str(CATALOG), "--compare", "offline", "gemini")
    table = result.stdout.partition("Cascade: offline where it is sure, gemini for the rest")[2].splitlines()
    assert table[1].split("  ")[1] == "CASCADE_THRESHOLD"
    rows = [line.split() for line in table[2:] if line.strip()]
    none, *_, all_ = rows
    assert none[1:3] == ["0%", "0.00"]
    assert all_[:5] == ["ask", "about", "all", "100%", all_[4]]
    assert float(all_[4]) > 0
    assert float(all_[5]) == pytest.approx(0.8, abs=0.02)


def test_results_on_other_tickets_are_not_compared(cli: CLI) -> None:
    (cli.folder / "saved.json").write_text(json.dumps(evaluate(cli, gold_file(cli, ROWS[:30]))))
    message = refused(cli, str(GOLD), "--catalog", str(CATALOG), "--compare", "offline", "saved.json")
    assert "saved.json was made on other gold tickets" in message


# Calibration


def test_a_saved_calibration_is_used_and_named(cli: CLI, model: HTTPServer) -> None:
    evaluate(cli, GOLD, "--save-calibration", "map.json")
    cli.settings["CALIBRATION_FILE"] = "map.json"
    results = evaluate(cli)
    assert results["calibration"] == "map.json"
    assert [ticket["confidence"] for ticket in results["tickets"]] == [pytest.approx(0.8, abs=0.02)] * len(ROWS)
    assert results["figures"]["ece"]["value"] < 0.02


def test_a_calibration_of_another_classifier_or_catalog_is_refused(cli: CLI, model: HTTPServer) -> None:
    evaluate(cli, GOLD, "--save-calibration", "map.json")
    cli.settings |= {"CALIBRATION_FILE": "map.json", "CLASSIFIER": "offline"}
    assert "another classifier or catalog" in refused(cli, str(GOLD), "--catalog", str(CATALOG))


def test_a_run_warns_about_a_calibration_of_another_classifier_and_does_not_use_it(cli: CLI) -> None:
    evaluate(cli, GOLD, "--save-calibration", "map.json")
    cli.settings["CALIBRATION_FILE"] = "map.json"
    assert "the calibration is not used" in cli.ok("run", "--dry-run").stderr


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"kind": "calibration"}', "<html>"])
def test_a_file_that_is_not_a_calibration_is_refused(cli: CLI, content: str) -> None:
    (cli.folder / "map.json").write_text(content)
    cli.settings["CALIBRATION_FILE"] = "map.json"
    assert "map.json" in refused(cli, str(GOLD), "--catalog", str(CATALOG))


# Examples


def test_examples_teach_what_the_catalog_does_not_say(cli: CLI) -> None:
    odd = {"request_category": "Hardware Support", "request_type": "Other Hardware Request"}
    say = ["The frobnicator hums", "Frobnicator hums again", "Loud hum of the frobnicator", "frobnicator humming"]
    shown = [{"id": str(place), "short_description": text, **odd} for place, text in enumerate(say)]
    asked = [{"id": "9", "short_description": "my frobnicator hums too", **odd}, ROWS[0]]
    gold, examples = gold_file(cli, asked), gold_file(cli, shown, "examples.jsonl")
    results = evaluate(cli, gold, "--examples", str(examples))
    assert [ticket["right"] for ticket in results["tickets"]] == [True, True]


def test_the_most_similar_examples_are_in_the_prompt(cli: CLI, model: HTTPServer) -> None:
    examples = gold_file(cli, ROWS[:60], "examples.jsonl")
    evaluate(cli, gold_file(cli, ROWS[60:90]), "--examples", str(examples))
    text: str = model.requests[0].json["contents"][0]["parts"][0]["text"]
    block = text.partition("<examples>\n")[2].partition("\n</examples>")[0]
    shown = {row["short_description"] for row in json.loads(block)}
    assert 1 <= len(shown) <= 12
    assert shown <= {row["short_description"] for row in ROWS[:60]}


def test_examples_that_are_also_gold_tickets_are_refused(cli: CLI) -> None:
    message = refused(cli, str(GOLD), "--catalog", str(CATALOG), "--examples", str(GOLD))
    assert f"the examples contain {len(ROWS)} gold tickets" in message


# Cascade


def test_a_cascade_asks_the_model_only_about_doubtful_tickets(cli: CLI, model: HTTPServer) -> None:
    cli.settings |= {"CASCADE_THRESHOLD": "0.9"}
    doubtful = sum(
        (ticket["confidence"] or 0.0) < 0.9 for ticket in evaluate(cli, GOLD, "--classifier", "offline")["tickets"]
    )
    results = evaluate(cli, GOLD, "--classifier", "cascade")
    asked = sum(len(asked_tickets(request)) for request in model.requests)
    assert asked == doubtful
    assert 0 < asked < len(ROWS) / 2
    assert results["figures"]["answered"] == len(ROWS)


@pytest.mark.thorough
def test_a_cascade_whose_model_is_down_keeps_the_sure_attributions(cli: CLI, model: HTTPServer) -> None:
    model.routes["/v1beta/models/"] = lambda request: Response(503, {})
    cli.settings |= {"LLM_MAX_RETRIES": "0", "CASCADE_THRESHOLD": "0.9"}
    figures = evaluate(cli, GOLD, "--classifier", "cascade")["figures"]
    assert len(ROWS) / 2 < figures["answered"] < len(ROWS)


# Bad gold


def test_labels_that_are_not_in_the_catalog_are_refused_unless_ignored(cli: CLI) -> None:
    strange = {**ROWS[0], "id": "strange", "request_type": "Reset forgotten coffee"}
    gold = gold_file(cli, [*ROWS[:30], strange])
    message = refused(cli, str(gold), "--catalog", str(CATALOG))
    assert "Access Management / Reset forgotten coffee" in message
    assert "--ignore-unknown" in message
    assert evaluate(cli, gold, "--ignore-unknown")["figures"]["tickets"] == 30


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        pytest.param([], "is empty", id="empty"),
        pytest.param([ROWS[0], ROWS[30], ROWS[0]], "used more than once: F-001", id="duplicate ids"),
        pytest.param(ROWS[:3], "all tickets have the same label", id="one class"),
        pytest.param([{"id": "1", "short_description": "x"}], "lacks the columns request_category", id="no label"),
    ],
)
def test_gold_tickets_that_measure_nothing_are_refused(cli: CLI, rows: list[dict[str, Any]], words: str) -> None:
    assert words in refused(cli, str(gold_file(cli, rows)), "--catalog", str(CATALOG))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("gold.jsonl", b"1\n", "item 1 in gold.jsonl is not a ticket but int"),
        ("gold.jsonl", b'{"id":\n', "is not valid JSON"),
        ("gold.jsonl", b"\xff\xfe", "is not valid JSON"),
        ("gold.csv", b"", "gold.csv is empty"),
        ("gold.csv", b"id,short_description\n1,x\n", "lacks the columns request_category, request_type"),
        ("gold.xlsx", b"no workbook", "is not a readable workbook"),
        ("gold.json", b"{}", "gold.json"),
    ],
)
def test_a_gold_file_that_is_not_valid_is_refused(cli: CLI, name: str, content: bytes, words: str) -> None:
    (cli.folder / name).write_bytes(content)
    assert words in refused(cli, name, "--catalog", str(CATALOG))


def test_a_gold_file_that_does_not_exist_is_named(cli: CLI) -> None:
    assert "missing.jsonl cannot be read" in refused(cli, "missing.jsonl", "--catalog", str(CATALOG))
    assert "missing.yaml" in refused(cli, str(GOLD), "--catalog", "missing.yaml")


def test_a_line_separator_inside_a_text_does_not_end_the_line(cli: CLI) -> None:
    (cli.folder / "gold.jsonl").write_text(
        "".join(json.dumps({**row, "long_description": "a\u2028b\x85c"}, ensure_ascii=False) + "\r\n" for row in ROWS),
        encoding="utf-8",
    )
    assert evaluate(cli, Path("gold.jsonl"))["figures"]["tickets"] == len(ROWS)


@pytest.mark.parametrize("tickets", [5, None, [{"id": 1}]])
def test_saved_results_that_are_not_valid_are_refused(cli: CLI, tickets: Any) -> None:
    (cli.folder / "saved.json").write_text(json.dumps({"kind": "evaluation", "tickets": tickets}))
    assert "saved.json" in refused(cli, str(GOLD), "--catalog", str(CATALOG), "--compare", "offline", "saved.json")


WRONG: tuple[object, ...] = ("0.5", [], {}, True, 7, -1, None)


def test_a_saved_confidence_that_is_not_valid_is_ignored(cli: CLI) -> None:
    saved = evaluate(cli, GOLD)
    for row, confidence in zip(saved["tickets"], WRONG, strict=False):
        row["confidence"] = confidence
    (cli.folder / "saved.json").write_text(json.dumps(saved))
    cli.ok("evaluate", str(GOLD), "--catalog", str(CATALOG), "--compare", "offline", "saved.json")
