"""Every area is checked, even if others have problems."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ticketattr.application.check import CheckResult, Probe, run_probes, worst_exit_code
from ticketattr.errors import ExitCode, InputError, ServiceError, SettingsError


def half_way() -> Iterator[CheckResult]:
    yield CheckResult("log", "is there")
    raise InputError("it is damaged")


def down() -> Iterator[CheckResult]:
    raise ServiceError("nobody answers", hint="Try again later.")


def test_an_error_of_a_probe_is_its_last_result_and_does_not_stop_the_others() -> None:
    probes = [Probe("log", half_way, fix="Restore it."), Probe("mail", down, fix="Not this."), Probe("disk", list)]
    probes.append(Probe("model", lambda: [CheckResult.warning("model", "is old", "Take another.")]))
    assert list(run_probes(probes)) == [
        CheckResult("log", "is there", "ok", "", ExitCode.DONE),
        CheckResult("log", "it is damaged", "error", "Restore it.", ExitCode.INPUT),
        CheckResult("mail", "nobody answers", "error", "Try again later.", ExitCode.SERVICE),
        CheckResult("model", "is old", "warning", "Take another.", ExitCode.DONE),
    ]


def error(kind: type[InputError | ServiceError | SettingsError]) -> CheckResult:
    return CheckResult.error("area", kind("wrong"))


def test_an_error_without_a_hint_has_no_fix() -> None:
    assert CheckResult.error("log", InputError("it is damaged")).fix == ""


@pytest.mark.parametrize(
    ("results", "exit_code"),
    [
        ([], ExitCode.DONE),
        ([CheckResult("a", "fine"), CheckResult.warning("a", "old", "")], ExitCode.DONE),
        ([CheckResult("a", "fine"), error(ServiceError)], ExitCode.SERVICE),
        ([error(ServiceError), error(InputError), error(ServiceError)], ExitCode.INPUT),
        ([error(InputError), error(SettingsError)], ExitCode.USAGE),
    ],
)
def test_an_error_that_waiting_cannot_resolve_decides_the_exit_code(
    results: list[CheckResult], exit_code: ExitCode
) -> None:
    assert worst_exit_code(results) is exit_code
