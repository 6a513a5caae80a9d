"""Reads the answer of a model, and checks it against the tickets of the batch and the catalog.

    {"items": [{id, request_category, request_type, confidence, evidence}]}

What is around the items is read leniently: a code fence, prose, the bare list, the same JSON twice. An answer without
items fails the whole batch. Each item is checked strictly and by itself.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ....application.ports import BatchFailed
from ....domain.catalog import ServiceCatalog
from ....domain.ticket import Attribution, Outcome, Unattributed, agree
from ....domain.wording import counted
from .answer_json import json_values
from .compact import with_names

log = logging.getLogger(__name__)

_MAX_EVIDENCE = 200
_DECIMAL = re.compile(r"\d{1,3}(\.\d{1,20})?", re.ASCII)


def read_answer(text: str, asked: int, catalog: ServiceCatalog, model: str = "") -> list[Outcome]:
    """Returns the outcome of each ticket, 1 to `asked`, as `model` answered it.

    Raises BatchFailed when the answer has another form.
    """
    return _outcomes(full_items(text, catalog), asked, catalog, model)


def read_compact_answer(text: str, asked: int, catalog: ServiceCatalog, model: str = "") -> list[Outcome]:
    """Returns what `read_answer` returns, for an answer with codes. Items with names are understood, too."""
    return _outcomes(compact_items(text, catalog), asked, catalog, model)


def outcomes_by_id(items: Sequence[Mapping[str, Any]], catalog: ServiceCatalog, model: str) -> dict[int, Outcome]:
    """Returns the outcome of each ticket that `model` answered about, by its id. Two different answers are none.

    The items are those of `full_items` or `compact_items`. Whether the ids were asked about is left to the caller.
    """
    answered: dict[int, Outcome] = {}
    for item in items:
        number = _number(item["id"])
        if number is None:
            continue
        outcome = replace(_outcome(item, catalog), model=model)
        if number in answered and not agree(answered[number], outcome):
            outcome = Unattributed("bad_answer", "the model gave two different answers", model)
        answered[number] = outcome
    if any(name.startswith("sla") for item in items for name in item):
        log.warning("the model answered with SLAs; ignored, because SLAs come from the catalog")
    return answered


def _outcomes(items: Sequence[Mapping[str, Any]], asked: int, catalog: ServiceCatalog, model: str) -> list[Outcome]:
    strangers = sum(not 1 <= (_number(item["id"]) or 0) <= asked for item in items)
    if strangers:
        log.warning("the model answered about %s not in the batch; ignored", counted(strangers, "ticket"))
    answered = outcomes_by_id(items, catalog, model)
    missing = Unattributed("not_answered", "the model left out this ticket", model)
    return [answered.get(number, missing) for number in range(1, asked + 1)]


def full_items(text: str, catalog: ServiceCatalog) -> Sequence[Mapping[str, Any]]:
    """Returns the items of all lists of items in `text`. Raises BatchFailed for none, or for an item without an id."""
    return _with_ids(_dicts(text))


def compact_items(text: str, catalog: ServiceCatalog) -> Sequence[Mapping[str, Any]]:
    """Returns what `full_items` returns, with the names of the catalog in the place of codes."""
    return _with_ids([with_names(item, catalog) for item in _dicts(text)])


def _with_ids(items: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    if not all("id" in item for item in items):
        raise BatchFailed("bad_answer", "the answer of the model has an item without an id")
    return items


def _dicts(text: str) -> list[Mapping[str, Any]]:
    """Returns the items of all lists of items in `text`. Raises BatchFailed when there is no such list."""
    found: list[Mapping[str, Any]] | None = None
    for value in json_values(text.encode("utf-8", "replace").decode()):
        items = value.get("items") if isinstance(value, dict) else value
        if isinstance(items, list) and all(isinstance(item, dict) for item in items):
            found = [*(found or ()), *items]
    if found is None:
        raise BatchFailed("bad_answer", "the answer of the model has no list of items")
    return found


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
    """Returns a confidence from 0 to 1: 0.95, "0.95", "95 %" and 95 are the same. None for everything else."""
    if isinstance(value, str):
        text = value.strip().removesuffix("%").rstrip()
        if not _DECIMAL.fullmatch(text):
            return None
        value = float(text) / 100 if value.rstrip().endswith("%") else float(text)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # A number between 1 and 2 may be either a share or per cent.
    share = value / 100 if 2 <= value <= 100 else value
    return float(share) if 0 <= share <= 1 else None
