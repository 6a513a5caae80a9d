"""What the embedded classifier learns from labelled tickets, and how well it knows that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.scoring import calibration_error
from ticketattr.domain.ticket import Ticket
from ticketattr.infrastructure.classifiers.offline.features import Features, features_of, joined
from ticketattr.infrastructure.classifiers.offline.learned import Mix
from ticketattr.infrastructure.classifiers.offline.learning import Lesson, Measured, learn
from ticketattr.infrastructure.classifiers.offline.ranking import Ranking
from ticketattr.infrastructure.classifiers.offline.teaching import fold_of, taught, taught_by_corrections, teach

TYPES = 6


def lesson(count: int, *, noise: float, wrong: float = 0.0) -> Lesson:
    """Tickets around one direction for each type; a share of `wrong` ones has the label of another type."""
    random = np.random.default_rng(3)
    labels = random.integers(0, TYPES, count)
    centres = random.standard_normal((TYPES, 512)) / 20
    meaning = centres[labels] + noise * random.standard_normal((count, 512)) / 20
    words = random.standard_normal((count, 1024)) / 32
    given = np.where(random.random(count) < wrong, random.integers(0, TYPES, count), labels)
    return Lesson(
        Features(meaning.astype(np.float32), words.astype(np.float32)),
        labels=given,
        folds=np.arange(count) % 5,
        pairs=tuple(("Category", f"Type {number}") for number in range(TYPES)),
        names=joined([]),
        name_labels=np.zeros(0, dtype=np.int64),
        latest=np.arange(count * 4 // 5, count),
    )


def learned_from(tickets: Lesson) -> Measured:
    return learn(tickets, lambda rows: np.zeros((len(rows), TYPES)), Mix(1.0, 1.0))[1]


@pytest.mark.thorough
def test_confidence_after_learning_is_the_share_that_is_right() -> None:
    for wrong in (0.0, 0.3):
        measured = learned_from(lesson(400, noise=4.0, wrong=wrong))
        cases = [(answer.confidence, answer.is_right) for answer in measured.answers]
        assert len(cases) == 400
        assert calibration_error(cases) < 0.09
        share = right(measured)
        assert share > (0.5 if wrong else 0.7)
        assert abs(sum(answer.is_right for answer in measured.latest) / 80 - share) < 0.15


@pytest.mark.thorough
def test_some_landmarks_stand_for_many_tickets() -> None:
    tickets = lesson(400, noise=3.0)
    some, measured = learn(tickets, lambda rows: np.zeros((len(rows), TYPES)), Mix(1.0, 1.0), landmarks=100)
    assert len(some.kernel) == 100
    assert right(measured) > right(learned_from(tickets)) - 0.06


def right(measured: Measured) -> float:
    return sum(answer.is_right for answer in measured.answers) / len(measured.answers)


def catalog(*names: str) -> ServiceCatalog:
    return ServiceCatalog(tuple(RequestType("Canteen", name, SLA(1, "days")) for name in names))


def gold(entries: ServiceCatalog, *rows: tuple[str, str]) -> list[GoldTicket]:
    found = [(entries.find("Canteen", name), text) for name, text in rows]
    return [GoldTicket(Ticket("", text), entry) for entry, text in found if entry]


def best(ranking: Ranking, texts: Sequence[str]) -> list[str]:
    scores = ranking.judge([Ticket("", text) for text in texts]).scores
    return [ranking.catalog.entries[place].name for place in scores.argmax(axis=1)]


def test_one_example_for_each_type_counts_and_a_type_without_one_still_works() -> None:
    entries = catalog("Zone A", "Zone B", "Vegetarian lunch")
    known = Ranking(entries)
    learned = taught(known, gold(entries, ("Zone A", "the soup was cold"), ("Zone B", "no forks are left")))
    asked = ["soup is cold again", "there are no forks", "I want lunch without meat, vegetarian"]
    assert best(Ranking(entries, learned=learned), asked) == ["Zone A", "Zone B", "Vegetarian lunch"]


def test_what_was_learned_goes_on_after_more_tickets_and_a_new_type() -> None:
    before = catalog("Zone A", "Zone B")
    after = catalog("Zone B", "Zone A", "Zone C")
    learned = taught(Ranking(before), gold(before, ("Zone A", "the soup was cold"), ("Zone B", "no forks are left")))
    more = taught(Ranking(after), gold(after, ("Zone C", "the coffee machine leaks")), learned)
    assert best(Ranking(after, learned=more), ["soup was cold", "no forks", "coffee machine is leaking"]) == [
        "Zone A",
        "Zone B",
        "Zone C",
    ]


def test_many_wrong_first_corrections_do_not_measure_confidence() -> None:
    entries = catalog("Zone A", "Zone B")
    assert taught_by_corrections(Ranking(entries), (), None) is None
    rows = [("Zone A" if number % 2 else "Zone B", f"text {number}") for number in range(120)]
    learned, measured = teach(Ranking(entries), gold(entries, *rows), measures=False)
    assert learned.mix.calibration is None
    assert not measured.answers


def test_tickets_with_the_same_words_are_in_one_fold() -> None:
    one, other = Ticket("1", "Printer  jam", "on floor 3"), Ticket("2", "PRINTER JAM", "on floor 3")
    assert fold_of(one, 10) == fold_of(other, 10)


def test_learning_in_two_parts_has_the_same_features() -> None:
    tickets = [Ticket("", text) for text in ("one", "two words", "")]
    parts = joined([features_of(tickets[:2]), features_of(tickets[2:])])
    np.testing.assert_allclose(features_of(tickets).words, parts.words)
