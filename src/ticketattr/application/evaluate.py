"""Measure a classifier on gold tickets."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.calibration import Calibration, fit_calibration
from ..domain.catalog import ServiceCatalog
from ..domain.evaluation import Judged, judge
from ..domain.gold import GoldTicket
from ..errors import InputError
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

    Raises InputError when it would be measured on its examples, SettingsError when no answer can be had.
    """
    _refuse_known_examples(gold, labelled)
    tickets = [case.ticket for case in gold]
    answered = classify_tickets(tickets, catalog, classifier, cache, progress, labelled=labelled)
    return judge(gold, [ticket.outcome for ticket in answered])


def calibrate(judged: Sequence[Judged]) -> tuple[Calibration, int]:
    """The curve that fits these answers, and how many of them say how sure they are. Raises InputError for none."""
    sure = [(case.confidence, case.is_right) for case in judged if case.confidence is not None]
    if not sure:
        raise InputError(
            "the classifier does not say how sure it is, so that there is nothing to calibrate",
            hint="Leave --save-calibration out.",
        )
    confidences, right = zip(*sure, strict=True)
    return fit_calibration(confidences, right), len(sure)


def _refuse_known_examples(gold: Sequence[GoldTicket], labelled: Sequence[GoldTicket]) -> None:
    """Who is measured on what it was shown is measured too well."""
    shown = {case.ticket.texts for case in labelled}
    known = sum(case.ticket.texts in shown for case in gold)
    if known:
        raise InputError(
            f"{known} gold tickets are among the examples, so that the result would be too good",
            hint="Give examples that are not in the gold set.",
        )
