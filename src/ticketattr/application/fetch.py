"""Fetch the service catalog and the queue of tickets."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..domain.catalog import ServiceCatalog
from ..domain.ticket import Ticket
from .ports import CatalogSource, Helpdesk

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """The result of a fetch; `tickets` come in the order of the queue."""

    catalog: ServiceCatalog
    tickets: list[Ticket]

    @property
    def counts(self) -> dict[str, int]:
        """The number of tickets and of request types, for the progress of the run."""
        return {"tickets": len(self.tickets), "request_types": len(self.catalog.entries)}


def fetch_tickets(helpdesk: Helpdesk, catalog_source: CatalogSource) -> Fetched:
    """The catalog and the queue. Raises SettingsError, InputError or ServiceError."""
    # The catalog comes first: without it, nobody needs the queue.
    catalog = catalog_source.fetch_catalog()
    log.info("service catalog fetched: %d request types", len(catalog.entries))
    tickets = helpdesk.fetch_tickets()
    log.info("queue fetched: %d tickets", len(tickets))
    return Fetched(catalog, tickets)
