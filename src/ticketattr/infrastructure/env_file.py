"""Writes an env file whose values are read back exactly as they were given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from ..errors import SettingsError
from .files import replacing

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,-]+")


def env_text(values: Sequence[tuple[str, str, str]], head: str) -> str:
    """The text of an env file with a name, a value and a comment for each setting, after the comment `head`."""
    lines = [f"# {head}"]
    for name, value, comment in values:
        lines += [f"# {comment}", f"{name}={quoted(value)}"]
    return "\n".join(lines) + "\n"


def quoted(value: str) -> str:
    """`value` as an env file holds it: as it is where nothing in it has a meaning there, else in quotation marks."""
    if _PLAIN.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def write_env_file(path: Path, text: str, expected: Mapping[str, str], *, now: datetime, force: bool) -> Path | None:
    """Write `text` to `path`, which only its owner can read; returns where the former file is kept (None: none was).

    Raises SettingsError where `path` exists and `force` is not set, or where `text` does not stand for `expected`.
    """
    refuse_existing(path, force=force)
    if _read(text) != dict(expected):
        raise SettingsError("a value cannot be written to an env file", hint="Leave line ends out of the values.")
    backup = None
    if path.exists():
        backup = path.with_name(f"{path.name}.{now:%Y%m%dT%H%M%S}.bak")
        with replacing(backup) as copy:
            copy.write(path.read_bytes())
    with replacing(path) as file:
        file.write(text.encode())
    return backup


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raises SettingsError where `path` exists and `force` is not set."""
    if path.exists() and not force:
        raise SettingsError(
            f"{path} exists and is not overwritten",
            hint="Change it with an editor, or give --force: a backup of it is kept.",
        )


def _read(text: str) -> dict[str, str | None]:
    from io import StringIO

    from dotenv.parser import parse_stream

    return {binding.key: binding.value for binding in parse_stream(StringIO(text)) if binding.key}
