"""What is asked for after a page, for each way of paging."""

from __future__ import annotations

from typing import Any

import pytest

from ticketattr.infrastructure.helpdesk.paging import (
    PageFacts,
    Step,
    first_step,
    next_link,
    next_step,
    sign_of_more,
    total_of_range,
)
from ticketattr.infrastructure.helpdesk.profile import Paging


def steps(paging: Paging, *pages: PageFacts) -> list[Step]:
    """What is asked for, one after the other, where these pages come."""
    asked = [first_step(paging)]
    for page in pages:
        following = next_step(paging, asked[-1], page)
        if following is None:
            return asked
        asked.append(following)
    return asked


def asked(paging: Paging, name: str, *pages: PageFacts) -> list[Any]:
    """What one placeholder stands for in each request."""
    return [step.values.get(name) for step in steps(paging, *pages)]


def test_without_paging_there_is_one_request() -> None:
    assert len(steps(Paging("none"), PageFacts(100))) == 1


def test_pages_are_counted_until_the_total_has_come() -> None:
    paging = Paging("page", size=2, first=1)
    assert asked(paging, "page", PageFacts(2, total=4), PageFacts(2, total=4)) == [1, 2]


def test_pages_without_a_total_end_with_a_page_that_is_not_full() -> None:
    paging = Paging("page", size=2, first=1)
    assert asked(paging, "page", PageFacts(2), PageFacts(2), PageFacts(1)) == [1, 2, 3]


def test_a_first_page_that_is_not_full_is_followed_by_another_since_the_helpdesk_may_give_fewer() -> None:
    paging = Paging("page", size=100, first=1)
    assert asked(paging, "page", PageFacts(50), PageFacts(50), PageFacts(7)) == [1, 2, 3]
    assert asked(paging, "page", PageFacts(7), PageFacts(0)) == [1, 2]


def test_a_page_that_is_not_full_is_followed_where_the_total_says_that_there_is_more() -> None:
    paging = Paging("offset", size=100)
    assert asked(paging, "offset", PageFacts(100, total=190), PageFacts(80, total=190), PageFacts(10, total=190)) == [
        0,
        100,
        180,
    ]


def test_what_says_that_there_is_no_more_ends_the_pages() -> None:
    paging = Paging("offset", size=2, first=1)
    assert asked(paging, "offset", PageFacts(2, more=True), PageFacts(1, more=True), PageFacts(2, more=False)) == [
        1,
        3,
        4,
    ]


def test_an_empty_page_ends_the_pages() -> None:
    assert len(steps(Paging("offset", size=2), PageFacts(2, total=9, more=True), PageFacts(0, total=9, more=True))) == 2


def test_a_range_names_its_first_and_its_last_ticket() -> None:
    paging = Paging("range", size=50)
    assert asked(paging, "first", PageFacts(50, total=60), PageFacts(10, total=60)) == [0, 50]
    assert asked(paging, "last", PageFacts(50, total=60), PageFacts(10, total=60)) == [49, 99]


def test_a_cursor_goes_into_the_next_request() -> None:
    paging = Paging("cursor")
    assert asked(paging, "cursor", PageFacts(2, next="b"), PageFacts(2, next="c"), PageFacts(2)) == [None, "b", "c"]


@pytest.mark.parametrize("end", [PageFacts(2, next=""), PageFacts(2), PageFacts(2, next="x", more=False)])
def test_no_cursor_or_no_more_is_the_end(end: PageFacts) -> None:
    assert len(steps(Paging("cursor"), end)) == 1
    assert len(steps(Paging("next_url"), end)) == 1


def test_a_next_url_is_followed() -> None:
    asked = steps(Paging("next_url"), PageFacts(2, next="/tickets?page=2"), PageFacts(1))
    assert [step.url for step in asked] == ["", "/tickets?page=2"]


def test_a_link_header_is_followed() -> None:
    asked = steps(Paging("link_header"), PageFacts(2, link="https://desk/?page=2"), PageFacts(1))
    assert [step.url for step in asked] == ["", "https://desk/?page=2"]


def test_ids_come_first_and_their_tickets_in_portions() -> None:
    paging = Paging("ids", size=2)
    came = steps(paging, PageFacts(0, ids=("a", "b", "c")), PageFacts(2), PageFacts(1))
    assert [(step.wants_ids, step.values.get("ids")) for step in came] == [
        (True, None),
        (False, ["a", "b"]),
        (False, ["c"]),
    ]


def test_without_ids_nothing_is_asked_for() -> None:
    assert len(steps(Paging("ids"), PageFacts(0))) == 1


@pytest.mark.parametrize(
    ("header", "url"),
    [
        ('<https://desk/?page=2>; rel="next"', "https://desk/?page=2"),
        ("<https://desk/?a=1,2>; rel=next", "https://desk/?a=1,2"),
        (
            '<https://desk/?page=1>; rel="prev", <https://desk/?page=3>; title="x; y"; rel="next"',
            "https://desk/?page=3",
        ),
        ('<https://desk/?page=9>; rel="last next"', "https://desk/?page=9"),
        ('<https://desk/?page=1>; rel="prev"', ""),
        ('<https://desk/?page=1>; rel="nextish"', ""),
        ("", ""),
    ],
)
def test_a_link_header_names_the_next_page(header: str, url: str) -> None:
    assert next_link(header) == url


@pytest.mark.parametrize(
    ("header", "total"), [("0-49/200", 200), ("items 0-49/200", 200), ("*/0", 0), ("0-49/*", None), ("", None)]
)
def test_a_content_range_names_the_total(header: str, total: int | None) -> None:
    assert total_of_range(header) == total


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{}, {}], "meta": {"total": 250}},
        {"data": [{}, {}], "links": {"next": "https://desk/?page=2"}},
        {"requests": [{}, {}], "list_info": {"has_more_rows": True}},
        {"value": [{}, {}], "@odata.nextLink": "https://desk/?$skip=2"},
        {"results": [{}, {}], "count": 3},
        {"issues": [{}, {}], "isLast": False},
        {"issues": [{}, {}], "nextPageToken": "abc"},
        {"data": [{}, {}], "meta": {"has_more": True}},
    ],
)
def test_an_answer_that_says_that_there_is_more_is_understood(body: Any) -> None:
    assert sign_of_more(body, 2)


@pytest.mark.parametrize(
    "body",
    [
        [{}, {}],
        {"data": [{}, {}], "meta": {"total": 2}, "links": {"next": None}},
        {"data": [{"count": 9, "total": 77, "next": "step"}, {}]},
        {"data": [{}, {}], "has_more": False, "isLast": True, "count": True},
    ],
)
def test_an_answer_that_is_whole_says_nothing_of_more(body: Any) -> None:
    assert sign_of_more(body, 2) == ""


def test_headers_say_that_there_is_more_too() -> None:
    assert sign_of_more([], 2, link='<https://desk/?page=2>; rel="next"')
    assert sign_of_more([], 2, content_range="0-1/3")
    assert sign_of_more([], 2, content_range="0-1/2") == ""
