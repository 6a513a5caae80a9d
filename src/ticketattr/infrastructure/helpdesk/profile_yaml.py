"""A profile as YAML (docs/how-to/helpdesks.md): checked whole when it is read, each problem with its line.

An unknown key, an expression that does not compile and a placeholder where none belongs refuse the profile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from ...errors import SettingsError
from ..options import FILTERS
from ..yaml_nodes import WrongYAML, compose, elements, line_of, pairs, scalars, value_of
from .placeholders import placeholders
from .profile import (
    COLUMN_FIELDS,
    FIELDS,
    NO_API,
    PAGING_STYLES,
    Alternatives,
    BasicAuth,
    CategoriesPart,
    DetailPart,
    Paging,
    PagingStyle,
    Profile,
    QueryFilters,
    SessionStep,
    TextKind,
    TextPart,
    Thread,
    TicketsPart,
    Verified,
)
from .profile_nodes import (
    SECRETS,
    alternatives_of,
    expression_of,
    headers_of,
    keys_of,
    one_of,
    refuse_missing,
    refuse_missing_placeholders,
    refuse_placeholders,
    request_of,
    template_of,
    text_of,
    whole_number,
)
from .profile_update import update_part

MAX_BYTES = 256 * 1024
_LARGEST_PAGE = 10_000
_SINCE = frozenset({"since", "since_space", "since_minute"})
_OF_STYLE: Mapping[PagingStyle, frozenset[str]] = {
    "none": frozenset(),
    "page": frozenset({"page", "size"}),
    "offset": frozenset({"offset", "size"}),
    "cursor": frozenset({"cursor", "size"}),
    "next_url": frozenset({"size"}),
    "link_header": frozenset({"size"}),
    "range": frozenset({"first", "last", "size"}),
    "ids": frozenset(),
}
"""The placeholders that a way of paging fills."""
_NEEDED_TO_PAGE: Mapping[PagingStyle, frozenset[str]] = {
    "page": frozenset({"page"}),
    "offset": frozenset({"offset"}),
    "cursor": frozenset({"cursor"}),
    "range": frozenset({"first", "last"}),
}
_KEYS_OF_STYLE: Mapping[PagingStyle, frozenset[str]] = {
    "none": frozenset(),
    "page": frozenset({"size", "first", "more"}),
    "offset": frozenset({"size", "first", "more"}),
    "cursor": frozenset({"size", "next", "more"}),
    "next_url": frozenset({"size", "next", "more"}),
    "link_header": frozenset({"size"}),
    "range": frozenset({"size"}),
    "ids": frozenset({"size", "ids", "records"}),
}
_REQUIRED_OF_STYLE: Mapping[PagingStyle, frozenset[str]] = {
    "cursor": frozenset({"next"}),
    "next_url": frozenset({"next"}),
    "ids": frozenset({"ids", "records"}),
}


@lru_cache(maxsize=32)
def parse_profile(content: bytes, name: str) -> Profile:
    """The profile in `content`, which came from `name`. Raises SettingsError with the line of what is wrong.

    Kept, because a run reads its profile for each adapter, and parsing takes 40 ms each time.
    """
    try:
        if len(content) > MAX_BYTES:
            raise WrongYAML(f"it is larger than {MAX_BYTES:,} bytes")
        return _Reader(name).profile(compose(content, "the profile"))
    except WrongYAML as wrong:
        raise SettingsError(
            wrong.of(f"the profile {name}"), hint="docs/how-to/helpdesks.md explains each key of a profile."
        ) from None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the parts of one profile; `name` is that of the file."""

    name: str

    def profile(self, node: Node) -> Profile:
        keys = keys_of(
            node,
            required={"name", "verified"},
            optional={
                *("url", "key", "secret", "needs", "proved", "check_first", "page", "columns", "sheet"),
                *("auth", "headers", "session", "tickets", "detail", "text", "update", "limits", "categories"),
            },
        )
        if "columns" not in keys:
            refuse_missing(keys, "tickets", node)
        for scalar in scalars(node):
            if not _is_utf_8(scalar.value):
                raise WrongYAML("this text holds half a surrogate pair, which no request can hold", line_of(scalar))
        secrets = {name for scalar in scalars(node) for name in placeholders(str(scalar.value))} & SECRETS
        session = self._session(keys["session"]) if "session" in keys else None
        known = SECRETS | {f"session.{name}" for name in (session.keep if session else ())}
        tickets = self._tickets(keys["tickets"], known) if "tickets" in keys else NO_API
        return Profile(
            name=text_of(keys["name"]),
            secrets=frozenset(secrets),
            verified=one_of(keys["verified"], get_args(Verified)),
            tickets=tickets,
            **{key: text_of(keys[key]) for key in _NOTES if key in keys},
            page=template_of(keys["page"], frozenset(FIELDS)) if "page" in keys else "",
            auth=_auth(keys["auth"], known) if "auth" in keys else None,
            headers=headers_of(keys["headers"], known) if "headers" in keys else {},
            session=session,
            detail=self._detail(keys["detail"], known) if "detail" in keys else None,
            text=self._text_part(keys["text"]) if "text" in keys else TextPart(),
            update=update_part(keys["update"], known, self.name) if "update" in keys else None,
            requests_per_minute=_requests_per_minute(keys["limits"]) if "limits" in keys else None,
            categories=self._categories(keys["categories"], known) if "categories" in keys else None,
            columns=_columns(keys["columns"]) if "columns" in keys else {},
            sheet=text_of(keys["sheet"]) if "sheet" in keys else "",
        )

    def _session(self, node: Node) -> SessionStep:
        keys = keys_of(node, required={"request", "keep"})
        kept = {name: expression_of(value, self.name) for name, value in pairs(keys["keep"])}
        return SessionStep(request_of(keys["request"], SECRETS), kept)

    def _tickets(self, node: Node, known: frozenset[str]) -> TicketsPart:
        keys = keys_of(
            node,
            required={"request", "items", "fields"},
            optional={"paging", "filters", "total", "total_header", "error", "open", "keep", "values"},
        )
        paging = self._paging(keys["paging"], known) if "paging" in keys else Paging()
        request = request_of(keys["request"], known | _OF_STYLE[paging.style] | {"filter"})
        filters = _filters(keys["filters"]) if "filters" in keys else QueryFilters()
        refuse_missing_placeholders(keys["request"], _NEEDED_TO_PAGE.get(paging.style, frozenset()))
        optional = {key: expression_of(keys[key], self.name) for key in ("total", "error", "open") if key in keys}
        if "keep" in keys and "open" in (kept := {one_of(item, FILTERS) for item in elements(keys["keep"])}):
            refuse_missing(optional, "open", keys["keep"])
        return TicketsPart(
            request=request,
            items=alternatives_of(keys["items"], self.name),
            fields=self._fields(keys["fields"]),
            paging=paging,
            filters=filters,
            total_header=text_of(keys["total_header"]) if "total_header" in keys else "",
            keep=frozenset(kept) if "keep" in keys else frozenset(),
            values=_values(keys["values"]) if "values" in keys else {},
            **optional,
        )

    def _paging(self, node: Node, known: frozenset[str]) -> Paging:
        style = one_of(dict(pairs(node)).get("style", node), PAGING_STYLES)
        keys = keys_of(
            node,
            required={"style", *_REQUIRED_OF_STYLE.get(style, ())},
            optional=_KEYS_OF_STYLE[style],
        )
        return Paging(
            style=style,
            size=whole_number(keys["size"], least=1, most=_LARGEST_PAGE) if "size" in keys else 100,
            first=whole_number(keys["first"], least=0, most=1) if "first" in keys else int(style == "page"),
            records=request_of(keys["records"], known | {"ids"}) if "records" in keys else None,
            **{key: expression_of(keys[key], self.name) for key in ("next", "more", "ids") if key in keys},
        )

    def _fields(self, node: Node) -> dict[str, Alternatives]:
        keys = keys_of(node, required={"id"}, optional=FIELDS)
        return {name: alternatives_of(value, self.name) for name, value in keys.items()}

    def _detail(self, node: Node, known: frozenset[str]) -> DetailPart:
        keys = keys_of(node, required={"request"}, optional={"values", "at_most", "error"})
        values = (
            {name: expression_of(value, self.name) for name, value in pairs(keys["values"])} if "values" in keys else {}
        )
        return DetailPart(
            request=request_of(keys["request"], known | {"id", *values}),
            values=values,
            at_most=whole_number(keys["at_most"], least=1, most=32) if "at_most" in keys else 4,
            error=expression_of(keys["error"], self.name) if "error" in keys else None,
        )

    def _categories(self, node: Node, known: frozenset[str]) -> CategoriesPart:
        keys = keys_of(node, required={"request", "items", "category"}, optional={"request_type", "separator"})
        return CategoriesPart(
            request=request_of(keys["request"], known),
            items=alternatives_of(keys["items"], self.name),
            category=expression_of(keys["category"], self.name),
            request_type=expression_of(keys["request_type"], self.name) if "request_type" in keys else None,
            separator=text_of(keys["separator"]) if "separator" in keys else "",
        )

    def _text_part(self, node: Node) -> TextPart:
        if isinstance(node, ScalarNode):
            return TextPart(one_of(node, get_args(TextKind)))
        keys = keys_of(node, required=set(), optional={"kind", "thread"})
        return TextPart(
            kind=one_of(keys["kind"], get_args(TextKind)) if "kind" in keys else "auto",
            thread=self._thread(keys["thread"]) if "thread" in keys else None,
        )

    def _thread(self, node: Node) -> Thread:
        keys = keys_of(node, required={"messages", "body"}, optional={"is_html", "counts", "group", "at_most"})
        optional = {key: expression_of(keys[key], self.name) for key in ("is_html", "counts", "group") if key in keys}
        return Thread(
            messages=expression_of(keys["messages"], self.name),
            body=expression_of(keys["body"], self.name),
            at_most=whole_number(keys["at_most"], least=0, most=100) if "at_most" in keys else 5,
            is_html=optional.get("is_html"),
            counts=optional.get("counts"),
            group=optional.get("group"),
        )


