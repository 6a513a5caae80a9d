"""How far several runs of a classifier agree."""

from __future__ import annotations

import pytest

from ticketattr.domain.catalog import RequestType
from ticketattr.domain.consistency import NOTHING, ChangingTicket, Consistency, consistency_of
from ticketattr.domain.scoring import Prediction
from ticketattr.domain.statistics import wilson_estimate

from ..fakes import LAPTOP, PASSWORD, STOLEN


def run(*chosen: RequestType | None) -> list[Prediction]:
    """The answers of a run about tickets that are all about laptops."""
    return [Prediction(f"{n}", LAPTOP, (), one, 0.5) for n, one in enumerate(chosen, start=1)]


def test_the_agreement_of_runs_is_that_of_their_answers() -> None:
    found = consistency_of(
        [
            run(LAPTOP, PASSWORD, None, STOLEN),
            run(LAPTOP, LAPTOP, LAPTOP, STOLEN),
            run(LAPTOP, LAPTOP, None, STOLEN),
        ]
    )
    assert found == Consistency(
        runs=3,
        same=wilson_estimate(2, 4),
        agreement=(2 / 4 + 3 / 4 + 3 / 4) / 3,
        accuracies=(0.25, 0.75, 0.5),
        changing=(
            ChangingTicket("2", ((str(LAPTOP), 2), (str(PASSWORD), 1))),
            ChangingTicket("3", ((NOTHING, 2), (str(LAPTOP), 1))),
        ),
    )


def test_runs_that_answer_the_same_agree_wholly() -> None:
    found = consistency_of([run(LAPTOP, None), run(LAPTOP, None)])
    assert (found.agreement, found.same, found.changing) == (1.0, wilson_estimate(2, 2), ())


def test_runs_over_different_tickets_are_a_bug() -> None:
    with pytest.raises(ValueError, match="zip"):
        consistency_of([run(LAPTOP), run(LAPTOP, None)])
