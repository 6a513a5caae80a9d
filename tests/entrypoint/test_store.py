"""The store of reports from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import CLI


@pytest.fixture
def stored(cli: CLI) -> CLI:
    cli.settings["REPORT_STORE_URL"] = (cli.folder / "store").as_uri()
    return cli


def test_a_report_is_downloaded_from_the_folder_and_when_it_is_gone_from_the_store(stored: CLI) -> None:
    stored.ok("run")
    (report,) = stored.reports
    content, run = report.read_bytes(), report.stem.removeprefix("ticket-attribution-")
    stored.ok("download", run, "-o", "a.xlsx")
    report.unlink()
    (page,) = (stored.folder / "store").rglob("*.html")
    assert page.name == f"{run}.html"
    stored.ok("download", run, "-o", "b.xlsx")
    stored.ok("download", "latest")
    assert [Path(name).read_bytes() for name in ("a.xlsx", "b.xlsx", report.name)] == [content] * 3


@pytest.mark.parametrize("run", ["20261127T120000Z-ffff", "latest", "../x"])
def test_a_report_that_is_nowhere_is_an_input_error(stored: CLI, run: str) -> None:
    for cli in (stored, CLI(stored.folder)):
        assert cli("download", run).exit_code == 3


def test_a_store_that_cannot_be_used_makes_the_run_done_in_part_and_the_next_run_catches_up(cli: CLI) -> None:
    (cli.folder / "store").write_text("a file in the way")
    cli.settings["REPORT_STORE_URL"] = (cli.folder / "store").as_uri()
    failed = cli("run")
    assert failed.exit_code in (2, 5)
    if failed.exit_code == 5:
        assert len(cli.mails) == 1
    (cli.folder / "store").unlink()
    cli.ok("run")
    assert len(list((cli.folder / "store").rglob("*.xlsx"))) == len(cli.reports)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"REPORT_STORE_URL": "ftp://example.com/x"}, "REPORT_STORE_URL is not the URL of a store"),
        ({"REPORT_STORE_URL": "s3://b/p", "REPORT_STORE_OPTIONS": "s3cret"}, "REPORT_STORE_OPTIONS is not like"),
        ({"REPORT_STORE_URL": "s3://b/p", "REPORT_STORE_OPTIONS": "aws_nonsense=s3cret"}, "REPORT_STORE_OPTIONS"),
    ],
)
def test_a_setting_of_the_store_that_is_wrong_is_named_without_its_value(
    cli: CLI, settings: dict[str, str], message: str
) -> None:
    cli.settings |= settings
    result = cli("download", "latest")
    assert result.exit_code == 2
    assert message in result.stderr
    assert "s3cret" not in result.stderr


def test_check_says_whether_the_store_is_fit(stored: CLI) -> None:
    assert "not contacted" in stored("check").stdout
    assert "never overwritten" in stored("check", "--online").stdout
    assert list((stored.folder / "store").rglob("*.*")) == []
