"""Lists of changes in the helpdesk: those that are due, those that were made, and those of the mode shadow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...domain.shadow import Agreement, Compared, agreements
from ...domain.write_back import Change, PlannedChange, shown_pair
from .listing import print_list
from .log_lines import plain

_PLANNED = ("ticket_id", "mode", "has", "gets", "confidence", "source")
_CHANGE_FIELDS = (
    *("number", "changed", "helpdesk", "run_id", "ticket_id", "mode", "state"),
    *("old_category", "old_type", "new_category", "new_type"),
    *("confidence", "source", "started", "undoes", "detail"),
)
_CHANGES_IN_TABLE = ("changed", "ticket_id", "mode", "state", "has", "gets", "detail")
_SHADOW = ("ticket_id", "would_set", "confidence", "has_now", "verdict", "run_id")


def print_planned(changes: Sequence[PlannedChange]) -> None:
    """Print what would be changed, as a table."""
    rows = [
        {
            "ticket_id": plain(change.ticket_id),
            "mode": change.mode,
            "has": plain(shown_pair(change.before)),
            "gets": plain(shown_pair(change.after)),
            "confidence": _confidence(change.attribution.confidence),
            "source": change.attribution.source,
        }
        for change in changes
    ]
    print_list(rows, "table", (), _PLANNED, "no change is due")


def print_changes(changes: Sequence[Change], format: str) -> None:
    """Print the changes in the helpdesk."""
    rows = [change_row(change) for change in changes]
    if format == "table":
        pairs = [(plain(shown_pair(change.before)), plain(shown_pair(change.after))) for change in changes]
        rows = [{**row, "has": has, "gets": gets} for row, (has, gets) in zip(rows, pairs, strict=True)]
    print_list(rows, format, _CHANGE_FIELDS, _CHANGES_IN_TABLE, "nothing was changed")


def print_shadow(compared: Sequence[Compared], format: str) -> None:
    """Print what people chose in place of what would have been set, and how often they agreed."""
    rows = [
        {
            "ticket_id": plain(one.change.ticket_id),
            "would_set": plain(shown_pair(one.change.after)),
            "confidence": one.change.confidence,
            "has_now": plain(shown_pair(one.now.pair)) if one.now else "",
            "verdict": one.verdict,
            "run_id": plain(one.change.run_id),
        }
        for one in compared
    ]
    found = agreements(compared)
    if format == "json":
        print(json.dumps({"agreement": list(map(_agreement_row, found)), "tickets": rows}, indent=2))
        return
    print_list(rows, format, _SHADOW, _SHADOW, "the mode shadow recorded nothing")
    if format == "table" and rows:
        shares = [{"category": plain(one.category) or "(all)", "agreement": _share(one)} for one in found]
        print()
        print_list(shares, "table", (), ("category", "agreement"), "")


def change_row(change: Change) -> dict[str, Any]:
    """A change with the fields of the list, without control characters."""
    return {
        "number": change.number,
        "changed": f"{change.changed:%Y-%m-%dT%H:%M:%SZ}",
        "helpdesk": plain(change.helpdesk),
        "run_id": plain(change.run_id),
        "ticket_id": plain(change.ticket_id),
        "mode": change.mode,
        "state": change.state,
        "old_category": plain(change.before[0]),
        "old_type": plain(change.before[1]),
        "new_category": plain(change.after[0]),
        "new_type": plain(change.after[1]),
        "confidence": change.confidence,
        "source": plain(change.source),
        "started": f"{change.started:%Y-%m-%dT%H:%M:%SZ}",
        "undoes": change.undoes,
        "detail": plain(change.detail),
    }


def _agreement_row(agreement: Agreement) -> dict[str, Any]:
    estimate = agreement.estimate
    return {
        "category": plain(agreement.category) or "(all)",
        "agreed": agreement.agreed,
        "decided": agreement.decided,
        "agreement": round(estimate.value, 4) if agreement.decided else None,
        "low": round(estimate.low, 4),
        "high": round(estimate.high, 4),
    }


def _share(agreement: Agreement) -> str:
    """The agreement with its 95 % interval."""
    if not agreement.decided:
        return "nobody has decided yet"
    value, low, high = (
        100 * share for share in (agreement.estimate.value, agreement.estimate.low, agreement.estimate.high)
    )
    return f"{value:.1f} % ({agreement.agreed:,} of {agreement.decided:,}; 95 % interval {low:.1f} to {high:.1f} %)"


def _confidence(confidence: float | None) -> str:
    return "" if confidence is None else f"{confidence:.2f}"
