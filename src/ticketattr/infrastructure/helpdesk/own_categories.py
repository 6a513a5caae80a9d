"""The categories that a helpdesk has already, for a new catalog."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio

from ...application.starter_catalog import StarterType
from ...errors import InputError, SettingsError
from ..options import HelpdeskAccess, HTTPPolicy
from .completeness import refuse_part_of_queue
from .connection import connect
from .mapping import items_of, plain_text
from .profile import CategoriesPart, Profile


def read_own_categories(profile: Profile, access: HelpdeskAccess, http: HTTPPolicy) -> list[StarterType]:
    """Each category of the helpdesk once. Raises SettingsError, InputError or ServiceError."""
    part = profile.categories
    if part is None:
        raise SettingsError(
            f"the profile {profile.name} cannot ask for the categories of the helpdesk",
            hint="Start the catalog from a file instead (--catalog-from categories.csv).",
        )
    items = anyio.run(_items, profile, part, access, http)
    found = [each for item in items for each in _types(part, item)]
    if not found:
        raise InputError("the helpdesk gave no category", hint="Check `categories` in the profile, and the rights.")
    parents = {each.category for each in found if each.name != each.category}
    return [each for each in found if each.name != each.category or each.category not in parents]


async def _items(profile: Profile, part: CategoriesPart, access: HelpdeskAccess, http: HTTPPolicy) -> list[Any]:
    async with connect(profile, access, http) as connection:
        answer = await connection.ask(part.request, {}, error=profile.tickets.error)
        items = list(items_of(part.items, answer.body))
        refuse_part_of_queue(answer.body, len(items), answer.headers)
        return items


def _types(part: CategoriesPart, item: Any) -> Iterator[StarterType]:
    category = plain_text(part.category.search(item))
    name = plain_text(part.request_type.search(item)) if part.request_type else ""
    if part.separator:
        category, _, name = (text.strip() for text in category.partition(part.separator))
    if category:
        yield StarterType(category, name or category)
