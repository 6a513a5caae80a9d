"""Fetch the queue and the catalog that it is to be attributed to."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..domain.catalog import ServiceCatalog
from ..domain.ticket import Ticket
from .ports import CatalogSource, Helpdesk

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    catalog: ServiceCatalog
    tickets: list[Ticket]

    @property
    def counts(self) -> dict[str, int]:
        return {"tickets": len(self.tickets), "request_types": len(self.catalog.entries)}


def fetch_tickets(helpdesk: Helpdesk, catalog_source: CatalogSource) -> Fetched:
    # The catalog first: without one, asking for the queue is of no use.
    catalog = catalog_source.fetch_catalog()
    log.info("service catalog fetched: %d request types", len(catalog.entries))
    tickets = helpdesk.fetch_tickets()
    log.info("queue fetched: %d tickets", len(tickets))
    return Fetched(catalog, tickets)
