"""Tax and insurance numbers of persons, by their form, their check digits, and the words before them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import checksums
from .found import Found, lowered, numbers_in

_S = r"[ .\-/]{0,2}"
_FEWEST, _FEWEST_AFTER_PAN = 6, 4
"""How many digits a number has at least."""
_INSIDE = re.compile(r"(?:[a-z0-9]|\d[.,\-/])\Z")
_REACH = 40
"""How far before a number the word that announces it may be, in characters."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """`form` is searched for. Without one of the words `after` before it, a number that fits is none of this kind."""

    form: re.Pattern[str]
    is_right: Callable[[str], bool]
    after: re.Pattern[str] | None = None


def _rule(form: str, is_right: Callable[[str], bool] = lambda number: True, after: str = "") -> _Rule:
    return _Rule(re.compile(rf"(?:{form})(?![a-z0-9])"), is_right, re.compile(after) if after else None)


def _is_date(digits: str) -> bool:
    """Whether six digits are day, month and year in that order or the other."""
    return 1 <= int(digits[2:4]) <= 12 and (1 <= int(digits[:2]) <= 31 or 1 <= int(digits[4:6]) <= 31)


def _is_american(digits: str) -> bool:
    """Whether the parts of a social security number are ones that are given out."""
    return digits[:3] not in ("000", "666") and digits[3:5] != "00" and digits[5:] != "0000"


_GERMAN_HEALTH = r"kranken|versicher|\bkv|kvnr|gesundheitskarte"
_SOCIAL = r"social.?sec|my social|\bssn\b|\bitin\b|\btin\b|sozialvers|\bsv\b|\bsvnr|versicherung"
# The forms are in lower case and begin with one class of characters: so the search skips all others fast.
_RULES = (
    # Germany
    _rule(rf"[1-9]\d{_S}\d{{3}}{_S}\d{{3}}{_S}\d{{3}}", checksums.german_tax_id),
    _rule(rf"\d\d{_S}[0-35-8]\d[01]\d\d\d{_S}[a-z]{_S}\d\d{_S}\d", checksums.german_pension),
    _rule(r"[a-z] ?\d{3} ?\d{3} ?\d{3}", checksums.german_health, _GERMAN_HEALTH),
    _rule(rf"de{_S}\d{{3}}{_S}\d{{3}}{_S}\d{{3}}", lambda number: checksums.mod11_10(number[2:])),
    _rule(r"\d\d\d?[ /]\d{3,4}[ /]\d{4,5}", after=r"steuer-?n(?:ummer|r)|st\.?-?nr"),
    # Austria, Switzerland
    _rule(rf"\d\d{{3}}{_S}\d\d{_S}\d\d{_S}\d\d", checksums.austrian_social, _SOCIAL),
    _rule(r"756[ .]?\d{4}[ .]?\d{4}[ .]?\d\d", checksums.ean13),
    # United Kingdom
    _rule(rf"[a-ceghj-pr-tw-z](?<!bg|gb|kn|nk|nt|tn|zz)[a-ceghj-npr-tw-z]{_S}\d\d{_S}\d\d{_S}\d\d{_S}[a-d]"),
    _rule(r"\d\d\d[ -]?\d{3}[ -]?\d{4}", checksums.british_nhs, r"\bnhs\b|patient"),
    _rule(r"\d\d{4} ?\d{5}", after=r"\butr\b|taxpayer ref"),
    # United States, Canada
    _rule(r"[0-8]\d\d-\d\d-\d{4}", _is_american),
    _rule(r"\d\d\d[ .-]?\d\d[ .-]?\d{4}", _is_american, _SOCIAL),
    _rule(r"\d\d-\d{7}", after=r"\bein\b|employer id"),
    _rule(r"\d\d\d[ -]?\d{3}[ -]?\d{3}", checksums.luhn, r"\bsin\b|social insurance|\bnas\b"),
    # France, Spain, Italy, Portugal
    _rule(
        rf"[1-478]{_S}\d\d{_S}(?:0[1-9]|1[0-2]|[2-9]\d){_S}(?:\d\d|2[ab]){_S}\d{{3}}{_S}\d{{3}}{_S}\d\d",
        checksums.french_nir,
    ),
    _rule(r"[0-3]\d ?\d\d ?\d{3} ?\d{3} ?\d{3}", after=r"num[ée]ro fiscal|\bspi\b"),
    _rule(r"[xyz][ -]?\d{7}[ -]?[a-hj-np-tv-z]", checksums.spanish_dni),
    _rule(r"\d\d(?:\d{6}|\.\d{3}\.\d{3})[ -]?[a-hj-np-tv-z]", checksums.spanish_dni),
    _rule(r"\d\d[ /-]?\d{8}[ /-]?\d\d", checksums.spanish_social, r"seguridad social|\bnuss\b|\bnaf\b|afiliaci"),
    _rule(r"[a-z][a-z]{5} ?\d\d[abcdehlmprst]\d\d ?[a-z]\d{3} ?[a-z]", checksums.italian_code),
    _rule(r"\d\d\d ?\d{3} ?\d{3}", checksums.portuguese_nif, r"\bnif\b|contribuinte"),
    # Netherlands, Belgium, Poland
    _rule(rf"\d\d\d{_S}\d{_S}\d\d{_S}\d{{3}}", checksums.dutch_bsn, r"\bbsn\b|burgerservice|sofi"),
    _rule(r"\d\d\.\d\d\.\d\d[ -]\d{3}[.-]\d\d", checksums.belgian_register),
    _rule(r"\d\d{10}", checksums.belgian_register, r"rijksregister|registre national|\binsz\b|\bniss\b"),
    _rule(r"\d\d{10}", checksums.polish_pesel, r"\bpesel"),
    _rule(r"\d\d\d-?\d{2,3}-?\d\d-?\d{2,3}", after=r"\bnip\b"),
    # Sweden, Denmark, Norway, Finland
    _rule(r"\d\d{5}(?:\d\d)?[-+]\d{4}", lambda number: _is_date(number[-10:]) and checksums.luhn(number[-10:])),
    _rule(r"\d\d{5}-?\d{4}", _is_date, r"\bcpr\b"),
    _rule(r"[0-7]\d[01]\d{3} ?\d{5}", checksums.norwegian_birth),
    _rule(r"[0-3]\d[01]\d{3}[-+a]\d{3}[0-9a-y]", checksums.finnish_hetu),
    # Brazil, India, Australia
    _rule(r"\d\d\d\.\d{3}\.\d{3}-\d\d", checksums.brazilian_cpf),
    _rule(r"\d\d{10}", checksums.brazilian_cpf, r"\bcpf\b"),
    _rule(r"[2-9]\d{3}[ -]\d{4}[ -]\d{4}", checksums.verhoeff),
    _rule(r"[2-9]\d{11}", checksums.verhoeff, "aadhaar|aadhar"),
    _rule(r"[a-z][a-z]{2}[abcfghljpt][a-z]\d{4}[a-z]", after=r"\bpan\b"),
    _rule(r"\d\d\d ?\d{3} ?\d{3}", checksums.australian_tfn, r"\btfn\b|tax file"),
)
_UNANNOUNCED = tuple(rule for rule in _RULES if rule.after is None)
_ANY_WORD = re.compile("|".join(rule.after.pattern for rule in _RULES if rule.after))


def find_id_numbers(text: str) -> Iterator[Found]:
    """Finds tax and insurance numbers."""
    lower = lowered(text)
    # Of the numbers with fewer digits, one has that word before it.
    places = list(numbers_in(text, _FEWEST_AFTER_PAN if "pan" in lower else _FEWEST))
    if not places:
        return
    rules = _RULES if _ANY_WORD.search(lower) else _UNANNOUNCED
    for start, end in places:
        for rule in rules:
            yield from _found(rule, lower, start, end)


def _found(rule: _Rule, lower: str, start: int, end: int) -> Iterator[Found]:
    match = rule.form.search(lower, start, end)
    while match:
        first, last = match.span()
        if _is_number(rule, lower, first, last):
            yield Found(first, last, "ID")
        else:
            last = first + 1
        match = rule.form.search(lower, last, end)


def _is_number(rule: _Rule, lower: str, start: int, end: int) -> bool:
    """Whether what has the form of the rule stands alone, is announced if it must be, and has the right digits."""
    if _INSIDE.search(lower, max(0, start - 2), start):
        return False
    if rule.after and not rule.after.search(lower, max(0, start - _REACH), start):
        return False
    return rule.is_right(re.sub(r"[ .\-/+]", "", lower[start:end]).upper())
