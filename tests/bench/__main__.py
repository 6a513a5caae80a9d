"""All measurements, one line for each figure.

Runs and start-up are measured as whole processes, the stages as calls in one process. Figures are medians of several
rounds. Where baseline and candidate take turns, a machine that slows down slows down both.
"""

from __future__ import annotations

import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
from sklearn.feature_extraction.text import TfidfVectorizer

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.ticket import AttributedTicket, Ticket
from ticketattr.infrastructure.catalog.source import YAMLCatalog
from ticketattr.infrastructure.classifiers.offline.classifier import OfflineClassifier
from ticketattr.infrastructure.helpdesk.ticket_file import TicketFile
from ticketattr.infrastructure.options import HelpdeskAccess, HTTPPolicy

from . import learning, service
from .folder import write_workbooks
from .helpdesk import helpdesk

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ROUNDS = 7
TICKETS = 5_000


PACKAGES = "httpx, pydantic, rich.console, ruamel.yaml, stamina, typer, xlsxwriter"

BATCH, CONCURRENCY, LATENCY = 30, 8, 0.25
ACTIONS = ("Order", "Repair", "Return", "Move", "Reset", "Install", "Update", "Unlock", "Extend", "Cancel")
THINGS = (
    *("laptop", "phone", "printer", "monitor", "badge", "password", "mailbox", "licence", "server", "database"),
    *("backup", "certificate", "router", "firewall", "account", "software", "dock", "keyboard", "headset", "scanner"),
)


def main() -> None:
    runs()
    print(helpdesk())
    model_calls()
    many_tickets()
    reports()
    service.main()
    learning.main()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        start_up()
        old_workbooks()
        large_queue()
        stages()


def runs() -> None:
    """Compares whole runs with the import of the packages that they need, which nobody could do without."""
    wall, cpu = median_times("-c", f"import {PACKAGES}")
    _, our_cpu = median_run(tickets=42, latency=0.0)
    print(
        f"run of 42 tickets, all services answer at once: {our_cpu:.2f} CPU s, "
        f"{our_cpu / cpu:.2f} x `import {PACKAGES}` ({cpu:.2f} CPU s)"
    )
    our_wall, _ = median_run(tickets=420, latency=2.0)
    above = our_wall - 4.0
    print(
        f"run of 420 tickets, 14 calls of 2 s, {CONCURRENCY} at once: {our_wall:.2f} s, {above:.2f} s above the ideal "
        f"(4.00 s), which is {above / wall:.2f} x that import ({wall:.2f} s)"
    )


def median_run(*, tickets: int, latency: float) -> tuple[float, float]:
    """Wall and CPU seconds of `ticketattr run`, each in a folder of its own."""
    with services(latency, tickets) as url:
        settings = {
            "HELPDESK_API_URL": f"{url}/tickets",
            "HELPDESK_API_KEY": "key",
            "HELPDESK_API_SECRET": "secret",
            "SERVICE_CATALOG_URL": f"{url}/catalog",
            "LLM_API_KEY": "key",
            "GOOGLE_GEMINI_BASE_URL": url,
            "EMAIL_TRANSPORT": "file",
            "EMAIL_SENDER": "desk@example.com",
            "EMAIL_RECIPIENT": "lead@example.com",
            "CODEBASE_URL": "https://example.com/code",
        }
        return median_times("-m", "ticketattr", "--quiet", "run", **settings)


