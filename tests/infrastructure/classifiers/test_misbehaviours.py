"""Every way in which a model misbehaves, over the wire of every provider: a single time, it costs no ticket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from ticketattr.application.batches import ask_in_batches
from ticketattr.domain.examples import NO_EXAMPLES
from ticketattr.domain.ticket import Attribution, Ticket
from ticketattr.infrastructure.classifiers.llm.classifier import LLMClassifier

from ...fakes import CATALOG, PASSWORD
from ...servers import (
    Answer,
    HTTPServer,
    Response,
    gemini,
    gemini_classifier,
    gemini_error,
    gemini_text,
    openai,
    openai_classifier,
    openai_error,
    openai_text,
)

pytestmark = pytest.mark.usefixtures("no_backoff")

PAIR = {"request_category": "Access", "request_type": "Password Reset", "confidence": 0.9, "evidence": "password"}
TICKETS = [Ticket(str(number), f"Forgot my password {number}") for number in range(4)]


@dataclass(frozen=True)
class Wire:
    """How a provider answers: a text, with the reason for its end, an error, and each ticket rightly."""

    classifier: Callable[..., LLMClassifier]
    text: Callable[..., Response]
    error: Callable[[int], Response]
    right: Callable[[Callable[[dict[str, Any]], dict[str, Any] | None]], Answer]
    cut_off: str
    blocked: str


WIRES = {
    "gemini": Wire(
        gemini_classifier, gemini_text, lambda status: gemini_error(status, "STATUS"), gemini, "MAX_TOKENS", "SAFETY"
    ),
    "openai": Wire(openai_classifier, openai_text, openai_error, openai, "length", "content_filter"),
}

ITEM = '{"id": %s, "request_category": "Access", "request_type": "%s", "confidence": 0.9, "evidence": ""}'

MISBEHAVIOURS: dict[str, Callable[[Wire], Response]] = {
    "hangs up": lambda wire: Response(hang_up=True),
    "busy": lambda wire: wire.error(503),
    "too many calls": lambda wire: wire.error(429),
    "fails": lambda wire: wire.error(500),
    "a timeout of a proxy": lambda wire: Response(504, b"<html>gateway timeout</html>"),
    "refuses the request": lambda wire: wire.error(400),
    "too large": lambda wire: Response(413, b"<html>too large</html>"),
    "a web page": lambda wire: Response(body=b"<html>Welcome to the hotel</html>"),
    "no text": lambda wire: Response(body=b"\xff\xfe"),
    "nothing": lambda wire: Response(body=b""),
    "an empty object": lambda wire: Response(body={}),
    "a list": lambda wire: Response(body=b"[]"),
    "odd parts": lambda wire: Response(body={"candidates": "text", "choices": "text"}),
    "compressed": lambda wire: Response(body=b"x", headers={"Content-Encoding": "gzip"}),
    "brackets": lambda wire: wire.text("[" * 50_000),
    "empty": lambda wire: wire.text(""),
    "an apology": lambda wire: wire.text("I am sorry, I cannot help with that."),
    "cut off": lambda wire: wire.text('{"items": [{"id": 1'),
    "says that it is cut off": lambda wire: wire.text('{"items": [', wire.cut_off),
    "blocked": lambda wire: wire.text("", wire.blocked),
    "an end from the future": lambda wire: wire.text('{"items": []}', "OUT_OF_COFFEE"),
    "an error with status 200": lambda wire: Response(body={"error": {"code": 500, "message": "no"}}),
    "answers about nobody": lambda wire: wire.text('{"items": []}'),
    "answers about strangers": lambda wire: wire.text(f'{{"items": [{ITEM % (77, "Password Reset")}]}}'),
    "invents an entry": lambda wire: wire.text(f'{{"items": [{ITEM % (1, "Free Lunch")}]}}'),
    "contradicts itself": lambda wire: wire.text(
        f'{{"items": [{ITEM % (1, "Password Reset")}, {ITEM % (1, "Free Lunch")}]}}'
    ),
    "items without ids": lambda wire: wire.text('{"items": [{"request_category": "Access"}]}'),
}


@pytest.mark.parametrize("name", MISBEHAVIOURS)
@pytest.mark.parametrize("wire", WIRES)
def test_a_single_misbehaviour_costs_no_ticket(http: HTTPServer, wire: str, name: str) -> None:
    spoken = WIRES[wire]
    right = spoken.right(lambda ticket: PAIR)
    http.routes["/"] = lambda request: MISBEHAVIOURS[name](spoken) if len(http.requests) == 1 else right(request)

    async def ask() -> list[Any]:
        classifier = spoken.classifier(http.url, max_retries=2, timeout=5.0)
        return await ask_in_batches(
            TICKETS, CATALOG, classifier, lambda answers: None, lambda done, of: None, NO_EXAMPLES
        )

    outcomes = anyio.run(ask)
    assert [outcome.entry for outcome in outcomes if isinstance(outcome, Attribution)] == [PASSWORD] * len(TICKETS)
    assert 2 <= len(http.requests) <= 4
