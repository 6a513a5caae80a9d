"""Parts of profiles that several of their sections have, read out of YAML nodes. All raise WrongYAML with the line."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, TypeVar

from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from ..yaml_nodes import WrongYAML, elements, line_of, pairs, scalars, value_of
from .expressions import Expression, compile_expression
from .placeholders import placeholders
from .profile import Alternatives, Request

SECRETS = frozenset({"key", "secret"})
"""The placeholders of the two secrets."""

READING = ("GET", "POST")
"""The methods of requests that change nothing."""
WRITING = ("POST", "PUT", "PATCH")
"""The methods of requests that change a ticket."""

T = TypeVar("T", bound=str)


def keys_of(node: Node, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Node]:
    """The values of a mapping by key, all of them known. Raises WrongYAML."""
    found = dict(pairs(node))
    known = {*required, *optional}
    for key, _ in node.value:
        if key.value not in known:
            guess = get_close_matches(key.value, known, n=1)
            advice = f"did you mean '{guess[0]}'?" if guess else f"known here: {', '.join(sorted(known))}"
            raise WrongYAML(f"'{key.value}' is not known here; {advice}", line_of(key))
    for name in required:
        refuse_missing(found, name, node)
    return found


def refuse_missing(found: Collection[str], name: str, node: Node) -> None:
    """Raises WrongYAML if the key `name` is not among those `found` in `node`."""
    if name not in found:
        raise WrongYAML(f"'{name}' is missing", line_of(node))


def text_of(node: Node) -> str:
    """A text that is not empty."""
    if not isinstance(node, ScalarNode) or not node.value.strip():
        raise WrongYAML("expected text here", line_of(node))
    return str(node.value).strip()


def whole_number(node: Node, *, least: int, most: int) -> int:
    """A whole number from `least` to `most`."""
    value = value_of(node)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise WrongYAML(f"expected a whole number from {least} to {most:,} here", line_of(node))
    return value


def one_of(node: Node, words: Collection[T]) -> T:
    text = text_of(node) if isinstance(node, ScalarNode) else ""
    for word in words:
        if word == text:
            return word
    raise WrongYAML(f"expected one of {', '.join(words)} here", line_of(node))


def request_of(node: Node, known: Collection[str], methods: Collection[str] = READING) -> Request:
    """A request by one of `methods`, with placeholders that are `known`; only those without secrets in its path."""
    required = set() if "GET" in methods else {"method"}
    keys = keys_of(node, required, optional={"path", "method", "query", "headers", "json", "form"})
    if "json" in keys and "form" in keys:
        raise WrongYAML("a request has either 'json' or 'form'", line_of(keys["form"]))
    # A path is logged.
    public = {name for name in known if name not in SECRETS and not name.startswith("session.")}
    path = template_of(keys["path"], public) if "path" in keys else ""
    if path and not path.startswith("/"):
        raise WrongYAML("a path begins with /, and is relative to HELPDESK_API_URL", line_of(keys["path"]))
    for part in ("query", "json", "form"):
        if part in keys:
            refuse_placeholders(keys[part], known)
    return Request(
        path=path,
        method=one_of(keys["method"], methods) if "method" in keys else "GET",
        query=mapping_of(keys["query"]) if "query" in keys else {},
        headers=headers_of(keys["headers"], known) if "headers" in keys else {},
        json=value_of(keys["json"]) if "json" in keys else None,
        form=mapping_of(keys["form"]) if "form" in keys else {},
    )


def mapping_of(node: Node) -> dict[str, Any]:
    """A mapping, with its values as they are."""
    return {name: value_of(value) for name, value in pairs(node)}


def headers_of(node: Node, known: Collection[str]) -> dict[str, str]:
    """Headers, with placeholders that are `known`."""
    return {name: template_of(value, known) for name, value in pairs(node)}


def alternatives_of(node: Node, name: str) -> Alternatives:
    """One expression, or a list of them, in the file `name`."""
    if isinstance(node, SequenceNode):
        return tuple(expression_of(each, name) for each in elements(node))
    return (expression_of(node, name),)


def expression_of(node: Node, name: str) -> Expression:
    """The JMESPath expression in `node`, in the file `name`."""
    text, line = text_of(node), line_of(node)
    refuse_placeholders(node, frozenset())
    try:
        return compile_expression(text, f"{name}, line {line}")
    except ValueError as error:
        raise WrongYAML(f"`{text}` is not a JMESPath expression: {error}", line) from None


def template_of(node: Node, known: Collection[str]) -> str:
    """A text with placeholders that are `known`."""
    refuse_placeholders(node, known)
    return text_of(node)


def refuse_placeholders(node: Node, known: Collection[str]) -> None:
    """Raises WrongYAML for a placeholder in `node` that is not among the `known` ones."""
    for scalar in scalars(node):
        for name in placeholders(str(scalar.value)):
            if name not in known:
                allowed = ", ".join(f"${{{each}}}" for each in sorted(known)) or "none"
                raise WrongYAML(
                    f"the placeholder ${{{name}}} does not belong here (allowed: {allowed})", line_of(scalar)
                )


def refuse_missing_placeholders(node: Node, needed: Collection[str]) -> None:
    """Raises WrongYAML if the request in `node` lacks a placeholder that pages need."""
    present = {name for scalar in scalars(node) for name in placeholders(str(scalar.value))}
    for name in sorted(set(needed) - present):
        raise WrongYAML(f"the request nowhere says ${{{name}}}, so every page would be the same", line_of(node))
