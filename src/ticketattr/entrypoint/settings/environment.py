"""How a section asks for its settings: by name, kind, bounds and default.

So it is known what is asked for, and everything that is missing or wrong is told at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from pathlib import Path
from typing import TypeVar

from ...domain.time_zones import time_zone
from ...errors import SettingsError
from .values import Values

T = TypeVar("T", int, float)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_UTF_8 = re.compile("[\ud800-\udfff]")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the code says of a setting that it asks for."""

    default: str = ""
    is_secret: bool = False


class Environment:
    """Reads settings for one command, and remembers what was asked for, what is missing and what is wrong."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self.asked: dict[str, Asked] = {}
        self.missing: list[str] = []
        self.wrong: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        self.asked.setdefault(name, Asked(default))
        value = self._values.text(name).strip() or default
        if _CONTROL.search(value):
            self.wrong.append(f"{name} holds a control character")
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            self.missing.append(name)
        return value

    def secret(self, name: str) -> str:
        """A required secret, its white space kept."""
        return self._needed(name, self._secret(name))

    def optional_secret(self, name: str) -> str:
        """A secret, its white space kept. Whoever shows settings shows none; a file may hold it (NAME_FILE)."""
        return self._secret(name) or ""

    def token(self, name: str) -> str:
        """A required secret that travels in an HTTP header, without white space around it."""
        value = self._needed(name, self._secret(name, strip=True))
        if not value.isascii():
            self.wrong.append(f"{name} holds a character that no key has")
        return value

    def whole(self, name: str, default: int, *, least: int, most: int = 2**31) -> int:
        self.asked.setdefault(name, Asked(str(default)))
        number = self.optional_whole(name, least=least, most=most)
        return default if number is None else number

    def optional_whole(self, name: str, *, least: int, most: int = 2**31) -> int | None:
        return self._number(name, int, "whole number", least, most)

    def decimal(self, name: str, default: float, *, least: float = 0.0, most: float = 86_400.0) -> float:
        self.asked.setdefault(name, Asked(f"{default:g}"))
        number = self.optional_decimal(name, least=least, most=most)
        return default if number is None else number

    def optional_decimal(self, name: str, *, least: float = 0.0, most: float) -> float | None:
        return self._number(name, float, "number", least, most)

    def flag(self, name: str, default: bool) -> bool:
        self.asked.setdefault(name, Asked(str(default).lower()))
        value = self.text(name).lower()
        if value and value not in _TRUE + _FALSE:
            self.wrong.append(f"{name} is neither true nor false: {value}")
        return value in _TRUE if value else default

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value not in choices:
            self.wrong.append(f"{name} is none of {', '.join(choices)}: {value}")
        return value

    def time_zone(self, name: str, default: str) -> str:
        """A name of the IANA time zone database, such as Europe/Berlin."""
        value = self.text(name, default)
        try:
            time_zone(value)
        except ValueError as error:
            self.wrong.append(f"{name} is not a time zone like Europe/Berlin: {error}")
            return default
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

    def _secret(self, name: str, *, strip: bool = False) -> str | None:
        """None for one that cannot be read, which is then known to be wrong."""
        self.asked[name] = Asked(is_secret=True)
        try:
            value = self._values.secret(name)
        except SettingsError as error:
            self.wrong.append(str(error))
            return None
        value = value.strip() if strip else value
        source = self._values.source(name, is_secret=True)
        if _CONTROL.search(value):
            self.wrong.append(f"{name} holds a control character ({source})")
        if _NOT_UTF_8.search(value):
            self.wrong.append(f"{name} is not UTF-8 text ({source})")
        return value

    def _needed(self, name: str, value: str | None) -> str:
        if value is not None and not value.strip():
            self.missing.append(name)
        return value or ""

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
def reading(values: Values, command: str) -> Iterator[Environment]:
    """An Environment; when the block ends, everything missing or wrong is raised as one SettingsError."""
    env = Environment(values)
    yield env
    problems = list(dict.fromkeys(env.wrong))
    if env.missing:
        names = ", ".join(dict.fromkeys(env.missing))
        problems.insert(0, f"`ticketattr {command}` needs settings that are not set: {names}")
    if problems:
        raise SettingsError("; ".join(problems), hint="Set them in the environment or in .env (see .env.example).")
