"""The values of settings, from sources in order of precedence: options, environment, env files."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import SettingsError
from ...infrastructure.files import open_readable

MAX_SECRET = 64 * 1024
"""The largest file that may hold a secret, in bytes."""

_DEFAULT_ENV_FILE = Path(".env")


@dataclass(frozen=True, slots=True)
class ValueSource:
    """One source of values, by the name of the setting. `lines`: the line of each value in the env file `path`.

    `cut` has the names whose value ends before a ` #`, because the rest of the line is a comment.
    """

    label: str
    values: Mapping[str, str] = field(repr=False)
    lines: Mapping[str, int] = field(default_factory=dict)
    path: Path | None = None
    cut: tuple[str, ...] = ()

    def origin_of(self, name: str) -> str:
        """The source, and the line in it, for messages."""
        return f"{self.label}, line {self.lines[name]}" if name in self.lines else self.label


@dataclass(frozen=True, slots=True)
class Values:
    """The value of a setting is that of the first source which has it. If it is empty there, it is not set.

    A secret NAME may be in a file that NAME_FILE names. NAME_FILE has the precedence of the source that it is in.
    """

    sources: tuple[ValueSource, ...]
    _contents: dict[str, str] = field(default_factory=dict, repr=False)

    def under(self, overrides: Mapping[str, str], source: str = "flag") -> Values:
        """These values under `overrides`, which take precedence."""
        return replace(self, sources=(ValueSource(source, overrides), *self.sources))

    def text(self, name: str) -> str:
        """The value; empty when it is not set."""
        source = self._first(name)
        return source.values[name] if source else ""

    def source(self, name: str, *, is_secret: bool = False) -> str:
        """Where the value comes from, for messages; empty when it is not set."""
        named = file_setting(name)
        source = self._first(name, named) if is_secret else self._first(name)
        if source is None:
            return ""
        if is_secret and _holds(source, named):
            return f"file {source.values[named]}, by {named} of {source.origin_of(named)}"
        return source.origin_of(name) if _holds(source, name) else ""

    def secret(self, name: str) -> str:
        """The value of NAME, or the content of the file NAME_FILE without one line end. Raises SettingsError."""
        named = file_setting(name)
        source = self._first(name, named)
        if source is None or not _holds(source, named):
            return source.values.get(name, "") if source else ""
        if _holds(source, name):
            raise SettingsError(f"{name} and {named} are both set ({source.label}): keep one of them")
        return self._content(named, source.values[named].strip())

    def _first(self, *names: str) -> ValueSource | None:
        return next((source for source in self.sources if any(name in source.values for name in names)), None)

    def _content(self, named: str, path: str) -> str:
        # Kept, because a pipe can be read only once.
        if path not in self._contents:
            self._contents[path] = _read_secret(named, path)
        return self._contents[path]


def file_setting(name: str) -> str:
    """The setting that names the file with the secret `name`."""
    return f"{name}_FILE"


def read_values(env_files: Sequence[Path], overrides: Mapping[str, str]) -> Values:
    """All values, in this precedence: `overrides`, environment, env files from last to first.

    Without env files, `.env` is read if it exists. Raises SettingsError for an env file that cannot be read.
    """
    paths = env_files or ([_DEFAULT_ENV_FILE] if _DEFAULT_ENV_FILE.exists() else [])
    files = [_read_env_file(path) for path in paths]
    return Values((ValueSource("flag", overrides), ValueSource("environment", dict(os.environ)), *reversed(files)))


def _holds(source: ValueSource, name: str) -> bool:
    return bool(source.values.get(name, "").strip())


def _read_secret(named: str, path: str) -> str:
    try:
        with open_readable(Path(path)) as file:
            content = file.read(MAX_SECRET + 1)
        if len(content) > MAX_SECRET:
            raise SettingsError(f"{named}: {path} is larger than {MAX_SECRET:,} bytes, so it is not a secret")
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a zero byte in the path
        reason = (error.strerror if isinstance(error, OSError) else "") or "it is not UTF-8 text"
        raise SettingsError(f"{named}: {path} cannot be read: {reason}") from None
    if not text.strip():
        raise SettingsError(f"{named}: {path} is empty")
    return text[:-1].removesuffix("\r") if text.endswith("\n") else text


def _read_env_file(path: Path) -> ValueSource:
    from dotenv.parser import parse_stream

    try:
        with io.TextIOWrapper(open_readable(path), encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"the env file {path} cannot be read: {reason}", hint="Check --env-file.") from error
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    cut: list[str] = []
    for binding in bindings:
        # For the parser, the empty lines before a line are part of it.
        text = binding.original.string
        line = binding.original.line + len(text[: len(text) - len(text.lstrip())].splitlines())
        if binding.error or (binding.key and binding.value is None):
            raise SettingsError(f"{path}, line {line}: expected NAME=value", hint="Correct that line.")
        if binding.key:
            # Nothing is expanded: a "$" in a password is a dollar sign.
            values[binding.key] = binding.value or ""
            lines[binding.key] = line
            if _is_cut(text, values[binding.key]):
                cut.append(binding.key)
    return ValueSource(f"env file {path}", values, lines, path, tuple(cut))


def _is_cut(line: str, value: str) -> bool:
    """Whether `value` is only the start of what stands after the `=`."""
    written = line.partition("=")[2].strip()
    return not written.startswith(("'", '"')) and written != value
