"""Normalizing text for comparisons."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """Returns the text in lower case and without accents."""
    folded = text.casefold()
    if folded.isascii():
        return folded
    # Character by character: sorting a long run of accents, only to drop them, would take quadratic time.
    decomposed = (part for character in folded for part in unicodedata.normalize("NFKD", character))
    return "".join(part for part in decomposed if not unicodedata.combining(part))
