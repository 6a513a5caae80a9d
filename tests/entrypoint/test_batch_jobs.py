"""Batch jobs through the commands: what outlives a run, what is paid once, and what happens when a job goes wrong."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from typer.testing import Result

from ticketattr.application import batch_jobs
from ticketattr.entrypoint import cli as program
from ticketattr.infrastructure.classifiers.answer_cache import SQLiteAnswerCache
from ticketattr.infrastructure.classifiers.batch_journal import SQLiteBatchJournal
from ticketattr.infrastructure.classifiers.gemini import job_endpoint

from ..batch_server import GeminiServer, Row
from ..conftest import CLI, DATA
from ..fakes import MIDNIGHT
from ..servers import HTTPServer, Request, Response, gemini_error
from ..workbooks import tickets_table

pytestmark = pytest.mark.usefixtures("no_backoff")

PASSWORD = {"request_category": "Access", "request_type": "Password Reset", "confidence": 0.9, "evidence": "x"}
TICKETS = 7
KEY = "api-key-canary"


def subject(number: int) -> str:
    return f"Ticket number {number} of the whole queue"


def queue(cli: CLI, *numbers: int) -> None:
    tickets = [{"id": str(number), "subject": subject(number)} for number in numbers]
    (cli.folder / "queue.json").write_text(json.dumps(tickets))
    cli.settings["HELPDESK_API_URL"] = "queue.json"


@pytest.fixture
def server(cli: CLI, http: HTTPServer) -> GeminiServer:
    """Gemini, and a queue of seven tickets, in calls of three."""
    queue(cli, *range(TICKETS))
    cli.settings |= {
        "CLASSIFIER": "gemini",
        "LLM_API_KEY": KEY,
        "GOOGLE_GEMINI_BASE_URL": http.url,
        "LLM_BATCH_SIZE": "3",
        "LLM_MAX_RETRIES": "1",
    }
    return GeminiServer(http, lambda ticket: PASSWORD)


def outcomes(cli: CLI) -> list[Any]:
    newest = max(cli.folder.glob("work/*/attributions.json"))
    data = json.loads(newest.read_text())["data"]
    return [
        item["attribution"]["source"] if item.get("attribution") else item["unattributed"]["reason"] for item in data
    ]


def test_a_job_is_made_once_and_its_answers_are_taken_by_a_later_call(cli: CLI, server: GeminiServer) -> None:
    cli.ok("fetch")
    made = cli("classify", "--batch")
    assert made.exit_code == 5
    assert outcomes(cli) == ["pending"] * TICKETS
    assert cli("classify", "--batch").exit_code == 5
    assert len(server.jobs) == 1
    server.finish()
    cli.ok("classify", "--batch")
    assert outcomes(cli) == ["model"] * TICKETS
    assert server.asked_at_once == []
    cli.ok("classify")
    assert outcomes(cli) == ["cached"] * TICKETS


def states(cli: CLI) -> list[str]:
    """The present states of all jobs, oldest first."""
    present = (
        "SELECT state FROM states s WHERE number = (SELECT max(number) FROM states WHERE job = s.job) ORDER BY job"
    )
    with closing(sqlite3.connect(cli.folder / "work" / "batch-jobs.db")) as file:
        return [state for (state,) in file.execute(present)]


Later = Callable[[float], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Lets so many hours pass."""

    def pass_hours(hours: float) -> None:
        monkeypatch.setattr(program, "_now", lambda: datetime.now(timezone.utc) + timedelta(hours=hours))

    return pass_hours


def batch(cli: CLI) -> Result:
    cli("fetch")
    return cli("classify", "--batch")


def test_the_bill_of_a_job_is_half_of_that_of_ordinary_calls(cli: CLI, server: GeminiServer) -> None:
    batch(cli)
    server.finish()
    taken = batch(cli)
    assert "3 calls (3 of them in batch jobs, at half the price), 30 tokens in, 15 out" in taken.stderr
    bill = json.loads(max(cli.folder.glob("work/*/attributions.json")).read_text())["bill"]
    # 30 tokens in at 1.50 and 15 out at 9 US dollars a million, and half of that.
    assert bill["cost"] == pytest.approx(0.00018 / 2)
    plan = cli.ok("classify", "--plan", "--fresh").stdout
    assert "USD" in plan


