"""What is known about models, from `prices.json`: their retirement, aliases, and the parameters that they take.

Nothing is known about most models. A model of which nothing is known takes every parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

from ...json_text import parse_json
from .parameters import Parameter

_VERSION = re.compile(
    r"(-preview|-exp)?[-@](\d{2}-\d{4}|\d{2}-\d{2}|\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{3,4})$|:latest$", re.ASCII
)

_ROUTING = re.compile(r":(free|nitro|floor|online|extended)$")
"""What a router of requests takes behind the name of a model, and does not repeat in its answer."""


@dataclass(frozen=True, slots=True)
class Retirement:
    """The day on which the provider retires a model, and the model that answers in its place from then on."""

    day: date
    answered_by: str


def retirement_of(model: str) -> Retirement | None:
    """Returns when the provider retires `model`, or None if no day is known."""
    known = _facts()["retired"].get(model)
    return Retirement(date.fromisoformat(known["on"]), known["answered_by"]) if known else None


def takes(model: str, parameter: Parameter) -> bool:
    return not _matches(_facts()["parameters"]["unknown"].get(parameter, ""), model)


def ignores(model: str, parameter: Parameter) -> bool:
    """Whether `model` takes `parameter`, and answers as if it was not there."""
    return _matches(_facts()["parameters"]["ignored"].get(parameter, ""), model)


def answers_for(asked: str, answered: str) -> bool:
    """Whether the model `answered` is the model `asked`: the same, a dated version of it, or what the alias names."""
    asked, answered = _bare(asked), _bare(answered)
    if answered in (asked, "") or without_version(answered) == asked:
        return True
    return _matches(_facts()["aliases"].get(asked, ""), without_version(answered))


def answers_for_any(asked: Iterable[str], answered: str) -> bool:
    """Whether the model `answered` is one of the models `asked`."""
    return bool(answered) and any(answers_for(one, answered) for one in asked)


def without_version(model: str) -> str:
    """Returns the name of a model without the date or number of its version."""
    return _VERSION.sub("", model)


def _bare(model: str) -> str:
    return _ROUTING.sub("", model.removeprefix("models/").lower())


def _matches(pattern: str, model: str) -> bool:
    return bool(pattern) and re.fullmatch(pattern, _bare(model)) is not None


@lru_cache(maxsize=1)
def _facts() -> Any:
    return parse_json((files(__package__) / "prices.json").read_bytes(), "the list of models")
