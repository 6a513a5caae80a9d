"""Checks of the report log, of the reports that it knows, and of the corrections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from ...domain.report_status import ReportState
from ...domain.wording import counted
from ..check import CheckResult
from ..ports import Clock, CorrectionStore
from ..report_tracker import ReportTracker, refuse_lost_report_log

_STATES: dict[ReportState, tuple[str, str]] = {
    "pending": ("not sent yet", "The next run sends them; so does `ticketattr send`."),
    "failed": ("not accepted by the mail server", "`ticketattr pending list` shows why. The next run tries again."),
    "sending": ("being sent now", "Wait until the other ticketattr ends."),
    "in_doubt": ("in doubt", "The next run sends the same message again, or decide with `ticketattr pending resolve`."),
    "held": ("in doubt and held", "Decide with `ticketattr pending resolve`."),
    "sent": ("deferred for a recipient", "The next run tries again. `ticketattr pending list` shows the recipients."),
    "damaged": ("damaged", "Remove them from OUTPUT_DIR, or create them again with `ticketattr report`."),
}


class CheckedReportLog(Protocol):
    """The report log, as far as a check looks into it. All methods raise what using the log would raise."""

    def exists(self) -> bool:
        """Whether anything was ever recorded in it."""

    def check_integrity(self) -> bool:
        """Whether it is from this implementation, and not from the earlier one. Changes nothing."""

    def lock_holder(self) -> str:
        """The process that is sending; empty when there is none."""


def probe_reports(tracker: ReportTracker, log: CheckedReportLog, name: str, clock: Clock) -> Iterator[CheckResult]:
    """The report log in the file `name`, and every state in which reports wait. Changes nothing.

    Raises InputError when the log is lost or damaged, and what else using the log raises.
    """
    if not log.exists():
        refuse_lost_report_log(tracker.folder.reports(), clock())
        yield CheckResult("report log", f"{name} does not exist yet: nothing was sent so far")
    elif not log.check_integrity():
        yield CheckResult(
            "report log", f"{name} is from the earlier implementation; the next command that uses it takes it over"
        )
        return
    else:
        yield CheckResult("report log", f"{name} is sound")
    if holder := log.lock_holder():
        yield CheckResult.warning(
            "report log",
            f"another ticketattr is running: {holder}",
            "Until it ends, another run stops with exit code 4.",
        )
    yield from _pending(tracker)


def probe_corrections(store: CorrectionStore) -> Iterator[CheckResult]:
    """The number of corrections. Raises what reading them raises."""
    yield CheckResult("corrections", counted(len(store.all()), "correction"))


def _pending(tracker: ReportTracker) -> Iterator[CheckResult]:
    states = Counter(status.state for status in tracker.pending())
    if not states:
        yield CheckResult("reports", "none is pending")
    for state, number in states.items():
        words, fix = _STATES[state]
        yield CheckResult.warning("reports", f"{counted(number, 'report')} {words}", fix)
