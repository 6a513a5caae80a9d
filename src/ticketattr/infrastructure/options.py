"""Options of adapters. They are plain values, so that reading the settings does not load any library."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..domain.usage import Price
from ..errors import SettingsError


@dataclass(frozen=True, slots=True)
class HTTPPolicy:
    """`max_retries` counts the tries after the first one; `timeout` bounds each whole try, in seconds."""

    max_retries: int = 3
    backoff_factor: float = 0.5
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class HelpdeskAccess:
    """`location` is the URL of the webhook, or a file with a response of it, which needs no keys."""

    location: str
    api_key: str = field(default="", repr=False)
    api_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class GeminiOptions:
    """`timeout` bounds one call, `pause` is the least time between the starts of two, in seconds.

    `concurrency` counts calls in flight; `max_cost` is in US dollars for a run, and needs a `price`. `rules`
    stand in for those of the package. None is no limit, or left to the model; an empty `base_url` to google-genai.
    """

    model: str
    api_key: str = field(repr=False)
    batch_size: int = 30
    concurrency: int = 8
    pause: float = 0.0
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_cost: float | None = None
    price: Price | None = None
    rules: str = ""
    max_retries: int = 3
    timeout: float = 120.0
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    thinking_budget: int | None = None
    api_version: str = "v1beta"
    base_url: str = ""

    def __post_init__(self) -> None:
        """Raises SettingsError: both become parts of an address, where odd ones would lead elsewhere."""
        if not re.fullmatch(r"[\w./-]+", self.model) or ".." in self.model:
            raise SettingsError("LLM_MODEL_NAME is no name of a model")
        try:
            port = urlsplit(self.base_url).port
        except ValueError:
            port = -1
        if port == -1:
            raise SettingsError("GOOGLE_GEMINI_BASE_URL is no usable URL")


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server. With `use_tls`, STARTTLS is required (port 465: implicit TLS). Login if there is a user name.

    `timeout` limits each step, in seconds; `max_size` limits a mail, in bytes (None: the server's own limit).
    `ca_file`: the certificate authorities to trust instead of those of this machine.
    """

    host: str
    port: int = 587
    use_tls: bool = True
    username: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 30.0
    ca_file: str = ""
    max_size: int | None = None
