"""The words of reports and mails, in the languages of the files beside this module.

A file is one JSON object with sections of texts. A text may have placeholders in braces, the same ones in every
language. A text for a number has two forms, `one` and `other`; `singular` of the section `format` lists the numbers
that take `one`. The names in the sections `report`, `page` and `values` are the English texts; those of `values` are
what the program itself writes into a row, also into CSV. To add a language, translate a copy of `en.json`, and add its
name to `LANGUAGES`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
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

    def count(self, key: str, number: float, form: str = "", **values: object) -> str:
        """The text for that number, which stands for the placeholder `{n}`: `1 ticket`, `1,200 tickets`.

        `form` is that of `number`.
        """
        which = "one" if number in self.sections["format"]["singular"] else "other"
        return str(self._text(key)[which]).format(n=self.number(number, form), **values)

    def text(self, english: str, **values: object) -> str:
        """The translation of a text of the report, with these values in place of its placeholders."""
        text = str(self.sections["report"][english])
        return text.format_map(values) if values else text

    def value(self, english: str) -> str:
        """The translation of what the program wrote into a row, which may be several texts with `; ` between them.

        What has no translation stays as it is: it comes from the ticket.
        """
        if self.language == "en" or not english:
            return english
        return "; ".join(_translated(part, self.language) for part in english.split("; "))

    def section(self, name: str) -> Mapping[str, Any]:
        """All texts of a section, by name."""
        return self.sections[name]

    def number(self, number: float, form: str = "") -> str:
        """The number with the separators of the language. `form` is a format of Python, such as `.2f`."""
        written = format(number, form or ",")
        if self.language == "en":
            return written
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


@lru_cache(maxsize=4096)
def _translated(english: str, language: str) -> str:
    values = words(language).section("values")
    if english in values:
        return str(values[english])
    for pattern, translation in _patterns(language):
        if found := pattern.fullmatch(english):
            inner = {name: _translated(text, language) for name, text in found.groupdict().items()}
            return translation.format_map(inner)
    several = english.split(", ")
    return ", ".join(map(str, map(values.get, several))) if set(several) <= values.keys() else english


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """The values with placeholders: what matches the English text, and the translation."""
    return [
        (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.{1,2000}?)", re.escape(english)), re.DOTALL), str(translation))
        for english, translation in words(language).section("values").items()
        if "{" in english
    ]


@cache
def words(language: str) -> Words:
    """The words of `language`; English for one that this version does not know."""
    name = language if language in LANGUAGES else "en"
    return Words(name, json.loads((files(__package__) / f"{name}.json").read_text(encoding="utf-8")))
