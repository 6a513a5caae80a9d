"""`nox -s helpdesks`: shadow, suggest, fill and undo in real helpdesks, seen through the eyes of their agents."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from ..conftest import CLI
from .agents import Agent, agent_of
from .given_tickets import CATALOG, GivenTicket, queue
from .servers import Desk
from .test_helpdesks import SERVERS

pytestmark = pytest.mark.helpdesks

SIZE = 12


@pytest.mark.parametrize("name", SERVERS)
def test_shadow_suggest_fill_and_undo_in_a_real_helpdesk(cli: CLI, tmp_path: Path, name: str) -> None:
    tickets = queue()[:SIZE]
    folder = tmp_path / "server"
    folder.mkdir()
    with SERVERS[name](folder) as desk, agent_of(desk) as agent:
        desk.fill(tickets)
        use(cli, desk)
        ids = [str(number) for number, ticket in enumerate(tickets, 1) if not (ticket.is_closed or ticket.category)]
        shadow(cli, agent, ids)
        suggest(cli, agent, ids[2:])
        run_id = fill(cli, agent, ids[2:], tickets)
        undo(cli, agent, ids[2:], run_id)


def use(cli: CLI, desk: Desk) -> None:
    cli.settings |= {
        "SERVICE_CATALOG_URL": str(CATALOG),
        "HELPDESK_PROFILE": desk.profile,
        "HELPDESK_API_URL": desk.url,
        "HELPDESK_API_KEY": desk.user,
        "HELPDESK_API_SECRET": desk.password,
        "APPLY_ABOVE": "0",
    }


def shadow(cli: CLI, agent: Agent, ids: list[str]) -> None:
    """Nothing is written; then agents choose, and the program compares."""
    cli.settings["HELPDESK_WRITE"] = "shadow"
    cli.ok("run")
    assert {agent.pair(each) for each in ids} == {("", "")}
    first, second = rows(cli, "written", ids[:2])
    agent.choose(ids[0], (first["request_category"], first["request_type"]))
    agent.choose(ids[1], other_pair(second))
    found = json.loads(cli.ok("changes", "list", "--shadow", "--format", "json").stdout)
    verdicts = {one["ticket_id"]: one["verdict"] for one in found["tickets"]}
    assert verdicts == {ids[0]: "agrees", ids[1]: "differs", **dict.fromkeys(ids[2:], "undecided")}
    assert (found["agreement"][0]["agreed"], found["agreement"][0]["decided"]) == (1, 2)


def suggest(cli: CLI, agent: Agent, ids: list[str]) -> None:
    """Every ticket without a pair gets one internal note, and no second one."""
    cli.ok("apply", "--mode", "suggest")
    cli.ok("apply", "--mode", "suggest")
    for each in ids:
        (note,) = agent.internal_notes(each)
        assert "ticketattr suggests the request type" in note
        assert agent.pair(each) == ("", "")
    (cli.folder / "work" / "applied.db").rename(cli.folder / "work" / "lost.db")
    cli.ok("apply", "--mode", "suggest")
    assert all(len(agent.internal_notes(each)) == 1 for each in ids)


def fill(cli: CLI, agent: Agent, ids: list[str], tickets: list[GivenTicket]) -> str:
    """A run fills what is empty and says so in its report; the next run finds nothing to do."""
    cli.settings["HELPDESK_WRITE"] = "fill"
    person = agent.pair("1")
    result = cli.ok("run")
    assert f"fill: {len(ids)} changes: {len(ids)} applied" in result.stderr
    for row in rows(cli, "written", ids):
        assert agent.pair(row["id"]) == (row["request_category"], row["request_type"])
        assert row["written"] == f"{row['request_category']} / {row['request_type']}"
    notes = agent.internal_notes(ids[0])
    assert "ticketattr set the request type" in notes[-1]
    print(f"\n{agent.profile}, ticket {ids[0]}:", *notes, sep="\n")
    assert agent.title(ids[0]) == tickets[int(ids[0]) - 1].subject
    assert agent.pair("1") == person
    run_id = runs(cli)[-1]
    again = cli.ok("run")
    assert "fill: 0 changes" in again.stderr
    assert {row["source"] for row in rows(cli, "source", ids)} == {"kept"}
    return run_id


def undo(cli: CLI, agent: Agent, ids: list[str], run_id: str) -> None:
    """What nobody changed since is empty again; what somebody changed is named."""
    changed = ids[0]
    chosen = other_pair({"request_type": agent.pair(changed)[1]})
    agent.choose(changed, chosen)
    result = cli("changes", "undo", run_id)
    assert result.exit_code == 5
    assert f"{len(ids) - 1} changes put back, 1 not" in result.stderr
    assert f"not put back: ticket {changed}: somebody changed it since" in result.stderr
    assert agent.pair(changed) == chosen
    assert {agent.pair(each) for each in ids[1:]} == {("", "")}
    assert "undone before" in cli.ok("run").stderr


def other_pair(row: dict[str, str]) -> tuple[str, str]:
    """A pair of the catalog that is not that of the row."""
    pairs = (
        ("Benutzerkonten & Berechtigungen", "Passwort zurücksetzen"),
        ("Netzwerk & Homeoffice", "Telearbeit & VPN"),
    )
    return next(pair for pair in pairs if pair[1] != row["request_type"])


def runs(cli: CLI) -> list[str]:
    return sorted(path.parent.name for path in (cli.folder / "work").glob("*/attributions.json"))


def rows(cli: CLI, column: str, ids: list[str]) -> list[dict[str, str]]:
    """The rows of these tickets in the report of the last run, as CSV, in the order of `ids`."""
    attributions = cli.folder / "work" / runs(cli)[-1] / "attributions.json"
    text = cli.ok("report", "-i", str(attributions), "--format", "csv", "-o", "-").stdout
    found = {row["id"]: row for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))}
    assert all(column in row for row in found.values())
    return [found[each] for each in ids]