_NOTES = ("url", "key", "secret", "needs", "proved", "check_first")


def _is_utf_8(text: str) -> bool:
    """Whether `text` can be sent: YAML can spell halves of surrogate pairs."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _auth(node: Node, known: Collection[str]) -> BasicAuth:
    keys = keys_of(node, required={"user", "password"})
    return BasicAuth(template_of(keys["user"], known), template_of(keys["password"], known))


def _filters(node: Node) -> QueryFilters:
    parts = ("always", "open", "uncategorised", "since")
    keys = keys_of(node, required=set(), optional={*parts, "join"})
    for part in parts:
        if part in keys:
            refuse_placeholders(keys[part], _SINCE if part == "since" else ())
    join = str(keys["join"].value) if "join" in keys else " "
    return QueryFilters(join, **{part: value_of(keys[part]) for part in parts if part in keys})


def _values(node: Node) -> dict[str, dict[str, str]]:
    keys = keys_of(node, required=set(), optional=FIELDS)
    return {field: {value: text_of(word) for value, word in pairs(words)} for field, words in keys.items()}


def _columns(node: Node) -> dict[str, tuple[str, ...]]:
    keys = keys_of(node, required=set(), optional=COLUMN_FIELDS)
    return {
        name: tuple(map(text_of, elements(value))) if isinstance(value, SequenceNode) else (text_of(value),)
        for name, value in keys.items()
    }


def _requests_per_minute(node: Node) -> int:
    keys = keys_of(node, required={"requests_per_minute"})
    return whole_number(keys["requests_per_minute"], least=1, most=100_000)
