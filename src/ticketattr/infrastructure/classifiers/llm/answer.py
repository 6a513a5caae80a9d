"""Reads the answer of a model, and checks it against the tickets of the batch and the catalog.

    {"items": [{id, request_category, request_type, confidence, evidence}]}

An answer of another form fails the whole batch. In a valid answer, each item is checked by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ....application.ports import BatchFailed
from ....domain.catalog import ServiceCatalog
from ....domain.ticket import Attribution, Outcome, Unattributed
from ....errors import InputError
from ...json_text import parse_json

log = logging.getLogger(__name__)

_MAX_EVIDENCE = 200


def read_answer(text: str, asked: int, catalog: ServiceCatalog) -> list[Outcome]:
    """Returns the outcome of each ticket, 1 to `asked`. Raises BatchFailed when the answer has another form."""
    answered: dict[int, Outcome] = {}
    strangers = 0
    items = _items(text)
    for item in items:
        number = _number(item["id"])
        if number is None or not 1 <= number <= asked:
            strangers += 1
            continue
        outcome = _outcome(item, catalog)
        if number in answered and not _agree(answered[number], outcome):
            outcome = Unattributed("bad_answer", "the model gave two different answers")
        answered[number] = outcome
    if strangers:
        log.warning("the model answered about %d tickets that are not in the batch; ignored", strangers)
    if any(name.startswith("sla") for item in items for name in item):
        log.warning("the model answered with SLAs; ignored, because SLAs come from the catalog")
    missing = Unattributed("not_answered", "the model left out this ticket")
    return [answered.get(number, missing) for number in range(1, asked + 1)]


def _items(text: str) -> list[dict[str, Any]]:
    try:
        answer = parse_json(text.encode("utf-8", "replace"), "the answer of the model")
    except InputError as error:
        raise BatchFailed("bad_answer", str(error)) from error
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise BatchFailed("bad_answer", "the answer of the model has no list of items")
    if not all(isinstance(item, dict) and "id" in item for item in items):
        raise BatchFailed("bad_answer", "the answer of the model has an item without an id")
    return items


def _number(value: Any) -> int | None:
    """Returns the number that an id stands for: 3, "3" and 3.0 are the same."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 10:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _outcome(item: Mapping[str, Any], catalog: ServiceCatalog) -> Outcome:
    category, request_type = item.get("request_category"), item.get("request_type")
    if not category and not request_type:
        return Unattributed("no_match", "the model found no request type that fits")
    entry = catalog.find(str(category), str(request_type))
    if entry is None:
        return Unattributed("not_in_catalog", f"the model answered: {str(category)[:100]} / {str(request_type)[:100]}")
    evidence = item.get("evidence")
    return Attribution(
        entry,
        source="model",
        confidence=_share(item.get("confidence")),
        evidence=evidence[:_MAX_EVIDENCE] if isinstance(evidence, str) else "",
    )


def _share(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= 1 else None


def _agree(one: Outcome, other: Outcome) -> bool:
    if isinstance(one, Attribution) and isinstance(other, Attribution):
        return one.entry == other.entry
    return one == other
