"""Processes of the program that begin with all modules imported: a start takes hundredths of the processor's time.

    python -m tests.warm_program DESCRIPTOR

is a server, which forks a process for each order that it reads from the socket with that number. The process is like
one that `python -m ticketattr` starts: its streams are those of the order, open or closed, it handles signals, and it
ends as the interpreter ends. What a start itself imports is tested in tests/test_startup.py.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # there are no limits, and no forks, on Windows
    resource = None  # type: ignore[assignment]

MODULES = (
    *(f"ticketattr.entrypoint.commands.{name}" for name in ("check", "run", "fetch", "classify", "report", "send")),
    *(f"ticketattr.entrypoint.commands.{name}" for name in ("apply", "pending", "serve", "changes", "corrections")),
    *("ticketattr.entrypoint.web.app", "ticketattr.infrastructure.helpdesk.webhook"),
    *("anyio._backends._asyncio", "httpcore", "numpy", "openpyxl", "rich.table", "uvicorn", "xlsxwriter"),
)
"""What is imported once. An order may need others: it imports them itself."""

STREAMS = (("stdin", "r", "strict"), ("stdout", "w", "strict"), ("stderr", "w", "backslashreplace"))


Stream = int | None
"""A descriptor, `subprocess.DEVNULL`, or None for a stream that is closed."""


@dataclass
class Program:
    """A process that was started, as `subprocess.Popen` shows it."""

    pid: int
    status: Any = field(repr=False)
    returncode: int | None = None

    def wait(self, timeout: float = 60) -> int:
        if self.returncode is None:
            if not select.select([self.status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("ticketattr", timeout)
            self.returncode = int(self.status.readline())
            self.status.close()
        return self.returncode

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class WarmPrograms:
    """The server, and the connection to it."""

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair()
        with theirs:
            self.server = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=Path(__file__).parents[1],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self.lock = threading.Lock()

    def start(
        self,
        *arguments: str,
        folder: Path,
        environment: Mapping[str, str],
        streams: Sequence[Stream],
        file_size: int | None = None,
    ) -> Program:
        """Start `ticketattr` with these arguments and three streams. No file can grow beyond `file_size` bytes."""
        given = {number: stream for number, stream in enumerate(streams) if stream not in (None, subprocess.DEVNULL)}
        order = {
            "arguments": arguments,
            "folder": str(folder),
            "environment": dict(environment),
            "given": list(given),
            "closed": [number for number, stream in enumerate(streams) if stream is None],
            "file_size": file_size,
        }
        reader, writer = os.pipe()
        descriptors = [writer, *given.values()]
        status = os.fdopen(reader, "r", buffering=1, encoding="ascii")
        with self.lock:
            socket.send_fds(self.socket, [json.dumps(order).encode() + b"\n"], descriptors)
            os.close(writer)
            pid = status.readline()
        return Program(int(pid), status)

    def end(self) -> None:
        self.socket.close()
        self.server.wait(10)


_started = cache(WarmPrograms)
_starting = threading.Lock()


def warm_programs() -> WarmPrograms:
    """The server of these tests, which the first call starts, also if several threads call at once."""
    with _starting:
        return _started()


def end_warm_programs() -> None:
    if _started.cache_info().currsize:
        _started().end()


def _next_order(orders: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next order in a process that is to execute it, or None when there will be none."""
    while True:
        text, descriptors, _, _ = socket.recv_fds(orders, 65536, 1 + len(STREAMS))
        if not text:
            return None
        while not text.endswith(b"\n"):
            text += orders.recv(65536)
        keeper = os.fork()
        if keeper == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            status, *streams = descriptors
            child = os.fork()
            if child == 0:
                os.close(status)
                return json.loads(text), streams
            _tell_status(child, status, streams)
        for descriptor in descriptors:
            os.close(descriptor)


def _tell_status(child: int, status: int, streams: Sequence[int]) -> None:
    """Write the number of the process, and how it ended, and end."""
    for stream in streams:
        os.close(stream)
    os.write(status, b"%d\n" % child)
    _, ended = os.waitpid(child, 0)
    with suppress(BrokenPipeError):  # nobody asks any more
        os.write(status, b"%d\n" % os.waitstatus_to_exitcode(ended))
    os._exit(0)


def _become(order: dict[str, Any], streams: list[int]) -> None:
    """Take over the streams, the folder, the environment and the limit of the order."""
    for number, (name, mode, errors) in enumerate(STREAMS):
        if number in order["closed"]:
            os.close(number)
            setattr(sys, name, None)
        else:
            source = streams.pop(0) if number in order["given"] else os.open(os.devnull, os.O_RDWR)
            os.dup2(source, number)
            os.close(source)
            buffering = 1 if name == "stderr" else -1
            stream = open(number, mode, buffering, encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    tempfile.tempdir = None  # TMPDIR may be another one
    sys.argv[1:] = order["arguments"]
    if order["file_size"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_size"], order["file_size"]))


def main() -> None:
    for name in MODULES:
        import_module(name)
    # Or each process would search what was imported for garbage when it ends, which takes most of its time.
    gc.collect()
    gc.freeze()
    orders = socket.socket(fileno=int(sys.argv[1]))
    # Ctrl+C ends the tests, and with them the server. The system forgets at once how the processes between ended.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    ordered = _next_order(orders)
    orders.close()
    if ordered is None:
        os._exit(0)  # at once: to take down all modules takes seconds on a busy machine
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _become(*ordered)
    import_module("ticketattr.entrypoint.cli").main()


if __name__ == "__main__":
    main()
