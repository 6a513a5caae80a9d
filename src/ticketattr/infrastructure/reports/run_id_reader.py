"""Finds the id of the run that a workbook names, whichever program saved the workbook.

A report names its run twice: in a custom property of the document, and in the sheet `Summary`. Excel and LibreOffice
keep both. Google Sheets drops all properties of a document. Other programs choose other XML prefixes, other names of
parts, and the namespaces of Strict Open XML. So parts are found by their relationships, and elements by their names
without a namespace.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError, iterparse  # nosec B405  # see _is_plain

from ...domain.run_id import is_run_id
from ..words import LANGUAGES, words

RUN_ID_PROPERTY = "run_id"
"""The custom document property with the id of the run."""
WORKBOOK_PART = "xl/workbook.xml"

_PROPERTIES_PART = "docProps/custom.xml"
# Bytes of one part. A summary of a catalog of 10,000 request types needs about half of them, and its texts come first.
_MAX_PART = 128 * 1024
_MAX_SHEET = 4 * 1024 * 1024
_MAX_TEXTS = 16 * 1024 * 1024
_MAX_ROWS = 50_000
_ENCODING = re.compile(rb"""encoding\s{0,9}=\s{0,9}["']([^"']{0,40})""")


def find_run_id(workbook: zipfile.ZipFile) -> str:
    """The id of the run that the workbook names, or empty. XML that is damaged or too large names none.

    Raises what zipfile raises about damaged bytes.
    """
    named = _run_id_of_properties(workbook)
    return _run_id_of_summary(workbook) if named is None else named


def first_cells(workbook: zipfile.ZipFile, sheet: str, most: int) -> list[str]:
    """The first text of each of the first `most` rows of that sheet; none if there is no such sheet.

    Raises what zipfile raises about damaged bytes.
    """
    book = workbook_part(workbook)
    part = dict(reversed(_sheets(workbook, book))).get(sheet, "")
    rows = islice(_elements(workbook, part, _MAX_SHEET, "row"), most)
    cells = [next(filter(lambda cell: cell[1], map(_cell, row)), ("", "")) for row in rows]
    texts = _shared_texts(workbook, book, {int(text) for kind, text in cells if kind == "s"})
    return [texts.get(int(text), "") if kind == "s" else text for kind, text in cells]


def workbook_part(workbook: zipfile.ZipFile) -> str:
    """The name of the part that lists the sheets; empty if the archive has none."""
    names = set(workbook.namelist())
    targets = _targets(workbook, "", "officeDocument")
    return next((name for name in (*targets.values(), WORKBOOK_PART) if name in names), "")


def _run_id_of_properties(workbook: zipfile.ZipFile) -> str | None:
    """None if there is no such property; empty if its value is not the id of a run."""
    names = set(workbook.namelist())
    targets = _targets(workbook, "", "custom-properties", "customProperties")
    part = next((name for name in (*targets.values(), _PROPERTIES_PART) if name in names), "")
    for element in _elements(workbook, part, _MAX_PART, "property"):
        if element.get("name") == RUN_ID_PROPERTY:
            value = "".join(text for child in element for text in child.itertext())
            return value if is_run_id(value) else ""
    return None


def _run_id_of_summary(workbook: zipfile.ZipFile) -> str:
    """The id in the cell to the right of the label. Both texts may stand in the table of shared texts."""
    book = workbook_part(workbook)
    listed = _sheets(workbook, book)
    # A person may rename the sheet, which stays the first one.
    named = dict(reversed(listed))
    part = next(filter(None, map(named.get, _in_each_language("Summary"))), next((part for _, part in listed), ""))
    pairs = list(_pairs(workbook, part))
    labels = _in_each_language("run")
    shared = {int(text) for pair in pairs for kind, text in pair if kind == "s"}
    texts = _shared_texts(workbook, book, shared)
    spelled = ([texts.get(int(text), "") if kind == "s" else text for kind, text in pair] for pair in pairs)
    return next((value for label, value in spelled if label.strip() in labels and is_run_id(value)), "")


def _in_each_language(english: str) -> list[str]:
    """The name of a sheet, or the label of a fact, in each language of reports."""
    return [words(language).text(english) for language in LANGUAGES]


def _sheets(workbook: zipfile.ZipFile, book: str) -> list[tuple[str, str]]:
    """Name and part of each sheet, in their order."""
    sheets = _targets(workbook, book, "worksheet")
    return [
        (sheet.get("name", ""), sheets.get(_attribute(sheet, "id"), ""))
        for sheet in _elements(workbook, book, _MAX_PART, "sheet")
    ]


def _pairs(workbook: zipfile.ZipFile, sheet: str) -> Iterator[list[tuple[str, str]]]:
    """Kind and text of the first two cells with a value of each row: `s` is the number of a shared text."""
    for number, row in enumerate(_elements(workbook, sheet, _MAX_SHEET, "row")):
        if number == _MAX_ROWS:
            return
        cells = [cell for cell in map(_cell, row) if cell[1]][:2]
        if len(cells) == 2:
            yield cells


def _cell(cell: Element) -> tuple[str, str]:
    kind = cell.get("t", "")
    text = "".join(cell.itertext()).strip()
    if kind == "s":
        return ("s", text) if text.isascii() and text.isdecimal() and len(text) < 10 else ("", "")
    return kind, text


def _shared_texts(workbook: zipfile.ZipFile, book: str, wanted: set[int]) -> dict[int, str]:
    part = next(iter(_targets(workbook, book, "sharedStrings").values()), "")
    texts: dict[int, str] = {}
    if wanted:
        last = max(wanted)
        for number, item in enumerate(_elements(workbook, part, _MAX_TEXTS, "si")):
            if number in wanted:
                texts[number] = "".join(item.itertext()).strip()
            if number == last:
                break
    return texts


def _targets(workbook: zipfile.ZipFile, part: str, *kinds: str) -> dict[str, str]:
    """The parts to which `part` (empty: the package) has a relationship of these kinds, by the relationship's id."""
    folder, name = posixpath.split(part)
    relationships = posixpath.join(folder, "_rels", f"{name}.rels")
    return {
        relationship.get("Id", ""): _resolved(folder, relationship.get("Target", ""))
        for relationship in _elements(workbook, relationships, _MAX_PART, "Relationship")
        if relationship.get("Type", "").rpartition("/")[2] in kinds
    }


def _resolved(folder: str, target: str) -> str:
    return posixpath.normpath(posixpath.join("/", folder, unquote(target))).lstrip("/")


def _elements(workbook: zipfile.ZipFile, part: str, limit: int, name: str) -> Iterator[Element]:
    """Each element called `name` in the first `limit` bytes of a part; none if there is no such part."""
    if part not in workbook.namelist():
        return
    with workbook.open(part) as file:
        content = file.read(limit)
    if not _is_plain(content):
        return
    outer: list[Any] = []
    inside = 0
    try:
        for event, element in iterparse(io.BytesIO(content), events=("start", "end")):  # noqa: S314  # nosec B314
            is_wanted = _local(element.tag) == name
            if event == "start":
                outer.append(element)
                inside += is_wanted
                continue
            outer.pop()
            inside -= is_wanted
            if is_wanted:
                yield element
                element.clear()
            # An element that is complete is not kept, so that a large part takes little memory.
            if outer and not inside:
                outer[-1].remove(element)
    except (ParseError, ValueError, LookupError):
        return  # what was found before the damage was found


def _is_plain(content: bytes) -> bool:
    """Whether XML is UTF-8 without a document type, and so without entities that grow.

    `defusedxml` would refuse the same; it is not loaded here, because a list of reports starts without other packages.
    """
    named = _ENCODING.search(content.partition(b"?>")[0])
    is_utf_8 = b"\x00" not in content[:4] and (named is None or named[1].lower() in (b"utf-8", b"us-ascii"))
    return is_utf_8 and b"<!DOCTYPE" not in content


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _attribute(element: Element, name: str) -> str:
    """The value of a namespaced attribute, in whatever namespace."""
    return next((value for key, value in element.items() if key.endswith(f"}}{name}")), "")
