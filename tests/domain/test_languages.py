"""The likely language of a text."""

from __future__ import annotations

import pytest

from ticketattr.domain.languages import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("the printer of my office", "en"),
        ("Der Drucker ist kaputt", "de"),
        ("printer", ""),
        ("", ""),
        ("L'imprimante est dans une salle", "fr"),
        ("printer \u3040 the of", "ja"),
        ("\u30ff", "ja"),
        ("\uac00", "ko"),
        ("\ud7af", "ko"),
        ("\u0370", "el"),
        ("\u03ff", "el"),
        ("\u0400", "ru"),
        ("\u04ff", "ru"),
        ("\u0500", ""),
    ],
)
def test_a_language_is_known_by_its_script_or_its_most_common_words(text: str, language: str) -> None:
    assert language_of(text) == language
