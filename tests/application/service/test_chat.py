"""Commands by chat: for those on the list alone, each once, costly ones confirmed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ticketattr.application.service.chat import ChatDesk, ChatFiles
from ticketattr.application.service.runs import Service, advance
from ticketattr.domain.chat import (
    CHAT_COMMANDS,
    AllowedSender,
    ChatMessage,
    FileReply,
    Sender,
    TextReply,
    parse_allowed,
    parse_command,
)
from ticketattr.domain.delivery import ReportFile
from ticketattr.domain.report_status import ReportStatus
from ticketattr.domain.service_run import AuditEntry, RunStatus, Undo
from ticketattr.errors import ServiceError
from ticketattr.infrastructure.service.cron import CronExpressions
from ticketattr.infrastructure.service.state_db import SQLiteServiceState
from ticketattr.infrastructure.store.object_store import open_store

from .test_runs import Clock, Processes

ANN = Sender("telegram", "7", "7")
BOB = Sender("telegram", "-100", "8")
RUN = "20261127T120000Z-0000"


class Chat:
    """A desk, and a person who writes."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.processes, self.sent = Clock(), Processes(), 0
        self.reports: list[ReportStatus] = []
        zone = ZoneInfo("UTC")
        state = SQLiteServiceState(folder / "service.db")
        self.service = Service(state, self.processes, CronExpressions(zone), self.clock)
        tokens = iter(f"secret{number}" for number in range(1000))
        self.desk = ChatDesk(
            self.service,
            [AllowedSender(ANN, "operate"), AllowedSender(BOB, "read")],
            ChatFiles(lambda: self.reports, lambda: b"file,state\n", lambda line: line.replace("secret", "***")),
            lambda: next(tokens),
            {"telegram": 50_000_000},
        )

    def message(self, text: str, sender: Sender = ANN, **changes: object) -> ChatMessage:
        self.sent += 1
        message = ChatMessage(f"{self.sent}", sender, text, self.clock(), sender.chat == sender.user)
        return replace(message, **changes)  # type: ignore[arg-type]

    def __call__(self, text: str, sender: Sender = ANN) -> str:
        reply = self.desk.answer(self.message(text, sender))
        assert isinstance(reply, TextReply)
        return reply.text

    def asked(self, text: str, sender: Sender = ANN) -> TextReply:
        reply = self.desk.answer(self.message(text, sender))
        assert isinstance(reply, TextReply)
        return reply


@pytest.fixture
def chat(tmp_path: Path) -> Chat:
    return Chat(tmp_path)


def report(folder: Path, run_id: str = RUN, size: int = 10) -> ReportStatus:
    path = folder / f"ticket-attribution-{run_id}.xlsx"
    path.write_bytes(b"x")
    return ReportStatus(ReportFile(path, "0" * 64, size, Clock()(), run_id), "pending")


