"""The part of CSS that decides whether a browser shows a text: inline styles, and rules with one simple selector.

Not read: rules with several selectors in a row (`td .x`), attribute selectors, and rules within `@media` and the like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

Declarations: TypeAlias = Mapping[str, str]
"""Property to value, in lower case; `!important` ones under their name with `!` before it."""

_PROPERTIES = frozenset(
    (
        "display",
        "visibility",
        "content-visibility",
        "opacity",
        "font-size",
        "font",
        "color",
        "background",
        "background-color",
        "overflow",
        "overflow-x",
        "overflow-y",
        "width",
        "max-width",
        "height",
        "max-height",
        "text-indent",
        "position",
        "left",
        "right",
        "top",
        "bottom",
        "clip",
        "clip-path",
        "white-space",
        "margin",
    )
)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.S)
_SIMPLE = re.compile(r"(?:[a-z][\w-]*|\*)?(?:[.#][\w-]+)?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
_ZERO = re.compile(r"[+-]?(?:0+(?:\.0*)?|\.0+)(?:[a-z]+|%)?")
_RGB = re.compile(r"rgba?\([ ]?(\d{1,3})[ ,]{1,4}(\d{1,3})[ ,]{1,4}(\d{1,3})(?:[ ,/]{1,4}([\d.]+%?))? ?\)")
_HEX = re.compile(r"#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})(?![\w])")
_COLOUR_NAMES = {"white": "#ffffff", "black": "#000000", "red": "#ff0000", "transparent": "transparent"}
_FAR = -999.0
_LONGEST_VALUE = 200


def declarations(style: str) -> dict[str, str]:
    """What an inline style, or the block of a rule, says about the properties that matter here."""
    found: dict[str, str] = {}
    for declaration in _COMMENT.sub("", style).lower().split(";"):
        name, _, value = declaration.partition(":")
        value, important, _ = value.partition("!important")
        if (name := name.strip()) in _PROPERTIES:
            found[f"!{name}" if important else name] = value.strip()[:_LONGEST_VALUE]
    return found


def rules(style_sheet: str) -> dict[str, dict[str, str]]:
    """Simple selector (`p`, `.x`, `p.x`, `#x`) to its declarations."""
    found: dict[str, dict[str, str]] = {}
    for selectors, block in _blocks(_COMMENT.sub("", style_sheet).replace("<!--", "").replace("-->", "")):
        known = declarations(block)
        for selector in map(str.strip, selectors.split(",")) if known else ():
            tag, mark, name = _parts(selector)
            if _SIMPLE.fullmatch(tag.lower() + mark + name):
                found.setdefault(f"{tag.lower().strip('*')}{mark}{name}", {}).update(known)
    return found


def merged(sources: Iterable[Declarations]) -> dict[str, str]:
    """What holds for an element: later sources win, `!important` ones win over all others."""
    normal: dict[str, str] = {}
    important: dict[str, str] = {}
    for source in sources:
        for name, value in source.items():
            if name.startswith("!"):
                important[name[1:]] = value
            else:
                normal[name] = value
    return normal | important


def hides(style: Declarations, *, is_block: bool) -> bool:
    """Whether an element with this style, and everything in it, is out of sight. Only a block has a height."""
    return (
        style.get("display") == "none"
        or style.get("content-visibility") == "hidden"
        or is_zero(style.get("opacity", "1"))
        or ((is_block or "display" in style) and _is_without_size(style))
        or _is_clipped(style)
        or _is_far_away(style)
    )


def is_zero(value: str) -> bool:
    return _ZERO.fullmatch(value) is not None


def font_is_zero(style: Declarations) -> bool | None:
    """Whether the text has no size; None where the style leaves the size as it is around the element."""
    size = style.get("font-size", "")
    if not size and "font" in style:
        size = next((part.partition("/")[0] for part in style["font"].split() if _NUMBER.match(part)), "")
    if not size or size in ("inherit", "larger", "smaller"):
        return None
    if is_zero(size):
        return True
    return None if size.endswith(("%", "em")) and not size.endswith("rem") else False


def colour(value: str) -> str:
    """A colour as `#rrggbb` or `transparent`; empty for a value that is none, or that cannot be compared."""
    if "url(" in value or "gradient" in value:
        return ""
    if found := _RGB.search(value):
        red, green, blue, alpha = found.groups()
        if alpha is not None and is_zero(alpha):
            return "transparent"
        return f"#{int(red) % 256:02x}{int(green) % 256:02x}{int(blue) % 256:02x}"
    if found_hex := _HEX.search(value):
        digits = found_hex.group()[1:]
        digits = "".join(digit * 2 for digit in digits) if len(digits) < 6 else digits
        return "transparent" if digits[6:] == "00" else f"#{digits[:6]}"
    return next((_COLOUR_NAMES[word] for word in value.split() if word in _COLOUR_NAMES), "")


def _blocks(css: str) -> Iterator[tuple[str, str]]:
    """The selectors and the content of each rule outside of @-blocks."""
    depth, start, selectors = 0, 0, ""
    for brace in re.finditer("[{};]", css):
        if brace.group() == "{":
            if depth == 0:
                selectors, start = css[start : brace.start()].strip(), brace.end()
            depth += 1
        elif brace.group() == "}" and depth:
            depth -= 1
            if depth == 0:
                if not selectors.startswith("@"):
                    yield selectors, css[start : brace.start()]
                start = brace.end()
        elif depth == 0:  # the end of an @import, or what belongs to nothing
            start = brace.end()


def _parts(selector: str) -> tuple[str, str, str]:
    for mark in ("#", "."):
        if mark in selector:
            return selector.partition(mark)
    return selector, "", ""


def _is_clipped(style: Declarations) -> bool:
    if re.match(r"rect\(\s*0", style.get("clip", "")) and style.get("position") in ("absolute", "fixed"):
        return True
    return re.match(r"inset\(\s*(50|100)%", style.get("clip-path", "")) is not None


def _is_without_size(style: Declarations) -> bool:
    overflow = " ".join(style.get(name, "") for name in ("overflow", "overflow-x", "overflow-y"))
    sizes = (style.get(name, "") for name in ("width", "max-width", "height", "max-height"))
    return ("hidden" in overflow or "clip" in overflow) and any(map(is_zero, sizes))


def _is_far_away(style: Declarations) -> bool:
    moved = ["text-indent"]
    if style.get("position") in ("absolute", "fixed"):
        moved += ["left", "right", "top", "bottom"]
    return any(_pixels(style.get(name, "")) <= _FAR for name in moved)


def _pixels(value: str) -> float:
    number = _NUMBER.match(value)
    if not number:
        return 0.0
    return float(number.group()) * (16 if value.endswith("em") else 1)
