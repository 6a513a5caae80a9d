"""Reads settings by name, type, bounds and default, and collects everything that is missing or wrong.

So the user learns of all problems at once, and the program knows every setting that the code reads.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from ...domain.time_zones import time_zone
from ...errors import SettingsError
from ...infrastructure.extras import install_hint
from ...infrastructure.files import refuse_pipe
from ...infrastructure.network.service_words import know_secrets
from .addresses import Mailbox, parse_mailbox, split_mailboxes
from .masking import secrets_in_url
from .values import Values

T = TypeVar("T", int, float)

_PROXIES = tuple(name for part in ("HTTP", "HTTPS", "ALL") for name in (f"{part}_PROXY", f"{part}_proxy".lower()))
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_UTF_8 = re.compile("[\ud800-\udfff]")
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?|\[[0-9A-Za-z.:]{1,60}\]")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """The default of a setting (as text), and whether it is a secret."""

    default: str = ""
    is_secret: bool = False


class Environment:
    """Reads settings for one command.

    `specs` holds the settings that were read, `missing` the names of required settings that are not set, `wrong` one
    message for each setting that is not valid, and `lacks_extra` one for each extra to install, with its name.
    `secrets` must not be told to anybody; `personal` are addresses and user names, which services should not be quoted
    with.
    """

    def __init__(self, values: Values) -> None:
        self._values = values
        self.specs: dict[str, SettingSpec] = {}
        self.missing: list[str] = []
        self.wrong: list[str] = []
        self.lacks_extra: dict[str, str] = {}
        self.secrets: set[str] = set()
        self.personal: set[str] = set()
        for name in _PROXIES:
            self.secrets |= secrets_in_url(values.text(name))

    def text(self, name: str, default: str = "", *, may_be_path: bool = False) -> str:
        """The value without white space around it. Control characters are wrong.

        Only a path may contain bytes that are not UTF-8.
        """
        self.specs.setdefault(name, SettingSpec(default))
        value = self._values.text(name).strip() or default
        if _CONTROL.search(value):
            self.wrong.append(f"{name} contains a control character")
        if _NOT_UTF_8.search(value) and not may_be_path:
            self.wrong.append(f"{name} is not UTF-8 text")
        self.secrets |= secrets_in_url(value)
        return value

    def has_extra(self, extra: str, package: str, name: str) -> bool:
        """Whether `package` of `extra`, which the setting `name` needs, is installed. If not, that is a problem."""
        if find_spec(package):
            return True
        self.lacks_extra[f"{name} needs the extra {extra}, which is not installed"] = extra
        return False

    def user_name(self, name: str) -> str:
        """The name that the program logs in with."""
        value = self.text(name)
        self.personal.add(value)
        return value

    def required(self, name: str, *, may_be_path: bool = False) -> str:
        """The value of a setting that must be set."""
        value = self.text(name, may_be_path=may_be_path)
        if not value:
            self.missing.append(name)
        return value

    def secret(self, name: str) -> str:
        """A required secret, with its white space."""
        return self._needed(name, self._secret(name))

    def optional_secret(self, name: str) -> str:
        """A secret, with its white space. It is never shown, and may be in a file (NAME_FILE)."""
        return self._secret(name) or ""

    def token(self, name: str, *, optional: bool = False) -> str:
        """A secret for an HTTP header, without white space around it. It must be ASCII, and set unless `optional`."""
        found = self._secret(name, strip=True)
        value = (found or "") if optional else self._needed(name, found)
        if not value.isascii():
            self.wrong.append(f"{name} contains a character beyond ASCII, which no key has")
        return value

    def whole(self, name: str, default: int, *, least: int, most: int = 2**31) -> int:
        """A whole number from `least` to `most`."""
        self.specs.setdefault(name, SettingSpec(str(default)))
        number = self.optional_whole(name, least=least, most=most)
        return default if number is None else number

    def optional_whole(self, name: str, *, least: int, most: int = 2**31) -> int | None:
        """A whole number from `least` to `most`, or None when it is not set."""
        return self._number(name, int, "whole number", least, most)

    def decimal(self, name: str, default: float, *, least: float = 0.0, most: float = 86_400.0) -> float:
        """A number from `least` to `most`."""
        self.specs.setdefault(name, SettingSpec(f"{default:g}"))
        number = self.optional_decimal(name, least=least, most=most)
        return default if number is None else number

    def optional_decimal(self, name: str, *, least: float = 0.0, most: float) -> float | None:
        """A number from `least` to `most`, or None when it is not set."""
        return self._number(name, float, "number", least, most)

    def flag(self, name: str, default: bool) -> bool:
        """True for true, yes, on or 1; False for false, no, off or 0."""
        self.specs.setdefault(name, SettingSpec(str(default).lower()))
        value = self.text(name).lower()
        if value and value not in _TRUE + _FALSE:
            self.wrong.append(f"{name} is neither true nor false: {value}")
        return value in _TRUE if value else default

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """The value in lower case. A value that is not among `choices` is wrong, and returned all the same."""
        value = self.text(name, default).lower()
        if value not in choices:
            self.wrong.append(f"{name} is not one of {', '.join(choices)}: {value}")
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
        """A path; it need not exist."""
        return Path(self.text(name, default, may_be_path=True))

    def written_or_read_file(self, name: str) -> str:
        """The path of a file that a library opens; it need not exist. A pipe or a device, which may block, is wrong."""
        value = self.text(name, may_be_path=True)
        try:
            refuse_pipe(Path(value or os.devnull))
        except OSError as error:
            self.wrong.append(f"{name} cannot be used: {value}: {error.strerror}")
            return ""
        return value

    def host_name(self, name: str) -> str:
        """An optional host name, or an IP address in brackets, as SMTP has it."""
        value = self.text(name)
        if value and not _HOST_NAME.fullmatch(value):
            self.wrong.append(f"{name} is not a host name: {value}")
        return value

    def mailbox(self, name: str) -> Mailbox:
        """A required mail address, perhaps with a name before it."""
        value = self.required(name)
        found = self._mailbox(name, value) if value else None
        return found or Mailbox(value)

    def addresses(self, name: str) -> tuple[str, ...]:
        """One or more mail addresses, separated by commas."""
        self.required(name)
        return self.optional_addresses(name)

    def optional_addresses(self, name: str) -> tuple[str, ...]:
        """Mail addresses, separated by commas; empty when it is not set."""
        found = [self._mailbox(name, part) for part in split_mailboxes(self.text(name))]
        return tuple(dict.fromkeys(mailbox.address for mailbox in found if mailbox))

    def _mailbox(self, name: str, value: str) -> Mailbox | None:
        self.personal.add(value)
        try:
            found = parse_mailbox(value)
            self.personal.add(found.address)
            return found
        except ValueError as error:
            self.wrong.append(f"{name} contains something that is not a mail address: {error}")
            return None

    def _secret(self, name: str, *, strip: bool = False) -> str | None:
        """None for a secret that cannot be read, which is then in `wrong`."""
        self.specs[name] = SettingSpec(is_secret=True)
        try:
            value = self._values.secret(name)
        except SettingsError as error:
            self.wrong.append(str(error))
            return None
        value = value.strip() if strip else value
        self.secrets |= secrets_in_url(value, is_secret=True) if "://" in value else {value}
        source = self._values.source(name, is_secret=True)
        if _CONTROL.search(value):
            self.wrong.append(f"{name} contains a control character ({source})")
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
        # `not least <= number` is also true for NaN.
        if number is None or not least <= number <= most:
            self.wrong.append(f"{name} is not a {what} from {least:g} to {most:g}: {value}")
            return None
        return number


@contextmanager
def reading(values: Values, command: str) -> Iterator[Environment]:
    """An Environment for the settings of `command`.

    When the block ends, everything that is missing or wrong is raised as one SettingsError.
    """
    env = Environment(values)
    try:
        yield env
    finally:
        know_secrets(env.secrets, env.personal)
    problems = list(dict.fromkeys(env.wrong))
    if env.missing:
        names = ", ".join(dict.fromkeys(env.missing))
        problems.insert(0, f"`ticketattr {command}` needs settings that are not set: {names}")
    hints = [install_hint(*env.lacks_extra.values())] if env.lacks_extra else []
    if problems:
        hints.append(f"Set {'the others' if hints else 'them'} in the environment or in .env (see .env.example).")
    if env.missing:
        hints.append("`ticketattr init` asks for what a run needs.")
    if hints:
        raise SettingsError("; ".join([*problems, *env.lacks_extra]), hint=" ".join(hints))
