"""Decides which reports are sent, and which are not. No report is sent twice automatically.

The first rule that applies decides:

1. A damaged file is never sent.
2. A report is known by its SHA-256, whatever its file is called. If a message with it was sent, is being sent or is in
   doubt, that message decides.
3. A report that a person adopted counts as sent.
4. A report that was only refused so far (`failed`) is sent again, in a new message.
5. A workbook whose run was sent with other content was edited by a person. It is not sent again, unless the user names
   it and says `--again`. The same holds for a workbook that names no run, under the file name of a report that was
   sent: some programs drop the name of the run when they save.
6. Every other report is pending, and is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ..errors import InputError
from .delivery import Adoption, Delivery, MessageState, ReportFile
from .report_status import DeliveryHistory, ReportState, ReportStatus

# If several messages carry the same report, the one of the highest rank decides; of equals, the latest.
_RANK: dict[MessageState, int] = {"failed": 0, "sending": 1, "in_doubt": 1, "sent": 2}


LIFE_TIME = timedelta(days=5)
"""How long a message is sent again to a recipient who is deferred: as long as mail servers try (RFC 5321, 4.5.4.1)."""


def expired_recipients(delivery: Delivery, now: datetime) -> tuple[str, ...]:
    """The recipients of an accepted message who have been deferred for so long that they count as refused."""
    is_old = delivery.state == "sent" and now - delivery.message.date > LIFE_TIME
    return delivery.outstanding if is_old else ()


def statuses_of(reports: Iterable[ReportFile], history: DeliveryHistory) -> list[ReportStatus]:
    """The status of each report, in the order of `reports`."""
    by_hash: dict[str, Delivery] = {}
    attempts: dict[str, int] = {}
    sent_runs: dict[str, datetime] = {adoption.run_id: adoption.at for adoption in history.adoptions}
    sent_names: dict[str, datetime] = {}
    for delivery in history.deliveries:
        for report in delivery.message.reports:
            attempts[report.sha256] = attempts.get(report.sha256, 0) + delivery.attempts
            known = by_hash.get(report.sha256)
            if known is None or _RANK[delivery.state] >= _RANK[known.state]:
                by_hash[report.sha256] = delivery
            if delivery.state == "sent":
                sent_runs[report.run_id] = delivery.changed
                if report.run_id:
                    sent_names[report.path.name] = delivery.changed
    adoptions = _adoptions_by_key(history.adoptions)
    statuses = (
        _status(
            report,
            by_hash.get(report.sha256),
            _adoption_of(report, adoptions),
            _sent_before(report, sent_runs, sent_names),
            history,
        )
        for report in reports
    )
    return [_with_attempts(status, attempts.get(status.report.sha256, 0)) for status in statuses]


def status_in(delivery: Delivery, report: ReportFile, history: DeliveryHistory) -> ReportStatus:
    """The status of a report by that delivery alone."""
    state: ReportState = "held" if history.is_held(delivery) else delivery.state
    sent_at = delivery.changed if delivery.state == "sent" else None
    return ReportStatus(report, state, delivery.detail, delivery, delivery.attempts, sent_at)


def needs_new_message(status: ReportStatus) -> bool:
    """Whether the report is sent in a new message: no message was accepted with it, and none may have been."""
    return status.state in ("pending", "failed")


def refuse_to_send(status: ReportStatus, *, again: bool) -> None:
    """Raises InputError if the report must not be sent although the user named it. `again`: the user says `--again`."""
    path = status.report.path
    if status.state == "damaged":
        raise InputError(
            f"{path} is not sent: {status.detail}", hint="Create the report again with `ticketattr report`."
        )
    if again:
        return
    if status.state == "edited":
        raise InputError(f"{path} is not sent: {status.detail}", hint="Use `--again` to send it all the same.")
    if status.state == "held":
        raise InputError(
            f"{path} is not sent: it may have arrived ({status.detail})",
            hint="Decide with `ticketattr pending resolve`.",
        )


def _sent_before(
    report: ReportFile, sent_runs: Mapping[str, datetime], sent_names: Mapping[str, datetime]
) -> datetime | None:
    """When the report was sent with other content; by its run or, if it names none, by its file name."""
    return sent_runs.get(report.run_id) if report.run_id else sent_names.get(report.path.name)


def _with_attempts(status: ReportStatus, attempts: int) -> ReportStatus:
    return status if status.attempts == attempts else replace(status, attempts=attempts)


def _adoptions_by_key(adoptions: Iterable[Adoption]) -> Mapping[str, Sequence[Adoption]]:
    """The adoptions by the SHA-256 or the file name that they name: each report looks up its own only."""
    by_key: dict[str, list[Adoption]] = {}
    for adoption in adoptions:
        by_key.setdefault(adoption.sha256 or adoption.name, []).append(adoption)
    return by_key


def _adoption_of(report: ReportFile, adoptions: Mapping[str, Sequence[Adoption]]) -> Adoption | None:
    candidates = (*adoptions.get(report.sha256, ()), *adoptions.get(report.path.name, ()))
    return next((adoption for adoption in candidates if adoption.covers(report)), None)


def _status(
    report: ReportFile,
    delivery: Delivery | None,
    adoption: Adoption | None,
    run_sent_at: datetime | None,
    history: DeliveryHistory,
) -> ReportStatus:
    if report.damage:
        return ReportStatus(report, "damaged", report.damage)
    if delivery and delivery.state != "failed":
        return status_in(delivery, report, history)
    if adoption:
        return ReportStatus(report, "sent", adoption.detail, sent_at=adoption.at)
    if delivery:
        return status_in(delivery, report, history)
    if run_sent_at:
        what = "its run" if report.run_id else "a report under this file name"
        detail = f"{what} was sent at {run_sent_at:%Y-%m-%d %H:%M} UTC; this file was saved again afterwards"
        return ReportStatus(report, "edited", detail)
    return ReportStatus(report, "pending")
