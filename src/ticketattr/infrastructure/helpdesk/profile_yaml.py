"""A profile as YAML (docs/helpdesks.md): checked whole when it is read, each problem with its line.

An unknown key, an expression that does not compile and a placeholder where none belongs refuse the profile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from ...errors import SettingsError
from ..options import FILTERS
from ..yaml_nodes import WrongYAML, compose, elements, line_of, pairs, scalars, value_of
from .expressions import Expression, compile_expression
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
    Request,
    SessionStep,
    TextKind,
    TextPart,
    Thread,
    TicketsPart,
    Verified,
)

MAX_BYTES = 256 * 1024
_LARGEST_PAGE = 10_000
_SINCE = frozenset({"since", "since_space", "since_minute"})
_METHODS = ("GET", "POST")
_SECRETS = frozenset({"key", "secret"})
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

T = TypeVar("T", bound=str)


def parse_profile(content: bytes, name: str) -> Profile:
    """The profile in `content`, which came from `name`. Raises SettingsError with the line of what is wrong."""
    try:
        if len(content) > MAX_BYTES:
            raise WrongYAML(f"it is larger than {MAX_BYTES:,} bytes")
        return _Reader(name).profile(compose(content, "the profile"))
    except WrongYAML as wrong:
        raise SettingsError(
            wrong.of(f"the profile {name}"), hint="docs/helpdesks.md explains each key of a profile."
        ) from None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the parts of one profile; `name` is that of the file."""

    name: str

    def profile(self, node: Node) -> Profile:
        keys = _keys(
            node,
            required={"name", "verified"},
            optional={
                *("url", "key", "secret", "needs", "proved", "check_first", "page", "columns", "sheet"),
                *("auth", "headers", "session", "tickets", "detail", "text", "limits", "categories"),
            },
        )
        if "columns" not in keys:
            _refuse_missing(keys, "tickets", node)
        for scalar in scalars(node):
            if not _is_utf_8(scalar.value):
                raise WrongYAML("this text holds half a surrogate pair, which no request can hold", line_of(scalar))
        secrets = {name for scalar in scalars(node) for name in placeholders(str(scalar.value))} & _SECRETS
        session = self._session(keys["session"]) if "session" in keys else None
        known = _SECRETS | {f"session.{name}" for name in (session.keep if session else ())}
        tickets = self._tickets(keys["tickets"], known) if "tickets" in keys else NO_API
        return Profile(
            name=_text(keys["name"]),
            secrets=frozenset(secrets),
            verified=_one_of(keys["verified"], get_args(Verified)),
            tickets=tickets,
            **{key: _text(keys[key]) for key in _NOTES if key in keys},
            page=_template(keys["page"], frozenset(FIELDS)) if "page" in keys else "",
            auth=_auth(keys["auth"], known) if "auth" in keys else None,
            headers=_headers(keys["headers"], known) if "headers" in keys else {},
            session=session,
            detail=self._detail(keys["detail"], known) if "detail" in keys else None,
            text=self._text_part(keys["text"]) if "text" in keys else TextPart(),
            requests_per_minute=_requests_per_minute(keys["limits"]) if "limits" in keys else None,
            categories=self._categories(keys["categories"], known) if "categories" in keys else None,
            columns=_columns(keys["columns"]) if "columns" in keys else {},
            sheet=_text(keys["sheet"]) if "sheet" in keys else "",
        )

    def _session(self, node: Node) -> SessionStep:
        keys = _keys(node, required={"request", "keep"})
        kept = {name: self._expression(value) for name, value in pairs(keys["keep"])}
        return SessionStep(_request(keys["request"], _SECRETS), kept)

    def _tickets(self, node: Node, known: frozenset[str]) -> TicketsPart:
        keys = _keys(
            node,
            required={"request", "items", "fields"},
            optional={"paging", "filters", "total", "total_header", "error", "open", "keep", "values"},
        )
        paging = self._paging(keys["paging"], known) if "paging" in keys else Paging()
        request = _request(keys["request"], known | _OF_STYLE[paging.style] | {"filter"})
        filters = _filters(keys["filters"]) if "filters" in keys else QueryFilters()
        _refuse_missing_placeholders(keys["request"], _NEEDED_TO_PAGE.get(paging.style, frozenset()))
        optional = {key: self._expression(keys[key]) for key in ("total", "error", "open") if key in keys}
        if "keep" in keys and "open" in (kept := {_one_of(item, FILTERS) for item in elements(keys["keep"])}):
            _refuse_missing(optional, "open", keys["keep"])
        return TicketsPart(
            request=request,
            items=self._alternatives(keys["items"]),
            fields=self._fields(keys["fields"]),
            paging=paging,
            filters=filters,
            total_header=_text(keys["total_header"]) if "total_header" in keys else "",
            keep=frozenset(kept) if "keep" in keys else frozenset(),
            values=_values(keys["values"]) if "values" in keys else {},
            **optional,
        )

    def _paging(self, node: Node, known: frozenset[str]) -> Paging:
        style = _one_of(dict(pairs(node)).get("style", node), PAGING_STYLES)
        keys = _keys(
            node,
            required={"style", *_REQUIRED_OF_STYLE.get(style, ())},
            optional=_KEYS_OF_STYLE[style],
        )
        return Paging(
            style=style,
            size=_whole(keys["size"], least=1, most=_LARGEST_PAGE) if "size" in keys else 100,
            first=_whole(keys["first"], least=0, most=1) if "first" in keys else int(style == "page"),
            records=_request(keys["records"], known | {"ids"}) if "records" in keys else None,
            **{key: self._expression(keys[key]) for key in ("next", "more", "ids") if key in keys},
        )

    def _fields(self, node: Node) -> dict[str, Alternatives]:
        keys = _keys(node, required={"id"}, optional=FIELDS)
        return {name: self._alternatives(value) for name, value in keys.items()}

    def _detail(self, node: Node, known: frozenset[str]) -> DetailPart:
        keys = _keys(node, required={"request"}, optional={"values", "at_most", "error"})
        values = {name: self._expression(value) for name, value in pairs(keys["values"])} if "values" in keys else {}
        return DetailPart(
            request=_request(keys["request"], known | {"id", *values}),
            values=values,
            at_most=_whole(keys["at_most"], least=1, most=32) if "at_most" in keys else 4,
            error=self._expression(keys["error"]) if "error" in keys else None,
        )

    def _categories(self, node: Node, known: frozenset[str]) -> CategoriesPart:
        keys = _keys(node, required={"request", "items", "category"}, optional={"request_type", "separator"})
        return CategoriesPart(
            request=_request(keys["request"], known),
            items=self._alternatives(keys["items"]),
            category=self._expression(keys["category"]),
            request_type=self._expression(keys["request_type"]) if "request_type" in keys else None,
            separator=_text(keys["separator"]) if "separator" in keys else "",
        )

    def _text_part(self, node: Node) -> TextPart:
        if isinstance(node, ScalarNode):
            return TextPart(_one_of(node, get_args(TextKind)))
        keys = _keys(node, required=set(), optional={"kind", "thread"})
        return TextPart(
            kind=_one_of(keys["kind"], get_args(TextKind)) if "kind" in keys else "auto",
            thread=self._thread(keys["thread"]) if "thread" in keys else None,
        )

    def _thread(self, node: Node) -> Thread:
        keys = _keys(node, required={"messages", "body"}, optional={"is_html", "counts", "group", "at_most"})
        optional = {key: self._expression(keys[key]) for key in ("is_html", "counts", "group") if key in keys}
        return Thread(
            messages=self._expression(keys["messages"]),
            body=self._expression(keys["body"]),
            at_most=_whole(keys["at_most"], least=0, most=100) if "at_most" in keys else 5,
            is_html=optional.get("is_html"),
            counts=optional.get("counts"),
            group=optional.get("group"),
        )

    def _alternatives(self, node: Node) -> Alternatives:
        if isinstance(node, SequenceNode):
            return tuple(map(self._expression, elements(node)))
        return (self._expression(node),)

    def _expression(self, node: Node) -> Expression:
        text, line = _text(node), line_of(node)
        _refuse_placeholders(node, frozenset())
        try:
            return compile_expression(text, f"{self.name}, line {line}")
        except ValueError as error:
            raise WrongYAML(f"`{text}` is not a JMESPath expression: {error}", line) from None


