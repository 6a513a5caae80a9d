"""The service catalog: what the service desk offers, and in what time."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from ..errors import CatalogError
from .service_hours import ServiceHours, describe

SLAUnit = Literal["minutes", "hours", "days", "weeks"]
SLA_UNITS: tuple[SLAUnit, ...] = get_args(SLAUnit)

Scope = tuple[str, ...]
"""A part of the catalog: `()` is the whole, `(category,)` a category, `(category, name)` a request type."""

# Unicode composition takes quadratic time for a long sequence of accents.
_LONGEST_COMPOSED = 1_000
_HOURS: dict[SLAUnit, float] = {"minutes": 1 / 60, "hours": 1, "days": 24, "weeks": 168}
_MOST_HOURS = 100 * 366 * 24


@dataclass(frozen=True, slots=True)
class SLA:
    """The time to resolve that the catalog promises. `value` counts `unit`s; 0 is a value like any other."""

    value: int | float
    unit: SLAUnit

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit[:-1] if self.value == 1 else self.unit}"

    @property
    def is_possible(self) -> bool:
        """Whether it is a duration from 0 to 100 years."""
        return 0 <= self.value <= _MOST_HOURS / _HOURS[self.unit]

    @property
    def calendar_hours(self) -> float:
        """The SLA in hours, for sorting and comparing: a day has 24 hours, whatever the working hours are."""
        factor = _HOURS[self.unit]
        return round(min(self.value, _MOST_HOURS / factor) * factor, 4)


@dataclass(frozen=True, slots=True)
class RequestType:
    """One entry of the catalog: what can be asked for, and its SLA.

    `sla` is the time to resolve, `response` that to a first response, where the catalog promises one. The description,
    keywords and examples help a classifier.
    """

    category: str
    name: str
    sla: SLA
    description: str = ""
    keywords: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    response: SLA | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.category} / {self.name}"

    @property
    def pair(self) -> tuple[str, str]:
        """The names of the category and of the request type."""
        return self.category, self.name


@dataclass(frozen=True, slots=True)
class ServiceCatalog:
    """All entries, in the order of the catalog, and when the desk works.

    `service_hours` are those of the parts of the catalog that have their own; None is a clock that never stops.
    Raises CatalogError if two entries have the same name.
    """

    entries: tuple[RequestType, ...]
    service_hours: Mapping[Scope, ServiceHours | None] = field(default_factory=dict, hash=False)
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

    def hours_of(self, entry: RequestType) -> ServiceHours | None:
        """The service hours by which the SLAs of `entry` run; None for a clock that never stops."""
        scopes: tuple[Scope, ...] = (entry.pair, (entry.category,), ())
        return next((self.service_hours[scope] for scope in scopes if scope in self.service_hours), None)

    @property
    def version(self) -> str:
        """Eight hexadecimal digits that are equal for catalogs with the same content."""
        content = repr(self.entries)
        # Nothing is added for what a catalog does not have: its version stays what it was.
        if promises := [(entry.pair, entry.response) for entry in self.entries if entry.response]:
            content += repr(promises)
        for scope, hours in self.service_hours.items():
            content += repr((scope, hours and (describe(hours), sorted(hours.closed), sorted(hours.closed_yearly))))
        return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:8]


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
