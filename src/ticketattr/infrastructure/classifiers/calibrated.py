"""The calibration file, and a classifier that maps its confidence by it.

    {"kind": "calibration", "schema_version": 1, "classifier": "…", "slope": …, "offset": …, "tickets": …,
     "models": ["…"]}

`classifier` is the fingerprint of a classifier with its catalog. The curve applies to no other. `models` are the large
language models whose answers it was fitted on. The curve applies to no answer of another model.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ...application.ports import Classifier
from ...domain.calibration import Calibration
from ...domain.catalog import ServiceCatalog
from ...domain.examples import NO_EXAMPLES, Examples
from ...domain.ticket import Attribution, Outcome, Ticket
from ...errors import InputError
from ..files import output, read_bounded
from ..json_text import dump_json, parse_json
from .delegating import DelegatingClassifier

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
_MAX_BYTES = 64 * 1024
_HINT = "Make one with `ticketattr evaluate --save-calibration`."


@dataclass(frozen=True)
class CalibrationFile:
    """The content of the file. `tickets` is the number of tickets that the curve was fitted on."""

    kind: str
    schema_version: int
    classifier: str
    slope: float
    offset: float
    tickets: int
    models: tuple[str, ...] = ()

    @property
    def calibration(self) -> Calibration:
        """The curve."""
        return Calibration(self.slope, self.offset)

    def fits(self, classifier: Classifier, catalog: ServiceCatalog) -> bool:
        """Returns whether the curve was fitted for this classifier with this catalog."""
        return self.classifier == classifier.fingerprint(catalog)


_FILE = TypeAdapter(CalibrationFile)


def write_calibration(
    path: Path, calibration: Calibration, *, classifier: str, tickets: int, models: Sequence[str]
) -> None:
    """Writes the curve that was fitted on so many tickets for the classifier of that fingerprint.

    `models` are the large language models that answered.
    """
    content = CalibrationFile(
        "calibration", SCHEMA_VERSION, classifier, calibration.slope, calibration.offset, tickets, tuple(models)
    )
    with output(path) as file:
        file.write(dump_json(_FILE.dump_python(content)))


def read_calibration(path: Path) -> CalibrationFile:
    """Returns the content of the file. Raises InputError if it is not a calibration of this version."""
    try:
        file = _FILE.validate_python(parse_json(read_bounded(path, _MAX_BYTES), str(path)))
    except ValidationError as error:
        raise InputError(f"{path} is not a calibration file", hint=_HINT) from error
    if (file.kind, file.schema_version) != ("calibration", SCHEMA_VERSION) or file.slope <= 0:
        raise InputError(f"{path} is not a calibration file of version {SCHEMA_VERSION}", hint=_HINT)
    return file


class CalibratedClassifier(DelegatingClassifier):
    """Answers as `classifier` does, with the confidence mapped by the calibration file.

    A file that was made for another classifier or catalog causes one warning, and the confidence stays as it is. The
    same holds for the answer of another model than those that the file names.
    """

    def __init__(self, classifier: Classifier, file: CalibrationFile) -> None:
        super().__init__(classifier)
        self._file = file
        self._told: set[str] = set()

    @property
    def wrapped(self) -> Classifier:
        """The classifier whose confidence is mapped."""
        return self._classifier

    def fingerprint(self, catalog: ServiceCatalog) -> str:
        """Includes the curve, so that a cached answer is not used with another curve."""
        return f"{self._classifier.fingerprint(catalog)} {self._file.slope} {self._file.offset}"

    async def choose(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
    ) -> list[Outcome]:
        return self.calibrated(await self._classifier.choose(tickets, catalog, examples), catalog)

    def calibrated(self, outcomes: Sequence[Outcome], catalog: ServiceCatalog) -> list[Outcome]:
        """Returns outcomes of the classifier for `catalog` with their confidence mapped, as far as the file fits."""
        return [self._mapped(outcome) for outcome in outcomes] if self._is_used(catalog) else list(outcomes)

    def _is_used(self, catalog: ServiceCatalog) -> bool:
        fits = self._file.fits(self._classifier, catalog)
        if not fits:
            self._warn("the calibration is not used, because it was made for another classifier or catalog")
        return fits

    def _mapped(self, outcome: Outcome) -> Outcome:
        models = self._file.models
        if outcome.model and outcome.model not in models:
            made_for = ", ".join(models) or "no model"
            self._warn(f"the calibration is not used for answers of {outcome.model}: it was made for {made_for}")
            return outcome
        return _mapped(outcome, self._file.calibration)

    def _warn(self, sentence: str) -> None:
        """Log a warning, once."""
        if sentence not in self._told:
            self._told.add(sentence)
            log.warning("%s", sentence)


def _mapped(outcome: Outcome, calibration: Calibration) -> Outcome:
    if isinstance(outcome, Attribution) and outcome.confidence is not None:
        return replace(outcome, confidence=calibration.probability(outcome.confidence))
    return outcome
