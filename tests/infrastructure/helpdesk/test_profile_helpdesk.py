"""A queue is read to its end as a profile says, or refused: never a part of it in silence."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ticketattr.domain.ticket import Ticket
from ticketattr.errors import ExitCode, InputError, ServiceError, SettingsError, TicketAttrError
from ticketattr.infrastructure.helpdesk.profile_helpdesk import ProfileHelpdesk
from ticketattr.infrastructure.helpdesk.profile_yaml import parse_profile
from ticketattr.infrastructure.options import HelpdeskAccess, HTTPPolicy

from ...servers import HTTPServer, Request, Response

POLICY = HTTPPolicy(max_retries=1, backoff_factor=0.0, timeout=5.0)
FIELDS = "{id: id, short_description: title, long_description: text, status: status}"


def profile(paging: str, query: str = "{}", more: str = "", top: str = "") -> str:
    return f"""\
name: Desk
verified: documentation
{top}
tickets:
  request: {{path: /tickets, query: {query}}}
  paging: {paging}
  items: tickets
  fields: {FIELDS}
  {more}
"""


BY_PAGE = profile("{style: page, size: 2}", '{page: "${page}"}', "total: total")
BY_NEXT = profile("{style: next_url, next: next}")


def helpdesk(http: HTTPServer, text: str) -> ProfileHelpdesk:
    read = parse_profile(text.encode(), "desk.yaml")
    access = HelpdeskAccess(http.url, api_key="the-key", api_secret="the-secret")
    return ProfileHelpdesk(read, access, POLICY, read.tickets.keep)


def fetch(http: HTTPServer, text: str) -> list[Ticket]:
    return helpdesk(http, text).fetch_tickets()


def ids(tickets: Sequence[Ticket]) -> list[str]:
    return [ticket.id for ticket in tickets]


def items(*numbers: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": number, "title": f"ticket {number}", **fields} for number in numbers]


def query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}


def failure(kind: type[TicketAttrError], http: HTTPServer, text: str) -> TicketAttrError:
    with pytest.raises(kind) as caught:
        fetch(http, text)
    assert "the-key" not in str(caught.value) + caught.value.hint
    assert "the-secret" not in str(caught.value) + caught.value.hint
    return caught.value


def pages_of(*pages: Any) -> Callable[[Request], Response]:
    """Answers `?page=N` with page N of these, and pages beyond the last one with nothing."""

    def answer(request: Request) -> Response:
        number = int(query(request)["page"])
        return Response(body=pages[number - 1] if number <= len(pages) else {"tickets": []})

    return answer


# Paging


def test_pages_are_read_to_the_end(http: HTTPServer) -> None:
    http.routes["/tickets"] = pages_of(
        {"tickets": items(1, 2), "total": 5}, {"tickets": items(3, 4), "total": 5}, {"tickets": items(5), "total": 5}
    )
    assert ids(fetch(http, BY_PAGE)) == ["1", "2", "3", "4", "5"]
    assert len(http.requests) == 3


def test_next_urls_are_followed_on_the_same_server(http: HTTPServer) -> None:
    http.routes["/tickets?page=2"] = [Response(body={"tickets": items(2), "next": None})]
    http.routes["/tickets"] = [Response(body={"tickets": items(1), "next": f"{http.url}/tickets?page=2"})]
    assert ids(fetch(http, BY_NEXT)) == ["1", "2"]


def test_a_next_url_on_another_server_is_refused_and_never_asked(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": items(1), "next": "https://evil.example/tickets?key=x"})]
    error = failure(SettingsError, http, BY_NEXT)
    assert "leads to another server, https://evil.example/tickets," in str(error)


def test_a_cursor_is_put_into_the_next_request(http: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        cursor = request.json.get("cursor")
        return Response(body={"tickets": items(2), "next": ""} if cursor else {"tickets": items(1), "next": "abc"})

    http.routes["/tickets"] = answer
    text = profile("{style: cursor, next: next}").replace(
        "request: {path: /tickets, query: {}}",
        'request: {method: POST, path: /tickets, json: {cursor: "${cursor}", limit: "${size}"}}',
    )
    assert ids(fetch(http, text)) == ["1", "2"]
    assert [request.json for request in http.requests] == [{"limit": 100}, {"limit": 100, "cursor": "abc"}]


def test_a_range_is_asked_for_until_the_total_of_content_range(http: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        first = int(query(request)["range"].split("-")[0])
        here = items(*range(first + 1, min(first + 2, 3) + 1))
        return Response(206, body={"tickets": here}, headers={"Content-Range": f"{first}-{first + 1}/3"})

    http.routes["/tickets"] = answer
    text = profile("{style: range, size: 2}", '{range: "${first}-${last}"}')
    assert ids(fetch(http, text)) == ["1", "2", "3"]
    assert [query(request)["range"] for request in http.requests] == ["0-1", "2-3"]


def test_a_link_header_is_followed(http: HTTPServer) -> None:
    http.routes["/tickets?page=2"] = [Response(body={"tickets": items(2)})]
    http.routes["/tickets"] = [
        Response(body={"tickets": items(1)}, headers={"Link": f'<{http.url}/tickets?page=2>; rel="next"'})
    ]
    assert ids(fetch(http, profile("{style: link_header}"))) == ["1", "2"]


def test_ids_come_first_and_their_tickets_second(http: HTTPServer) -> None:
    def records(request: Request) -> Response:
        wanted = parse_qs(urlsplit(request.path).query)["id"]
        return Response(body={"tickets": items(*map(int, wanted))})

    http.routes["/tickets"] = [Response(body={"found": [1, 2, 3]})]
    http.routes["/records"] = records
    paging = '{style: ids, size: 2, ids: found, records: {path: /records, query: {id: "${ids}"}}}'
    assert ids(fetch(http, profile(paging))) == ["1", "2", "3"]


def test_a_ticket_that_appears_on_two_pages_is_one_ticket(http: HTTPServer) -> None:
    http.routes["/tickets"] = pages_of({"tickets": items(1, 2)}, {"tickets": items(2, 3)}, {"tickets": items(4)})
    assert ids(fetch(http, BY_PAGE)) == ["1", "2", "3", "4"]


def test_when_a_ticket_vanishes_between_two_pages_the_one_behind_it_is_not_lost(http: HTTPServer) -> None:
    queue = [1, 2, 3, 4, 5]

    def answer(request: Request) -> Response:
        number = int(query(request)["page"])
        here = items(*queue[2 * (number - 1) : 2 * number])
        body = {"tickets": here, "total": len(queue)}
        if number == 1 and 1 in queue:
            queue.remove(1)  # so that ticket 3 slides onto the page that has just been read
        return Response(body=body)

    http.routes["/tickets"] = answer
    assert set(ids(fetch(http, BY_PAGE))) >= {"2", "3", "4", "5"}


def test_a_page_that_comes_again_for_ever_is_an_error(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": items(1, 2)})]
    error = failure(InputError, http, BY_PAGE)
    assert "page 2 of the queue is one that came before" in str(error)
    assert len(http.requests) == 2


def test_a_next_page_that_leads_back_is_an_error_though_it_is_empty(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": [], "next": "/tickets?page=2"})]
    assert "leads back to a page that came before" in str(failure(InputError, http, BY_NEXT))
    assert len(http.requests) == 2


def test_details_that_are_read_at_the_second_time_are_no_failure(http: HTTPServer) -> None:
    totals = iter([2, 1, 1, 1])
    details = iter([Response(404), Response(404), *[Response(body={"messages": [{"text": "First."}]})] * 2])
    http.routes["/detail"] = lambda request: next(details)
    http.routes["/tickets"] = lambda request: Response(
        body={"tickets": items(int(query(request).get("page", "1"))), "total": next(totals), "next": None}
        if "page" in query(request)
        else {"tickets": items(1), "total": next(totals), "next": "/tickets?page=2"}
    )
    tickets = fetch(http, profile("{style: next_url, next: next}", more="total: total", top=DETAIL))
    assert [ticket.long_description for ticket in tickets] == ["First.", "First."]


def test_fewer_tickets_than_the_total_are_an_error(http: HTTPServer) -> None:
    http.routes["/tickets"] = pages_of({"tickets": items(1, 2), "total": 9})
    error = failure(InputError, http, BY_PAGE)
    assert "2 of 9 tickets came" in str(error)


def test_fewer_tickets_than_a_total_that_changes_may_be_all_there_at_the_next_try(http: HTTPServer) -> None:
    totals = iter([9, 8, 7, 9, 8, 7])

    def answer(request: Request) -> Response:
        first = query(request)["page"] == "1"
        return Response(body={"tickets": items(1, 2) if first else [], "total": next(totals)})

    http.routes["/tickets"] = answer
    assert failure(ServiceError, http, BY_PAGE).exit_code == ExitCode.SERVICE


def test_more_pages_than_any_queue_has_are_refused(http: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ticketattr.infrastructure.helpdesk.queue_reader.MAX_PAGES", 3)
    http.routes["/tickets"] = lambda request: Response(
        body={"tickets": items(len(http.requests)), "next": f"/tickets?page={len(http.requests)}"}
    )
    assert "more than 3 pages" in str(failure(InputError, http, BY_NEXT))


@pytest.mark.parametrize(
    "more", [{"total": 250}, {"meta": {"has_more": True}}, {"links": {"next": "https://desk/?page=2"}}]
)
def test_without_paging_an_answer_that_says_that_there_is_more_is_an_error(
    http: HTTPServer, more: Mapping[str, Any]
) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": items(1, 2), **more})]
    error = failure(InputError, http, profile("{style: none}"))
    assert "the helpdesk sent 2 tickets and says that there are more" in str(error)


# Sessions, limits and errors


def test_a_busy_helpdesk_is_asked_again(http: HTTPServer) -> None:
    http.routes["/tickets"] = [
        Response(429, headers={"Retry-After": "0"}),
        Response(body={"tickets": items(1), "next": None}),
    ]
    assert ids(fetch(http, BY_NEXT)) == ["1"]


@pytest.mark.parametrize(
    ("limits", "headers"),
    [
        ("", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}),
        ("limits: {requests_per_minute: 60}", {}),
    ],
    ids=["the helpdesk says so", "the profile says so"],
)
def test_no_request_starts_before_the_helpdesk_takes_it(http: HTTPServer, limits: str, headers: dict[str, str]) -> None:
    http.routes["/tickets?page=2"] = [Response(body={"tickets": items(2), "next": None})]
    http.routes["/tickets"] = [Response(body={"tickets": items(1), "next": "/tickets?page=2"}, headers=headers)]
    started = time.monotonic()
    assert ids(fetch(http, profile("{style: next_url, next: next}", top=limits))) == ["1", "2"]
    assert time.monotonic() - started >= 0.9


SESSION = """\
session:
  request: {method: POST, path: /login, json: {user: "${key}", password: "${secret}"}}
  keep: {token: token}