def median_times(*arguments: str, **settings: str) -> tuple[float, float]:
    """Wall and CPU seconds of a Python process, with the bytecode that an installation has.

    An editable installation has none where PYTHONDONTWRITEBYTECODE is set: each run then compiles all modules anew.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as bytecode:
        environment |= settings | {"PYTHONPYCACHEPREFIX": bytecode}
        process_times(arguments, environment)  # compiles
        times = [process_times(arguments, environment) for _ in range(ROUNDS)]
    wall, cpu = (statistics.median(side) for side in zip(*times, strict=True))
    return wall, cpu


def process_times(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of a Python process in a new folder."""
    with tempfile.TemporaryDirectory() as folder:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def model_calls() -> None:
    """Compares with the ideal, in which a call takes its latency only, and with one call after the other."""
    with services(LATENCY) as url:
        for tickets in (420, 4_200):
            batches = math.ceil(tickets / BATCH)
            ideal = math.ceil(batches / CONCURRENCY) * LATENCY
            ours, one_by_one = classified(url, tickets, CONCURRENCY), classified(url, tickets, 1)
            print(
                f"{tickets:,} tickets, {CONCURRENCY} calls of {LATENCY} s at once: {ours['wall']:.2f} s, "
                f"{ours['wall'] / ideal:.2f} x the ideal ({ideal:.2f} s), "
                f"{one_by_one['wall'] / ours['wall']:.1f} times as fast as one by one ({one_by_one['wall']:.1f} s); "
                f"{4 * ours['tokens_in'] / tickets:.0f} characters out and {4 * ours['tokens_out'] / tickets:.0f} in "
                "for each ticket"
            )


def many_tickets() -> None:
    """Shows how time and memory grow with the number of tickets, without latency."""
    with services(0.0) as url:
        few, many = classified(url, 5_000, CONCURRENCY), classified(url, 50_000, CONCURRENCY)
    print(
        f"50,000 tickets at no latency: {many['cpu']:.1f} CPU s, {many['cpu'] / few['cpu']:.1f} x those of 5,000 "
        f"({few['cpu']:.1f}); peak memory {many['peak_mb']:.0f} MB ({few['peak_mb']:.0f} MB for 5,000)"
    )


