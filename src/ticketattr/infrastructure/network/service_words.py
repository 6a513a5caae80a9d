"""The words of an outside service on their way to the user: the one place that cuts, cleans and searches them.

Every adapter passes what a service said through `service_words`, before it becomes part of an error, a log record or a
row. Whatever else is logged, or kept about a run, passes through `without_secrets`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ...domain.sanitizing import sanitize, truncate
from ...domain.scrubbing import Scrubber, scrubber

LONGEST_ANSWER = 64 * 1024
"""The largest answer that is searched for a reason, in bytes."""

_LONGEST = 300
_LONGEST_READ = 8_000
_MOST_REASONS = 5
_DEEPEST = 5
# The names that helpdesks and other services give to a reason, in lower case and without separators.
_REASONS = (
    *("error", "errors", "errordescription", "errorhuman", "errormessage", "errormessages", "errorsummary", "fault"),
    *("message", "messages", "detail", "details", "title", "reason", "description", "responsestatus", "statusmessage"),
)
_TAG = re.compile("<(?:(?:style|script|head)[ >][^<]{0,20000}|[^<>]{0,2000}>)", re.IGNORECASE)
_TITLE = re.compile("<title[^<>]{0,200}>([^<>]{1,1000})<", re.IGNORECASE)


class _Known:
    """The secrets of this call of the program; like the settings of logging, they hold for the whole process."""

    secrets: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()
    scrubber: Scrubber = scrubber(())


def know_secrets(secrets: Iterable[str], personal: Iterable[str] = ()) -> None:
    """Replace these from now on: `secrets` everywhere, `personal` (addresses, user names) in the words of services."""
    more = _Known.secrets | set(secrets), _Known.personal | set(personal)
    if more != (_Known.secrets, _Known.personal):
        _Known.secrets, _Known.personal = more
        _Known.scrubber = scrubber(*more)


def forget_secrets() -> None:
    """Begin a new call of the program."""
    _Known.secrets, _Known.personal, _Known.scrubber = frozenset(), frozenset(), scrubber(())


def service_words(words: object, longest: int = _LONGEST) -> str:
    """What a service said, as one line of at most `longest` UTF-16 units: no secret, no address, nothing invisible."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    scrubbed = _Known.scrubber.scrubbed(text[:_LONGEST_READ])
    if len(text) > _LONGEST_READ:
        # The first half of a secret may stand at the end.
        scrubbed = scrubbed[: -max(map(len, _Known.secrets | _Known.personal), default=0) * 3 or None]
    return truncate(" ".join(sanitize(scrubbed).split()), longest)


def without_secrets(text: str) -> str:
    """`text` without the secrets of the settings."""
    return _Known.scrubber.without_secrets(text)


def with_words(message: str, words: object) -> str:
    """`message`, and after a colon what the service said; `message` alone if it said nothing."""
    said = service_words(words)
    return f"{message}: {said}" if said else message


def reason_in(content: bytes) -> str:
    """The words in an answer that say why it is a refusal; empty if it has none. They are still as they came."""
    text = content[:LONGEST_ANSWER].decode("utf-8-sig", "replace").strip()
    if text[:1] in ("{", "["):
        try:
            return reason_of(json.loads(text))
        except (ValueError, RecursionError):
            return ""
    if "\0" in text or "\ufffd" in text:
        return ""
    title = _TITLE.search(text)
    return title[1] if title else _TAG.sub(" ", text)


def reason_of(answer: Any) -> str:
    """The words in a parsed answer that say why it is a refusal; empty if it has none. They are still as they came."""
    return "; ".join(list(dict.fromkeys(_reasons(answer, _DEEPEST)))[:_MOST_REASONS])


def _reasons(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield from filter(None, [value.strip()])
    elif isinstance(value, list) and depth:
        for item in value[: 4 * _MOST_REASONS]:
            yield from _reasons(item, depth - 1)
    elif isinstance(value, dict) and depth:
        for name, item in value.items():
            if re.sub("[^a-z]", "", str(name).lower()) in _REASONS:
                yield from _reasons(item, depth - 1)