_NOTES = ("url", "key", "secret", "needs", "proved", "check_first")


def _is_utf_8(text: str) -> bool:
    """Whether `text` can be sent: YAML can spell halves of surrogate pairs."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _keys(node: Node, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Node]:
    """The values of a mapping by key, all of them known. Raises WrongYAML."""
    found = dict(pairs(node))
    known = {*required, *optional}
    for key, _ in node.value:
        if key.value not in known:
            guess = get_close_matches(key.value, known, n=1)
            advice = f"did you mean '{guess[0]}'?" if guess else f"known here: {', '.join(sorted(known))}"
            raise WrongYAML(f"'{key.value}' is not known here; {advice}", line_of(key))
    for name in required:
        _refuse_missing(found, name, node)
    return found


def _refuse_missing(found: Collection[str], name: str, node: Node) -> None:
    if name not in found:
        raise WrongYAML(f"'{name}' is missing", line_of(node))


def _text(node: Node) -> str:
    if not isinstance(node, ScalarNode) or not node.value.strip():
        raise WrongYAML("expected text here", line_of(node))
    return str(node.value).strip()


def _whole(node: Node, *, least: int, most: int) -> int:
    value = value_of(node)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise WrongYAML(f"expected a whole number from {least} to {most:,} here", line_of(node))
    return value


def _one_of(node: Node, words: Collection[T]) -> T:
    text = _text(node) if isinstance(node, ScalarNode) else ""
    for word in words:
        if word == text:
            return word
    raise WrongYAML(f"expected one of {', '.join(words)} here", line_of(node))


def _request(node: Node, known: Collection[str]) -> Request:
    keys = _keys(node, required=set(), optional={"path", "method", "query", "headers", "json", "form"})
    if "json" in keys and "form" in keys:
        raise WrongYAML("a request has either 'json' or 'form'", line_of(keys["form"]))
    # A path is logged.
    public = {name for name in known if name not in _SECRETS and not name.startswith("session.")}
    path = _template(keys["path"], public) if "path" in keys else ""
    if path and not path.startswith("/"):
        raise WrongYAML("a path begins with /, and is relative to HELPDESK_API_URL", line_of(keys["path"]))
    for part in ("query", "json", "form"):
        if part in keys:
            _refuse_placeholders(keys[part], known)
    return Request(
        path=path,
        method=_one_of(keys["method"], _METHODS) if "method" in keys else "GET",
        query=_mapping(keys["query"]) if "query" in keys else {},
        headers=_headers(keys["headers"], known) if "headers" in keys else {},
        json=value_of(keys["json"]) if "json" in keys else None,
        form=_mapping(keys["form"]) if "form" in keys else {},
    )


def _mapping(node: Node) -> dict[str, Any]:
    return {name: value_of(value) for name, value in pairs(node)}


def _headers(node: Node, known: Collection[str]) -> dict[str, str]:
    return {name: _template(value, known) for name, value in pairs(node)}


def _auth(node: Node, known: Collection[str]) -> BasicAuth:
    keys = _keys(node, required={"user", "password"})
    return BasicAuth(_template(keys["user"], known), _template(keys["password"], known))


def _filters(node: Node) -> QueryFilters:
    parts = ("always", "open", "uncategorised", "since")
    keys = _keys(node, required=set(), optional={*parts, "join"})
    for part in parts:
        if part in keys:
            _refuse_placeholders(keys[part], _SINCE if part == "since" else ())
    join = str(keys["join"].value) if "join" in keys else " "
    return QueryFilters(join, **{part: value_of(keys[part]) for part in parts if part in keys})


def _values(node: Node) -> dict[str, dict[str, str]]:
    keys = _keys(node, required=set(), optional=FIELDS)
    return {field: {value: _text(word) for value, word in pairs(words)} for field, words in keys.items()}


def _columns(node: Node) -> dict[str, tuple[str, ...]]:
    keys = _keys(node, required=set(), optional=COLUMN_FIELDS)
    return {
        name: tuple(map(_text, elements(value))) if isinstance(value, SequenceNode) else (_text(value),)
        for name, value in keys.items()
    }


def _requests_per_minute(node: Node) -> int:
    keys = _keys(node, required={"requests_per_minute"})
    return _whole(keys["requests_per_minute"], least=1, most=100_000)


def _template(node: Node, known: Collection[str]) -> str:
    _refuse_placeholders(node, known)
    return _text(node)


def _refuse_placeholders(node: Node, known: Collection[str]) -> None:
    """Raises WrongYAML for a placeholder in `node` that is not among the `known` ones."""
    for scalar in scalars(node):
        for name in placeholders(str(scalar.value)):
            if name not in known:
                allowed = ", ".join(f"${{{each}}}" for each in sorted(known)) or "none"
                raise WrongYAML(
                    f"the placeholder ${{{name}}} does not belong here (allowed: {allowed})", line_of(scalar)
                )


def _refuse_missing_placeholders(node: Node, needed: Collection[str]) -> None:
    present = {name for scalar in scalars(node) for name in placeholders(str(scalar.value))}
    for name in sorted(set(needed) - present):
        raise WrongYAML(f"the request nowhere says ${{{name}}}, so every page would be the same", line_of(node))
