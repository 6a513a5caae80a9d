"""What `evaluate` measures: one classifier, or two of them on the same tickets. `evaluation_view` prints it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from ..application.evaluate import calibrate, judge_classifier
from ..application.ports import Classifier, Clock
from ..domain.catalog import ServiceCatalog
from ..domain.evaluation import CascadePoint, Comparison, cascade_points, compare, evaluate
from ..domain.gold import GoldTicket, LabelledTickets
from ..errors import InputError
from ..infrastructure.classifiers.calibrated import read_calibration, write_calibration
from ..infrastructure.evaluation.gold_files import GoldFile, refuse_useless
from ..infrastructure.evaluation.results_file import Results, read_answers
from . import wiring
from .presentation.console import Console
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
        entries = wiring.catalog_of_option(catalog).fetch_catalog()
        tickets = GoldFile.read(gold).tickets(entries, ignore_unknown=ignore_unknown)
        refuse_useless(tickets, gold)
        return cls(tickets, entries)


@dataclass(frozen=True, slots=True)
class Compared:
    """Two classifiers on the same tickets. `cascade` is empty when the first does not say how sure it is."""

    first: Results
    second: Results
    comparison: Comparison
    cascade: Sequence[CascadePoint]


@dataclass(frozen=True, slots=True)
class Measuring:
    """How to measure: on what, with which examples, for which precision."""

    console: Console
    question: Question
    labelled: LabelledTickets
    target: float
    fresh: bool
    clock: Clock

    def results(self, values: Values) -> Results:
        """Of the classifier that is set. Raises InputError, also for a calibration made for something else."""
        return self._measured(values)[0]

    def calibrated(self, values: Values, path: Path) -> Results:
        """The same, with the curve that fits it written to `path`. Raises InputError."""
        # A curve is fitted on what the classifier itself says, not on what an older curve makes of it.
        results, classifier = self._measured(values.under({"CALIBRATION_FILE": ""}))
        curve, tickets = calibrate(results.judged)
        write_calibration(path, curve, classifier=classifier.fingerprint(self.question.catalog), tickets=tickets)
        return results

    def compared(self, names: tuple[str, str], values: Values) -> Compared:
        """Each of them a classifier, or a file of results. Raises InputError."""
        first, second = (self._named(name, values) for name in names)
        return Compared(
            *(first, second),
            comparison=compare(first.judged, second.judged),
            cascade=cascade_points(first.judged, second.judged),
        )

    def _named(self, name: str, values: Values) -> Results:
        if name in get_args(ClassifierName):
            return replace(self.results(values.under({"CLASSIFIER": name})), classifier=name)
        answers = read_answers(Path(name), self.question.gold, self.question.catalog)
        return Results(name, "", evaluate(answers.judged, target=self.target), answers.judged, answers.bill)

    def _measured(self, values: Values) -> tuple[Results, Classifier]:
        with reading(values, "evaluate") as env:
            settings, folders = ClassifierSettings.read(env), FolderSettings.read(env)
        classifier = wiring.classifier(settings, self.labelled)
        self._refuse_foreign_calibration(settings)
        cache = wiring.answer_cache(settings, folders, self.clock, fresh=self.fresh)
        gold, catalog = self.question.gold, self.question.catalog
        started = time.monotonic()
        with self.console.progress("Classifying") as progress:
            judged = judge_classifier(gold, catalog, classifier, cache, progress, self.labelled(catalog))
        results = Results(
            classifier=settings.title,
            calibration=settings.confidence_mapped_by,
            evaluation=evaluate(judged, target=self.target),
            judged=tuple(judged),
            bill=replace(classifier.bill, seconds=round(time.monotonic() - started, 3)),
        )
        return results, classifier

    def _refuse_foreign_calibration(self, settings: ClassifierSettings) -> None:
        if settings.calibration is None:
            return
        itself = wiring.uncalibrated(settings, self.labelled)
        if not read_calibration(settings.calibration).fits(itself, self.question.catalog):
            raise InputError(
                f"{settings.calibration} was made for another classifier or catalog",
                hint="Make one for this with --save-calibration.",
            )
