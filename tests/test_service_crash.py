"""The service is killed at random, during runs, changes of the schedule and chat commands; run by `nox -s crash`.

People write by Telegram and by Matrix.

Afterwards every run that was accepted was made once, and every command was acted on once at most.
"""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic, sleep

import httpx
import pytest

from ticketattr.infrastructure.service.state_db import SQLiteServiceState

from .chat_servers import BOT, MATRIX_TOKEN, PERSON, ROOM, TELEGRAM_TOKEN, MatrixServer, TelegramServer, chat_server
from .conftest import CLI
from .entrypoint.test_serve import served

pytestmark = pytest.mark.crash

KILLS = 100
LONGEST_LIFE = 1.5


@dataclass
class Asked:
    """What was asked of the service, and what it answered before it was killed."""

    runs: dict[str, int] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    schedules: set[str] = field(default_factory=set)


def live(number: int, url: str, client: httpx.Client, asked: Asked) -> None:
    """Ask for what was not answered in earlier lives, and for a run and a schedule."""
    for key in (*asked.unanswered, f"life {number}"):
        asked.unanswered.add(key)
        accepted = client.post(f"{url}/api/v1/runs", headers={"Idempotency-Key": key})
        assert accepted.status_code == 202
        run = accepted.json()["number"]
        assert asked.runs.setdefault(key, run) == run
        asked.unanswered.discard(key)
    cron = f"{number % 60} {number // 60} 1 1 *"
    if client.put(f"{url}/api/v1/schedule", json={"cron": cron}).status_code == 200:
        asked.schedules.add(cron)


@pytest.mark.parametrize("seed", [1])
def test_no_run_is_lost_or_doubled_and_no_command_acted_on_twice(cli: CLI, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    token = cli.ok("token", "create", "ann", "--scope", "operate", "-q").stdout.strip()
    telegram, matrix, asked = TelegramServer(), MatrixServer(), Asked()
    with (
        chat_server(telegram),
        chat_server(matrix),
        httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=LONGEST_LIFE) as client,
    ):
        settings = {
            "CHAT_TELEGRAM_TOKEN": TELEGRAM_TOKEN,
            "CHAT_TELEGRAM_BASE_URL": telegram.url,
            "CHAT_MATRIX_HOMESERVER": matrix.url,
            "CHAT_MATRIX_USER": BOT,
            "CHAT_MATRIX_TOKEN": MATRIX_TOKEN,
            "CHAT_ALLOW": f"telegram:7:7:operate,matrix:{ROOM}:{PERSON}:operate",
        }
        for number in range(KILLS):
            with served(cli, **settings) as (process, url):
                telegram.write(f"/schedule {number % 60} {number // 60} 2 2 *")
                telegram.write("/run")
                matrix.write(f"!schedule {number % 60} {number // 60} 3 3 *")
                matrix.write("!run")
                if chance.random() < 0.5:
                    with suppress(httpx.HTTPError):
                        live(number, url, client, asked)
                confirm(telegram, matrix, questions=4, seconds=chance.random() * 3 * LONGEST_LIFE)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(chance.random() * LONGEST_LIFE)
        with served(cli, **settings) as (_, url):
            await_end_of_runs(client, url)
    judge(cli, asked)


def confirm(telegram: TelegramServer, matrix: MatrixServer, questions: int, seconds: float) -> None:
    """Confirm so many commands, if the questions come in time; each is confirmed twice."""
    end = monotonic() + seconds
    while questions > 0 and monotonic() < end:
        while telegram.said:
            if answer := telegram.said.pop(0).button[1]:
                questions -= 1
                telegram.press(answer)
                telegram.press(answer)
        while matrix.said:
            _, mark, answer = matrix.said.pop(0).text.rpartition("!confirm ")
            if mark:
                questions -= 1
                matrix.write(mark + answer)
                matrix.write(mark + answer)
        sleep(0.01)


def await_end_of_runs(client: httpx.Client, url: str) -> None:
    runs = client.get(f"{url}/api/v1/runs", timeout=60).json()["items"]
    while any(run["state"] in ("queued", "running") for run in runs):
        runs = client.get(f"{url}/api/v1/runs", timeout=60).json()["items"]


def judge(cli: CLI, asked: Asked) -> None:
    state = SQLiteServiceState(cli.folder / "work" / "service.db")
    runs = state.runs(limit=1000)
    assert {(run.state, run.exit_code) for run in runs} == {("ended", 0)}
    assert set(asked.runs.values()) <= {run.number for run in runs}
    # Each run made one report, and no report was made by another.
    assert sorted(path.stem.removeprefix("ticket-attribution-") for path in cli.reports) == sorted(
        run.run_id for run in runs
    )
    entries = state.audit(limit=10_000)
    changed = Counter(entry.detail for entry in entries if (entry.action, entry.outcome) == ("schedule", "changed"))
    assert set(changed.values()) == {1}
    assert asked.schedules <= set(changed)
    newest = next(entry for entry in entries if (entry.action, entry.outcome) == ("schedule", "changed"))
    kept = state.schedule()
    assert kept
    assert kept.cron == newest.detail
    confirmed = [entry for entry in entries if entry.action == "chat confirm" and entry.outcome == "done"]
    assert set(Counter(entry.detail for entry in confirmed).values()) <= {1}
    by_platform = Counter(entry.origin for entry in confirmed)
    assert set(by_platform) == {"matrix", "telegram"}
    print(
        f"{KILLS} kills, {len(runs)} runs, {sum(changed.values())} schedules, confirmed commands: {dict(by_platform)}"
    )
