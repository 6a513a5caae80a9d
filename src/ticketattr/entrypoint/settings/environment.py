"""Reads settings for one command, and remembers everything that is missing or wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.errors import HeaderParseError
from email.headerregistry import Address
from pathlib import Path
from typing import TypeVar

from ...errors import SettingsError

T = TypeVar("T", int, float)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_UTF_8 = re.compile("[\ud800-\udfff]")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class Environment:
    """Reads settings for one command, and remembers everything that is missing or wrong."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.missing: list[str] = []
        self.wrong: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name, "").strip() or default
        if _CONTROL.search(value):
            self.wrong.append(f"{name} holds a control character")
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            self.missing.append(name)
        return value

    def secret(self, name: str) -> str:
        """A required text, its white space kept."""
        self.required(name)
        value = self._values.get(name, "")
        if _NOT_UTF_8.search(value):
            self.wrong.append(f"{name} is not UTF-8 text")
        return value

    def token(self, name: str) -> str:
        """A required key that travels in an HTTP header."""
        value = self.required(name)
        if not value.isascii():
            self.wrong.append(f"{name} holds a character that no key has")
        return value

    def whole(self, name: str, default: int, *, least: int, most: int = 2**31) -> int:
        number = self.optional_whole(name, least=least, most=most)
        return default if number is None else number

    def optional_whole(self, name: str, *, least: int, most: int = 2**31) -> int | None:
        return self._number(name, int, "whole number", least, most)

    def decimal(self, name: str, default: float, *, least: float = 0.0, most: float = 86_400.0) -> float:
        number = self.optional_decimal(name, least=least, most=most)
        return default if number is None else number

    def optional_decimal(self, name: str, *, least: float = 0.0, most: float) -> float | None:
        return self._number(name, float, "number", least, most)

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name).lower()
        if value and value not in _TRUE + _FALSE:
            self.wrong.append(f"{name} is neither true nor false: {value}")
        return value in _TRUE if value else default

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value not in choices:
            self.wrong.append(f"{name} is none of {', '.join(choices)}: {value}")
        return value

    def path(self, name: str, default: str) -> Path:
        return Path(self.text(name, default))

    def address(self, name: str) -> str:
        """A required mail address."""
        value = self.required(name)
        if value and not _is_address(value):
            self.wrong.append(f"{name} is no mail address")
        return value

    def addresses(self, name: str) -> tuple[str, ...]:
        """One or more mail addresses, separated by commas."""
        self.required(name)
        return self.optional_addresses(name)

    def optional_addresses(self, name: str) -> tuple[str, ...]:
        values = tuple(part.strip() for part in self.text(name).split(",") if part.strip())
        if not all(map(_is_address, values)):
            self.wrong.append(f"{name} holds something that is no mail address")
        return values

    def _number(self, name: str, parse: Callable[[str], T], what: str, least: float, most: float) -> T | None:
        value = self.text(name)
        if not value:
            return None
        try:
            number = parse(value)
        except ValueError:
            number = None
        # Written so that NaN, which compares with nothing, is wrong too.
        if number is None or not least <= number <= most:
            self.wrong.append(f"{name} is no {what} from {least:g} to {most:g}: {value}")
            return None
        return number


def _is_address(value: str) -> bool:
    try:
        address = Address(addr_spec=value)
    except (HeaderParseError, ValueError, IndexError):
        return False
    return value.isascii() and bool(address.username and address.domain)


@contextmanager
def reading(values: Mapping[str, str], command: str) -> Iterator[Environment]:
    """An Environment; when the block ends, everything missing or wrong is raised as one SettingsError."""
    env = Environment(values)
    yield env
    problems = list(dict.fromkeys(env.wrong))
    if env.missing:
        names = ", ".join(dict.fromkeys(env.missing))
        problems.insert(0, f"`ticketattr {command}` needs settings that are not set: {names}")
    if problems:
        raise SettingsError("; ".join(problems), hint="Set them in the environment or in .env (see .env.example).")
