"""Alerts through apprise, to a web server on loopback."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import apprise
import pytest

from ticketattr.domain.alerting import Alert, AlertKind
from ticketattr.infrastructure.monitoring.alerts import AppriseAlerts

from ...servers import HTTPServer, Response

ALERT = Alert("failure", "ticketattr on desk-1: run failed (exit 4)", "the mail server\nrun 1 & <b>")
TOKEN = "token-canary"


def url_of(http: HTTPServer, path: str = TOKEN) -> str:
    return f"{http.url.replace('http', 'json')}/{path}"


def test_a_service_receives_title_and_text(http: HTTPServer) -> None:
    http.routes["/"] = [Response(200)]
    assert AppriseAlerts((url_of(http),)).send(ALERT)
    (request,) = http.requests
    assert (request.json["title"], request.json["message"]) == (ALERT.title, ALERT.text)


@pytest.mark.parametrize(("kind", "type"), [("failure", "failure"), ("doubt", "warning"), ("recovery", "success")])
def test_the_severity_follows_the_kind_of_alert(http: HTTPServer, kind: AlertKind, type: str) -> None:
    http.routes["/"] = [Response(200)]
    AppriseAlerts((url_of(http),)).send(Alert(kind, "title", "text"))
    assert http.requests[0].json["type"] == type


@pytest.mark.parametrize("response", [Response(500), Response(403), Response(hang_up=True)])
def test_a_service_that_refuses_the_message_is_logged_without_its_url(
    http: HTTPServer, response: Response, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    http.routes["/"] = [response]
    assert not AppriseAlerts((url_of(http),)).send(ALERT)
    assert "alert service 1 of 1 (json): the service did not take the message" in caplog.text
    assert TOKEN not in caplog.text + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "url", [f"nonsense://{TOKEN}", f"tgram://{TOKEN}", f"json://:99999/{TOKEN}", f"slack://{TOKEN}"]
)
def test_an_invalid_url_is_not_shown_in_the_log(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not AppriseAlerts((url,)).send(ALERT)
    assert f"({url.partition(':')[0]}): its URL is not valid for apprise" in caplog.text
    assert TOKEN not in caplog.text + "".join(capfd.readouterr())


def test_one_service_that_takes_the_message_is_enough_and_a_failed_one_is_logged_by_number(
    http: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    http.routes["/bad"] = [Response(500)]
    http.routes["/good"] = [Response(200)]
    assert AppriseAlerts((url_of(http, "bad"), url_of(http, "good"))).send(ALERT)
    assert "alert service 1 of 2" in caplog.text
    assert "2 of 2" not in caplog.text


def test_closed_ports_and_silent_services_cost_no_more_than_the_time_limit(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dead = listener.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        urls = [f"json://127.0.0.1:{port}/{TOKEN}" for port in (dead, *[silent.getsockname()[1]] * 5)]
        began = time.monotonic()
        assert not AppriseAlerts(tuple(urls), seconds=0.5).send(ALERT)
        assert time.monotonic() - began < 3
    assert caplog.text.count("no answer within 0.5 s") == 5
    assert TOKEN not in caplog.text


def test_the_time_limit_begins_when_apprise_is_loaded(http: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    http.routes["/"] = [Response(200)]
    add, threads = apprise.Apprise.add, []

    def noted(*args: Any, **options: Any) -> Any:
        threads.append(threading.current_thread())
        return add(*args, **options)

    monkeypatch.setattr(apprise.Apprise, "add", noted)
    assert AppriseAlerts((url_of(http),)).send(ALERT)
    assert threads == [threading.current_thread()], "the calls within the limit have threads of their own"


def test_the_repr_contains_no_url() -> None:
    assert TOKEN not in repr(AppriseAlerts((f"json://{TOKEN}",)))
