"""The prices of models: from `prices.json`, or from a file of the same form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from ....domain.usage import Price
from ....errors import InputError, SettingsError
from ...files import read_bounded
from ...json_text import parse_json
from .known_models import without_version

_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices by the name of the model."""

    prices: Mapping[str, Price] = field(default_factory=dict)

    def of(self, model: str) -> Price | None:
        """Returns the price of `model`, or of the model that it is a dated version of; None if neither is known."""
        return self.prices.get(model) or self.prices.get(without_version(model))


def read_prices(path: Path | None, today: date) -> PriceList:
    """Returns the prices that are valid `today`, of the file `path` or of the package.

    Raises SettingsError for an invalid list.
    """
    try:
        content = read_bounded(path, _MAX_BYTES) if path else (files(__package__) / "prices.json").read_bytes()
        table = parse_json(content, f"the price list {path}")
        valid = {model: row for model, row in table["models"].items() if _is_valid(row, today)}
        return PriceList({model: _price(row, table) for model, row in valid.items()})
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingsError(f"{path} is not a valid price list: {error}", hint="Check LLM_PRICES.") from error


def _is_valid(row: dict[str, Any], today: date) -> bool:
    """Whether the price of a model still applies: an introductory price has a last day."""
    return today <= date.fromisoformat(row.get("until", "9999-12-31"))


def _price(row: dict[str, Any], table: dict[str, Any]) -> Price:
    return Price(
        input=float(row["input"]),
        output=float(row["output"]),
        cached=float(row.get("cached", row["input"])),
        date=str(table.get("date", "")),
        source=str(table.get("source", "")),
    )
