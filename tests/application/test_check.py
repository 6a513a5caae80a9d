"""Every area is looked at, whatever is wrong with the others."""

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


def test_what_a_probe_raises_is_its_last_result_and_no_trouble_of_the_others() -> None:
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


def test_an_error_that_nobody_knows_a_remedy_for_has_none() -> None:
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
def test_what_waiting_cannot_heal_counts_most(results: list[CheckResult], exit_code: ExitCode) -> None:
    assert worst_exit_code(results) is exit_code
