"""`nox -s helpdesks`: a real helpdesk is read to its end, and its tickets are attributed like those of a plain file."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from ticketattr.infrastructure.helpdesk.shipped_profiles import profile_text

from ..conftest import CLI
from .given_tickets import CATALOG, queue, write_plain_file
from .servers import Desk, django_helpdesk, request_tracker, roundup

pytestmark = pytest.mark.helpdesks

SERVERS: dict[str, Callable[[Path], AbstractContextManager[Desk]]] = {
    "rt": request_tracker,
    "roundup": roundup,
    "django-helpdesk": django_helpdesk,
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_real_helpdesk_is_attributed_like_the_plain_file(cli: CLI, tmp_path: Path, name: str) -> None:
    tickets = queue()
    write_plain_file(tickets, tmp_path / "plain.json")
    cli.settings |= {"SERVICE_CATALOG_URL": str(CATALOG), "HELPDESK_API_URL": str(tmp_path / "plain.json")}
    expected = attributed(cli)
    # Seven to a page, so that there are several.
    (tmp_path / "desk.yaml").write_text(profile_text(name).replace("size: 100", "size: 7"), encoding="utf-8")
    folder = tmp_path / "server"
    folder.mkdir()
    with SERVERS[name](folder) as desk:
        desk.fill(tickets)
        cli.settings |= {
            "HELPDESK_PROFILE": "./desk.yaml",
            "HELPDESK_API_URL": desk.url,
            "HELPDESK_API_KEY": desk.user,
            "HELPDESK_API_SECRET": desk.password,
        }
        found = attributed(cli)
        preview = cli.ok("fetch", "--preview", "1")
    assert len(expected) == sum(not ticket.is_closed for ticket in tickets)
    assert found == expected
    assert tickets[0].subject in preview.stdout


def attributed(cli: CLI) -> dict[str, Any]:
    """The pair and the source of each ticket by its subject, after a dry run."""
    report = Path(cli.ok("run", "--dry-run").stdout.splitlines()[-1])
    records = json.loads((report.parent / "attributions.json").read_text(encoding="utf-8"))["data"]
    return {
        record["ticket"]["short_description"]: {
            "text": record["ticket"]["long_description"].split(),
            **{name: record["attribution"][name] for name in ("request_category", "request_type", "source")},
        }
        for record in records
    }
