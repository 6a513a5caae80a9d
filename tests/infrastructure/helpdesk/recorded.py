"""Answers in the shapes of helpdesks, each with two pages: as the servers gave them, or as their documentation shows.

In an answer, `{url}` stands for the base URL. `sequence` are the answers in the order in which they are asked for; a
path with `*` answers every detail request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Recorded:
    """What the requests of a profile get, and what its tickets are."""

    paths: dict[str, list[Any]]
    ids: list[str]
    first: dict[str, str]
    headers: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)


def _issue(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "project": {"id": 1, "name": "IT"},
        "status": {"id": 1, "name": "New", "is_closed": False},
        "priority": {"id": 2, "name": "Normal"},
        "author": {"id": 1, "name": "Redmine Admin"},
        "subject": f"Drücker {number}",
        "description": "Er druckt nicht.",
        "custom_fields": [{"id": 1, "name": "Category", "value": ""}, {"id": 2, "name": "Request type", "value": None}],
        "created_on": "2026-11-28T05:37:32Z",
        "updated_on": "2026-11-28T05:40:00Z",
    }


def _znuny(number: int) -> dict[str, Any]:
    return {
        "TicketID": str(number),
        "Title": f"VPN {number}",
        "State": "new",
        "StateType": "new",
        "Queue": "Raw",
        "Priority": "3 normal",
        "Owner": "root@localhost",
        "Created": "2026-11-28 05:49:21",
        "Changed": "2026-11-28 05:50:00",
        "CustomerUserID": "anna",
        "DynamicField": [{"Name": "Category", "Value": "Network"}, {"Name": "RequestType", "Value": None}],
        "Article": [{"Body": "It is slow.", "From": "anna@example.com", "SenderType": "customer"}],
    }


def _jira(number: int, description: Any) -> dict[str, Any]:
    return {
        "key": f"IT-{number}",
        "fields": {
            "summary": f"Laptop {number}",
            "description": description,
            "status": {"name": "Open", "statusCategory": {"key": "new"}},
            "priority": {"name": "High"},
            "reporter": {"emailAddress": "ann@example.com"},
            "assignee": None,
            "created": "2026-11-20T10:00:00.000+0100",
            "updated": "2026-11-21T10:00:00.000+0100",
            "project": {"name": "IT"},
            "customfield_10100": {"value": "Hardware"},
            "customfield_10101": "Repair",
        },
    }


_ADF = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "It does not start."}]}],
}
_EMPTY: dict[str, Any] = {}

RECORDED: dict[str, Recorded] = {
    "redmine": Recorded(
        {
            "/issues.json": [
                {"issues": [_issue(n) for n in range(1, 101)], "total_count": 101, "offset": 0, "limit": 100},
                {"issues": [_issue(101)], "total_count": 101, "offset": 100, "limit": 100},
            ]
        },
        [str(n) for n in range(1, 102)],
        {"short_description": "Drücker 1", "long_description": "Er druckt nicht.", "status": "New", "group": "IT"},
        sent={"X-Redmine-API-Key": "the-key"},
    ),
    "znuny": Recorded(
        {
            "/Session": [{"SessionID": "abc"}],
            "/TicketList": [{"Ticket": [_znuny(n) for n in range(1, 51)]}, {"Ticket": [_znuny(51)]}],
            "/Ticket": [{"TicketID": [str(n) for n in range(1, 52)]}],
        },
        [str(n) for n in range(1, 52)],
        {"short_description": "VPN 1", "long_description": "It is slow.", "request_category": "Network"},
    ),
    "zammad": Recorded(
        {
            "/api/v1/tickets/search": [
                [
                    {"id": n, "number": f"6500{n}", "title": f"Mail {n}", "state": "new", "customer": "ann@example.com"}
                    for n in range(1, 101)
                ],
                [{"id": 101, "title": "Mail 101", "state": "open", "category": "Mail", "request_type": "Quota"}],
            ],
            "/api/v1/ticket_articles/by_ticket/*": [
                [
                    {"body": "<p>No mail.</p>", "content_type": "text/html", "sender": "Customer", "internal": False},
                    {"body": "Since when?", "content_type": "text/plain", "sender": "Agent", "internal": False},
                    {"body": "Since noon.", "content_type": "text/plain", "sender": "Customer", "internal": False},
                ]
            ],
        },
        [str(n) for n in range(1, 102)],
        {
            "short_description": "Mail 1",
            "long_description": "No mail.\n\nSince noon.",
            "requester_email": "ann@example.com",
        },
        sent={"Authorization": "Token token=the-key"},
    ),
    "glpi10": Recorded(
        {
            "/apirest.php/initSession": [{"session_token": "s1"}],
            "/apirest.php/search/Ticket": [
                {
                    "totalcount": 51,
                    "data": [
                        {"2": n, "1": f"Scanner {n}", "21": "&#60;p&#62;Broken&#60;/p&#62;", "12": 1}
                        for n in range(1, 51)
                    ],
                },
                {"totalcount": 51, "data": [{"2": 51, "1": "Scanner 51", "12": 2}]},
            ],
        },
        [str(n) for n in range(1, 52)],
        {"short_description": "Scanner 1", "status": "new"},
        sent={"Session-Token": "s1", "App-Token": "the-secret"},
    ),
    "glpi11": Recorded(
        {
            "/api.php/token": [{"access_token": "t1", "token_type": "Bearer"}],
            "/api.php/v2.3/Assistance/Ticket": [
                [
                    {"id": n, "name": f"Screen {n}", "content": "<p>Dark</p>", "status": {"id": 1, "name": "New"}}
                    for n in range(1, 101)
                ],
                [{"id": 101, "name": "Screen 101", "status": {"id": 2, "name": "Assigned"}}],
            ],
        },
        [str(n) for n in range(1, 102)],
        {"short_description": "Screen 1", "long_description": "Dark", "status": "New"},
        headers={
            "/api.php/v2.3/Assistance/Ticket": [{"Content-Range": "0-99/101"}, {"Content-Range": "100-100/101"}],
        },
        sent={"Authorization": "Bearer t1"},
    ),
    "jira-cloud": Recorded(
        {
            "/rest/api/3/search/jql": [
                {"issues": [_jira(1, _ADF)], "nextPageToken": "p2"},
                {"issues": [_jira(2, None)], "isLast": True},
            ]
        },
        ["IT-1", "IT-2"],
        {
            "short_description": "Laptop 1",
            "long_description": "It does not start.",
            "request_category": "Hardware",
            "request_type": "Repair",
        },
    ),
    "jira-dc": Recorded(
        {
            "/rest/api/2/search": [
                {"startAt": 0, "maxResults": 1, "total": 2, "issues": [_jira(1, "It does not start.")]},
                {"startAt": 1, "maxResults": 1, "total": 2, "issues": [_jira(2, "")]},
            ]
        },
        ["IT-1", "IT-2"],
        {"long_description": "It does not start.", "requester_email": "ann@example.com", "priority": "High"},
        sent={"Authorization": "Bearer the-key"},
    ),
    "servicenow": Recorded(
        {
            "/api/now/table/incident": [
                {
                    "result": [
                        {
                            "number": "INC001",
                            "short_description": "SAP",
                            "description": "Locked.",
                            "active": "true",
                            "caller_id.email": "ann@example.com",
                            "state": "New",
                        }
                    ]
                },
                {"result": [{"number": "INC002", "short_description": "VPN", "active": "true"}]},
            ]
        },
        ["INC001", "INC002"],
        {"short_description": "SAP", "long_description": "Locked.", "requester_email": "ann@example.com"},
        headers={"/api/now/table/incident": [{"X-Total-Count": "2"}, {"X-Total-Count": "2"}]},
    ),
    "freshdesk": Recorded(
        {
            "/api/v2/tickets": [
                [
                    {
                        "id": 1,
                        "subject": "Phone",
                        "description_text": "Dead.",
                        "status": 2,
                        "priority": 3,
                        "requester": {"email": "ann@example.com"},
                        "custom_fields": {"cf_category": None},
                    }
                ],
                [
                    {"id": 2, "subject": "Desk", "description": "<p>High</p>", "status": 3},
                    {"id": 3, "subject": "x", "status": 5},
                ],
            ]
        },
        ["1", "2"],
        {"long_description": "Dead.", "status": "open", "priority": "high", "requester_email": "ann@example.com"},
        headers={"/api/v2/tickets": [{"Link": '<{url}/api/v2/tickets?page=2>; rel="next"'}, _EMPTY]},
        sent={"Authorization": "Basic dGhlLWtleTpY"},
    ),
    "freshservice": Recorded(
        {
            "/api/v2/tickets": [
                {
                    "tickets": [
                        {"id": n, "subject": f"Badge {n}", "status": 2, "category": "Access", "sub_category": "Badge"}
                        for n in range(1, 101)
                    ]
                },
                {"tickets": [{"id": 101, "subject": "Badge 101", "status": 2}]},
            ]
        },
        [str(n) for n in range(1, 102)],
        {"request_category": "Access", "request_type": "Badge", "status": "open"},
    ),
    "zendesk": Recorded(
        {
            "/api/v2/tickets.json": [
                {
                    "tickets": [
                        {
                            "id": 1,
                            "subject": "Mouse",
                            "description": "Broken.",
                            "status": "new",
                            "custom_fields": [{"id": 1, "value": "Hardware"}, {"id": 2, "value": None}],
                        }
                    ],
                    "meta": {"has_more": True},
                    "links": {"next": "{url}/api/v2/tickets.json?page[after]=x"},
                },
                {
                    "tickets": [{"id": 2, "subject": "Keyboard", "status": "open"}],
                    "meta": {"has_more": False},
                    "links": {"next": "{url}/api/v2/tickets.json?page[after]=y"},
                },
            ]
        },
        ["1", "2"],
        {"long_description": "Broken.", "request_category": "Hardware"},
    ),
    "itop": Recorded(
        {
            "/webservices/rest.php": [
                {
                    "code": 0,
                    "message": "Found: 1",
                    "objects": {
                        "UserRequest::12": {
                            "key": "12",
                            "fields": {"title": "Web", "description": "<p>Down</p>", "status": "new"},
                        }
                    },
                },
                {"code": 0, "message": "Found: 0", "objects": None},
            ]
        },
        ["12"],
        {"short_description": "Web", "long_description": "Down", "status": "new"},
    ),
    "freescout": Recorded(
        {
            "/api/conversations": [
                {
                    "_embedded": {
                        "conversations": [
                            {
                                "id": 7,
                                "subject": "Fax",
                                "status": "active",
                                "customer": {"email": "ann@example.com"},
                                "_embedded": {
                                    "threads": [
                                        {"type": "message", "body": "Which?"},
                                        {"type": "customer", "body": "<p>Loud</p>"},
                                    ]
                                },
                            }
                        ]
                    },
                    "page": {"totalElements": 2},
                },
                {
                    "_embedded": {"conversations": [{"id": 8, "subject": "Lamp", "status": "active"}]},
                    "page": {"totalElements": 2},
                },
            ]
        },
        ["7", "8"],
        {"long_description": "Loud", "requester_email": "ann@example.com"},
        sent={"X-FreeScout-API-Key": "the-key"},
    ),
    "servicedesk-plus": Recorded(
        {
            "/api/v3/requests/*": [{"request": {"description": "<div>Slow</div>"}}],
            "/api/v3/requests": [
                {
                    "requests": [
                        {
                            "id": "100",
                            "subject": "PC",
                            "status": {"name": "Open"},
                            "created_time": {"value": "1712101530123"},
                        }
                    ],
                    "list_info": {"has_more_rows": True},
                    "response_status": [{"status_code": 2000, "status": "success"}],
                },
                {
                    "requests": [{"id": "101", "subject": "Mac", "status": {"name": "Open"}}],
                    "list_info": {"has_more_rows": False},
                    "response_status": [{"status_code": 2000, "status": "success"}],
                },
            ],
        },
        ["100", "101"],
        {"short_description": "PC", "long_description": "Slow", "created_at": "1712101530123"},
        sent={"authtoken": "the-key"},
    ),
    "odoo": Recorded(
        {
            "/json/2/helpdesk.ticket/search_read": [
                [
                    {
                        "id": n,
                        "name": f"Door {n}",
                        "description": "<p>Stuck</p>",
                        "partner_email": False,
                        "close_date": False,
                        "ticket_type_id": [4, "Building"],
                        "user_id": False,
                    }
                    for n in range(1, 101)
                ],
                [{"id": 101, "name": "Door 101", "description": False, "close_date": False}],
            ]
        },
        [str(n) for n in range(1, 102)],
        {"long_description": "Stuck", "request_category": "Building", "requester_email": "", "assignee": ""},
        sent={"Authorization": "bearer the-key", "X-Odoo-Database": "the-secret"},
    ),
}
