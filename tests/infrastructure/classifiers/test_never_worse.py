"""What was learned never makes the embedded classifier worse than it is without, beyond chance."""

from __future__ import annotations

import numpy as np
import pytest

from ticketattr.domain.statistics import mcnemar_p
from ticketattr.infrastructure.catalog.source import YAMLCatalog
from ticketattr.infrastructure.classifiers.offline.ranking import Ranking
from ticketattr.infrastructure.classifiers.offline.teaching import taught
from ticketattr.infrastructure.gold_files import GoldFile
from ticketattr.infrastructure.options import HTTPPolicy

from ...conftest import DATA

pytestmark = pytest.mark.usefixtures("sentences_are_encoded_once")

GOLD = DATA / "gold"


@pytest.mark.parametrize(
    ("gold", "catalog"),
    [("others", "catalog"), ("further", "catalog"), ("works", "works"), ("stadt", "stadt")],
)
def test_half_of_a_set_does_not_make_the_answers_about_the_other_half_worse(gold: str, catalog: str) -> None:
    entries = YAMLCatalog(str(GOLD / f"{catalog}.yaml"), HTTPPolicy()).fetch_catalog()
    cases = GoldFile.read(GOLD / f"{gold}.jsonl").tickets(entries)
    known = Ranking(entries)
    learned = Ranking(entries, learned=taught(known, cases[::2]))
    judged = cases[1::2]
    tickets = [case.ticket for case in judged]
    labels = np.array([entries.entries.index(case.entry) for case in judged])
    without = known.judge(tickets).scores.argmax(axis=1) == labels
    with_it = learned.judge(tickets).scores.argmax(axis=1) == labels
    lost, won = int((without & ~with_it).sum()), int((with_it & ~without).sum())
    assert lost <= won or mcnemar_p(lost, won) > 0.05, (gold, lost, won)