def test_the_plan_shows_both_prices(cli: CLI, server: GeminiServer) -> None:
    cli("fetch")
    plan = cli.ok("classify", "--plan").stdout
    full, half = (float(number) for number in re.findall(r"(\d+\.\d+) USD", plan))
    assert half == pytest.approx(full / 2, abs=0.0001)
    assert server.http.requests == []


def test_run_asks_in_jobs_above_the_limit_and_reports_the_tickets_as_pending(cli: CLI, server: GeminiServer) -> None:
    cli.settings["LLM_BATCH_ABOVE"] = str(TICKETS - 1)
    first = cli("run")
    assert first.exit_code == 5
    assert f"0 of {TICKETS} tickets attributed, {TICKETS} pending" in first.stderr
    rows = tickets_table(cli.reports[-1])
    assert [(row["unattributed_reason"], row["needs_review"]) for row in rows] == [("pending", None)] * TICKETS
    server.finish()
    second = cli.ok("run")
    assert f"{TICKETS} of {TICKETS} tickets attributed" in second.stderr
    assert set(server.paid().values()) == {1}


def test_run_asks_at_once_up_to_the_limit(cli: CLI, server: GeminiServer) -> None:
    cli.settings["LLM_BATCH_ABOVE"] = str(TICKETS)
    cli.ok("run")
    assert (len(server.jobs), len(server.asked_at_once)) == (0, TICKETS)
    assert not (cli.folder / "work" / "batch-jobs.db").exists()


def test_a_run_without_the_setting_settles_a_job_and_never_asks_twice(cli: CLI, server: GeminiServer) -> None:
    batch(cli)
    assert cli("run").exit_code == 5
    server.finish()
    cli.ok("run")
    assert server.paid() == dict.fromkeys(server.paid(), 1)
    assert server.asked_at_once == []


def test_answers_find_their_tickets_in_a_queue_that_changed(cli: CLI, server: GeminiServer) -> None:
    laptop = {"request_category": "Hardware", "request_type": "Laptop Repair", "confidence": 0.9, "evidence": "x"}
    server.choose = lambda ticket: (
        laptop if ticket["short_description"].startswith(("Ticket number 2", "Ticket number 5")) else PASSWORD
    )
    batch(cli)
    server.finish()
    queue(cli, 9, 5, 4, 2, 8)
    cli.ok("run")
    chosen = {row["short_description"]: row["request_type"] for row in tickets_table(cli.reports[-1])}
    assert [chosen[subject(number)] for number in (2, 4, 5)] == [
        "Laptop Repair",
        "Password Reset",
        "Laptop Repair",
    ]
    assert sorted(server.asked_at_once) == [subject(8), subject(9)]


def swap_keys(rows: list[Row]) -> list[Row]:
    return [{**row, "key": other["key"]} for row, other in zip(rows, [*rows[1:], rows[0]], strict=True)]


def without_keys(rows: list[Row]) -> list[Row]:
    return [{"response": row["response"]} for row in rows]


SPOILT: dict[str, tuple[Callable[[list[Any]], list[Any]], int]] = {
    "swapped keys": (swap_keys, 0),
    "no keys": (without_keys, 0),
    "doubled": (lambda rows: [*rows, *rows], 0),
    "none": (lambda rows: [], TICKETS),
    # The last call has one ticket, and its answer comes first.
    "one missing": (lambda rows: rows[1:], 1),
    "of another job": (lambda rows: [{**row, "key": "0" * 64} for row in rows], TICKETS),
    "an error": (lambda rows: [{"key": rows[0]["key"], "error": {"code": 13, "message": subject(6)}}, *rows[1:]], 1),
    "empty": (lambda rows: [rows[0], {"key": rows[1]["key"], "response": {"candidates": []}}, rows[2]], 3),
    "copied": (lambda rows: [rows[0], {"key": rows[1]["key"], "response": rows[2]["response"]}, rows[2]], 3),
    "odd": (lambda rows: [rows[0], ["no object"], {"key": 7}, {"response": 7}], 6),
}
"""What happens to the answers of a job, whose order is not promised, and how many tickets have none then."""


