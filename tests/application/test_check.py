"""Every area is looked at, whatever is wrong with the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ticketattr.application.check import Finding, Probe, run_probes, worst_exit_code
from ticketattr.errors import ExitCode, InputError, ServiceError, SettingsError


def half_way() -> Iterator[Finding]:
    yield Finding("log", "is there")
    raise InputError("it is damaged")


def down() -> Iterator[Finding]:
    raise ServiceError("nobody answers", hint="Try again later.")


def test_what_a_probe_raises_is_its_last_finding_and_no_trouble_of_the_others() -> None:
    probes = [Probe("log", half_way, fix="Restore it."), Probe("mail", down, fix="Not this."), Probe("disk", list)]
    probes.append(Probe("model", lambda: [Finding.warning("model", "is old", "Take another.")]))
    assert list(run_probes(probes)) == [
        Finding("log", "is there", "ok", "", ExitCode.DONE),
        Finding("log", "it is damaged", "error", "Restore it.", ExitCode.INPUT),
        Finding("mail", "nobody answers", "error", "Try again later.", ExitCode.SERVICE),
        Finding("model", "is old", "warning", "Take another.", ExitCode.DONE),
    ]


def error(kind: type[InputError | ServiceError | SettingsError]) -> Finding:
    return Finding.error("area", kind("wrong"))


def test_an_error_that_nobody_knows_a_remedy_for_has_none() -> None:
    assert Finding.error("log", InputError("it is damaged")).fix == ""


@pytest.mark.parametrize(
    ("findings", "exit_code"),
    [
        ([], ExitCode.DONE),
        ([Finding("a", "fine"), Finding.warning("a", "old", "")], ExitCode.DONE),
        ([Finding("a", "fine"), error(ServiceError)], ExitCode.SERVICE),
        ([error(ServiceError), error(InputError), error(ServiceError)], ExitCode.INPUT),
        ([error(InputError), error(SettingsError)], ExitCode.USAGE),
    ],
)
def test_what_waiting_cannot_heal_counts_most(findings: list[Finding], exit_code: ExitCode) -> None:
    assert worst_exit_code(findings) is exit_code
