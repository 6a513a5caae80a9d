"""Text as it is compared: lower case, without accents."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    folded = text.casefold()
    if folded.isascii():
        return folded
    # One by one: putting piled-up accents in order, only to drop them, would take the square of the time.
    decomposed = (part for character in folded for part in unicodedata.normalize("NFKD", character))
    return "".join(part for part in decomposed if not unicodedata.combining(part))
