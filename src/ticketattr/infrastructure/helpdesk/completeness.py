"""What an answer says of itself: that it is not the whole queue, or that its fields are not those of a ticket."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ...domain.ticket import Ticket, may_be_a_page
from ...domain.wording import counted
from ...errors import InputError
from .mapping import HINT, seen
from .paging import says_that_is_all, sign_of_more

log = logging.getLogger(__name__)


def refuse_part_of_queue(body: Any, count: int, headers: Mapping[str, str]) -> None:
    """Raises InputError where an answer with `count` tickets says that there are more.

    A report of a part would call all other tickets gone. Where the answer says nothing about others, and has exactly as
    many tickets as a page often has, a warning says so.
    """
    sign = sign_of_more(body, count, link=headers.get("Link", ""), content_range=headers.get("Content-Range", ""))
    if sign:
        raise InputError(
            f"the helpdesk sent {count} tickets and says that there are more ({sign})",
            hint="Choose a profile that reads all pages (HELPDESK_PROFILE), or have it answer with all tickets.",
        )
    if may_be_a_page(count) and not says_that_is_all(body, count):
        log.warning(
            "the helpdesk sent exactly %d tickets, which may be one page of more: "
            "check that these are all, or choose a profile that reads all pages (HELPDESK_PROFILE)",
            count,
        )


def refuse_missing_text(tickets: Sequence[Ticket], first_item: Any, *, has_text_fields: bool) -> None:
    """Raises InputError where no ticket has a field for text: then fields have other names.

    Where most tickets have no text, a warning says so. `first_item` is the first ticket as it came.
    """
    without = sum(not any(ticket.texts) for ticket in tickets)
    refuse_without_text(without, len(tickets), first_item, has_text_fields=has_text_fields)


def refuse_without_text(without: int, tickets: int, first_item: Any, *, has_text_fields: bool) -> None:
    """The same for so many `tickets`, of which `without` have no text."""
    if tickets and without == tickets and not has_text_fields:
        raise InputError(f"no ticket has a field for a short or a long description; {seen(first_item)}", hint=HINT)
    if 2 * without > tickets:
        log.warning("%d of %s with neither a short nor a long description", without, counted(tickets, "ticket"))
