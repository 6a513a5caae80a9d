"""Check everything that a run needs. A problem in one area does not stop the checks of the other areas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import ExitCode, TicketAttrError

Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found in one area. `fix` says what the user can do; `exit_code` is that of an error."""

    area: str
    message: str
    status: Status = "ok"
    fix: str = ""
    exit_code: ExitCode = ExitCode.DONE

    @classmethod
    def warning(cls, area: str, message: str, fix: str) -> CheckResult:
        """A result that the user should know, but that does not stop a run."""
        return cls(area, message, "warning", fix)

    @classmethod
    def error(cls, area: str, error: TicketAttrError, fix: str = "") -> CheckResult:
        """A result that stops a run. `fix` is used when the error itself has no hint."""
        return cls(area, str(error), "error", error.hint or fix, error.exit_code)


@dataclass(frozen=True, slots=True)
class Probe:
    """The check of one area. An error that `check` raises becomes the last result of the area.

    `fix` is for an error that has no hint.
    """

    area: str
    check: Callable[[], Iterable[CheckResult]]
    fix: str = ""


def run_probes(probes: Iterable[Probe]) -> Iterator[CheckResult]:
    """The results of all probes, in their order."""
    for probe in probes:
        yield from _run(probe)


def _run(probe: Probe) -> Iterator[CheckResult]:
    try:
        yield from probe.check()
    except TicketAttrError as error:
        yield CheckResult.error(probe.area, error, probe.fix)


def worst_exit_code(results: Sequence[CheckResult]) -> ExitCode:
    """The lowest exit code of all errors, and 0 when there are none.

    So an error that waiting cannot resolve (2, 3) comes before one that may pass (4). Warnings do not count.
    """
    return min((result.exit_code for result in results if result.status == "error"), default=ExitCode.DONE)