@pytest.mark.parametrize(
    "sender", [Sender("telegram", "7", "9"), Sender("telegram", "9", "7"), Sender("matrix", "7", "7")]
)
def test_a_stranger_gets_silence_and_changes_nothing(
    chat: Chat, sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    assert chat.desk.answer(chat.message("/run", sender)) is None
    assert chat.service.state.audit() == []
    named = f"{sender.platform}:{sender.chat}:{sender.user}"
    assert caplog.messages == [f"a chat message of {named} was left unanswered: not in CHAT_ALLOW"]


def test_the_name_of_a_stranger_is_cleaned_and_cut_before_it_is_logged(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    chat.desk.answer(chat.message("/run", Sender("matrix", "secret", "x" * 300)))
    named = f"matrix:***:{'x' * 186}"
    assert caplog.messages == [f"a chat message of {named} was left unanswered: not in CHAT_ALLOW"]


def test_what_was_carried_out_is_answered_also_if_it_cannot_be_in_the_audit(
    chat: Chat, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(SQLiteServiceState):
        def add_audit(self, entry: AuditEntry) -> None:
            raise ServiceError("the disk is full")

    chat.desk.service = replace(chat.service, state=Full(tmp_path / "service.db"))
    assert chat("/schedule") == "Runs start only when somebody asks for one."
    assert caplog.messages == ["a chat command is not in the audit: the disk is full"]


def test_a_run_is_started_once_it_is_confirmed_and_its_end_is_told(chat: Chat) -> None:
    question = chat.asked("/run")
    assert question.button == "Start the run"
    assert chat.service.state.runs() == []
    assert chat(question.answer) == "Run 1 will start. You will be told how it ends."
    advance(chat.service)
    assert chat.desk.announcements() == []
    chat.processes.end(1, 0, RunStatus(RUN, exit_code=0, figures={"model": 40, "failed": 2}))
    advance(chat.service)
    assert chat.desk.announcements() == [(ANN, TextReply("Run 1: done, 42 tickets."))]
    assert chat.desk.announcements() == []


def test_who_asks_for_a_run_while_one_waits_is_told_so_and_both_hear_of_its_end(chat: Chat) -> None:
    other = Sender("telegram", "7", "8")
    chat.desk.allowed = [*chat.desk.allowed, AllowedSender(other, "operate")]
    for sender, told in ((ANN, "will start"), (other, "waits already")):
        assert chat(chat.asked("/run", sender).answer, sender) == f"Run 1 {told}. You will be told how it ends."
    advance(chat.service)
    chat.processes.end(1, 0)
    advance(chat.service)
    assert {sender for sender, _ in chat.desk.announcements()} == {ANN, other}


def test_the_ends_of_all_runs_since_the_last_time_are_told(chat: Chat) -> None:
    for number in (1, 2):
        chat(chat.asked("/run").answer)
        advance(chat.service)
        chat.processes.end(number, 0)
        advance(chat.service)
    assert chat.desk.announcements() == [(ANN, TextReply(f"Run {number}: done.")) for number in (1, 2)]


def test_a_button_that_is_pressed_twice_or_late_or_by_another_person_does_nothing(chat: Chat) -> None:
    first = chat.asked("/run")
    other = AllowedSender(Sender("telegram", "7", "8"), "operate")
    chat.desk.allowed = [*chat.desk.allowed, other]
    assert chat(first.answer, other.sender).startswith("there is nothing to confirm")
    chat(first.answer)
    assert chat(first.answer).startswith("there is nothing to confirm")
    late = chat.asked("/schedule 0 6 * * *")
    chat.clock.now += timedelta(seconds=61)
    assert chat(late.answer).startswith("there is nothing to confirm")
    assert len(chat.service.state.runs()) == 1
    assert chat.service.state.schedule() is None


def test_a_message_that_comes_twice_is_acted_on_once_also_after_a_restart(chat: Chat, tmp_path: Path) -> None:
    message = chat.message("/status")
    assert chat.desk.answer(message)
    assert chat.desk.answer(message) is None
    assert Chat(tmp_path).desk.answer(message) is None


def test_a_message_that_waited_while_the_service_was_down_is_left_out(chat: Chat) -> None:
    assert chat.desk.answer(chat.message("/run", sent=chat.clock() - timedelta(minutes=6))) is None


def test_the_schedule_is_shown_changed_and_stopped(chat: Chat) -> None:
    assert chat("/schedule") == "Runs start only when somebody asks for one."
    assert chat("/schedule 99 99 * * *").startswith("99 99 * * * is not a valid cron expression")
    assert "30 6 * * 1-5" in chat(chat.asked("/schedule 30 6 * * 1-5").answer)
    assert chat.service.state.schedule().changed_by == "telegram:7:7"  # type: ignore[union-attr]
    assert chat(chat.asked("/schedule off").answer) == "Runs start only when somebody asks for one."


def test_who_may_only_read_starts_and_changes_nothing(chat: Chat) -> None:
    for command in ("/run", "/schedule 0 6 * * *"):
        assert "may only read; this needs the scope operate" in chat(command, BOB)
    assert "No run is in progress." in chat("/status", BOB)


def test_the_list_of_deliveries_and_the_newest_report_come_as_files(chat: Chat, tmp_path: Path) -> None:
    sent = chat.desk.answer(chat.message("/sent"))
    assert isinstance(sent, FileReply)
    assert sent.content == b"file,state\n"
    assert chat("/report").startswith("there is no report yet")
    chat.reports = [report(tmp_path), report(tmp_path, "20261127T130000Z-0000")]
    newest = chat.desk.answer(chat.message("/report"))
    assert isinstance(newest, FileReply)
    assert newest.path == chat.reports[1].report.path
    named = chat.desk.answer(chat.message(f"/report {RUN}"))
    assert isinstance(named, FileReply)
    assert named.path == chat.reports[0].report.path


@pytest.mark.parametrize("argument", ["../reports.db", "x", "20261127T120000Z-ffff", RUN + "/.."])
def test_a_report_is_found_by_the_id_of_its_run_alone(chat: Chat, tmp_path: Path, argument: str) -> None:
    chat.reports = [report(tmp_path)]
    assert isinstance(chat.desk.answer(chat.message(f"/report {argument}")), TextReply)


def test_a_report_that_is_gone_from_the_folder_comes_from_the_store(chat: Chat, tmp_path: Path) -> None:
    store = open_store((tmp_path / "store").as_uri(), {})
    store.put_new(f"reports/2026/11/{RUN}-{'0' * 16}.xlsx", b"workbook")
    chat.desk.files = replace(chat.desk.files, store=store)
    reply = chat.desk.answer(chat.message(f"/report {RUN}"))
    assert reply == FileReply(f"ticket-attribution-{RUN}.xlsx", RUN, b"workbook")
    assert chat("/report 20261127T120000Z-ffff").startswith(
        "the run 20261127T120000Z-ffff has no report. The list of reports shows"
    )


def test_a_report_that_the_platform_does_not_take_is_told_before_it_is_sent(chat: Chat, tmp_path: Path) -> None:
    chat.reports = [report(tmp_path, size=60_000_000)]
    assert "has 60 MB, and this chat takes at most 50 MB" in chat("/report")


def test_logs_are_cleaned_and_shown_in_private_chats_alone(chat: Chat) -> None:
    assert chat("/logs") == "Nothing was printed yet."
    chat.service.state.request_run("api", "ann", chat.clock(), dry_run=False, key="")
    chat.processes.log = lambda run, lines: ["the secret word"] * lines  # type: ignore[method-assign]
    assert chat("/logs 2") == "the *** word\nthe *** word"
    assert chat("/logs", BOB) == "logs are shown in private chats alone."
    assert isinstance(chat.desk.answer(chat.message("/logs 500")), FileReply)
    for wrong in ("-1", "x", "999999"):
        assert chat(f"/logs {wrong}").startswith("that is not a number of lines")


def test_the_status_says_what_waits(chat: Chat, tmp_path: Path) -> None:
    chat.reports = [report(tmp_path), replace(report(tmp_path), state="in_doubt")]
    chat(chat.asked("/run").answer)
    advance(chat.service)
    assert "Run 1 has started." in chat("/status")
    chat.processes.reported[1] = RunStatus(RUN, "classify", 3, 14)
    assert "Run 1 is in the stage classify, 3 of 14 tickets." in chat("/status")
    chat.processes.end(1, -9)
    advance(chat.service)
    status = chat("/status")
    assert "Run 1: killed" in status
    assert "2 reports pending, 1 in doubt." in status


def test_every_command_is_in_the_audit_with_its_outcome(chat: Chat) -> None:
    chat("/schedule x")
    (entry,) = chat.service.state.audit()
    assert (entry.who, entry.action, entry.detail) == ("telegram:7:7", "chat schedule", "x")
    assert entry.outcome.startswith("refused: ")
    for command in ("/help", "/nothing", "/status"):
        chat(command)
    assert [entry.outcome for entry in chat.service.state.audit()[:3]] == ["done", "help", "help"]


def test_many_commands_and_many_wrong_confirmations_make_the_sender_wait(chat: Chat) -> None:
    for _ in range(5):
        chat("/confirm wrong")
    assert chat("/run").startswith("too many wrong confirmations")
    chat.clock.now += timedelta(minutes=6)
    assert chat.asked("/run").button
    for _ in range(30):
        last = chat("/help")
    assert last == "Too many commands. Wait a minute."


IDLE = (
    "No run is in progress.\nNo run that the service started has ended yet.\nNo schedule is set.\n"
    "0 reports pending, 0 in doubt."
)


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("/report x", "that is not the id of a run. An id is like 20261123T150301Z-7f3a."),
        ("/report", "there is no report yet."),
        ("/logs x", "that is not a number of lines. Write, for example, /logs 50."),
        ("/confirm x", "there is nothing to confirm. Send the command again."),
        (
            "/status",
            IDLE,
        ),
    ],
)
def test_the_whole_answer_to_a_command(chat: Chat, command: str, reply: str) -> None:
    assert chat(command) == reply


def test_the_status_names_the_last_run_and_the_next_one_time_of_the_schedule(chat: Chat, tmp_path: Path) -> None:
    held, doubt, sent = (replace(report(tmp_path), state=state) for state in ("held", "in_doubt", "sent"))
    chat.reports = [report(tmp_path), report(tmp_path), held, doubt, sent]
    chat(chat.asked("/schedule 30 6 * * *").answer)
    chat(chat.asked("/run").answer)
    advance(chat.service)
    chat.processes.end(1, 5, RunStatus(RUN, exit_code=5, message="The quota is used up.", figures={"model": 1}))
    advance(chat.service)
    assert chat("/status").split("\n") == [
        "No run is in progress.",
        "Run 1: done in part (exit code 5), 1 ticket. The quota is used up.",
        "Next run: 2026-11-28 06:30 UTC.",
        "4 reports pending, 2 in doubt.",
    ]


def test_an_undo_is_not_the_last_run_of_the_status(chat: Chat) -> None:
    chat.service.state.request_run("page", "ann", chat.clock(), dry_run=False, key="", undo=Undo("a"))
    advance(chat.service)
    chat.processes.end(1, 0)
    advance(chat.service)
    assert "No run that the service started has ended yet." in chat("/status")


def test_the_schedule_is_told_with_its_next_five_times(chat: Chat) -> None:
    question = chat.asked("/schedule 30 6 * * *")
    assert question == TextReply("Change the schedule to 30 6 * * *?", "Change the schedule", "/confirm secret0")
    days = "\n".join(f"2026-{day} 06:30 UTC" for day in ("11-28", "11-29", "11-30", "12-01", "12-02"))
    assert chat(question.answer) == chat("/schedule") == f"Runs start at 30 6 * * *. Next times:\n{days}"
    assert chat.asked("/schedule off").text == "Change the schedule to off?"


@pytest.mark.parametrize(("seconds", "starts"), [(59, True), (60, True), (61, False)])
def test_a_confirmation_is_good_for_a_minute(chat: Chat, seconds: int, starts: bool) -> None:
    question = chat.asked("/run")
    chat.clock.now += timedelta(seconds=seconds)
    chat(question.answer)
    assert bool(chat.service.state.runs()) == starts


@pytest.mark.parametrize(("seconds", "answered"), [(299, True), (300, True), (301, False)])
def test_a_message_is_acted_on_for_five_minutes(chat: Chat, seconds: int, answered: bool) -> None:
    reply = chat.desk.answer(chat.message("/help", sent=chat.clock() - timedelta(seconds=seconds)))
    assert (reply is not None) == answered
    (entry,) = chat.service.state.audit()
    assert entry.outcome == ("help" if answered else "refused: older than 5 minutes")


@pytest.mark.parametrize(("wrong", "refused"), [(4, False), (5, True)])
@pytest.mark.parametrize("minutes", [0, 5])
def test_the_fifth_wrong_confirmation_is_followed_by_a_pause_of_five_minutes(
    chat: Chat, wrong: int, refused: bool, minutes: int
) -> None:
    for _ in range(wrong):
        chat("/confirm wrong")
    chat.clock.now += timedelta(minutes=minutes)
    said = chat("/run")
    assert said == ("too many wrong confirmations. Wait five minutes." if refused else "Start a run?")
    chat.clock.now += timedelta(minutes=5 - minutes, seconds=1)
    assert chat("/run") == "Start a run?"


def test_twenty_commands_a_minute_are_carried_out_and_the_next_one_is_in_the_audit_as_refused(chat: Chat) -> None:
    replies = [chat("/schedule") for _ in range(21)]
    assert replies == ["Runs start only when somebody asks for one."] * 20 + ["Too many commands. Wait a minute."]
    assert [entry.outcome for entry in chat.service.state.audit()] == ["refused: too many", *["done"] * 20]
    chat.clock.now += timedelta(minutes=1)
    assert chat("/schedule") == "Too many commands. Wait a minute."
    chat.clock.now += timedelta(seconds=1)
    assert chat("/schedule") == replies[0]


@pytest.mark.parametrize(("argument", "lines"), [("", 20), ("1", 1), ("500", 500), ("501", 500), ("99999", 500)])
def test_so_many_lines_of_the_log_are_shown(chat: Chat, argument: str, lines: int) -> None:
    chat.service.state.request_run("api", "ann", chat.clock(), dry_run=False, key="")
    chat.processes.log = lambda run, lines: ["x"] * lines  # type: ignore[method-assign]
    assert chat(f"/logs {argument}") == "\n".join("x" * lines)


@pytest.mark.parametrize("size", [2999, 3000])
def test_a_long_log_is_a_file(chat: Chat, size: int) -> None:
    chat.service.state.request_run("api", "ann", chat.clock(), dry_run=False, key="")
    chat.processes.log = lambda run, lines: ["x" * size]  # type: ignore[method-assign]
    reply = chat.desk.answer(chat.message("/logs"))
    assert reply == (TextReply("x" * size) if size < 3000 else FileReply("log.txt", "", b"x" * size))


def test_a_file_has_the_name_and_the_words_that_a_person_needs(chat: Chat, tmp_path: Path) -> None:
    sent = chat.desk.answer(chat.message("/sent"))
    assert sent == FileReply(
        "ticketattr-deliveries-20261127T120000Z.csv", "Every report of every message.", b"file,state\n"
    )
    chat.reports = [report(tmp_path)]
    path = chat.reports[0].report.path
    assert chat.desk.answer(chat.message("/report")) == FileReply(path.name, RUN, path=path)


@pytest.mark.parametrize("size", [50_000_000, 50_000_001])
def test_a_file_of_the_size_that_the_platform_takes_is_sent_and_a_larger_one_is_not(
    chat: Chat, tmp_path: Path, size: int
) -> None:
    chat.reports = [report(tmp_path, size=size)]
    reply = chat.desk.answer(chat.message("/report"))
    name = chat.reports[0].report.path.name
    refused = f"{name} has 50 MB, and this chat takes at most 50 MB. Download it from the page of the service."
    assert reply == (TextReply(refused) if size > 50_000_000 else FileReply(name, RUN, path=tmp_path / name))
    chat.desk.max_file.clear()  # a platform without a limit
    assert isinstance(chat.desk.answer(chat.message("/report")), FileReply)


@pytest.mark.parametrize("text", ["/" + "x" * 100_000, "/", "!!", "/\0", "/help"])
def test_a_strange_command_is_answered_with_the_list(chat: Chat, text: str) -> None:
    assert chat(text).startswith("/status:")


def test_the_list_names_every_command_but_the_one_that_a_button_sends(chat: Chat) -> None:
    listed = [re.split("[: ]", line[1:])[0] for line in chat("/help").split("\n")]
    assert listed == [name for name in CHAT_COMMANDS if name != "confirm"]


@pytest.mark.parametrize("argument", ["x" * 100_000, "9" * 100_000, "* " * 50_000, "\0" * 100_000])
@pytest.mark.parametrize("name", CHAT_COMMANDS)
def test_an_argument_of_100_kilobytes_gets_a_short_answer_and_a_short_entry_in_the_audit(
    chat: Chat, name: str, argument: str
) -> None:
    reply = chat.desk.answer(chat.message(f"/{name} {argument}"))
    (entry,) = chat.service.state.audit()
    assert len(reply.caption if isinstance(reply, FileReply) else reply.text) < 1000  # type: ignore[union-attr]
    assert max(map(len, (entry.action, entry.detail, entry.outcome))) <= 300


@pytest.mark.parametrize("text", ["hello", "", "run", "x" * 100_000])
def test_what_is_no_command_gets_no_answer(chat: Chat, text: str) -> None:
    assert chat.desk.answer(chat.message(text)) is None


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/logs 50", ("logs", "50")),
        ("/logs@our_bot  50 ", ("logs", "50")),
        ("!run", ("run", "")),
        ("/SCHEDULE 30  6 * * *", ("schedule", "30 6 * * *")),
        ("logs", None),
    ],
)
def test_a_command_has_a_name_and_an_argument(text: str, command: tuple[str, str] | None) -> None:
    assert parse_command(text) == command


@pytest.mark.parametrize(
    ("entry", "allowed"),
    [
        ("telegram:-100:42:read", AllowedSender(Sender("telegram", "-100", "42"), "read")),
        (
            "matrix:!room:loop.test:@ann:loop.test:operate",
            AllowedSender(Sender("matrix", "!room:loop.test", "@ann:loop.test"), "operate"),
        ),
    ],
)
def test_who_is_allowed_is_read(entry: str, allowed: AllowedSender) -> None:
    assert parse_allowed(entry) == allowed


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "telegram:1:2",
        "telegram:1:2:admin",
        "telegram:ann:2:read",
        "matrix:room:@a:b:read",
        "slack:1:2:read",
        "telegram:1:*:read",
    ],
)
def test_a_mistake_in_who_is_allowed_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="it "):
        parse_allowed(entry)
