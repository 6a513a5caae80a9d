"""Metrics of the service: valid for Prometheus, whatever state the service is in, and nothing else on that listener."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from ticketattr.application.service.chat import ChatDesk, ChatFiles
from ticketattr.domain.chat import AllowedSender, ChatMessage, Sender
from ticketattr.domain.run_history import RunHistory
from ticketattr.entrypoint.web.metrics import metrics_app
from ticketattr.errors import InputError

from .conftest import Web, listening
from .test_api import put_report, record_doubt

ANN = Sender("telegram", "7", "7")


def scraped(web: Web, history: RunHistory | None = None) -> dict[str, float]:
    with listening(metrics_app(web.parts, lambda: history)) as url:
        text = httpx.get(f"{url}/metrics").text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {f"{sample.name}{sorted(sample.labels.items()) or ''}": sample.value for sample in samples}


def test_prometheus_reads_the_state_of_the_service(web: Web, tmp_path: Path) -> None:
    record_doubt(web, put_report(tmp_path))
    web.service.state.request_run("schedule", "schedule", web.clock(), dry_run=False, key="")
    with web.client("read") as client:
        client.get("/api/v1/runs")
    httpx.get(f"{web.url}/nothing", headers={"Host": "evil.example"})
    found = scraped(web)
    assert found["ticketattr_service_up"] == 1
    assert found["ticketattr_service_runs_total[('trigger', 'schedule')]"] == 1
    assert found["ticketattr_service_runs_total[('trigger', 'chat')]"] == 0
    assert found["ticketattr_service_runs[('state', 'queued')]"] == 1
    assert found["ticketattr_service_requests_total[('door', 'api'), ('status', '2xx')]"] == 1
    assert found["ticketattr_service_requests_total[('door', 'page'), ('status', '4xx')]"] == 1
    assert found["ticketattr_reports_in_doubt"] == 1


def test_a_report_log_that_cannot_be_read_leaves_the_other_metrics(web: Web, tmp_path: Path) -> None:
    web.log.path.parent.mkdir()
    web.log.path.write_bytes(b"not a database at all, but long enough")
    found = scraped(web)
    assert found["ticketattr_service_up"] == 1
    assert "ticketattr_reports_pending" not in found


def test_a_run_history_that_is_damaged_leaves_the_other_metrics(web: Web) -> None:
    def damaged() -> RunHistory | None:
        raise InputError("it is damaged")

    with listening(metrics_app(web.parts, damaged)) as url:
        assert "ticketattr_service_up 1" in httpx.get(f"{url}/metrics").text
        assert httpx.get(f"{url}/api/v1/runs").status_code == 404


def test_no_run_that_changes_its_state_makes_a_counter_smaller(web: Web) -> None:
    def counters() -> dict[str, float]:
        return {name: value for name, value in scraped(web).items() if name.startswith("ticketattr_service_runs_total")}

    run, _ = web.service.state.request_run("api", "ann", web.clock(), dry_run=False, key="")
    seen = [counters()]
    for state in ("running", "ended"):
        web.service.state.save_run(replace(run, state=state))
        seen.append(counters())
    assert seen == [seen[0]] * 3
    assert sum(seen[0].values()) == 1


def test_chat_commands_are_counted_and_invented_ones_make_no_series(web: Web) -> None:
    desk = ChatDesk(web.service, [AllowedSender(ANN, "read")], ChatFiles(list, bytes, str), lambda: "random")
    before = set(scraped(web))
    for number, text in enumerate(("/status", "/status", "/run", "/help", "/abc", "/xyz", "no command")):
        desk.answer(ChatMessage(f"{number}", ANN, text, web.clock()))
    desk.answer(ChatMessage("9", Sender("telegram", "7", "9"), "/status", web.clock()))
    found = scraped(web)
    assert set(found) == before
    assert not any("matrix" in name for name in found), "no chat with Matrix is set up"
    commands = {
        f"{name} {outcome}": found[
            f"ticketattr_service_chat_commands_total"
            f"[('command', '{name}'), ('outcome', '{outcome}'), ('platform', 'telegram')]"
        ]
        for name in ("status", "run", "help", "other")
        for outcome in ("done", "refused")
    }
    assert {name: count for name, count in commands.items() if count} == {
        "status done": 2,
        "run refused": 1,
        "help done": 1,
        "other done": 2,
    }


def test_the_listener_of_metrics_answers_nothing_else_and_tells_no_name(web: Web, tmp_path: Path) -> None:
    assert web.parts.settings.metrics_host == "127.0.0.1"
    put_report(tmp_path)
    web.token(name="name-of-a-token")
    web.service.state.request_run("api", "name-of-a-token", web.clock(), dry_run=False, key="name-of-a-key")
    desk = ChatDesk(web.service, [AllowedSender(ANN, "read")], ChatFiles(list, bytes, str), lambda: "random")
    desk.answer(ChatMessage("1", ANN, "/report text-of-a-person", web.clock()))
    with listening(metrics_app(web.parts, lambda: None)) as url:
        text = httpx.get(f"{url}/metrics").text
        assert httpx.post(f"{url}/metrics").status_code == 405
        for path in ("/", "/api/v1/runs", "/api/v1/openapi.json", "/sign-in", "/healthz", "/metrics/../api/v1/runs"):
            assert httpx.get(f"{url}{path}").status_code == 404
    for private in ("name-of", "text-of", "random", ".xlsx", "telegram:7", str(tmp_path)):
        assert private not in text
