"""`ticketattr init`: questions, options, and the files that it writes."""

from __future__ import annotations

import os
import pty
import select
import signal
import stat
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketattr.entrypoint.settings.values import read_values
from ticketattr.errors import ExitCode
from ticketattr.infrastructure.catalog.yaml_format import parse_catalog
from ticketattr.infrastructure.env_file import env_text, quoted

from ..conftest import CLI, DATA
from ..servers import HTTPServer, Response

EXPORT = (
    "Id;Betreff;Beschreibung;Kategorie;Unterkategorie\n1;Passwort;vergessen;Zugang;Kennwort\n2;Drucker;klemmt;Geräte;\n"
)


@pytest.fixture
def empty(cli: CLI) -> CLI:
    """A folder with an export and nothing else, without settings."""
    cli.settings = {}
    (cli.folder / "export.csv").write_text(EXPORT, encoding="utf-8")
    return cli


def env_of(folder: Path) -> dict[str, str]:
    values = read_values([folder / ".env"], {})
    return dict(next(source for source in values.sources if source.path).values)


def catalog_of(folder: Path) -> list[str]:
    found = parse_catalog((folder / "catalog.yaml").read_bytes(), "catalog.yaml")
    return [str(entry) for entry in found.entries]


def test_one_option_is_enough_for_a_report_on_an_export(empty: CLI) -> None:
    result = empty.ok("init", "--url", "export.csv")
    assert result.stdout.splitlines()[:2] == ["catalog.yaml", ".env"]
    assert "0 errors" in result.stderr
    assert env_of(empty.folder) == {
        "HELPDESK_API_URL": "export.csv",
        "SERVICE_CATALOG_URL": "catalog.yaml",
        "CLASSIFIER": "offline",
    }
    lines = (empty.folder / ".env").read_text(encoding="utf-8").splitlines()
    assert [line.partition(" ")[0] for line in lines[1::2]] == ["#"] * 3
    assert stat.S_IMODE((empty.folder / ".env").stat().st_mode) == 0o600
    assert "2 of 2 tickets attributed" in empty.ok("run", "--dry-run").stderr


def test_without_a_terminal_everything_that_is_missing_is_named_at_once(empty: CLI) -> None:
    result = empty("init", "--helpdesk", "rt", "--classifier", "gemini", "--mail", "smtp")
    assert result.exit_code == ExitCode.USAGE
    for name in (
        "--url (HELPDESK_API_URL)",
        "--key",
        "--secret",
        "--llm-key",
        "--mail-host",
        "--mail-from",
        "--code-url",
    ):
        assert name in result.stderr
    assert sorted(path.name for path in empty.folder.iterdir()) == ["export.csv"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--url", "https://desk.example"], "needs answers to --key (HELPDESK_API_KEY), --secret"),
        (["--helpdesk", "file", "--url", "https://desk.example"], "--url: that is a URL, and no file"),
        (["--helpdesk", "jira"], "Did you mean jira-dc?"),
        (["--url", "export.csv", "--classifier", "best"], "best is none of offline, gemini, openai, cascade"),
        (["--url", "export.csv", "--mail-host", "x"], "these options do not go with the others: --mail-host"),
        (["--url", "export.csv", "--mail", "file", "--mail-from", "x", "--mail-to", "b@example.com", "--code-url", "u"],
         "EMAIL_SENDER contains something that is not a mail address"),
        (["--helpdesk", "./gone.yaml", "--url", "https://x"], "the profile gone.yaml cannot be read"),
        (["--url", "export.csv", "--catalog-from", "gone.csv"], "gone.csv cannot be read"),
        (["--url", "export.csv", "--catalog-from", "empty.csv"], "has no column for the category"),
        (["--helpdesk", "zammad", "--url", "https://x.example", "--key", "k", "--catalog-from", "helpdesk"],
         "cannot ask for the categories of the helpdesk"),
    ],
)  # fmt: skip
def test_a_wrong_answer_writes_nothing(empty: CLI, args: list[str], words: str) -> None:
    (empty.folder / "empty.csv").write_text("Betreff;Beschreibung\na;b\n", encoding="utf-8")
    result = empty("init", *args)
    assert result.exit_code in (ExitCode.USAGE, ExitCode.INPUT)
    assert words in result.stderr
    assert not {".env", "catalog.yaml"} & {path.name for path in empty.folder.iterdir()}


