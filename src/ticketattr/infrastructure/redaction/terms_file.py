"""The file of REDACT_TERMS: names and patterns of the user's organisation, one a line.

    # people and projects
    Anna Schmidt
    Project Falcon
    /EMP-[0-9]{6}/

Names are found as whole words, in small and capital letters. Patterns are regular expressions of RE2, whose time is
linear in the text, so that no pattern can stop a run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...domain.digest import digest
from ...domain.redaction.found import Finder, Found
from ...domain.redaction.names import find_names
from ...domain.sanitizing import sanitize, truncate
from ..files import open_readable

_LARGEST = 1024 * 1024
_LONGEST_LINE = 1_000
_MOST_WRONG = 10
_UNBOUNDED = re.compile(r"[*+]|\{\d*,\}")
_MEMORY = 8 * 1024 * 1024
_CORRECTIONS = (
    ("(?", "Look-around is not possible: write the words around it into the pattern, or leave them out"),
    ("escape", "A backslash and a digit or letter have no such meaning here: write the text out"),
    ("missing", "Close each bracket, and write \\( or \\[ for one that is part of the text"),
    ("unexpected", "Close each bracket, and write \\) for one that is part of the text"),
    ("repetition", "Use at most {1000}, and write \\* or \\+ for a sign that is part of the text"),
    ("too large", "Use smaller numbers in {…}"),
)


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a file, as finders. `fingerprint` is a digest of them; empty without terms."""

    finders: tuple[Finder, ...] = ()
    fingerprint: str = ""


def read_terms(path: Path) -> tuple[Terms, list[str]]:
    """Returns the terms, and what is wrong with the file or its lines, each as a sentence with what to do."""
    try:
        with open_readable(path) as file:
            content = file.read(_LARGEST + 1)
            text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        return Terms(), [f"cannot be read: {reason}"]
    if len(content) > _LARGEST:
        return Terms(), [f"is larger than {_LARGEST // 1024} KiB: split names into those that you need"]
    return _terms(text)


def _terms(text: str) -> tuple[Terms, list[str]]:
    names: list[str] = []
    patterns: list[Any] = []
    wrong: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        term = line.strip()
        if not term or term.startswith("#"):
            continue
        problem = _problem(term, patterns)
        if problem:
            wrong.append(f"line {number}: {_quoted(term)} {problem}")
        elif not term.startswith("/"):
            names.append(term)
    finders = [find_names(names)] if names else []
    finders += [_finder(pattern) for pattern in patterns]
    lines = (*names, *(pattern.pattern for pattern in patterns))
    terms = Terms(tuple(finders), digest(lines) if lines else "")
    more = [f"has {len(wrong) - _MOST_WRONG} more wrong lines"] if len(wrong) > _MOST_WRONG else []
    return terms, [*wrong[:_MOST_WRONG], *more]


def _problem(term: str, patterns: list[Any]) -> str:
    """Returns what is wrong with a line, and what to do; empty if it is fine. Adds its pattern to `patterns`."""
    if len(term) > _LONGEST_LINE:
        return f"is longer than {_LONGEST_LINE} characters: split it"
    if not term.startswith("/"):
        return "" if len(re.findall(r"\w", term)) > 1 else "is too short for a name: write at least two letters"
    if len(term) < 3 or not term.endswith("/"):
        return "is not a name, and not a pattern, which ends with a slash: write /pattern/"
    pattern = term[1:-1]
    nested = _nested_repetition(pattern)
    if nested:
        return f"repeats what repeats already, which is slow: bound the outer repetition, as in {nested}{{1,9}}"
    return _compile(pattern, patterns)


def _compile(pattern: str, patterns: list[Any]) -> str:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        compiled = re2.compile(pattern, options=options)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"is not a valid pattern ({truncate(sanitize(reason), 100)}). {_correction(reason)}"
    if compiled.search("") or compiled.search("\n"):
        return "matches an empty text or the end of a line: write what must be there"
    patterns.append(compiled)
    return ""


def _correction(reason: str) -> str:
    for sign, correction in _CORRECTIONS:
        if sign in reason:
            return correction
    return "Write it as a regular expression of RE2"


def _nested_repetition(pattern: str) -> str:
    """Returns the group of the pattern that repeats without a bound and contains a part that does; else nothing."""
    plain = re.sub(r"\\.", "__", pattern)
    plain = re.sub(r"\[\^?\]?[^\]]*\]", lambda match: "_" * len(match[0]), plain)
    starts: list[tuple[int, bool]] = []
    for place, character in enumerate(plain):
        repeats = _UNBOUNDED.match(plain, place + 1) is not None
        if character == "(":
            starts.append((place, False))
        elif character == ")" and starts:
            start, holds = starts.pop()
            if holds and repeats:
                return pattern[start : place + 1]
            if starts and (holds or repeats):
                starts[-1] = (starts[-1][0], True)
        elif starts and repeats:
            starts[-1] = (starts[-1][0], True)
    return ""


def _quoted(term: str) -> str:
    return f'"{truncate(sanitize(term), 80)}"'


def _finder(pattern: Any) -> Finder:
    def find(text: str) -> Iterator[Found]:
        for match in pattern.finditer(text):
            if match.end() > match.start():
                yield Found(match.start(), match.end(), "TERM")

    return find
