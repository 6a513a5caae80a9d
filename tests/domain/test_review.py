"""Which attributions a person should review."""

from __future__ import annotations

import pytest

from ticketattr.domain.catalog import SLA, RequestType
from ticketattr.domain.review import REASON_TEXTS, reasons_for_review
from ticketattr.domain.ticket import (
    AttributedTicket,
    Attribution,
    Decision,
    DecisionEffect,
    Outcome,
    Source,
    Ticket,
    Unattributed,
)

from ..fakes import MIDNIGHT

ENTRY = RequestType("Access", "Password Reset", SLA(1, "days"))


def reasons(outcome: Outcome, *, sla: SLA | None = None, steering: str = "") -> tuple[str, ...]:
    return reasons_for_review(AttributedTicket(Ticket("1", "open", sla=sla), outcome), steering, 0.6)


@pytest.mark.parametrize(("confidence", "flagged"), [(None, False), (0.6, False), (0.599, True), (0.0, True)], ids=str)
@pytest.mark.parametrize("source", ["model", "offline", "cached"])
def test_low_confidence_needs_review(source: Source, confidence: float | None, flagged: bool) -> None:
    assert bool(reasons(Attribution(ENTRY, source, confidence))) == flagged


def test_a_ticket_that_waits_for_a_batch_job_needs_no_review() -> None:
    assert reasons(Unattributed("pending")) == ()


@pytest.mark.parametrize("reason", [reason for reason in REASON_TEXTS if reason != "pending"])
def test_every_other_ticket_without_an_attribution_needs_review(reason: str) -> None:
    (words,) = reasons(Unattributed(reason))  # type: ignore[arg-type]  # the keys are reasons
    assert words.startswith("no request type: ")


@pytest.mark.parametrize(
    ("sla", "flagged"),
    [
        (None, False),
        (SLA(1, "days"), False),
        (SLA(24, "hours"), False),
        (SLA(2, "days"), True),
        (SLA(1, "hours"), True),
    ],
    ids=str,
)
def test_an_sla_that_contradicts_the_catalog_needs_review(sla: SLA | None, flagged: bool) -> None:
    assert bool(reasons(Attribution(ENTRY, "kept"), sla=sla)) == flagged


def test_suspicious_text_needs_review_at_any_confidence() -> None:
    assert reasons(Attribution(ENTRY, "model", 1.0), steering="hides text") == ("suspicious text: hides text",)


def test_text_with_bytes_that_could_not_be_decoded_needs_review() -> None:
    ticket = AttributedTicket(Ticket("1", "B\ufffdro"), Attribution(ENTRY, "model", 1.0))
    assert reasons_for_review(ticket, "", 0.6) == ("damaged text: it has bytes that are not in its encoding",)


def test_a_decision_of_a_person_needs_no_review() -> None:
    assert reasons(Attribution(ENTRY, "corrected"), sla=SLA(9, "weeks"), steering="hides text") == ()


@pytest.mark.parametrize(
    ("effect", "why"),
    [
        ("another text", "the text has become another one since then"),
        ("not in the catalog", "no longer has that entry"),
    ],
)
def test_a_decision_that_does_not_hold_any_more_needs_review(effect: DecisionEffect, why: str) -> None:
    decision = Decision("Access", "Badge", is_confirmation=False, at=MIDNIGHT, effect=effect)
    for outcome in (Attribution(ENTRY, "model", 1.0), Attribution(ENTRY, "kept"), Unattributed("no_match")):
        first = reasons_for_review(AttributedTicket(Ticket("1", "open"), outcome, decision), "", 0.6)[0]
        assert first.startswith("a person chose Access / Badge on 2026-11-23, but ")
        assert first.endswith(why)


def test_every_reason_is_given() -> None:
    assert len(reasons(Attribution(ENTRY, "model", 0.1), sla=SLA(9, "weeks"), steering="hides text")) == 3
