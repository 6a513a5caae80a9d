"""The thresholds of APPLY_ABOVE by category, in a small YAML file.

default: 0.9
Hardware: 0.8
Access: 0.97
"""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml.nodes import Node

from ...domain.catalog import fold
from ...domain.write_back import APPLY_ABOVE, ApplyAbove
from ...errors import InputError, SettingsError
from ..files import read_bounded
from ..yaml_nodes import WrongYAML, compose, line_of, pairs, value_of

_MAX_BYTES = 256 * 1024
_DEFAULT = "default"


def read_apply_above(path: Path) -> ApplyAbove:
    """The thresholds in the file at `path`. Raises SettingsError, which names the line."""
    try:
        node = compose(read_bounded(path, _MAX_BYTES), "the file")
        found = {fold(name): _confidence(value) for name, value in pairs(node)}
    except InputError as error:
        raise SettingsError(
            f"APPLY_ABOVE: {error}",
            hint="Set it to a number from 0 to 1, or to a YAML file with one for each category.",
        ) from error
    except WrongYAML as wrong:
        raise SettingsError(
            wrong.of(f"APPLY_ABOVE: {path}"), hint="docs/how-to/write-back.md shows such a file."
        ) from None
    return ApplyAbove(found.pop(_DEFAULT, APPLY_ABOVE), found)


def _confidence(node: Node) -> float:
    value = value_of(node)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise WrongYAML("expected a number from 0 to 1 here", line_of(node))
    return float(value)
