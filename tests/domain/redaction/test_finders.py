"""Where each rule finds something private, to the character, and which look-alikes it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ticketattr.domain.redaction.contacts import find_addresses, find_phone_numbers
from ticketattr.domain.redaction.found import Found, Kind, merged
from ticketattr.domain.redaction.id_numbers import find_id_numbers
from ticketattr.domain.redaction.keys import find_keys
from ticketattr.domain.redaction.network import find_ip_addresses, find_url_secrets
from ticketattr.domain.redaction.passwords import find_passwords
from ticketattr.domain.redaction.payment import find_cards, find_ibans


def found(find: Callable[[str], Iterator[Found]], text: str, kind: Kind) -> list[str]:
    finds = merged(find(text))
    assert {one.kind for one in finds} <= {kind}
    return [text[one.start : one.end] for one in finds]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("write to anna@example.com, please", ["anna@example.com"]),
        ("<a@example.com>b@example.org", ["a@example.com", "b@example.org"]),
        ('"anna smith"@example.com now', ['"anna smith"@example.com']),
        (f'"{"a" * 63}"@example.com', [f'"{"a" * 63}"@example.com']),
        (f'say "{"a" * 70}"@example.com', []),
        ('anna"@example.com', []),
        ("...anna@example.com", ["anna@example.com"]),
        ("anna (at) example (dot) com", ["anna (at) example (dot) com"]),
        ("anna at example dot com", ["anna at example dot com"]),
        ("anna at example.com is here", []),
        ("git@example.com:project.git", []),
        ("logo@2x.png", []),
        ("package@1.2.3", []),
        ("https://user@example.com/", []),
        ("https://example.com/ anna@example.com", ["anna@example.com"]),
        ("https://example.com/@anna.example.com", []),
        ("@example.com", []),
        ("anna@localhost", []),
        ("@example.com and anna.smith+x@example.com", ["anna.smith+x@example.com"]),
        ("x.;anna@example.com", ["anna@example.com"]),
        ('say "hi" to "anna smith"@example.com', ['"anna smith"@example.com']),
        (f'"{"a" * 64}"@example.com', [f'"{"a" * 64}"@example.com']),
        (f'"{"a" * 65}"@example.com', []),
        ("https://example.com/ http://anna@example.com", []),
        ("x" * 320 + "@example.com", ["x" * 320 + "@example.com"]),
    ],
)
def test_addresses(text: str, addresses: list[str]) -> None:
    assert found(find_addresses, text, "EMAIL") == addresses


def is_phone_number(number: str) -> bool:
    return "555" in number


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("call +49 171 1234567.", ["+49 171 1234567"]),
        ("+491711234567", ["+491711234567"]),
        ("0049 171 1234567", ["0049 171 1234567"]),
        ("00491711234567", []),
        ("00491715551234", ["00491715551234"]),
        ("0049-171 1234567", []),
        ("order 0301 555 123", ["0301 555 123"]),
        ("order 0301 444 123", []),
        ("07700 900123", ["07700 900123"]),
        ("02-03-2026 0123", []),
        ("article 05-5512-555", []),
        ("office 05/5551-22-33", ["05/5551-22-33"]),
        ("office 05-555122233", ["05-555122233"]),
        ("212-555-0187", ["212-555-0187"]),
        ("212-444-0187", []),
        ("Tel.: 44 12 34 56", ["44 12 34 56"]),
        ("phone 444123", []),
        ("phone 4441234", ["4441234"]),
        ("phone for order 4441234", []),
        ("phone 01.02.2026", []),
        ("ext. 4711", ["4711"]),
        ("Durchwahl ist -234", ["234"]),
        ("Durchwahl ist -23", []),
        ("extension cord 4711", []),
        ("ext. 12345678", []),
    ],
)
def test_phone_numbers(text: str, numbers: list[str]) -> None:
    assert found(lambda text: find_phone_numbers(text, is_phone_number), text, "PHONE") == numbers


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("host 10.0.0.1 down", ["10.0.0.1"]),
        ("255.255.255.255.", ["255.255.255.255"]),
        ("256.1.1.1", []),
        ("1.2.3", []),
        ("1.2.3.4.5", []),
        ("version 1.2.3.4", []),
        ("Firmware: 1.2.3.4", []),
        ("Raum 1.2.3.4", []),
        ("converse 1.2.3.4", ["1.2.3.4"]),
        ("fe80::1 and ::1", ["fe80::1", "::1"]),
        ("2001:db8::: no", []),
        ("at 2001:db8::5: down", ["2001:db8::5"]),
        ("2001:db8:: is", ["2001:db8::"]),
        ("::ffff:10.0.0.1", ["::ffff:10.0.0.1"]),
        ("12:34", []),
        ("12:34:56", []),
        ("a::b", []),
    ],
)
def test_ip_addresses(text: str, addresses: list[str]) -> None:
    assert found(find_ip_addresses, text, "IP") == addresses


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("https://anna:pw@host/x", ["anna:pw"]),
        ("ftp://p@ss:w@rd@host", ["p@ss:w@rd"]),
        ("https://host/?token=abc&x=1", ["abc"]),
        ("https://host/?page=2&API_KEY=abc#x", ["abc"]),
        ("?author=anna&token_type=bearer", []),
        ("?code=1234567", []),
        ("?code=12345678", ["12345678"]),
        ("?pin=1", ["1"]),
        ("token=abc", []),
        ("https://host/reset/a1b2c3d4e5f6a7b8", ["a1b2c3d4e5f6a7b8"]),
        ("https://host/reset/a1b2c3d4e5f6a7b", []),
        ("https://host/reset/abcdefghijklmn12", []),
        ("https://host/reset/abcdefghijklm123", ["abcdefghijklm123"]),
        ("https://host/reset/1234567890123456", []),
        ("https://host/reset/how-to-do-it-right", []),
        ("https://host/about/a1b2c3d4e5f6a7b8", []),
        ("https://api.telegram.org/bot123456:AAEabcdefghijklmnop12345/send", ["123456:AAEabcdefghijklmnop12345/send"]),
        ("https://host/bottles1a2b3c4d5e6f7a8b9", []),
    ],
)
def test_secrets_in_urls(text: str, secrets: list[str]) -> None:
    assert found(find_url_secrets, text, "SECRET") == secrets


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("DE89370400440532013000", ["DE89370400440532013000"]),
        ("IBAN de89 3704 0044 0532 0130 00!", ["de89 3704 0044 0532 0130 00"]),
        ("DE89 3704 0044 0532 0130 01", []),
        ("DE89370400440532013000A", []),
        ("DE8937040044053201300", []),
        ("XDE89370400440532013000", []),
        ("ZZ89370400440532013000", []),
        ("NO9386011117947", ["NO9386011117947"]),
    ],
)
def test_account_numbers(text: str, numbers: list[str]) -> None:
    assert found(find_ibans, text, "IBAN") == numbers


@pytest.mark.parametrize(
    ("text", "cards"),
    [
        ("card 4111 1111 1111 1111.", ["4111 1111 1111 1111"]),
        ("4111-1111-1111-1112", []),
        ("5555555555554444", ["5555555555554444"]),
        ("2223003122003222", ["2223003122003222"]),
        ("378282246310005", ["378282246310005"]),
        ("6011111111111117", ["6011111111111117"]),
        ("3530111333300000", ["3530111333300000"]),
        ("30569309025904", ["30569309025904"]),
        ("4000000000000", []),
        ("+4111111111111111", []),
        ("1.4111111111111111", []),
        ("9999999999999995", []),
    ],
)
def test_cards(text: str, cards: list[str]) -> None:
    assert found(find_cards, text, "CARD") == cards


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Steuer-ID 86 095 742 719", ["86 095 742 719"]),
        ("86 095 742 718", []),
        ("986095742719", []),
        ("SSN 219-09-9999", ["219-09-9999"]),
        ("000-12-3456, 666-12-3456, 123-00-4567, 123-45-0000", []),
        ("123-45-6789", ["123-45-6789"]),
        ("123 45 6789", []),
        ("my ssn is 123 45 6789", ["123 45 6789"]),
        ("ssn" + " " * 37 + "123 45 6789", ["123 45 6789"]),
        ("ssn" + " " * 38 + "123 45 6789", []),
        ("cpr 010190-1234", ["010190-1234"]),
        ("cpr 310190-1234", ["310190-1234"]),
        ("cpr 321390-1234", []),
        ("cpr 990131-1234", ["990131-1234"]),
        ("cpr 991332-1234", []),
        ("cpr 320132-1234", []),
        ("cpr 320031-1234", []),
        ("pan ABCPE1234F", ["ABCPE1234F"]),
        ("AB 12 34 56 C", ["AB 12 34 56 C"]),
        ("756.9217.0769.85", ["756.9217.0769.85"]),
        ("order 1,756.9217.0769.85", []),
    ],
)
def test_numbers_of_persons(text: str, numbers: list[str]) -> None:
    assert found(find_id_numbers, text, "ID") == numbers


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("password: hunter2", ["hunter2"]),
        ("İ Passwort: geheim", ["geheim"]),
        ("PASSWORD:\n  hunter2", ["hunter2"]),
        ("password: ab", []),
        ("password: abc", ["abc"]),
        ("password: hunter2, user: anna", ["hunter2"]),
        ("password: hunter2;user=x", ["hunter2"]),
        ("user=anna&password=x1y2z3&lang=de", ["x1y2z3"]),
        ("(password: hunter2).", ["hunter2"]),
        ("password: `a b` c", ["a b"]),
        ("password: 'a b' c", ["a b"]),
        ("password: ''", []),
        ("password: expired", []),
        ("password is hunter", ["hunter"]),
        ("password is hunter, please", ["hunter"]),
        ("password is hunter on my laptop", []),
        ("password is hunter2 on my laptop", ["hunter2"]),
        ("password is expired", []),
        ("password is 'expired'!", []),
        ('password is "blue sky" now', ["blue sky"]),
        ('password is "blue sky"x now', []),
        ('password of guests is "sky blue" now', ["sky blue"]),
        ("password of guests is skyblue.", []),
        ("password of guests is sky2blue", ["sky2blue"]),
        ("password for guests: skyblue.", ["skyblue"]),
        ("password for guests: skyblue works", []),
        ("changed the password to Sommer24", ["Sommer24"]),
        ('changed the password to "Sommer"', []),
        ('changed the password to "Sommer24"', ["Sommer24"]),
        ("password hunter2", ["hunter2"]),
        ("passwords: hunter2 and hunter3, then", ["hunter2", "hunter3"]),
        ("passwords: hunter2 and hunter", ["hunter2"]),
        ('passwords: hunter2 and "sommer", please', ["hunter2"]),
        ("passwords: hunter2 and 123 more", ["hunter2"]),
        ("password password: hunter2", ["hunter2"]),
        ("password:", []),
    ],
)
def test_a_secret_after_the_word_that_announces_it(text: str, secrets: list[str]) -> None:
    assert found(find_passwords, text, "SECRET") == secrets


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("pin: 12", []),
        ("pin: 123", ["123"]),
        ("pin: 12 34-56", ["12 34-56"]),
        ("pin: 1234.5", []),
        ("pin is 1234 today", ["1234"]),
        ("my pin: 4711", ["4711"]),
        ("x-pin: 4711", ["4711"]),
        ("spin: 4711", []),
        ("password is 12345 today", []),
        ("password is 123456 today", ["123456"]),
        ("482911 is your verification code", ["482911"]),
        ("123 456 is the code", ["123 456"]),
        ("1.482911 is your verification code", []),
    ],
)
def test_a_number_is_a_secret_where_it_is_announced_as_one(text: str, secrets: list[str]) -> None:
    assert found(find_passwords, text, "SECRET") == secrets


@pytest.mark.parametrize(
    ("word", "is_secret"),
    [
        ("a1b", False),
        ("a1b2", True),
        ("hunter!", False),
        ("hun#ter", True),
        ("12#4", True),
        ("####", False),
        ("sommer", False),
        ("123", False),
    ],
)
def test_what_looks_like_no_word_is_a_secret(word: str, is_secret: bool) -> None:
    assert found(find_passwords, f"password is {word} now", "SECRET") == ([word] if is_secret else [])


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("Hunter2! is my password", ["Hunter2!"]),
        ("4711abc is the new wifi password", ["4711abc"]),
        ("hunter is my password", []),
        ("<password>hunter2 x</password>", ["hunter2 x"]),
        ("<user>anna</user> password", []),
        ("login: anna / hunter2!", ["hunter2!"]),
        ("credentials anna/Sommer24.", ["Sommer24"]),
        ("login: anna/sommer", []),
        ("mysql -u root -phunter2 db", ["hunter2"]),
        ("mariadb -phunter2", ["hunter2"]),
        ("sshpass -p hunter2 ssh host", ["hunter2"]),
        ("curl -u anna:hunter2 https://host", ["hunter2"]),
        ("net use /user:anna hunter2", ["hunter2"]),
        ("mysql -u root -p", []),
    ],
)
def test_a_secret_before_its_word_in_an_element_a_pair_or_a_command(text: str, secrets: list[str]) -> None:
    assert found(find_passwords, text, "SECRET") == secrets


BLOCK = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("use ghp_" + "a" * 20 + ".", ["ghp_" + "a" * 20]),
        ("use ghp_" + "a" * 19, []),
        (f"key {BLOCK} and {BLOCK}.", [BLOCK, BLOCK]),
        ("key -----BEGIN PRIVATE KEY-----\nMIIE", ["-----BEGIN PRIVATE KEY-----\nMIIE"]),
        (f"-----BEGIN PRIVATE KEY-----\n{BLOCK}, and", [f"-----BEGIN PRIVATE KEY-----\n{BLOCK}"]),
        ("IIE\n-----END PRIVATE KEY----- and", ["IIE\n-----END PRIVATE KEY-----"]),
        ("the line -----END of the file", []),
        ("Authorization: Basic dXNlcjpw, or", ["dXNlcjpw"]),
        ("authorization=dXNlcjpw", ["dXNlcjpw"]),
        ("Bearer abcd.efgh-1234 sent", ["abcd.efgh-1234"]),
        ("Bearer of bad news", []),
        ("Cookie: session=abcdef; theme=dark12, x", ["abcdef", "dark12"]),
        ("Set-Cookie: id=abcdef; expires=Wednesday; Domain=example.com", ["abcdef"]),
        ("x=abcdefg Cookie: session=abcdef\ny=abcdefg", ["abcdef"]),
        ("Authorization: Basic dXNlcjpw\nCookie: session=abcdef", ["dXNlcjpw", "abcdef"]),
        ("session=abcdef", []),
        (" ", []),
    ],
)
def test_keys_and_headers(text: str, keys: list[str]) -> None:
    assert found(find_keys, text, "SECRET") == keys


@pytest.mark.parametrize(
    ("word", "is_random"),
    [
        ("Ab1Cd2Ef3Gh4Ij5K-Ab1Cd2Ef3Gh4Ij5", True),
        ("Ab1Cd2Ef3Gh4Ij5K-Ab1Cd2Ef3Gh4Ij", False),  # shorter than 32 characters
        ("Ab1Cd2Ef3Gh4Ij5-Ab1Cd2Ef3Gh4Ij5-Kl", False),  # no part of 16 characters
        ("Ab1Cd2Ef3Gh4Ij5-Ab1Cd2Ef3Gh4Ij5==", False),
        ("Abcdefghi1Abcdefghi1Abcdefghi1Abcd1", True),
        ("Abcdefghi1Abcdefghi1Abcdefghi1Abcde1", False),  # fewer changes than a fifth of the characters
        ("GhGhGhGhGhGhGhGhGhGhGhGhGhGhGh123", False),  # three digits
        ("GhGhGhGhGhGhGhGhGhGhGhGhGhGhGh1234", True),
        ("aB3dE5f7" * 4, False),  # a hash
        ("ab1cd2ef3gh4ij5kab1cd2ef3gh4ij5k", False),
        ("AB1CD2EF3GH4IJ5KAB1CD2EF3GH4IJ5K", False),
    ],
)
def test_a_long_word_is_a_key_if_it_mixes_letters_and_digits_as_no_name_does(word: str, is_random: bool) -> None:
    assert found(find_keys, f"see {word} there", "SECRET") == ([word] if is_random else [])
