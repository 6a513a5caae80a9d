"""Signs that the text of a ticket is meant to steer a language model."""

from __future__ import annotations

import re

from .ticket import Ticket

_SIGNS = {
    "speaks of instructions to ignore": re.compile(
        r"\b(ignore|disregard|forget|override)\b.{0,40}\b(instruction|prompt|rule|above|previous|system)", re.I | re.S
    ),
    "pretends to be the system": re.compile(
        r"(?m)^[^\w\n]*(system|assistant|developer)( prompt| message)?\s*:|<\|?(im_start|system)|\[/?INST\]", re.I
    ),
    "pretends to end the data": re.compile(r"</?\s*(tickets|data|system|user)\s*>|```", re.I),
    "pretends to be an answer": re.compile(r"""["']?(items|request_category|request_type)["']?\s*[:=]""", re.I),
    "hides text": re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\U000e0000-\U000e007f]{2,}"),
}


def find_prompt_injection(ticket: Ticket) -> str:
    """Returns a description of the signs of an attempt to steer a model; empty when there are none.

    A sign is not a proof. Such a ticket is attributed like any other, and marked for review by a person.
    """
    text = f"{ticket.short_description}\n{ticket.long_description}"
    return ", ".join(meaning for meaning, sign in _SIGNS.items() if sign.search(text))
