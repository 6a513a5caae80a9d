"""The subject of a mail: what stands for its placeholders."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ticketattr.domain.figures import ReportFigures
from ticketattr.domain.mail_subject import (
    PLACEHOLDERS,
    fill_subject,
    newest_figures,
    unknown_placeholders,
)

from ..fakes import MIDNIGHT

FIGURES = ReportFigures(MIDNIGHT, "UTC", 41, 40, 3, 2, 7, 1, new=6, changed=5, gone=4)


def filled(subject: str, figures: ReportFigures | None = FIGURES) -> str:
    return fill_subject(subject, figures, MIDNIGHT + timedelta(days=1), "%d.%m.%Y")


def test_each_placeholder_has_a_value() -> None:
    subject = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    assert filled(subject) == "41 40 3 2 7 1 6 5 4 23.11.2026 00:00"


@pytest.mark.parametrize("subject", ["Reports", "a } b { c", "{{", "100 %", "$overdue", "\\1"])
def test_a_subject_without_placeholders_stays_as_it_is(subject: str) -> None:
    assert filled(subject) == subject
    assert unknown_placeholders(subject) == []


def test_what_is_not_known_is_a_question_mark_and_the_date_is_that_of_the_mail() -> None:
    assert filled("{overdue} overdue: {date}", None) == "? overdue: 24.11.2026"
    assert filled("{gone} {changed}", replace(FIGURES, gone=None, changed=None)) == "? ?"


def test_without_an_earlier_report_every_ticket_is_new() -> None:
    assert filled("{new}", replace(FIGURES, new=None)) == "41"


def test_unknown_placeholders_are_named_once_in_their_order() -> None:
    subject = "{overdu} {overdue} {} {overdue:d} {overdu}"
    assert unknown_placeholders(subject) == ["overdu", "", "overdue:d"]


def test_the_newest_report_that_has_figures_decides() -> None:
    newer = replace(FIGURES, generated_at=MIDNIGHT + timedelta(hours=1))
    assert newest_figures([newer, FIGURES, None]) is newer
    assert newest_figures([None]) is None
    same = replace(FIGURES, tickets=1)
    assert newest_figures([FIGURES, same]) is same
