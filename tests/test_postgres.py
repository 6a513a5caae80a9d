"""What several hosts share in a real PostgreSQL, which is started and stopped here; run by `nox -s postgres`."""

from __future__ import annotations

import csv
import hashlib
import os
import random
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ticketattr.domain.correction import Correction
from ticketattr.domain.ticket import Ticket
from ticketattr.domain.write_back import Change
from ticketattr.entrypoint import cli as program
from ticketattr.errors import BusyError, InputError, ServiceError, SettingsError
from ticketattr.infrastructure.classifiers.answer_cache import PostgresAnswerCache
from ticketattr.infrastructure.corrections.corrections_db import PostgresCorrections, SQLiteCorrections
from ticketattr.infrastructure.databases.database_copy import copy_to_database, copy_to_file, stored_tables
from ticketattr.infrastructure.delivery.postgres_report_log import PostgresReportLog
from ticketattr.infrastructure.delivery.report_log import SQLiteReportLog
from ticketattr.infrastructure.delivery.report_log_rows import insert_message
from ticketattr.infrastructure.helpdesk.applied_db import PostgresChangeLedger, SQLiteChangeLedger

from .conftest import CLI
from .entrypoint.test_mail_servers import SETTINGS, put_report
from .entrypoint.test_serve import free_port
from .fakes import MIDNIGHT, a_message, a_report
from .infrastructure.classifiers.test_answer_cache import ANSWERS, CATALOG, MODEL, NOW
from .infrastructure.delivery.test_report_log import LATER, ReportLogContract
from .postgres_server import PostgresServer, postgres_server
from .servers import MailServer

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
def url(server: PostgresServer) -> str:
    return server.create()


@pytest.fixture
def log(url: str, tmp_path: Path) -> PostgresReportLog:
    return PostgresReportLog(url, tmp_path / "reports.db")


@pytest.fixture
def other(url: str, tmp_path: Path) -> PostgresReportLog:
    return PostgresReportLog(url, tmp_path / "other" / "reports.db")


