"""Sentences that several commands print."""

from __future__ import annotations

from collections.abc import Sequence

from ...domain.correction import Correction
from ...domain.ticket import AttributedTicket
from ...domain.usage import Bill, ClassificationPlan
from ...domain.wording import counted


def attribution_summary(tickets: Sequence[AttributedTicket]) -> str:
    """How many tickets were attributed, and how many failed."""
    attributed = sum(ticket.is_attributed for ticket in tickets)
    failed = sum(ticket.is_failure for ticket in tickets)
    summary = f"{attributed:,} of {counted(len(tickets), 'ticket')} attributed"
    return f"{summary}, {failed:,} failed" if failed else summary


def decided(corrections: Sequence[Correction]) -> str:
    """How many rows people corrected and confirmed, such as `3 corrections and 1 confirmation`."""
    confirmed = sum(one.is_confirmation for one in corrections)
    corrected = len(corrections) - confirmed
    parts = [counted(corrected, "correction")] if corrected or not confirmed else []
    return " and ".join([*parts, *([counted(confirmed, "confirmation")] if confirmed else [])])


def bill_summary(bill: Bill) -> str:
    """The calls, tokens, seconds and price of a bill, and the models that answered."""
    return f"{_usage(bill)} in {bill.seconds:.1f} s{_price(bill)}, answered by {bill.model}"


def plan_text(plan: ClassificationPlan) -> str:
    """How many tickets need no model, how many texts it would be asked about, and the estimated price."""
    corrected = f"{plan.corrected:,} corrected by a person, " if plan.corrected else ""
    return (
        f"{counted(plan.tickets, 'ticket')}: {corrected}"
        f"{plan.kept:,} keep their pair, {plan.cached:,} answered before, "
        f"{counted(plan.to_ask, 'different text')} to ask about in {counted(plan.batches, 'batch', 'batches')}\n"
        f"about {_usage(plan.bill)}{_price(plan.bill)}"
    )


def _usage(bill: Bill) -> str:
    usage = bill.usage
    retries = f" ({usage.retries:,} of them retries)" if usage.retries else ""
    cached = f" ({usage.tokens_cached:,} cached)" if usage.tokens_cached else ""
    thinking = f" and {usage.tokens_thinking:,} thinking" if usage.tokens_thinking else ""
    tokens = f"{usage.tokens_in:,} tokens in{cached}, {usage.tokens_out:,} out{thinking}"
    return f"{counted(usage.calls, 'call')}{retries}, {tokens}"


def _price(bill: Bill) -> str:
    return ", price unknown" if bill.cost is None else f", {bill.cost_in_words}"
