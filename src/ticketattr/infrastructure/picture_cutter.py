"""Pictures within an answer (`data:` URLs), cut out while it arrives: nobody reads them, and no bound counts them."""

from __future__ import annotations

import re

_MARK = b";base64,"
# In JSON, a slash may be written as \/ and a line end as \n or \r.
_RUN = re.compile(rb"(?:[A-Za-z0-9+/=]+|\\[/nr])*")
_LONGEST_KEPT = 80
MAX_FED = 1024 * 1024 * 1024
"""The most bytes that are read for one answer, pictures and all."""


class PictureCutter:
    """Cuts the data of `data:…;base64,…` short in bytes that arrive in chunks, in any encoding that extends ASCII."""

    def __init__(self) -> None:
        self.fed = 0
        self._held = b""
        self._is_within = False
        self._kept = 0

    @property
    def held(self) -> int:
        """How many bytes are held back."""
        return len(self._held)

    def feed(self, chunk: bytes) -> bytes:
        """What remains of the bytes so far; up to eight may be held back."""
        self.fed += len(chunk)
        return self._cut(self._held + chunk, is_last=False)

    def finish(self) -> bytes:
        """What was held back."""
        return self._cut(self._held, is_last=True)

    def _cut(self, content: bytes, *, is_last: bool) -> bytes:
        kept: list[bytes] = []
        at = 0
        while at < len(content):
            if self._is_within:
                at = self._skip(content, at, kept, is_last=is_last)
                if self._is_within:
                    break
                continue
            mark = content.find(_MARK, at)
            if mark < 0:
                end = len(content) if is_last else max(at, len(content) - len(_MARK) + 1)
                kept.append(content[at:end])
                at = end
                break
            kept.append(content[at : mark + len(_MARK)])
            at = mark + len(_MARK)
            self._is_within, self._kept = True, 0
        self._held = content[at:]
        return b"".join(kept)

    def _skip(self, content: bytes, at: int, kept: list[bytes], *, is_last: bool) -> int:
        run = _RUN.match(content, at)
        end = run.end() if run else at
        room = max(_LONGEST_KEPT - self._kept, 0)
        piece = content[at : min(end, at + room)]
        # Half an escape would be no JSON.
        piece = piece.rstrip(b"\\")
        kept.append(piece)
        self._kept += len(piece)
        is_open = end == len(content) or (content[end:] == b"\\" and not is_last)
        self._is_within = is_open and not is_last
        return end
