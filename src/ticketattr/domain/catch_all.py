"""Catch-all request types, for tickets that fit no other one: "Other …", "General …"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .catalog import RequestType

_WORDS = """
    others? general generic misc miscellaneous uncategori[sz]ed unclassified unspecified undefined catch-?all
    sonstige[nrs]? andere[rs]? allgemeine[nrs]? allgemein verschiedenes diverses übrige[s]?
    autres? divers général générales? généraux
    otr[oa]s? generale?s? genéric[oa]s? varios
    altr[oiea] varie
    outr[oa]s? gera[li]s? geral diversos
    overige? algemene? diversen
    inn[eay] pozostałe ogóln[eya] różne
    проч(?:ее|ие|ая) друг(?:ое|ие|ая) общ(?:ее|ие|ий|ая) разное
    diğer(?:leri)? genel çeşitli
    övrigt övriga annat allmänt
    ostatní jin[éáý] obecn[éáý]
    andet øvrigt? øvrige generelt
""".split()
"""Words in the names of catch-all entries, in the most frequent languages of catalogs."""

_CATCH_ALL = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_SIGNS = re.compile(r"[(/)_\s]+")


def is_catch_all(*names: str) -> bool:
    """Whether each of `names` is a catch-all name."""
    return all(_CATCH_ALL.search(name) for name in names)


def catch_all_entry(entries: Sequence[RequestType]) -> int | None:
    """The index of the first entry that is a catch-all by category and by name, or None."""
    places = range(len(entries))
    return next((place for place in places if is_catch_all(entries[place].category, entries[place].name)), None)


def bare_name(entry: RequestType) -> str:
    """The name of the entry without catch-all words and without signs."""
    return _SIGNS.sub(" ", _CATCH_ALL.sub(" ", entry.name)).strip()
