"""Show what redaction would hide in some tickets, without showing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..domain.redaction.found import KINDS, Kind
from ..domain.redaction.masking import masked
from ..domain.redaction.redactor import Redactor
from ..domain.ticket import Ticket

_SAMPLES = 3
_AROUND = 20
"""How many characters of the redacted text are shown before and after what is hidden."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One place in a ticket: the redacted text around it, with a masked form of what is hidden."""

    ticket_id: str
    text: str


@dataclass(frozen=True, slots=True)
class KindFound:
    """How often a kind of private text was found, in how many tickets, and a few places."""

    kind: Kind
    found: int
    tickets: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class RedactionPreview:
    """What would be hidden in `tickets` tickets, of which `private` have something to hide, by kind."""

    tickets: int
    private: int
    kinds: tuple[KindFound, ...]

    @property
    def found(self) -> int:
        """How many private texts were found."""
        return sum(kind.found for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class _Place:
    ticket: int
    kind: Kind
    sample: Sample


def preview_redaction(tickets: Iterable[Ticket], redactor: Redactor) -> RedactionPreview:
    """Returns what the redactor would hide, by kind."""
    count = 0
    places: list[_Place] = []
    for number, ticket in enumerate(tickets):
        count = number + 1
        places += _places(number, ticket, redactor)
    kinds = [_kind(kind, [place for place in places if place.kind == kind]) for kind in KINDS]
    private = len({place.ticket for place in places})
    return RedactionPreview(count, private, tuple(kind for kind in kinds if kind.found))


def _kind(kind: Kind, places: Sequence[_Place]) -> KindFound:
    tickets = len({place.ticket for place in places})
    return KindFound(kind, len(places), tickets, tuple(place.sample for place in places[:_SAMPLES]))


def _places(number: int, ticket: Ticket, redactor: Redactor) -> Iterator[_Place]:
    redaction = redactor.redact([ticket.texts])
    for text in redaction.documents[0]:
        for found, original in redaction.places(text):
            # The text around is redacted, too.
            before, after = text[max(0, found.start - _AROUND) : found.start], text[found.end : found.end + _AROUND]
            shown = f"{before}{masked(original, found.kind)}{after}"
            yield _Place(number, found.kind, Sample(ticket.id, " ".join(shown.split())))