@contextmanager
def services(latency: float, tickets: int = 0) -> Iterator[str]:
    """Their URL."""
    command = [sys.executable, "-m", "tests.bench.services", str(latency), str(tickets)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def classified(url: str, tickets: int, concurrency: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.classify", url, str(tickets), str(concurrency)]
    figures: dict[str, float] = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return figures


def reports() -> None:
    """Compares with openpyxl in its normal mode, with the same columns and a style for each cell."""
    for tickets in (10_000, 100_000):
        ours, plain = written("ours", tickets), written("plain", tickets)
        print(
            f"report of {tickets:,} tickets: {ours['seconds']:.1f} s, {ours['seconds'] / plain['seconds']:.2f} x plain "
            f"openpyxl ({plain['seconds']:.1f} s); {ours['added_mb']:.0f} MB on top of the tickets, "
            f"{ours['added_mb'] / plain['added_mb']:.2f} x ({plain['added_mb']:.0f} MB); peak of the whole process "
            f"{ours['peak_mb']:.0f} MB, {ours['peak_mb'] / plain['peak_mb']:.2f} x ({plain['peak_mb']:.0f} MB)"
        )


def written(kind: str, tickets: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.report", kind, str(tickets)]
    figures: dict[str, float] = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    return figures


def start_up() -> None:
    """Compares with a Typer program with one empty command, which shows the cost of the framework."""

    def process(*arguments: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)

    Path("empty.py").write_text(
        "import typer\napp = typer.Typer()\n@app.command()\ndef main(flag: bool = False): ...\napp()\n",
        encoding="utf-8",
    )
    program, its_help = process("empty.py"), process("empty.py", "--help")
    compare("start-up: --help", process("-m", "ticketattr", "--help"), "an empty Typer program", its_help)
    compare("start-up: pending list", process("-m", "ticketattr", "pending", "list"), "the same", program)


def old_workbooks() -> None:
    """Compares an empty `send` over ten years of workbooks with one over ten days."""
    settings = {
        "EMAIL_TRANSPORT": "file",
        "EMAIL_SENDER": "desk@example.com",
        "EMAIL_RECIPIENT": "lead@example.com",
        "CODEBASE_URL": "https://example.com/code",
    }

    def sender(number: int) -> Callable[[], object]:
        folder = Path(f"{number} workbooks").absolute()
        write_workbooks(folder / "output", number)
        program = partial(subprocess.run, cwd=folder, env={**os.environ, **settings}, check=True)
        program([sys.executable, "-m", "ticketattr", "--quiet", "pending", "adopt"], stdout=subprocess.DEVNULL)
        return lambda: program([sys.executable, "-m", "ticketattr", "--quiet", "send"])

    compare("empty send, 3,650 workbooks", sender(3_650), "that over 10", sender(10))


def large_queue() -> None:
    """Peak memory of each stage that holds the whole queue."""
    folder = Path("large queue").absolute()
    folder.mkdir()
    tickets = [
        {
            "id": f"T-{number}",
            "short_description": f"Phone {number} has no signal",
            "request_category": "Hardware",
            "request_type": "Mobile Device",
        }
        for number in range(200_000)
    ]
    (folder / "tickets.json").write_text(json.dumps(tickets), encoding="utf-8")
    settings = {"HELPDESK_API_URL": "tickets.json", "SERVICE_CATALOG_URL": str(EXAMPLES / "catalog.yaml")}
    peaks = []
    for command in ("fetch", "classify", "report"):
        program = subprocess.Popen(
            [sys.executable, "-m", "ticketattr", "--quiet", command],
            cwd=folder,
            env={**os.environ, **settings, "CLASSIFIER": "offline"},
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(program.pid, 0)
        assert status == 0
        peaks.append(f"{command} {usage.ru_maxrss / 1024:.0f} MB")
    print(f"peak memory with 200,000 tickets: {', '.join(peaks)}")


def stages() -> None:
    catalog = YAMLCatalog(str(EXAMPLES / "catalog.yaml"), HTTPPolicy()).fetch_catalog()
    example = TicketFile(HelpdeskAccess(str(EXAMPLES / "tickets.json"))).fetch_tickets()
    tickets = [example[place % len(example)] for place in range(TICKETS)]
    some = [
        replace(ticket, short_description=f"{ticket.short_description} {n}") for n, ticket in enumerate(tickets[:1000])
    ]
    compare(
        f"offline classifier, {len(some):,} tickets",
        lambda: attribute(some, catalog),
        "TF-IDF over words and pieces of words",
        lambda: tf_idf(some, catalog),
        rounds=3,
    )
    many_request_types(some[:100])
    first_answer()


def many_request_types(tickets: list[Ticket]) -> None:
    """A catalog of an enterprise, whose texts the embedded classifier reads before its first answer."""
    names = [f"{action} {thing} {site}" for action in ACTIONS for thing in THINGS for site in range(25)]
    entries = tuple(RequestType(f"Site {name.split()[-1]}", name, SLA(4, "hours")) for name in names)
    start = time.process_time()
    attribute(tickets, ServiceCatalog(entries))
    print(
        f"offline classifier, {len(entries):,} request types, {len(tickets)} tickets: "
        f"{time.process_time() - start:.1f} CPU s"
    )


def attribute(tickets: list[Ticket], catalog: ServiceCatalog) -> list[AttributedTicket]:
    outcomes = anyio.run(OfflineClassifier().choose, tickets, catalog)
    return [AttributedTicket(ticket, outcome) for ticket, outcome in zip(tickets, outcomes, strict=True)]


def tf_idf(tickets: list[Ticket], catalog: ServiceCatalog) -> object:
    texts = [f"{entry.category} {entry.name} {' '.join(entry.keywords)}" for entry in catalog.entries]
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
    entries = vectorizer.fit_transform(texts)
    return vectorizer.transform([f"{one.short_description} {one.long_description}" for one in tickets]) @ entries.T


def first_answer() -> None:
    """Measures a process of its own, because memory is that of a process."""
    figures = json.loads(
        subprocess.run(
            [sys.executable, "-m", "tests.bench.offline"], cwd=ROOT, check=True, stdout=subprocess.PIPE
        ).stdout
    )
    print(f"offline classifier, first answer: {figures['seconds']:.2f} CPU s, peak memory {figures['peak_mb']:.0f} MB")


def compare(
    what: str, candidate: Callable[[], object], against: str, baseline: Callable[[], object], rounds: int = ROUNDS
) -> None:
    baseline(), candidate()
    pairs = [(seconds(baseline), seconds(candidate)) for _ in range(rounds)]
    base, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(ours / base for base, ours in pairs)
    print(f"{what}: {ours:.3f} s, {ratio:.1f} x {against} ({base:.3f} s)")


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
