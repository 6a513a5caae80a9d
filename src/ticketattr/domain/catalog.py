"""The service catalog: what the service desk offers, and in what time."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass, field
from typing import Literal, get_args

from ..errors import CatalogError

SLAUnit = Literal["minutes", "hours", "days", "weeks"]
SLA_UNITS: tuple[SLAUnit, ...] = get_args(SLAUnit)
# Unicode composition takes quadratic time for a long sequence of accents.
_LONGEST_COMPOSED = 1_000
_HOURS: dict[SLAUnit, float] = {"minutes": 1 / 60, "hours": 1, "days": 24, "weeks": 168}


@dataclass(frozen=True, slots=True)
class SLA:
    """The time to resolve that the catalog promises. `value` counts `unit`s; 0 is a value like any other."""

    value: int | float
    unit: SLAUnit

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"

    @property
    def calendar_hours(self) -> float:
        """The SLA in hours, for sorting and comparing: a day has 24 hours, whatever the working hours are."""
        return round(self.value * _HOURS[self.unit], 4)


@dataclass(frozen=True, slots=True)
class RequestType:
    """One entry of the catalog and its SLA. `description`, `keywords` and `examples` help a classifier."""

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
        """The names of the category and of the request type."""
        return self.category, self.name


@dataclass(frozen=True, slots=True)
class ServiceCatalog:
    """All entries, in the order of the catalog. Raises CatalogError if two of them have the same name."""

    entries: tuple[RequestType, ...]
    _by_key: dict[tuple[str, str], RequestType] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_key: dict[tuple[str, str], RequestType] = {}
        for entry in self.entries:
            other = by_key.setdefault((fold(entry.category), fold(entry.name)), entry)
            if other is not entry:
                raise CatalogError(
                    f"'{other}' and '{entry}' are the same request type if case and white space are ignored",
                    hint="Rename one of the two in the service catalog.",
                )
        object.__setattr__(self, "_by_key", by_key)

    def find(self, category: str, request_type: str) -> RequestType | None:
        """The entry with these names, or None; case and white space are ignored."""
        return self._by_key.get((fold(category), fold(request_type)))

    @property
    def version(self) -> str:
        """Eight hexadecimal digits that are equal for catalogs with the same content."""
        return hashlib.sha256(repr(self.entries).encode("utf-8", "replace")).hexdigest()[:8]


def fold(name: str) -> str:
    """The form in which names are compared: without case, with single spaces, and with composed Unicode.

    A very long name is not composed, because that could take long.
    """
    folded = name.casefold()
    return " ".join((folded if len(name) > _LONGEST_COMPOSED else unicodedata.normalize("NFC", folded)).split())


def sla_unit(name: str) -> SLAUnit | None:
    """The unit that `name` stands for, such as days for `Day`, or None."""
    wanted = fold(name)
    return next((unit for unit in SLA_UNITS if wanted in (unit, unit[:-1])), None)
