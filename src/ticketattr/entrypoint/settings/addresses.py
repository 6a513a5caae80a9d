"""Mail addresses as people write them: with a name before them, and with letters beyond ASCII in the domain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address

_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|[^",]+|,|"')
_NAMED = re.compile(r"([^<>]*)<([^<>]*)>")
_LONGEST = 254


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address, and the name that stands before it (empty: none)."""

    address: str
    name: str = ""


def split_mailboxes(text: str) -> list[str]:
    """The parts of `text` between commas, without empty ones. A comma in quotation marks separates nothing."""
    parts = [""]
    for piece in _PARTS.findall(text):
        if piece == ",":
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts if part.strip()]


def parse_mailbox(text: str) -> Mailbox:
    """`address`, `<address>` or `Name <address>`. Raises ValueError, which says what is wrong with it."""
    named = _NAMED.fullmatch(text.strip())
    name, address = (_unquoted(named[1].strip()), named[2].strip()) if named else ("", text.strip())
    local, _, domain = address.rpartition("@")
    if not local.isascii():
        raise ValueError("the part before the @ must be ASCII")
    address = f"{local}@{_ascii_domain(domain)}"
    # A comma separates addresses in settings, headers and lists, though a quoted part before the @ may contain one.
    if len(address) > _LONGEST or "," in address or not _is_address(address):
        raise ValueError("it is not a mail address")
    return Mailbox(address, name)


def _unquoted(name: str) -> str:
    is_quoted = len(name) > 1 and name.startswith('"') and name.endswith('"')
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if is_quoted else name


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    import idna

    try:
        return idna.encode(domain[:_LONGEST], uts46=True).decode()
    except idna.IDNAError:
        raise ValueError("its domain is not valid") from None


def _is_address(value: str) -> bool:
    try:
        address = Address(addr_spec=value)
    except (HeaderParseError, ValueError, IndexError):
        return False
    return value.isascii() and bool(address.username and address.domain)
