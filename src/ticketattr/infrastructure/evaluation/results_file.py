"""The results of an evaluation on file: its figures, and the answer to each ticket.

{"kind": "evaluation", "schema_version": 1, "classifier", "bill", "figures", "tickets": [{id, gold, answer, …}]}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ...domain.catalog import RequestType, ServiceCatalog
from ...domain.evaluation import Evaluation, Judged
from ...domain.gold import GoldTicket
from ...domain.usage import Bill
from ...errors import InputError
from ..files import read_bounded
from ..json_text import dump_json, parse_json

SCHEMA_VERSION = 1
_BILL = TypeAdapter(Bill)
_MAX_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Results:
    """`calibration` says which map the confidences went through, if any; it is empty when nobody knows."""

    classifier: str
    calibration: str
    evaluation: Evaluation
    judged: tuple[Judged, ...]
    bill: Bill


@dataclass(frozen=True, slots=True)
class Answers:
    """The answer to each gold ticket, and what all of them took."""

    judged: tuple[Judged, ...]
    bill: Bill


def dump_results(results: Results) -> bytes:
    return dump_json(
        {
            "kind": "evaluation",
            "schema_version": SCHEMA_VERSION,
            "classifier": results.classifier,
            "calibration": results.calibration,
            "bill": asdict(results.bill),
            "figures": asdict(results.evaluation),
            "tickets": [_ticket(case) for case in results.judged],
        }
    )


def read_answers(path: Path, gold: Sequence[GoldTicket], catalog: ServiceCatalog) -> Answers:
    """Those in a file, for the same gold tickets. Raises InputError."""
    content = parse_json(read_bounded(path, _MAX_BYTES), str(path))
    if not isinstance(content, dict) or content.get("kind") != "evaluation":
        raise InputError(f"{path} holds no results", hint="Make them with `ticketattr evaluate --format json`.")
    rows = content.get("tickets")
    saved = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    if [(row.get("id"), row.get("gold")) for row in saved] != [(case.ticket.id, _pair(case.entry)) for case in gold]:
        raise InputError(f"{path} was made on other gold tickets", hint="Evaluate both on the same ones.")
    judged = tuple(
        Judged(case, _entry(row.get("answer"), catalog), _share(row.get("confidence")))
        for case, row in zip(gold, saved, strict=True)
    )
    try:
        return Answers(judged, _BILL.validate_python(content.get("bill", {})))
    except ValidationError as error:
        raise InputError(f"{path} does not say what its answers took", hint="Evaluate anew.") from error


def _ticket(case: Judged) -> dict[str, Any]:
    return {
        "id": case.gold.ticket.id,
        "gold": _pair(case.gold.entry),
        "answer": _pair(case.answer) if case.answer else None,
        "confidence": case.confidence,
        "right": case.is_right,
        "acceptable": case.is_acceptable,
    }


def _share(value: Any) -> float | None:
    is_share = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
    return float(value) if is_share else None


def _pair(entry: RequestType) -> dict[str, str]:
    return {"request_category": entry.category, "request_type": entry.name}


def _entry(pair: Any, catalog: ServiceCatalog) -> RequestType | None:
    if not isinstance(pair, dict):
        return None
    return catalog.find(str(pair.get("request_category")), str(pair.get("request_type")))