def test_an_env_file_is_replaced_only_by_force_and_kept_as_a_backup(empty: CLI) -> None:
    (empty.folder / ".env").write_text("LLM_API_KEY=old\n", encoding="utf-8")
    result = empty("init", "--url", "export.csv")
    assert result.exit_code == ExitCode.USAGE
    assert ".env exists and is not overwritten" in result.stderr
    assert (empty.folder / ".env").read_text(encoding="utf-8") == "LLM_API_KEY=old\n"
    empty.ok("init", "--url", "export.csv", "--force")
    (backup,) = empty.folder.glob(".env.*.bak")
    assert backup.read_text(encoding="utf-8") == "LLM_API_KEY=old\n"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_a_catalog_that_exists_is_never_changed(empty: CLI) -> None:
    content = (DATA / "catalog.yaml").read_bytes()
    (empty.folder / "catalog.yaml").write_bytes(content)
    refused = empty("init", "--url", "export.csv", "--catalog-from", "export.csv")
    assert refused.exit_code == ExitCode.USAGE
    assert not (empty.folder / ".env").exists()
    empty.ok("init", "--url", "export.csv")
    assert (empty.folder / "catalog.yaml").read_bytes() == content


def test_a_catalog_starts_from_the_pairs_of_an_export(empty: CLI) -> None:
    empty.ok("init", "--url", "export.csv", "--catalog-from", "export.csv")
    assert catalog_of(empty.folder) == ["Zugang / Kennwort", "Geräte / Geräte"]


def test_a_catalog_starts_from_a_list_with_times_and_descriptions(empty: CLI) -> None:
    rows = (
        'Category,Request type,SLA,Unit,Description\nA: "x" #1,yes,4 h,,Text: {a}\nA: "x" #1,No,1.5,days,\nB,C,soon,,\n'
    )
    (empty.folder / "list.csv").write_text(rows.replace('A: "x" #1', '"A: ""x"" #1"'), encoding="utf-8")
    empty.ok("init", "--url", "export.csv", "--catalog-from", "list.csv")
    found = parse_catalog((empty.folder / "catalog.yaml").read_bytes(), "catalog.yaml").entries
    assert [(each.pair, str(each.sla), each.description) for each in found] == [
        (('A: "x" #1', "yes"), "4 hours", "Text: {a}"),
        (('A: "x" #1', "No"), "1.5 days", ""),
        (("B", "C"), "3 days", ""),
    ]


def test_a_catalog_starts_from_the_categories_of_the_helpdesk(empty: CLI, http: HTTPServer) -> None:
    tree = [{"completename": "Hardware"}, {"completename": "Hardware > Printer > Toner"}, {"completename": "Other"}]
    http.routes["/apirest.php/initSession"] = [Response(body={"session_token": "t"})]
    http.routes["/apirest.php/ITILCategory"] = [Response(body=tree)]
    desk = ["--helpdesk", "glpi10", "--url", http.url, "--key", "k", "--secret", "s#'1 \\"]
    empty.ok("init", *desk, "--catalog-from", "helpdesk")
    assert catalog_of(empty.folder) == ["Hardware / Printer > Toner", "Other / Other"]
    assert env_of(empty.folder)["HELPDESK_API_SECRET"] == "s#'1 \\"
    assert http.requests[1].headers["Session-Token"] == "t"


