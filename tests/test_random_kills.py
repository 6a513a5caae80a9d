"""`run`, `send` and `pending restore` are killed at random times, while the server also breaks off now and then.

A real SMTP server counts the messages by Message-ID and by their bytes. CRASH_KILLS is the number of kills, CRASH_SEED
repeats a run.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections import defaultdict
from pathlib import Path

import pytest

from .conftest import CLI
from .crash_process import Runner
from .entrypoint.test_mail_servers import SETTINGS, put_report
from .servers import MailServer
from .test_crash import KILLED, in_folder

KILLS_IN_ONE_FOLDER = 20
COMMANDS = ("run", "send", "restore")
EXPECTED = {"reports.db", "reports.db.lock", ".ticketattr-report-log.json"}
# A pair of the catalog, so that no classifier is loaded.
TICKETS = [
    {"id": "T-1", "short_description": "Locked", "request_category": "Access", "request_type": "Password Reset"},
]


class World:
    """One installation. `restore` makes a backup, sometimes loses the log, and restores it."""

    def __init__(self, cli: CLI, mail: MailServer, runner: Runner, number: int, dice: random.Random) -> None:
        folder = cli.folder / str(number)
        (folder / "tmp").mkdir(parents=True)
        tickets = folder / "tickets.json"
        tickets.write_text(json.dumps(TICKETS))
        settings = {**cli.settings, **SETTINGS, "EMAIL_SMTP_PORT": str(mail.port), "EMAIL_MAX_RETRIES": "0"}
        self.cli = CLI(folder, {**settings, "HELPDESK_API_URL": str(tickets), "TMPDIR": str(folder / "tmp")})
        self.mail, self.runner, self.dice = mail, runner, dice
        self.put = 0

    def kill(self, command: str, seconds: float) -> bool:
        """Whether the command was still at work when it was killed."""
        self.put += 1
        put_report(self.cli, f"{self.put}.xlsx")
        self.mail.drop_after_data = self.dice.random() < 0.2
        arguments = [command]
        if command == "restore":
            arguments = self.prepare_restore()
        code, _ = self.runner(self.cli, *arguments, kill_after=self.dice.uniform(0, 1.3 * seconds))
        self.mail.drop_after_data = False
        if command == "restore" and code == KILLED:
            self.restore_again(arguments)
        return code == KILLED

    def prepare_restore(self) -> list[str]:
        log, backup = self.cli.folder / "output" / "reports.db", self.cli.folder / "backup.db"
        if log.exists():
            backup.unlink(missing_ok=True)
            in_folder(self.cli, "pending", "list")  # so that a killed writer left nothing outside of the file
            in_folder(self.cli, "pending", "backup", str(backup))
        if log.exists() and self.dice.random() < 0.3:
            log.write_bytes(log.read_bytes()[:3000])
        return ["pending", "restore", str(backup), "--unknown", "pending"]

    def restore_again(self, arguments: list[str]) -> None:
        """What a person does where the log is still damaged: `send` says so."""
        if in_folder(self.cli, "pending", "list").exit_code == 3 and Path(arguments[2]).exists():
            assert in_folder(self.cli, *arguments).exit_code == 0

    def settle(self) -> None:
        for _ in range(4):
            result = in_folder(self.cli, "send")
            if result.exit_code == 0:
                break
        else:
            raise AssertionError(result.output)

    def left_behind(self) -> list[str]:
        output = self.cli.folder / "output"
        found = [
            path
            for path in self.cli.folder.rglob("*")
            if path.is_file() and (path.name.endswith((".tmp", "-wal", "-shm", "-journal")) or path.parent == output)
        ]
        names = [path for path in found if path.name not in EXPECTED and path.suffix != ".xlsx"]
        temporary = (self.cli.folder / "tmp").iterdir()
        return [str(path) for path in (*names, *temporary) if ".before-" not in path.name]


def durations(world: World) -> dict[str, float]:
    """How long a child takes for each command when it is not killed."""
    taken = {}
    for command in COMMANDS:
        put_report(world.cli, f"{command}.xlsx")
        arguments = world.prepare_restore() if command == "restore" else [command]
        began = time.monotonic()
        code, _ = world.runner(world.cli, *arguments, kill_after=60)
        assert code in (0, 5), command
        taken[command] = time.monotonic() - began
    return taken


def judge(world: World, mail: MailServer) -> dict[str, int]:
    ids: dict[str, set[str]] = defaultdict(set)
    contents: dict[str, set[bytes]] = defaultdict(set)
    for received, content in zip(mail.received, mail.contents, strict=True):
        contents[str(received["Message-ID"])].add(content)
        for part in received.iter_attachments():
            ids[hashlib.sha256(part.get_content()).hexdigest()].add(str(received["Message-ID"]))
    reports = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (world.cli.folder / "output").glob("*.xlsx")]
    return {
        "reports": len(reports),
        "lost": sum(report not in ids for report in reports),
        "second identities": sum(len(of_report) > 1 for of_report in ids.values()),
        "repeats": len(mail.received) - len(contents),
        "repeats with other bytes": sum(len(of_message) > 1 for of_message in contents.values()),
        "files left behind": len(world.left_behind()),
    }


@pytest.mark.crash
def test_nothing_is_lost_or_sent_twice_by_random_kills(cli: CLI, mail: MailServer, runner: Runner) -> None:
    kills, seed = int(os.environ.get("CRASH_KILLS", "30")), int(os.environ.get("CRASH_SEED", time.time_ns() % 10**6))
    dice = random.Random(seed)  # noqa: S311  # a seed repeats a run
    total: dict[str, int] = defaultdict(int)
    number = 0
    seconds = durations(World(cli, mail, runner, -1, dice))
    while total["kills"] < kills:
        world = World(cli, mail, runner, number, dice)
        for seen in (mail.received, mail.contents, mail.recipients):
            seen.clear()
        for turn in range(KILLS_IN_ONE_FOLDER):
            command = COMMANDS[turn % len(COMMANDS)]
            total[f"killed {command}"] += (killed := world.kill(command, seconds[command]))
            total["kills"] += killed
            total["not killed in time"] += not killed
        world.settle()
        result = judge(world, mail)
        for name, count in result.items():
            total[name] += count
        bad = {name: count for name, count in result.items() if count and name not in ("reports", "repeats")}
        assert not bad, f"seed {seed}, folder {number}: {bad} {world.left_behind()}"
        number += 1
    print(f"seed {seed}, seconds {seconds}: {dict(total)}")
