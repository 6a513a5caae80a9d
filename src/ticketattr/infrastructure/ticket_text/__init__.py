"""The text of a ticket as a person reads it, whatever form the helpdesk keeps it in.

Text is taken for HTML when one of these holds, and stays as it is otherwise:

- it begins with a tag of HTML or a comment, and ends with one, or has more tags of HTML than other `<`;
- it contains `<br>`, a comment, a pair of tags such as `<b>…</b>`, a tag with an attribute such as `<div class="x">`,
  or begins with a block such as `<p>` and text right behind it; and nowhere is a `<` that begins neither a tag of HTML
  nor a comment. Programs that write HTML escape such a `<`.

So `<user>`, `a < b`, `<ann@example.com>` and XML stay. Text without any `<` or `>` in which each `&` begins an entity
was escaped once more by a program: its entities are decoded, and what comes out is looked at again. What comes out of
HTML is HTML itself only if all of it is, and if it was no code: `<p>Write &lt;b&gt;x&lt;/b&gt;</p>` shows tags.
"""

from __future__ import annotations

import re
from typing import Any

from .adf import adf_text, is_adf, parse_adf
from .html_text import html_text
from .html_tokens import decode_entities
from .lines import PICTURE

_MOST_LAYERS = 4
_ELEMENTS = (
    "a abbr acronym address article aside b base big blockquote body br button caption center cite code "
    "col colgroup dd del details dfn dir div dl dt em fieldset figcaption figure font footer form h1 h2 "
    "h3 h4 h5 h6 head header hr html i iframe img input ins kbd label legend li link main map mark menu "
    "meta nav noscript object ol optgroup option p pre q s samp script section select small span strike "
    "strong style sub summary sup svg table tbody td template textarea tfoot th thead title tr tt u ul "
    "var video wbr xmp listing "
).split()
_NAMES = "|".join(sorted(_ELEMENTS, key=len, reverse=True))
_BEGINS_WITH_BLOCK = re.compile(r"\s*<(?:p|div|html|body|table|ul|ol|blockquote|pre|h[1-6])>(?=[^\s])", re.I)
_OFFICE = r"(?:o|v|w|x|m|st1):[a-zA-Z]\w*"
_TAG = re.compile(rf"<(?P<end>/?)(?P<name>(?:{_NAMES}|{_OFFICE})(?=[\s/>]))(?P<rest>[^<>]*)(?P<closed>>?)", re.I)
_COMMENT = re.compile(r"<(?:!--|!doctype\b|!\[|\?xml\b)", re.I)
_CUT_OFF = re.compile(r"</?[a-zA-Z]{0,10}\Z")
_CODE = re.compile(r"<(?:pre|code|xmp|textarea|samp|kbd)\b", re.I)
_ATTRIBUTE = re.compile(r"\s[a-zA-Z][\w:.-]*\s?=\s?[\"'\w#]")
_ENTITY = re.compile("&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]+);")
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w=.-]+)*,[^\s\"'<>()\[\]{}]{64,}", re.I)


def ticket_text(value: Any) -> str | None:
    """The text in `value`: plain text, HTML, escaped HTML, a document of Jira (ADF), or `{contentType, content}`.

    Returns None for a value that is none of these.
    """
    if isinstance(value, dict):
        if is_adf(value):
            return adf_text(value)
        content = value.get("content", value.get("Content"))
        return ticket_text(content) if isinstance(content, str) else None
    if not isinstance(value, str):
        return None
    document = parse_adf(value)
    return adf_text(document) if document else _plain(value)


def looks_like_html(text: str) -> bool:
    """Whether `text` is taken for HTML. The rule stands at the top of this module."""
    if "<" not in text or not _is_markup(text):
        return False
    known, bare = _count_tags(text)
    return not bare or (_begins_with_tag(text) and (_ends_with_tag(text) or known > bare))


def _plain(text: str) -> str:
    is_code = False
    for layer in range(_MOST_LAYERS):
        if looks_like_html(text) and (layer == 0 or (_begins_with_tag(text) and _ends_with_tag(text))) and not is_code:
            is_code = bool(_CODE.search(text))
            text = html_text(text)
        elif _is_escaped(text) and not is_code:
            text = decode_entities(text).replace("\u00a0", " ").strip()
        else:
            break
    return _DATA_URL.sub(PICTURE, text) if "data:" in text or "DATA:" in text else text


def _begins_with_tag(text: str) -> bool:
    text = text.lstrip()
    return bool(_TAG.match(text) or _COMMENT.match(text))


def _ends_with_tag(text: str) -> bool:
    text = text.rstrip()
    last = _TAG.match(text, text.rfind("<"))
    return text.endswith("-->") or bool(last and last["closed"] and last.end() == len(text))


def _is_markup(text: str) -> bool:
    """Whether there is a tag that only HTML has: `<br>`, one with an attribute, or one that is closed later."""
    if _COMMENT.search(text) or _BEGINS_WITH_BLOCK.match(text):
        return True
    opened: set[str] = set()
    for tag in _TAG.finditer(text):
        name = tag["name"].lower()
        if tag["end"]:
            if name in opened:
                return True
        elif name in ("br", "hr", "wbr") or _ATTRIBUTE.match(tag["rest"]):
            return True
        else:
            opened.add(name)
    return False


def _count_tags(text: str) -> tuple[int, int]:
    """How many `<` begin a tag of HTML or a comment, and how many do not. One that the end cuts off counts for none."""
    known = bare = 0
    at = text.find("<")
    while at >= 0:
        tag = _TAG.match(text, at)
        end = tag.end() if tag else at + 1
        if text.startswith("<!--", at):
            closing = text.find("-->", at)
            end = closing if closing >= 0 else len(text)
        if tag or _COMMENT.match(text, at):
            known += 1
        elif not _CUT_OFF.match(text, at):
            bare += 1
        at = text.find("<", end)
    return known, bare


def _is_escaped(text: str) -> bool:
    if "&" not in text or "<" in text or ">" in text:
        return False
    return text.count("&") == sum(1 for _ in _ENTITY.finditer(text))


__all__ = ["PICTURE", "looks_like_html", "ticket_text"]
