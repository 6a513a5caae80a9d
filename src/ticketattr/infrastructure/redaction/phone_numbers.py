"""Which numbers are phone numbers in some country. `phonenumberslite` is the library without names of places: 3 MB."""

from __future__ import annotations

from functools import lru_cache

_COUNTRIES = ("DE", "US", "GB", "FR", "ES", "IT", "AT", "CH", "NL", "BE", "PL", "PT", "SE", "AU", "IN", "BR", "JP")
"""Where a number without the code of a country may be valid."""


@lru_cache(maxsize=4096)
def is_phone_number(number: str) -> bool:
    """Returns whether one of the countries has such a number. One with a country's code only has to be valid there."""
    return any(_is_valid(number, country) for country in _COUNTRIES)


def _is_valid(number: str, country: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, country))
    except phonenumbers.NumberParseException:
        return False
