"""Runs `ticketattr` in child processes, and kills each at a given step.

    python crash_runner.py    (stdin: one JSON line a child; stdout: one JSON line a child)
    {"folder": …, "arguments": […], "settings": {…}, "window": "send", "kill_at": 17}  →  {"exit": -9, "steps": […]}
    {"folder": …, "arguments": […], "settings": {…}, "kill_after": 0.3}  →  {"exit": -9, "steps": []}

A step is one executed line of ticketattr or smtplib within the window. The window `send` is one attempt to send a
message, `apply` is all writing into the helpdesk, and `jobs` is all that is done about batch jobs, of which only what
makes, records and reads them counts. With `kill_at` 0, the child is not killed, and all steps are
returned. The program is not changed: the trace function of the interpreter counts the lines, and the child sends
SIGKILL to itself between two lines. With `kill_after`, it is killed after that many seconds, wherever it is.
"""

from __future__ import annotations

import json
import os
import signal
import smtplib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

# What the commands need is imported once here, not in each child.
import anyio._backends._asyncio  # noqa: F401
import filelock  # noqa: F401
import httpcore  # noqa: F401
import httpx  # noqa: F401
import numpy as np  # noqa: F401
import openpyxl  # noqa: F401
import pydantic  # noqa: F401
import rich.table  # noqa: F401
import stamina  # noqa: F401

import ticketattr.application.send
import ticketattr.entrypoint.commands.apply
import ticketattr.entrypoint.commands.corrections
import ticketattr.entrypoint.commands.jobs
import ticketattr.entrypoint.commands.pending
import ticketattr.entrypoint.commands.run
import ticketattr.entrypoint.commands.send
import ticketattr.infrastructure.classifiers.batch_journal
import ticketattr.infrastructure.classifiers.gemini.job_endpoint
import ticketattr.infrastructure.classifiers.llm.job_service
import ticketattr.infrastructure.delivery.eml_outbox
import ticketattr.infrastructure.delivery.smtp
import ticketattr.infrastructure.helpdesk.profile_writer
import ticketattr.infrastructure.reports.excel
from ticketattr.entrypoint.cli import app

OURS = Path(ticketattr.application.send.__file__).parents[1]
WINDOWS = {
    "send": ("_attempt", "application/send.py"),
    "apply": ("apply_attributions", "application/apply.py"),
    "restore": ("restore_log", "application/restore.py"),
    "upgrade": ("ensure_schema", "delivery/report_log_schema.py"),
    "import": ("import_corrections", "application/corrections.py"),
    "jobs": ("ask_in_jobs", "application/batch_jobs.py"),
}
"""By window, the function during whose call steps are counted, and its file."""

FILES = {
    "jobs": (
        "batch_jobs.py",
        "batch_journal.py",
        "sqlite_file.py",
        "job_service.py",
        "job_endpoint.py",
        "answer_cache.py",
    )
}
"""By window, the files whose lines count, if not all of ours."""


class Steps:
    def __init__(self, window: str, kill_at: int) -> None:
        self.function, self.file = WINDOWS[window]
        self.files = FILES.get(window, ("",))
        self.kill_at = kill_at
        self.seen: list[str] = []
        self.is_open = False

    def call(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        code = frame.f_code
        if code.co_name == self.function and code.co_filename.endswith(self.file):
            self.is_open = True
        # A frame that began before the window is called anew when it goes on inside: a generator, a coroutine.
        counts = self.is_open and _counts(code.co_filename) and code.co_filename.endswith(self.files)
        return self.line if counts else None

    def line(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        if event == "line" and self.is_open:
            self.seen.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}")
            if len(self.seen) == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
        if event == "return" and frame.f_code.co_name == self.function:
            self.is_open = False
        return self.line


def _counts(file: str) -> bool:
    return file == smtplib.__file__ or file.startswith(str(OURS))


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            run(order, writer)
        os.close(writer)
        if "kill_after" in order:
            kill_later(child, order["kill_after"])
        with os.fdopen(reader, "rb") as told:
            steps = told.read()
        _, status = os.waitpid(child, 0)
        answer = {"exit": os.waitstatus_to_exitcode(status), "steps": json.loads(steps or b"[]")}
        print(json.dumps(answer), flush=True)


def kill_later(child: int, seconds: float) -> None:
    """Kill the child after that time, unless it ends before."""
    deadline = time.monotonic() + seconds
    while not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        if time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
            return
        time.sleep(0.002)


def run(order: dict[str, Any], writer: int) -> None:
    """Run the program in the child process; never returns."""
    os.chdir(order["folder"])
    os.environ |= order["settings"]
    steps = Steps(order.get("window", "send"), order.get("kill_at", 0))
    code = 1
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        if "kill_after" not in order:
            sys.settrace(steps.call)
        app(order["arguments"])
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.settrace(None)
        with os.fdopen(writer, "wb") as tell:
            tell.write(json.dumps(steps.seen).encode())
        os._exit(code)


if __name__ == "__main__":
    main()
    os._exit(0)  # at once: to take down all modules takes seconds on a busy machine
