"""A backup replaces the report log, and no sent report is forgotten."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ticketattr.application.ports import DeliveryInDoubt
from ticketattr.application.resolve import Decision, resolve_doubt
from ticketattr.application.restore import Restored, UnknownReports, restore_log
from ticketattr.domain.delivery import LogIdentity, RecipientResult
from ticketattr.errors import InputError
from ticketattr.infrastructure.delivery.report_folder import OutputFolder
from ticketattr.infrastructure.delivery.report_log import read_backup

from ..fakes import MIDNIGHT
from .test_send import DOUBT, REFUSED, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "output")
    desk.put("a.xlsx")
    desk.send()
    return desk


@pytest.fixture
def copy(desk: Desk) -> Path:
    path = desk.root.parent / "copy.db"
    desk.log.back_up(path)
    return path


def restore(desk: Desk, copy: Path, unknown: UnknownReports = "refuse") -> Restored:
    folder = OutputFolder(desk.root)
    return restore_log(desk.log, read_backup(copy), folder, unknown, MIDNIGHT)


def lose_log(desk: Desk) -> None:
    for path in desk.root.glob("reports.db*"):
        path.unlink()


def test_a_report_that_is_sent_in_the_backup_is_not_sent_again(desk: Desk, copy: Path) -> None:
    lose_log(desk)
    assert restore(desk, copy) == Restored((), "")
    assert desk.send() == []


def test_a_restored_log_is_the_one_that_the_folder_belongs_to(desk: Desk, copy: Path) -> None:
    lose_log(desk)
    other = LogIdentity("f" * 32, "elsewhere")
    OutputFolder(desk.root).set_owner(other)
    restore(desk, copy)
    assert desk.log.identity().id == other.id


def test_the_former_log_is_kept(desk: Desk, copy: Path) -> None:
    former = restore(desk, copy).former_log
    assert former
    assert Path(former).is_file()


@pytest.mark.parametrize(
    ("number", "named"),
    [(1, ["new 0.xlsx"]), (10, [f"new {n}.xlsx" for n in range(10)]), (12, [f"new {n}.xlsx" for n in range(10)])],
)
def test_reports_that_are_not_in_the_backup_need_a_decision(
    desk: Desk, copy: Path, number: int, named: list[str]
) -> None:
    lose_log(desk)
    for place in range(number):
        desk.put(f"new {place}.xlsx", modified=2000 + place)
    with pytest.raises(InputError) as caught:
        restore(desk, copy)
    paths = ", ".join(str(desk.root / name) for name in named)
    more = ", and 2 more" if number > 10 else ""
    assert str(caught.value).startswith(f"nothing restored: the backup does not contain {paths}{more}, which may have")
    assert caught.value.hint.startswith("Use `--unknown sent` if they were sent, or `--unknown pending` if")
    assert not desk.log.exists()


@pytest.mark.parametrize(("unknown", "sent"), [("sent", []), ("pending", [["new.xlsx"]])])
def test_the_decision_about_unknown_reports_is_followed(
    desk: Desk, copy: Path, unknown: UnknownReports, sent: list[list[str]]
) -> None:
    lose_log(desk)
    path = desk.put("new.xlsx")
    (report,) = restore(desk, copy, unknown).unknown
    assert report.path == path
    assert desk.send() == sent


def test_an_adoption_in_the_backup_is_known(desk: Desk) -> None:
    desk.put("adopted.xlsx")
    desk.log.adopt([desk.outgoing().tracker.status(desk.root / "adopted.xlsx").report], "adopted", MIDNIGHT)
    copy = desk.root.parent / "copy.db"
    desk.log.back_up(copy)
    lose_log(desk)
    assert restore(desk, copy) == Restored((), "")


def test_the_reason_why_they_count_as_sent_is_recorded(desk: Desk, copy: Path) -> None:
    lose_log(desk)
    desk.put("new.xlsx")
    restore(desk, copy, "sent")
    assert (
        desk.outgoing().tracker.status(desk.root / "new.xlsx").detail
        == "adopted when the log was restored: counts as sent"
    )


def test_a_log_with_a_further_message_that_may_have_arrived_is_not_replaced(desk: Desk, copy: Path) -> None:
    desk.put("b.xlsx")
    desk.mailer.troubles = [DOUBT]
    desk.send()
    with pytest.raises(InputError, match="contains 1 message that the backup does not") as caught:
        restore(desk, copy, "pending")
    assert f"move it away first ({desk.log.identity().place})" in caught.value.hint
    assert "may send again what was sent after the backup" in caught.value.hint
    assert len(desk.log.deliveries()) == 2


def test_a_log_with_a_further_failed_message_is_replaced(desk: Desk, copy: Path) -> None:
    desk.put("b.xlsx")
    desk.mailer.troubles = [REFUSED]
    desk.send()
    restore(desk, copy, "pending")
    assert len(desk.log.deliveries()) == 1


@pytest.mark.parametrize("trouble", [DOUBT, KeyboardInterrupt()], ids=["in doubt", "interrupted"])
def test_a_log_in_which_a_message_was_sent_after_the_backup_is_not_replaced(
    desk: Desk, copy: Path, trouble: DeliveryInDoubt | KeyboardInterrupt
) -> None:
    desk.put("b.xlsx")
    desk.mailer.troubles = [trouble]
    with suppress(KeyboardInterrupt):
        desk.send()
    copy.unlink()
    desk.log.back_up(copy)
    desk.send()
    with pytest.raises(InputError, match=r"b\.xlsx is sent \(in the backup: (in doubt|sending)\)"):
        restore(desk, copy, "pending")
    assert desk.states() == {"a.xlsx": "sent", "b.xlsx": "sent"}


def test_a_log_in_which_a_deferred_recipient_has_the_message_is_not_replaced(desk: Desk, copy: Path) -> None:
    desk.addressing = replace(desk.addressing, recipients=("lead@example.com", "boss@example.com"))
    desk.put("b.xlsx")
    desk.mailer.answers = [
        (RecipientResult("lead@example.com", "sent"), RecipientResult("boss@example.com", "deferred"))
    ]
    desk.send()
    desk.log.back_up(copy)
    desk.send()
    with pytest.raises(InputError, match="in the backup: sent but for 1 recipient"):
        restore(desk, copy, "pending")


@pytest.mark.parametrize("decision", ["sent", "resend"])
def test_a_decision_of_a_person_is_not_undone(desk: Desk, copy: Path, decision: Decision) -> None:
    desk.doubt = "hold"
    desk.put("b.xlsx")
    desk.mailer.troubles = [DOUBT]
    desk.send()
    desk.log.back_up(copy)
    resolve_doubt(desk.outgoing().tracker, desk.log, "b.xlsx", decision, desk.clock())
    with pytest.raises(
        InputError, match=r"b\.xlsx is (sent|in doubt and to be sent again) \(in the backup: in doubt\)"
    ):
        restore(desk, copy, "pending")


def test_a_decision_that_a_report_counts_as_sent_is_not_undone(desk: Desk, copy: Path) -> None:
    desk.put("b.xlsx")
    desk.log.adopt([desk.outgoing().tracker.status(desk.root / "b.xlsx").report], "adopted", MIDNIGHT)
    with pytest.raises(InputError, match="contains 1 decision that a report counts as sent"):
        restore(desk, copy, "pending")


def test_a_backup_that_is_newer_than_the_log_replaces_it(desk: Desk, copy: Path) -> None:
    desk.put("b.xlsx")
    desk.mailer.troubles = [DOUBT]
    desk.send()
    desk.log.back_up(copy)
    desk.send()
    newer = copy.with_name("newer.db")
    desk.log.back_up(newer)
    lose_log(desk)
    restore(desk, copy, "pending")
    restore(desk, newer)
    assert desk.states() == {"a.xlsx": "sent", "b.xlsx": "sent"}


def test_a_report_that_was_refused_before_the_backup_may_have_been_sent_since(desk: Desk, copy: Path) -> None:
    desk.put("b.xlsx")
    desk.mailer.troubles = [REFUSED]
    desk.send()
    desk.log.back_up(copy)
    desk.send()
    lose_log(desk)
    with pytest.raises(InputError, match=r"does not contain .*b\.xlsx, which may have been sent"):
        restore(desk, copy)
    restore(desk, copy, "sent")
    assert desk.send() == []


def test_an_unreadable_log_is_replaced_with_a_warning(desk: Desk, copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    lose_log(desk)
    (desk.root / "reports.db").write_bytes(b"no database, " * 99)
    with caplog.at_level(logging.WARNING):
        restore(desk, copy)
    assert caplog.messages[0].startswith(f"the report log {desk.root / 'reports.db'} is damaged")
    assert desk.send() == []
