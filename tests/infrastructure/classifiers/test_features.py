"""What the embedded classifier learns from."""

from __future__ import annotations

import numpy as np

from ticketattr.domain.ticket import Ticket
from ticketattr.infrastructure.classifiers.offline.features import WORD_DIMENSIONS, features_of, joined

TICKETS = [
    Ticket("1", "Printer on floor 3 is jammed", "Paper is stuck in tray two."),
    Ticket("2", "Printers on floor 4 are jamed"),
    Ticket("3", "Passwort vergessen"),
    Ticket("4", ""),
]


def test_features_depend_on_the_text_alone_and_can_be_computed_in_parts() -> None:
    whole = features_of(TICKETS)
    parts = joined([features_of(TICKETS[:1]), features_of(TICKETS[1:])])
    assert whole.words.shape == (4, WORD_DIMENSIONS)
    np.testing.assert_allclose(whole.words, parts.words)
    np.testing.assert_allclose(whole.meaning, parts.meaning, atol=1e-5)
    assert len(joined([])) == 0


def test_shared_pieces_of_words_are_found_and_other_texts_are_almost_orthogonal() -> None:
    words = features_of(TICKETS).words
    alike, unlike = float(words[0] @ words[1]), float(words[0] @ words[2])
    assert alike > 0.2
    assert abs(unlike) < 0.1
    assert not words[3].any()
    np.testing.assert_allclose(np.linalg.norm(words[:3], axis=1), 1.0, rtol=1e-5)
