"""Writes the workflows of this folder for one installation, with ids that nobody can know.

n8n derives the address and the secret of a webhook from the ids of the workflow and of its node. Whoever knows the ids
of an installation can send it a forged message. So the files here have no ids, and this program draws them.

    python3 deploy/n8n/install.py --time-zone Europe/Berlin --allow telegram:42:42:operate NEW_FOLDER
    n8n import:workflow --separate --input=NEW_FOLDER
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import string
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

HERE = Path(__file__).parent
API, N8N = "http://127.0.0.1:8765", "http://127.0.0.1:5678"
"""The addresses that the files of this folder name."""

_WITH_WEBHOOK = ("n8n-nodes-base.telegramTrigger", "n8n-nodes-base.wait")
_NOBODY = "({})["
_RUN_ID = "RUN_WORKFLOW_ID"
_ALLOWED = re.compile(r"telegram:(-?\d+):(\d+):(read|operate)")

Workflow = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the workflows; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        options.folder.mkdir(mode=0o700)
    except OSError as error:
        print(
            f"{options.folder} cannot be made: {error.strerror}. Name a folder that is not there yet.", file=sys.stderr
        )
        return 2
    for name, workflow in installed(options.api, options.n8n, options.time_zone, options.allow).items():
        path = options.folder / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(workflow, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(path)
    if not options.allow:
        print("Without --allow telegram:CHAT:USER:ROLE there is no workflow for a chat.", file=sys.stderr)
    print(f"Now: n8n import:workflow --separate --input={options.folder}, then delete the folder.", file=sys.stderr)
    return 0


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(description="Writes the workflows with ids of their own.")
    made.add_argument("folder", type=Path, help="a folder that is not there yet")
    made.add_argument("--api", type=_url, default=API, help="the URL of `ticketattr serve` (%(default)s)")
    made.add_argument("--n8n", type=_url, default=N8N, help="the URL of n8n, as n8n itself reaches it (%(default)s)")
    made.add_argument("--time-zone", type=_zone, default="UTC", help="the zone of the schedules (%(default)s)")
    made.add_argument(
        "--allow",
        type=_allowed,
        action="append",
        default=[],
        metavar="telegram:CHAT:USER:ROLE",
        help="who may send commands in which chat, as in CHAT_ALLOW; the role is read or operate; may be repeated",
    )
    return made


def installed(api: str, n8n: str, time_zone: str, allow: Sequence[tuple[str, str, str]]) -> dict[str, Workflow]:
    """The workflows of an installation, by the name of their file. Each call draws other ids."""
    run = _with_ids(_shipped("run.json"))
    workflows = {"run.json": run, "download.json": _with_ids(_shipped("download.json"))}
    if allow:
        chat = _with_ids(_shipped("chat.json"))
        _admit(chat, allow)
        workflows["chat.json"] = _replaced(chat, _RUN_ID, run["id"])
    for name, workflow in workflows.items():
        moved = _replaced(_replaced(workflow, API, api), N8N, n8n)
        moved["settings"]["timezone"] = time_zone
        workflows[name] = moved
    return workflows


def _shipped(name: str) -> Workflow:
    workflow: Workflow = json.loads((HERE / name).read_text(encoding="utf-8"))
    return workflow


def _with_ids(workflow: Workflow) -> Workflow:
    letters = string.ascii_letters + string.digits
    nodes = [{"id": str(uuid.uuid4()), **node, **_webhook(node)} for node in workflow["nodes"]]
    return {"id": "".join(secrets.choice(letters) for _ in range(16)), **workflow, "nodes": nodes}


def _webhook(node: dict[str, Any]) -> dict[str, str]:
    return {"webhookId": str(uuid.uuid4())} if node["type"] in _WITH_WEBHOOK else {}


def _admit(chat: Workflow, allow: Sequence[tuple[str, str, str]]) -> None:
    """Enter who may send commands: for n8n's own filter, and as pairs with their role."""
    roles = json.dumps({f"{room}:{user}": role for room, user, role in allow})
    nodes = {node["name"]: node for node in chat["nodes"]}
    fields = nodes["A message comes"]["parameters"]["additionalFields"]
    fields["chatIds"] = ",".join(sorted({room for room, _, _ in allow}))
    fields["userIds"] = ",".join(sorted({user for _, user, _ in allow}))
    (role,) = (one for one in _assignments(nodes["Command"]) if one["name"] == "role")
    role["value"] = role["value"].replace(_NOBODY, f"({roles})[")


def _assignments(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from node["parameters"]["assignments"]["assignments"]


def _replaced(value: Any, old: str, new: str) -> Any:
    """`value` with `old` replaced in every text of it."""
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list):
        return [_replaced(item, old, new) for item in value]
    if isinstance(value, dict):
        return {key: _replaced(item, old, new) for key, item in value.items()}
    return value


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or re.search(r"[\s{}'\"?#@]", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not like https://desk.example.com/ticketattr")
    return text.rstrip("/")


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, OSError, ValueError):  # KeyError: there is no such zone
        raise argparse.ArgumentTypeError(f"{text!r} is no time zone, as in Europe/Berlin") from None


def _allowed(text: str) -> tuple[str, str, str]:
    found = _ALLOWED.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not like telegram:42:42:operate, with the numbers of Telegram")
    return found[1], found[2], found[3]


if __name__ == "__main__":
    sys.exit(main())
