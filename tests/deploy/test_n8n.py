"""The workflow for n8n: its structure, and its commands, run by a shell as n8n runs them.

n8n itself takes 2.8 GB, so the workflow was tried in n8n by hand only (docs/operations.md).
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .metrics import DEPLOY
from .program import HOME, install

WORKFLOW: dict[str, Any] = json.loads((DEPLOY / "n8n" / "ticketattr.json").read_text(encoding="utf-8"))
NODES: dict[str, dict[str, Any]] = {node["name"]: node for node in WORKFLOW["nodes"]}
TRIGGERS = ("Every morning", "By hand")
TYPES = {
    "Every morning": "scheduleTrigger",
    "By hand": "manualTrigger",
    "Run ticketattr": "executeCommand",
    "Result": "set",
    "Exit code": "switch",
    "Done": "noOp",
    "What is left": "executeCommand",
    "Done in part": "set",
    "Tries left": "if",
    "Wait": "wait",
    "Failed": "stopAndError",
}


def after(node: str) -> list[str | None]:
    """The node after each output of a node."""
    outputs = WORKFLOW["connections"].get(node, {}).get("main", [])
    assert all(len(output) <= 1 for output in outputs)
    return [output[0]["node"] if output else None for output in outputs]


def shell(node: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = NODES[node]["parameters"]["command"]
    assert HOME in command
    return subprocess.run(
        ["sh", "-c", command.replace(HOME, str(home))], capture_output=True, text=True, check=False, cwd="/"
    )


@dataclass(frozen=True)
class Result:
    """The values that the node `Result` extracts from a run."""

    exit_code: int
    reports: list[str]
    summary: list[str]


def result(home: Path) -> Result:
    """Extract the values as the node does. n8n strips both streams before."""
    done = shell("Run ticketattr", home)
    assert done.returncode == 0, "otherwise n8n shows an error instead of the result"
    values = {field["name"]: field["value"] for field in NODES["Result"]["parameters"]["assignments"]["assignments"]}
    code = re.fullmatch(r"=\{\{ Number\(\$json\.stdout\.match\(/(.+)/\)\[1\]\) \}\}", values["exit_code"])
    reports = re.fullmatch(r"=\{\{ \$json\.stdout\.split\('\\n'\)\.slice\(0, (-\d+)\) \}\}", values["reports"])
    summary = re.fullmatch(r"=\{\{ \$json\.stderr\.split\('\\n'\)\.slice\((-\d+)\) \}\}", values["summary"])
    assert code
    assert reports
    assert summary
    found = re.search(code[1], done.stdout.strip())
    assert found
    return Result(
        int(found[1]),
        done.stdout.strip().split("\n")[: int(reports[1])],
        done.stderr.strip().split("\n")[int(summary[1]) :],
    )


def branch(exit_code: int) -> str | None:
    """The node that follows `Exit code` for that exit code."""
    parameters = NODES["Exit code"]["parameters"]
    assert parameters["options"]["fallbackOutput"] == "extra"
    for place, rule in enumerate(parameters["rules"]["values"]):
        (condition,) = rule["conditions"]["conditions"]
        assert condition["operator"] == {"type": "number", "operation": "equals"}
        assert condition["leftValue"] == "={{ $json.exit_code }}"
        if condition["rightValue"] == exit_code:
            return after("Exit code")[place]
    return after("Exit code")[-1]


def test_the_nodes_are_those_that_were_tried_in_n8n() -> None:
    assert {name: node["type"].removeprefix("n8n-nodes-base.") for name, node in NODES.items()} == TYPES
    assert len({node["id"] for node in NODES.values()}) == len(NODES)
    assert not any(key in node for node in NODES.values() for key in ("credentials", "disabled"))


def test_every_node_can_be_reached_from_each_trigger() -> None:
    for trigger in TRIGGERS:
        reached, ahead = set[str](), [trigger]
        while ahead:
            node = ahead.pop()
            reached.add(node)
            ahead += [name for name in after(node) if name and name not in reached]
        assert reached == set(NODES) - set(TRIGGERS) | {trigger}


def test_an_imported_workflow_is_not_active() -> None:
    assert WORKFLOW["active"] is False


@pytest.mark.parametrize(
    ("exit_code", "leads_to"),
    [(0, "Done"), (5, "What is left"), (4, "Tries left"), (1, "Failed"), (2, "Failed"), (3, "Failed"), (143, "Failed")],
)
def test_the_workflow_branches_on_the_exit_code(tmp_path: Path, exit_code: int, leads_to: str) -> None:
    install(tmp_path, exit_code=exit_code)
    seen = result(tmp_path)
    assert seen.exit_code == exit_code
    assert seen.reports == ["output/report.xlsx"]
    assert seen.summary[-1] == "41 of 43 tickets attributed"
    assert branch(seen.exit_code) == leads_to


def test_a_missing_program_or_folder_is_a_failure(tmp_path: Path) -> None:
    for home in (tmp_path, tmp_path / "gone"):
        assert branch(result(home).exit_code) == "Failed"


def test_done_in_part_shows_the_pending_reports(tmp_path: Path) -> None:
    install(tmp_path, exit_code=5, pending='[{"file": "output/a.xlsx", "state": "held"}]')
    done = shell("What is left", tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout) == [{"file": "output/a.xlsx", "state": "held"}]
    assert after("What is left") == ["Done in part"]


def test_exit_code_4_is_retried_three_times() -> None:
    (condition,) = NODES["Tries left"]["parameters"]["conditions"]["conditions"]
    assert condition["leftValue"] == "={{ $runIndex }}"
    assert (condition["operator"]["operation"], condition["rightValue"]) == ("lt", 3)
    assert after("Tries left") == ["Wait", "Failed"]
    assert after("Wait") == ["Run ticketattr"]
    assert NODES["Wait"]["parameters"] == {"amount": 15, "unit": "minutes"}
