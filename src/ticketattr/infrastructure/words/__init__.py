"""The words of reports and mails, in the languages of the files beside this module.

A file is one JSON object with sections of texts. A text may have placeholders in braces, the same ones in every
language. A text for a number has two forms, `one` and `other`; `singular` of the section `format` lists the numbers
that take `one`. To add a language, translate a copy of `en.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

Language = Literal["en", "de", "fr", "es"]

LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language. A key is a section and a name: `mail.greeting`. An unknown key is a KeyError."""

    language: str
    sections: Mapping[str, Mapping[str, Any]]

    def __call__(self, key: str, **values: object) -> str:
        """The text with these values in place of its placeholders."""
        return str(self._text(key)).format_map(values) if values else str(self._text(key))

    def count(self, key: str, number: int, **values: object) -> str:
        """The text for that number, which stands for the placeholder `{n}`: `1 ticket`, `1,200 tickets`."""
        form = "one" if number in self.sections["format"]["singular"] else "other"
        return str(self._text(key)[form]).format(n=self.number(number), **values)

    def section(self, name: str) -> Mapping[str, Any]:
        """All texts of a section, by name."""
        return self.sections[name]

    def number(self, number: float, form: str = "") -> str:
        """The number with the separators of the language. `form` is a format of Python, such as `.2f`."""
        written = format(number, form or ",")
        return written.translate({44: self.sections["format"]["thousands"], 46: self.sections["format"]["decimal"]})

    def date(self, time: datetime) -> str:
        """The date as the language writes it."""
        return time.strftime(self.date_format)

    def time(self, time: datetime) -> str:
        """Date and time, to the minute."""
        return time.strftime(f"{self.date_format} %H:%M")

    @property
    def date_format(self) -> str:
        """The form of dates, for `strftime`."""
        return str(self.sections["format"]["date"])

    def _text(self, key: str) -> Any:
        section, _, name = key.partition(".")
        return self.sections[section][name]


@cache
def words(language: str) -> Words:
    """The words of `language`; English for one that this version does not know."""
    name = language if language in LANGUAGES else "en"
    return Words(name, json.loads((files(__package__) / f"{name}.json").read_text(encoding="utf-8")))
