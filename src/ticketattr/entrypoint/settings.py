"""Settings: from the environment, from an env file under it, with defaults; a flag beats all.

Each section is read only by the commands that use it. An empty value counts as not set.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, TypeVar, get_args

from ..domain.delivery import Transport
from ..domain.standing import DoubtPolicy
from ..domain.usage import Price
from ..errors import SettingsError
from ..infrastructure.options import GeminiOptions, HelpdeskAccess, HTTPPolicy, MailServer

ClassifierName = Literal["gemini", "offline", "cascade"]

T = TypeVar("T", int, float)

MAX_PAUSE = 60.0
"""The longest wait before a further try to send, in seconds."""

_DEFAULT_ENV_FILE = Path(".env")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_UTF_8 = re.compile("[\ud800-\udfff]")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class Environment:
    """Reads settings for one command, and remembers everything that is missing or wrong."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.missing: list[str] = []
        self.wrong: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name, "").strip() or default
        if _CONTROL.search(value):
            self.wrong.append(f"{name} holds a control character")
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            self.missing.append(name)
        return value

    def secret(self, name: str) -> str:
        """A required text, its white space kept."""
        self.required(name)
        value = self._values.get(name, "")
        if _NOT_UTF_8.search(value):
            self.wrong.append(f"{name} is not UTF-8 text")
        return value

    def token(self, name: str) -> str:
        """A required key that travels in an HTTP header."""
        value = self.required(name)
        if not value.isascii():
            self.wrong.append(f"{name} holds a character that no key has")
        return value

    def whole(self, name: str, default: int, *, least: int, most: int = 2**31) -> int:
        number = self.optional_whole(name, least=least, most=most)
        return default if number is None else number

    def optional_whole(self, name: str, *, least: int, most: int = 2**31) -> int | None:
        return self._number(name, int, "whole number", least, most)

    def decimal(self, name: str, default: float, *, least: float = 0.0, most: float = 86_400.0) -> float:
        number = self.optional_decimal(name, least=least, most=most)
        return default if number is None else number

    def optional_decimal(self, name: str, *, least: float = 0.0, most: float) -> float | None:
        return self._number(name, float, "number", least, most)

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name).lower()
        if value and value not in _TRUE + _FALSE:
            self.wrong.append(f"{name} is neither true nor false: {value}")
        return value in _TRUE if value else default

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value not in choices:
            self.wrong.append(f"{name} is none of {', '.join(choices)}: {value}")
        return value

    def path(self, name: str, default: str) -> Path:
        return Path(self.text(name, default))

    def address(self, name: str) -> str:
        """A required mail address."""
        value = self.required(name)
        if value and not _is_address(value):
            self.wrong.append(f"{name} is no mail address")
        return value

    def addresses(self, name: str) -> tuple[str, ...]:
        """One or more mail addresses, separated by commas."""
        self.required(name)
        return self.optional_addresses(name)

    def optional_addresses(self, name: str) -> tuple[str, ...]:
        values = tuple(part.strip() for part in self.text(name).split(",") if part.strip())
        if not all(map(_is_address, values)):
            self.wrong.append(f"{name} holds something that is no mail address")
        return values

    def _number(self, name: str, parse: Callable[[str], T], what: str, least: float, most: float) -> T | None:
        value = self.text(name)
        if not value:
            return None
        try:
            number = parse(value)
        except ValueError:
            number = None
        # Written so that NaN, which compares with nothing, is wrong too.
        if number is None or not least <= number <= most:
            self.wrong.append(f"{name} is no {what} from {least:g} to {most:g}: {value}")
            return None
        return number


def _is_address(value: str) -> bool:
    try:
        address = Address(addr_spec=value)
    except (HeaderParseError, ValueError, IndexError):
        return False
    return value.isascii() and bool(address.username and address.domain)


@contextmanager
def reading(values: Mapping[str, str], command: str) -> Iterator[Environment]:
    """An Environment; when the block ends, everything missing or wrong is raised as one SettingsError."""
    env = Environment(values)
    yield env
    problems = list(dict.fromkeys(env.wrong))
    if env.missing:
        names = ", ".join(dict.fromkeys(env.missing))
        problems.insert(0, f"`ticketattr {command}` needs settings that are not set: {names}")
    if problems:
        raise SettingsError("; ".join(problems), hint="Set them in the environment or in .env (see .env.example).")


