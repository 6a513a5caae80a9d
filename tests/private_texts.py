"""Hundreds of tickets with private text in them: every kind that redaction promises to hide, in many spellings.

Keys of services are put together here, so that nobody's search for leaked keys finds them in this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class PrivateText:
    """A text, and the part of it that nobody else may see."""

    kind: str
    text: str
    private: str


MAILS = (
    "anna.canary@example.com",
    "b_canary+it@sub.example.co.uk",
    "o'canary@example.org",
    "jürgen.canary@bücher.example",
    "CANARY@EXAMPLE.NET",
    "c4n4ry-99@xn--bcher-kva.example",
    "canary@a-b.example.museum",
    "канарейка@пример.example",
)
MAIL_TEXTS = (
    "Please add {} to the list",
    "Bitte an {} weiterleiten.",
    "<{}> bounces",
    "mailto:{}?subject=x",
    "contact:{};",
    "{}",
    '"{}" fehlt',
    "de {} à moi",
)
SPELLED_MAILS = (
    "canary [at] example [dot] com",
    "canary(at)example.com",
    "canary at example dot com",
    "canary%40example.com",
    "canary＠example.com",
    "can\u200bary@exam\u200bple.com",
    "canary {at} example {dot} org",
    "canary @ example.com",
)
PHONES = (
    "+49 171 1234567",
    "+49 (0) 89 1234-567",
    "0049 171 9876543",
    "0171 1234567",
    "030/1234567",
    "+1 (212) 555-0187",
    "212-555-0187",
    "(212) 555-0187",
    "+44 20 7946 0958",
    "07700 900123",
    "+33 1 42 68 53 00",
    "06 12 34 56 78",
    "01.42.68.53.00",
    "612 345 678",
    "+34 912 345 678",
    "+39 06 698 12345",
    "+41 44 668 18 00",
    "+43 1 534530",
    "+48 22 123 45 67",
    "+91 98765 43210",
    "+81-3-1234-5678",
    "+55 11 91234-5678",
    "+61 2 9876 5432",
    "+49\u00a030\u00a01234567",
    "\uff0b49 171 1234567",
)
PHONE_TEXTS = ("Call me on {} please", "Tel.: {}", "Erreichbar unter {}.", "mi teléfono es {} gracias")
IBANS = (
    "DE89370400440532013000",
    "GB29NWBK60161331926819",
    "FR1420041010050500013M02606",
    "ES9121000418450200051332",
    "NL91ABNA0417164300",
    "AT611904300234573201",
    "CH9300762011623852957",
    "IT60X0542811101000000123456",
    "BE68539007547034",
    "PL61109010140000071219812874",
)
CARDS = (
    "4111111111111111",
    "5555555555554444",
    "4012888888881881",
    "6011111111111117",
    "3530111333300000",
    "5105105105105100",
    "2223003122003222",
)
NUMBER_TEXTS = ("New account {} for payroll", "Konto: {}, danke", "{} refused", "la tarjeta {} no pasa")
IPS = (
    "10.20.30.40",
    "192.168.178.23",
    "172.16.0.1",
    "203.0.113.77",
    "8.8.4.4",
    "2001:db8:85a3::8a2e:370:7334",
    "fe80::1ff:fe23:4567:890a",
    "2001:0db8:0000:0000:0000:ff00:0042:8329",
    "::ffff:192.0.2.128",
)
IP_TEXTS = ("Server {} is down", "ping {}: timeout", "Drucker unter {}.", "({})")
PASSWORDS = (
    "hunter2",
    "Summer2024!",
    "Tr0ub4dor&3",
    "p@ssw0rd",
    "Wolke#12",
    "x9!kL2pq",
    "Blau-77-Himmel",
    "qwertz1234",
    "S3cr3t/Pa55",
    "aB3$eF6^",
    "Müll3r!",
    "0815Hugo",
)
PASSWORD_TEXTS = (
    "My password is {} and it fails",
    "password: {}",
    "Password={}",
    "pw {}",
    "Mein Passwort lautet {}.",
    "Passwort: {}",
    "Das Kennwort ist {}",
    "mot de passe : {}",
    "Mon mot de passe est {}",
    "mdp: {}",
    "contraseña: {}",
    "Mi contraseña es {}",
    "La password è {}",
    "Mijn wachtwoord is {}",
    "A senha é {}",
    "hasło: {}",
    "I changed my password to {} today",
    "Passwort auf {} geändert",
    'password "{}" is refused',
    "the wifi password for guests is {}",
    "login: anna / {}",
    "Zugangsdaten: meier / {}",
    "DB_PASSWORD={}",
    '{{"user": "a", "password": "{}"}}',
    "api_key: {}",
    "client_secret = {}",
)
CODES = ("4821", "493021", "739 201")
CODE_TEXTS = ("my PIN is {}", "PIN: {}", "Your verification code is {}", "Die TAN {} ging nicht", "code PIN : {}")
KEYS = (
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_" + "11ABCDEFG0aBcDeFgHiJkL_mNoPqRsTuVwXyZ0123456789",
    "glpat-" + "Xy12Zz34Aa56Bb78Cc90",
    "xox" + "b-123456789012-abcdefGHIJKL",
    "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc",
    "sk-" + "proj-abcDEF1234567890abcDEF",
    "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "ya29." + "a0AfH6SMBxExample",
    "hf_" + "AbCdEfGhIjKlMnOpQrStUvWx",
    "npm_" + "abcdefghijklmnopqrstuvwxyz0123456789",
    "pypi-" + "AgEIcHlwaS5vcmcCJDEyMzQ1Njc4OTAxMjM0",
    "SG." + "abcdefghijklmnop.qrstuvwxyz0123456789",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "-----BEGIN PRIVATE KEY-----\nMIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAwggE8\n-----END PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n",
    "VK7JG-NPHTM-C97JM-9MPGT-3V66T",
    "123453-234564-345675-456786-567897-678898-111111-222222",
    "$2b$12$" + "KIXQ4S8nqK3v9N5yqkzOruOe8mQy7pW1",
    "Zx8Kq3Vn7Lp2Wt9Rb4Ym6Hc1Jd5Sg0Fa",
    "123456789:" + "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
)
KEY_TEXTS = ("It says {} is invalid", "Key:\n{}\nany idea?")
URLS = (
    ("https://{}@git.example.com/app.git", "deploy:k33pm3out"),
    ("postgres://{}@db.example.com:5432/app", "app:pa55word"),
    ("https://files.example.com/d?id=77&token={}", "9f8a7b6c5d4e"),
    ("https://x.example.com/cb#access_token={}&state=ok", "ya29a0AfH6SM"),
    ("https://a.example.com/?api_key={}", "4f3c2b1a9e8d"),
    ("https://b.example.com/?X-Amz-Signature={}&a=1", "fe5f80f77d5fa3be"),
    ("https://c.example.com/?sig={}", "Kx%2Fabc123"),
    ("https://d.example.com/reset-password/{}", "a8F3kd92LmQ0xZ71"),
    ("https://hooks.example.com/services/{}", "T0AB12CD3/B0EF45GH6/a1B2c3D4e5F6g7H8i9J0"),
    ("https://e.example.com/?password={}&x=y", "hunter2"),
    ("https://f.example.com/?sessionid={}", "0a1b2c3d"),
    ("curl -H 'Authorization: Bearer {}' x", "dGhpc2lzYXRva2Vu"),
    ("Authorization: Basic {}", "YW5uYTpodW50ZXIy"),
    ("Cookie: JSESSIONID={}; lang=de", "0A1B2C3D4E5F"),
    ("Server=sql01;User Id=sa;Password={};Encrypt=yes", "P@ssw0rd"),
)
NUMBERS = (
    ("Meine Steuer-ID {} fehlt", "86 095 742 719"),
    ("Steuer-ID: {}", "47036892816"),
    ("SV-Nummer {}", "15070649C103"),
    ("USt-IdNr. {}", "DE136695976"),
    ("AHV {}", "756.9217.0769.85"),
    ("Sozialversicherung {}", "1237 010180"),
    ("SSN {}", "536-22-1843"),
    ("Social security number {}", "219 09 9999"),
    ("NINO {}", "AB 12 34 56 C"),
    ("NHS number {}", "943 476 5919"),
    ("Sécurité sociale {}", "255081416802538"),
    ("NIR {}", "2 55 08 14 168 025 38"),
    ("DNI {}", "12345678Z"),
    ("NIE {}", "X-1234567-L"),
    ("Seguridad Social {}", "281234567840"),
    ("codice fiscale {}", "RSSMRA85T10A562S"),
    ("BSN {}", "111222333"),
    ("Registre national {}", "85.07.30-033.28"),
    ("PESEL {}", "44051401359"),
    ("personnummer {}", "811218-9876"),
    ("henkilötunnus {}", "131052-308T"),
    ("CPF {}", "529.982.247-25"),
    ("SIN {}", "046 454 286"),
    ("Aadhaar {}", "2341 2341 2346"),
    ("TFN {}", "123 456 782"),
)


def private_texts() -> Iterator[PrivateText]:
    """Yields all of them."""
    yield from _filled("EMAIL", MAIL_TEXTS, MAILS)
    yield from _filled("EMAIL", MAIL_TEXTS[:3], SPELLED_MAILS)
    yield from _filled("PHONE", PHONE_TEXTS, PHONES)
    yield from _filled("IBAN", NUMBER_TEXTS[:3], [form for iban in IBANS for form in (iban, _grouped(iban, " "))])
    yield from _filled(
        "CARD", NUMBER_TEXTS[2:], [form for card in CARDS for form in (card, _grouped(card, " "), _grouped(card, "-"))]
    )
    yield from _filled("IP", IP_TEXTS, IPS)
    yield from _filled("SECRET", PASSWORD_TEXTS, PASSWORDS)
    yield from _filled("SECRET", CODE_TEXTS, CODES)
    yield from _filled("SECRET", KEY_TEXTS, KEYS)
    yield from (PrivateText("SECRET", text.format(secret), secret) for text, secret in URLS)
    yield from (PrivateText("ID", text.format(number), number) for text, number in NUMBERS)


def _filled(kind: str, texts: tuple[str, ...], values: tuple[str, ...] | list[str]) -> Iterator[PrivateText]:
    yield from (PrivateText(kind, text.format(value), value) for text in texts for value in values)


def _grouped(number: str, separator: str) -> str:
    return separator.join(number[start : start + 4] for start in range(0, len(number), 4))
