"""The service catalog: what the desk offers, and how fast."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass, field
from typing import Literal, get_args

from ..errors import CatalogError

SLAUnit = Literal["minutes", "hours", "days", "weeks"]
SLA_UNITS: tuple[SLAUnit, ...] = get_args(SLAUnit)
# Composing takes the square of the time where accents are piled up.
_LONGEST_COMPOSED = 1_000
_HOURS: dict[SLAUnit, float] = {"minutes": 1 / 60, "hours": 1, "days": 24, "weeks": 168}


@dataclass(frozen=True, slots=True)
class SLA:
    """Time to resolve, as the catalog promises it. `value` counts `unit`s; 0 is a value."""

    value: int | float
    unit: SLAUnit

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"

    @property
    def calendar_hours(self) -> float:
        """For sorting and comparing: a day has 24 hours, whatever hours the desk keeps."""
        return round(self.value * _HOURS[self.unit], 4)


@dataclass(frozen=True, slots=True)
class RequestType:
    """One entry of the catalog: what can be asked for, and its SLA. The last three help a classifier."""

    category: str
    name: str
    sla: SLA
    description: str = ""
    keywords: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.category} / {self.name}"

    @property
    def pair(self) -> tuple[str, str]:
        return self.category, self.name


@dataclass(frozen=True, slots=True)
class ServiceCatalog:
    """All entries, in the order of the catalog. Raises CatalogError when two of them cannot be told apart."""

    entries: tuple[RequestType, ...]
    _by_key: dict[tuple[str, str], RequestType] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_key: dict[tuple[str, str], RequestType] = {}
        for entry in self.entries:
            other = by_key.setdefault((fold(entry.category), fold(entry.name)), entry)
            if other is not entry:
                raise CatalogError(
                    f"'{other}' and '{entry}' are the same request type when case and white space are ignored",
                    hint="Rename one of the two in the service catalog.",
                )
        object.__setattr__(self, "_by_key", by_key)

    def find(self, category: str, request_type: str) -> RequestType | None:
        """The entry of that name, case and white space ignored."""
        return self._by_key.get((fold(category), fold(request_type)))

    @property
    def version(self) -> str:
        """The same for catalogs of the same content, and for no others."""
        return hashlib.sha256(repr(self.entries).encode("utf-8", "replace")).hexdigest()[:8]


def fold(name: str) -> str:
    """The form in which two names are compared: case ignored, white space folded, Unicode composed unless too long."""
    folded = name.casefold()
    return " ".join((folded if len(name) > _LONGEST_COMPOSED else unicodedata.normalize("NFC", folded)).split())


def sla_unit(name: str) -> SLAUnit | None:
    """The unit that `name` means (`Day`, `days`), or None."""
    wanted = fold(name)
    return next((unit for unit in SLA_UNITS if wanted in (unit, unit[:-1])), None)
