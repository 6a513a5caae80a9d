"""Options of adapters. They are plain values, so that reading the settings does not load any library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from .classifiers.llm.parameters import ParameterValues
from .classifiers.llm.prices import PriceList


@dataclass(frozen=True, slots=True)
class HTTPPolicy:
    """`max_retries` counts the tries after the first one; `timeout` bounds each whole try, in seconds."""

    max_retries: int = 3
    backoff_factor: float = 0.5
    timeout: float = 30.0


WEBHOOK = "webhook"
"""The profile of a helpdesk where none is set."""

Filter = Literal["open", "uncategorised"]
"""Which tickets are kept: those that are not closed, those without a category and a request type."""
FILTERS: tuple[Filter, ...] = get_args(Filter)


@dataclass(frozen=True, slots=True)
class HelpdeskAccess:
    """`location` is the URL of the webhook, or a file with a response of it, which needs no keys."""

    location: str
    api_key: str = field(default="", repr=False)
    api_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LLMOptions:
    """How a model is asked, whoever provides it. `timeout` bounds one call, in seconds.

    The first of `models` that the key may use is asked, with those of the `parameters` that it takes. `concurrency` is
    the number of calls at once. `max_cost` bounds a run, in US dollars, and needs the `prices` of the models. None: no
    limit. `rules` replace those of the package, unless they are empty. Without `evidence`, prompt and answer have their
    short form.
    """

    models: Sequence[str] = ()
    parameters: ParameterValues = field(default_factory=dict)
    batch_size: int = 30
    concurrency: int = 8
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_cost: float | None = None
    prices: PriceList = field(default_factory=PriceList)
    rules: str = ""
    evidence: bool = True
    max_retries: int = 3
    timeout: float = 120.0


@dataclass(frozen=True, slots=True)
class ChatModelOptions:
    """What the client of a provider is told. What is empty is left to the provider.

    `timeout` bounds each step of a call, in seconds; `connections` is the number of connections kept open.
    `ca_file`: the certificate authorities to trust instead of those of this machine.
    """

    api_key: str = field(repr=False)
    base_url: str = ""
    api_version: str = ""
    timeout: float = 120.0
    connections: int = 8
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class StepTimeouts:
    """How long a step of a mail may take, in seconds: the values of RFC 5321, section 4.5.3.2.

    A client that does not wait long enough for the final reply sends a message again that the server accepted.
    """

    greeting: float = 300.0
    mail: float = 300.0
    recipient: float = 300.0
    data: float = 120.0
    block: float = 180.0
    final: float = 600.0


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server. With `use_tls`, STARTTLS is required (port 465: implicit TLS). Login if there is a user name.

    `steps` limit the steps that RFC 5321 has bounds for, `timeout` each other step, in seconds. `max_size` limits a
    mail, in bytes (None: the server's own limit). `ca_file`: the certificate authorities to trust instead of those of
    this machine. `ehlo_name`: the name of this host for the server (empty: the one that the system knows).
    """

    host: str
    port: int = 587
    use_tls: bool = True
    username: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 30.0
    ca_file: str = ""
    max_size: int | None = None
    ehlo_name: str = ""
    steps: StepTimeouts = StepTimeouts()
