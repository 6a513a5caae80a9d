"""The commands with tickets in files that other programs exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ticketattr.errors import ExitCode

from ..conftest import CLI, DATA

CATALOG = str(DATA / "catalog.yaml")
EXPORT = """\
Ticket-Nr.;Betreff;Beschreibung;Status;Kategorie;Unterkategorie
7;Passwort vergessen;"<p>Forgot my <b>password</b></p>";offen;;
8;Drucker;"Printer is
jammed";geschlossen;;
""".encode("cp1252")


@pytest.fixture
def export(cli: CLI) -> CLI:
    (cli.folder / "export.csv").write_bytes(EXPORT)
    cli.settings["HELPDESK_API_URL"] = "export.csv"
    return cli


def tickets_of(path: str) -> list[dict[str, str]]:
    tickets: list[dict[str, str]] = json.loads(Path(path.strip()).read_text(encoding="utf-8"))["data"]
    return tickets


def test_a_run_reads_an_export_and_says_what_it_took(export: CLI) -> None:
    result = export.ok("run", "--dry-run")
    assert "export.csv (CSV with semicolons, UTF-8): id = `Ticket-Nr.`; short_description = `Betreff`" in result.stderr
    assert "2 of 2 tickets attributed" in result.stderr
    assert "export.csv" not in export.ok("run", "--dry-run", "--quiet").stderr


def test_closed_tickets_of_an_export_can_be_left_out(export: CLI) -> None:
    export.settings["HELPDESK_KEEP"] = "open"
    assert [ticket["id"] for ticket in tickets_of(export.ok("fetch").stdout)] == ["7"]


@pytest.mark.parametrize(
    "content",
    [
        EXPORT,
        b'[{"id": 7, "subject": "a"}, {"id": 8, "subject": "b"}]',
        b'{"id": 7, "subject": "a"}\n{"id": 8, "subject": "b"}\n',
    ],
    ids=["CSV", "JSON", "JSON Lines"],
)
def test_stdin_is_read_by_its_content(cli: CLI, content: bytes) -> None:
    cli.settings["HELPDESK_API_URL"] = "-"
    result = cli.ok("fetch", stdin=content)
    assert [ticket["id"] for ticket in tickets_of(result.stdout)] == ["7", "8"]
    assert "stdin (" in result.stderr


def test_a_preview_shows_the_columns_of_an_export(export: CLI) -> None:
    result = export.ok("fetch", "--preview", "1")
    assert "Forgot my password" in result.stdout
    assert "Beschreibung" in result.stdout
    assert "came with: Ticket-Nr., Betreff, Beschreibung, Status, Kategorie, Unterkategorie" in result.stdout


@pytest.mark.parametrize("name", ["export.csv", "-"])
def test_classify_takes_an_export_and_a_yaml_catalog(export: CLI, name: str) -> None:
    del export.settings["HELPDESK_API_URL"], export.settings["SERVICE_CATALOG_URL"]
    result = export.ok("classify", "-i", name, "--catalog", CATALOG, stdin=EXPORT)
    path = Path(result.stdout.strip())
    attributions = json.loads(path.read_text(encoding="utf-8"))["data"]
    assert [each["ticket"]["id"] for each in attributions] == ["7", "8"]
    assert sorted(file.name for file in path.parent.iterdir()) == ["attributions.json", "catalog.json", "tickets.json"]
    assert "2 rows written" in export.ok("report").stderr


def test_classify_of_an_export_needs_a_catalog(export: CLI) -> None:
    del export.settings["SERVICE_CATALOG_URL"]
    result = export("classify", "-i", "export.csv")
    assert result.exit_code == ExitCode.USAGE
    assert "SERVICE_CATALOG_URL" in result.stderr


def test_a_catalog_may_be_yaml_or_a_stage_file_wherever_one_is_asked_for(export: CLI) -> None:
    folder = Path(export.ok("fetch").stdout.strip()).parent
    export.ok("classify", "--catalog", CATALOG)
    export.ok("report", "--catalog", CATALOG)
    export.settings["SERVICE_CATALOG_URL"] = str(folder / "catalog.json")
    export.ok("run", "--dry-run")
    labelled = "Forgot my password;Access;Password Reset\nBroken laptop;Hardware;Laptop Repair\n"
    (export.folder / "gold.csv").write_text(f"Subject;Category;Request type\n{labelled}", encoding="utf-8")
    assert "of 2 tickets right" in export.ok("evaluate", "gold.csv", "--catalog", str(folder / "catalog.json")).stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Foo;Bar\n1;2\n", ["the columns are Foo, Bar", "hint: Rename the columns", "Check HELPDESK_API_URL."]),
        (b"Id;Betreff;BETREFF\n1;2;3\n", ["more than once", "hint: Rename or remove"]),
        (b"", ["export.csv is empty", "hint: Export the tickets again"]),
        (b"\x7fELF\x02\x01\x01\0\0\0\0", ["bytes that no text has", "hint: Give a CSV file"]),
    ],
    ids=["no known column", "equal columns", "empty", "rubbish"],
)
def test_an_export_that_cannot_be_read_is_refused_with_what_to_do(
    export: CLI, content: bytes, words: list[str]
) -> None:
    (export.folder / "export.csv").write_bytes(content)
    for command in (["fetch"], ["fetch", "--preview", "1"], ["classify", "-i", "export.csv"]):
        result = export(*command)
        assert result.exit_code == ExitCode.INPUT
        assert all(word.replace("HELPDESK_API_URL", "") in result.stderr for word in words[:2])
    assert list((export.folder / "work").glob("*/*")) == []
