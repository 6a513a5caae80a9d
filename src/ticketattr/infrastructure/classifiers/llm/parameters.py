"""The parameters of a model that a user may set. Every provider takes some of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Parameter = Literal["temperature", "top_p", "top_k", "thinking_budget", "thinking_level"]

ParameterValues: TypeAlias = Mapping[Parameter, float | str]


def setting_of(name: Parameter) -> str:
    return f"LLM_{name.upper()}"
