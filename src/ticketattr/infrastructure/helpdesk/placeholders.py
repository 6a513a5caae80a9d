"""Placeholders in the requests of a profile: `${name}`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")


def placeholders(text: str) -> list[str]:
    """The names of the placeholders in `text`, in their order."""
    return _PLACEHOLDER.findall(text)


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """`template` with `values` in place of its placeholders.

    A text that is one placeholder becomes the value itself, whatever its type. Keys whose value is a placeholder
    without a value (None, "") are left out.
    """
    if isinstance(template, str):
        return _filled_text(template, values)
    if isinstance(template, Mapping):
        filled = {name: fill(value, values) for name, value in template.items()}
        return {name: value for name, value in filled.items() if not _is_left_out(template[name], value)}
    if isinstance(template, list):
        return [fill(element, values) for element in template]
    return template


def as_text(value: Any) -> str:
    """`value` as it stands in a URL or a form: objects and lists of objects as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False)


def _filled_text(template: str, values: Mapping[str, Any]) -> Any:
    if whole := _PLACEHOLDER.fullmatch(template):
        return values.get(whole[1])
    return _PLACEHOLDER.sub(lambda match: as_text(values.get(match[1])), template)


def _is_left_out(template: Any, value: Any) -> bool:
    return isinstance(template, str) and bool(_PLACEHOLDER.fullmatch(template)) and value in (None, "")
