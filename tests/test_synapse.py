"""Commands in a room of a real Matrix homeserver, Synapse, which is started and stopped here; run by `nox -s chat`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from .conftest import CLI
from .entrypoint.test_serve import free_port, served

pytestmark = pytest.mark.chat

PATIENCE = 90
BOT = "bot"
CONFIG = """
server_name: loop.test
pid_file: {folder}/homeserver.pid
listeners: [{{port: {port}, type: http, bind_addresses: [127.0.0.1], resources: [{{names: [client]}}]}}]
database: {{name: sqlite3, args: {{database: {folder}/homeserver.db}}}}
media_store_path: {folder}/media
signing_key_path: {folder}/signing.key
registration_shared_secret: loopback
macaroon_secret_key: loopback
form_secret: loopback
report_stats: false
trusted_key_servers: []
federation_domain_whitelist: []
url_preview_enabled: false
rc_message: {{per_second: 100, burst_count: 100}}
rc_login: {{address: {{per_second: 100, burst_count: 100}}, account: {{per_second: 100, burst_count: 100}}}}
"""


@dataclass
class Account:
    """Somebody on the homeserver."""

    url: str
    user: str
    token: str
    since: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)

    def call(self, method: str, place: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.request(method, f"{self.url}/_matrix/{place}", headers=headers, timeout=60, **options)
        assert answer.status_code == 200, answer.text
        return answer

    def say(self, room: str, text: str) -> None:
        place = f"client/v3/rooms/{quote(room)}/send/m.room.message/{monotonic()}"
        self.call("PUT", place, json={"msgtype": "m.text", "body": text})

    def messages(self, room: str, timeout: int = 20_000) -> list[dict[str, Any]]:
        """The contents of the messages of the program that came since the last call."""
        parameters = {"timeout": str(timeout), **({"since": self.since} if self.since else {})}
        answer = self.call("GET", "client/v3/sync", params=parameters).json()
        self.since = answer["next_batch"]
        events = answer.get("rooms", {}).get("join", {}).get(room, {}).get("timeline", {}).get("events", [])
        return [
            event["content"]
            for event in events
            if event["type"] == "m.room.message"
            and event["sender"] == f"@{BOT}:loop.test"
            and "msgtype" in event["content"]
        ]

    def hear(self, room: str) -> dict[str, Any]:
        """The next message of the program."""
        end = monotonic() + PATIENCE
        while not self.heard:
            assert monotonic() < end, "nobody answered"
            self.heard += self.messages(room)
        return self.heard.pop(0)

    def file(self, content: dict[str, Any]) -> bytes:
        place = content["url"].removeprefix("mxc://")
        return bytes(self.call("GET", f"client/v1/media/download/{place}").content)


@contextmanager
def synapse(folder: Path) -> Iterator[str]:
    """A homeserver in `folder`, and its URL."""
    port = free_port()
    config = folder / "homeserver.yaml"
    config.write_text(CONFIG.format(folder=folder, port=port))
    command = [sys.executable, "-m", "synapse.app.homeserver", "-c", str(config)]
    subprocess.run([*command, "--generate-keys"], check=True, capture_output=True, timeout=PATIENCE)
    with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            end = monotonic() + PATIENCE
            while not is_up(url):
                assert process.poll() is None, (folder / "log").read_text()[-3000:]
                assert monotonic() < end
                sleep(0.2)
            yield url
        finally:
            process.terminate()
            process.wait(30)


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False


def account(url: str, folder: Path, name: str) -> Account:
    register = ["-m", "synapse._scripts.register_new_matrix_user", "-u", name, "-p", "loopback", "--no-admin"]
    command = [sys.executable, *register, "-c", str(folder / "homeserver.yaml"), url]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    login = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": name}, "password": "loopback"}
    answer = httpx.post(f"{url}/_matrix/client/v3/login", json=login, timeout=60).json()
    return Account(url, answer["user_id"], answer["access_token"])


def room_of(ann: Account, *invited: Account) -> str:
    wanted = {"preset": "private_chat", "invite": [one.user for one in invited]}
    return str(ann.call("POST", "client/v3/createRoom", json=wanted).json()["room_id"])


def test_a_person_does_everything_in_a_room_and_a_stranger_nothing(
    cli: CLI, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("synapse")
    with synapse(folder) as url:
        bot, ann, stranger = (account(url, folder, name) for name in (BOT, "ann", "stranger"))
        room = room_of(ann, bot)
        chat = {
            "CHAT_MATRIX_HOMESERVER": url,
            "CHAT_MATRIX_USER": bot.user,
            "CHAT_MATRIX_TOKEN": bot.token,
            "CHAT_ALLOW": f"matrix:{room}:{ann.user}:operate",
        }
        with served(cli, **chat):
            said = ask(ann, room)
            assert "No run is in progress." in said("!status")["body"]
            question = said("!run")["body"]
            assert "Start a run?" in question
            assert "Run 1 will start" in said(f"!confirm {question.rpartition('!confirm ')[2]}")["body"]
            assert ann.hear(room)["body"] == "Run 1: done, 1 ticket."
            assert "Run 1: done" in said("!status")["body"]
            assert ann.file(said("!sent")).decode("utf-8-sig").startswith("file,age,state")
            assert ann.file(said("!report")) == cli.reports[0].read_bytes()
            run_id = cli.reports[0].stem.removeprefix("ticket-attribution-")
            assert ann.file(said(f"!report {run_id}")) == cli.reports[0].read_bytes()
            question = said("!schedule 30 6 * * 1-5")["body"]
            assert "30 6 * * 1-5" in said(f"!confirm {question.rpartition('!confirm ')[2]}")["body"]
            assert "not a valid cron expression" in said("!schedule 99 6 * * *")["body"]
            assert "tickets" in said("!logs 50")["body"]
            ann.call("POST", f"client/v3/rooms/{quote(room)}/invite", json={"user_id": stranger.user})
            stranger.call("POST", f"client/v3/join/{quote(room)}", json={})
            stranger.say(room, "!run")
            stranger.say(room, "!report")
            # The order of a room is that of its messages: an answer to the stranger would come before this one.
            assert "private chats alone" in said("!logs")["body"]


def ask(person: Account, room: str) -> Any:
    person.messages(room, 0)

    def said(text: str) -> dict[str, Any]:
        person.say(room, text)
        return person.hear(room)

    return said
