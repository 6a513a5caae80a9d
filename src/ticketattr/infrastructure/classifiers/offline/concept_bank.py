"""The concept bank: what IT tickets are about, whatever the catalog.

    concepts/concepts.json   {"concepts": [{name, group, domains, names}], "domains": [{name, names}]}
    concepts/texts.jsonl     {concept, lang, title, body}: tickets about the concept, in many languages
    concepts/model.npz       what `training.py` learned from both

`names` are names that a catalog may have for a concept, or for a category of a domain. Concepts of one `group` are
similar. `domains` are those whose categories may include a concept, the most likely first.
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
"""In the source only. The installed package has the model that was learned from it."""

GENERAL = "general"
"""The concept of tickets that are about no other concept."""


@dataclass(frozen=True, slots=True)
class Concept:
    """Something that IT tickets are about, such as a forgotten password."""

    name: str
    group: str
    domains: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Domain:
    """A part of IT that catalogs have a category for."""

    name: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConceptBank:
    """All concepts and domains. Columns of the model are in this order."""

    concepts: tuple[Concept, ...]
    domains: tuple[Domain, ...]

    def place(self, concept: str) -> int:
        """Returns the position of the concept of that name."""
        return next(place for place, other in enumerate(self.concepts) if other.name == concept)


@lru_cache(maxsize=1)
def concept_bank() -> ConceptBank:
    """Returns the bank of the package."""
    content = json.loads(CONCEPTS.read_text(encoding="utf-8"))
    return ConceptBank(
        concepts=tuple(
            Concept(one["name"], one["group"], tuple(one["domains"]), tuple(one["names"]))
            for one in content["concepts"]
        ),
        domains=tuple(Domain(one["name"], tuple(one["names"])) for one in content["domains"]),
    )


def bank_digest(folder: Path) -> str:
    """Returns the SHA-256 of everything that the model is learned from."""
    return hashlib.sha256((folder / CONCEPTS.name).read_bytes() + (folder / TEXTS).read_bytes()).hexdigest()
