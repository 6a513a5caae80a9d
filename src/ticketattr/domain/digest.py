"""Digests of several texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def digest(parts: Iterable[str]) -> str:
    """The SHA-256, in hexadecimal, of the texts and their order."""
    # The lengths make ("ab", "c") differ from ("a", "bc").
    framed = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(framed.encode("utf-8", "surrogatepass")).hexdigest()
