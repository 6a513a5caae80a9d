"""How far several runs of a classifier over the same tickets agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from .scoring import Prediction
from .statistics import Estimate, wilson_estimate

NOTHING = "(none)"
"""Stands for a ticket for which a run chose no entry of the catalog."""


@dataclass(frozen=True, slots=True)
class ChangingTicket:
    """A ticket that got different answers: how often each entry was chosen, the most frequent one first."""

    id: str
    chosen: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Consistency:
    """The agreement of `runs` runs.

    `same` is the share of tickets with one answer in all runs, `agreement` the mean share of equal answers of two runs.
    `accuracies` are the shares of right answers, a value a run, in their order.
    """

    runs: int
    same: Estimate
    agreement: float
    accuracies: tuple[float, ...]
    changing: tuple[ChangingTicket, ...]


def consistency_of(runs: Sequence[Sequence[Prediction]]) -> Consistency:
    """The agreement of at least two runs over the same gold tickets, of which there is at least one."""
    answers = [[str(case.chosen) if case.chosen else NOTHING for case in run] for run in runs]
    tickets = len(runs[0])
    by_ticket = list(zip(*answers, strict=True))
    equal = [sum(map(str.__eq__, one, other)) / tickets for one, other in combinations(answers, 2)]
    return Consistency(
        runs=len(runs),
        same=wilson_estimate(sum(len(set(chosen)) == 1 for chosen in by_ticket), tickets),
        agreement=sum(equal) / len(equal),
        accuracies=tuple(sum(case.is_right for case in run) / tickets for run in runs),
        changing=tuple(
            ChangingTicket(case.id, tuple(Counter(chosen).most_common()))
            for case, chosen in zip(runs[0], by_ticket, strict=True)
            if len(set(chosen)) > 1
        ),
    )
