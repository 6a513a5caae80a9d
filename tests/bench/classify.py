"""Classifies so many tickets: `python -m tests.bench.classify URL TICKETS CONCURRENCY`.

Prints wall and CPU seconds and peak memory as JSON. It is a process of its own, because memory is that of a process.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from ticketattr.application.classify import classify_tickets
from ticketattr.domain.ticket import Ticket
from ticketattr.infrastructure.catalog.source import YAMLCatalog
from ticketattr.infrastructure.classifiers.answer_cache import NoAnswerCache
from ticketattr.infrastructure.classifiers.gemini.chat_model import GeminiChatModel
from ticketattr.infrastructure.classifiers.llm.classifier import LLMClassifier
from ticketattr.infrastructure.options import ChatModelOptions, HTTPPolicy, LLMOptions

CATALOG = Path(__file__).parents[2] / "examples" / "catalog.yaml"


def main(url: str, number: int, concurrency: int) -> None:
    catalog = YAMLCatalog(str(CATALOG), HTTPPolicy()).fetch_catalog()
    tickets = [
        Ticket(f"T-{place}", f"Phone number {place} has no signal", "Since the update this morning. " * 5)
        for place in range(number)
    ]
    client = ChatModelOptions("key", base_url=url, api_version="v1beta", connections=concurrency)
    classifier = LLMClassifier(GeminiChatModel(client), LLMOptions(("gemini-test",), concurrency=concurrency))
    wall, cpu = time.perf_counter(), time.process_time()
    attributed = classify_tickets(tickets, catalog, classifier, NoAnswerCache(), lambda done, total: None)
    assert all(ticket.is_attributed for ticket in attributed)
    figures = {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "tokens_in": classifier.bill.usage.tokens_in,
        "tokens_out": classifier.bill.usage.tokens_out,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
