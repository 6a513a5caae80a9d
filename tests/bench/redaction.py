"""What redaction costs: `python -m tests.bench.redaction [GOLD CATALOG]…`.

Prints, for each gold set, how often the embedded classifier finds the right pair with the tickets as they are, and
redacted; then both again with a private text at the end of each description. The last line is the CPU time for 10,000
tickets.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import anyio

from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.ticket import Attribution, Ticket
from ticketattr.infrastructure.catalog.yaml_format import parse_catalog
from ticketattr.infrastructure.classifiers.offline.classifier import OfflineClassifier
from ticketattr.infrastructure.classifiers.redacted import redact_batch
from ticketattr.infrastructure.evaluation.gold_files import GoldFile
from ticketattr.infrastructure.redaction.rules import build_redactor
from ticketattr.infrastructure.redaction.terms_file import Terms

from ..private_texts import private_texts

_BATCH = 30
_REDACTOR = build_redactor(Terms())


def main(paths: Sequence[str]) -> None:
    print(
        "| gold set | as it is | redacted | with private text | with private text, redacted |\n"
        "| --- | --- | --- | --- | --- |"
    )
    read: list[Ticket] = []
    for gold_path, catalog_path in zip(paths[::2], paths[1::2], strict=True):
        catalog = parse_catalog(Path(catalog_path).read_bytes(), catalog_path)
        gold = GoldFile.read(Path(gold_path)).tickets(catalog)
        read += [case.ticket for case in gold]
        shares = (right(gold, catalog, change) / len(gold) for change in (list, redacted, longer, longer_redacted))
        print(f"| {Path(gold_path).stem} | {' | '.join(f'{share:.3f}' for share in shares)} |", flush=True)
    tickets = list(islice(cycle(longer(read)), 10_000))
    start = time.process_time()
    redacted(tickets)
    print(f"\n{time.process_time() - start:.1f} s for 10,000 tickets of {mean_size(tickets)} characters")


def right(
    gold: Sequence[GoldTicket], catalog: ServiceCatalog, change: Callable[[Sequence[Ticket]], Sequence[Ticket]]
) -> int:
    """How many tickets are right after the change."""
    outcomes = anyio.run(OfflineClassifier().choose, change([case.ticket for case in gold]), catalog)
    pairs = zip(outcomes, gold, strict=True)
    return sum(isinstance(outcome, Attribution) and outcome.entry == case.entry for outcome, case in pairs)


def redacted(tickets: Sequence[Ticket]) -> Sequence[Ticket]:
    return list(_redacted(tickets))


def _redacted(tickets: Sequence[Ticket]) -> Iterator[Ticket]:
    for start in range(0, len(tickets), _BATCH):
        yield from redact_batch(tickets[start : start + _BATCH], (), _REDACTOR).tickets


def longer(tickets: Sequence[Ticket]) -> Sequence[Ticket]:
    """Each ticket with one of the private texts at its end."""
    private = [text.text for text in list(private_texts())[::7]]
    return [
        replace(ticket, long_description=f"{ticket.long_description}\n{text}")
        for ticket, text in zip(tickets, cycle(private), strict=False)
    ]


def longer_redacted(tickets: Sequence[Ticket]) -> Sequence[Ticket]:
    return redacted(longer(tickets))


def mean_size(tickets: Sequence[Ticket]) -> int:
    return sum(len(text) for ticket in tickets for text in ticket.texts) // len(tickets)


if __name__ == "__main__":
    main(sys.argv[1:])