@pytest.mark.parametrize(
    ("name", "in_a_file"), [*((name, False) for name in SPOILT), ("swapped keys", True), ("odd", True)]
)
def test_answers_are_joined_by_the_ids_in_them_and_the_rest_is_asked_at_once(
    cli: CLI, server: GeminiServer, monkeypatch: pytest.MonkeyPatch, name: str, in_a_file: bool
) -> None:
    monkeypatch.setattr(job_endpoint, "MOST_INLINE", 0 if in_a_file else 2**30)
    server.spoil, asked_at_once = SPOILT[name]
    batch(cli)
    server.finish()
    result = batch(cli)
    assert f"{TICKETS} of {TICKETS} tickets attributed" in result.stderr
    assert len(server.asked_at_once) == asked_at_once
    assert len(server.jobs) == 1
    assert "Ticket number" not in result.stderr


def test_an_answer_with_the_ids_of_another_job_is_refused(cli: CLI, server: GeminiServer) -> None:
    batch(cli)
    (first,) = server.jobs.values()
    cli.ok("jobs", "cancel")
    batch(cli)
    second = server.jobs["batches/b2"]
    others = [{"key": call["key"], "response": server.response_to(call["request"])} for call in first.calls]
    server.spoil = lambda rows: [{**other, "key": row["key"]} for row, other in zip(rows, others, strict=True)]
    server.finish()
    assert second.state == "SUCCEEDED"
    batch(cli)
    assert len(server.asked_at_once) == TICKETS


@pytest.mark.parametrize(
    ("state", "recorded"), [("FAILED", "failed"), ("EXPIRED", "expired"), ("SUCCEEDED", "answered")]
)
def test_a_job_that_ends_without_answers_falls_back_to_ordinary_calls(
    cli: CLI, server: GeminiServer, state: str, recorded: str
) -> None:
    batch(cli)
    server.spoil = lambda rows: []
    server.finish(state, f"line 3 is wrong: {subject(3)}" if state == "FAILED" else "")
    result = batch(cli)
    assert (result.exit_code, outcomes(cli)) == (0, ["model"] * TICKETS)
    assert len(server.asked_at_once) == TICKETS
    assert states(cli) == [recorded]
    assert ("asked about in ordinary calls" in result.stderr) == (state != "SUCCEEDED")
    assert "Ticket number" not in result.stderr
    assert b"Ticket number" not in (cli.folder / "work" / "batch-jobs.db").read_bytes()


def test_a_lost_job_falls_back_and_one_with_another_name_is_found(cli: CLI, server: GeminiServer) -> None:
    batch(cli)
    job = server.jobs.pop("batches/b1")
    job.name = "batches/moved"
    server.jobs[job.name] = job
    assert batch(cli).exit_code == 5
    server.jobs.clear()
    assert batch(cli).exit_code == 0
    assert states(cli) == ["lost"]
    assert len(server.asked_at_once) == TICKETS


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "PAUSED", "NEWS_TO_US"])
def test_a_job_at_work_for_49_hours_is_cancelled_and_given_up(
    cli: CLI, server: GeminiServer, later: Later, state: str
) -> None:
    server.state_of_new = state
    batch(cli)
    later(47)
    assert batch(cli).exit_code == 5
    assert states(cli) == ["open"]
    later(49)
    assert batch(cli).exit_code == 0
    assert states(cli) == ["expired"]
    assert any(request.path.endswith(":cancel") for request in server.http.requests)
    assert len(server.asked_at_once) == TICKETS


def is_create(request: Request) -> bool:
    return request.path.endswith(":batchGenerateContent")


