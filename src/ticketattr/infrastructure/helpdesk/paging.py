"""How the pages of a queue follow one another: pure functions from what one page says to what to ask for next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..network.service_words import service_words
from .profile import Paging

MAX_PAGES = 10_000

_CONTENT_RANGE = re.compile(r"(?:[A-Za-z]+\s+)?(?:\d+-\d+|\*)/(\d+)\s*")
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:"[^"]*"|[^\s",;]*))*)')
_REL_NEXT = re.compile(r';\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?![^\s;,]))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What one answer says: how many tickets came, and what it says about the rest. None: nothing.

    `next` is a cursor or a URL, `link` the URL of the Link header, `ids` what `ids` paging found.
    """

    count: int
    total: int | None = None
    next: Any = None
    more: bool | None = None
    link: str = ""
    ids: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What to ask for: `values` of placeholders, or a whole `url`. `read` tickets came on the pages before.

    `wants_ids`: the answer holds ids, no tickets. `rest` are ids that are still to be asked for, and `first_count`
    the number of tickets on the first page.
    """

    number: int = 1
    values: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""
    read: int = 0
    first_count: int = 0
    wants_ids: bool = False
    rest: tuple[Any, ...] = ()


def first_step(paging: Paging) -> Step:
    """Returns what to ask for first."""
    step = Step(wants_ids=paging.style == "ids")
    return replace(step, values=_values(paging, step))


def next_step(paging: Paging, step: Step, page: PageFacts) -> Step | None:
    """Returns what to ask for after `page`, which answered `step`; None after the last page."""
    after = replace(
        step,
        number=step.number + 1,
        read=step.read + page.count,
        first_count=step.first_count or page.count,
        wants_ids=False,
    )
    match paging.style:
        case "none":
            return None
        case "page" | "offset" | "range":
            return _counted(paging, after, page)
        case "cursor":
            return None if _is_end(page) else replace(after, values=_values(paging, after, page.next))
        case "next_url":
            return None if _is_end(page) else replace(after, url=str(page.next))
        case "link_header":
            return replace(after, url=page.link) if page.link else None
        case "ids":
            return _next_ids(paging, after, page.ids if step.wants_ids else step.rest)


def next_link(link_header: str) -> str:
    """Returns the URL with `rel="next"` of a Link header (RFC 8288), or nothing."""
    return next((url for url, params in _LINK.findall(link_header) if _REL_NEXT.search(params)), "")


def total_of_range(content_range: str) -> int | None:
    """Returns the total of a Content-Range header: 200 of `0-49/200` and of `items 0-49/200`."""
    found = _CONTENT_RANGE.fullmatch(content_range.strip())
    return int(found[1]) if found and len(found[1]) < 19 else None


def _counted(paging: Paging, after: Step, page: PageFacts) -> Step | None:
    if page.count == 0 or page.more is False:
        return None
    if page.total is not None and after.read >= page.total:
        return None
    if page.total is None and page.more is None and _is_short(paging, after, page):
        return None
    return replace(after, values=_values(paging, after))


def _is_short(paging: Paging, after: Step, page: PageFacts) -> bool:
    """Whether the helpdesk gave fewer tickets than it gives on a page: it may give fewer than were asked for.

    What a first page can hold is seen only by the second.
    """
    if after.number == 2:
        return False
    return page.count < min(paging.size, after.first_count)


def _is_end(page: PageFacts) -> bool:
    return page.more is False or page.next in (None, "", False)


def _values(paging: Paging, step: Step, cursor: Any = None) -> dict[str, Any]:
    offset = step.read + paging.first
    return {
        "size": paging.size,
        "page": step.number - 1 + paging.first,
        "offset": offset,
        "first": offset,
        "last": offset + paging.size - 1,
        "cursor": cursor,
    }


def _next_ids(paging: Paging, after: Step, ids: tuple[Any, ...]) -> Step | None:
    if not ids:
        return None
    return replace(after, values={"ids": list(ids[: paging.size])}, rest=ids[paging.size :])


_MORE = frozenset({"hasmore", "hasmorerows", "hasmoreitems", "hasnext", "hasnextpage", "more", "moreresults"})
_NEXT = frozenset(
    {
        "next",
        "nextpage",
        "nextlink",
        "nexturl",
        "nexthref",
        "nextpagetoken",
        "nextcursor",
        "odatanextlink",
        "aftercursor",
    }
)
_TOTAL = frozenset({"total", "totalcount", "totalresults", "totalrows", "totalrecords", "count", "odatacount"})
_DEEPEST = 4
_LONGEST_SIGN = 40


def sign_of_more(body: Any, count: int, *, link: str = "", content_range: str = "") -> str:
    """Returns the words by which an answer with `count` tickets says that there are more; empty if it does not."""
    if next_link(link):
        return "a Link header to the next page"
    total = total_of_range(content_range)
    if total is not None and total > count:
        return f"Content-Range: {_short(content_range)}"
    return next(_signs(body, count, _DEEPEST), "")


def _signs(body: Any, count: int, depth: int) -> Iterator[str]:
    if not isinstance(body, dict) or depth == 0:
        return
    for name, value in body.items():
        word = re.sub("[^a-z]", "", str(name).lower())
        if _says_more(word, value, count):
            yield f"{_short(name)}: {_short(value)}"
        yield from _signs(value, count, depth - 1)


def _says_more(word: str, value: Any, count: int) -> bool:
    if word in _MORE:
        return value is True
    if word == "islast":
        return value is False
    if word in _NEXT:
        return isinstance(value, str) and bool(value.strip())
    if word in _TOTAL:
        return isinstance(value, int) and not isinstance(value, bool) and value > count
    return False


def says_that_is_all(body: Any, count: int, depth: int = _DEEPEST) -> bool:
    """Whether an answer with `count` tickets says itself that there are no others."""
    if not isinstance(body, dict) or depth == 0:
        return False
    return any(
        _says_no_more(re.sub("[^a-z]", "", str(name).lower()), value, count)
        or says_that_is_all(value, count, depth - 1)
        for name, value in body.items()
    )


def _says_no_more(word: str, value: Any, count: int) -> bool:
    if word in _TOTAL:
        return bool(value == count)
    return (word in _MORE and value is False) or (word == "islast" and value is True) or (word in _NEXT and not value)


def _short(value: Any) -> str:
    return service_words(value, _LONGEST_SIGN)
