"""A queue that has exactly as many tickets as a page may be one page of more."""

from __future__ import annotations

from typing import Any

import pytest

from ..conftest import CLI
from ..servers import HTTPServer, Response

NOTE = "may be one page of"


def queue(cli: CLI, http: HTTPServer, count: int, more: dict[str, Any]) -> str:
    items = [{"id": f"T-{number}", "subject": "I cannot log in"} for number in range(count)]
    http.routes["/"] = [Response(body={"data": items, **more})]
    cli.settings |= {"HELPDESK_API_URL": http.url, "HELPDESK_API_KEY": "a-key", "HELPDESK_API_SECRET": "a-secret"}
    return cli.ok("fetch").stderr


@pytest.mark.parametrize("count", [20, 50, 100, 1_000])
def test_a_full_page_without_any_sign_is_warned_about(cli: CLI, http: HTTPServer, count: int) -> None:
    assert f"exactly {count} tickets, which {NOTE} more" in queue(cli, http, count, {})


@pytest.mark.parametrize(
    ("count", "more"), [(99, {}), (101, {}), (0, {}), (100, {"total": 100}), (100, {"has_more": False, "x": 1})]
)
def test_what_is_no_full_page_or_says_that_it_is_all_is_not(
    cli: CLI, http: HTTPServer, count: int, more: dict[str, Any]
) -> None:
    assert NOTE not in queue(cli, http, count, more)


@pytest.mark.parametrize(("count", "is_told"), [(50, True), (51, False)])
def test_the_report_says_so_too(cli: CLI, http: HTTPServer, count: int, is_told: bool) -> None:
    queue(cli, http, count, {})
    cli.ok("classify")
    cli.ok("report")
    cli.ok("report", "--format", "html", "-o", "report.html")
    assert ("exactly 50 tickets: this may be one page" in (cli.folder / "report.html").read_text()) is is_told
