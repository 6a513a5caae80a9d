"""What IT tickets are about, whatever the catalog: generic concepts.

    concepts/concepts.json   {"concepts": [{name, group, domains, names}], "domains": [{name, names}]}
    concepts/texts.jsonl     {concept, lang, title, body}: what people write about it, in many languages
    concepts/model.npz       what `training.py` learnt from both

`names` are what a catalog may call a concept, or a category for tickets of a domain. Concepts of one `group` are near
to each other; `domains` are those whose categories may take a concept in, the likeliest first.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "concepts"
CONCEPTS, MODEL = FOLDER / "concepts.json", FOLDER / "model.npz"
TEXTS = "texts.jsonl"
"""In the folder of the source; not in the installed package, which reads what was learnt from it."""

GENERAL = "general"
"""The concept of tickets that are about nothing in particular."""


@dataclass(frozen=True, slots=True)
class Concept:
    name: str
    group: str
    domains: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """A part of IT, as catalogs make a category of it."""

    name: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConceptBank:
    concepts: tuple[Concept, ...]
    domains: tuple[Domain, ...]

    def place(self, concept: str) -> int:
        return next(place for place, other in enumerate(self.concepts) if other.name == concept)


@lru_cache(maxsize=1)
def concept_bank() -> ConceptBank:
    content = json.loads(CONCEPTS.read_text(encoding="utf-8"))
    return ConceptBank(
        concepts=tuple(
            Concept(one["name"], one["group"], tuple(one["domains"]), tuple(one["names"]))
            for one in content["concepts"]
        ),
        domains=tuple(Domain(one["name"], tuple(one["names"])) for one in content["domains"]),
    )


def bank_digest(folder: Path) -> str:
    """Of all that a model is learnt from."""
    return hashlib.sha256((folder / CONCEPTS.name).read_bytes() + (folder / TEXTS).read_bytes()).hexdigest()