class TestReportLog(ReportLogContract):
    """The contract that a file of SQLite keeps, too."""

    def test_a_sender_that_lost_its_connection_cannot_finish_what_another_took_over(
        self, log: PostgresReportLog, server: PostgresServer, url: str
    ) -> None:
        with log.acquire_sender_lock(MIDNIGHT):
            log.start_attempt(a_message(), MIDNIGHT)
            server.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test%'")
            # Another host takes over: its row is in the table.
            server.sql(url.rpartition("/")[2], "UPDATE ticketattr_holders SET owner = 'another host'")
            with pytest.raises(ServiceError, match="took over the report log"):
                log.record_result(a_message(), "sent", "250 ok", LATER)
        assert [delivery.state for delivery in log.deliveries()] == ["sending"]

    def test_a_restart_of_the_server_without_a_second_host_costs_nothing(
        self, log: PostgresReportLog, server: PostgresServer
    ) -> None:
        with log.acquire_sender_lock(MIDNIGHT):
            log.start_attempt(a_message(), MIDNIGHT)
            server.restart()
            log.record_result(a_message(), "sent", "250 ok", LATER)
        assert [delivery.state for delivery in log.deliveries()] == ["sent"]

    def test_a_server_that_only_allows_to_read_is_a_matter_of_the_settings(
        self, log: PostgresReportLog, server: PostgresServer, url: str
    ) -> None:
        log.establish()
        server.sql("postgres", f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on")
        with pytest.raises(SettingsError, match="read-only"):
            log.start_attempt(a_message(), MIDNIGHT)
        with pytest.raises(SettingsError, match="only allows to read"):
            log.check_integrity()

    def test_tables_of_a_newer_version_are_left_alone(
        self, log: PostgresReportLog, server: PostgresServer, url: str
    ) -> None:
        log.establish()
        server.sql(url.rpartition("/")[2], "UPDATE ticketattr_schema SET version = 99")
        with pytest.raises(InputError, match="version 99"):
            log.start_attempt(a_message(), MIDNIGHT)

    def test_events_can_only_be_added(self, log: PostgresReportLog, server: PostgresServer, url: str) -> None:
        log.start_attempt(a_message(), MIDNIGHT)
        for change in ("UPDATE events SET what = 'sent'", "DELETE FROM events"):
            with pytest.raises(Exception, match="returned non-zero"):
                server.sql(url.rpartition("/")[2], change)

    def test_nobody_there_is_a_failure_of_a_service_and_tells_no_password(
        self, tmp_path: Path, closed_port: int
    ) -> None:
        log = PostgresReportLog(f"postgresql://desk:canary@127.0.0.1:{closed_port}/desk", tmp_path / "reports.db")
        with pytest.raises(ServiceError) as error:
            log.deliveries()
        assert f"127.0.0.1:{closed_port}/desk" in str(error.value)
        assert "canary" not in str(error.value)


class TestOtherTables:
    def test_corrections_are_shared_and_only_added_to(self, url: str, server: PostgresServer) -> None:
        here, there = PostgresCorrections(url), PostgresCorrections(url)
        assert here.all() == []
        here.add([a_correction("1"), a_correction("2")])
        there.add([a_correction("3")])
        assert [one.ticket_id for one in here.all()] == ["1", "2", "3"]
        assert here.all()[0] == a_correction("1")
        with pytest.raises(Exception, match="returned non-zero"):
            server.sql(url.rpartition("/")[2], "DELETE FROM corrections")

    def test_the_ledger_keeps_changes_and_one_writer(self, url: str) -> None:
        here, there = PostgresChangeLedger(url, "ann@here"), PostgresChangeLedger(url, "bob@there")
        assert (here.changes(), here.version()) == ([], None)
        with here.lock(MIDNIGHT):
            added = here.add(a_change())
            with pytest.raises(BusyError, match="of ann@here since"), there.lock(MIDNIGHT):
                pass
        done = there.record(added, "applied", "200", LATER)
        assert here.changes() == [done]
        assert (done.number, done.state) == (1, "applied")

    def test_answers_are_paid_for_once_on_all_hosts(self, url: str) -> None:
        def cache() -> PostgresAnswerCache:
            return PostgresAnswerCache(url, lambda: NOW, lambda model: model == MODEL)

        tickets = {key: Ticket(key, key) for key in (*ANSWERS, "unknown")}
        assert cache().get(tickets, CATALOG) == {}
        cache().put(ANSWERS, tickets)
        cache().put(ANSWERS, tickets)
        assert cache().get(tickets, CATALOG) == ANSWERS

    def test_answers_are_asked_for_again_where_the_database_is_away(
        self, closed_port: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        cache = PostgresAnswerCache(f"postgresql://127.0.0.1:{closed_port}/x", lambda: NOW, lambda model: True)
        cache.put(ANSWERS, {})
        assert cache.get({"a": Ticket("a", "a")}, CATALOG) == {}
        assert len(caplog.records) == 1


class TestCopy:
    def test_all_goes_into_the_database_and_back_and_is_equal(self, cli: CLI, url: str) -> None:
        put_report(cli, "a.xlsx")
        cli.ok("run")
        SQLiteCorrections(cli.folder / "work" / "corrections.db").add([a_correction("1")])
        SQLiteChangeLedger(cli.folder / "work" / "applied.db").add(a_change())
        before = history(cli)
        cli.settings["DATABASE_URL"] = url
        result = cli.ok("db", "copy", "--to", "database")
        assert "corrections: 1 row copied and compared" in result.stderr
        assert "answer cache: nothing to copy" in result.stderr
        assert history(cli) == before
        assert "nothing to send" in cli.ok("send").stderr
        assert cli("db", "copy", "--to", "database").exit_code == 3
        for name in ("output/reports.db", "work/corrections.db", "work/applied.db"):
            Path(name).unlink()
        put_report(cli, "b.xlsx")
        cli.ok("send")
        after = history(cli)
        cli.ok("db", "copy", "--to", "files")
        del cli.settings["DATABASE_URL"]
        assert history(cli) == after
        assert len(SQLiteCorrections(cli.folder / "work" / "corrections.db").all()) == 1
        assert len(SQLiteChangeLedger(cli.folder / "work" / "applied.db").changes()) == 1

    def test_a_log_with_many_deliveries_is_equal_after_both_ways(self, url: str, tmp_path: Path) -> None:
        number = int(os.environ.get("DELIVERIES", "2000"))
        first, second = tmp_path / "first.db", tmp_path / "second.db"
        fill(first, number)
        (there, *_) = stored_tables(url, report_log=first, ledger=first, corrections=first, answers=first, state=first)
        (back, *_) = stored_tables(
            url, report_log=second, ledger=second, corrections=second, answers=second, state=second
        )
        assert copy_to_database(there) == copy_to_file(back) == 5 * number + 1
        assert SQLiteReportLog(first).deliveries() == SQLiteReportLog(second).deliveries()
        assert SQLiteReportLog(first).events() == SQLiteReportLog(second).events()

    def test_without_the_setting_there_is_nothing_to_copy_into(self, cli: CLI) -> None:
        result = cli("db", "upgrade")
        assert result.exit_code == 2
        assert "DATABASE_URL is not set" in result.stderr


def test_a_pooler_that_shares_sessions_is_refused(server: PostgresServer, url: str, tmp_path: Path) -> None:
    name, port = url.rpartition("/")[2], int(free_port())
    with pooler(server, tmp_path, port):
        log = PostgresReportLog(f"postgresql://postgres@127.0.0.1:{port}/{name}", tmp_path / "reports.db")
        with pytest.raises(SettingsError, match="transaction mode"), log.acquire_sender_lock(MIDNIGHT):
            pass


MANY_EVENTS = "INSERT INTO events (at, what, message_id, who, facts) SELECT '', '', '', '', generate_series(1, 100000)"


@pytest.mark.parametrize("is_sending", [False, True], ids=["before it sends", "while it sends"])
@pytest.mark.parametrize("crashes", [False, True], ids=["the server goes on", "the server crashes"])
def test_a_full_disk_of_the_server_is_said_and_loses_and_doubles_no_report(
    cli: CLI, mail: MailServer, is_sending: bool, crashes: bool
) -> None:
    with postgres_server(disk="100m") as server:
        url = server.create()
        host = a_host(cli, mail, url, "one")
        host.settings["EMAIL_MAX_SIZE"] = "30000"
        put_in_folder(host, "first.xlsx")
        assert host.process("send").returncode == 0
        put_in_folder(host, "second.xlsx")
        put_in_folder(host, "third.xlsx")

        def fill() -> None:
            server.fill_disk(url.rpartition("/")[2], MANY_EVENTS)
            with suppress(subprocess.CalledProcessError):
                # Until it begins a file of its journal for which there is no room.
                while crashes:
                    server.sql("postgres", "SELECT pg_switch_wal(); CREATE TABLE x (y INT); DROP TABLE x")

        if is_sending:
            mail.after_data = fill
        else:
            fill()
        failed = host.process("send")
        mail.after_data = None
        assert failed.returncode == 4
        assert f"error: the database 127.0.0.1:{server.port}/test1 cannot be used: " in failed.stderr
        assert crashes or "No space left on device" in failed.stderr
        assert "Traceback" not in failed.stderr
        assert len(mail.received) == 1 + is_sending
        assert host.process("send").returncode == 4
        assert len(mail.received) == 1 + is_sending
        server.free_disk()
        if crashes:
            server.start()
        assert host.process("send").returncode == 0
        ids = message_ids(mail)
        assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in host.reports} == set(ids)
        assert {len(of_report) for of_report in ids.values()} == {1}
        assert len(mail.received) == 3 + is_sending


def test_check_says_what_is_in_the_database_and_who_sends(cli: CLI, url: str) -> None:
    cli.settings["DATABASE_URL"] = url
    cli.ok("run")
    with PostgresReportLog(url, Path("x"), "ann@elsewhere").acquire_sender_lock(MIDNIGHT):
        said = cli("check").stdout
    assert "the report log in the database 127.0.0.1" in said or "the database 127.0.0.1" in said
    assert "of ann@elsewhere since" in said
    assert "REPORT_LOG_DB_PATH: " not in said


@pytest.mark.parametrize("part", ["nobody@127.0.0.1", "postgres@127.0.0.1"])
def test_a_user_or_a_database_that_does_not_exist_is_a_matter_of_the_settings(
    cli: CLI, server: PostgresServer, part: str
) -> None:
    cli.settings["DATABASE_URL"] = f"postgresql://{part}:{server.port}/missing"
    result = cli("pending", "list")
    assert result.exit_code == 2
    assert "/missing cannot be used: " in result.stderr
    assert "hint: Check DATABASE_URL." in result.stderr


@pytest.mark.parametrize("value", ["mysql://host/x", "work/all.db"])
def test_a_url_of_another_kind_is_refused(cli: CLI, value: str) -> None:
    cli.settings["DATABASE_URL"] = value
    result = cli("send")
    assert result.exit_code == 2
    assert "DATABASE_URL must begin with postgresql://" in result.stderr


@pytest.mark.parametrize("minutes", [10, -10])
def test_hosts_whose_clocks_are_apart_send_the_same_message_again(
    cli: CLI, mail: MailServer, url: str, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    one, two = (a_host(cli, mail, url, name) for name in ("one", "two"))
    monkeypatch.chdir(one.folder)
    report = put_report(one, "a.xlsx", age=7200)
    shutil.copy2(report, two.folder / "output")
    with monkeypatch.context() as patch:
        patch.setattr(program, "_now", lambda: datetime.now(timezone.utc) + timedelta(minutes=minutes))
        mail.drop_after_data = True
        assert one("send").exit_code == 5
    monkeypatch.chdir(two.folder)
    two.ok("send")
    monkeypatch.chdir(one.folder)
    assert "nothing to send" in one.ok("send").stderr
    assert len(mail.received) == 2
    assert len({str(received["Message-ID"]) for received in mail.received}) == 1


def test_two_hosts_that_are_killed_at_random_send_each_report_once(
    cli: CLI, mail: MailServer, server: PostgresServer, url: str
) -> None:
    kills, seed = int(os.environ.get("CRASH_KILLS", "20")), int(os.environ.get("CRASH_SEED", time.time_ns() % 10**6))
    dice = random.Random(seed)  # noqa: S311  # a seed repeats a run
    hosts = [a_host(cli, mail, url, name) for name in ("one", "two")]
    put_in_folder(hosts[0], "first.xlsx")
    began, killed, restarts = time.monotonic(), 0, 0
    assert start(hosts[0]).wait(timeout=120) == 0
    seconds_to_start, seconds_to_send = mail.begun[0] - began, time.monotonic() - mail.begun[0]
    for number in range(10 * kills):
        put_in_folder(hosts[0], f"{number}.xlsx")
        put_in_folder(hosts[0], f"{number}-of-both.xlsx")
        shutil.copy2(hosts[0].folder / "output" / f"{number}-of-both.xlsx", hosts[1].folder / "output")
        mail.drop_after_data = dice.random() < 0.2
        running = [start(host) for host in hosts]
        dice.shuffle(running)
        for process in running:
            # One kill in five at any moment of the start, the others while somebody sends.
            if dice.random() < 0.2:
                time.sleep(dice.uniform(0, seconds_to_start))
            else:
                wait_until_somebody_sends(mail, process)
                time.sleep(dice.uniform(0, seconds_to_send))
            if dice.random() < 0.1:
                server.restart()
                restarts += 1
                time.sleep(dice.uniform(0, seconds_to_send))
            killed += process.poll() is None
            process.kill()
            process.wait()
        if killed >= kills:
            break
    mail.drop_after_data = False
    settle(hosts)
    ids = message_ids(mail)
    reports = {hashlib.sha256(path.read_bytes()).hexdigest() for host in hosts for path in host.reports}
    assert killed >= kills
    assert reports == set(ids), seed
    assert {len(of_report) for of_report in ids.values()} == {1}, seed
    print(
        f"{killed} kills, {restarts} restarts of the database, {len(reports)} reports, "
        f"{len(mail.begun)} messages begun, {len(mail.received)} received, seed {seed}"
    )


def message_ids(mail: MailServer) -> dict[str, set[str]]:
    """Of each report that arrived: under which identities."""
    ids: dict[str, set[str]] = {}
    for received in mail.received:
        for part in received.iter_attachments():
            ids.setdefault(hashlib.sha256(part.get_content()).hexdigest(), set()).add(str(received["Message-ID"]))
    return ids


def wait_until_somebody_sends(mail: MailServer, process: subprocess.Popen[bytes]) -> None:
    """Returns when a message begins after this call, or when the process has ended."""
    before = len(mail.begun)
    while len(mail.begun) == before and process.poll() is None:
        time.sleep(0.005)


def put_in_folder(host: CLI, name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(host.folder)
        put_report(host, name)


def settle(hosts: list[CLI]) -> None:
    for _ in range(4):
        if [start(host).wait(timeout=120) for host in hosts] == [0, 0]:
            return
    raise AssertionError("not everything was sent")


def a_host(cli: CLI, mail: MailServer, url: str, name: str) -> CLI:
    folder = cli.folder / name
    (folder / "output").mkdir(parents=True)
    settings = {**cli.settings, **SETTINGS, "EMAIL_SMTP_PORT": str(mail.port), "EMAIL_MAX_RETRIES": "0"}
    return CLI(folder, {**settings, "DATABASE_URL": url})


def start(host: CLI) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ticketattr", "-q", "send", "--wait", "20"],
        cwd=host.folder,
        env={**os.environ, **host.settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def history(cli: CLI) -> tuple[list[dict[str, str]], str, str]:
    """All but the age of a report, which grows meanwhile."""
    listed = list(csv.DictReader(cli.ok("pending", "list", "--all", "--format", "csv").stdout.splitlines()))
    for row in listed:
        del row["age"]
    return listed, cli.ok("pending", "export").stdout, cli.ok("corrections", "list", "--format", "csv").stdout


def a_correction(ticket_id: str) -> Correction:
    return Correction(
        run_id="20261123T000000Z-7f3a",
        place=1,
        ticket_id=ticket_id,
        short_description="Help",
        long_description="für 報告",
        request_category="Access",
        request_type="Password",
        reported_category="Access",
        reported_type="Badge",
        reviewer="ann",
        imported_by="ann",
        at=MIDNIGHT,
        has_unique_id=True,
        workbook="a.xlsx",
    )


def a_change() -> Change:
    return Change(
        helpdesk="desk",
        run_id="20261123T000000Z-7f3a",
        ticket_id="T-1",
        mode="fill",
        before=("", ""),
        after=("Access", "Password"),
        state="applying",
        started=MIDNIGHT,
        changed=MIDNIGHT,
        confidence=0.9,
        source="model",
        marker="m",
        undoes=0,
    )


def fill(path: Path, number: int) -> None:
    """A log with that many deliveries, each of one report to one recipient, with two events."""
    log = SQLiteReportLog(path)
    log.establish()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN")
        for place in range(number):
            message = a_message(a_report(str(place).encode()), number=place)
            insert_message(db, message, MIDNIGHT)
            db.executemany(
                "INSERT INTO events (at, what, message_id, who, facts) VALUES (?, ?, ?, 'ann', '{}')",
                [(MIDNIGHT.isoformat(), what, message.message_id) for what in ("sending", "sent")],
            )
        db.execute("COMMIT")


@contextmanager
def pooler(server: PostgresServer, folder: Path, port: int) -> Iterator[None]:
    """PgBouncer in transaction mode; it must be installed."""
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = any\npool_mode = transaction\nunix_socket_dir =\n"
        "ignore_startup_parameters = extra_float_digits\n"
        f"logfile = {folder}/pooler.log\n[users]\n"
    )
    settings.write_text(settings.read_text().replace("* = host", "* = user=postgres host"))
    run_as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    for path in (folder, *list(folder.parents)[:2]):
        path.chmod(0o777)
    process = subprocess.Popen([*run_as, "pgbouncer", str(settings)], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("the pooler does not listen")
