"""Mail addresses and phone numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .found import Found, lowered, numbers_in

_AT = re.compile(
    r"@|%40|&#64;|\\u0040"
    r"|[ \t]{0,2}(?:[\[({<][ \t]{0,2}(?:at|ät|arroba|arobase|@)[ \t]{0,2}[\])}>])[ \t]{0,2}"
    r"|[ \t](?:at(?=[ \t][\w-]{1,63}[ \t]dot[ \t])|@)[ \t]",
    re.IGNORECASE,
)
_AT_HINT = re.compile(
    r"@|%40|&#64;|\\u0040|\[\s{0,2}(?:at|ät|ar)|\(\s{0,2}(?:at|ät|ar)|\{\s{0,2}(?:at|ät|ar)|<\s{0,2}(?:at|ät|ar)| dot "
)
"""Without it, no address is in a text."""
_MARK = r"\u0300-\u036f"
_OF_LOCAL = frozenset("_.+'!#$^~*-" + "".join(map(chr, range(0x300, 0x370))))
_LONGEST_LOCAL = 320
_DOT = r"(?:\.|[ \t]?[\[({<][ \t]?(?:dot|punkt|point|punto|\.)[ \t]?[\])}>][ \t]?|[ \t](?:dot|punkt)[ \t])"
_LABEL = rf"[\w{_MARK}](?:[\w{_MARK}-]{{0,61}}[\w{_MARK}])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}{_DOT}){{1,8}}(?:[^\W\d_]{{2,24}}|xn--[\w-]{{2,59}})(?![\w{_MARK}])", re.IGNORECASE)
_NOT_PERSONAL = re.compile(r"git@|[^@]{1,320}@[23]x\.|[^@]{1,320}@\d{1,5}\.\d")
"""The login of Git servers, pictures for fine screens, versions of packages."""


def find_addresses(text: str) -> Iterator[Found]:
    """Finds mail addresses, also those that are spelled `name (at) example (dot) com`."""
    for at in _AT.finditer(text) if _AT_HINT.search(lowered(text)) else ():
        domain = _DOMAIN.match(text, at.end())
        start = _start_of_local(text, at.start())
        if domain is None or start == at.start() or _is_in_url(text[max(0, start - 80) : start]):
            continue
        if not _NOT_PERSONAL.match(text[start : domain.end()]):
            yield Found(start, domain.end(), "EMAIL")


def _start_of_local(text: str, end: int) -> int:
    """Returns where the part of an address before the sign begins that is at `end`; `end` if there is none."""
    if text[end - 1 : end] == '"':
        start = text.rfind('"', max(0, end - 66), end - 1)
        return start if start >= 0 else end
    start = end
    while start > max(0, end - _LONGEST_LOCAL) and (text[start - 1].isalnum() or text[start - 1] in _OF_LOCAL):
        start -= 1
    return start + len(text[start:end]) - len(text[start:end].lstrip("'.+-*~#"))


def _is_in_url(before: str) -> bool:
    """Whether what comes next is the user of a URL: in `https://name:password@host`, that is a secret."""
    _, scheme, rest = before.rpartition("://")
    return bool(scheme) and not re.search(r"[\s/@]", rest)


_GAP = r"[ \t().\-/]{0,3}"
_INTERNATIONAL = re.compile(rf"(?<![\w+.,])\(?(?:\+|00)(?=[ (]{{0,2}}[1-9])(?:{_GAP}\d){{7,17}}(?!\w)")
_TRUNK = re.compile(rf"(?<![\w+.,:/#-])\(?0[1-9](?:{_GAP}\d){{5,12}}(?!\w)(?![.,:]\d)")
_WITHOUT_TRUNK = re.compile(
    r"(?<![\w+.,:/#-])(?:"
    r"(?:1[-. ])?(?:\([2-9]\d\d\)[ -]?|[2-9]\d\d[-. ])[2-9]\d\d[-. ]\d{4}"  # North America
    r"|\(\d{2,5}\)[ -]?\d{3,5}[ -]?\d{3,5}"  # an area code in brackets
    r"|[6-9]\d\d \d{3} \d{3}|[6-9]\d{2}(?: \d\d){3}|9\d \d{3} \d\d \d\d"  # Spain, Portugal, Poland
    r"|3\d\d[ .-/]?\d{3} ?\d{4}"  # mobile phones in Italy
    r"|[6-9]\d{4}[ -]\d{5}"  # India
    r")(?!\w)(?![.,:-]\d)"
)
_BRITISH = re.compile(r"07\d{3} ?\d{3} ?\d{3}|01\d{3} \d{3} ?\d{3}|02\d \d{4} \d{4}|\(0\d{2,4}\) ?\d{3,4} ?\d{3,4}")
_DAY, _MONTH = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])"
_DATE = re.compile(rf"(?:{_DAY}([./-]){_MONTH}\1|{_MONTH}/{_DAY}/)\d{{2,4}}(?!\d|[./-]\d)")
_ANNOUNCED_NUMBER = re.compile(r"(?<![\w+.,#/-])\(?\+?\d(?:[ \t().\-/]{0,3}\d){6,15}(?!\w)")
_ANNOUNCING = re.compile(
    r"(?<![^\W\d_])(?:tel|tél|tlf|telefon|telefonnummer|telefoonnummer|telefono|teléfono|telefoon|telephone|téléphone"
    r"|phone|phone number|mobile|mobil|mobilnummer|móvil|cell|cellphone|cellular|handy|handynummer|portable|fax"
    r"|faxnummer|whatsapp|sms|rufnummer|rückruf|rückrufnummer|call(?: me| us)?|reach me|ring me|text me|dial"
    r"|appel\w{0,4}(?:-moi)?|ll[aá]ma(?:dme|me)|chiama(?:temi|mi)?|anrufen|callback"
    r"|my number|meine nummer|mon numéro|mi número)(?![^\W\d_])"
    r"(?P<between>[^\d\n]{0,25})\Z",
    re.IGNORECASE,
)
_SHORT_NUMBER = re.compile(r"(?<![\w.,#/])(?<!\w-)-?(?P<number>\d(?:-?\d){2,6})(?!\w)(?![.,:]\d)")
_ANNOUNCING_SHORT = re.compile(
    r"(?<![\w.])(?:durchwahl|nebenstelle|dw|extension|ext|poste|extensión|interno|toestel)(?![^\W\d_])"
    r"[^\w\n]{0,4}(?:(?:ist|is|est|es|nr|no|number|nummer|lautet)[^\w\n]{1,3})?\Z",
    re.IGNORECASE,
)
_FEWEST = 7
"""How many digits a number has at least that is no extension."""
_SHORT_WORDS = ("durchwahl", "nebenstelle", "dw", "ext", "poste", "interno", "toestel")
_REACH = 45
"""How far before a number its announcement may begin, in characters."""
_OTHER_NUMBER = re.compile(
    r"imei|serial|order|ticket|invoice|asset|model|inventar|bestell|rechnung|kosten|version|commande|pedido|\bpo\b|\bsn\b"
    r"|personal|material|kunden|vorgang|auftrag|\binc|\breq|\bchg",
    re.IGNORECASE,
)


def find_phone_numbers(text: str, is_phone_number: Callable[[str], bool]) -> Iterator[Found]:
    """Finds phone numbers: international ones, announced ones, and those that are written as one in some country.

    `is_phone_number` says whether some country has such a number.
    """
    if any(numbers_in(text, _FEWEST)):
        yield from _with_form_of_phones(text, is_phone_number)
        yield from _announced(text)
    lower = lowered(text)
    if any(word in lower for word in _SHORT_WORDS):
        yield from _extensions(text)


def _with_form_of_phones(text: str, is_phone_number: Callable[[str], bool]) -> Iterator[Found]:
    for match in _INTERNATIONAL.finditer(text):
        number = match[0]
        # What begins with 00 may be any number of a form.
        if "+" in number or (" " in number and "-" not in number) or is_phone_number(number):
            yield Found(*match.span(), "PHONE")
    for match in _TRUNK.finditer(text):
        if _is_with_trunk(match[0], is_phone_number):
            yield Found(*match.span(), "PHONE")
    for match in _WITHOUT_TRUNK.finditer(text):
        if not _DATE.match(match[0]) and is_phone_number(match[0]):
            yield Found(*match.span(), "PHONE")


def _is_with_trunk(number: str, is_phone_number: Callable[[str], bool]) -> bool:
    """Whether a number that begins with 0 is written as phone numbers are: several dashes are those of an article."""
    if _DATE.match(number):
        return False
    if _BRITISH.fullmatch(number):
        return True
    if number.count("-") > 1 and "/" not in number:
        return False
    return is_phone_number(number)


def _announced(text: str) -> Iterator[Found]:
    for match in _ANNOUNCED_NUMBER.finditer(text):
        announced = _ANNOUNCING.search(text, max(0, match.start() - _REACH), match.start())
        if announced and not _OTHER_NUMBER.search(announced["between"]) and not _DATE.match(match[0]):
            yield Found(*match.span(), "PHONE")


def _extensions(text: str) -> Iterator[Found]:
    for match in _SHORT_NUMBER.finditer(text):
        if _ANNOUNCING_SHORT.search(text, max(0, match.start("number") - _REACH), match.start("number")):
            yield Found(*match.span("number"), "PHONE")
