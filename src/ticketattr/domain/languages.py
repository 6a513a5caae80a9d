"""The likely language of a text, by its script and its most common words. It is for counts, not for decisions."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS = (
    ("ja", "\u3040", "\u30ff"),
    ("ko", "\uac00", "\ud7af"),
    ("zh", "\u4e00", "\u9fff"),
    ("el", "\u0370", "\u03ff"),
    ("ru", "\u0400", "\u04ff"),
    ("he", "\u0590", "\u05ff"),
    ("ar", "\u0600", "\u06ff"),
    ("hi", "\u0900", "\u097f"),
    ("th", "\u0e00", "\u0e7f"),
)
_COMMON = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the and is to of my i in it for not can you on with what how do a please this have are",
        "de": "der die das und ist ich nicht mein auf ein eine mit für den wir bitte zu im kann auch es",
        "fr": "le la les et est je ne pas mon ma des un une pour dans sur avec nous que du au",
        "es": "el la los las y es no mi un una para en con que por del se al me lo puedo",
        "it": "il lo gli e è non mio un una per con che di del sono mi alla nel ho la",
        "pt": "o os as e é não meu minha um uma para em com que do da no na por está",
        "nl": "de het een en is niet mijn ik op voor met van wij kan te dat er heb naar",
        "pl": "i w nie na do się jest mam z mój moja nie to że proszę jak od po",
        "sv": "och är inte min mitt jag på för med den det en ett att som kan vi har",
        "tr": "ve bir bu için ben benim değil ile mi nasıl çok var yok olarak gibi",
    }.items()
}


def language_of(text: str) -> str:
    """The language as in ISO 639-1; empty if it is not recognised. Languages of one script may be taken for another."""
    for language, first, last in _SCRIPTS:
        if any(first <= character <= last for character in text):
            return language
    words = _WORD.findall(text.casefold())
    counts = {language: sum(word in common for word in words) for language, common in _COMMON.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] else ""
