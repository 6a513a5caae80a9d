"""All rules together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from .contacts import find_addresses, find_phone_numbers
from .found import Finder
from .id_numbers import find_id_numbers
from .keys import find_keys
from .network import find_ip_addresses, find_url_secrets
from .passwords import find_passwords
from .payment import find_cards, find_ibans
from .redactor import Redactor

RULES_VERSION = 2
"""Increase it when the rules change, so that cached answers to texts that were redacted otherwise are not used."""


def with_rules(is_phone_number: Callable[[str], bool], terms: Sequence[Finder] = (), fingerprint: str = "") -> Redactor:
    """Returns the redactor with all rules. `is_phone_number` says whether some country has such a number."""
    rules: tuple[Finder, ...] = (
        find_addresses,
        find_url_secrets,
        find_keys,
        find_passwords,
        find_ibans,
        find_cards,
        find_id_numbers,
        find_ip_addresses,
        partial(find_phone_numbers, is_phone_number=is_phone_number),
    )
    return Redactor((*rules, *terms), f"{RULES_VERSION} {fingerprint}".strip())
