"""Services of several hosts over one real PostgreSQL, which is started and stopped here; run by `nox -s postgres`."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest

from ticketattr.application.service.chat import OLDEST
from ticketattr.errors import InputError, ServiceError
from ticketattr.infrastructure.databases.postgres import DatabaseClock, Leader
from ticketattr.infrastructure.service.postgres_state import PostgresServiceState, state_tables
from ticketattr.infrastructure.service.sql_state import SQLServiceState
from ticketattr.infrastructure.service.state_db import SQLiteServiceState

from .chat_servers import TELEGRAM_TOKEN, TelegramServer, chat_server
from .conftest import CLI, KEPT
from .entrypoint.test_serve import free_port
from .infrastructure.service.test_state_db import ENTRY, LATER, NOW, SCHEDULE, ServiceStateContract
from .postgres_server import PostgresServer, postgres_server
from .test_postgres import pooler

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
def url(server: PostgresServer) -> str:
    return server.create()


@pytest.fixture
def state(url: str) -> PostgresServiceState:
    return PostgresServiceState(url)


class TestState(ServiceStateContract):
    """The contract that a file of SQLite keeps, too."""

    def test_an_entry_of_the_audit_is_never_changed_or_deleted(
        self, state: PostgresServiceState, server: PostgresServer, url: str
    ) -> None:
        state.add_audit(ENTRY)
        for statement in ("DELETE FROM audit", "UPDATE audit SET who = 'bob'"):
            with pytest.raises(Exception, match="returned non-zero"):
                server.sql(url.rpartition("/")[2], statement)

    def test_a_state_of_another_version_is_refused(
        self, state: PostgresServiceState, server: PostgresServer, url: str
    ) -> None:
        state.add_audit(ENTRY)
        server.sql(url.rpartition("/")[2], "UPDATE ticketattr_schema SET version = 99")
        with pytest.raises(InputError, match=r"state of the service in .* has schema version 99"):
            state.unfinished()
        with pytest.raises(InputError, match="schema version 99"), state.kept_open():
            pass


class TestLeader:
    def test_one_host_leads_until_its_connection_ends_and_is_named(self, state: PostgresServiceState, url: str) -> None:
        tables = state_tables(url)
        with state.kept_open(), closing(Leader(tables, "one")) as one, closing(Leader(tables, "two")) as two:
            assert tables.lock_holder() == ""
            assert [one(), two(), one(), two()] == [True, False, True, False]
            assert " of one since " in tables.lock_holder()
            one.close()
            assert [two(), one()] == [True, False]
            assert " of two since " in tables.lock_holder()

    def test_a_restart_of_the_server_is_an_error_once_and_then_one_host_leads_again(
        self, state: PostgresServiceState, server: PostgresServer, url: str
    ) -> None:
        with state.kept_open(), closing(Leader(state_tables(url), "one")) as one:
            assert one()
            server.restart()
            with pytest.raises(ServiceError):
                one()
            assert one()

    def test_a_leader_that_lost_its_connection_may_be_replaced_before_it_knows(
        self, state: PostgresServiceState, server: PostgresServer, url: str
    ) -> None:
        tables = state_tables(url)
        with state.kept_open(), closing(Leader(tables, "one")) as one, closing(Leader(tables, "two")) as two:
            assert one()
            server.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test%'")
            assert two()
            with pytest.raises(ServiceError):
                one()
            assert not one()


def test_the_clock_of_the_database_counts_and_goes_on_while_it_is_away(server: PostgresServer, url: str) -> None:
    clock = DatabaseClock(url)
    begin = clock()
    assert begin.utcoffset() == timedelta(0)
    server.control("stop", "-m", "immediate")
    try:
        assert begin < clock() < begin + timedelta(minutes=1)
        with pytest.raises(ServiceError):
            DatabaseClock(url)()
    finally:
        server.start()


class TestCopy:
    def test_the_state_goes_into_the_database_and_back_and_is_equal(self, cli: CLI, url: str) -> None:
        path = cli.folder / "work" / "service.db"
        cli.ok("token", "create", "ann")
        files, shared = SQLiteServiceState(path), PostgresServiceState(url)
        first, _ = files.request_run("api", "ann", NOW, dry_run=True, key="k", audited=lambda run, is_new: ENTRY)
        files.save_schedule(SCHEDULE)
        files.claim("telegram:1", NOW)
        files.start_session("s", "ann", LATER)
        before = content(files)
        cli.settings["DATABASE_URL"] = url
        said = cli.ok("db", "copy", "--to", "database").stderr
        assert "state of the service: 8 rows copied and compared" in said
        assert content(shared) == before
        assert not shared.claim("telegram:1", NOW)
        second, _ = shared.request_run("api", "ann", NOW, dry_run=False, key="", host="one")
        assert (first.number, second.number) == (1, 2)
        path.unlink()
        cli.ok("db", "copy", "--to", "files")
        assert content(files) == content(shared)
        assert files.unfinished() == [first, second]

    def test_nothing_is_copied_while_a_service_works(self, cli: CLI, state: PostgresServiceState, url: str) -> None:
        cli.ok("token", "create", "ann")
        cli.settings["DATABASE_URL"] = url
        with state.kept_open(), closing(Leader(state_tables(url), "one")) as one:
            assert one()
            result = cli("db", "copy", "--to", "database")
        assert result.exit_code == 4
        assert " of one since " in result.stderr
        assert state.tokens() == []


def content(state: SQLServiceState) -> tuple[object, ...]:
    return state.tokens(), state.session("s", NOW), state.runs(), state.schedule(), state.audit()


def test_a_service_refuses_a_pooler_that_shares_sessions(
    cli: CLI, server: PostgresServer, url: str, tmp_path: Path
) -> None:
    port = free_port()
    cli.settings |= {"SERVE_PORT": free_port(), "METRICS_PORT": "0"}
    cli.settings["DATABASE_URL"] = f"postgresql://postgres@127.0.0.1:{port}/{url.rpartition('/')[2]}"
    with pooler(server, tmp_path, int(port)):
        result = cli("serve")
    assert result.exit_code == 2
    assert "transaction mode" in result.stderr


def test_a_service_does_not_start_where_the_database_only_allows_to_read(
    cli: CLI, state: PostgresServiceState, server: PostgresServer, url: str
) -> None:
    state.add_audit(ENTRY)
    server.sql("postgres", f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on")
    cli.settings |= {"SERVE_PORT": free_port(), "METRICS_PORT": "0", "DATABASE_URL": url}
    result = cli("serve")
    assert result.exit_code == 2
    assert "must lead to the primary server" in result.stderr


def test_a_service_of_another_version_does_not_start(
    cli: CLI, state: PostgresServiceState, server: PostgresServer, url: str
) -> None:
    state.add_audit(ENTRY)
    server.sql(url.rpartition("/")[2], "UPDATE ticketattr_schema SET version = 99")
    cli.settings |= {"SERVE_PORT": free_port(), "METRICS_PORT": "0", "DATABASE_URL": url}
    result = cli("serve")
    assert result.exit_code == 3
    assert "schema version 99" in result.stderr


PEOPLE = 40
SERVE = """
import sys
from datetime import timedelta
from ticketattr.entrypoint import cli

