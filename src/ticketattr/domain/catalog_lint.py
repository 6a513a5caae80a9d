"""Finds what is valid in a catalog, but probably a mistake."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .catalog import RequestType, ServiceCatalog, fold
from .catch_all import is_catch_all
from .sanitizing import sanitize
from .wording import some_of

_NAMED = 3
_SHORTEST = 5
"""Names with fewer letters often differ by one letter: VPN, VPS."""

# Double or unusual spaces, and characters without width.
_ODD_SPACE = re.compile("  |[^\\S ]|[\u00ad\u200b\u2060\ufeff]")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Remark:
    """What looks like a mistake, and how to fix it; without `fix`, it is only information."""

    what: str
    fix: str = ""


def lint(catalog: ServiceCatalog) -> list[Remark]:
    """The remarks about `catalog`, at most one of each kind."""
    return [remark for rule in _RULES for remark in rule(catalog.entries)]


def _same_name(entries: Sequence[RequestType]) -> Iterator[Remark]:
    categories: dict[str, list[RequestType]] = {}
    for entry in entries:
        categories.setdefault(fold(entry.name), []).append(entry)
    # Every category may have an "Other": it is for the rest of that category.
    twins = [same for same in categories.values() if len(same) > 1 and not is_catch_all(same[0].name)]
    if twins:
        named = _some(f"'{same[0].name}' in {' and '.join(entry.category for entry in same)}" for same in twins)
        yield Remark(
            f"the same name in several categories: {named}",
            "Rename them, or give them descriptions that tell them apart.",
        )


def _no_catch_all(entries: Sequence[RequestType]) -> Iterator[Remark]:
    if not any(is_catch_all(entry.name) for entry in entries):
        yield Remark(
            "no request type is for tickets that fit no other one",
            "Add one, such as 'Other Request'. Without it, such tickets get no request type.",
        )


def _zero_sla(entries: Sequence[RequestType]) -> Iterator[Remark]:
    at_once = [f"'{entry}'" for entry in entries if entry.sla.value == 0]
    if at_once:
        # A zero is a valid promise, but so many zeros are probably values that nobody filled in.
        fix = "Enter the intended times." if 2 * len(at_once) > len(entries) else ""
        yield Remark(f"an SLA of 0, which means at once: {_some(at_once)}", fix)


def _odd_space(entries: Sequence[RequestType]) -> Iterator[Remark]:
    odd = (name for name in _names(entries) if _ODD_SPACE.search(name) or sanitize(name) != name)
    if named := _some(f"{name!a}" for name in odd):
        yield Remark(f"unusual white space or hidden characters in names: {named}", "Type these names again.")


def _nearly_same(entries: Sequence[RequestType]) -> Iterator[Remark]:
    names = {fold(name): name for name in _names(entries) if len(name) >= _SHORTEST}
    seen: dict[str, str] = {}
    alike: dict[tuple[str, str], None] = {}
    for key in names:
        # Two names that differ by one letter become equal when each of them loses one letter.
        for rest in {key, *(key[:place] + key[place + 1 :] for place in range(len(key)))}:
            other = seen.setdefault(rest, key)
            if other != key and _DIGITS.sub("", other) != _DIGITS.sub("", key):
                alike[other, key] = None
    if named := _some(f"'{names[one]}' and '{names[other]}'" for one, other in alike):
        yield Remark(f"names that differ by one letter: {named}", "Correct the name that is misspelled.")


def _category_with_one_type_of_its_name(entries: Sequence[RequestType]) -> Iterator[Remark]:
    by_category: dict[str, list[RequestType]] = {}
    for entry in entries:
        by_category.setdefault(fold(entry.category), []).append(entry)
    alone = (same[0] for same in by_category.values() if len(same) == 1 and not is_catch_all(same[0].name))
    if named := _some(f"'{entry.category}'" for entry in alone if fold(entry.name) == fold(entry.category)):
        yield Remark(
            f"a category whose only request type has the same name: {named}",
            "Name the request type for what it offers.",
        )


_RULES: tuple[Callable[[Sequence[RequestType]], Iterator[Remark]], ...] = (
    _same_name,
    _no_catch_all,
    _zero_sla,
    _nearly_same,
    _odd_space,
    _category_with_one_type_of_its_name,
)


def _names(entries: Iterable[RequestType]) -> Iterator[str]:
    """The name of each category and of each request type, once."""
    return iter(dict.fromkeys(name for entry in entries for name in (entry.category, entry.name)))


def _some(items: Iterable[str]) -> str:
    return some_of(items, _NAMED)
