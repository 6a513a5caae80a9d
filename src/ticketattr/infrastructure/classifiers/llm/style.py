"""The two forms of prompt and answer that a model can be asked in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....domain.catalog import ServiceCatalog
from ....domain.examples import Example
from ....domain.ticket import Outcome, Ticket
from .answer import compact_items, full_items, read_answer, read_compact_answer
from .answer_schema import closed_schema, open_schema
from .chat_model import JSONSchema
from .compact import compact_rules, compact_schema, compact_system, compact_user
from .prompt import PROMPT_VERSION, default_rules, system_instruction, user_text


@dataclass(frozen=True, slots=True)
class PromptStyle:
    """How a model is asked and its answer read. `name` tells it from others in fingerprints.

    `user` gets tickets, examples and the id of the first ticket. `schema` gets the catalog that it is closed over, or
    None. `read` gets the answer, the number of tickets, the catalog and the model that answered; `items` gets the
    answer and the catalog.
    """

    name: str
    default_rules: Callable[[], str]
    system: Callable[[ServiceCatalog, str], str]
    user: Callable[[Sequence[Ticket], Sequence[Example], int], str]
    schema: Callable[[ServiceCatalog | None], JSONSchema]
    read: Callable[[str, int, ServiceCatalog, str], list[Outcome]]
    items: Callable[[str, ServiceCatalog], Sequence[Mapping[str, Any]]]


FULL = PromptStyle(
    str(PROMPT_VERSION),
    default_rules,
    system_instruction,
    user_text,
    lambda catalog: closed_schema(catalog) if catalog else open_schema(),
    read_answer,
    full_items,
)
"""Names of the catalog, and the words of the ticket that decided."""

COMPACT = PromptStyle(
    f"{PROMPT_VERSION} compact",
    compact_rules,
    compact_system,
    compact_user,
    compact_schema,
    read_compact_answer,
    compact_items,
)
"""Codes, and no evidence: at most 0.6 of the tokens."""
