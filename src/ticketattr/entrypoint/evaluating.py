"""What `evaluate` does: one classifier measured, or two compared."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from ..application.evaluate import judge_classifier
from ..application.ports import Classifier, Clock
from ..domain.calibration import fit_calibration
from ..domain.catalog import ServiceCatalog
from ..domain.evaluation import Judged, cascade_points, compare, evaluate
from ..domain.gold import GoldTicket, LabelledTickets
from ..errors import InputError
from ..infrastructure.classifiers.calibrated import read_calibration, write_calibration
from ..infrastructure.evaluation.gold_files import GoldFile, refuse_useless
from ..infrastructure.evaluation.results_file import Answers, Results, dump_results, read_answers
from ..infrastructure.files import output
from ..infrastructure.options import HTTPPolicy
from ..infrastructure.sources.catalog_yaml import YAMLCatalog
from . import wiring
from .console import Console
from .evaluation_view import html_page, print_cascade, print_comparison, print_results
from .settings.classifier import ClassifierName, ClassifierSettings
from .settings.environment import reading
from .settings.folders import FolderSettings
from .settings.values import Values


@dataclass(frozen=True, slots=True)
class Question:
    """Gold tickets, and the catalog that their labels are of."""

    gold: Sequence[GoldTicket]
    catalog: ServiceCatalog

    @classmethod
    def read(cls, gold: Path, catalog: Path, *, ignore_unknown: bool) -> Question:
        """Raises InputError."""
        entries = YAMLCatalog(str(catalog), HTTPPolicy()).fetch_catalog()
        tickets = GoldFile.read(gold).tickets(entries, ignore_unknown=ignore_unknown)
        refuse_useless(tickets, gold)
        return cls(tickets, entries)


@dataclass(frozen=True, slots=True)
class Measuring:
    """How to measure: on what, with which examples, for which precision."""

    console: Console
    question: Question
    labelled: LabelledTickets
    target: float
    fresh: bool
    clock: Clock

    def results(self, values: Values, save_calibration: Path | None = None) -> Results:
        """Raises InputError, also for a calibration that was made for something else."""
        if save_calibration:
            # A curve is fitted on what the classifier itself says, not on what an older curve makes of it.
            values = values.under({"CALIBRATION_FILE": ""})
        with reading(values, "evaluate") as env:
            settings, folders = ClassifierSettings.read(env), FolderSettings.read(env)
        self._refuse_known_examples()
        classifier = wiring.classifier(settings, self.labelled)
        if settings.calibration:
            self._refuse_foreign(settings, settings.calibration)
        cache = wiring.answer_cache(settings, folders, self.clock, fresh=self.fresh)
        started = time.monotonic()
        with self.console.progress("Classifying") as progress:
            judged = judge_classifier(
                self.question.gold,
                self.question.catalog,
                classifier,
                cache,
                progress,
                self.labelled(self.question.catalog),
            )
        if save_calibration:
            self._save_calibration(save_calibration, judged, classifier)
        return Results(
            classifier=settings.title,
            calibration=str(settings.calibration or "the shipped map"),
            evaluation=evaluate(judged, target=self.target),
            judged=tuple(judged),
            bill=replace(classifier.bill, seconds=round(time.monotonic() - started, 3)),
        )

    def answers(self, name: str, values: Values) -> Answers:
        """Of the classifier of that name, or of the results in the file of that name."""
        if name in get_args(ClassifierName):
            results = self.results(values.under({"CLASSIFIER": name}))
            return Answers(results.judged, results.bill)
        return read_answers(Path(name), self.question.gold, self.question.catalog)

    def _refuse_foreign(self, settings: ClassifierSettings, path: Path) -> None:
        classifier = wiring.uncalibrated(settings, self.labelled)
        if read_calibration(path).classifier != classifier.fingerprint(self.question.catalog):
            raise InputError(
                f"{path} was made for another classifier or catalog",
                hint="Make one for this with --save-calibration.",
            )

    def _refuse_known_examples(self) -> None:
        """Who is measured on what it was shown is measured too well."""
        shown = {gold.ticket.texts for gold in self.labelled(self.question.catalog)}
        known = sum(gold.ticket.texts in shown for gold in self.question.gold)
        if known:
            raise InputError(
                f"{known} gold tickets are among the examples, so that the result would be too good",
                hint="Give examples that are not in the gold set.",
            )

    def _save_calibration(self, path: Path, judged: Sequence[Judged], classifier: Classifier) -> None:
        sure = [case for case in judged if case.confidence is not None]
        if not sure:
            raise InputError("the classifier does not say how sure it is, so that there is nothing to calibrate")
        curve = fit_calibration([case.confidence or 0.0 for case in sure], [case.is_right for case in sure])
        fingerprint = classifier.fingerprint(self.question.catalog)
        write_calibration(path, curve, classifier=fingerprint, tickets=len(sure))


def print_evaluation(results: Results, format: str) -> None:
    if format == "table":
        print_results(results)
        return
    content = dump_results(results) if format == "json" else html_page(results).encode()
    sys.stdout.flush()
    with output(Path("-")) as file:
        file.write(content)


def print_compared(names: tuple[str, str], measuring: Measuring, values: Values) -> None:
    first, second = (measuring.answers(name, values) for name in names)
    for name, answers in zip(names, (first, second), strict=True):
        figures = evaluate(answers.judged, target=measuring.target)
        print_results(Results(name, "", figures, answers.judged, answers.bill), brief=True)
    print_comparison(*names, compare(first.judged, second.judged))
    if figures_of_cascade := cascade_points(first.judged, second.judged):
        print_cascade(*names, figures_of_cascade, second.bill, tickets=len(second.judged))
