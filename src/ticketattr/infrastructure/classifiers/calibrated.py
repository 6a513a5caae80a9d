"""A calibration on file, and a classifier whose confidence goes through it.

    {"kind": "calibration", "schema_version": 1, "classifier": "…", "slope": …, "offset": …, "tickets": …}

`classifier` is the fingerprint of the classifier over its catalog: a curve says nothing about another one.
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
    """`tickets`: on how many it was fitted."""

    kind: str
    schema_version: int
    classifier: str
    slope: float
    offset: float
    tickets: int

    @property
    def calibration(self) -> Calibration:
        return Calibration(self.slope, self.offset)

    def fits(self, classifier: Classifier, catalog: ServiceCatalog) -> bool:
        """Whether it was made for that one, over that catalog."""
        return self.classifier == classifier.fingerprint(catalog)


_FILE = TypeAdapter(CalibrationFile)


def write_calibration(path: Path, calibration: Calibration, *, classifier: str, tickets: int) -> None:
    content = CalibrationFile("calibration", SCHEMA_VERSION, classifier, calibration.slope, calibration.offset, tickets)
    with output(path) as file:
        file.write(dump_json(_FILE.dump_python(content)))


def read_calibration(path: Path) -> CalibrationFile:
    """Raises InputError."""
    try:
        file = _FILE.validate_python(parse_json(read_bounded(path, _MAX_BYTES), str(path)))
    except ValidationError as error:
        raise InputError(f"{path} is no calibration file", hint=_HINT) from error
    if (file.kind, file.schema_version) != ("calibration", SCHEMA_VERSION) or file.slope <= 0:
        raise InputError(f"{path} is no calibration file of version {SCHEMA_VERSION}", hint=_HINT)
    return file


class CalibratedClassifier(DelegatingClassifier):
    """Answers as `classifier` does; with its confidence mapped, where the file was made for it.

    A file of another classifier or catalog is said once and not used.
    """

    def __init__(self, classifier: Classifier, file: CalibrationFile) -> None:
        super().__init__(classifier)
        self._file = file
        self._is_told = False

    def fingerprint(self, catalog: ServiceCatalog) -> str:
        """With the curve, so that no answer is kept under one and read under another."""
        return f"{self._classifier.fingerprint(catalog)} {self._file.slope} {self._file.offset}"

    async def choose(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples = NO_EXAMPLES
    ) -> list[Outcome]:
        outcomes = await self._classifier.choose(tickets, catalog, examples)
        if not self._is_used(catalog):
            return outcomes
        return [_mapped(outcome, self._file.calibration) for outcome in outcomes]

    def _is_used(self, catalog: ServiceCatalog) -> bool:
        fits = self._file.fits(self._classifier, catalog)
        if not fits and not self._is_told:
            log.warning("the calibration is not used: it was made for another classifier or catalog")
            self._is_told = True
        return fits


def _mapped(outcome: Outcome, calibration: Calibration) -> Outcome:
    if isinstance(outcome, Attribution) and outcome.confidence is not None:
        return replace(outcome, confidence=calibration.probability(outcome.confidence))
    return outcome