now, ahead = cli._now, timedelta(minutes=float(sys.argv.pop(1)))
cli._now = lambda: now() + ahead
cli.app()
"""


@dataclass
class Host:
    """A host with a folder of its own, whose clock is some minutes ahead."""

    cli: CLI
    minutes: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.cli.settings['SERVE_PORT']}"

    def start(self) -> None:
        with (self.cli.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(self.minutes), "serve"],
                cwd=self.cli.folder,
                env={**os.environ, **self.cli.settings},
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def log(self) -> str:
        return (self.cli.folder / "serve.log").read_text()


@dataclass
class Site:
    """Two hosts over one database, a chat, and somebody who asks them for runs with `client`."""

    hosts: list[Host]
    client: httpx.Client
    telegram: TelegramServer
    state: PostgresServiceState
    database: str
    server: PostgresServer
    asked: dict[str, int] = field(default_factory=dict)

    def ask(self, host: Host, key: str) -> None:
        """Ask a host for a run. The answer is the same on all hosts, and after each of their deaths."""
        answer = self.client.post(f"{host.url}/api/v1/runs", headers={"Idempotency-Key": key})
        assert answer.status_code == 202, answer.text
        assert self.asked.setdefault(key, answer.json()["number"]) == answer.json()["number"]

    def leader(self) -> Host | None:
        held = state_tables(self.state.url).lock_holder()
        return next((host for host in self.hosts if host.process and f"process {host.process.pid} of" in held), None)

    def await_that(self, what: Callable[[], bool], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, "".join(host.log() for host in self.hosts)
            time.sleep(0.05)

    def answers(self, host: Host, path: str = "/readyz") -> bool:
        with suppress(httpx.HTTPError):
            return self.client.get(f"{host.url}{path}").status_code == 200
        return False


@pytest.fixture
def site(cli: CLI, server: PostgresServer, url: str) -> Iterator[Site]:
    with two_hosts(cli, server, url) as site:
        yield site


@contextmanager
def two_hosts(cli: CLI, server: PostgresServer, url: str) -> Iterator[Site]:
    telegram, state = TelegramServer(), PostgresServiceState(url)
    people = ",".join(f"telegram:{number}:{number}:operate" for number in range(1, PEOPLE + 1))
    with ExitStack() as stack:
        stack.enter_context(chat_server(telegram))
        hosts = []
        for name, minutes in (("one", 0), ("two", -10)):
            (cli.folder / name).mkdir()
            settings = {
                **cli.settings,
                "DATABASE_URL": url,
                "HELPDESK_API_URL": str(KEPT),
                "SERVE_PORT": free_port(),
                "METRICS_PORT": "0",
                "CHAT_TELEGRAM_TOKEN": TELEGRAM_TOKEN,
                "CHAT_TELEGRAM_BASE_URL": telegram.url,
                "CHAT_ALLOW": people,
            }
            hosts.append(Host(CLI(cli.folder / name, settings), minutes))
            stack.callback(hosts[-1].kill)
        token = hosts[0].cli.process("token", "create", "ann", "--scope", "operate", "-q").stdout.strip()
        client = stack.enter_context(httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=20))
        site = Site(hosts, client, telegram, state, url.rpartition("/")[2], server)
        for host in hosts:
            host.start()
        for host in hosts:
            site.await_that(lambda host=host: site.answers(host))  # type: ignore[misc]
        yield site


def test_tokens_schedule_runs_and_sessions_are_those_of_all_hosts(site: Site) -> None:
    one, two = site.hosts
    site.client.put(f"{one.url}/api/v1/schedule", json={"cron": "30 6 * * 1-5"}).raise_for_status()
    assert site.client.get(f"{two.url}/api/v1/schedule").json()["cron"] == "30 6 * * 1-5"
    site.ask(two, "a")
    site.ask(one, "a")
    site.await_that(lambda: all(run.is_over for run in site.state.runs()))
    shown = [site.client.get(f"{host.url}/api/v1/runs").json() for host in site.hosts]
    assert shown[0] == shown[1]
    (run,) = shown[0]["items"]
    assert (run["state"], run["exit_code"]) == ("ended", 0)
    assert [len(host.cli.reports) for host in site.hosts] == [0, 1]
    log = site.client.get(f"{one.url}/api/v1/logs", params={"run": run["number"]}).json()["lines"]
    assert log == [f"run 1 is one of {run['host']}, which has its log"]
    page = {"Sec-Fetch-Site": "same-origin"}
    token = site.client.headers["Authorization"].split()[1]
    cookies = httpx.post(f"{one.url}/sign-in", data={"token": token}, headers=page).cookies
    assert "Run 1" in httpx.get(f"{two.url}/runs/1", cookies=cookies, headers=page).text
    assert two.cli.process("token", "revoke", "ann").returncode == 0
    assert httpx.get(f"{one.url}/runs/1", cookies=cookies, headers=page).status_code == 303
    assert site.client.get(f"{one.url}/api/v1/runs").status_code == 401


def test_check_says_which_host_leads_and_which_work(site: Site) -> None:
    site.await_that(lambda: site.leader() is not None and len(site.state.hosts()) == 2)
    leader = site.leader()
    assert leader
    assert leader.process
    said = site.hosts[1].cli.process("check").stdout
    assert f"process {leader.process.pid} of " in said
    for host in site.state.hosts():
        assert f"{host.name} was seen at " in said


def test_a_database_that_is_away_is_said_and_got_over(site: Site) -> None:
    site.client.put(f"{site.hosts[0].url}/api/v1/schedule", json={"cron": "* * * * *"}).raise_for_status()
    for number in range(2):
        site.server.control("stop", "-m", "immediate")
        try:
            for host in site.hosts:
                answer = site.client.get(f"{host.url}/readyz")
                assert answer.status_code == 503
                assert "cannot be used" in answer.json()["detail"]
                assert site.client.get(f"{host.url}/healthz").status_code == 200
                assert site.client.post(f"{host.url}/api/v1/runs").status_code == 503
            site.telegram.write(f"/status n{number}", chat=1, user=1)
            time.sleep(3)
        finally:
            site.server.start()
        for host in site.hosts:
            site.await_that(lambda host=host: site.answers(host))  # type: ignore[misc]
        site.await_that(lambda: site.leader() is not None)
        site.await_that(lambda: answered(site) == number + 1)  # noqa: B023
        site.ask(site.hosts[number], f"{number}")
    site.await_that(lambda: all(run.is_over for run in site.state.runs()))
    commands = Counter(entry.detail for entry in site.state.audit() if entry.action == "chat status")
    assert commands == {"n0": 1, "n1": 1}
    assert all(host.process and host.process.poll() is None for host in site.hosts)
    assert_each_run_made_one_report(site)


MANY_ROWS = (
    "INSERT INTO audit (at, who, origin, action, detail, outcome) SELECT '', '', '', '', '', generate_series(1, 99999)",
    "INSERT INTO claims SELECT generate_series(1, 100000), ''",
    "INSERT INTO requests SELECT '', generate_series(1, 100000), 1",
)


def test_a_full_disk_of_the_server_is_said_and_got_over(cli: CLI) -> None:
    with postgres_server(disk="150m") as server, two_hosts(cli, server, server.create()) as site:
        site.client.put(f"{site.hosts[0].url}/api/v1/schedule", json={"cron": "* * * * *"}).raise_for_status()
        site.ask(site.hosts[0], "before")
        site.await_that(lambda: site.leader() is not None)
        site.await_that(lambda: all(run.is_over for run in site.state.runs()))
        server.fill_disk(site.database, *MANY_ROWS)
        times = Times(site)
        times.come()
        site.telegram.write("/status while", chat=1, user=1)
        for host in site.hosts:
            refused = site.client.post(f"{host.url}/api/v1/runs", headers={"Idempotency-Key": "while"})
            assert refused.status_code == 503
            assert "No space left on device" in refused.json()["detail"]
            assert site.client.get(f"{host.url}/api/v1/runs").json()["items"][0]["exit_code"] == 0
        leader = site.leader()
        assert leader
        site.await_that(lambda: leader.log().count("No space left on device") >= 2)
        assert not times.have_fired()
        assert site.telegram.said == []
        server.free_disk()
        site.await_that(lambda: times.have_fired() and answered(site) == 1)
        site.ask(site.hosts[1], "while")
        site.client.put(f"{site.hosts[1].url}/api/v1/schedule", json={"cron": ""}).raise_for_status()
        site.await_that(lambda: all(run.is_over for run in site.state.runs()))
        assert {(run.state, run.exit_code) for run in site.state.runs()} == {("ended", 0)}
        assert [entry.outcome for entry in site.state.audit() if entry.action == "chat status"] == ["done"]
        assert_each_run_made_one_report(site)
        assert all(host.process and host.process.poll() is None for host in site.hosts)
        assert "Traceback" not in "".join(host.log() for host in site.hosts)


def test_hosts_that_are_killed_lose_and_double_no_run_no_time_and_no_message(site: Site) -> None:
    kills, seed = int(os.environ.get("LEADER_KILLS", "20")), int(os.environ.get("CRASH_SEED", time.time_ns() % 10**6))
    dice = random.Random(seed)  # noqa: S311  # a seed repeats a run
    site.client.timeout = httpx.Timeout(5)
    site.client.put(f"{site.hosts[0].url}/api/v1/schedule", json={"cron": "* * * * *"}).raise_for_status()
    times, unanswered, sent, killed = Times(site), set[str](), 0, Counter[str]()
    while sum(killed.values()) < kills:
        is_early, until = dice.random() < 0.3, 0.0
        while not (leader := site.leader()) or not until or time.monotonic() < until:
            if not until and leader and (is_early or site.answers(leader)):
                until = time.monotonic() + dice.uniform(0.5, 6)
            times.come()
            sent += 1
            site.telegram.write(f"/status n{sent}", chat=sent % PEOPLE + 1, user=sent % PEOPLE + 1)
            unanswered.add(f"key {sent}")
            for key in sorted(unanswered):
                with suppress(httpx.HTTPError):
                    site.ask(dice.choice(site.hosts), key)
                    unanswered.discard(key)
            time.sleep(dice.uniform(0, 0.5))
        if dice.random() < 0.8:
            victim, name = leader, f"leader {site.hosts.index(leader)}"
        else:
            victim, name = next(host for host in site.hosts if host is not leader), "other"
        victim.kill()
        killed[name] += 1
        time.sleep(dice.uniform(0, 2))
        victim.start()
    for host in site.hosts:
        site.await_that(lambda host=host: site.answers(host))  # type: ignore[misc]
    for key in unanswered:
        site.ask(dice.choice(site.hosts), key)
    site.await_that(lambda: site.telegram.confirmed == len(site.telegram.updates), 300)
    site.await_that(lambda: times.have_fired() and all(run.is_over for run in site.state.runs(limit=1000)), 300)
    site.client.put(f"{site.hosts[1].url}/api/v1/schedule", json={"cron": ""}).raise_for_status()
    site.await_that(lambda: all(run.is_over for run in site.state.runs(limit=1000)))
    judge(site, times, sent, sum(killed.values()), seed)
    assert {"leader 0", "leader 1"} <= set(killed)
    print(f"{dict(killed)} killed, {times.number} times of the schedule, {sent} messages, {len(site.asked)} requests")


def answered(site: Site) -> int:
    return sum("pending" in said.text for said in site.telegram.said)


def judge(site: Site, times: Times, sent: int, killed: int, seed: int) -> None:
    runs = site.state.runs(limit=1000)
    assert {(run.state, run.exit_code) for run in runs} == {("ended", 0)}, seed
    assert set(site.asked.values()) <= {run.number for run in runs}, seed
    assert_each_run_made_one_report(site)
    sql = "SELECT key, count(*) FROM requests WHERE who = 'schedule' GROUP BY key"
    fired = dict(line.split("|") for line in site.server.sql(site.database, sql).split())
    assert set(times.keys) <= set(fired), seed
    assert set(fired.values()) == {"1"}, seed
    asked = set(site.asked.values())
    by_schedule = {int(line) for line in site.server.sql(site.database, sql_of_runs("schedule")).split()}
    assert {run.number for run in runs} == asked | by_schedule, seed
    claims = dict(line.split("|") for line in site.server.sql(site.database, "SELECT key, at FROM claims").split())
    outcomes = [
        (entry.detail, entry.outcome) for entry in site.state.audit(limit=10_000) if entry.action == "chat status"
    ]
    acted = {command for command, outcome in outcomes if outcome == "done"}
    late = {
        update["message"]["text"].removeprefix("/status ")
        for update in site.telegram.updates
        if datetime.fromisoformat(claims[f"telegram:{update['update_id']}"]).timestamp() - update["message"]["date"]
        > OLDEST.total_seconds()
    }
    assert len(claims) == sent, seed
    assert len(outcomes) == len(dict(outcomes)), seed
    assert {outcome for _, outcome in outcomes} <= {"done", "refused: older than 5 minutes"}, seed
    assert {command for command, outcome in outcomes if outcome != "done"} <= late, seed
    assert not acted & late, seed
    # Who dies between the claim and the audit leaves a command undone: it is rather lost than carried out twice.
    assert sent - killed <= len(outcomes), seed
    assert len(acted) - killed <= len(site.telegram.said) <= len(acted), seed
    print(f"{len(late)} commands were too old when a host came to them, {sent - len(outcomes)} lost with their host")
    print(f"{len(runs)} runs, {len(acted)} commands carried out, {len(site.telegram.said)} answered, seed {seed}")


def sql_of_runs(who: str) -> str:
    return f"SELECT DISTINCT run FROM requests WHERE who = '{who}'"  # noqa: S608


def assert_each_run_made_one_report(site: Site) -> None:
    made = [path.stem.removeprefix("ticket-attribution-") for host in site.hosts for path in host.cli.reports]
    runs = site.state.runs(limit=1000)
    assert sorted(made) == sorted(run.run_id for run in runs if run.exit_code == 0)


@dataclass
class Times:
    """Times of the schedule that come one after the other, as soon as the one before has started a run."""

    site: Site
    first: datetime = datetime(2026, 1, 1, tzinfo=timezone.utc)
    keys: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        return len(self.keys)

    def come(self) -> None:
        if not self.have_fired():
            return
        before = self.first + timedelta(minutes=self.number)
        self.site.server.sql(self.site.database, f"UPDATE schedule SET last_due = '{before.isoformat()}'")  # noqa: S608
        self.keys.append(f"{before + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}")

    def have_fired(self) -> bool:
        if not self.keys:
            return True
        sql = f"SELECT count(*) FROM requests WHERE who = 'schedule' AND key = '{self.keys[-1]}'"  # noqa: S608
        return self.site.server.sql(self.site.database, sql).strip() == "1"
