"""A pipe or a device in the place of a file is refused, and not waited for."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import CLI, DATA

SMTP = {"EMAIL_TRANSPORT": "smtp", "EMAIL_SMTP_HOST": "127.0.0.1", "EMAIL_USERNAME": "desk", "EMAIL_PASSWORD": "x"}
GEMINI = {"CLASSIFIER": "gemini", "LLM_API_KEY": "key"}
SETTINGS = {
    "LOG_FILE": ({}, 2),
    "EMAIL_CA_FILE": (SMTP, 2),
    "SERVICE_CATALOG_URL": ({}, 3),
    "HELPDESK_API_URL": ({}, 3),
    "LLM_API_KEY_FILE": ({"CLASSIFIER": "gemini"}, 2),
    "EMAIL_PASSWORD_FILE": ({**SMTP, "EMAIL_PASSWORD": ""}, 2),
    "CLASSIFICATION_RULES": (GEMINI, 2),
    "LLM_PRICES": (GEMINI, 2),
}


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    """Whoever waits for a pipe is interrupted."""
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits"))
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_names_a_pipe_or_a_device_is_refused(cli: CLI, name: str, kind: str) -> None:
    os.mkfifo(cli.folder / "pipe")
    more, code = SETTINGS[name]
    cli.settings |= {**more, name: "pipe" if kind == "pipe" else "/dev/zero"}
    result = cli("run")
    assert result.exit_code == code, result.stderr
    assert "it is not a file but a pipe or a device" in result.stderr
    assert name in result.stderr


def test_an_env_file_that_is_a_pipe_is_refused(cli: CLI) -> None:
    os.mkfifo(cli.folder / "pipe")
    assert cli("--env-file", "pipe", "run").exit_code == 2


@pytest.mark.parametrize("options", [("classify", "--input", "pipe"), ("report", "--input", "pipe")])
def test_an_option_that_names_a_pipe_is_refused(cli: CLI, options: tuple[str, ...]) -> None:
    os.mkfifo(cli.folder / "pipe")
    assert cli(*options).exit_code == 3


def test_a_pipe_of_the_shell_is_read_and_stdin_too(cli: CLI) -> None:
    reader, writer = os.pipe()
    os.write(writer, (DATA / "catalog.yaml").read_bytes())
    os.close(writer)
    cli.settings["SERVICE_CATALOG_URL"] = f"/dev/fd/{reader}"
    cli.ok("fetch")
    os.close(reader)
    cli.settings |= {"SERVICE_CATALOG_URL": str(DATA / "catalog.yaml"), "HELPDESK_API_URL": "-"}
    cli.ok("fetch", stdin=Path(DATA / "tickets.json").read_bytes())
