"""The commands with a helpdesk that a profile describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ..conftest import CLI
from ..servers import HTTPServer, Response

PROFILE = """\
name: Desk
verified: documentation
key: a token
page: /show/${id}
headers: {X-Token: "${key}"}
tickets:
  request: {path: /tickets}
  paging: {style: next_url, next: next}
  items: tickets
  open: state != 'closed'
  keep: [open]
  fields:
    id: number
    short_description: title
    long_description: body
    request_category: category
    request_type: type
    status: state
    priority: priority
"""
ITEMS: list[dict[str, Any]] = [
    {"number": 1, "title": "Forgot my password", "body": "<p>The account is <b>locked</b>.</p>", "state": "open"},
    {"number": 2, "title": "Laptop broken", "body": "It does not start.", "state": "closed"},
    {
        "number": 3,
        "title": "Jira",
        "body": "Please",
        "state": "open",
        "priority": 2,
        "category": "Access",
        "type": "Password Reset",
    },
]


@pytest.fixture
def desk(cli: CLI, http: HTTPServer) -> CLI:
    (cli.folder / "desk.yaml").write_text(PROFILE, encoding="utf-8")
    http.routes["/tickets?page=2"] = [Response(body={"tickets": ITEMS[2:], "next": None})]
    http.routes["/tickets"] = [Response(body={"tickets": ITEMS[:2], "next": f"{http.url}/tickets?page=2"})]
    cli.settings |= {"HELPDESK_PROFILE": "./desk.yaml", "HELPDESK_API_URL": http.url, "HELPDESK_API_KEY": "the-key"}
    return cli


def fetched(cli: CLI) -> list[dict[str, Any]]:
    path = Path(cli.ok("fetch").stdout.strip())
    tickets: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["data"]
    return tickets


def test_a_queue_is_fetched_as_the_profile_says(desk: CLI, http: HTTPServer) -> None:
    one, three = fetched(desk)
    assert (one["id"], one["long_description"], one["status"]) == ("1", "The account is locked.", "open")
    assert one["url"] == f"{http.url}/show/1"
    assert (three["id"], three["priority"]) == ("3", "2")
    assert http.requests[0].headers["X-Token"] == "the-key"


@pytest.mark.parametrize(
    ("keep", "ids"), [("all", ["1", "2", "3"]), ("open,uncategorised", ["1"]), ("uncategorised", ["1", "2"])]
)
def test_which_tickets_are_kept_is_a_setting(desk: CLI, keep: str, ids: list[str]) -> None:
    desk.settings["HELPDESK_KEEP"] = keep
    assert [ticket["id"] for ticket in fetched(desk)] == ids


def test_a_run_reports_where_each_ticket_is(desk: CLI, http: HTTPServer) -> None:
    report = desk.ok("run", "--dry-run").stdout.splitlines()[-1]
    desk.ok("report", "-i", str(Path(report).parent / "attributions.json"), "--format", "csv", "-o", "report.csv")
    assert f'"{http.url}/show/1"' in (desk.folder / "report.csv").read_text(encoding="utf-8-sig")


def test_a_preview_shows_tickets_and_where_their_fields_came_from_and_writes_nothing(desk: CLI) -> None:
    result = desk.ok("fetch", "--preview", "1")
    assert "long_description   The account is locked." in result.stdout
    assert "body" in result.stdout
    assert "the fields that the first ticket came with: number, title, body, state" in result.stdout
    assert "Laptop broken" not in result.stdout
    assert not (desk.folder / "work").exists()


def test_a_preview_needs_no_catalog(desk: CLI) -> None:
    del desk.settings["SERVICE_CATALOG_URL"]
    desk.ok("fetch", "--preview", "1")


def test_a_preview_of_the_webhook_names_the_fields_that_were_taken(cli: CLI) -> None:
    result = cli.ok("fetch", "--preview", "2")
    assert "Forgot my password" in result.stdout
    assert "ticket 2 of 2" in result.stdout


def test_check_shows_one_ticket_as_it_is_understood(desk: CLI) -> None:
    findings = desk("check", "--online").stdout
    assert "it answers, with 2 tickets" in findings
    assert "short_description = Forgot my password (found by title)" in findings


def test_check_names_a_mistake_in_a_profile_without_asking_the_helpdesk(desk: CLI, http: HTTPServer) -> None:
    (desk.folder / "desk.yaml").write_text(PROFILE.replace("  items:", "  itmes:"), encoding="utf-8")
    result = desk("check")
    assert result.exit_code == 2
    assert "line 9: 'itmes' is not known here" in result.stdout
    assert http.requests == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"HELPDESK_PROFILE": "jira"}, "there is no profile named jira"),
        ({"HELPDESK_PROFILE": "./gone.yaml"}, "the profile gone.yaml cannot be read"),
        ({"HELPDESK_API_KEY": ""}, "HELPDESK_API_KEY is not set, which the profile Desk needs (a token)"),
        ({"HELPDESK_KEEP": "closed"}, "HELPDESK_KEEP is neither all nor some of open, uncategorised: closed"),
        ({"HELPDESK_PROFILE": "", "HELPDESK_KEEP": "open"}, "HELPDESK_KEEP needs another profile than webhook"),
    ],
)
def test_what_a_profile_cannot_work_with_is_a_setting_to_correct(
    desk: CLI, settings: dict[str, str], message: str
) -> None:
    desk.settings |= settings
    result = desk("fetch")
    assert result.exit_code == 2
    assert message in result.stderr


# A webhook or a file that is not the whole queue, or not a queue at all


@pytest.mark.parametrize(
    "answer",
    [
        {"response_code": 200, "data": {"requests": ITEMS, "list_info": {"has_more_rows": True, "total_count": 250}}},
        {"data": ITEMS, "meta": {"total": 250}, "links": {"next": "https://desk.example.com/tickets?page=2"}},
        {"data": ITEMS, "count": 4},
        {"data": ITEMS, "@odata.nextLink": "https://desk.example.com/tickets?$skip=3"},
        {"data": ITEMS, "next_page": "https://desk.example.com/tickets?page=2"},
    ],
)
def test_an_answer_that_says_that_there_is_more_is_never_reported(cli: CLI, answer: dict[str, Any]) -> None:
    (cli.folder / "tickets.json").write_text(json.dumps(answer), encoding="utf-8")
    cli.settings["HELPDESK_API_URL"] = "tickets.json"
    result = cli("run", "--dry-run")
    assert result.exit_code == 3
    assert "the helpdesk sent 3 tickets and says that there are more" in result.stderr


def test_tickets_without_a_known_field_for_text_are_never_reported(cli: CLI) -> None:
    items = [{"id": number, "name": "VPN", "content": "Down", "date": "2026-11-20"} for number in range(4)]
    (cli.folder / "tickets.json").write_text(json.dumps(items), encoding="utf-8")
    cli.settings["HELPDESK_API_URL"] = "tickets.json"
    result = cli("run", "--dry-run")
    assert result.exit_code == 3
    assert "the fields that came are id, name, content, date" in result.stderr


def test_a_queue_in_which_most_tickets_have_no_text_is_reported_with_a_warning(cli: CLI) -> None:
    items = [{"id": 1, "subject": "VPN"}, {"id": 2, "subject": ""}, {"id": 3, "subject": " "}]
    (cli.folder / "tickets.json").write_text(json.dumps(items), encoding="utf-8")
    cli.settings["HELPDESK_API_URL"] = "tickets.json"
    result = cli.ok("run", "--dry-run")
    assert "2 of 3 tickets with neither a short nor a long description" in result.stderr
    attributions = Path(result.stdout.splitlines()[-1]).parent / "attributions.json"
    cli.ok("report", "-i", str(attributions), "--format", "html", "-o", "report.html")
    assert "2 of 3 tickets came without any text" in (cli.folder / "report.html").read_text(encoding="utf-8")
