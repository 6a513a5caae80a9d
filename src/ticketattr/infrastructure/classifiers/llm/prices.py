"""The prices of models, and when they are retired: from `prices.json`, or prices from a file of the same form."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from ....domain.usage import Price
from ....errors import InputError, SettingsError
from ...files import read_bounded
from ...json_text import parse_json

_MAX_BYTES = 1024 * 1024


def price_of(model: str, path: Path | None) -> Price | None:
    """Returns the price of `model`, or None if the list does not have it. Raises SettingsError for an invalid list."""
    try:
        content = read_bounded(path, _MAX_BYTES) if path else (files(__package__) / "prices.json").read_bytes()
        table = parse_json(content, f"the price list {path}")
        prices = table["models"].get(model)
        return _price(prices, table) if prices else None
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingsError(f"{path} is not a valid price list: {error}", hint="Check LLM_PRICES.") from error


def retirement_of(model: str) -> date | None:
    """Returns the day on which the provider retires `model`, or None if no day is known."""
    table = parse_json((files(__package__) / "prices.json").read_bytes(), "the price list")
    day = table["retired"].get(model)
    return date.fromisoformat(day) if day else None


def _price(prices: dict[str, Any], table: dict[str, Any]) -> Price:
    return Price(
        input=float(prices["input"]),
        output=float(prices["output"]),
        cached=float(prices.get("cached", prices["input"])),
        date=str(table.get("date", "")),
        source=str(table.get("source", "")),
    )
