"""Request types that are for what nothing else fits: "Other …", "General …"."""

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
"""As the names of entries have them, in the languages that catalogs are most often written in."""

_CATCH_ALL = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_SIGNS = re.compile(r"[(/)_\s]+")


def is_catch_all(*names: str) -> bool:
    """Whether all of these names say that they are for what nothing else fits."""
    return all(_CATCH_ALL.search(name) for name in names)


def catch_all_entry(entries: Sequence[RequestType]) -> int | None:
    """The entry for what fits nowhere, not even in a category."""
    places = range(len(entries))
    return next((place for place in places if is_catch_all(entries[place].category, entries[place].name)), None)


def bare_name(entry: RequestType) -> str:
    """The name without what says that it is for the rest, and without signs."""
    return _SIGNS.sub(" ", _CATCH_ALL.sub(" ", entry.name)).strip()
