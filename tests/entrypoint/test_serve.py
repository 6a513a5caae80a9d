"""`ticketattr serve` and `ticketattr token` from the command line."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from time import monotonic, sleep

import httpx
import pytest

from ticketattr.entrypoint.wiring import login_name

from ..chat_servers import (
    BOT,
    MATRIX_TOKEN,
    PERSON,
    ROOM,
    TELEGRAM_TOKEN,
    MatrixServer,
    Said,
    TelegramServer,
    chat_server,
)
from ..conftest import CLI, KEPT, OFFLINE_SETTINGS
from ..warm_program import Program


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@contextmanager
def served(cli: CLI, *options: str, **environment: str) -> Iterator[tuple[Program, str]]:
    """A service in a process of its own, and its URL; it has told where it listens. `options` are of the program."""
    cli.settings |= {"SERVE_PORT": free_port(), "METRICS_PORT": free_port()}
    if cli.settings.get("HELPDESK_API_URL") == OFFLINE_SETTINGS["HELPDESK_API_URL"]:
        cli.settings["HELPDESK_API_URL"] = str(KEPT)  # so that no classifier is loaded
    stderr, its_stderr = os.pipe()
    process = cli.start(*options, "serve", stderr=its_stderr, environment=environment)
    os.close(its_stderr)
    with os.fdopen(stderr, encoding="utf-8") as said:
        try:
            line = said.readline()
            assert line.startswith("listening on "), line + said.read()
            yield process, line.split()[-1].rstrip("/")
        finally:
            process.kill()
            process.wait()


def test_a_service_works_alone_starts_a_real_run_and_ends_at_sigterm_with_exit_code_0(cli: CLI) -> None:
    token = cli.ok("token", "create", "ann", "--scope", "operate", "-q").stdout.strip()
    with served(cli) as (process, url), httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
        assert_a_second_service_is_refused(cli)
        assert_a_run_ends_with_its_report(cli, client, url)
        metrics = httpx.get(f"http://127.0.0.1:{cli.settings['METRICS_PORT']}/metrics").text
        assert 'ticketattr_service_runs_total{trigger="api"} 1' in metrics
        assert 'ticketattr_service_runs{state="ended"} 1' in metrics
        assert "ticketattr_last_run_exit_code 0" in metrics
        assert "ticketattr_reports_delivered_total 1" in metrics
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def assert_a_second_service_is_refused(cli: CLI) -> None:
    result = CLI(cli.folder, cli.settings | {"SERVE_PORT": free_port(), "METRICS_PORT": "0"})("serve")
    assert result.exit_code == 4
    assert "another ticketattr is at work" in result.stderr


def assert_a_run_ends_with_its_report(cli: CLI, client: httpx.Client, url: str) -> None:
    number = client.post(f"{url}/api/v1/runs").json()["number"]
    run = client.get(f"{url}/api/v1/runs/{number}").json()
    while run["state"] in ("queued", "running"):
        sleep(0.05)  # the run needs the processor more than the question whether it has ended
        run = client.get(f"{url}/api/v1/runs/{number}").json()
    assert (run["state"], run["exit_code"], run["message"]) == ("ended", 0, "")
    assert run["figures"] == {"kept": 1}
    assert run["state_text"] == "done"
    (report,) = client.get(f"{url}/api/v1/reports").json()["items"]
    assert (report["run_id"], report["state"]) == (run["run_id"], "sent")
    assert client.get(f"{url}/api/v1/reports/{run['run_id']}/workbook").content == cli.reports[0].read_bytes()


def takes_clients(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_download_goes_on_after_sigterm_and_the_service_ends_when_it_is_whole(cli: CLI) -> None:
    run, size = "20261127T120000Z-0000", 8 * 1024 * 1024
    report = cli.folder / "store" / "reports" / "2026" / "11" / f"{run}-{'0' * 16}.xlsx"
    report.parent.mkdir(parents=True)
    report.write_bytes(bytes(size))
    token = cli.ok("token", "create", "ann", "-q").stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    with (
        served(cli, REPORT_STORE_URL=(cli.folder / "store").as_uri()) as (process, url),
        httpx.stream("GET", f"{url}/api/v1/reports/{run}/workbook", headers=headers) as download,
    ):
        chunks = download.iter_raw()
        received = len(next(chunks))
        process.send_signal(signal.SIGTERM)
        while takes_clients(url):
            pass
        assert process.poll() is None
        assert received + sum(map(len, chunks)) == size
        assert process.wait(timeout=20) == 0
    assert list((cli.folder / "work" / "service" / "downloads").iterdir()) == []


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
def test_a_full_disk_is_said_loses_nothing_and_is_got_over(cli: CLI) -> None:
    token = cli.ok("token", "create", "ann", "--scope", "operate", "-q").stdout.strip()
    with served(cli) as (process, url), httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
        schedule, runs = f"{url}/api/v1/schedule", f"{url}/api/v1/runs"
        assert client.put(schedule, json={"cron": "30 6 * * 1-5"}).status_code == 200
        _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, most))
        refused = [client.put(schedule, json={"cron": "0 7 * * *"}), client.post(runs)]
        assert [answer.status_code for answer in refused] == [503, 503]
        assert "check that the disk is not full" in refused[0].json()["hint"]
        assert client.get(schedule).json()["cron"] == "30 6 * * 1-5"
        assert client.get(runs).json()["items"] == []
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
        assert client.put(schedule, json={"cron": "0 7 * * *"}).status_code == 200
        assert client.get(schedule).json()["cron"] == "0 7 * * *"
        assert client.get(f"{url}/api/v1/deliveries?format=csv").status_code == 200


def test_systemd_is_told_when_the_service_listens_and_when_it_stops(cli: CLI) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(cli.folder / "notify"))
        channel.settimeout(20)
        with served(cli, NOTIFY_SOCKET="notify", WATCHDOG_USEC="300000") as (process, _):
            assert [channel.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
            process.send_signal(signal.SIGTERM)
            while channel.recv(100) != b"STOPPING=1":
                pass
            assert process.wait(timeout=20) == 0


def test_a_port_that_is_taken_is_an_error(cli: CLI) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        cli.settings["SERVE_PORT"] = str(server.getsockname()[1])
        result = cli("serve")
    assert result.exit_code == 4
    assert "cannot listen on 127.0.0.1:" in result.stderr


@pytest.mark.parametrize(
    ("address", "code"), [("127.0.0.1", 0), pytest.param("0.0.0.0", 2, marks=pytest.mark.thorough)]
)
def test_the_socket_of_systemd_is_taken_unless_it_is_open_to_others_without_a_token(
    cli: CLI, address: str, code: int
) -> None:
    cli.settings["METRICS_PORT"] = "0"
    with socket.create_server((address, 0)) as listener:
        started = f"exec 3<&{listener.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec '{sys.executable}' -m ticketattr serve"
        with subprocess.Popen(
            ["bash", "-c", started],
            cwd=cli.folder,
            env={**os.environ, **cli.settings},
            pass_fds=(listener.fileno(),),
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            line = process.stderr.readline()
            if code:
                assert f"does not listen on {address}, because there is no valid token" in line
            else:
                assert line.startswith("listening on ")
                assert httpx.get(f"http://127.0.0.1:{listener.getsockname()[1]}/healthz").text == "ok\n"
                process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == code


def test_a_service_does_not_listen_beyond_this_machine_without_a_token(cli: CLI) -> None:
    cli.settings |= {"SERVE_HOST": "0.0.0.0", "SERVE_PORT": free_port(), "METRICS_PORT": "0"}
    result = cli("serve")
    assert result.exit_code == 2
    assert "there is no valid token" in result.stderr


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"RUN_SCHEDULE": "99 99 * * *"}, "RUN_SCHEDULE"),
        ({"SERVE_PORT": "0"}, "SERVE_PORT is not a whole number"),
        ({"SERVE_ROOT_PATH": "desk"}, "SERVE_ROOT_PATH does not begin with a slash"),
        ({"SERVE_TRUSTED_PROXIES": "proxy.example"}, "not an address: proxy.example"),
        ({"SERVE_USER_HEADER": "X-Remote-User"}, "SERVE_USER_HEADER needs SERVE_TRUSTED_PROXIES"),
    ],
)
def test_a_setting_of_the_service_that_is_wrong_is_named(cli: CLI, settings: dict[str, str], message: str) -> None:
    cli.settings |= settings
    result = cli("serve")
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_token_is_created_listed_and_revoked(cli: CLI) -> None:
    created = cli.ok("token", "create", "ann", "--days", "30")
    secret = created.stdout.strip()
    assert secret.startswith("tka_")
    assert secret not in created.stderr
    listed = cli.ok("token", "list")
    assert secret not in listed.stdout
    assert [row["state"] for row in json.loads(cli.ok("token", "list", "--format", "json").stdout)] == ["valid"]
    cli.ok("token", "revoke", "ann")
    assert "revoked" in cli.ok("token", "list").stdout
    with closing(sqlite3.connect(cli.folder / "work" / "service.db")) as db, db:
        audit = db.execute("SELECT who, origin, action, outcome FROM audit ORDER BY number").fetchall()
    who = login_name()
    assert audit == [
        (who, "command line", "token create", "created"),
        (who, "command line", "token revoke", "revoked"),
    ]


def test_mistakes_with_tokens_have_exit_codes(cli: CLI) -> None:
    assert cli("token", "create", "a b").exit_code == 2
    cli.ok("token", "create", "ann")
    assert cli("token", "create", "ann").exit_code == 2
    assert cli("token", "revoke", "bob").exit_code == 3
    assert cli.ok("token", "list").exit_code == 0


def test_there_is_no_token_at_first(cli: CLI) -> None:
    assert cli.ok("token", "list").stdout == "there is no token yet\n"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"CHAT_TELEGRAM_TOKEN": "1:x"}, "a chat needs CHAT_ALLOW"),
        ({"CHAT_MATRIX_TOKEN": "x", "CHAT_ALLOW": "telegram:1:1:read"}, "needs CHAT_MATRIX_HOMESERVER"),
        ({"CHAT_ALLOW": "telegram:1:1:admin"}, "does not end in :read or :operate"),
    ],
)
def test_a_setting_of_the_chat_that_is_wrong_is_named(cli: CLI, settings: dict[str, str], message: str) -> None:
    cli.settings |= settings
    result = cli("serve")
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_run_by_chat_on_both_platforms_ends_with_its_report(cli: CLI) -> None:
    telegram, matrix = TelegramServer(), MatrixServer()
    with chat_server(telegram), chat_server(matrix):
        chat = {
            "CHAT_TELEGRAM_TOKEN": TELEGRAM_TOKEN,
            "CHAT_TELEGRAM_BASE_URL": telegram.url,
            "CHAT_MATRIX_HOMESERVER": matrix.url,
            "CHAT_MATRIX_USER": BOT,
            "CHAT_MATRIX_TOKEN": MATRIX_TOKEN,
            "CHAT_ALLOW": f"telegram:7:7:operate,matrix:{ROOM}:{PERSON}:operate",
        }
        with served(cli, **chat):
            telegram.write("/run")
            question = next_reply(telegram)
            telegram.write("/run", user=9)
            telegram.press(question.button[1])
            assert next_reply(telegram).text.startswith("Run 1 will start.")
            assert next_reply(telegram).text == "Run 1: done, 1 ticket."
            matrix.write("!report")
            assert next_reply(matrix).content == cli.reports[0].read_bytes()
            matrix.write("!sent")
            assert next_reply(matrix).content.decode("utf-8-sig").startswith("file,age,state")
    assert len(telegram.said) == 0


def next_reply(server: TelegramServer | MatrixServer) -> Said:
    end = monotonic() + 30
    while not server.said:
        assert monotonic() < end
        sleep(0.02)
    return server.said.pop(0)
