"""A PostgreSQL server of its own, on loopback, which is started and stopped. It must be installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class PostgresServer:
    """A server with databases that `create` makes. `folder` has its data."""

    folder: Path
    port: int
    made: int = 0

    def create(self) -> str:
        """The URL of a new, empty database."""
        self.made += 1
        name = f"test{self.made}"
        self.sql("postgres", f"CREATE DATABASE {name}")
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def sql(self, database: str, statement: str) -> str:
        program = ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database, "-qAt"]
        return subprocess.run([*program, "-c", statement], check=True, capture_output=True, text=True).stdout

    def control(self, *args: str) -> None:
        subprocess.run(
            [*_as_postgres(), _program("pg_ctl"), "-D", str(self.folder / "data"), "-w", *args],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def fill_disk(self, database: str, *statements: str) -> None:
        """Leave no room on the disk, and none in the tables into which the statements insert many small rows."""
        with (self.folder / "filler").open("wb", buffering=0) as filler:
            for size in (1_000_000, 1000, 1):
                with suppress(OSError):
                    while True:
                        filler.write(bytes(size))
        for statement in statements:
            with pytest.raises(subprocess.CalledProcessError):
                self.sql(database, statement)

    def free_disk(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)

    def start(self) -> None:
        where = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        how = "-c fsync=off -c max_connections=50 -c autovacuum=off"
        self.control("start", "-l", str(self.folder / "log"), "-o", f"{where} {how}")

    def restart(self) -> None:
        """Every connection breaks."""
        self.control("stop", "-m", "immediate")
        self.start()


@contextmanager
def postgres_server(*, disk: str = "") -> Iterator[PostgresServer]:
    """The server, in a folder of its own; with `disk`, on a disk of that size, which root alone can make."""
    folder = Path(tempfile.mkdtemp(prefix="ticketattr-pg-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={disk}", "tmpfs", str(folder)]
    if disk and (os.getuid() != 0 or subprocess.run(mount, check=False).returncode):
        folder.rmdir()
        pytest.skip("a small disk cannot be mounted here")
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    with socket.create_server(("127.0.0.1", 0)) as free:
        server = PostgresServer(folder, free.getsockname()[1])
    init = [
        *_as_postgres(),
        _program("initdb"),
        "-D",
        str(folder / "data"),
        "-A",
        "trust",
        "-U",
        "postgres",
        "-N",
        "--wal-segsize=1",
    ]
    try:
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL)
        server.start()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.control("stop", "-m", "immediate")
        if disk:
            subprocess.run(["umount", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    """Debian keeps the programs of the server out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else name


def _as_postgres() -> list[str]:
    """The server refuses to run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
