"""The answers of the webhook are read as tickets, also those that lie in a file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ticketattr.domain.catalog import SLA
from ticketattr.domain.ticket import Ticket
from ticketattr.errors import ExitCode, InputError, SettingsError, TicketAttrError
from ticketattr.infrastructure.helpdesk.ticket_file import TicketFile
from ticketattr.infrastructure.helpdesk.webhook import WebhookHelpdesk
from ticketattr.infrastructure.options import HelpdeskAccess, HTTPPolicy

from ...servers import HTTPServer, Response

POLICY = HTTPPolicy(max_retries=2, backoff_factor=0.0, timeout=5.0)

ITEM = {"id": "T-1", "short_description": "Locked out"}
TICKET = Ticket("T-1", "Locked out")

SHAPES: dict[str, Callable[[Any], Any]] = {
    "list": lambda items: items,
    "data": lambda items: {"data": items},
    "response_code": lambda items: {"response_code": 200, "data": {"requests": items}},
}


@pytest.fixture
def answer_file(tmp_path: Path) -> Path:
    return tmp_path / "answer.json"


def fetch(location: Path | str, policy: HTTPPolicy = POLICY) -> list[Ticket]:
    access = HelpdeskAccess(str(location), api_key="the key", api_secret="the secret")
    if str(location).startswith("http"):
        return WebhookHelpdesk(access, policy).fetch_tickets()
    return TicketFile(access).fetch_tickets()


def tickets_in(path: Path, content: Any) -> list[Ticket]:
    """The tickets of an answer; bytes are the answer itself, any other content is sent as JSON."""
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return fetch(path)


def ticket_of(path: Path, item: dict[str, Any]) -> Ticket:
    (ticket,) = tickets_in(path, [item])
    return ticket


def failure(path: Path, content: Any) -> TicketAttrError:
    with pytest.raises(TicketAttrError) as caught:
        tickets_in(path, content)
    return caught.value


def test_the_key_and_the_secret_are_posted(http: HTTPServer) -> None:
    http.routes["/hook"] = [Response(body=[ITEM])]
    assert fetch(f"{http.url}/hook") == [TICKET]
    (asked,) = http.requests
    assert asked.method == "POST"
    assert asked.json == {"api_key": "the key", "api_secret": "the secret"}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("items", [[ITEM, {"id": "T-2", "subject": "b"}], []], ids=["two", "none"])
def test_an_answer_may_have_any_of_three_shapes(answer_file: Path, shape: str, items: list[dict[str, Any]]) -> None:
    expected = [TICKET, Ticket("T-2", "b")] if items else []
    assert tickets_in(answer_file, SHAPES[shape](items)) == expected


@pytest.mark.parametrize("as_url", [False, True], ids=["path", "file URL"])
def test_an_answer_may_lie_in_a_file(answer_file: Path, as_url: bool) -> None:
    answer_file.write_text(json.dumps([ITEM]))
    assert fetch(answer_file.as_uri() if as_url else answer_file) == [TICKET]


def test_a_byte_order_mark_is_ignored(answer_file: Path) -> None:
    assert tickets_in(answer_file, b"\xef\xbb\xbf" + json.dumps([ITEM]).encode()) == [TICKET]


# Fields


def test_every_known_field_is_taken(answer_file: Path) -> None:
    item = {
        **ITEM,
        "long_description": "Since Monday.",
        "requester_email": "ann@example.com",
        "created_at": "2026-11-20T08:00:00Z",
        "request_category": "Access",
        "request_type": "Password Reset",
        "sla": {"unit": "Hour", "value": 4},
    }
    assert ticket_of(answer_file, item) == Ticket(
        "T-1",
        "Locked out",
        "Since Monday.",
        requester_email="ann@example.com",
        created_at="2026-11-20T08:00:00Z",
        request_category="Access",
        request_type="Password Reset",
        sla=SLA(4, "hours"),
    )


@pytest.mark.parametrize(
    ("item", "ticket"),
    [
        pytest.param({"ticket_id": "T-1", "subject": "a"}, Ticket("T-1", "a"), id="ticket_id"),
        pytest.param({"subject": "a"}, Ticket("", "a"), id="subject"),
        pytest.param({"description": "a"}, Ticket("", "", "a"), id="description"),
        pytest.param({"body": "a"}, Ticket("", "", "a"), id="body"),
    ],
)
def test_a_field_may_have_another_name(answer_file: Path, item: dict[str, Any], ticket: Ticket) -> None:
    assert ticket_of(answer_file, item) == ticket


@pytest.mark.parametrize("nothing", ["", "  ", None], ids=["empty", "blank", "null"])
def test_a_field_without_a_text_gives_way_to_its_next_name(answer_file: Path, nothing: str | None) -> None:
    ticket = ticket_of(answer_file, {"id": nothing, "ticket_id": 7, "long_description": nothing, "body": "text"})
    assert (ticket.id, ticket.long_description) == ("7", "text")


def test_a_different_text_under_a_second_name_is_kept(answer_file: Path) -> None:
    ticket = ticket_of(answer_file, {"id": 1, "ticket_id": 2, "subject": "b", "short_description": "a"})
    assert (ticket.id, ticket.short_description) == ("1", "a")
    assert ticket.extra == {"ticket_id": 2, "subject": "b"}


@pytest.mark.parametrize(
    ("id", "text"),
    [
        (17, "17"),
        (17.0, "17"),
        (0, "0"),
        ("0017", "0017"),
        (" T-1 ", "T-1"),
        (2**70, str(2**70)),
        (None, ""),
        ("", ""),
        (True, "true"),
        ({"no": 1}, '{"no": 1}'),
    ],
    ids=["number", "float", "zero", "digits", "spaces", "large", "null", "empty", "boolean", "object"],
)
def test_an_id_is_text_whatever_it_came_as(answer_file: Path, id: Any, text: str) -> None:
    assert ticket_of(answer_file, {**ITEM, "id": id}).id == text


@pytest.mark.parametrize(
    "items",
    [[{}, {}], [{"id": 1}, {"id": 1}], [{"id": 1}, {"id": "1"}], [{"id": 0}, {"id": ""}]],
    ids=["missing", "used twice", "number and text", "zero and empty"],
)
def test_tickets_without_a_unique_id_stay_separate_tickets(answer_file: Path, items: list[dict[str, Any]]) -> None:
    assert len(tickets_in(answer_file, [{**item, "subject": "a"} for item in items])) == 2


def test_unknown_fields_are_kept(answer_file: Path) -> None:
    extra = {"severity": 3, "tags": ["a", None], "vip": True, "empty": None, "asset": {"no": 1.5}}
    assert ticket_of(answer_file, {**ITEM, **extra}).extra == extra


@pytest.mark.parametrize(
    ("sla", "taken"),
    [
        pytest.param({"unit": "days", "value": 1.5}, SLA(1.5, "days"), id="fraction"),
        pytest.param({"unit": "", "value": 0}, None, id="empty and zero"),
        pytest.param({"unit": "days", "value": 0}, None, id="zero"),
        pytest.param({"unit": "days", "value": -1}, None, id="negative"),
        pytest.param({"unit": "days", "value": "1"}, None, id="text"),
        pytest.param({"unit": "days", "value": True}, None, id="boolean"),
        pytest.param({"unit": "days"}, None, id="no value"),
        pytest.param({"unit": "days", "value": 10**400}, None, id="larger than any float"),
        pytest.param({"unit": "fortnights", "value": 1}, None, id="unknown unit"),
        pytest.param({"unit": None, "value": 1}, None, id="no unit"),
        pytest.param("1 day", None, id="no object"),
        pytest.param(None, None, id="null"),
    ],
)
def test_an_sla_is_read_if_it_is_set_and_known_and_otherwise_kept_as_it_came(
    answer_file: Path, sla: Any, taken: SLA | None
) -> None:
    ticket = ticket_of(answer_file, {**ITEM, "sla": sla})
    assert ticket.sla == taken
    assert ticket.extra == ({} if taken else {"sla": sla})


def test_half_a_surrogate_pair_is_replaced_and_a_whole_one_kept(answer_file: Path) -> None:
    content = rb'[{"id": "\ud800", "subject": "\ud83d\ude00", "\udc00": "\udc00"}]'
    (ticket,) = tickets_in(answer_file, content)
    assert ticket == Ticket("\ufffd", "\U0001f600", extra={"\ufffd": "\ufffd"})


# Answers as other programs write them

MARKUP = "<html><head><style>p {margin:0}</style></head><body><p>The printer jams<o:p></o:p></p></body></html>"


@pytest.mark.parametrize("name", ["long_description", "description", "body"])
@pytest.mark.parametrize(
    "value",
    [
        MARKUP,
        "&lt;p&gt;The printer jams&lt;/p&gt;",
        {"type": "doc", "content": [{"type": "text", "text": "The printer jams"}]},
        {"contentType": "html", "content": MARKUP},
    ],
    ids=["HTML", "escaped HTML", "Jira document", "with its type"],
)
def test_a_description_is_text_whatever_form_it_comes_in(answer_file: Path, name: str, value: Any) -> None:
    ticket = ticket_of(answer_file, {**ITEM, name: value})
    assert ticket.long_description == "The printer jams"
    assert ticket.extra == {}


def test_a_plain_description_is_taken_before_one_in_html(answer_file: Path) -> None:
    other = "<p>The printer jams, it says in the other one</p>"
    ticket = ticket_of(answer_file, {**ITEM, "description": other, "description_text": "The printer jams"})
    assert ticket.long_description == "The printer jams"
    assert ticket.extra == {"description": other}


def test_a_title_in_html_is_one_line(answer_file: Path) -> None:
    assert ticket_of(answer_file, {"subject": "<p>Printer</p><p>jams &amp; smokes</p>"}) == Ticket(
        "", "Printer jams & smokes"
    )


@pytest.mark.parametrize(
    "text", ["C:\\Users\\<user>\\AppData", "a < b", "<ann@example.com>", '{"no": "document"}', "<config><x/></config>"]
)
def test_plain_text_with_angle_brackets_stays_as_it_is(answer_file: Path, text: str) -> None:
    assert ticket_of(answer_file, {"subject": text, "body": text}).texts == (text, text)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_an_answer_may_have_any_encoding_of_unicode(answer_file: Path, encoding: str) -> None:
    content = json.dumps([{"id": "ü", "subject": "ö"}], ensure_ascii=False).encode(encoding)
    assert tickets_in(answer_file, content) == [Ticket("ü", "ö")]


def test_a_description_that_is_no_number_is_empty(answer_file: Path) -> None:
    content = b'[{"id": 1, "description": NaN}, {"id": 2, "description": "a\nb"}]'
    assert [ticket.long_description for ticket in tickets_in(answer_file, content)] == ["", "a\nb"]


def test_a_byte_that_is_not_utf_8_spoils_its_ticket_alone(answer_file: Path) -> None:
    first, second = tickets_in(answer_file, b'[{"id": 1, "subject": "B\xfcro"}, {"id": 2, "subject": "VPN"}]')
    assert (first.short_description, second.short_description) == ("B\ufffdro", "VPN")


@pytest.mark.parametrize("name", ["tickets.jsonl", "tickets.ndjson", "tickets.json"])
def test_tickets_may_stand_one_on_each_line(tmp_path: Path, name: str) -> None:
    assert tickets_in(tmp_path / name, b'{"id": 1, "subject": "a"}\n{"id": 2}\n') == [
        Ticket("1", "a"),
        Ticket("2", ""),
    ]


def test_a_file_of_one_line_holds_one_ticket(tmp_path: Path) -> None:
    assert tickets_in(tmp_path / "tickets.jsonl", b'{"id": 1, "subject": "a"}\n') == [Ticket("1", "a")]


def test_forty_tickets_with_screenshots_are_read(http: HTTPServer, tmp_path: Path) -> None:
    """They have more bytes than an answer may have; without the pictures they have few."""
    picture = "data:image/png;base64," + "iVBORw0KGgoAAAANSUhEUgAA" * 40_000
    description = f'<p>It says</p><img src="{picture}"><p>and stops</p>'
    content = json.dumps([{"id": str(place), "description": description} for place in range(40)]).encode()
    http.routes["/"] = [Response(body=content)]
    for tickets in (fetch(http.url, HTTPPolicy(timeout=60.0)), tickets_in(tmp_path / "x.json", content)):
        assert len(tickets) == 40
        assert {ticket.long_description for ticket in tickets} == {"It says\n\n[picture]\n\nand stops"}
        assert {str(ticket.extra) for ticket in tickets} == {"{}"}


# Invalid answers


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"<!DOCTYPE html><title>Log in</title>", "is a web page, not JSON", id="web page"),
        pytest.param(b"\r\n <html>", "is a web page, not JSON", id="web page after blanks"),
        pytest.param(b'[{"id": "T-1", "subj', "is not valid JSON", id="truncated"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"[" * 100_000, "is nested too deeply", id="lists 100,000 deep"),
        pytest.param(b'{"data":' * 100_000, "is nested too deeply", id="objects 100,000 deep"),
        pytest.param(b"[" * 60 + b"]" * 60, "is nested too deeply", id="lists 60 deep"),
        pytest.param(None, "does not hold a list of tickets", id="null"),
        pytest.param("tickets", "does not hold a list of tickets", id="text"),
        pytest.param({}, "does not hold a list of tickets", id="no data"),
        pytest.param({"data": None}, "does not hold a list of tickets", id="data is null"),
        pytest.param({"data": {}}, "does not hold a list of tickets", id="no requests"),
        pytest.param({"data": {"requests": None}}, "does not hold a list of tickets", id="requests is null"),
        pytest.param({"data": {"requests": {"id": 1}}}, "does not hold a list of tickets", id="requests is an object"),
        pytest.param([ITEM, None], "is not a ticket", id="item is null"),
        pytest.param(["T-1"], "is not a ticket", id="item is text"),
        pytest.param({"data": [ITEM, [ITEM]]}, "is not a ticket", id="item is a list"),
    ],
)
def test_an_answer_without_a_list_of_tickets_is_refused_with_the_reason(
    answer_file: Path, content: Any, reason: str
) -> None:
    error = failure(answer_file, content)
    assert isinstance(error, InputError)
    assert reason in str(error)
    assert str(answer_file) in str(error)


def test_a_refused_answer_is_not_requested_again(http: HTTPServer) -> None:
    http.routes["/"] = [Response(body=b"<html>Log in</html>")]
    with pytest.raises(InputError) as caught:
        fetch(http.url)
    assert "check the URL" in caught.value.hint
    assert len(http.requests) == 1


@pytest.mark.parametrize("rest", [{}, {"data": ["canary"]}], ids=["nothing", "no tickets"])
@pytest.mark.parametrize(
    ("status", "exit_code"),
    [(401, ExitCode.USAGE), (404, ExitCode.USAGE), (429, ExitCode.SERVICE), (500, ExitCode.SERVICE)],
)
def test_a_status_inside_the_answer_counts_like_that_of_http(
    answer_file: Path, rest: dict[str, Any], status: int, exit_code: ExitCode
) -> None:
    error = failure(answer_file, {"response_code": status, **rest})
    assert error.exit_code == exit_code
    assert f"the helpdesk answered {status}" in str(error)
    assert "canary" not in f"{error} {error.hint}"


@pytest.mark.parametrize("status", ["401", " 401 ", 401.0], ids=["text", "spaces", "float"])
def test_a_status_inside_the_answer_counts_however_it_is_written(answer_file: Path, status: Any) -> None:
    error = failure(answer_file, {"response_code": status, "data": []})
    assert str(error) == "the helpdesk answered 401 Unauthorized"


@pytest.mark.parametrize("status", [200, "200", 201, None, "ok", True], ids=repr)
def test_a_status_that_is_not_a_failure_does_not_lose_the_tickets(answer_file: Path, status: Any) -> None:
    assert tickets_in(answer_file, {"response_code": status, "data": [ITEM]}) == [TICKET]


def test_a_refused_key_inside_the_answer_names_its_settings(answer_file: Path) -> None:
    error = failure(answer_file, {"response_code": 401})
    assert isinstance(error, SettingsError)
    assert error.hint == "Check HELPDESK_API_KEY and HELPDESK_API_SECRET."


def test_access_does_not_show_its_secrets() -> None:
    assert "canary" not in repr(HelpdeskAccess("https://desk.example", api_key="canary", api_secret="canary"))


@pytest.mark.parametrize("swarm", [b"[" + b"{}," * 1_000_000 + b"{}]", b"[" * 2_000_000])
def test_more_objects_than_a_queue_can_have_are_refused_before_parsing(tmp_path: Path, swarm: bytes) -> None:
    """Each object takes a hundred times its size in memory."""
    began = time.monotonic()
    assert "objects and lists" in str(failure(tmp_path / "x.json", swarm))
    assert time.monotonic() - began < 5


def test_error_messages_about_a_long_number_are_short(tmp_path: Path) -> None:
    assert len(str(failure(tmp_path / "x.json", b"[" + b"9" * 100_000 + b".0e999]"))) < 700
