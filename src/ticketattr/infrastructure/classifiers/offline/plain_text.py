"""Text as it is compared: lower case, without accents."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
