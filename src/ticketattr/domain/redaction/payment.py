"""Numbers of bank accounts (IBAN) and of payment cards, by their check digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .checksums import luhn, mod97
from .found import Found

_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22"
        "GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20"
        "MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26"
        "UA29VA22VG24XK20YE30",
    )
}
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ .-]?\d{2}(?=[ .-]{0,2}[A-Za-z0-9])")
_LETTER_OR_DIGIT = re.compile(r"[ .\-\n]{0,2}[A-Za-z0-9]")

_CARD = re.compile(r"(?<![\w+])(?<!\d[.,-])[2-6](?:[ \t\n.\-_/]{0,2}\d){11,18}(?!\w)")
_BRANDS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12,15}"  # Discover
    r"|3(?:0[0-5]|09|[689]\d)\d{11}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"  # JCB
    r"|62\d{14,17}"  # UnionPay
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3]|0604)\d{8,15}"  # Maestro
)


def find_ibans(text: str) -> Iterator[Found]:
    """Finds account numbers in any spelling whose length and check digits are right."""
    for start in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(start[0][:2].upper())
        end = _end_of(text, start.end(), length - 4) if length else 0
        if end and mod97(re.sub(r"[^A-Za-z0-9]", "", text[start.start() : end])):
            yield Found(start.start(), end, "IBAN")


def _end_of(text: str, start: int, count: int) -> int:
    """Returns where the next `count` letters and digits end; 0 if there are fewer, or if the last word goes on."""
    for _ in range(count):
        match = _LETTER_OR_DIGIT.match(text, start)
        if match is None:
            return 0
        start = match.end()
    return 0 if text[start : start + 1].isalnum() else start


def find_cards(text: str) -> Iterator[Found]:
    """Finds card numbers: the digits of a brand, of its length, with the right check digit."""
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if _BRANDS.fullmatch(digits) and luhn(digits) and len(set(digits)) > 1:
            yield Found(*match.span(), "CARD")