def test_a_job_whose_creation_was_not_answered_is_found_and_not_made_again(cli: CLI, server: GeminiServer) -> None:
    server.lose_answer = is_create
    assert batch(cli).exit_code == 5
    assert states(cli) == ["open"]
    server.lose_answer = lambda request: is_create(request) or request.method == "GET"
    batch(cli)
    server.lose_answer = lambda request: False
    server.finish()
    assert batch(cli).exit_code == 0
    assert (len(server.jobs), server.asked_at_once) == (1, [])


def test_a_job_that_never_reached_the_service_is_made_again_when_that_is_certain(
    cli: CLI, server: GeminiServer, later: Later
) -> None:
    server.instead = lambda request: Response(hang_up=True) if is_create(request) else None
    assert batch(cli).exit_code == 5
    server.instead = lambda request: None
    assert batch(cli).exit_code == 5
    assert (states(cli), server.jobs) == (["creating"], {})
    later(1)
    batch(cli)
    assert states(cli) == ["not created", "open"]
    assert len(server.jobs) == 1


def test_of_a_job_that_exists_twice_one_is_cancelled(cli: CLI, server: GeminiServer) -> None:
    def double(request: Request) -> Response | None:
        if is_create(request):
            server.create(request)
            server.create(request)
            return Response(503, b"busy")
        return None

    server.instead = double
    batch(cli)
    assert [job.state for job in server.jobs.values()] == ["PENDING", "CANCELLED"]
    assert set(server.paid().values()) == {1}
    server.instead = lambda request: None
    server.finish()
    assert batch(cli).exit_code == 0
    assert server.asked_at_once == []


def test_a_job_that_is_refused_for_now_is_made_by_the_next_run(cli: CLI, server: GeminiServer) -> None:
    server.instead = lambda request: gemini_error(429, "RESOURCE_EXHAUSTED") if is_create(request) else None
    result = batch(cli)
    assert (result.exit_code, outcomes(cli)) == (5, ["service_error"] * TICKETS)
    assert server.asked_at_once == []
    server.instead = lambda request: None
    batch(cli)
    assert outcomes(cli) == ["pending"] * TICKETS


def test_a_job_that_the_service_does_not_take_is_asked_in_ordinary_calls(cli: CLI, server: GeminiServer) -> None:
    server.instead = lambda request: gemini_error(400, "INVALID_ARGUMENT") if is_create(request) else None
    assert batch(cli).exit_code == 0
    assert states(cli) == ["refused"]
    cli.ok("classify", "--batch")
    assert len(server.asked_at_once) == TICKETS


def test_a_refused_key_is_a_wrong_setting_and_makes_no_job(cli: CLI, server: GeminiServer) -> None:
    server.instead = lambda request: gemini_error(403, "PERMISSION_DENIED") if is_create(request) else None
    result = batch(cli)
    assert result.exit_code == 2
    assert "LLM_API_KEY" in result.stderr
    assert states(cli) == ["not created"]


def test_while_the_service_is_down_its_jobs_are_pending(cli: CLI, server: GeminiServer) -> None:
    batch(cli)
    server.instead = lambda request: Response(503, b"busy")
    result = batch(cli)
    assert (result.exit_code, outcomes(cli)) == (5, ["pending"] * TICKETS)
    server.instead = lambda request: None
    server.finish()
    assert batch(cli).exit_code == 0
    assert server.asked_at_once == []


def test_many_calls_are_uploaded_in_parts_to_the_server_of_the_setting(
    cli: CLI, server: GeminiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_endpoint, "MOST_INLINE", 100)
    monkeypatch.setattr(job_endpoint, "CHUNK", 1000)
    batch(cli)
    (job,) = server.jobs.values()
    assert (job.is_file, len(job.texts)) == (True, TICKETS)
    uploads = [request for request in server.http.requests if request.path.startswith("/upload/")]
    assert len(uploads) > 3
    server.instead = lambda request: (
        Response(headers={"x-goog-upload-status": "active"}) if "upload_id" in request.path else None
    )
    queue(cli, *range(20, 25))
    assert batch(cli).exit_code == 5
    assert outcomes(cli) == ["service_error"] * 5
    assert len(server.jobs) == 1


