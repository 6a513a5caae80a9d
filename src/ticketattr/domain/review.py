"""Which attributions a person should look at, and why, in words."""

from __future__ import annotations

from .ticket import AttributedTicket, Attribution, Reason, Unattributed

REVIEW_BELOW = 0.6
"""The confidence below which a person should look, unless told otherwise."""

IN_WORDS: dict[Reason, str] = {
    "no_match": "nothing in the catalog fits",
    "not_answered": "the classifier left it out",
    "not_in_catalog": "the answer is not in the catalog",
    "bad_answer": "the answer was of no use",
    "blocked": "the model refused it for its content",
    "service_error": "the classifier failed",
    "quota": "the daily quota was used up",
    "cost_limit": "the cost limit was reached",
}


def reasons_for_review(attributed: AttributedTicket, steering: str, review_below: float) -> tuple[str, ...]:
    """Why a person should look at this ticket; none for what a person has decided already.

    `steering`: what is suspicious about its text.
    """
    match attributed.outcome:
        case Unattributed(reason):
            doubts = [f"no request type: {IN_WORDS[reason]}"]
        case Attribution(source="corrected"):
            return ()
        case Attribution(entry, _, confidence):
            doubts = []
            if confidence is not None and confidence < review_below:
                doubts.append(f"unsure: confidence {confidence:.3g} is below {review_below:g}")
            came_with = attributed.ticket.sla
            if came_with and came_with.calendar_hours != entry.sla.calendar_hours:
                doubts.append(f"came with an SLA of {came_with}, the catalog promises {entry.sla}")
    if steering:
        doubts.append(f"suspicious text: {steering}")
    return tuple(doubts)
