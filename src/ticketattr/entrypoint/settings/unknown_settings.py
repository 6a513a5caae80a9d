"""Names that look like a setting and are none, with the one that was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from .names import known_settings
from .values import Layer, Values, file_setting

# Other first words of ours (HTTP, LOG, GOOGLE …) are in everybody's use: with them, only a typing error is told.
_OURS = ("HELPDESK_", "SERVICE_CATALOG_", "LLM_", "EMAIL_", "REPORT_LOG_")
_NEAR, _VERY_NEAR = 0.6, 0.88
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")

REMOVED_SETTINGS: Mapping[str, str] = {
    "EMAIL_BACKOFF_FACTOR": "Remove it: the waits between the tries of a message are fixed.",
    "LLM_BACKOFF_FACTOR": "Remove it: the waits between the tries of a call are fixed.",
    "LLM_VOTES": "Remove it: each question is asked once. CALIBRATION_FILE makes a confidence a probability.",
}
"""What to do about settings that earlier versions had, by the name of the setting."""


@dataclass(frozen=True, slots=True)
class UnknownSetting:
    """A name that no setting has. `guess` is the setting that was probably meant; empty: there is none.

    `advice` says what to do about a setting that was removed; it is empty for all other names.
    """

    name: str
    source: str
    guess: str = ""
    advice: str = ""

    @property
    def what(self) -> str:
        return f"{self.name} ({self.source}) is no {'longer a ' if self.advice else ''}setting"

    @property
    def fix(self) -> str:
        if self.advice:
            return self.advice
        return f"Rename it to {self.guess}, or remove it." if self.guess else "Remove it: nothing reads it."

    def __str__(self) -> str:
        if self.advice:
            return f"{self.what}. {self.advice}"
        return f"{self.what}: did you mean {self.guess}?" if self.guess else self.what


def unknown_settings(values: Values) -> list[UnknownSetting]:
    """In env files all that is no setting, unless the environment has it too; in the environment what looks like one.

    What somebody pasted by mistake may be a secret, so a name is shown only if it looks like one.
    """
    known = {*known_settings(), *map(file_setting, _secrets())}
    environment = {name for layer in values.layers if layer.path is None for name in layer.values}
    return [
        _unknown(name, layer, known)
        for layer in values.layers
        for name in layer.values
        if name not in known and (_looks_like_ours(name, known) if layer.path is None else name not in environment)
    ]


def _secrets() -> Iterator[str]:
    return (name for name, asked in known_settings().items() if asked.is_secret)


def _unknown(name: str, layer: Layer, known: Iterable[str]) -> UnknownSetting:
    if name in REMOVED_SETTINGS:
        return UnknownSetting(name, layer.source_of(name), advice=REMOVED_SETTINGS[name])
    guess = next(iter(get_close_matches(name.upper(), known, n=1, cutoff=_NEAR)), "")
    sanitize = name if _NAME.fullmatch(name) or guess else "a name"
    return UnknownSetting(sanitize, layer.source_of(name), guess)


def _looks_like_ours(name: str, known: Iterable[str]) -> bool:
    if name.startswith(_OURS) or name in REMOVED_SETTINGS:
        return True
    word = name.partition("_")[0]
    alike = [setting for setting in known if setting.partition("_")[0] == word]
    return bool(get_close_matches(name, alike, n=1, cutoff=_VERY_NEAR))
