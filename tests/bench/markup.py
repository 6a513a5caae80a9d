"""How often the embedded classifier is right on descriptions in HTML: `python -m tests.bench.markup GOLD CATALOG`.

Prints a table: accuracy of the pair as in the gold set, and with its descriptions in seven kinds of HTML, each with its
text read out of the markup as the helpdesk reader does it, and with the markup taken for text.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import anyio

from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.statistics import wilson_estimate
from ticketattr.domain.ticket import Attribution
from ticketattr.infrastructure.catalog.yaml_format import parse_catalog
from ticketattr.infrastructure.classifiers.offline.classifier import OfflineClassifier
from ticketattr.infrastructure.evaluation.gold_files import GoldFile
from ticketattr.infrastructure.helpdesk.ticket_fields import read_description

from ..markup import KINDS


def main(gold_path: str, catalog_path: str) -> None:
    catalog = parse_catalog(Path(catalog_path).read_bytes(), catalog_path)
    gold = GoldFile.read(Path(gold_path)).tickets(catalog)
    print("| descriptions | right pair | with the markup taken for text |\n| --- | --- | --- |")
    print(f"| plain | {_figure(right(gold, catalog, str), len(gold))} | |")
    for kind, wrap in KINDS.items():
        read = right(gold, catalog, lambda text, wrap=wrap: read_description(wrap(text)))  # type: ignore[misc]
        raw = right(gold, catalog, wrap)
        print(f"| {kind} | {_figure(read, len(gold))} | {_figure(raw, len(gold))} |")


def right(gold: Sequence[GoldTicket], catalog: ServiceCatalog, change: Callable[[str], str]) -> int:
    """How many tickets are right with their descriptions changed; those without one stay without."""
    tickets = [
        replace(case.ticket, long_description=change(text)) if (text := case.ticket.long_description) else case.ticket
        for case in gold
    ]
    outcomes = anyio.run(OfflineClassifier().choose, tickets, catalog)
    return sum(
        isinstance(outcome, Attribution) and outcome.entry == case.entry
        for outcome, case in zip(outcomes, gold, strict=True)
    )


def _figure(right: int, total: int) -> str:
    figure = wilson_estimate(right, total)
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