def test_secrets_may_come_from_the_environment(empty: CLI) -> None:
    empty.settings = {"LLM_API_KEY": "from the environment", "EMAIL_PASSWORD": "unused"}
    empty("init", "--url", "export.csv", "--classifier", "gemini")
    assert env_of(empty.folder)["LLM_API_KEY"] == "from the environment"
    assert "EMAIL_PASSWORD" not in env_of(empty.folder)


def test_a_server_with_the_protocol_of_openai_is_set_up_without_a_key(empty: CLI, http: HTTPServer) -> None:
    model = ("--classifier", "openai", "--llm-url", f"{http.url}/v1", "--llm-model", "llama3")
    result = empty.ok("init", "--url", "export.csv", *model)
    assert env_of(empty.folder) | {"LLM_BASE_URL": f"{http.url}/v1", "LLM_MODEL_NAME": "llama3"} == env_of(empty.folder)
    assert result.stderr.splitlines()[-1].startswith("`ticketattr check --online` asks whether")


def test_a_check_without_mail_says_that_init_asks_for_it(empty: CLI) -> None:
    empty.ok("init", "--url", "export.csv")
    checked = empty("check")
    assert checked.exit_code == ExitCode.USAGE
    assert "`ticketattr init` asks for it." in checked.stdout
    assert "`ticketattr init` asks for what a run needs." in empty("run").stderr


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)


@settings(derandomize=True, database=None)
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_values_are_read_back_exactly(values: Sequence[str]) -> None:
    from io import StringIO

    from dotenv.parser import parse_stream

    text = env_text([(f"N{place}", value, "a comment") for place, value in enumerate(values)], "head")
    assert [binding.value for binding in parse_stream(StringIO(text)) if binding.key] == list(values)
    assert all("=" not in quoted(value) or quoted(value).startswith("'") for value in values)


def test_on_a_terminal_questions_are_asked_and_secrets_not_shown(empty: CLI) -> None:
    answers = [
        "nonsense",
        "rt",
        "http://127.0.0.1:9",
        "root",
        "s3cret",
        "",
        "",
        "file",
        "a@example.com",
        "b@example.com",
        "u",
    ]
    shown = _in_terminal(empty, answers)
    assert "nonsense is none of file" in shown
    assert "For the helpdesk: the password of that user" in shown
    assert "s3cret" not in shown
    assert env_of(empty.folder) == {
        "HELPDESK_PROFILE": "rt",
        "HELPDESK_API_URL": "http://127.0.0.1:9",
        "HELPDESK_API_KEY": "root",
        "HELPDESK_API_SECRET": "s3cret",
        "SERVICE_CATALOG_URL": "catalog.yaml",
        "CLASSIFIER": "offline",
        "EMAIL_TRANSPORT": "file",
        "EMAIL_SENDER": "a@example.com",
        "EMAIL_RECIPIENT": "b@example.com",
        "CODEBASE_URL": "u",
    }


@pytest.mark.thorough
def test_questions_that_are_not_answered_to_the_end_write_nothing(empty: CLI) -> None:
    shown = _in_terminal(empty, ["rt", "\x04"])
    assert "hint: Nothing was written." in shown
    assert not (empty.folder / ".env").exists()


def _in_terminal(cli: CLI, answers: Sequence[str]) -> str:
    """What a terminal shows while `init` gets one answer for each question, until it has written the settings.

    What it checks then has tests of its own, and takes long.
    """
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(cli.folder)
        os.execve(sys.executable, [sys.executable, "-m", "ticketattr", "init"], {**os.environ, "TERM": "dumb"})  # noqa: S606
    shown, left, end = b"", list(answers), time.monotonic() + 60
    since = 0
    while time.monotonic() < end and (left or not (cli.folder / ".env").exists()):
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            break
        if not chunk:
            break
        shown += chunk
        if left and shown[since:].endswith(b": "):
            since = len(shown)
            os.write(terminal, left[0].encode() + (b"" if left.pop(0) == "\x04" else b"\n"))
    os.close(terminal)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return shown.decode(errors="replace")
