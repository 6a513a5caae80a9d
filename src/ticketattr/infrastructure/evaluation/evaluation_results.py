"""The results of an evaluation as a JSON file: the scores, and the prediction for each ticket.

{"kind": "evaluation", "schema_version": 1, "classifier", "bill", "figures", "tickets": [{id, gold, answer, …}]}

A repeated evaluation has "consistency", too.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ...application.evaluate import EvaluationResults, GoldSet
from ...domain.catalog import RequestType, ServiceCatalog
from ...domain.scoring import Prediction, score
from ...domain.usage import Bill
from ...errors import InputError
from ..files import read_bounded
from ..json_text import dump_json, parse_json

SCHEMA_VERSION = 1
_BILL = TypeAdapter(Bill)
_MAX_BYTES = 256 * 1024 * 1024


def dump_results(results: EvaluationResults) -> bytes:
    """The content of a results file."""
    return dump_json(
        {
            "kind": "evaluation",
            "schema_version": SCHEMA_VERSION,
            "classifier": results.classifier,
            "calibration": results.calibration,
            "bill": asdict(results.bill),
            "figures": asdict(results.scores),
            **({"consistency": asdict(results.consistency)} if results.consistency else {}),
            "tickets": [_row(case) for case in results.predictions],
        }
    )


def read_results(path: Path, gold: GoldSet, *, target: float) -> EvaluationResults:
    """The results in a file, scored anew for the precision `target`. The file is their name.

    Raises InputError when the file is not valid, or was made on other gold tickets.
    """
    content = parse_json(read_bounded(path, _MAX_BYTES), str(path))
    if not isinstance(content, dict) or content.get("kind") != "evaluation":
        raise InputError(f"{path} is not a results file", hint="Make one with `ticketattr evaluate --format json`.")
    predictions = _predictions(content.get("tickets"), gold, path)
    try:
        bill = _BILL.validate_python(content.get("bill", {}))
    except ValidationError as error:
        raise InputError(f"{path} has no valid bill", hint="Evaluate again.") from error
    return EvaluationResults(str(path), "", score(predictions, target=target), predictions, bill)


def _predictions(rows: Any, gold: GoldSet, path: Path) -> tuple[Prediction, ...]:
    saved = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    found = [
        Prediction.of(case, _entry(row.get("answer"), gold.catalog), _share(row.get("confidence")))
        for case, row in zip(gold.tickets, saved, strict=False)
        if (row.get("id"), row.get("gold")) == (case.ticket.id, _pair(case.entry))
    ]
    if not len(found) == len(gold.tickets) == len(saved):
        raise InputError(f"{path} was made on other gold tickets", hint="Evaluate both on the same gold tickets.")
    return tuple(found)


def _row(case: Prediction) -> dict[str, Any]:
    return {
        "id": case.id,
        "gold": _pair(case.label),
        "answer": _pair(case.chosen) if case.chosen else None,
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
