"""Names that look like a setting but are not one, with the setting that was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from .names import known_settings
from .values import Values, ValueSource, file_setting

# No other program uses these first words. With words that others use (HTTP, LOG, GOOGLE), only a misspelt name counts.
_PREFIXES = ("HELPDESK_", "SERVICE_CATALOG_", "LLM_", "EMAIL_", "REPORT_LOG_")
_NEAR, _VERY_NEAR = 0.6, 0.88
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")

REMOVED_SETTINGS: Mapping[str, str] = {
    "EMAIL_BACKOFF_FACTOR": "Remove it: the waits between the tries of a message are fixed.",
    "LLM_BACKOFF_FACTOR": "Remove it: the waits between the tries of a call are fixed.",
    "LLM_DELAY_BETWEEN_BATCHES": "Set LLM_REQUESTS_PER_MINUTE to 60 divided by its seconds, which is the same.",
    "LLM_VOTES": "Remove it: each question is asked once. CALIBRATION_FILE makes a confidence a probability.",
    "LOG_BACKUP_COUNT": "Remove it: five old log files are kept.",
    "LOG_MAX_BYTES": "Remove it: the log file is rotated before it exceeds 10 MiB.",
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
        """What is wrong with the name."""
        return f"{self.name} ({self.source}) is {'no longer' if self.advice else 'not'} a setting"

    @property
    def fix(self) -> str:
        """What the user can do."""
        if self.advice:
            return self.advice
        return f"Rename it to {self.guess}, or remove it." if self.guess else "Remove it: nothing reads it."

    def __str__(self) -> str:
        if self.advice:
            return f"{self.what}. {self.advice}"
        return f"{self.what}: did you mean {self.guess}?" if self.guess else self.what


def unknown_settings(values: Values) -> list[UnknownSetting]:
    """The unknown names in env files, and those in the environment that look like a setting.

    A name in an env file that is also in the environment is left out: it belongs to another program. A line
    that was pasted by mistake may be a secret, so a name is shown only if it looks like a name.
    """
    specs = known_settings()
    known = {*specs, *(file_setting(name) for name, spec in specs.items() if spec.is_secret)}
    environment = {name for source in values.sources if source.path is None for name in source.values}
    return [
        _unknown(name, source, known)
        for source in values.sources
        for name in source.values
        if name not in known
        and (_looks_like_a_setting(name, known) if source.path is None else name not in environment)
    ]


def _unknown(name: str, source: ValueSource, known: Iterable[str]) -> UnknownSetting:
    if name in REMOVED_SETTINGS:
        return UnknownSetting(name, source.origin_of(name), advice=REMOVED_SETTINGS[name])
    guess = next(iter(get_close_matches(name.upper(), known, n=1, cutoff=_NEAR)), "")
    shown_name = name if _NAME.fullmatch(name) or guess else "a name"
    return UnknownSetting(shown_name, source.origin_of(name), guess)


def _looks_like_a_setting(name: str, known: Iterable[str]) -> bool:
    if name.startswith(_PREFIXES) or name in REMOVED_SETTINGS:
        return True
    word = name.partition("_")[0]
    similar = [setting for setting in known if setting.partition("_")[0] == word]
    return bool(get_close_matches(name, similar, n=1, cutoff=_VERY_NEAR))


def cut_settings(values: Values) -> list[str]:
    """A sentence for each value in an env file that ends at a hash sign. It does not show the value."""
    return [
        f"{source.origin_of(name)}: the value of {name if _NAME.fullmatch(name) else 'a name'} ends before ' #': the "
        "rest is a comment unless the value stands in quotation marks"
        for source in values.sources
        for name in source.cut
    ]
