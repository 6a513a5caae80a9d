"""Whatever a helpdesk sends becomes a ticket, or an error of ours."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketattr.domain.ticket import Ticket
from ticketattr.errors import InputError
from ticketattr.infrastructure.helpdesk.body_text import body_reader
from ticketattr.infrastructure.helpdesk.mapping import map_ticket
from ticketattr.infrastructure.helpdesk.paging import next_link, sign_of_more, total_of_range
from ticketattr.infrastructure.helpdesk.profile import Profile
from ticketattr.infrastructure.helpdesk.shipped_profiles import profile_names, read_profile

_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _names(profile: Profile) -> list[str]:
    """The first names in the expressions of a profile, so that what is drawn is found."""
    texts = [each.text for alternatives in profile.tickets.fields.values() for each in alternatives]
    thread = profile.text.thread
    texts += [thread.messages.text] if thread else []
    return sorted({text.strip('"').split(".")[0].split("[")[0].strip('"!(') for text in texts})


@pytest.mark.parametrize("name", profile_names())
@settings(max_examples=settings().max_examples // 5)  # for each profile
@given(data=st.data())
def test_any_item_is_a_ticket_or_an_error_that_names_the_profile(name: str, data: st.DataObject) -> None:
    profile = read_profile(name)
    item: dict[str, Any] = data.draw(st.dictionaries(st.sampled_from(_names(profile)), _JSON, max_size=6))
    try:
        mapped = map_ticket(profile, item, base_url="https://desk.example", to_text=body_reader(profile.text.kind))
    except InputError as error:
        message = str(error)
    else:
        message = ""
        assert isinstance(mapped.ticket, Ticket)
        assert all(isinstance(getattr(mapped.ticket, field), str) for field in profile.tickets.fields if field != "sla")
    assert not message or f"{name}.yaml, line " in message


@given(_JSON, st.integers(0, 5), st.text(), st.text())
def test_any_answer_says_that_there_is_more_or_does_not(body: Any, count: int, link: str, content_range: str) -> None:
    assert isinstance(sign_of_more(body, count, link=link, content_range=content_range), str)
    assert isinstance(next_link(link), str)
    assert total_of_range(content_range) is None or content_range