@dataclass(frozen=True, slots=True)
class FolderSettings:
    output: Path
    work: Path
    report_log: Path
    corrections: Path

    @classmethod
    def read(cls, env: Environment) -> FolderSettings:
        return cls(
            output=env.path("OUTPUT_DIR", "output"),
            work=env.path("WORK_DIR", "work"),
            report_log=env.path("REPORT_LOG_DB_PATH", "output/reports.db"),
            corrections=env.path("CORRECTIONS_DB_PATH", "work/corrections.db"),
        )


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """`transport`: the report is compared with the last one that was sent by that."""

    review_below: float
    ticket_url: str
    transport: Transport

    @classmethod
    def read(cls, env: Environment) -> ReportSettings:
        url = env.text("TICKET_URL")
        if url and not (url.lower().startswith(("http://", "https://")) and "{id}" in url):
            env.wrong.append("TICKET_URL is no http(s) URL with {id} in it")
        return cls(
            review_below=env.decimal("REVIEW_BELOW", 0.6, most=1.0),
            ticket_url=url,
            transport=read_transport(env),
        )


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Where tickets and catalog come from."""

    helpdesk: HelpdeskAccess
    catalog_location: str
    http: HTTPPolicy

    @classmethod
    def read(cls, env: Environment) -> SourceSettings:
        helpdesk, catalog_location = _helpdesk_access(env), env.required("SERVICE_CATALOG_URL")
        if helpdesk.location == catalog_location == "-":
            env.wrong.append("HELPDESK_API_URL and SERVICE_CATALOG_URL cannot both be stdin")
        return cls(
            helpdesk=helpdesk,
            catalog_location=catalog_location,
            http=HTTPPolicy(
                max_retries=env.whole("HTTP_MAX_RETRIES", 3, least=0, most=20),
                backoff_factor=env.decimal("HTTP_BACKOFF_FACTOR", 0.5, most=60.0),
                timeout=env.decimal("HTTP_TIMEOUT", 30.0, least=0.1),
            ),
        )


def _helpdesk_access(env: Environment) -> HelpdeskAccess:
    location = env.required("HELPDESK_API_URL")
    if not location.lower().startswith(("http://", "https://")):
        return HelpdeskAccess(location)
    return HelpdeskAccess(location, env.secret("HELPDESK_API_KEY"), env.secret("HELPDESK_API_SECRET"))


@dataclass(frozen=True, slots=True)
class ClassifierSettings:
    """`gemini` is None for the embedded classifier alone. `votes` counts the answers of the model to one question.

    In a cascade, the embedded classifier decides from the confidence `cascade_threshold` on.
    """

    name: str
    gemini: GeminiOptions | None
    calibration: Path | None
    votes: int = 1
    cascade_threshold: float = 0.8

    @classmethod
    def read(cls, env: Environment, *, calls: bool = True) -> ClassifierSettings:
        """Without calls, no key is needed."""
        name = env.choice("CLASSIFIER", "gemini", get_args(ClassifierName))
        calibration = env.text("CALIBRATION_FILE")
        votes = env.whole("LLM_VOTES", 1, least=1, most=15)
        gemini = None if name == "offline" else _gemini_options(env, calls=calls)
        if gemini and votes > 1 and gemini.temperature == 0:
            env.wrong.append("LLM_VOTES needs a LLM_TEMPERATURE above 0, or all votes are the same")
        return cls(
            name=name,
            gemini=gemini,
            calibration=Path(calibration) if calibration else None,
            votes=votes,
            cascade_threshold=env.decimal("CASCADE_THRESHOLD", 0.8, most=1.0),
        )

    @property
    def title(self) -> str:
        """The name, and that of the model."""
        return f"{self.name} ({self.gemini.model})" if self.gemini else self.name


def _gemini_options(env: Environment, *, calls: bool) -> GeminiOptions:
    model = env.text("LLM_MODEL_NAME", "gemini-2.5-pro")
    price = _price(env, model)
    max_cost = env.optional_decimal("LLM_MAX_COST", most=1_000_000.0)
    if max_cost is not None and price is None:
        env.wrong.append(f"LLM_MAX_COST needs the price of {model}, which is not known: name a list in LLM_PRICES")
    return GeminiOptions(
        model=model,
        api_key=env.token("LLM_API_KEY") if calls else "",
        concurrency=env.whole("LLM_MAX_CONCURRENCY", 8, least=1, most=1000),
        requests_per_minute=env.optional_whole("LLM_REQUESTS_PER_MINUTE", least=1),
        tokens_per_minute=env.optional_whole("LLM_TOKENS_PER_MINUTE", least=1),
        max_cost=max_cost,
        price=price,
        rules=_rules(env),
        thinking_budget=env.optional_whole("LLM_THINKING_BUDGET", least=-1),
        batch_size=env.whole("LLM_BATCH_SIZE", 30, least=1, most=1000),
        pause=env.decimal("LLM_DELAY_BETWEEN_BATCHES", 0.0, most=3600.0),
        max_retries=env.whole("LLM_MAX_RETRIES", 3, least=0, most=20),
        backoff_factor=env.decimal("LLM_BACKOFF_FACTOR", 1.0, most=60.0),
        timeout=env.decimal("LLM_TIMEOUT", 120.0, least=0.1),
        temperature=env.optional_decimal("LLM_TEMPERATURE", most=2.0),
        top_p=env.optional_decimal("LLM_TOP_P", most=1.0),
        top_k=env.optional_whole("LLM_TOP_K", least=1),
        api_version=env.text("LLM_API_VERSION", "v1beta"),
        base_url=env.text("GOOGLE_GEMINI_BASE_URL"),
    )


def _price(env: Environment, model: str) -> Price | None:
    from ..infrastructure.classifiers.gemini.prices import price_of

    path = env.text("LLM_PRICES")
    return price_of(model, Path(path) if path else None)


def _rules(env: Environment) -> str:
    """The rules of the house; empty for those of the package."""
    path = env.text("CLASSIFICATION_RULES")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        env.wrong.append(f"CLASSIFICATION_RULES cannot be read: {reason}")
        return ""


def _mail_server(env: Environment) -> MailServer:
    username = env.text("EMAIL_USERNAME")
    host, use_tls = env.required("EMAIL_SMTP_HOST"), env.flag("EMAIL_USE_TLS", default=True)
    may_be_plain = use_tls or _is_loopback(host) or env.flag("EMAIL_ALLOW_PLAIN_AUTH", default=False)
    if username and not may_be_plain:
        env.wrong.append(
            "EMAIL_USE_TLS=false would send EMAIL_PASSWORD in plain text (EMAIL_ALLOW_PLAIN_AUTH allows it)"
        )
    return MailServer(
        host=host,
        port=env.whole("EMAIL_SMTP_PORT", 587, least=1, most=65_535),
        use_tls=use_tls,
        username=username,
        password=env.secret("EMAIL_PASSWORD") if username else "",
        timeout=env.decimal("EMAIL_TIMEOUT", 30.0, least=0.1),
        ca_file=env.text("EMAIL_CA_FILE"),
        max_size=env.optional_whole("EMAIL_MAX_SIZE", least=1),
    )


def _is_loopback(host: str) -> bool:
    """Judged by the name: what a name server says is no reason to show a password."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@dataclass(frozen=True, slots=True)
