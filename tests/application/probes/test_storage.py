"""Folders, files and disks: what a check says about each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ticketattr.application.check import CheckResult
from ticketattr.application.probes.storage import (
    LEAST_SPACE,
    Disk,
    FileChecks,
    probe_disks,
    probe_files,
    probe_folder,
    probe_folders,
)
from ticketattr.errors import ExitCode, ServiceError, SettingsError, TicketAttrError

ONE, TWO, GONE = Path("one"), Path("two"), Path("gone")
MIB, GIB = 1024**2, 1024**3


def no_disk(path: Path) -> Disk | None:
    return None


def raises_for(*paths: Path, error: TicketAttrError) -> Callable[[Path], None]:
    def check(path: Path) -> None:
        if path in paths:
            raise error

    return check


def checks(
    *,
    missing: tuple[Path, ...] = (),
    try_file: Callable[[Path], None] = lambda path: None,
    disks: dict[Path, Disk] | None = None,
) -> FileChecks:
    return FileChecks(lambda path: path not in missing, try_file, (disks or {}).get)


def test_a_folder_that_can_be_written_is_fine_even_if_it_is_still_to_be_made() -> None:
    assert list(probe_folders({"OUTPUT_DIR": ONE, "WORK_DIR": TWO}, checks(missing=(TWO,)))) == [
        CheckResult("folders", "OUTPUT_DIR: one can be written"),
        CheckResult("folders", "WORK_DIR: two can be written (it will be created)"),
    ]


def test_a_folder_that_cannot_be_written_is_an_error_that_names_its_setting() -> None:
    def try_folder(path: Path) -> bool:
        raise ServiceError("one cannot be written: full", hint="Make room.")

    assert probe_folder("mail", "EMAIL_OUTBOX_DIR", ONE, FileChecks(try_folder, lambda path: None, no_disk)) == (
        CheckResult(
            "mail",
            "EMAIL_OUTBOX_DIR: one cannot be written: full",
            "error",
            "Make room. EMAIL_OUTBOX_DIR names it.",
            ExitCode.SERVICE,
        )
    )


def test_files_are_checked_after_their_folder() -> None:
    log, lock = Path("logs/x.log"), Path("logs/x.log.lock")
    fine = CheckResult("log file", "LOG_FILE: logs can be written")
    assert probe_files("log file", "LOG_FILE", (log, lock), checks()) == fine
    refused = raises_for(lock, error=SettingsError("it is a folder", hint="Check it."))
    assert probe_files("log file", "LOG_FILE", (log, lock), checks(try_file=refused)) == CheckResult(
        "log file", "LOG_FILE: it is a folder", "error", "Check it. LOG_FILE names it.", ExitCode.USAGE
    )


def test_files_in_a_folder_that_cannot_be_written_are_not_checked() -> None:
    def try_folder(path: Path) -> bool:
        raise SettingsError(f"{path} is not a folder", hint="Check it.")

    def try_file(path: Path) -> None:
        raise AssertionError("it is in no folder")

    result = probe_files("log file", "LOG_FILE", (Path("logs/x.log"),), FileChecks(try_folder, try_file, no_disk))
    assert (result.message, result.exit_code) == ("LOG_FILE: logs is not a folder", ExitCode.USAGE)


def test_each_disk_is_named_once() -> None:
    disks = {ONE: Disk(1, ONE, 3 * GIB // 2), TWO: Disk(1, TWO, 3 * GIB // 2)}
    assert list(probe_disks([ONE, TWO, GONE], checks(disks=disks))) == [
        CheckResult("disk", "1.5 GiB free where two is")
    ]


def test_a_disk_with_little_space_is_a_warning() -> None:
    enough = checks(disks={ONE: Disk(1, ONE, LEAST_SPACE)})
    low = checks(disks={ONE: Disk(1, ONE, 2000 * MIB - 1)})
    assert [result.status for result in probe_disks([ONE], enough)] == ["ok"]
    assert list(probe_disks([ONE], low, least=2000 * MIB)) == [
        CheckResult(
            "disk",
            "only 1,999 MiB free where one is",
            "warning",
            "Make room, or move OUTPUT_DIR and WORK_DIR to another disk.",
        )
    ]
    assert LEAST_SPACE == 500 * MIB
