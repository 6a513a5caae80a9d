"""What may be used in a catalog, and is probably a mistake all the same."""

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
"""Names of fewer letters differ by little anyway: VPN, VPS."""

# Double or unusual space, and what takes no space at all.
_ODD_SPACE = re.compile("  |[^\\S ]|[\u00ad\u200b\u2060\ufeff]")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Remark:
    """What looks like a mistake, and what to do about it; without a fix it is only worth knowing."""

    what: str
    fix: str = ""


def lint(catalog: ServiceCatalog) -> list[Remark]:
    """At most one remark of each kind."""
    return [remark for rule in _RULES for remark in rule(catalog.entries)]


def _same_name(entries: Sequence[RequestType]) -> Iterator[Remark]:
    categories: dict[str, list[RequestType]] = {}
    for entry in entries:
        categories.setdefault(fold(entry.name), []).append(entry)
    # "Other" may be there in every category: it means the rest of that.
    twins = [same for same in categories.values() if len(same) > 1 and not is_catch_all(same[0].name)]
    if twins:
        named = _some(f"'{same[0].name}' in {' and '.join(entry.category for entry in same)}" for same in twins)
        yield Remark(f"the same name in several categories: {named}", "Rename them, or tell them apart by description.")


def _no_catch_all(entries: Sequence[RequestType]) -> Iterator[Remark]:
    if not any(is_catch_all(entry.name) for entry in entries):
        yield Remark(
            "no request type is for what fits nowhere else",
            "Add one, such as 'Other Request', or tickets stay without any.",
        )


def _at_once(entries: Sequence[RequestType]) -> Iterator[Remark]:
    at_once = [f"'{entry}'" for entry in entries if entry.sla.value == 0]
    if at_once:
        # A zero is a promise like any other; so many of them are more likely numbers that nobody filled in.
        fix = "Put in the times that were meant." if 2 * len(at_once) > len(entries) else ""
        yield Remark(f"an SLA of 0, that is at once: {_some(at_once)}", fix)


def _odd_space(entries: Sequence[RequestType]) -> Iterator[Remark]:
    odd = (name for name in _names(entries) if _ODD_SPACE.search(name) or sanitize(name) != name)
    if named := _some(f"{name!a}" for name in odd):
        yield Remark(f"unusual white space or hidden characters in names: {named}", "Type these names anew.")


def _nearly_same(entries: Sequence[RequestType]) -> Iterator[Remark]:
    names = {fold(name): name for name in _names(entries) if len(name) >= _SHORTEST}
    seen: dict[str, str] = {}
    alike: dict[tuple[str, str], None] = {}
    for key in names:
        # Two names that differ by one letter have something in common once each lost one.
        for rest in {key, *(key[:place] + key[place + 1 :] for place in range(len(key)))}:
            other = seen.setdefault(rest, key)
            if other != key and _DIGITS.sub("", other) != _DIGITS.sub("", key):
                alike[other, key] = None
    if named := _some(f"'{names[one]}' and '{names[other]}'" for one, other in alike):
        yield Remark(f"names that differ by a letter: {named}", "Correct the one that is misspelt.")


def _alone_under_its_own_name(entries: Sequence[RequestType]) -> Iterator[Remark]:
    by_category: dict[str, list[RequestType]] = {}
    for entry in entries:
        by_category.setdefault(fold(entry.category), []).append(entry)
    alone = (same[0] for same in by_category.values() if len(same) == 1 and not is_catch_all(same[0].name))
    if named := _some(f"'{entry.category}'" for entry in alone if fold(entry.name) == fold(entry.category)):
        yield Remark(f"a category whose only request type has its name: {named}", "Say in it what can be asked for.")


_RULES: tuple[Callable[[Sequence[RequestType]], Iterator[Remark]], ...] = (
    _same_name,
    _no_catch_all,
    _at_once,
    _nearly_same,
    _odd_space,
    _alone_under_its_own_name,
)


def _names(entries: Iterable[RequestType]) -> Iterator[str]:
    """Each category and each name once."""
    return iter(dict.fromkeys(name for entry in entries for name in (entry.category, entry.name)))


def _some(items: Iterable[str]) -> str:
    return some_of(items, _NAMED)
