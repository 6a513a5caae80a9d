"""Digests, which stand in databases and caches and so must stay as they are."""

from __future__ import annotations

import hashlib

from ticketattr.domain.digest import digest


def test_a_digest_is_that_of_the_lengths_and_the_texts() -> None:
    assert digest(("ab", "", "c", "\ud800")) == hashlib.sha256(b"2:ab0:1:c1:\xed\xa0\x80").hexdigest()