def test_answers_that_are_cut_short_cost_the_rest_only(
    cli: CLI, server: GeminiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_endpoint, "MOST_INLINE", 0)
    batch(cli)
    server.finish()

    def cut(request: Request) -> Response | None:
        content = server.files["files/answers-b1"] if ":download" in request.path else b""
        return Response(body=content[: -len(content) // 3]) if content else None

    server.instead = cut
    assert batch(cli).exit_code == 0
    assert len(server.asked_at_once) == 3


def test_a_job_of_another_catalog_is_not_read_and_can_be_cancelled(cli: CLI, server: GeminiServer) -> None:
    batch(cli)
    catalog = (DATA / "catalog.yaml").read_text().replace("General Inquiry", "General Question")
    (cli.folder / "catalog.yaml").write_text(catalog)
    before = cli.settings["SERVICE_CATALOG_URL"]
    cli.settings["SERVICE_CATALOG_URL"] = "catalog.yaml"
    result = batch(cli)
    assert "with another catalog, model or prompt" in result.stderr
    assert len(server.jobs) == 2
    server.finish()
    assert batch(cli).exit_code == 0
    cli.settings["SERVICE_CATALOG_URL"] = before
    assert batch(cli).exit_code == 0
    assert server.asked_at_once == []


def texts_of(request: Row) -> str:
    system, user = request["systemInstruction"]["parts"][0]["text"], request["contents"][0]["parts"][0]["text"]
    return f"{system}{user}{json.dumps(request['generationConfig']['responseJsonSchema'])}"


def test_the_cost_limit_holds_for_a_job_when_it_is_made(cli: CLI, server: GeminiServer) -> None:
    cli.settings["LLM_MAX_COST"] = "0.0001"
    assert batch(cli).exit_code == 5
    assert outcomes(cli) == ["cost_limit"] * TICKETS
    assert not server.jobs
    cli.settings["LLM_MAX_COST"] = "0.02"
    batch(cli)
    (job,) = server.jobs.values()
    limits = [call["request"]["generationConfig"]["maxOutputTokens"] for call in job.calls]
    size = sum(len(texts_of(call["request"]).encode()) for call in job.calls)
    # Half of 1.50 for each token in and of 9 for each token out: no more bytes are sent than tokens are billed.
    assert 0 < len(limits) < 3 or (size * 0.75 + sum(limits) * 4.5) / 1e6 <= 0.02
    assert len(job.texts) + outcomes(cli).count("cost_limit") == TICKETS


def test_nothing_secret_is_in_the_journal_and_others_cannot_read_it(cli: CLI, server: GeminiServer) -> None:
    server.instead = lambda request: (
        gemini_error(400, "INVALID_ARGUMENT", message=f"{KEY} sent {subject(3)}") if is_create(request) else None
    )
    result = batch(cli)
    path = cli.folder / "work" / "batch-jobs.db"
    assert path.stat().st_mode & 0o077 == 0
    for text in (KEY, "Ticket number"):
        assert text.encode() not in path.read_bytes()
        assert text not in result.stderr


def test_jobs_are_listed_and_cancelled(cli: CLI, server: GeminiServer) -> None:
    assert cli.ok("jobs", "list").stdout == "no batch job\n"
    batch(cli)
    (job,) = json.loads(cli.ok("jobs", "list", "--format", "json").stdout)
    assert (job["state"], job["calls"], job["tickets"]) == ("open", 3, TICKETS)
    unknown = cli("jobs", "cancel", "nonsense")
    assert (unknown.exit_code, "no open job has the name nonsense" in unknown.stderr) == (3, True)
    assert "1 job of 1 stopped" in cli.ok("jobs", "cancel", job["job"]).stderr
    assert [each.state for each in server.jobs.values()] == ["CANCELLED"]
    assert "0 jobs of 0 stopped" in cli.ok("jobs", "cancel").stderr
    cli.ok("classify")
    assert len(server.asked_at_once) == TICKETS


def test_a_job_that_ended_before_it_was_cancelled_keeps_its_answers(cli: CLI, server: GeminiServer) -> None:
    batch(cli)
    server.finish()
    assert "0 jobs of 1 stopped" in cli.ok("jobs", "cancel").stderr
    cli.ok("classify")
    assert server.asked_at_once == []


SURE = ("Forgot my password", "Reset my password please", "laptop broken")


def with_a_cascade(cli: CLI) -> None:
    """A queue of three tickets that the embedded classifier is sure about, and two that it is not."""
    tickets = [{"id": str(n), "subject": text} for n, text in enumerate((*SURE, subject(1), subject(2)))]
    (cli.folder / "queue.json").write_text(json.dumps(tickets))
    cli.settings |= {"CLASSIFIER": "cascade", "LLM_PROVIDER": "gemini", "CASCADE_THRESHOLD": "0.95"}


def test_a_cascade_asks_in_a_job_about_what_the_embedded_classifier_is_not_sure_about(
    cli: CLI, server: GeminiServer
) -> None:
    with_a_cascade(cli)
    assert batch(cli).exit_code == 5
    assert outcomes(cli) == [*["offline"] * 3, "pending", "pending"]
    (job,) = server.jobs.values()
    assert sorted(job.texts) == [subject(1), subject(2)]
    server.finish()
    assert batch(cli).exit_code == 0
    assert outcomes(cli) == [*["offline"] * 3, "model", "model"]
    assert server.asked_at_once == []


def test_a_cascade_asks_at_once_about_what_its_job_did_not_answer(cli: CLI, server: GeminiServer) -> None:
    with_a_cascade(cli)
    batch(cli)
    server.finish("EXPIRED")
    assert batch(cli).exit_code == 0
    assert sorted(server.asked_at_once) == [subject(1), subject(2)]


def test_the_limit_counts_what_a_cascade_asks_the_model_about(cli: CLI, server: GeminiServer) -> None:
    with_a_cascade(cli)
    cli.settings["LLM_BATCH_ABOVE"] = "2"
    cli.ok("run")
    assert not server.jobs
    assert sorted(server.asked_at_once) == [subject(1), subject(2)]


@pytest.mark.parametrize("name", ["openai", "offline", "cascade"])
def test_what_has_no_jobs_says_so(cli: CLI, server: GeminiServer, name: str) -> None:
    cli.settings |= {"LLM_BASE_URL": f"{server.http.url}/v1", "LLM_MODEL_NAME": "m"}
    cli("fetch")
    result = cli("classify", "--batch", "--classifier", name)
    assert (result.exit_code, "batch jobs need Gemini" in result.stderr) == (2, True)
    cli.settings |= {"LLM_BATCH_ABOVE": "3", "CLASSIFIER": name}
    result = cli("run")
    assert (result.exit_code, "LLM_BATCH_ABOVE" in result.stderr) == ((0, False) if name == "offline" else (2, True))


def test_batch_and_fresh_exclude_each_other(cli: CLI, server: GeminiServer) -> None:
    batch(cli)
    result = cli("classify", "--batch", "--fresh")
    assert (result.exit_code, "--batch and --fresh exclude each other" in result.stderr) == (2, True)
    cli.ok("classify", "--fresh")
    assert len(server.asked_at_once) == TICKETS


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_limit_that_is_none_is_a_wrong_setting(cli: CLI, server: GeminiServer, value: str) -> None:
    cli.settings["LLM_BATCH_ABOVE"] = value
    result = cli("run")
    assert (result.exit_code, "LLM_BATCH_ABOVE" in result.stderr) == (2, True)


def test_a_damaged_journal_is_an_input_that_is_wrong(cli: CLI, server: GeminiServer) -> None:
    batch(cli)
    path = cli.folder / "work" / "batch-jobs.db"
    path.write_bytes(b"no database at all, whatever it was" * 100)
    for command in (("classify", "--batch"), ("run",), ("jobs", "list")):
        result = cli(*command)
        assert (result.exit_code, "the journal of batch jobs" in result.stderr) == (3, True)
    assert len(server.jobs) == 1


def test_a_second_process_waits_for_the_one_that_makes_jobs(
    cli: CLI, server: GeminiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_jobs, "LOCK_WAIT", 0.0)
    cli("fetch")
    with SQLiteBatchJournal(cli.folder / "work" / "batch-jobs.db", who="ann").lock(MIDNIGHT):
        result = cli("classify", "--batch")
    assert (result.exit_code, "another ticketattr is at work" in result.stderr) == (4, True)
    assert not server.jobs


def test_a_calibration_maps_the_answers_of_a_job(cli: CLI, server: GeminiServer) -> None:
    cli.ok("run")
    file = {"kind": "calibration", "schema_version": 1, "classifier": "", "slope": 2.0, "offset": 1.0, "tickets": 9}
    path = cli.folder / "calibration.json"
    queue(cli, 31, 32)
    cli("fetch")
    path.write_text(json.dumps(file))
    cli.settings["CALIBRATION_FILE"] = str(path)
    assert cli("classify", "--batch").exit_code == 5
    server.finish()
    assert "the calibration is not used" in cli.ok("classify", "--batch").stderr
    assert server.asked_at_once.count(subject(31)) == 0


class Killed(BaseException):
    """The end of the process, as far as one process can play it: nothing handles it."""


def kill_at(monkeypatch: pytest.MonkeyPatch, point: int) -> list[str]:
    """Ends the program before or after a step outside: a row in the journal, a request. Returns the steps."""
    steps: list[str] = []

    def reach(name: str) -> None:
        steps.append(name)
        if len(steps) == point:
            raise Killed

    def around(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **options: Any) -> Any:
            reach(f"before {name}")
            result = function(*args, **options)
            reach(f"after {name}")
            return result

        return stepped

    def around_request(function: Callable[..., Any]) -> Callable[..., Any]:
        async def stepped(client: Any, method: str, url: str, **options: Any) -> Any:
            reach(f"before {method}")
            response = await function(client, method, url, **options)
            reach(f"after {method}")
            return response

        return stepped

    for name in ("add", "record"):
        monkeypatch.setattr(SQLiteBatchJournal, name, around(name, getattr(SQLiteBatchJournal, name)))
    monkeypatch.setattr(SQLiteAnswerCache, "put", around("put", SQLiteAnswerCache.put))
    monkeypatch.setattr(httpx.AsyncClient, "request", around_request(httpx.AsyncClient.request))
    return steps


@pytest.mark.parametrize("phase", ["making", "taking"])
def test_a_run_that_ends_at_any_step_pays_for_nothing_twice(
    cli: CLI, server: GeminiServer, monkeypatch: pytest.MonkeyPatch, later: Later, phase: str
) -> None:
    ended: list[str] = []
    for point in range(1, 20):
        later(0)
        queue(cli, *range(10 * point, 10 * point + 4))
        if phase == "taking":
            batch(cli)
            server.finish()
        cli("fetch")
        with monkeypatch.context() as patch:
            steps = kill_at(patch, point)
            with suppress(BaseException):  # a task group wraps it
                cli("classify", "--batch")
        if len(steps) != point:
            break
        ended.append(steps[-1])
        later(1)
        cli("classify", "--batch")
        server.finish()
        assert batch(cli).exit_code == 0
    assert len(ended) == len(steps) >= 6
    assert server.asked_at_once == []
    assert set(server.paid().values()) == {1}


def test_private_text_reaches_no_job_and_comes_back_with_the_answers(cli: CLI, server: GeminiServer) -> None:
    tickets = [{"id": str(number), "subject": f"Write to person{number}@example.com"} for number in (1, 2)]
    (cli.folder / "queue.json").write_text(json.dumps(tickets))
    server.choose = lambda ticket: {**PASSWORD, "evidence": ticket["short_description"]}
    batch(cli)
    assert b"@example.com" not in b"".join(request.body for request in server.http.requests)
    server.finish()
    cli.ok("classify", "--batch")
    cached = (cli.folder / "work" / "answers.db").read_bytes()
    assert b"@example.com" not in cached
    data = json.loads(max(cli.folder.glob("work/*/attributions.json")).read_text())["data"]
    assert [item["attribution"]["evidence"] for item in data] == [ticket["subject"] for ticket in tickets]
