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
) -> list[Judged]:
    """What it answers to each gold ticket, which it is shown without its label.

    Raises SettingsError when no answer can be had.
    """
    answered = classify_tickets([case.ticket for case in gold], catalog, classifier, cache, progress)
    return judge(gold, [ticket.outcome for ticket in answered])
