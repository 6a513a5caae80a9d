"""The categories that a helpdesk has become request types of a new catalog."""

from __future__ import annotations

from typing import Any

import pytest

from ticketattr.errors import InputError, SettingsError
from ticketattr.infrastructure.helpdesk.own_categories import read_own_categories
from ticketattr.infrastructure.helpdesk.shipped_profiles import read_profile
from ticketattr.infrastructure.options import HelpdeskAccess, HTTPPolicy

from ...servers import HTTPServer, Response

FIELDS = [
    {
        "id": 1,
        "name": "Category",
        "possible_values": [{"value": "Hardware", "label": "Hardware"}, {"value": "Network"}],
    },
    {"id": 2, "name": "Colour", "possible_values": [{"value": "red"}]},
]
CHOICES = [{"label": "Printer", "dependent_value": "hardware"}, {"label": "VPN", "dependent_value": "network"}]
CASES: dict[str, tuple[str, Any, list[tuple[str, str]]]] = {
    "redmine": ("/custom_fields.json", {"custom_fields": FIELDS}, [("Hardware", "Hardware"), ("Network", "Network")]),
    "servicenow": ("/api/now/table/sys_choice", {"result": CHOICES}, [("hardware", "Printer"), ("network", "VPN")]),
    "itop": (
        "/webservices/rest.php",
        {"code": 0, "objects": {"ServiceSubcategory::1": {"fields": {"service_name": "Hardware", "name": "Printer"}}}},
        [("Hardware", "Printer")],
    ),
}


def pairs_of(profile: str, http: HTTPServer) -> list[tuple[str, str]]:
    access = HelpdeskAccess(http.url, "key", "secret")
    return [(each.category, each.name) for each in read_own_categories(read_profile(profile), access, HTTPPolicy())]


@pytest.mark.parametrize("profile", CASES)
def test_the_categories_of_a_helpdesk_are_read(http: HTTPServer, profile: str) -> None:
    path, answer, pairs = CASES[profile]
    http.routes[path] = [Response(body=answer)]
    assert pairs_of(profile, http) == pairs


def test_a_part_of_the_categories_is_refused(http: HTTPServer) -> None:
    http.routes["/api/now/table/sys_choice"] = [
        Response(body={"result": CHOICES}, headers={"Link": f'<{http.url}/api/now/table/sys_choice>; rel="next"'})
    ]
    with pytest.raises(InputError, match="says that there are more"):
        pairs_of("servicenow", http)


def test_a_helpdesk_without_categories_says_so(http: HTTPServer) -> None:
    http.routes["/custom_fields.json"] = [Response(body={"custom_fields": FIELDS[1:]})]
    with pytest.raises(InputError, match="gave no category"):
        pairs_of("redmine", http)
    with pytest.raises(SettingsError, match="cannot ask for the categories"):
        pairs_of("zammad", http)
