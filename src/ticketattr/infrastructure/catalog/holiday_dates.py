"""Public holidays of a region, by the `holidays` package (extra `holidays`)."""

from __future__ import annotations

import re
import warnings
from datetime import date
from difflib import get_close_matches
from functools import lru_cache

from ...errors import CatalogError, SettingsError
from ..extras import install_hint

YEARS = range(2000, 2100)
"""The years whose holidays are known to a report. Of some countries, the package knows fewer."""

_REGION = re.compile(r"([A-Z]{2})(?:-(\S.{0,60}))?")
_MAX_NAMED = 20


@lru_cache(maxsize=64)
def holiday_dates(region: str) -> frozenset[date]:
    """The public holidays of `DE`, or of a part of it, `DE-BE` (ISO 3166).

    Raises CatalogError for a region that the package does not know, and SettingsError where the package is missing.
    """
    try:
        import holidays
    except ImportError:
        raise SettingsError(
            "the catalog names holidays, which need an extra package", hint=install_hint("holidays")
        ) from None

    match = _REGION.fullmatch(region)
    countries = holidays.list_supported_countries(include_aliases=False)
    if match is None or match[1] not in countries:
        raise CatalogError(f"there is no holiday region '{region}'{_countries_like(region, countries)}")
    country, part = match[1], match[2]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about years that the package does not know
            return frozenset(holidays.country_holidays(country, subdiv=part, years=YEARS))
    except NotImplementedError:
        known = [f"{country}-{code}" for code in countries[country]]
        raise CatalogError(f"there is no holiday region '{region}'{_some(known, region)}") from None


def _countries_like(region: str, countries: dict[str, list[str]]) -> str:
    match = _REGION.fullmatch(region.upper())
    if match and region.upper() != region and match[1] in countries:
        return f"; did you mean '{region.upper()}'?"
    return "; a region is a country like 'DE', or a part of it like 'DE-BE' (ISO 3166)"


def _some(known: list[str], region: str) -> str:
    if not known:
        return f"; the package knows no parts of {region[:2]}"
    close = get_close_matches(region, known, n=1, cutoff=0.8) if len(region) > len("DE-BE") else []
    more = ", …" if len(known) > _MAX_NAMED else ""
    return f"; did you mean '{close[0]}'?" if close else f"; there are {', '.join(known[:_MAX_NAMED])}{more}"
