"""Attribute each ticket to an entry of the catalog, or say why not."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence

import anyio

from ..domain.catalog import ServiceCatalog
from ..domain.ticket import AttributedTicket, Attribution, Outcome, Ticket, Unattributed
from .ports import BatchFailed, Classifier, Progress

log = logging.getLogger(__name__)


def classify_tickets(
    tickets: Sequence[Ticket], catalog: ServiceCatalog, classifier: Classifier, progress: Progress
) -> list[AttributedTicket]:
    """Every ticket with its outcome, in the order of the queue.

    A ticket that came with a pair of the catalog keeps it and is not shown to the classifier. A batch
    that fails leaves its tickets unattributed, with the reason. Raises SettingsError when no batch can
    succeed.
    """
    kept = {place: outcome for place, ticket in enumerate(tickets) if (outcome := _kept(ticket, catalog))}
    open_places = [place for place in range(len(tickets)) if place not in kept]
    open_tickets = [tickets[place] for place in open_places]
    log.info("%d tickets keep the pair they came with, %d to classify", len(kept), len(open_tickets))
    chosen = anyio.run(_choose_all, open_tickets, catalog, classifier, progress) if open_tickets else []
    outcomes = kept | dict(zip(open_places, chosen, strict=True))
    return [AttributedTicket(ticket, outcomes[place]) for place, ticket in enumerate(tickets)]


def _kept(ticket: Ticket, catalog: ServiceCatalog) -> Outcome | None:
    entry = catalog.find(ticket.request_category, ticket.request_type)
    return Attribution(entry, source="kept") if entry else None


async def _choose_all(
    tickets: Sequence[Ticket], catalog: ServiceCatalog, classifier: Classifier, progress: Progress
) -> list[Outcome]:
    batches = list(_batches(tickets, classifier.batch_size))
    outcomes: list[Outcome] = []
    progress(0, len(batches))
    async with classifier:
        for number, batch in enumerate(batches, start=1):
            started = time.monotonic()
            outcomes += await _choose(batch, catalog, classifier, label=f"batch {number} of {len(batches)}")
            progress(number, len(batches))
            if number < len(batches):
                await anyio.sleep(max(0.0, classifier.pause - (time.monotonic() - started)))
    return outcomes


async def _choose(
    batch: Sequence[Ticket], catalog: ServiceCatalog, classifier: Classifier, label: str
) -> list[Outcome]:
    try:
        outcomes = await classifier.choose(batch, catalog)
    except BatchFailed as error:
        log.warning("%s failed, its %d tickets stay as they are: %s", label, len(batch), error)
        return [Unattributed(error.reason, str(error))] * len(batch)
    log.info("%s classified: %d tickets", label, len(batch))
    return outcomes


def _batches(tickets: Sequence[Ticket], size: int) -> Iterator[Sequence[Ticket]]:
    return (tickets[start : start + size] for start in range(0, len(tickets), size))
