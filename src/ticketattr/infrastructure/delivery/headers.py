"""Header lines of a mail, written by hand, and the check of what was composed.

Python's `email` package decodes encoded words that stand in a header, and folds what it decoded. Then text from a
setting or a file name becomes further headers, and a long name loses its quotation marks (cpython 80222). So each value
is written here, as ASCII and folded, and `email` passes it on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.header import Header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses, quote

FOLD = "\r\n "
_WIDTH = 76
_MAX_LINE = 998
_LONGEST_NAME = 400
# Whatever ends a line, or hides or reverses text that follows.
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_PART_HEADERS = {"content-type", "content-transfer-encoding", "content-disposition", "mime-version"}
_HEADER_LINE = re.compile(rb"[!-9;-~]+:[ \t]?[ -~\t]*")


def one_line(text: str) -> str:
    """`text` without characters that end a line, hide text or reverse it; a space stands for each group of them."""
    return " ".join(HIDDEN.sub(" ", text).split(" "))


def write_text(name: str, text: str) -> str:
    """The value of the header `name` that shows `text`, whatever is in it."""
    text = one_line(text)
    if _is_plain(text):
        return text
    return Header(text, "utf-8", maxlinelen=_WIDTH, header_name=name).encode(linesep="\r\n")


def write_mailbox(display_name: str, address: str) -> str:
    """One address with the name of its owner."""
    name = one_line(display_name).strip()
    if not name:
        return address
    # An ASCII name is not folded: its quotation marks must not get lost, and many programs put a space between encoded
    # words that are parts of a name.
    if name.isascii() and "=?" not in name and len(name) < _LONGEST_NAME:
        written = name if _ATOMS.fullmatch(name) else f'"{quote(name)}"'
    else:
        written = Header(name, "utf-8", maxlinelen=_WIDTH, header_name="Reply-To").encode(linesep="\r\n")
    return f"{written}{FOLD if len(written) + len(address) > _WIDTH else ' '}<{address}>"


def write_addresses(addresses: Iterable[str]) -> str:
    """Addresses without names, one on each line."""
    return f",{FOLD}".join(addresses)


def problem_of(content: bytes, headers: Iterable[str], sender: str, attachments: int) -> str:
    """What is wrong with a composed mail; empty if nothing is.

    It must have exactly these `headers` in their order, one address in From, which is `sender`, and as many
    attachments. Each part has headers that describe its content, and no others.
    """
    head, _, _ = content.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    unfolded = [line for line in lines if not line.startswith((b" ", b"\t"))]
    if not all(_HEADER_LINE.fullmatch(line) for line in unfolded) or any(len(line) > _MAX_LINE for line in lines):
        return "a header contains a character that no header may contain, or is too long"
    if not content.isascii() or b"\x00" in content:
        return "it contains bytes that are not ASCII"
    mail = BytesParser(policy=compat32).parsebytes(content)
    if [name.lower() for name in mail] != [name.lower() for name in headers]:
        return "its headers are not those that it was composed with"
    if [address for _, address in getaddresses([str(mail["From"]).replace("\r\n", "")])] != [sender]:
        return "its header From does not hold the one address of the sender"
    return _problem_of_parts(mail, attachments)


def _problem_of_parts(mail: Message, attachments: int) -> str:
    parts = [part for part in mail.walk() if part is not mail]
    if any(not {name.lower() for name in part} <= _PART_HEADERS for part in parts):
        return "a part has headers that do not belong to it"
    found = sum(part.get_content_disposition() == "attachment" for part in parts)
    # The two texts; with attachments, also the part that holds both.
    expected = attachments + 3 if attachments else 2
    return "" if found == attachments and len(parts) == expected else "its parts are not those of its reports"


def _is_plain(text: str) -> bool:
    """Whether `text` may stand in a header as it is: short, ASCII, and nothing that looks like an encoded word."""
    return text.isascii() and "=?" not in text and len(text) <= _WIDTH - len("Reply-To: ")
