"""Makes lessons of labelled tickets, of the texts of a catalog, and of what people decided in reports."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ....application.ports import NO_PROGRESS, LearningProgress
from ....domain.catalog import RequestType, ServiceCatalog
from ....domain.examples import Example
from ....domain.gold import GoldTicket
from ....domain.label_audit import SHOWN_OTHERS, Guess
from ....domain.learning import FOLDS, Answer, ModelCard, digest_of_words
from ....domain.ticket import Ticket
from .features import WORD_DIMENSIONS, Features, features_of, features_of_texts, joined
from .learned import Learned, Mix, Scores
from .learning import KnownScores, Lesson, Measured, Rows, default_mix, learn, out_of_fold
from .model_file import write_model
from .plain_text import plain
from .ranking import Ranking, texts_by_entry
from .sentence_vectors import DIMENSIONS


@dataclass(frozen=True, slots=True)
class TaughtModel:
    """What a history taught, and what it reaches."""

    learned: Learned
    measured: Measured
    seen: Sequence[int]
    version: int

    @property
    def answers(self) -> Sequence[Answer]:
        return self.measured.answers

    @property
    def latest(self) -> Sequence[Answer]:
        return self.measured.latest

    @property
    def without(self) -> Sequence[Answer]:
        return self.measured.without

    def save(self, path: Path, card: ModelCard) -> int:
        return write_model(path, self.learned, card, self.seen, version=self.version)


MOST_ADDED = 3_000
"""How many tickets are added to a model without learning it again: the last ones."""

_FEW, _FOLDS_OF_FEW = 2_000, 10
"""Few tickets are measured in more folds, so that each fold is answered by almost all of them."""

_BATCH = 500
_MOST_TEXTS = 1_000
"""The texts of a larger catalog do not teach: they would be more than the tickets."""


def taught(ranking: Ranking, labelled: Sequence[GoldTicket], model: Learned | None = None) -> Learned | None:
    """Returns what labelled tickets teach, beyond `model` if there is one; None without anything to learn from.

    Without labelled tickets, the examples in the catalog teach.
    """
    if model:
        added = labelled[-MOST_ADDED:]
        return model.with_tickets(features_of([gold.ticket for gold in added]), [gold.entry.pair for gold in added])
    if labelled:
        return teach(ranking, labelled)[0]
    given = [GoldTicket(Ticket("", text), entry) for entry in ranking.catalog.entries for text in entry.examples]
    return teach(ranking, given, measures=False)[0] if given else None


def taught_by_corrections(ranking: Ranking, decided: Sequence[Example], learned: Learned | None) -> Learned | None:
    """Returns what corrected and confirmed tickets teach beyond `learned`.

    They measure nothing, because people correct what is wrong: they are harder than other tickets.
    """
    if not decided:
        return learned
    if learned:
        features = features_of_texts([example.texts for example in decided])
        return learned.with_tickets(features, [example.entry.pair for example in decided])
    gold = [GoldTicket(Ticket("", *example.texts), example.entry) for example in decided]
    return teach(ranking, gold, measures=False)[0]


def teach_history(
    catalog: ServiceCatalog,
    tickets: Sequence[GoldTicket],
    latest: Sequence[int],
    progress: LearningProgress,
    *,
    version: int,
) -> TaughtModel:
    """Returns what a history teaches a classifier of this version."""
    ranking = Ranking(catalog)
    lesson = _lesson(ranking, tickets, latest, progress, half=True)
    known = _known_scores(ranking, tickets, lesson)
    learned, measured = learn(lesson, known, _start(ranking, tickets), progress=progress)
    return TaughtModel(learned, measured, [digest_of_words(gold.ticket) for gold in tickets], version)


def guess_labels(tickets: Sequence[GoldTicket], catalog: ServiceCatalog, progress: LearningProgress) -> list[Guess]:
    """Returns how likely the label of each ticket is, and which other types are likely, by what other tickets teach."""
    ranking = Ranking(catalog)
    lesson = _lesson(ranking, tickets, (), progress, half=True)
    known = _known_scores(ranking, tickets, lesson)
    guesses = [Guess(0.0, ())] * len(tickets)
    for rows, shares in out_of_fold(lesson, known, _start(ranking, tickets), progress=progress):
        best = np.argsort(-shares, axis=1, kind="stable")[:, : SHOWN_OTHERS + 1]
        for row, places, found in zip(rows.tolist(), best.tolist(), shares, strict=True):
            own = int(lesson.labels[row])
            others = tuple((place, float(found[place])) for place in places if place != own)
            guesses[row] = Guess(float(found[own]), others[:SHOWN_OTHERS])
    return guesses


def teach(ranking: Ranking, tickets: Sequence[GoldTicket], *, measures: bool = True) -> tuple[Learned, Measured]:
    """Returns what at least one ticket teaches, and what that reaches if it `measures`."""
    lesson = _lesson(ranking, tickets)
    types = len({gold.entry for gold in tickets})
    return learn(
        lesson, _known_scores(ranking, tickets, lesson), _start(ranking, tickets), measures=measures and types > 1
    )


def _lesson(
    ranking: Ranking,
    tickets: Sequence[GoldTicket],
    latest: Sequence[int] = (),
    progress: LearningProgress = NO_PROGRESS,
    *,
    half: bool = False,
) -> Lesson:
    """Reads each ticket once. With `half`, the features of many tickets take half of the memory."""
    entries = ranking.catalog.entries
    place_of = {entry: place for place, entry in enumerate(entries)}
    names, name_labels = _texts_that_teach(entries)
    fold_count = FOLDS if len(tickets) > _FEW else _FOLDS_OF_FEW
    shapes = (len(tickets), DIMENSIONS), (len(tickets), WORD_DIMENSIONS)
    features = Features(*(np.empty(shape, np.float16) if half else np.empty(shape, np.float32) for shape in shapes))
    labels, folds = np.empty(len(tickets), np.int64), np.empty(len(tickets), np.int64)
    progress.describe("Computing vectors")
    for start in range(0, len(tickets), _BATCH):
        progress(start, len(tickets))
        rows = slice(start, start + _BATCH)
        part = tickets[rows]
        found = features_of([gold.ticket for gold in part])
        features.meaning[rows], features.words[rows] = found.meaning, found.words
        labels[rows] = [place_of[gold.entry] for gold in part]
        folds[rows] = [fold_of(gold.ticket, fold_count) for gold in part]
    return Lesson(
        features=features,
        labels=labels,
        folds=folds,
        pairs=tuple(entry.pair for entry in entries),
        names=names,
        name_labels=name_labels,
        latest=np.array(latest, dtype=np.int64),
        fold_count=fold_count,
    )


def _start(ranking: Ranking, tickets: Sequence[GoldTicket]) -> Mix:
    return default_mix(len(tickets), len(ranking.catalog.entries), learned=ranking.weight_of_learned)


def _known_scores(ranking: Ranking, tickets: Sequence[GoldTicket], lesson: Lesson) -> KnownScores:
    def known(rows: Rows) -> Scores:
        scores = []
        for begin in range(0, len(rows), _BATCH):
            part = rows[begin : begin + _BATCH]
            meaning = lesson.features.meaning[part].astype(np.float32)
            scores.append(ranking.known([tickets[row].ticket for row in part], meaning).scores)
        return np.concatenate(scores)

    return known


def fold_of(ticket: Ticket, folds: int) -> int:
    """Returns the fold of a ticket. Tickets with the same words are in the same one, so that none answers another."""
    words = " ".join(plain(" ".join(ticket.texts)).split())
    return zlib.crc32(words.encode("utf-8", "replace")) % folds


def _texts_that_teach(entries: Sequence[RequestType]) -> tuple[Features, Rows]:
    """Returns names, descriptions, keywords and examples of the catalog, and the position of the entry of each."""
    texts = texts_by_entry(entries)
    if len(texts) > _MOST_TEXTS:
        return joined([]), np.zeros(0, dtype=np.int64)
    return features_of_texts([(text, "") for _, text in texts]), np.array([place for place, _ in texts], dtype=np.int64)
