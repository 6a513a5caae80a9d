"""Names that look like a setting but are not one, with the setting that was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from .names import known_settings
from .values import Values, ValueSource, file_setting

# No other program uses these first words. With words that others use (HTTP, LOG, GOOGLE), only a misspelt name counts.
_PREFIXES = ("HELPDESK_", "SERVICE_CATALOG_", "LLM_", "EMAIL_", "REPORT_LOG_")
_NEAR, _VERY_NEAR = 0.6, 0.88
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A name that is not a setting. `guess`: the setting that was probably meant; empty when there is none."""

    name: str
    source: str
    guess: str

    def __str__(self) -> str:
        meant = f": did you mean {self.guess}?" if self.guess else ""
        return f"{self.name} ({self.source}) is not a setting{meant}"


def unknown_settings(values: Values) -> list[UnknownSetting]:
    """The unknown names in env files, and those in the environment that look like a setting.

    A name in an env file that is also in the environment is left out: it belongs to another program. A line
    that was pasted by mistake may be a secret, so a name is shown only if it looks like a name.
    """
    known = {*known_settings(), *map(file_setting, _secrets())}
    environment = {name for source in values.sources if source.path is None for name in source.values}
    return [
        _unknown(name, source, known)
        for source in values.sources
        for name in source.values
        if name not in known
        and (_looks_like_a_setting(name, known) if source.path is None else name not in environment)
    ]


def _secrets() -> Iterator[str]:
    return (name for name, spec in known_settings().items() if spec.is_secret)


def _unknown(name: str, source: ValueSource, known: Iterable[str]) -> UnknownSetting:
    guess = next(iter(get_close_matches(name.upper(), known, n=1, cutoff=_NEAR)), "")
    shown_name = name if _NAME.fullmatch(name) or guess else "a name"
    return UnknownSetting(shown_name, source.origin_of(name), guess)


def _looks_like_a_setting(name: str, known: Iterable[str]) -> bool:
    if name.startswith(_PREFIXES):
        return True
    word = name.partition("_")[0]
    similar = [setting for setting in known if setting.partition("_")[0] == word]
    return bool(get_close_matches(name, similar, n=1, cutoff=_VERY_NEAR))
