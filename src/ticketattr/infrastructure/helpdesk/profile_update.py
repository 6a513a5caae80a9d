"""The part `update` of a profile: how a ticket is read again and written. A note that could be public is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from typing import Any, get_args

from ruamel.yaml.nodes import Node

from ...domain.write_back import FIELDS
from ..yaml_nodes import WrongYAML, elements, line_of, pairs, scalars, value_of
from .expressions import Expression
from .placeholders import placeholders
from .profile import Lookup, NotePart, ReadPart, Request, SetPart, UpdatePart, Verified, WrittenValue
from .profile_nodes import (
    WRITING,
    alternatives_of,
    expression_of,
    keys_of,
    mapping_of,
    one_of,
    request_of,
    text_of,
    whole_number,
)

_STALE = frozenset({int(HTTPStatus.CONFLICT), int(HTTPStatus.PRECONDITION_FAILED)})
_NOTE_TEXTS = frozenset({"note", "note_html"})
_MUST_BE_TRUE = frozenset({"internal", "isinternal", "private", "isprivate", "privatenotes"})
_MUST_BE_FALSE = frozenset(
    {"public", "ispublic", "isvisibleforcustomer", "visibletocustomer", "visibleforcustomer", "customervisible"}
)
_INTERNAL_FIELDS = frozenset({"worknotes", "privatelog"})
"""Fields that only the desk sees (ServiceNow, iTop)."""
_PUBLIC_FIELDS = frozenset({"comments", "publiclog"})
_MESSAGES = ("comment", "message", "article", "reply", "followup", "publiclog", "note", "body")
_INTERNAL_PATHS = ("/REST/2.0/ticket/${id}/comment",)
"""Addresses that take comments, which only the desk sees; those for requesters have another one (Request Tracker)."""


def update_part(node: Node, known: frozenset[str], name: str) -> UpdatePart:
    """The part in `node` of the profile in the file `name`; `known` are the placeholders of all of its requests."""
    keys = keys_of(node, required={"read"}, optional={"set", "note", "tag", "values", "verified"})
    if not keys.keys() & {"set", "note", "tag"}:
        raise WrongYAML("'update' needs 'set', 'note' or 'tag'", line_of(node))
    if "note" in keys and "tag" in keys:
        raise WrongYAML("'update' has either 'note' or 'tag'", line_of(keys["tag"]))
    read = _read_part(keys["read"], known | {"id"}, name)
    of_ticket = known | {"id", "version", "origin", *read.values}
    naming = {"id", *read.values}
    note = next(
        (_note_part(keys[kind], of_ticket, naming, name, kind) for kind in ("note", "tag") if kind in keys), None
    )
    return UpdatePart(
        read=read,
        set=_set_part(keys["set"], of_ticket, naming, name) if "set" in keys else None,
        note=note,
        values=_written_values(keys["values"], known, name) if "values" in keys else {},
        verified=one_of(keys["verified"], get_args(Verified)) if "verified" in keys else "documentation",
    )


def _read_part(node: Node, known: frozenset[str], name: str) -> ReadPart:
    keys = keys_of(
        node,
        required={"request"},
        optional={"item", "fields", "open", "version", "version_header", "values", "error"},
    )
    fields = keys_of(keys["fields"], (), {"id", *FIELDS}) if "fields" in keys else {}
    return ReadPart(
        request=_naming_ticket(keys["request"], request_of(keys["request"], known), {"id"}),
        fields={field: alternatives_of(value, name) for field, value in fields.items()},
        version_header=text_of(keys["version_header"]) if "version_header" in keys else "",
        values=_expressions(keys["values"], name) if "values" in keys else {},
        **{key: expression_of(keys[key], name) for key in ("item", "open", "version", "error") if key in keys},
    )


def _set_part(node: Node, known: frozenset[str], naming: Collection[str], name: str) -> SetPart:
    keys = keys_of(node, required={"request"}, optional={"stale", "empty", "error"})
    request = _naming_ticket(keys["request"], request_of(keys["request"], known | set(FIELDS), WRITING), naming)
    for field in FIELDS:
        if field not in _placeholders_in(keys["request"]):
            raise WrongYAML(f"the request nowhere says ${{{field}}}", line_of(keys["request"]))
    return SetPart(
        request=request,
        stale=_statuses(keys["stale"]) if "stale" in keys else _STALE,
        empty=value_of(keys["empty"]) if "empty" in keys else "",
        error=expression_of(keys["error"], name) if "error" in keys else None,
    )


def _note_part(node: Node, known: frozenset[str], naming: Collection[str], name: str, kind: str) -> NotePart:
    keys = keys_of(node, required={"request", "texts"}, optional={"read", "next", "stale", "error"})
    request = _naming_ticket(keys["request"], request_of(keys["request"], known | _NOTE_TEXTS, WRITING), naming)
    if not _placeholders_in(keys["request"]) & _NOTE_TEXTS:
        raise WrongYAML("the request nowhere says ${note} or ${note_html}", line_of(keys["request"]))
    refuse = _refuse_public if kind == "note" else _refuse_message
    refuse(request, keys["request"])
    return NotePart(
        kind="note" if kind == "note" else "tag",
        request=request,
        texts=expression_of(keys["texts"], name),
        stale=_statuses(keys["stale"]) if "stale" in keys else _STALE,
        read=request_of(keys["read"], known) if "read" in keys else None,
        **{key: expression_of(keys[key], name) for key in ("next", "error") if key in keys},
    )


def _written_values(node: Node, known: frozenset[str], name: str) -> dict[str, WrittenValue]:
    return {field: _written_value(value, known, name) for field, value in keys_of(node, (), FIELDS).items()}


def _written_value(node: Node, known: frozenset[str], name: str) -> WrittenValue:
    keys = keys_of(node, (), {"lookup", "map", "longest"})
    if "lookup" in keys and "map" in keys:
        raise WrongYAML("a value is sent either by 'lookup' or by 'map'", line_of(keys["map"]))
    return WrittenValue(
        lookup=_lookup(keys["lookup"], known, name) if "lookup" in keys else None,
        map=mapping_of(keys["map"]) if "map" in keys else {},
        longest=whole_number(keys["longest"], least=1, most=1_000_000) if "longest" in keys else None,
    )


def _lookup(node: Node, known: frozenset[str], name: str) -> Lookup:
    keys = keys_of(node, required={"request", "items", "name", "id"}, optional={"error"})
    return Lookup(
        request=request_of(keys["request"], known),
        items=alternatives_of(keys["items"], name),
        name=expression_of(keys["name"], name),
        id=expression_of(keys["id"], name),
        error=expression_of(keys["error"], name) if "error" in keys else None,
    )


def _expressions(node: Node, name: str) -> dict[str, Expression]:
    return {key: expression_of(value, name) for key, value in pairs(node)}


def _statuses(node: Node) -> frozenset[int]:
    return frozenset(whole_number(each, least=400, most=499) for each in elements(node))


def _placeholders_in(node: Node) -> set[str]:
    return {name for scalar in scalars(node) for name in placeholders(str(scalar.value))}


def _naming_ticket(node: Node, request: Request, naming: Collection[str]) -> Request:
    """Raises WrongYAML for a request that would be the same for every ticket; `naming` says which ticket is meant."""
    if not _placeholders_in(node) & set(naming):
        raise WrongYAML("the request nowhere says ${id}, so every ticket would be the same", line_of(node))
    return request


def _refuse_public(request: Request, node: Node) -> None:
    """Raises WrongYAML unless the request says, in a way that is known here, that only the desk sees the note."""
    is_internal = request.path.endswith(_INTERNAL_PATHS)
    for key, value in _entries([request.json, request.form, request.query]):
        word = key.replace("_", "").replace("-", "").lower()
        wanted = True if word in _MUST_BE_TRUE else False if word in _MUST_BE_FALSE else None
        if word in _PUBLIC_FIELDS or (wanted is not None and _truth(value) is not wanted):
            raise WrongYAML(f"'{key}' would make the note public, or might: notes are internal, always", line_of(node))
        is_internal |= wanted is not None or word in _INTERNAL_FIELDS
    if not is_internal:
        raise WrongYAML(
            "nothing in this request makes the note internal (known: internal, private, is_private, private_notes: "
            "true; public, is_public, IsVisibleForCustomer: false; work_notes; the comments of Request Tracker)",
            line_of(node),
        )


def _refuse_message(request: Request, node: Node) -> None:
    """Raises WrongYAML for a tag that is a message in truth: messages reach people outside the desk."""
    words = [key.replace("_", "").lower() for key, _ in _entries([request.json, request.form, request.query])]
    if request.method == "POST" or any(word.startswith(_MESSAGES) for word in words):
        raise WrongYAML("a tag is a field of the ticket, set with PUT or PATCH; a message is a 'note'", line_of(node))


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key within `value`, with its value."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key), inner
            yield from _entries(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _entries(inner)


def _truth(value: Any) -> bool | None:
    """Whether a constant is a yes or a no; None for everything else, such as a placeholder."""
    text = str(value).strip().lower()
    return True if text in ("true", "1", "yes") else False if text in ("false", "0", "no") else None
