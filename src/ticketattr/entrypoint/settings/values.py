"""Where the values of settings come from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ...errors import SettingsError

_DEFAULT_ENV_FILE = Path(".env")


def read_values(env_file: Path | None, overrides: Mapping[str, str]) -> dict[str, str]:
    """Every value by its name: `overrides` > environment > `env_file` (or `.env`, where there is one)."""
    path = env_file or _DEFAULT_ENV_FILE
    from_file = _read_env_file(path) if env_file or path.exists() else {}
    return {**from_file, **os.environ, **overrides}


def _read_env_file(path: Path) -> dict[str, str]:
    from dotenv.parser import parse_stream

    try:
        with path.open(encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"the env file {path} cannot be read: {reason}") from error
    for binding in bindings:
        if binding.error:
            # The parser counts the empty lines before a line as part of it.
            text = binding.original.string
            line = binding.original.line + len(text[: len(text) - len(text.lstrip())].splitlines())
            raise SettingsError(f"{path}, line {line}: expected NAME=value")
    # Taken as they stand: a "$" in a password is a dollar sign.
    return {binding.key: binding.value or "" for binding in bindings if binding.key}