class MailSettings:
    """`carrier`: the mail server of EMAIL_TRANSPORT=smtp, or the folder of EMAIL_TRANSPORT=file.

    `pauses`: the seconds before each further try.
    """

    carrier: MailServer | Path
    sender: str
    sender_name: str
    recipients: tuple[str, ...]
    cc: tuple[str, ...]
    reply_to: tuple[str, ...]
    subject: str
    codebase_url: str
    pauses: tuple[float, ...]
    doubt: DoubtPolicy

    @classmethod
    def read(cls, env: Environment) -> MailSettings:
        is_smtp = read_transport(env) == "smtp"
        return cls(
            carrier=_mail_server(env) if is_smtp else env.path("EMAIL_OUTBOX_DIR", "outbox"),
            sender=env.address("EMAIL_SENDER"),
            sender_name=env.text("EMAIL_SENDER_NAME", "ticketattr"),
            recipients=env.addresses("EMAIL_RECIPIENT"),
            cc=env.optional_addresses("EMAIL_CC"),
            reply_to=env.optional_addresses("EMAIL_REPLY_TO"),
            subject=env.text("EMAIL_SUBJECT", "Ticket attribution report"),
            codebase_url=env.required("CODEBASE_URL"),
            pauses=_pauses(env),
            doubt=read_doubt(env),
        )


def _pauses(env: Environment) -> tuple[float, ...]:
    factor = env.decimal("EMAIL_BACKOFF_FACTOR", 2.0, most=60.0)
    retries = env.whole("EMAIL_MAX_RETRIES", 3, least=0, most=20)
    return tuple(min(factor * 2**number, MAX_PAUSE) for number in range(retries))


def read_transport(env: Environment) -> Transport:
    return "file" if env.choice("EMAIL_TRANSPORT", "smtp", get_args(Transport)) == "file" else "smtp"


def read_doubt(env: Environment) -> DoubtPolicy:
    return "hold" if env.choice("EMAIL_IN_DOUBT", "resend", get_args(DoubtPolicy)) == "hold" else "resend"


def read_values(env_file: Path | None, overrides: Mapping[str, str]) -> dict[str, str]:
    """Every value by its name: `overrides` > environment > `env_file` (or `.env`, where there is one)."""
    path = env_file or _DEFAULT_ENV_FILE
    from_file = _read_env_file(path) if env_file or path.exists() else {}
    return {**from_file, **os.environ, **overrides}


def _read_env_file(path: Path) -> dict[str, str]:
    from dotenv.parser import parse_stream

    try:
        with path.open(encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"the env file {path} cannot be read: {reason}") from error
    for binding in bindings:
        if binding.error:
            # The parser counts the empty lines before a line as part of it.
            text = binding.original.string
            line = binding.original.line + len(text[: len(text) - len(text.lstrip())].splitlines())
            raise SettingsError(f"{path}, line {line}: expected NAME=value")
    # Taken as they stand: a "$" in a password is a dollar sign.
    return {binding.key: binding.value or "" for binding in bindings if binding.key}
