"""The workflows for n8n: their structure, and the ids that the installer draws.

n8n itself takes 2.8 GB, so the workflows were tried in n8n by hand only (docs/how-to/operations.md).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .metrics import DEPLOY

FOLDER = DEPLOY / "n8n"
NAMES = ("chat", "download", "run")
TRIGGERS = ("telegramTrigger", "scheduleTrigger", "manualTrigger")
KINDS = {*TRIGGERS, "httpRequest", "telegram", "set", "filter", "if", "switch", "wait", "noOp", "stopAndError"}
ALLOW = ("--allow", "telegram:42:42:operate", "--allow", "telegram:-100:7:read")


def workflow(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return read


def nodes(name: str, folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    return {node["name"]: node for node in workflow(name, folder)["nodes"]}


def kind(node: dict[str, Any]) -> str:
    return str(node["type"]).removeprefix("n8n-nodes-base.")


def after(name: str, node: str) -> list[list[str]]:
    """The nodes after each output of a node."""
    outputs = workflow(name)["connections"].get(node, {}).get("main", [])
    return [[link["node"] for link in output] for output in outputs]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def install(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(FOLDER / "install.py"), *arguments, str(folder)]
    return subprocess.run(program, capture_output=True, text=True, check=False)


def ids(folder: Path) -> set[str]:
    """Every id that n8n makes an address or a secret of."""
    found = [workflow(name, folder) for name in NAMES]
    drawn = [one["id"] for one in found]
    for node in (node for one in found for node in one["nodes"]):
        drawn += [node["id"], *([node["webhookId"]] if "webhookId" in node else [])]
    assert len(set(drawn)) == len(drawn)
    return set(drawn)


def test_these_workflows_are_shipped() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_is_shipped_without_ids_and_switched_off(name: str) -> None:
    shipped = workflow(name)
    assert shipped["active"] is False
    assert not shipped.keys() & {"id", "versionId", "meta"}
    assert [node["name"] for node in shipped["nodes"] if node.keys() & {"id", "webhookId"}] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_runs_no_command_and_no_code_on_the_host(name: str) -> None:
    assert {kind(node) for node in nodes(name).values()} <= KINDS


@pytest.mark.parametrize("name", NAMES)
def test_credentials_are_named_and_not_contained(name: str) -> None:
    asked = {
        node["name"]: (type_name, credential["id"], credential["name"])
        for node in nodes(name).values()
        for type_name, credential in node.get("credentials", {}).items()
    }
    assert set(asked.values()) <= {
        ("httpBearerAuth", None, "ticketattr"),
        ("httpHeaderAuth", None, "n8n API"),
        ("telegramApi", None, "ticketattr chat"),
    }
    needing = {
        one["name"] for one in nodes(name).values() if kind(one) in ("httpRequest", "telegram", "telegramTrigger")
    }
    assert set(asked) == needing
    assert not re.search(r"tka_|bearer [a-z0-9]|\d{6,}:[A-Z]", json.dumps(workflow(name)), re.IGNORECASE)


@pytest.mark.parametrize("name", NAMES)
def test_every_node_can_be_reached_and_every_link_ends_at_a_node(name: str) -> None:
    found = nodes(name)
    reached, ahead = set[str](), [title for title, node in found.items() if kind(node) in TRIGGERS]
    while ahead:
        node = ahead.pop()
        if node not in reached:
            reached.add(node)
            ahead += [title for output in after(name, node) for title in output]
    assert reached == set(found)


@pytest.mark.parametrize("name", NAMES)
def test_every_expression_ends_where_it_should(name: str) -> None:
    """n8n ends an expression at the first `}}`."""
    for text in texts(workflow(name)):
        if text.startswith("="):
            left = re.sub(r"\{\{.*?\}\}", "", text[1:], flags=re.DOTALL)
            assert "{{" not in left, text
            assert "}}" not in left, text
        for title in re.findall(r"\$\('([^']+)'\)", text):
            assert title in nodes(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_call_of_our_api_is_one_that_it_has(name: str) -> None:
    known = {
        *("GET /runs", "POST /runs", "GET /runs/{}", "GET /reports", "GET /reports/{}/workbook"),
        *("GET /deliveries", "GET /schedule/times", "GET /logs"),
    }
    for node in nodes(name).values():
        url = node["parameters"].get("url", "").removeprefix("=")
        if url.startswith("http://127.0.0.1:8765/api/v1"):
            path = re.sub(r"\{\{.*?\}\}", "{}", url.removeprefix("http://127.0.0.1:8765/api/v1"))
            assert f"{node['parameters']['method']} {path}" in known
            if node["parameters"]["method"] == "POST":
                headers = node["parameters"]["headerParameters"]["parameters"]
                assert [header["name"] for header in headers] == ["Idempotency-Key"]


def test_a_schedule_is_judged_by_us_before_n8n_gets_it_and_is_read_back() -> None:
    found = nodes("chat")
    (place,) = (
        number
        for number, rule in enumerate(found["Which command"]["parameters"]["rules"]["values"])
        if rule["outputKey"] == "change the schedule"
    )
    path = [after("chat", "Which command")[place][0]]
    while (ahead := after("chat", path[-1])) and path[-1] != "Taken":
        path.append(ahead[0][0])
    assert path == ["Times of the new one", "Possible", "As it is", "Change it", "Read it back", "Taken"]
    assert found["Times of the new one"]["parameters"]["url"].endswith("/api/v1/schedule/times")
    assert after("chat", "Possible")[1] == ["Refused"]
    assert after("chat", "Taken") == [["Changed"], ["Not taken"]]
    assert [name for name, node in found.items() if node["parameters"].get("method") == "PUT"] == ["Change it"]


def test_people_read_the_state_of_a_run_in_the_words_of_the_pages() -> None:
    texts = [nodes("chat")[name] for name in ("Status", "How it ended")] + [nodes("run")["Failed"]]
    for text in map(json.dumps, texts):
        assert ".state_text" in text
        assert ".state " not in text


def test_a_chat_answers_nobody_until_somebody_is_admitted() -> None:
    (role,) = (
        one["value"]
        for one in nodes("chat")["Command"]["parameters"]["assignments"]["assignments"]
        if one["name"] == "role"
    )
    assert role.startswith("={{ ({})[")
    assert after("chat", "A message comes") == [["Command"]]
    assert after("chat", "Command") == [["Allowed"]]


@pytest.mark.parametrize("command", ["run", "change the schedule"])
def test_a_command_that_changes_something_needs_the_role_operate(command: str) -> None:
    rules = nodes("chat")["Which command"]["parameters"]["rules"]["values"]
    (rule,) = (rule for rule in rules if rule["outputKey"] == command)
    (condition,) = rule["conditions"]["conditions"]
    assert condition["leftValue"].endswith("&& $json.role === 'operate' }}")


def test_the_installer_draws_other_ids_each_time(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        assert install(tmp_path / folder, *ALLOW).returncode == 0
    one, two = ids(tmp_path / "one"), ids(tmp_path / "two")
    assert len(one) == len(two) > 50
    assert not one & two
    assert all(len(found) >= 16 for found in one)


def test_the_installer_admits_pairs_of_chat_and_person_with_their_role(tmp_path: Path) -> None:
    assert install(tmp_path / "made", *ALLOW).returncode == 0
    chat = nodes("chat", tmp_path / "made")
    assert chat["A message comes"]["parameters"]["additionalFields"] == {"chatIds": "-100,42", "userIds": "42,7"}
    assert (
        '({"42:42": "operate", "-100:7": "read"})['
        in chat["Command"]["parameters"]["assignments"]["assignments"][0]["value"]
    )


def test_the_installer_names_the_addresses_the_time_zone_and_the_workflow_of_runs(tmp_path: Path) -> None:
    addresses = ("--api", "https://desk.example.com/tickets/", "--n8n", "http://n8n:5678")
    assert install(tmp_path / "made", *ALLOW, *addresses, "--time-zone", "Europe/Berlin").returncode == 0
    written = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "made").iterdir())
    assert "127.0.0.1" not in written
    assert "https://desk.example.com/tickets/api/v1/runs" in written
    assert f"http://n8n:5678/api/v1/workflows/{workflow('run', tmp_path / 'made')['id']}" in written
    assert "RUN_WORKFLOW_ID" not in written
    assert workflow("run", tmp_path / "made")["settings"]["timezone"] == "Europe/Berlin"


def test_what_the_installer_writes_is_for_its_owner_alone(tmp_path: Path) -> None:
    assert install(tmp_path / "made", *ALLOW).returncode == 0
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "made").iterdir()} == {0o600}


def test_without_anybody_admitted_there_is_no_chat(tmp_path: Path) -> None:
    done = install(tmp_path / "made")
    assert done.returncode == 0
    assert "--allow" in done.stderr
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["download.json", "run.json"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--allow", "telegram:42:42"),
        ("--allow", "telegram:42:42:admin"),
        ("--allow", "matrix:!room:example.com:@ann:example.com:read"),
        ("--allow", "telegram:a:b:read"),
        ("--api", "desk.example.com"),
        ("--api", "http://desk/{{ $env.SECRET }}"),
        ("--n8n", "file:///etc/passwd"),
        ("--time-zone", "Berlin"),
        ("--time-zone", "../etc"),
    ],
)
def test_the_installer_refuses_what_is_wrong_and_writes_nothing(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = install(tmp_path / "made", *arguments)
    assert done.returncode == 2
    assert arguments[0] in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "made").exists()


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    done = install(tmp_path, *ALLOW)
    assert done.returncode == 2
    assert "not there yet" in done.stderr
    assert list(tmp_path.iterdir()) == []
