"""The list of 10,000 reports at 200 requests a second, against a bare route of the same server, and the memory.

Also alone: `python -m tests.bench.service`. Latency counts from the moment at which a request is due, so that one slow
answer is not hidden by the requests that wait for it. Linux only.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ticketattr.entrypoint.web.slow_clients import LimitedProtocol

from .folder import write_workbooks

ROOT = Path(__file__).parents[2]
REPORTS, RATE, ROUND, ROUNDS = 10_000, 200, 5.0, 4
"""ROUND is in seconds; service and bare route take turns."""

WARM_UP, REQUESTS, CONNECTIONS = 3_000, 30_000, 16
PATH = "/api/v1/reports"
SETTINGS = {
    "HELPDESK_API_URL": str(ROOT / "examples" / "tickets.json"),
    "SERVICE_CATALOG_URL": str(ROOT / "examples" / "catalog.yaml"),
    "CLASSIFIER": "offline",
    "EMAIL_TRANSPORT": "file",
    "EMAIL_SENDER": "desk@example.com",
    "EMAIL_RECIPIENT": "lead@example.com",
    "CODEBASE_URL": "https://example.com/code",
    "METRICS_PORT": "0",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_workbooks(folder / "output", REPORTS)
        token = program(folder, "--quiet", "token", "create", "bench").strip()
        program(folder, "--quiet", "pending", "adopt")
        head = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        with service(folder) as (process, port):
            size = asyncio.run(first_answer(port, head))
            with bare_route(size) as bare:
                compare(head, port, bare, size)
            memory(process.pid, port, head)


def compare(head: bytes, port: int, bare: int, size: int) -> None:
    """Print the latencies of both, and their ratios."""
    ours: list[float] = []
    base: list[float] = []
    for _ in range(ROUNDS):
        base += asyncio.run(at_rate(bare, head))
        ours += asyncio.run(at_rate(port, head))
    (median, p99), (base_median, base_p99) = (
        (1000 * cuts[49], 1000 * cuts[98]) for cuts in (statistics.quantiles(side, n=100) for side in (ours, base))
    )
    print(
        f"list of {REPORTS:,} reports, {size // 1000} kB, {RATE} requests a second, {len(ours):,} in all: "
        f"median {median:.1f} ms, {median / base_median:.1f} x a bare route ({base_median:.1f} ms); "
        f"p99 {p99:.1f} ms, {p99 / base_p99:.1f} x ({base_p99:.1f} ms)",
        flush=True,
    )


def memory(pid: int, port: int, head: bytes) -> None:
    """Print what requests at full speed leave in memory, and what they cost."""
    asyncio.run(at_full_speed(port, head, WARM_UP))
    before, cpu, start = resident(pid), cpu_seconds(pid), time.perf_counter()
    asyncio.run(at_full_speed(port, head, REQUESTS))
    seconds = time.perf_counter() - start
    print(
        f"{REQUESTS:,} lists at full speed after {WARM_UP:,}: memory {before:.1f} MB, then {resident(pid):.1f} MB; "
        f"{REQUESTS / seconds:.0f} a second, {1000 * (cpu_seconds(pid) - cpu) / REQUESTS:.2f} ms of CPU each",
        flush=True,
    )


def program(folder: Path, *arguments: str) -> str:
    """What the program prints to stdout."""
    command = [sys.executable, "-m", "ticketattr", *arguments]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **SETTINGS}, check=True, stdout=subprocess.PIPE)
    return done.stdout.decode()


@contextmanager
def service(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A service over that folder, and its port."""
    port = free_port()
    settings = {**os.environ, **SETTINGS, "SERVE_PORT": f"{port}"}
    command = [sys.executable, "-m", "ticketattr", "serve"]
    with subprocess.Popen(command, cwd=folder, env=settings, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("listening on ")
        yield process, port
        process.terminate()


@contextmanager
def bare_route(size: int) -> Iterator[int]:
    """The port of a server of the same kind, whose only route answers `size` bytes."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "tests.bench.service", f"{port}", f"{size}"], cwd=ROOT) as process:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield port
        process.terminate()


def serve_bare(port: int, size: int) -> None:
    body = b"x" * size

    async def answer(request: Request) -> Response:
        return Response(body)

    uvicorn.run(Starlette(routes=[Route(PATH, answer)]), port=port, http=LimitedProtocol, log_config=None)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def first_answer(port: int, head: bytes) -> int:
    """The size of the answer, once the service has read all workbooks."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    size = await ask(reader, writer, head)
    writer.close()
    return size


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> int:
    """Send a request and read the whole answer; returns the size of its body."""
    writer.write(head)
    answer = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert answer.startswith(b"http/1.1 200"), answer
    length = int(answer.partition(b"content-length:")[2].split(b"\r\n")[0])
    await reader.readexactly(length)
    return length


async def at_rate(port: int, head: bytes) -> list[float]:
    """Seconds from the moment at which each request was due to the end of its answer."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    loop = asyncio.get_running_loop()
    start = loop.time()

    async def one(number: int) -> float:
        due = start + number / RATE
        await asyncio.sleep(due - loop.time())
        connection = await free.get()
        await ask(*connection, head)
        free.put_nowait(connection)
        return loop.time() - due

    taken = await asyncio.gather(*(one(number) for number in range(int(RATE * ROUND))))
    while not free.empty():
        free.get_nowait()[1].close()
    return taken


async def at_full_speed(port: int, head: bytes, requests: int) -> None:
    """So many requests, over all connections at once, each as soon as the one before is answered."""

    async def some() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(requests // CONNECTIONS):
            await ask(reader, writer, head)
        writer.close()

    await asyncio.gather(*(some() for _ in range(CONNECTIONS)))


def resident(pid: int) -> float:
    """Resident memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1000


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        serve_bare(int(sys.argv[1]), int(sys.argv[2]))
    else:
        main()
