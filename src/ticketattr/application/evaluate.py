"""Measure a classifier on gold tickets."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.catalog import ServiceCatalog
from ..domain.evaluation import Judged, judge
from ..domain.gold import GoldTicket
from .classify import classify_tickets
from .ports import AnswerCache, Classifier, Progress


def judge_classifier(
    gold: Sequence[GoldTicket],
    catalog: ServiceCatalog,
    classifier: Classifier,
    cache: AnswerCache,
    progress: Progress,
    labelled: Sequence[GoldTicket] = (),
) -> list[Judged]:
    """What it answers to each gold ticket, which it is shown without its label; `labelled` ones are its examples.

    Raises SettingsError when no answer can be had.
    """
    tickets = [case.ticket for case in gold]
    answered = classify_tickets(tickets, catalog, classifier, cache, progress, labelled=labelled)
    return judge(gold, [ticket.outcome for ticket in answered])
