"""Every shipped profile is a profile, stands in docs/how-to/helpdesks.md, and reads what its helpdesk answers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ticketattr.errors import SettingsError
from ticketattr.infrastructure.helpdesk.profile_helpdesk import ProfileHelpdesk
from ticketattr.infrastructure.helpdesk.profile_yaml import parse_profile
from ticketattr.infrastructure.helpdesk.shipped_profiles import profile_names, profile_text, read_profile
from ticketattr.infrastructure.helpdesk.webhook import WebhookHelpdesk
from ticketattr.infrastructure.options import HelpdeskAccess, HTTPPolicy

from ...helpdesk_table import PAGE, table, table_of
from ...servers import HTTPServer, Request, Response
from .recorded import RECORDED, Recorded

POLICY = HTTPPolicy(max_retries=0, backoff_factor=0.0, timeout=10.0)
ON_REAL_SERVERS = {"rt", "roundup", "django-helpdesk"}


def test_every_profile_is_proved_on_its_server_or_on_recorded_answers() -> None:
    proved = {"webhook", *ON_REAL_SERVERS, *RECORDED}
    assert set(profile_names()) == proved, "put answers of the helpdesk into recorded.py, beside this file"


def test_the_page_has_the_table_of_the_profiles() -> None:
    assert table_of(PAGE.read_text(encoding="utf-8")) == table(), "run `python -m tests.helpdesk_table`"


def test_the_profile_on_the_page_is_a_profile() -> None:
    page = PAGE.read_text(encoding="utf-8")
    (example,) = re.findall(r"<!-- profile -->\n```yaml\n(.*?)```", page, re.DOTALL)
    assert parse_profile(example.encode(), "desk.yaml").name == "Our desk"


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_says_what_its_reader_needs(name: str) -> None:
    profile = read_profile(name)
    assert profile.url
    assert profile.needs
    assert profile.check_first
    assert bool(profile.key) == ("key" in profile.secrets)
    assert bool(profile.secret) == ("secret" in profile.secrets)
    assert (profile.verified == "server") == bool(profile.proved)


@pytest.mark.parametrize("name", RECORDED)
def test_a_profile_reads_all_pages_of_its_helpdesk(http: HTTPServer, name: str) -> None:
    recorded = RECORDED[name]
    serve(http, recorded)
    profile = replace(read_profile(name), requests_per_minute=None)
    access = HelpdeskAccess(http.url, api_key="the-key", api_secret="the-secret")
    tickets = ProfileHelpdesk(profile, access, POLICY, profile.tickets.keep).fetch_tickets()
    assert [ticket.id for ticket in tickets] == recorded.ids
    assert {field: getattr(tickets[0], field) for field in recorded.first} == recorded.first
    last = {name.lower(): value for name, value in http.requests[-1].headers.items()}
    assert {field: last[field.lower()] for field in recorded.sent} == recorded.sent
    assert all("the-secret" not in request.path for request in http.requests)


def serve(http: HTTPServer, recorded: Recorded) -> None:
    for path, answers in recorded.paths.items():
        headers = recorded.headers.get(path, [{}] * len(answers))
        responses = [response(http, *pair) for pair in zip(answers, headers, strict=True)]
        http.routes[path.rstrip("*")] = one_after_the_other(responses, repeat=path.endswith("*"))


def one_after_the_other(responses: list[Response], *, repeat: bool) -> Any:
    left = iter(responses)

    def answer(request: Request) -> Response:
        return responses[0] if repeat else next(left)

    return answer


def response(http: HTTPServer, body: Any, headers: dict[str, str]) -> Response:
    content = json.dumps(body).replace("{url}", http.url).encode()
    return Response(body=content, headers={name: value.replace("{url}", http.url) for name, value in headers.items()})


def test_the_profile_of_the_webhook_reads_what_the_webhook_reads(http: HTTPServer) -> None:
    items = [
        {
            "id": 1,
            "subject": "a",
            "body": "b",
            "created_at": "2026-11-20T08:00:00Z",
            "sla": {"value": 4, "unit": "hours"},
        },
        {"ticket_id": "T-2", "short_description": "c", "request_category": "d", "request_type": "e"},
    ]
    http.routes["/"] = [Response(body={"response_code": 200, "data": {"requests": items}})]
    access = HelpdeskAccess(http.url, api_key="the-key", api_secret="the-secret")
    by_profile = ProfileHelpdesk(read_profile("webhook"), access, POLICY).fetch_tickets()
    assert by_profile == WebhookHelpdesk(access, POLICY).fetch_tickets()
    assert http.requests[0].json == http.requests[1].json
    assert http.requests[0].path == http.requests[1].path


def test_a_name_that_is_no_profile_is_refused_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match="there is no profile named jira-clod") as caught:
        profile_text("jira-clod")
    assert caught.value.hint == "Did you mean jira-cloud?"


def test_a_profile_of_ones_own_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "desk.yaml"
    path.write_text(profile_text("rt"), encoding="utf-8")
    assert read_profile(str(path)).name == "Request Tracker 5"
    with pytest.raises(SettingsError, match="cannot be read"):
        read_profile(str(tmp_path / "gone.yaml"))