headers: {X-Session: "${session.token}"}"""


def test_a_session_is_asked_for_first_and_renewed_when_it_has_expired(http: HTTPServer) -> None:
    tokens = iter(["old", "new"])

    def answer(request: Request) -> Response:
        page = query(request).get("page", "1")
        if page == "2" and request.headers["X-Session"] == "old":
            return Response(401)
        return Response(body={"tickets": items(int(page)), "next": "/tickets?page=2" if page == "1" else None})

    http.routes["/login"] = lambda request: Response(body={"token": next(tokens)})
    http.routes["/tickets"] = answer
    assert ids(fetch(http, profile("{style: next_url, next: next}", top=SESSION))) == ["1", "2"]
    assert http.requests[0].json == {"user": "the-key", "password": "the-secret"}


def test_an_answer_without_a_session_is_a_wrong_key(http: HTTPServer) -> None:
    http.routes["/login"] = [Response(body={"error": "no"})]
    error = failure(SettingsError, http, profile("{style: next_url, next: next}", top=SESSION))
    assert "gave no session" in str(error)
    assert "HELPDESK_API_KEY" in error.hint


def test_an_error_inside_a_success_is_an_error_with_the_words_of_the_helpdesk(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"code": 3, "message": "Unknown class", "tickets": []})]
    error = failure(InputError, http, profile("{style: none}", more="error: code != `0` && message"))
    assert "Unknown class" in str(error)


def test_a_list_that_is_not_there_is_an_error_with_the_fields_that_came(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"requests": [], "list_info": {}})]
    assert "the fields that came are requests, list_info" in str(failure(InputError, http, BY_NEXT))


def test_an_item_that_is_no_ticket_is_an_error(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": [*items(1), "x"], "next": None})]
    assert "item 2 in the answer of the helpdesk is not a ticket" in str(failure(InputError, http, BY_NEXT))


def test_a_number_where_text_is_due_is_an_error_of_the_profile(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": items(1, text=[1, 2]), "next": None})]
    text = BY_NEXT.replace("long_description: text", '"long_description": length(text)')
    error = failure(InputError, http, text)
    assert "desk.yaml, line 8: `length(text)` finds a number where long_description needs text" in str(error)


def test_an_expression_that_does_not_fit_is_named_with_its_line(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": items(1), "next": None})]
    text = BY_NEXT.replace("long_description: text", '"long_description": length(text)')
    assert "desk.yaml, line 8: `length(text)` does not fit" in str(failure(InputError, http, text))


def test_tickets_without_any_text_are_an_error_with_the_fields_that_came(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": [{"id": 1, "name": "VPN", "content": "Down"}], "next": None})]
    error = failure(InputError, http, BY_NEXT)
    assert "no ticket has a field for a short or a long description; the fields that came are id, name, content" in str(
        error
    )


def test_an_empty_queue_is_an_empty_queue(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": [], "next": None})]
    assert fetch(http, BY_NEXT) == []


# Details, threads and filters

DETAIL = """\
detail: {request: {path: "/detail/${id}"}, at_most: 2}
text:
  thread: {messages: detail.messages, body: message.text, counts: message.by == 'customer'}"""


def test_the_details_of_each_ticket_are_asked_for_and_one_that_fails_costs_no_other(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": items(1, 2), "next": None})]
    http.routes["/detail/1"] = [Response(body={"messages": [{"text": "<p>First.</p>"}]})]
    http.routes["/detail/2"] = [Response(404)]
    one, two = fetch(http, profile("{style: next_url, next: next}", top=DETAIL))
    assert one.long_description == "First."
    assert two.long_description.startswith("[The description could not be read: the helpdesk answered 404 Not Found")


def test_details_that_fail_for_every_ticket_are_an_error(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": items(1, 2), "next": None})]
    http.routes["/detail"] = [Response(403)]
    assert "403" in str(failure(SettingsError, http, profile("{style: next_url, next: next}", top=DETAIL)))


def test_later_messages_that_count_are_added_without_what_they_quote(http: HTTPServer) -> None:
    thread = [
        {"text": "The printer is broken."},
        {"text": "Which floor?", "by": "agent"},
        {"text": "The second.\n\nOn Mon, Nov 23, 2026 Desk wrote:\n> Which floor?", "by": "customer"},
    ]
    http.routes["/tickets"] = [Response(body={"tickets": items(1), "next": None})]
    http.routes["/detail/1"] = [Response(body={"messages": thread})]
    (ticket,) = fetch(http, profile("{style: next_url, next: next}", top=DETAIL))
    assert ticket.long_description == "The printer is broken.\n\nThe second."


def test_of_many_later_messages_the_newest_count_and_the_rest_is_said(http: HTTPServer) -> None:
    thread = [{"text": "First."}, *({"text": f"More {number}.", "by": "customer"} for number in range(8))]
    http.routes["/tickets"] = [Response(body={"tickets": items(1), "next": None})]
    http.routes["/detail/1"] = [Response(body={"messages": thread})]
    (ticket,) = fetch(http, profile("{style: next_url, next: next}", top=DETAIL))
    assert ticket.long_description == (
        "First.\n\n[3 later messages left out]\n\nMore 3.\n\nMore 4.\n\nMore 5.\n\nMore 6.\n\nMore 7."
    )


def test_a_later_message_without_an_end_is_cut(http: HTTPServer) -> None:
    thread = [{"text": "First."}, {"text": "x" * 50_000, "by": "customer"}]
    http.routes["/tickets"] = [Response(body={"tickets": items(1), "next": None})]
    http.routes["/detail/1"] = [Response(body={"messages": thread})]
    (ticket,) = fetch(http, profile("{style: next_url, next: next}", top=DETAIL))
    assert 9_000 < len(ticket.long_description) < 11_000


def test_tickets_that_are_closed_are_left_out_though_the_helpdesk_sent_them(http: HTTPServer) -> None:
    http.routes["/tickets"] = [
        Response(body={"tickets": [*items(1, status="open"), *items(2, status="closed")], "next": None})
    ]
    more = "open: status != 'closed'\n  keep: [open]"
    assert ids(fetch(http, profile("{style: next_url, next: next}", more=more))) == ["1"]


def test_what_the_helpdesk_can_filter_is_asked_for(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": items(1), "next": None})]
    more = """open: status != 'closed'
  keep: [open]
  filters: {join: " and ", always: queue=1, open: status=open, uncategorised: category=none}"""
    fetch(http, profile("{style: next_url, next: next}", '{q: "${filter}"}', more))
    assert query(http.requests[0]) == {"q": "queue=1 and status=open"}


def test_keys_stand_in_the_headers_that_the_profile_names(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": items(1), "next": None})]
    fetch(http, profile("{style: next_url, next: next}", top='headers: {X-Key: "${key}"}'))
    fetch(http, profile("{style: next_url, next: next}", top='auth: {user: "${key}", password: X}'))
    assert http.requests[0].headers["X-Key"] == "the-key"
    assert http.requests[1].headers["Authorization"] == "Basic dGhlLWtleTpY"


def test_a_preview_says_where_each_field_came_from(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": items(1, 2, 3), "next": "/tickets?page=2"})]
    preview = helpdesk(http, BY_NEXT).preview(2)
    first, second = preview.tickets
    assert preview.fields_seen == ["id", "title"]
    assert (first.ticket.id, second.ticket.id) == ("1", "2")
    assert first.origins == {"id": "id", "short_description": "title"}
    assert len(http.requests) == 1


def test_the_page_of_a_ticket_is_its_url(http: HTTPServer) -> None:
    http.routes["/tickets"] = [Response(body={"tickets": [{"id": "a/b", "title": "x"}], "next": None})]
    (ticket,) = fetch(http, profile("{style: next_url, next: next}", top="page: /show?id=${id}"))
    assert ticket.url == f"{http.url}/show?id=a%2Fb"


def test_a_url_that_is_not_one_of_the_web_is_left_out(http: HTTPServer) -> None:
    links = ["javascript:alert(1)", "https://desk.example/2"]
    found = [{**item, "text": "", "status": link} for item, link in zip(items(1, 2), links, strict=True)]
    http.routes["/tickets"] = [Response(body={"tickets": found, "next": None})]
    text = BY_NEXT.replace("status: status", "url: status")
    assert [ticket.url for ticket in fetch(http, text)] == ["", "https://desk.example/2"]


@pytest.mark.parametrize(
    ("headers", "settings"),
    [
        ('{Authorization: "Bearer ${key}"}', "HELPDESK_API_KEY"),
        ('{User: "${key}", Token: "${secret}"}', "HELPDESK_API_KEY and HELPDESK_API_SECRET"),
        ("{Accept: application/json}", "HELPDESK_API_URL"),
    ],
)
def test_a_refusal_names_the_settings_that_the_profile_uses(http: HTTPServer, headers: str, settings: str) -> None:
    http.routes["/tickets"] = [Response(401)]
    assert failure(SettingsError, http, f"{BY_PAGE}\nheaders: {headers}").hint == f"Check {settings}."


def test_nothing_of_a_body_is_a_secret(http: HTTPServer) -> None:
    http.routes["/login"] = [Response(500, body=json.dumps({"password": "the-secret"}).encode())]
    failure(ServiceError, http, profile("{style: next_url, next: next}", top=SESSION))
