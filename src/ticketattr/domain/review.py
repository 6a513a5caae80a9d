"""Which attributions a person should review, and the reasons as text."""

from __future__ import annotations

from .ticket import AttributedTicket, Attribution, Decision, Reason, Unattributed

REVIEW_BELOW = 0.6
"""The default confidence below which a person should review an attribution."""

REASON_TEXTS: dict[Reason, str] = {
    "no_match": "no entry of the catalog fits",
    "not_answered": "the classifier left it out",
    "not_in_catalog": "the answer is not in the catalog",
    "bad_answer": "the answer could not be read",
    "blocked": "the model refused its content",
    "service_error": "the classifier failed",
    "quota": "the daily quota was used up",
    "cost_limit": "the cost limit was reached",
    "pending": "the batch job has not answered yet",
}


def reasons_for_review(attributed: AttributedTicket, suspicious: str, review_below: float) -> tuple[str, ...]:
    """Why a person should review this ticket; empty if there is no reason, or a person has decided already.

    `suspicious` says what is suspicious about its text. A confidence below `review_below` (0 to 1) is a reason, and so
    is a decision of a person that does not hold any more.
    """
    match attributed.outcome:
        case Unattributed(reason):
            reasons = [] if reason == "pending" else [f"no request type: {REASON_TEXTS[reason]}"]
        case Attribution(source="corrected" | "confirmed"):
            return ()
        case Attribution(entry, _, confidence):
            reasons = []
            if confidence is not None and confidence < review_below:
                reasons.append(f"unsure: the confidence {confidence:.3g} is below {review_below:g}")
            came_with = attributed.ticket.sla
            if came_with and came_with.calendar_hours != entry.sla.calendar_hours:
                reasons.append(f"came with an SLA of {came_with}, but the catalog promises {entry.sla}")
    if any("\N{REPLACEMENT CHARACTER}" in text for text in attributed.ticket.texts):
        reasons.append("damaged text: it has bytes that are not in its encoding")
    if suspicious:
        reasons.append(f"suspicious text: {suspicious}")
    return (*_lapsed(attributed.decision), *reasons)


def _lapsed(decision: Decision | None) -> tuple[str, ...]:
    """Why the decision of a person does not hold any more; empty if there is none."""
    if decision is None:
        return ()
    chosen = f"a person chose {decision.request_category} / {decision.request_type} on {decision.at:%Y-%m-%d}"
    if decision.effect == "another text":
        return (f"{chosen}, but the text has become another one since then",)
    return (f"{chosen}, but the catalog no longer has that entry",)
