"""Check digits of numbers that states, banks and insurers give out.

Each function takes the characters of a number without separators, letters in upper case, and says whether its check
digits are right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import cycle
from operator import mul

_LETTERS_OF_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_LETTERS_OF_HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def luhn(digits: str) -> bool:
    """Payment cards, Canadian and Swedish numbers."""
    return _sum_of_digits(int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))) % 10 == 0


def _sum_of_digits(numbers: Iterable[int]) -> int:
    return sum(map(int, "".join(map(str, numbers))))


def mod97(iban: str) -> bool:
    """IBAN (ISO 7064, MOD 97-10)."""
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def weighted(digits: str, weights: Iterable[int]) -> int:
    """Returns the sum of the first digits, each multiplied with its weight."""
    return sum(map(mul, map(int, digits), weights))


def mod11_10(digits: str) -> bool:
    """German tax numbers of persons and companies (ISO 7064, MOD 11,10)."""
    product = 10
    for digit in digits[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def german_tax_id(digits: str) -> bool:
    """Steuer-Identifikationsnummer: of the first ten digits, exactly one occurs twice or three times."""
    counts = sorted(Counter(digits[:10]).values())
    repeats = [count for count in counts if count > 1]
    return digits[0] != "0" and repeats in ([2], [3]) and mod11_10(digits)


def german_pension(number: str) -> bool:
    """Versicherungsnummer of the German pension insurance: 12 characters, of which the ninth is a letter."""
    letter = f"{ord(number[8]) - 64:02}"
    digits = number[:8] + letter + number[9:11]
    products = map(mul, map(int, digits), (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1))
    return _sum_of_digits(products) % 10 == int(number[11])


def german_health(number: str) -> bool:
    """Krankenversichertennummer: a letter and nine digits."""
    digits = f"{ord(number[0]) - 64:02}{number[1:9]}"
    return _sum_of_digits(int(digit) * (1 + place % 2) for place, digit in enumerate(digits)) % 10 == int(number[9])


def french_nir(number: str) -> bool:
    """Numéro de sécurité sociale: 13 characters (2A and 2B for Corsica), and two check digits."""
    digits = number[:13].replace("2A", "19").replace("2B", "18")
    return digits.isdigit() and 97 - int(digits) % 97 == int(number[13:])


def spanish_dni(number: str) -> bool:
    """DNI and NIE: eight digits, the first of which may be X, Y or Z, and a letter."""
    digits = number[:-1].translate(str.maketrans("XYZ", "012"))
    return _LETTERS_OF_DNI[int(digits) % 23] == number[-1]


def spanish_social(digits: str) -> bool:
    """Número de la Seguridad Social: province, number, and two check digits."""
    return int(digits[:-2]) % 97 == int(digits[-2:])


def italian_code(code: str) -> bool:
    """Codice fiscale: 16 letters and digits."""
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
    values = [ord(character) - 65 if character.isalpha() else int(character) for character in code]
    total = sum(odd[value] if place % 2 == 0 else value for place, value in enumerate(values[:15]))
    return total % 26 == values[15]


def austrian_social(digits: str) -> bool:
    """Sozialversicherungsnummer: serial number, check digit, date of birth."""
    return weighted(digits, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11 == int(digits[3])


def ean13(digits: str) -> bool:
    """Swiss AHV numbers, which are EAN-13."""
    return weighted(digits, cycle((1, 3))) % 10 == 0


def dutch_bsn(digits: str) -> bool:
    """Burgerservicenummer."""
    return weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def belgian_register(digits: str) -> bool:
    """Rijksregisternummer: born before 2000, or after."""
    body, check = digits[:9], int(digits[9:])
    return check in (97 - int(body) % 97, 97 - int("2" + body) % 97)


def polish_pesel(digits: str) -> bool:
    return weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def brazilian_cpf(digits: str) -> bool:
    first = weighted(digits, range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(digits, range(11, 1, -1)) * 10 % 11 % 10
    return len(set(digits)) > 1 and digits[9:] == f"{first}{second}"


def portuguese_nif(digits: str) -> bool:
    rest = weighted(digits, range(9, 1, -1)) % 11
    return int(digits[8]) == (0 if rest < 2 else 11 - rest)


def finnish_hetu(number: str) -> bool:
    """Henkilötunnus: date of birth, perhaps the sign of the century, number, check character."""
    return _LETTERS_OF_HETU[int(number[:6] + number[-4:-1]) % 31] == number[-1]


def norwegian_birth(digits: str) -> bool:
    """Fødselsnummer."""
    first = weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    second = weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11
    return first == 0 and second == 0


def british_nhs(digits: str) -> bool:
    """NHS number."""
    return (11 - weighted(digits, range(10, 1, -1)) % 11) % 11 == int(digits[9])


def australian_tfn(digits: str) -> bool:
    """Tax file number."""
    return weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def verhoeff(digits: str) -> bool:
    """Aadhaar numbers."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _dihedral(check, _permuted(int(digit), place % 8))
    return check == 0


def _permuted(digit: int, times: int) -> int:
    for _ in range(times):
        digit = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[digit]
    return digit


def _dihedral(one: int, other: int) -> int:
    """Returns the product of two elements of the symmetries of a pentagon."""
    if one < 5:
        return (one + other) % 5 if other < 5 else 5 + (one + other) % 5
    return 5 + (one - other) % 5 if other < 5 else (one - other) % 5
