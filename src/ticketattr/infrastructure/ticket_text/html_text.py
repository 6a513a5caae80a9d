"""The text that a browser shows for a piece of HTML, as plain text.

- Paragraphs, list items and table rows become lines; cells of a row are separated by a tab; items get `-` or a number.
- A link is followed by its address in brackets where its text does not say it.
- A picture that is part of the text (`data:`, `cid:`) becomes `[picture]`.
- What a browser hides is left out: comments, style, script, `hidden`, `display: none`, `visibility: hidden`, text
  without size, without opacity or in the colour of what is behind it, clipped or moved out of sight.
- `<details>` is open, because a reader can open it.

Unclosed and wrongly nested tags are repaired as the HTML Living Standard says (13.2.6), as far as it decides what is
hidden. Nothing here is recursive: text is kept at any depth, and the time is linear.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from . import css
from .html_tokens import EndTag, StartTag, StyleSheet, Text, Token, tokens
from .lines import PICTURE, Lines

_VOID = frozenset(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6".split())
_CLOSES_PARAGRAPH = _HEADINGS | frozenset(
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer form "
    "header hgroup hr li listing main menu nav ol p plaintext pre search section summary table ul xmp".split()
)
_MARKERS = frozenset("applet caption html marquee object table td template th".split())
_SPECIAL = (
    _CLOSES_PARAGRAPH
    | _MARKERS
    | frozenset(
        "body button colgroup head iframe noembed noframes noscript select tbody textarea tfoot thead tr".split()
    )
)
_LISTS = frozenset("ol ul menu dir".split())
_TABLE_PARTS = frozenset("caption colgroup thead tbody tfoot tr td th".split())
_ONLY_ONE = frozenset("body form html".split())
_ITEMS = {"li": ("li",), "dd": ("dd", "dt"), "dt": ("dd", "dt")}
_MOVED = "#moved"
_SECTIONS = frozenset("caption colgroup thead tbody tfoot".split())
_NEVER_SHOWN = frozenset("template datalist audio video canvas rp annotation annotation-xml".split())
_NOT_DRAWN = frozenset("defs desc metadata symbol".split())
_FOREIGN = frozenset(("svg", "math"))
_LEAVES_FOREIGN = (_FORMATTING - {"a"}) | frozenset(
    "blockquote body br center dd div dl dt embed h1 h2 h3 h4 h5 h6 head hr img li listing menu meta ol p pre ruby "
    "span sub sup table ul var".split()
)
_TABLE_CONTEXT = frozenset("table thead tbody tfoot tr colgroup".split())
_LINES = _CLOSES_PARAGRAPH | _SECTIONS - {"colgroup"} | frozenset("body html optgroup option tr".split())
_SPACED = frozenset("p h1 h2 h3 h4 h5 h6".split())
_KEEPS_SPACE = frozenset("pre listing xmp plaintext textarea".split())
_SHOWN_ADDRESS = re.compile(r"(?:https?|ftp|mailto|tel):", re.I)
_LONGEST_ADDRESS = 300
_INLINE_PICTURE = ("data:", "cid:", "blob:")


def html_text(source: str) -> str:
    """The text that a browser shows for `source`."""
    read = list(tokens(source))
    page = _Page(_styles(read))
    for token in read:
        match token:
            case Text(text):
                page.write(text)
            case StartTag(name, attributes, is_self_closing):
                page.start("img" if name == "image" else name, attributes)
                if is_self_closing and name in _FOREIGN:
                    page.end(name)
            case EndTag(name):
                page.end(name)
    page.close_all()
    return page.lines.text()


def _styles(read: Iterable[Token]) -> dict[str, dict[str, str]]:
    styles: dict[str, dict[str, str]] = {}
    for token in read:
        if isinstance(token, StyleSheet):
            for selector, declarations in css.rules(token.css).items():
                styles.setdefault(selector, {}).update(declarations)
    return styles


@dataclass(slots=True, eq=False)
class _Element:
    """An open element. `values` are the inherited properties that it sets."""

    name: str
    is_hidden: bool = False
    values: Mapping[str, object] = field(default_factory=dict)
    address: str = ""
    number: int = 0
    line_breaks: int = 0
    indents: bool = False
    suspended: int = 0
    is_closed: bool = False
    written_before: int = 0


class _OpenElements:
    """The stack of open elements, which knows where the last element of each name and kind is."""

    def __init__(self) -> None:
        self.stack: list[_Element] = []
        self._places: dict[str, list[int]] = {}

    def push(self, element: _Element) -> None:
        for kind in _kinds(element.name):
            self._places.setdefault(kind, []).append(len(self.stack))
        self.stack.append(element)

    def pop(self) -> _Element:
        element = self.stack.pop()
        if not element.is_closed:
            for kind in _kinds(element.name):
                self._places[kind].pop()
        return element

    def last(self, kind: str) -> int:
        """The place of the last open element of that name or kind; -1: there is none."""
        places = self._places.get(kind)
        return places[-1] if places else -1

    def take_out(self, place: int) -> _Element:
        """Close the element at `place`, and leave open what is in it."""
        element = self.stack[place]
        for kind in _kinds(element.name):
            places = self._places[kind]
            del places[bisect_left(places, place)]
        return element


def _kinds(name: str) -> tuple[str, ...]:
    return _KINDS.get(name) or (name,)


def _kinds_of(name: str) -> tuple[str, ...]:
    kinds = [name]
    if name in _SPECIAL:
        kinds.append("#special")
        if name not in ("address", "div", "p", "li", "dd", "dt"):
            kinds.append("#ends the search for an item")
    if name in _MARKERS:
        kinds.append("#scope")
    if name in _MARKERS or name == "button":
        kinds.append("#button scope")
    if name in _HEADINGS:
        kinds.append("#heading")
    return tuple(kinds)


_KINDS = {name: _kinds_of(name) for name in _SPECIAL}


class _Page:
    """What has been read of a document: the open elements, and the lines of text so far."""

    def __init__(self, styles: Mapping[str, Mapping[str, str]]) -> None:
        self.lines = Lines()
        self._styles = styles
        self._open = _OpenElements()
        self._hiding = 0
        self._inherited: dict[str, list[tuple[_Element, object]]] = {}
        # A style sheet may colour what is behind a text by rules that are not read.
        colours = any("background" in name for style in styles.values() for name in style)
        self._page_colour = "" if colours else "#ffffff"

    # What is shown

    def write(self, text: str) -> None:
        if not text.isspace() and self._is_in_table():
            # A browser moves it before the table: hiding the table does not hide it.
            self.start(_MOVED, {})
            self.write(text)
            self._close_to(len(self._open.stack) - 1)
        elif self._is_shown():
            self.lines.write(text, keep_space=bool(self._value("pre")))

    def _is_shown(self) -> bool:
        if self._hiding or any(self._value(name) for name in ("invisible", "no size", "drawing")):
            return False
        text_colour = self._value("colour")
        if not text_colour:
            return True
        return text_colour not in ("transparent", self._value("behind") or self._page_colour)

    def _value(self, name: str) -> object:
        setters = self._inherited.get(name)
        while setters and setters[-1][0].is_closed:
            setters.pop()
        return setters[-1][1] if setters else None

    def _is_in_table(self) -> bool:
        return bool(self._open.stack) and self._open.stack[-1].name in _TABLE_CONTEXT

    def _move_before_table(self, element: _Element) -> None:
        """Free an element that is misplaced in a table from what the table and its parts say."""
        parts = self._open.stack[self._open.last("table") :]
        element.suspended = sum(part.is_hidden for part in parts)
        outer: dict[str, object] = {}
        for name in {name for part in parts for name in part.values}:
            setters = self._inherited[name]
            others = (value for setter, value in reversed(setters) if not setter.is_closed and setter not in parts)
            outer[name] = next(others, None)
        element.values = {**outer, **element.values}

    # Tags

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._is_ignored(name):
            return
        self._close_implied(name)
        if name == "br" and not attributes:
            self._write_void(name, attributes)
            return
        style = self._style(name, attributes)
        element = _Element(name, _is_hidden(name, attributes, style, self._open), _inherited(name, attributes, style))
        if name in _VOID:
            if not element.is_hidden:
                self._write_void(name, attributes)
            return
        element.line_breaks = _line_breaks(name, attributes, style)
        element.number = _integer(attributes.get("start", "1")) if name == "ol" else 0
        if name not in _TABLE_PARTS and self._is_in_table():
            self._move_before_table(element)
        self._push(element)
        self._begin(element, attributes)

    def end(self, name: str) -> None:
        if name in ("br", "p"):
            self._leave_drawing()
        if name == "br":
            self._write_void("br", {})
        elif name == "p" and self._open.last("p") <= self._open.last("#button scope"):
            if self._is_shown():
                self.lines.break_line(2)
        elif name in _FORMATTING:
            self._end_formatting(name, self._open.last(name))
        elif name not in ("body", "html") and name not in _VOID:
            self._end_ordinary(name)

    def _end_ordinary(self, name: str) -> None:
        place = self._open.last("#heading" if name in _HEADINGS else name)
        if name == "table" or name in _TABLE_PARTS:
            barrier = self._open.last("table") - (name == "table")
        else:
            barrier = self._open.last("#scope" if name in _SPECIAL else "#special") - (name in _MARKERS)
        if place < 0 or place <= barrier:
            return
        if name == "form":
            self._close(self._open.take_out(place))
        else:
            self._close_to(place)

    def close_all(self) -> None:
        while self._open.stack:
            self._close(self._open.pop())

    # The repair of wrong nesting

    def _is_ignored(self, name: str) -> bool:
        if name in _TABLE_PARTS:
            return self._open.last("table") < 0
        if name == "form" and self._is_in_table():
            return True
        return name in ("frame", "frameset", "head") or (name in _ONLY_ONE and self._open.last(name) >= 0)

    def _close_implied(self, name: str) -> None:
        """Close what cannot go on where an element of that name begins."""
        if name in _LEAVES_FOREIGN:
            self._leave_drawing()
        if name in _TABLE_PARTS:
            self._close_for_table_part(name)
            return
        last = self._open.last
        if name == "table" and last("table") > max(last("td"), last("th"), last("caption")):
            self._close_to(last("table"))
        if name in _CLOSES_PARAGRAPH and last("p") > last("#button scope"):
            self._close_to(last("p"))
        items = _ITEMS.get(name, ())
        if items and (place := max(map(last, items))) > last("#ends the search for an item"):
            self._close_to(place)
        self._close_same(name)

    def _close_same(self, name: str) -> None:
        """Close an element that may not hold another one of its kind."""
        if self._open.stack:
            top = self._open.stack[-1].name
            if (name in _HEADINGS and top in _HEADINGS) or (name in ("option", "optgroup") and top == "option"):
                self._close_to(len(self._open.stack) - 1)
        place = self._open.last(name)
        if name in ("a", "nobr"):
            self._end_formatting(name, place)
        elif name == "button" and place > self._open.last("#scope"):
            self._close_to(place)

    def _leave_drawing(self) -> None:
        drawing = max(map(self._open.last, _FOREIGN))
        if drawing > max(self._open.last("#scope"), self._open.last("foreignobject")):
            self._close_to(drawing)

    def _close_for_table_part(self, name: str) -> None:
        table = self._open.last("table")
        ended = {"td": ("td", "th", "caption"), "th": ("td", "th", "caption"), "tr": ("tr", "caption")}
        for part in ended.get(name, ("caption", "colgroup", "thead", "tbody", "tfoot", "tr")):
            if (place := self._open.last(part)) > table:
                self._close_to(place)
        context = max(self._open.last(part) for part in _TABLE_CONTEXT)
        if len(self._open.stack) > context + 1:
            self._close_to(context + 1)

    def _end_formatting(self, name: str, place: int) -> None:
        if place < 0 or place < self._open.last("#scope"):
            return
        if place > self._open.last("#special"):
            self._close_to(place)
        else:
            self._close(self._open.take_out(place))

    def _close_to(self, place: int) -> None:
        """Close the element at `place`. Formatting that it cut off goes on behind it, as in a browser."""
        target = self._open.stack[place]
        cut_off: dict[str, _Element] = {}
        while len(self._open.stack) > place:
            element = self._open.pop()
            if element.is_closed:
                continue
            if element is not target and element.name in _FORMATTING and (element.is_hidden or element.values):
                cut_off.setdefault(element.name, element)
            self._close(element)
        if target.name not in _MARKERS:
            for name, cut in reversed(cut_off.items()):
                self._push(_Element(name, cut.is_hidden, cut.values))

    def _push(self, element: _Element) -> None:
        self._open.push(element)
        self._hiding += element.is_hidden - element.suspended
        for name, value in element.values.items():
            self._inherited.setdefault(name, []).append((element, value))

    def _close(self, element: _Element) -> None:
        self._finish(element)
        element.is_closed = True
        self._hiding -= element.is_hidden - element.suspended

    # What tags look like

    def _style(self, name: str, attributes: Mapping[str, str]) -> dict[str, str]:
        sources: list[Mapping[str, str]] = []
        if self._styles:
            classes = attributes.get("class", "").split()
            selectors = ["", name, *(f".{part}" for part in classes), *(f"{name}.{part}" for part in classes)]
            if identity := attributes.get("id"):
                selectors += [f"#{identity}", f"{name}#{identity}"]
            sources = [self._styles[selector] for selector in selectors if selector in self._styles]
        if inline := attributes.get("style"):
            sources.append(css.declarations(inline))
        return css.merged(sources)

    def _begin(self, element: _Element, attributes: Mapping[str, str]) -> None:
        if not self._is_shown():
            return
        name = element.name
        if element.line_breaks:
            self.lines.break_line(element.line_breaks)
        if name in ("td", "th"):
            self.lines.next_cell()
        elif name == "tr":
            self.lines.first_cell()
        elif name in _LISTS:
            element.indents = True
            self.lines.indent(1)
        elif name == "li":
            self.lines.mark(self._item_mark())
        elif name == "a":
            element.address = attributes.get("href", "").strip()
            element.written_before = self.lines.length

    def _finish(self, element: _Element) -> None:
        if element.indents:
            self.lines.indent(-1)
        if not self._is_shown():
            return
        if element.address:
            self._write_address(element)
        if element.name in ("td", "th"):
            self.lines.end_cell()
        elif element.line_breaks:
            self.lines.break_line(element.line_breaks)

    def _item_mark(self) -> str:
        place = max(self._open.last(name) for name in _LISTS)
        if place < 0 or self._open.stack[place].name != "ol":
            return "- "
        element = self._open.stack[place]
        element.number += 1
        return f"{element.number - 1}. "

    def _write_void(self, name: str, attributes: Mapping[str, str]) -> None:
        if not self._is_shown():
            return
        if name == "br":
            self.lines.new_line()
        elif name == "hr":
            self.lines.break_line(1)
        elif name == "img" and attributes.get("src", "").strip().lower().startswith(_INLINE_PICTURE):
            self.lines.write(f" {PICTURE} ")

    def _write_address(self, element: _Element) -> None:
        address = element.address
        if not _SHOWN_ADDRESS.match(address):
            return
        bare = _bare(address)
        if bare and bare not in _bare(self.lines.tail(element.written_before)):
            shown = address if len(address) <= _LONGEST_ADDRESS else f"{address[:_LONGEST_ADDRESS]}…"
            self.lines.write(f" ({shown}) ")


def _bare(address: str) -> str:
    """`address` without what a text that shows it leaves out."""
    address = re.sub(r"^(?:https?://|ftp://|mailto:|tel:)(?:www\.)?", "", address.strip().lower())
    return address.partition("?")[0].rstrip("/") if "@" in address else address.rstrip("/")


def _is_hidden(name: str, attributes: Mapping[str, str], style: Mapping[str, str], opened: _OpenElements) -> bool:
    if name in _NEVER_SHOWN or (name in _NOT_DRAWN and opened.last("svg") >= 0):
        return True
    if name == "dialog" and "open" not in attributes:
        return True
    if "hidden" in attributes and not style.get("display"):
        return True
    return css.hides(style, is_block=name in _LINES)


def _inherited(name: str, attributes: Mapping[str, str], style: Mapping[str, str]) -> dict[str, object]:
    """The inherited properties that the element sets, as far as they decide what is shown."""
    values: dict[str, object] = {}
    if style.get("visibility") in ("hidden", "collapse", "visible"):
        values["invisible"] = style["visibility"] != "visible"
    size = css.font_is_zero(style)
    if size is not None or name == "button":
        values["no size"] = bool(size)
    if name in ("svg", "text", "foreignobject"):
        values["drawing"] = name == "svg"
    if name in _KEEPS_SPACE or "white-space" in style:
        values["pre"] = style.get("white-space", "pre").startswith(("pre", "break-spaces"))
    return {**values, **_colours(name, attributes, style)}


def _colours(name: str, attributes: Mapping[str, str], style: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    given = style.get("color") or (attributes.get("color", "").lower() if name == "font" else "")
    if given and given != "inherit":
        values["colour"] = css.colour(given)
    behind = style.get("background-color") or style.get("background") or attributes.get("bgcolor", "").lower()
    if "background" in attributes:
        values["behind"] = "unknown"
    elif behind and css.colour(behind) != "transparent" and behind not in ("none", "inherit", "initial"):
        values["behind"] = css.colour(behind) or "unknown"
    return values


def _line_breaks(name: str, attributes: Mapping[str, str], style: Mapping[str, str]) -> int:
    if name in _SPACED:
        is_tight = css.is_zero(style.get("margin", "").partition(" ")[0]) or "Mso" in attributes.get("class", "")
        return 1 if is_tight else 2
    return 1 if name in _LINES else 0


def _integer(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 1
