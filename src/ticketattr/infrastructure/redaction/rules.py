"""The redactor of a desk: all rules, and the terms of its own file."""

from __future__ import annotations

from ...domain.redaction.redactor import Redactor
from ...domain.redaction.rules import with_rules
from .phone_numbers import is_phone_number
from .terms_file import Terms


def build_redactor(terms: Terms) -> Redactor:
    """Returns the redactor with all rules and these terms."""
    return with_rules(is_phone_number, terms.finders, terms.fingerprint)
