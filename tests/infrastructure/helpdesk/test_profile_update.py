"""The part `update` of profiles: what is refused, and the requests that each shipped profile sends."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import anyio
import pytest

from ticketattr.application.ports import WriteResult
from ticketattr.domain.write_back import Pair
from ticketattr.errors import SettingsError
from ticketattr.infrastructure.helpdesk.profile_writer import ProfileWriter
from ticketattr.infrastructure.helpdesk.profile_yaml import parse_profile
from ticketattr.infrastructure.helpdesk.shipped_profiles import profile_names, read_profile
from ticketattr.infrastructure.options import HelpdeskAccess, HTTPPolicy

from ...changing_desk import PROFILE
from ...servers import HTTPServer, Request, Response

NOTE = "ticketattr set it.\nRun 1 [ticketattr:0123456789abcdef0123]"
POLICY = HTTPPolicy(max_retries=0)


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as refused:
        parse_profile(text.encode(), "desk.yaml")
    return str(refused.value)


@pytest.mark.parametrize(
    ("right", "wrong", "line", "message"),
    [
        ("  read:", "  raed:", 11, "'raed' is not known here; did you mean 'read'?"),
        ('{path: "/tickets/${id}"}', "{path: /tickets}", 12, "nowhere says ${id}"),
        ('{path: "/tickets/${id}"}', '{method: PUT, path: "/tickets/${id}"}', 12, "expected one of GET, POST here"),
        ("method: PUT", "method: GET", 16, "expected one of POST, PUT, PATCH here"),
        ("path: /tickets/${id}\n", "path: /tickets\n", 16, "nowhere says ${id}"),
        (
            "path: /tickets/${id}\n",
            "path: /tickets/${id}/${secret}\n",
            17,
            "the placeholder ${secret} does not belong here",
        ),
        ('type: "${request_type}"', "type: x", 16, "nowhere says ${request_type}"),
        ('"${version}"', '"${versoin}"', 18, "the placeholder ${versoin} does not belong here"),
        ("version_header: ETag", "version: etag(", 13, "is not a JMESPath expression"),
        ('{text: "${note}", internal: true}', "{text: x, internal: true}", 21, "nowhere says ${note}"),
        ("    texts: notes\n", "", 21, "'texts' is missing"),
        ("  note:", "  tag: {}\n  note:", 20, "either 'note' or 'tag'"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(right: str, wrong: str, line: int, message: str) -> None:
    assert right in PROFILE
    text = refusal(PROFILE.replace(right, wrong, 1))
    assert message in text
    assert f"desk.yaml, line {line}: " in text


def test_an_update_without_any_write_is_refused() -> None:
    assert "needs 'set', 'note' or 'tag'" in refusal(PROFILE.partition("  set:")[0])


@pytest.mark.parametrize(
    "note",
    [
        '{text: "${note}"}',
        '{text: "${note}", internal: false}',
        '{text: "${note}", internal: "${id}"}',
        '{text: "${note}", public: true}',
        '{text: "${note}", internal: true, public: true}',
        '{text: "${note}", visible: false}',
        '{comment: {body: "${note}", public: yes please}}',
        '{Article: {Body: "${note}", IsVisibleForCustomer: 1}}',
        '{work_notes: "${note}", comments: "${note}"}',
    ],
)
def test_a_note_that_could_be_public_is_refused(note: str) -> None:
    text = refusal(PROFILE.replace('{text: "${note}", internal: true}', note))
    assert "line 21: " in text
    assert "public" in text


@pytest.mark.parametrize(
    "note",
    [
        '{text: "${note}", private: true}',
        '{issue: {notes: "${note}", private_notes: true}}',
        '{input: {content: "${note}", is_private: 1}}',
        '{ticket: {comment: {body: "${note}", public: false}}}',
        '{Article: {Body: "${note}", IsVisibleForCustomer: 0}}',
        '{work_notes: "${note}"}',
    ],
)
def test_a_note_that_says_that_it_is_internal_is_taken(note: str) -> None:
    parse_profile(PROFILE.replace('{text: "${note}", internal: true}', note).encode(), "desk.yaml")


@pytest.mark.parametrize(
    "request_",
    [
        '{method: POST, path: "/t/${id}", json: {x: "${note}"}}',
        '{method: PUT, path: "/t/${id}", json: {comment: {body: "${note}"}}}',
    ],
)
def test_a_tag_that_is_a_message_in_truth_is_refused(request_: str) -> None:
    before = PROFILE.partition("  note:")[0]
    text = refusal(f"{before}  tag:\n    request: {request_}\n    texts: tag\n")
    assert "a tag is a field of the ticket" in text


@dataclass
class Stand:
    """Answers of a helpdesk, to other reads by the end of their path; and the bodies that are to be written."""

    id: str
    read: Any
    others: dict[str, Any] = field(default_factory=dict)
    written: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    pair: Pair = ("Hardware", "Printer")
    sets: Any = None
    sets_header: tuple[str, str] = ("", "")
    empties: Any = None
    fills_type: Any = None
    notes: Any = None


JIRA = Stand(
    "IT-1",
    {"key": "IT-1", "fields": {"customfield_10100": None, "status": {"statusCategory": {"key": "new"}}}},
    {"/comment": {"comments": [{"body": "hello"}]}},
    sets={"fields": {"customfield_10100": "Hardware", "customfield_10101": "Printer"}},
    empties={"fields": {"customfield_10100": None, "customfield_10101": None}},
    fills_type={"fields": {"customfield_10101": "Printer"}},
    notes={"body": NOTE, "public": False},
)
REDMINE_FIELDS = [{"id": 4, "name": "Category", "value": ""}, {"id": 7, "name": "Request type", "value": ""}]
STANDS = {
    "rt": Stand(
        "7",
        {"id": 7, "Status": "open", "CustomFields": [{"name": "Category", "values": []}]},
        {"/attachments": {"items": [{"ContentType": "text/plain", "Content": "hello"}]}},
        headers={"ETag": '"34"'},
        sets={"CustomFields": {"Category": "Hardware", "RequestType": "Printer"}},
        sets_header=("If-Match", '"34"'),
        empties={"CustomFields": {"Category": "", "RequestType": ""}},
        fills_type={"CustomFields": {"RequestType": "Printer"}},
        notes={"Content": NOTE, "ContentType": "text/plain"},
    ),
    "roundup": Stand(
        "7",
        {"data": {"id": "7", "@etag": '"abc"', "attributes": {"category": None, "status": {"name": "chatting"}}}},
        sets={"category": "Hardware", "request_type": "Printer"},
        sets_header=("If-Match", '"abc"'),
        empties={"category": "", "request_type": ""},
        fills_type={"request_type": "Printer"},
        notes={"triage_note": NOTE.replace("\n", " ")},
    ),
    "django-helpdesk": Stand(
        "7",
        {"id": 7, "title": "Printer", "status": 1, "followup_set": [{"comment": "hello"}]},
        sets={"custom_category": "Hardware", "custom_request_type": "Printer"},
        empties={"custom_category": "", "custom_request_type": ""},
        fills_type={"custom_request_type": "Printer"},
        notes={"ticket": "7", "title": "Printer", "comment": NOTE, "public": False},
    ),
    "redmine": Stand(
        "7",
        {
            "issue": {
                "id": 7,
                "status": {"name": "New"},
                "custom_fields": REDMINE_FIELDS,
                "journals": [{"notes": "hello"}],
            }
        },
        sets={"issue": {"custom_fields": [{"id": "4", "value": "Hardware"}, {"id": "7", "value": "Printer"}]}},
        empties={"issue": {"custom_fields": [{"id": "4", "value": ""}, {"id": "7", "value": ""}]}},
        fills_type={"issue": {"custom_fields": [{"id": "7", "value": "Printer"}]}},
        notes={"issue": {"notes": NOTE, "private_notes": True}},
    ),
    "znuny": Stand(
        "7",
        {"Ticket": [{"TicketID": "7", "StateType": "open", "Article": [{"Body": "hello"}]}]},
        {"/Session": {"SessionID": "s1"}},
        sets={
            "SessionID": "s1",
            "TicketID": "7",
            "DynamicField": [{"Name": "Category", "Value": "Hardware"}, {"Name": "RequestType", "Value": "Printer"}],
        },
        empties={
            "SessionID": "s1",
            "TicketID": "7",
            "DynamicField": [{"Name": "Category", "Value": ""}, {"Name": "RequestType", "Value": ""}],
        },
        fills_type={"SessionID": "s1", "TicketID": "7", "DynamicField": [{"Name": "RequestType", "Value": "Printer"}]},
        notes={
            "SessionID": "s1",
            "TicketID": "7",
            "Article": {
                "Subject": "Request type",
                "Body": NOTE,
                "ContentType": "text/plain; charset=utf8",
                "IsVisibleForCustomer": 0,
                "CommunicationChannel": "Internal",
                "SenderType": "agent",
                "NoAgentNotify": 1,
            },
        },
    ),
    "zammad": Stand(
        "7",
        {"id": 7, "state": "open", "category": None},
        {"/by_ticket/7": [{"body": "hello"}]},
        sets={"category": "Hardware", "request_type": "Printer"},
        empties={"category": "", "request_type": ""},
        fills_type={"request_type": "Printer"},
        notes={"article": {"body": NOTE, "content_type": "text/plain", "type": "note", "internal": True}},
    ),
    "glpi10": Stand(
        "7",
        {"id": 7, "status": 1, "itilcategories_id": 0, "type": 0},
        {
            "/initSession": {"session_token": "s1"},
            "/ITILCategory": [{"id": 3, "completename": "Hardware > Printer"}],
            "/ITILFollowup": [{"content": "hello"}],
        },
        pair=("hardware > printer", "Request"),
        sets={"input": {"itilcategories_id": 3, "type": 2}},
        empties={"input": {"itilcategories_id": 0, "type": 0}},
        fills_type={"input": {"type": 2}},
        notes={
            "input": {"itemtype": "Ticket", "items_id": "7", "content": NOTE.replace("\n", "<br>\n"), "is_private": 1}
        },
    ),
    "jira-cloud": JIRA,
    "jira-dc": JIRA,
    "servicenow": Stand(
        "INC7",
        {"result": [{"sys_id": "abc", "number": "INC7", "active": "true", "category": ""}]},
        {"/sys_journal_field": {"result": [{"value": "hello"}]}},
        sets={"category": "Hardware", "subcategory": "Printer"},
        empties={"category": "", "subcategory": ""},
        fills_type={"subcategory": "Printer"},
        notes={"work_notes": NOTE},
    ),
    "freshdesk": Stand(
        "7",
        {"id": 7, "status": 2, "custom_fields": {"cf_category": None}},
        {"/conversations": [{"body": "hello"}]},
        sets={"custom_fields": {"cf_category": "Hardware", "cf_request_type": "Printer"}},
        empties={"custom_fields": {"cf_category": None, "cf_request_type": None}},
        fills_type={"custom_fields": {"cf_request_type": "Printer"}},
        notes={"body": NOTE.replace("\n", "<br>\n"), "private": True},
    ),
    "zendesk": Stand(
        "7",
        {"ticket": {"id": 7, "status": "open", "updated_at": "2026-11-20T08:00:00Z", "custom_fields": []}},
        {"/comments.json": {"comments": [{"body": "hello"}]}},
        sets={
            "ticket": {
                "custom_fields": [{"id": 1, "value": "Hardware"}, {"id": 2, "value": "Printer"}],
                "safe_update": True,
                "updated_stamp": "2026-11-20T08:00:00Z",
            }
        },
        empties={
            "ticket": {
                "custom_fields": [{"id": 1, "value": None}, {"id": 2, "value": None}],
                "safe_update": True,
                "updated_stamp": "2026-11-20T08:00:00Z",
            }
        },
        fills_type={
            "ticket": {
                "custom_fields": [{"id": 2, "value": "Printer"}],
                "safe_update": True,
                "updated_stamp": "2026-11-20T08:00:00Z",
            }
        },
        notes={"ticket": {"comment": {"body": NOTE, "public": False}}},
    ),
}


def test_every_profile_that_writes_has_a_stand() -> None:
    assert set(STANDS) == {name for name in profile_names() if read_profile(name).update}


@pytest.mark.parametrize("name", STANDS)
def test_a_shipped_profile_reads_fills_empties_and_notes(http: HTTPServer, name: str) -> None:
    stand, written = STANDS[name], list[Request]()

    def answer(request: Request) -> Response:
        path = request.path.partition("?")[0]
        for end, body in stand.others.items():
            if path.endswith(end) and (request.method == "GET" or end == "/Session"):
                return Response(body=body)
        if request.method == "GET":
            assert stand.id in unquote(request.path)
            return Response(body=stand.read, headers=stand.headers)
        written.append(request)
        return Response(body=stand.written)

    http.routes["/"] = answer
    profile = replace(read_profile(name), requests_per_minute=None)
    assert profile.update
    writer = ProfileWriter(profile, profile.update, HelpdeskAccess(http.url, "the-key", "the-secret"), POLICY)
    results = anyio.run(_work, writer, stand)
    assert [result.outcome for result in results] == ["done"] * 4
    assert [request.json for request in written] == [stand.sets, stand.fills_type, stand.empties, stand.notes]
    header, value = stand.sets_header
    assert not header or written[0].headers[header] == value
    if name == "roundup":
        assert written[0].headers["Origin"] == http.url


async def _work(writer: ProfileWriter, stand: Stand) -> list[WriteResult]:
    async with writer:
        now = await writer.read(stand.id)
        assert now
        assert (now.pair, now.is_open) == (("", ""), True)
        assert not await writer.has_note(now, "[ticketattr:")
        return [
            await writer.fill(now, stand.pair),
            await writer.fill(now, ("", stand.pair[1])),
            await writer.put_back(now, ("", "")),
            await writer.add_note(now, NOTE),
        ]


def test_a_tag_in_which_a_person_wrote_stays(http: HTTPServer) -> None:
    stand = STANDS["roundup"]
    attributes = {**stand.read["data"]["attributes"], "triage_note": "ask Ann"}
    http.routes["/"] = [Response(body={"data": {**stand.read["data"], "attributes": attributes}})]
    profile = read_profile("roundup")
    assert profile.update
    writer = ProfileWriter(profile, profile.update, HelpdeskAccess(http.url, "the-key", "the-secret"), POLICY)

    async def work() -> WriteResult:
        async with writer:
            now = await writer.read(stand.id)
            assert now
            return await writer.add_note(now, NOTE)

    assert anyio.run(work).outcome == "refused"
    assert {request.method for request in http.requests} == {"GET"}


def test_a_name_that_the_helpdesk_does_not_have_is_refused_without_a_write(http: HTTPServer) -> None:
    stand = STANDS["glpi10"]
    for end, body in stand.others.items():
        http.routes[f"/apirest.php{end}"] = [Response(body=body)]
    http.routes["/apirest.php/Ticket/7"] = [Response(body={**stand.read, "itilcategories_id": 3, "type": 2})]
    profile = read_profile("glpi10")
    assert profile.update
    writer = ProfileWriter(profile, profile.update, HelpdeskAccess(http.url, "the-key", "the-secret"), POLICY)

    async def work() -> tuple[Pair, WriteResult]:
        async with writer:
            now = await writer.read("7")
            assert now
            return now.pair, await writer.fill(now, ("Renamed", "Request"))

    pair, result = anyio.run(work)
    assert pair == ("Hardware > Printer", "Request")
    assert result == WriteResult("refused", "the helpdesk has no request category 'Renamed'")
    assert {request.method for request in http.requests} == {"GET"}


def test_notes_are_read_to_their_last_page(http: HTTPServer) -> None:
    items = {"items": [{"ContentType": "text/plain", "Content": "hello"}], "next_page": f"{http.url}/more"}
    http.routes["/more"] = [Response(body={"items": [{"ContentType": "text/plain", "Content": f"x {NOTE}"}]})]
    http.routes["/REST/2.0/ticket/7/attachments"] = [Response(body=items)]
    http.routes["/REST/2.0/ticket/7"] = [Response(body=STANDS["rt"].read)]
    profile = read_profile("rt")
    assert profile.update
    writer = ProfileWriter(profile, profile.update, HelpdeskAccess(http.url, "the-key", "the-secret"), POLICY)

    async def work() -> bool:
        async with writer:
            now = await writer.read("7")
            assert now
            return await writer.has_note(now, NOTE.rpartition(" ")[2])

    assert anyio.run(work)
    assert json.loads(http.requests[-1].body or b"null") is None
