"""Workbooks that Excel saved as "Strict Open XML": the same elements under namespaces that openpyxl does not know.

The namespaces are those of ECMA-376, part 1 (strict), and part 4 (transitional).
"""

from __future__ import annotations

import io
import re
import zipfile

from .run_id_reader import workbook_part

_HEAD = 64 * 1024
_XML = (".xml", ".rels")
_MARK = b"http://purl.oclc.org/ooxml/"
# Namespaces and kinds of relationships are whole values of attributes. In the text of a cell, a quotation mark before
# the URL would be needed, too.
_STRICT = re.compile(rb"([\"'])http://purl\.oclc\.org/ooxml/([A-Za-z]{1,40})/")
_RENAMED = {b"customProperties": b"custom-properties", b"extendedProperties": b"extended-properties"}
_RENAMED_KIND = re.compile(rb"(/officeDocument/2006/(?:relationships/)?)(customProperties|extendedProperties)(?=[\"'])")


def as_transitional(content: bytes) -> bytes:
    """`content` with the namespaces that openpyxl knows; the same bytes unless the workbook is Strict Open XML."""
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        if not _is_strict(source):
            return content
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
            for name in dict.fromkeys(source.namelist()):
                data = source.read(name)
                target.writestr(name, _translated(data) if name.endswith(_XML) else data)
        return made.getvalue()


def _is_strict(archive: zipfile.ZipFile) -> bool:
    part = workbook_part(archive)
    if not part:
        return False
    with archive.open(part) as file:
        return _MARK in file.read(_HEAD)


def _translated(data: bytes) -> bytes:
    data = _STRICT.sub(rb"\1http://schemas.openxmlformats.org/\2/2006/", data)
    return _RENAMED_KIND.sub(lambda kind: kind[1] + _RENAMED[kind[2]], data)
