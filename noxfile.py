"""Development sessions. `nox` alone runs lint, typing and the tests on every Python that is there.

Lint, typing and the workbook use the environment that nox itself was installed into (`pip install '.[dev]'`).
"""

from __future__ import annotations

import sys

import nox

nox.options.sessions = ["lint", "typing", "tests"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False

PYTHON = (sys.executable, "-m")
CODE = ("src", "tests", "noxfile.py")


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    session.run(*PYTHON, "ruff", "check", *CODE)
    session.run(*PYTHON, "ruff", "format", "--check", *CODE)


@nox.session(venv_backend="none")
def typing(session: nox.Session) -> None:
    """Types, strict, over source and tests."""
    session.run(*PYTHON, "mypy")


@nox.session(python=["3.10", "3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """The tests, two at a time, against the package as it is installed; arguments go to pytest."""
    session.install(".[dev]")
    session.run("pytest", "--numprocesses=2", *session.posargs)


@nox.session(venv_backend="none")
def crash(session: nox.Session) -> None:
    """The program is killed, and its disk fails, at every step of sending: some ten minutes. Needs strace."""
    session.run(*PYTHON, "pytest", "-m", "crash", "-s", *session.posargs)


@nox.session(venv_backend="none")
def mta(session: nox.Session) -> None:
    """Mail through Postfix and Dovecot (Debian: postfix, dovecot-core), as root, on ports of loopback."""
    session.run(*PYTHON, "pytest", "-m", "mta", *session.posargs)


@nox.session(venv_backend="none")
def prometheus(session: nox.Session) -> None:
    """Alert rules and dashboard against Debian's prometheus and prometheus-node-exporter, on ports of loopback."""
    session.run(*PYTHON, "pytest", "-m", "prometheus", *session.posargs)


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Speed, as ratios against a baseline in the same run."""
    session.run(*PYTHON, "tests.bench")


@nox.session(venv_backend="none")
def excel(session: nox.Session) -> None:
    """The workbook of the example queue, outside `output/`, so that nobody sends it."""
    command = (*PYTHON, "ticketattr", "--quiet", "--env-file", "examples/demo.env")
    session.run(*command, "fetch", "-o", "work/example/tickets.json", "--catalog-output", "work/example/catalog.json")
    session.run(
        *(*command, "classify", "-i", "work/example/tickets.json"),
        *("--catalog", "work/example/catalog.json", "-o", "work/example/attributions.json"),
    )
    session.run(
        *(*command, "report", "-i", "work/example/attributions.json"),
        *("--catalog", "work/example/catalog.json", "-o", "work/example/example.xlsx"),
    )


@nox.session(venv_backend="none")
def office(session: nox.Session) -> None:
    """Every sheet of the example workbook as PNG, and round trips, through a LibreOffice that is there already."""
    excel(session)
    session.run(*PYTHON, "tests.office", "work/example/example.xlsx", "work/example/office")
