"""What the words of a refused request say: that the model does not take a parameter, or does not exist."""

from __future__ import annotations

import re
from collections.abc import Collection

from .parameters import Parameter

_SAMPLING = r"|\bsampling\b"
_THINKING = r"|\bthinking[ _-]?config\b|\bthinking mode\b"
_NAMES: dict[Parameter, re.Pattern[str]] = {
    "temperature": re.compile(r"temperature" + _SAMPLING, re.IGNORECASE),
    "top_p": re.compile(r"\btop[ _-]?p\b" + _SAMPLING, re.IGNORECASE),
    "top_k": re.compile(r"\btop[ _-]?k\b" + _SAMPLING, re.IGNORECASE),
    "thinking_budget": re.compile(r"\bbudget\b|thinking[ _-]?budget" + _THINKING, re.IGNORECASE),
    "thinking_level": re.compile(r"thinking[ _-]?level|reasoning[ _.-]?effort" + _THINKING, re.IGNORECASE),
}
_NO_MODEL = re.compile(
    r"not found|not available|no longer available|does not exist|not have access|"
    r"\b(deprecated|retired|discontinued|decommissioned|shut ?down)\b|not a valid model|invalid model",
    re.IGNORECASE,
)


def refused_parameters(words: str, sent: Collection[Parameter]) -> frozenset[Parameter]:
    """Returns those of the parameters that were `sent` that the `words` of the service name."""
    return frozenset(name for name in sent if _NAMES[name].search(words))


def says_model_is_unknown(words: str, model: str) -> bool:
    """Whether the `words` of the service say that the key may not use `model`."""
    return model.lower() in words.lower() and _NO_MODEL.search(words) is not None
