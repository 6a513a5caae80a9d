"""Look at everything that a run needs, one thing after the other, whatever is wrong with the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import ExitCode, TicketAttrError

Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about `area`; `fix` says what to do, `exit_code` is that of an error."""

    area: str
    what: str
    status: Status = "ok"
    fix: str = ""
    exit_code: ExitCode = ExitCode.DONE

    @classmethod
    def warning(cls, area: str, what: str, fix: str) -> Finding:
        return cls(area, what, "warning", fix)

    @classmethod
    def error(cls, area: str, error: TicketAttrError, fix: str = "") -> Finding:
        return cls(area, str(error), "error", error.hint or fix, error.exit_code)


@dataclass(frozen=True, slots=True)
class Probe:
    """A look at one area. What it raises is its last finding, and no trouble of the other probes.

    `fix`: for an error that does not say what to do.
    """

    area: str
    check: Callable[[], Iterable[Finding]]
    fix: str = ""


def run_probes(probes: Iterable[Probe]) -> Iterator[Finding]:
    for probe in probes:
        yield from _findings(probe)


def _findings(probe: Probe) -> Iterator[Finding]:
    try:
        yield from probe.check()
    except TicketAttrError as error:
        yield Finding.error(probe.area, error, probe.fix)


def worst_exit_code(findings: Sequence[Finding]) -> ExitCode:
    """What waiting cannot heal (2, 3) comes before what it may (4); warnings do not count."""
    return min((finding.exit_code for finding in findings if finding.status == "error"), default=ExitCode.DONE)
