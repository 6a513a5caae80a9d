"""Sentences that several commands print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ...domain.correction import Correction
from ...domain.figures import ReportFigures
from ...domain.ticket import AttributedTicket
from ...domain.usage import Bill, ClassificationPlan
from ...domain.wording import counted, duration
from ...domain.write_back import SKIP_REASONS, Skipped

if TYPE_CHECKING:
    from ...application.apply import Applied
    from ...application.partitions import Tally


def attribution_summary(tickets: Sequence[AttributedTicket]) -> str:
    """How many tickets were attributed, how many failed, and how many wait for a batch job."""
    attributed = sum(ticket.is_attributed for ticket in tickets)
    return _attributed(attributed, len(tickets), _count_left(tickets))


def tally_summary(tally: Tally) -> str:
    """The same for tickets that were only counted."""
    return _attributed(tally.attributed, tally.tickets, {"failed": tally.failed})


def _count_left(tickets: Sequence[AttributedTicket]) -> dict[str, int]:
    failed, pending = (ticket.is_failure for ticket in tickets), (ticket.is_pending for ticket in tickets)
    return {"failed": sum(failed), "pending": sum(pending)}


def _attributed(attributed: int, tickets: int, left: Mapping[str, int]) -> str:
    summary = f"{attributed:,} of {counted(tickets, 'ticket')} attributed"
    return ", ".join([summary, *(f"{number:,} {what}" for what, number in left.items() if number)])


def decided(corrections: Sequence[Correction]) -> str:
    """How many rows people corrected and confirmed, such as `3 corrections and 1 confirmation`."""
    confirmed = sum(one.is_confirmation for one in corrections)
    corrected = len(corrections) - confirmed
    parts = [counted(corrected, "correction")] if corrected or not confirmed else []
    return " and ".join([*parts, *([counted(confirmed, "confirmation")] if confirmed else [])])


def applied_summary(applied: Applied) -> str:
    """How many changes came to which state, and why other tickets were left as they are."""
    states = Counter(change.state.replace("_", " ") for change in applied.changes)
    made = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items()))
    would = " (nothing was written)" if applied.mode == "shadow" else ""
    lines = [f"{applied.mode}: {counted(len(applied.changes), 'change')}{f': {made}' if made else ''}{would}"]
    if applied.settled:
        settled = Counter(change.state.replace("_", " ") for change in applied.settled)
        lines.append(
            f"settled from earlier runs: {', '.join(f'{count:,} {state}' for state, count in sorted(settled.items()))}"
        )
    if applied.skipped:
        lines.append(f"left as they are: {skipped_words(applied.skipped)}")
    return "; ".join(lines)


def skipped_words(skipped: Sequence[Skipped]) -> str:
    """How many tickets are left as they are, by reason."""
    reasons = Counter(one.reason for one in skipped)
    return ", ".join(f"{count:,} {SKIP_REASONS[reason]}" for reason, count in reasons.most_common())


def for_a_person(figures: ReportFigures) -> str:
    """What a person has to look at: how many tickets are overdue, due within a day, to review and failed."""
    counts = (
        (figures.overdue, "overdue"),
        (figures.due_soon, "due within a day"),
        (figures.review, "to review"),
        (figures.failed, "failed"),
    )
    found = ", ".join(f"{number:,} {what}" for number, what in counts if number)
    return f"to do: {found}" if found else "nothing to do"


def bill_summary(bill: Bill) -> str:
    """The calls, tokens, seconds and price of a bill, and the models that answered."""
    return f"{_usage(bill)} in {bill.seconds:.1f} s{_price(bill)}, answered by {bill.model}"


def plan_text(plan: ClassificationPlan, *, offers_jobs: bool = False, max_cost: float | None = None) -> str:
    """How many tickets need no model, how many texts it would be asked about, and the estimated price and time.

    With `offers_jobs`, those of batch jobs, too. `max_cost` is the limit that is set, in US dollars.
    """
    corrected = f"{plan.corrected:,} corrected by a person, " if plan.corrected else ""
    in_job = f"; in a batch job {plan.job_cost}" if offers_jobs and plan.to_ask and plan.job_cost else ""
    return (
        f"{counted(plan.tickets, 'ticket')}: {corrected}"
        f"{plan.kept:,} keep their pair, {plan.cached:,} answered before, "
        f"{counted(plan.to_ask, 'different text')} to ask about in {counted(plan.batches, 'batch', 'batches')}\n"
        f"about {_usage(plan.bill)}{_price(plan.bill)}{in_job}"
        + "".join(f"\n{line}" for line in _plan_lines(plan, max_cost, offers_jobs=offers_jobs))
    )


def _plan_lines(plan: ClassificationPlan, max_cost: float | None, *, offers_jobs: bool) -> Iterator[str]:
    if not plan.to_ask:
        return
    time = duration(plan.bill.seconds)
    if not plan.bill.usage.calls:
        yield f"about {time} of one processor core"
        return
    yield f"about {time} with the limits that are set; all calls and tokens count against the quota of the key"
    if offers_jobs:
        yield (
            f"in at least {counted(plan.jobs, 'batch job')}: answers mostly within 24 hours; all tokens count against "
            "the quota of enqueued tokens at once"
        )
    if max_cost is not None and plan.bill.cost is not None and plan.bill.cost > max_cost:
        yield f"LLM_MAX_COST is {max_cost:g} USD: what is not paid for by then is left for the next run"


def _usage(bill: Bill) -> str:
    usage = bill.usage
    kinds = ((usage.retries, "of them retries"), (usage.batched, "of them in batch jobs, at half the price"))
    which = "; ".join(f"{number:,} {kind}" for number, kind in kinds if number)
    retries = f" ({which})" if which else ""
    cached = f" ({usage.tokens_cached:,} cached)" if usage.tokens_cached else ""
    thinking = f" and {usage.tokens_thinking:,} thinking" if usage.tokens_thinking else ""
    tokens = f"{usage.tokens_in:,} tokens in{cached}, {usage.tokens_out:,} out{thinking}"
    return f"{counted(usage.calls, 'call')}{retries}, {tokens}"


def _price(bill: Bill) -> str:
    return ", price unknown" if bill.cost is None else f", {bill.cost_in_words}"
