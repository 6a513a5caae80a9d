"""Where the values of settings come from: layers, the first of which beats the others."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import SettingsError

MAX_SECRET = 64 * 1024
"""The largest file that is taken for a secret, in bytes."""

_DEFAULT_ENV_FILE = Path(".env")


@dataclass(frozen=True, slots=True)
class Layer:
    """Values by name, all from one place; `lines`: where they stand in an env file."""

    source: str
    values: Mapping[str, str] = field(repr=False)
    lines: Mapping[str, int] = field(default_factory=dict)
    path: Path | None = None

    def source_of(self, name: str) -> str:
        return f"{self.source}, line {self.lines[name]}" if name in self.lines else self.source


@dataclass(frozen=True, slots=True)
class Values:
    """The value of a name is that of the first layer which has it, even if it is empty there: then it is not set.

    A secret NAME may lie in a file that NAME_FILE names, which counts like NAME in that layer.
    """

    layers: tuple[Layer, ...]
    _contents: dict[str, str] = field(default_factory=dict, repr=False)

    def under(self, overrides: Mapping[str, str], source: str = "flag") -> Values:
        return replace(self, layers=(Layer(source, overrides), *self.layers))

    def text(self, name: str) -> str:
        layer = self._first(name)
        return layer.values[name] if layer else ""

    def source(self, name: str, *, is_secret: bool = False) -> str:
        """Where the value comes from; empty when it is not set."""
        named = file_setting(name)
        layer = self._first(name, named) if is_secret else self._first(name)
        if layer is None:
            return ""
        if is_secret and _holds(layer, named):
            return f"file {layer.values[named]}, by {named} of {layer.source_of(named)}"
        return layer.source_of(name) if _holds(layer, name) else ""

    def secret(self, name: str) -> str:
        """The value of NAME, or what is in the file of NAME_FILE but for one line end. Raises SettingsError."""
        named = file_setting(name)
        layer = self._first(name, named)
        if layer is None or not _holds(layer, named):
            return layer.values.get(name, "") if layer else ""
        if _holds(layer, name):
            raise SettingsError(f"{name} and {named} are both set ({layer.source}): keep one of them")
        return self._content(named, layer.values[named].strip())

    def _first(self, *names: str) -> Layer | None:
        return next((layer for layer in self.layers if any(name in layer.values for name in names)), None)

    def _content(self, named: str, path: str) -> str:
        # Kept, because a pipe can be read but once.
        if path not in self._contents:
            self._contents[path] = _read_secret(named, path)
        return self._contents[path]


def file_setting(name: str) -> str:
    """The setting that names the file in which the secret `name` lies."""
    return f"{name}_FILE"


def read_values(env_files: Sequence[Path], overrides: Mapping[str, str]) -> Values:
    """Every value: `overrides` > environment > the last env file > … > the first (or `.env`, where there is one)."""
    paths = env_files or ([_DEFAULT_ENV_FILE] if _DEFAULT_ENV_FILE.exists() else [])
    layers = [_read_env_file(path) for path in paths]
    return Values((Layer("flag", overrides), Layer("environment", dict(os.environ)), *reversed(layers)))


def _holds(layer: Layer, name: str) -> bool:
    return bool(layer.values.get(name, "").strip())


def _read_secret(named: str, path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_SECRET + 1)
        if len(content) > MAX_SECRET:
            raise SettingsError(f"{named}: {path} is larger than {MAX_SECRET:,} bytes, so no secret")
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a zero byte in the path
        reason = (error.strerror if isinstance(error, OSError) else "") or "it is not UTF-8 text"
        raise SettingsError(f"{named}: {path} cannot be read: {reason}") from None
    if not text.strip():
        raise SettingsError(f"{named}: {path} is empty")
    return text[:-1].removesuffix("\r") if text.endswith("\n") else text


def _read_env_file(path: Path) -> Layer:
    from dotenv.parser import parse_stream

    try:
        with path.open(encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"the env file {path} cannot be read: {reason}", hint="Check --env-file.") from error
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for binding in bindings:
        # The parser counts the empty lines before a line as part of it.
        text = binding.original.string
        line = binding.original.line + len(text[: len(text) - len(text.lstrip())].splitlines())
        if binding.error or (binding.key and binding.value is None):
            raise SettingsError(f"{path}, line {line}: expected NAME=value", hint="Correct that line.")
        if binding.key:
            # Taken as they stand: a "$" in a password is a dollar sign.
            values[binding.key] = binding.value or ""
            lines[binding.key] = line
    return Layer(f"env file {path}", values, lines, path)
