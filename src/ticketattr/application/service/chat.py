"""Carry out the commands that people send in a chat."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from ...domain.access import Caller
from ...domain.chat import (
    CHAT_COMMANDS,
    AllowedSender,
    ChatMessage,
    FileReply,
    Platform,
    Reply,
    Sender,
    TextReply,
    parse_command,
)
from ...domain.report_status import ReportStatus
from ...domain.run_id import is_run_id
from ...domain.service_run import AuditEntry, ServiceRun
from ...domain.wording import counted
from ...errors import InputError, TicketAttrError
from ..report import report_name
from ..report_store import ReportStore
from .report_files import newest_report, workbook_of_run
from .runs import Service, change_schedule, current_run, log_of, next_times, request_run, schedule_of

CONFIRMATION = timedelta(seconds=60)
"""How long a costly command waits for its confirmation."""

OLDEST = timedelta(minutes=5)
"""Messages that waited longer, because the service was down, are not acted on: who sent them has given up."""

_WRONG, _PAUSE = 5, timedelta(minutes=5)
_MOST_COMMANDS, _WINDOW = 20, timedelta(minutes=1)
_LINES, _MOST_LINES = 20, 500
_HELP = """/status: what runs, and what waits for a person
/run: start a run
/schedule: show the schedule; /schedule 30 6 * * 1-5: change it; /schedule off: start no run by schedule
/sent: the list of deliveries, as a file
/report: the newest report; /report RUN: that of another run
/logs 50: the last lines of the log of the latest run
/help: this list"""

log = logging.getLogger(__name__)


class ChatPlatform(Protocol):
    """A place where people write. It connects to the outside; nobody connects to it."""

    @property
    def name(self) -> Platform: ...

    @property
    def max_file(self) -> int:
        """The largest file that it takes, in bytes."""

    async def receive(self) -> Sequence[ChatMessage]:
        """The messages that came, after waiting for them for a while. Raises ServiceError or SettingsError."""

    async def send(self, chat: str, reply: Reply) -> None:
        """Send a reply to a chat. Raises ServiceError or SettingsError."""

    async def close(self) -> None:
        """End all connections."""


@dataclass(frozen=True, slots=True)
class ChatFiles:
    """Where files come from: reports, the list of deliveries as CSV, and the store. `cleaned` cleans a log line."""

    reports: Callable[[], list[ReportStatus]]
    deliveries: Callable[[], bytes]
    cleaned: Callable[[str], str]
    store: ReportStore | None = None


@dataclass(slots=True)
class _Waiting:
    """A command that waits for its confirmation."""

    sender: Sender
    until: datetime
    act: Callable[[], str]


@dataclass(slots=True)
class ChatDesk:
    """Carries out commands, one at a time. `random` returns a text that nobody can guess.

    `max_file`: the largest file of each platform, in bytes. Confirmations, pauses and the runs whose end is announced
    are forgotten when the service ends.
    """

    service: Service
    allowed: Sequence[AllowedSender]
    files: ChatFiles
    random: Callable[[], str]
    max_file: dict[Platform, int] = field(default_factory=dict)
    _waiting: dict[str, _Waiting] = field(default_factory=dict)
    _wrong: dict[Sender, deque[datetime]] = field(default_factory=dict)
    _recent: dict[Sender, deque[datetime]] = field(default_factory=dict)
    _followed: dict[int, set[Sender]] = field(default_factory=dict)

    def answer(self, message: ChatMessage) -> Reply | None:
        """What to reply; None for a stranger, for a text that is no command, and for a message that came before."""
        now, sender = self.service.clock(), message.sender
        allowed = next((one for one in self.allowed if one.sender == sender), None)
        if not allowed:
            log.warning(
                "a chat message of %s was left unanswered: not in CHAT_ALLOW", self.files.cleaned(str(sender)[:200])
            )
            return None
        command = parse_command(message.text)
        # Claimed before it is acted on: after a crash, a command is rather lost than carried out twice.
        if not command or not self.service.state.claim(f"{sender.platform}:{message.id}", now):
            return None
        name, argument = command
        caller = Caller(str(sender), allowed.scope, sender.platform)
        reply, outcome = self._carried_out(message, caller, name, argument, now)
        entry = AuditEntry(now, caller.name, caller.origin, f"chat {name[:20]}", argument[:200], outcome)
        try:
            self.service.state.add_audit(entry)
        except TicketAttrError as error:
            # It was carried out: whoever sent it shall know.
            log.error("a chat command is not in the audit: %s", error)
        return reply

    def announcements(self) -> list[tuple[Sender, Reply]]:
        """What to tell those who asked for runs that ended meanwhile. An error forgets none of them."""
        told: list[tuple[Sender, Reply]] = []
        for number, run in {number: self.service.state.run(number) for number in self._followed}.items():
            if run is None or run.is_over:
                senders = self._followed.pop(number)
                told += [(sender, TextReply(_end_of(run))) for sender in senders if run]
        return told

    def _carried_out(
        self, message: ChatMessage, caller: Caller, name: str, argument: str, now: datetime
    ) -> tuple[Reply | None, str]:
        if now - message.sent > OLDEST:
            return None, f"refused: older than {OLDEST.seconds // 60} minutes"
        if _is_full(self._recent, message.sender, now, _MOST_COMMANDS, _WINDOW):
            return TextReply("Too many commands. Wait a minute."), "refused: too many"
        commands = {
            "status": self._status,
            "run": self._run,
            "schedule": self._schedule,
            "sent": self._sent,
            "report": self._report,
            "logs": self._logs,
            "confirm": self._confirm,
        }
        # Metrics and the counts of the service know these names alone.
        if name not in CHAT_COMMANDS or name == "help":
            return TextReply(_HELP), "help"
        try:
            return commands[name](message, caller, argument), "done"
        except TicketAttrError as error:
            return TextReply(f"{error}. {error.hint}".strip()), f"refused: {error}"

    def _status(self, message: ChatMessage, caller: Caller, argument: str) -> Reply:
        reports = self.files.reports()
        pending = sum(status.is_pending for status in reports)
        doubt = sum(status.state in ("in_doubt", "held") for status in reports)
        last = next((run for run in self.service.state.runs(limit=20) if run.is_over and not run.undo), None)
        due = next_times(self.service)
        running = current_run(self.service)
        lines = (
            f"{running.progress_text}." if running else "No run is in progress.",
            _end_of(last) if last else "No run that the service started has ended yet.",
            f"Next run: {due[0]:%Y-%m-%d %H:%M} UTC." if due else "No schedule is set.",
            f"{counted(pending, 'report')} pending, {doubt} in doubt.",
        )
        return TextReply("\n".join(lines))

    def _run(self, message: ChatMessage, caller: Caller, argument: str) -> Reply:
        def act() -> str:
            run, is_new = request_run(self.service, caller, "chat")
            self._followed.setdefault(run.number, set()).add(message.sender)
            return f"Run {run.number} {'will start' if is_new else 'waits already'}. You will be told how it ends."

        return self._asked(message, caller, "Start a run?", "Start the run", act)

    def _schedule(self, message: ChatMessage, caller: Caller, argument: str) -> Reply:
        if not argument:
            return TextReply(_schedule_shown(self.service))
        cron = "" if argument == "off" else argument
        if cron:
            # Refused now, and not after the confirmation.
            self.service.cron.next_times(cron, self.service.clock(), 1)

        def act() -> str:
            change_schedule(self.service, caller, cron)
            return _schedule_shown(self.service)

        return self._asked(message, caller, f"Change the schedule to {cron or 'off'}?", "Change the schedule", act)

    def _sent(self, message: ChatMessage, caller: Caller, argument: str) -> Reply:
        content = self.files.deliveries()
        name = f"ticketattr-deliveries-{self.service.clock():%Y%m%dT%H%M%SZ}.csv"
        return self._fitting(message, FileReply(name, "Every report of every message.", content), len(content))

    def _report(self, message: ChatMessage, caller: Caller, argument: str) -> Reply:
        if argument and not is_run_id(argument):
            raise InputError("that is not the id of a run", hint="An id is like 20261123T150301Z-7f3a.")
        reports = self.files.reports()
        report = workbook_of_run(reports, argument, self.files.store) if argument else newest_report(reports)
        if isinstance(report, bytes):
            return self._fitting(message, FileReply(report_name(argument), argument, report), len(report))
        return self._fitting(message, FileReply(report.path.name, report.run_id, path=report.path), report.size)

    def _logs(self, message: ChatMessage, caller: Caller, argument: str) -> Reply:
        if not message.is_private:
            raise InputError("logs are shown in private chats alone")
        if argument and not (argument.isdecimal() and len(argument) < 6):
            raise InputError("that is not a number of lines", hint="Write, for example, /logs 50.")
        runs = self.service.state.runs(limit=1)
        wanted = min(int(argument), _MOST_LINES) if argument else _LINES
        lines = [self.files.cleaned(line) for line in log_of(self.service, runs[0], wanted)] if runs else []
        if not lines:
            return TextReply("Nothing was printed yet.")
        text = "\n".join(lines)
        return TextReply(text) if len(text) < 3000 else FileReply("log.txt", "", text.encode())

    def _confirm(self, message: ChatMessage, caller: Caller, argument: str) -> Reply:
        now = self.service.clock()
        waiting = self._waiting.get(argument)
        # A button belongs to who got it, also in a group in which everybody can press it.
        if not waiting or waiting.sender != message.sender or now > waiting.until:
            _is_full(self._wrong, message.sender, now, _WRONG, _PAUSE)
            raise InputError("there is nothing to confirm", hint="Send the command again.")
        del self._waiting[argument]
        return TextReply(waiting.act())

    def _asked(self, message: ChatMessage, caller: Caller, question: str, button: str, act: Callable[[], str]) -> Reply:
        """A question whose button does `act` once."""
        now = self.service.clock()
        if not caller.may("operate"):
            raise InputError(caller.refusal)
        if _count(self._wrong, message.sender, now, _PAUSE) >= _WRONG:
            raise InputError("too many wrong confirmations", hint="Wait five minutes.")
        self._waiting = {token: one for token, one in self._waiting.items() if one.until >= now}
        token = self.random()
        self._waiting[token] = _Waiting(message.sender, now + CONFIRMATION, act)
        return TextReply(question, button, f"/confirm {token}")

    def _fitting(self, message: ChatMessage, reply: FileReply, size: int) -> Reply:
        most = self.max_file.get(message.sender.platform, size)
        if size <= most:
            return reply
        raise InputError(
            f"{reply.name} has {size // 1_000_000} MB, and this chat takes at most {most // 1_000_000} MB",
            hint="Download it from the page of the service.",
        )


def _schedule_shown(service: Service) -> str:
    schedule = schedule_of(service)
    if not schedule.cron:
        return "Runs start only when somebody asks for one."
    times = "\n".join(f"{time:%Y-%m-%d %H:%M} UTC" for time in next_times(service))
    return f"Runs start at {schedule.cron}. Next times:\n{times}"


def _end_of(run: ServiceRun) -> str:
    tickets = f", {counted(sum(run.figures.values()), 'ticket')}" if run.figures else ""
    message = f" {run.message}" if run.message else ""
    return f"{run.name}: {run.state_text}{tickets}.{message}"


def _count(times: dict[Sender, deque[datetime]], sender: Sender, now: datetime, window: timedelta) -> int:
    seen = times.setdefault(sender, deque())
    while seen and now - seen[0] > window:
        seen.popleft()
    return len(seen)


def _is_full(times: dict[Sender, deque[datetime]], sender: Sender, now: datetime, most: int, window: timedelta) -> bool:
    """Count one more, and say whether there were `most` before within the window."""
    is_full = _count(times, sender, now, window) >= most
    times[sender].append(now)
    return is_full
