"""The card of a model as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from ...domain.learning import Figures, ModelCard
from ...domain.statistics import Estimate
from ...domain.wording import counted, some_of

_NAMED = 6
_FEW = 5


def card_text(card: ModelCard) -> str:
    """Returns what a model was learned from and what it reaches, a line for each fact."""
    return "\n".join(_lines(card))


def _lines(card: ModelCard) -> Iterator[str]:
    when = f", created from {card.first[:10]} to {card.last[:10]}" if card.first else ", without creation times"
    yield f"learned from: {counted(card.tickets, 'ticket')} of {counted(len(card.types), 'request type')}{when}"
    if card.languages:
        yield f"languages: {some_of((f'{name} {count:,}' for name, count in card.languages.items()), _NAMED)}"
    for reason, count in card.left_out.items():
        yield f"left out: {counted(count, 'ticket')} ({reason})"
    if card.repeated:
        yield (
            f"repeated: {counted(card.repeated, 'ticket')} with the words of another one; they are in the same fold, "
            "so that none answers another"
        )
    if few := [name for name, count in card.types.items() if count < _FEW]:
        yield f"fewer than {_FEW} tickets: {some_of(few, _NAMED)}"
    yield from _figures("cross-validation", card.cross_validation)
    yield from _figures("latest fifth by time", card.latest)
    if card.without:
        yield f"without learning: {_share(card.without.accuracy)} of the same tickets right"
    if not card.cross_validation:
        yield "not measured: there are too few tickets, so the confidence is that of the shipped map"


def _figures(name: str, figures: Figures | None) -> Iterator[str]:
    if figures:
        threshold = f" from {figures.threshold:.2f} on" if figures.threshold is not None else ""
        yield (
            f"{name}: {_share(figures.accuracy)} of {counted(figures.tickets, 'ticket')} right, calibration error "
            f"{figures.ece:.3f}, {figures.coverage.value:.3f} covered at {figures.target:.0%}{threshold}"
        )


def _share(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
