"""Which large language model is asked, and how. `PROVIDERS` is the list of those that can be chosen."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from ...infrastructure.classifiers.llm.parameters import Parameter, ParameterValues
from ...infrastructure.classifiers.llm.prices import PriceList, read_prices
from ...infrastructure.files import open_readable
from ...infrastructure.options import ChatModelOptions, LLMOptions
from .environment import Environment
from .redaction import RedactionSettings

ProviderName: TypeAlias = Literal["gemini", "openai"]


@dataclass(frozen=True, slots=True)
class Provider:
    """What the settings of a provider are. `base_url` is the name of the setting.

    `default_model` is empty where the user must name one. `needs_key` says whether the server at a base URL (empty: the
    usual one) needs a key.
    `model_name` is the form of its models' names. A name that becomes part of a URL must not change the URL's path.
    `has_jobs`: there is an adapter for its batch jobs.
    """

    default_model: str
    base_url: str
    api_version: str
    model_name: re.Pattern[str]
    needs_key: Callable[[str], bool]
    has_jobs: bool = False


PROVIDERS: Mapping[ProviderName, Provider] = {
    "gemini": Provider(
        default_model="gemini-flash-latest",
        base_url="GOOGLE_GEMINI_BASE_URL",
        api_version="v1beta",
        model_name=re.compile(r"(?!.*\.\.)[\w./-]+"),
        needs_key=lambda base_url: True,
        has_jobs=True,
    ),
    "openai": Provider(
        default_model="",
        base_url="LLM_BASE_URL",
        api_version="",
        model_name=re.compile(r"(?!.*\.\.)[\w./:@+-]+"),
        needs_key=lambda base_url: not base_url,
    ),
}

THINKING_LEVELS = ("minimal", "low", "medium", "high")

_DEFAULTS = LLMOptions()


@dataclass(frozen=True, slots=True)
class LLMSettings:
    """A provider, the model of it that is asked, and how it is asked.

    More than `batch_above` texts are asked about in batch jobs; None: only on demand.
    """

    provider: ProviderName
    chat_model: ChatModelOptions
    options: LLMOptions
    redaction: RedactionSettings = field(default_factory=RedactionSettings)
    batch_above: int | None = None

    @classmethod
    def read(cls, env: Environment, provider: ProviderName, *, calls: bool) -> LLMSettings:
        """Returns the settings of `provider`. Without `calls`, no key is needed."""
        options = _llm_options(env, PROVIDERS[provider])
        for model in filter(None, options.models):
            if options.max_cost is not None and options.prices.of(model) is None:
                env.wrong.append(
                    f"LLM_MAX_COST needs the price of {model}, which is not known: name a list in LLM_PRICES"
                )
        chat_model = _chat_model_options(env, PROVIDERS[provider], options, calls=calls)
        redaction, above = RedactionSettings.read(env), env.optional_whole("LLM_BATCH_ABOVE", least=1)
        return cls(provider, chat_model, options, redaction, above)

    @property
    def models(self) -> Sequence[str]:
        """The models to ask, of which the first is asked that the key may use."""
        return self.options.models

    @property
    def has_jobs(self) -> bool:
        """Whether the provider can be asked in batch jobs."""
        return PROVIDERS[self.provider].has_jobs

    def without_retries(self) -> LLMSettings:
        """Returns these settings for a single attempt, as a check makes it."""
        return replace(self, options=replace(self.options, max_retries=0))


def _llm_options(env: Environment, provider: Provider) -> LLMOptions:
    return LLMOptions(
        models=_models(env, provider),
        parameters=_parameters(env),
        prices=_prices(env),
        batch_size=env.whole("LLM_BATCH_SIZE", _DEFAULTS.batch_size, least=1, most=1000),
        concurrency=env.whole("LLM_MAX_CONCURRENCY", _DEFAULTS.concurrency, least=1, most=1000),
        requests_per_minute=env.optional_whole("LLM_REQUESTS_PER_MINUTE", least=1),
        tokens_per_minute=env.optional_whole("LLM_TOKENS_PER_MINUTE", least=1),
        max_cost=env.optional_decimal("LLM_MAX_COST", most=1_000_000.0),
        rules=_rules(env),
        evidence=env.choice("LLM_EVIDENCE", "on", ("on", "off")) == "on",
        max_retries=env.whole("LLM_MAX_RETRIES", _DEFAULTS.max_retries, least=0, most=20),
        timeout=env.decimal("LLM_TIMEOUT", _DEFAULTS.timeout, least=0.1),
    )


def _chat_model_options(env: Environment, provider: Provider, options: LLMOptions, *, calls: bool) -> ChatModelOptions:
    base_url = env.text(provider.base_url)
    if not _has_valid_port(base_url):
        env.wrong.append(f"{provider.base_url} is not a valid URL")
    return ChatModelOptions(
        api_key=env.token("LLM_API_KEY", optional=not provider.needs_key(base_url)) if calls else "",
        ca_file=env.text("LLM_CA_FILE", may_be_path=True),
        base_url=base_url,
        api_version=env.text("LLM_API_VERSION", provider.api_version),
        timeout=options.timeout,
        connections=options.concurrency,
    )


def _models(env: Environment, provider: Provider) -> tuple[str, ...]:
    """Returns the models of LLM_MODEL_NAME in their order, each once."""
    value = env.text("LLM_MODEL_NAME", provider.default_model) or env.required("LLM_MODEL_NAME")
    names = [name.strip() for name in value.split(",")]
    if value and not all(map(provider.model_name.fullmatch, names)):
        env.wrong.append("LLM_MODEL_NAME is not the name of a model, nor several with commas between them")
    return tuple(dict.fromkeys(names))


def _parameters(env: Environment) -> ParameterValues:
    """Returns the parameters that are set."""
    level = env.choice("LLM_THINKING_LEVEL", "", THINKING_LEVELS) if env.text("LLM_THINKING_LEVEL") else ""
    values: dict[Parameter, float | str | None] = {
        "temperature": env.optional_decimal("LLM_TEMPERATURE", most=2.0),
        "top_p": env.optional_decimal("LLM_TOP_P", most=1.0),
        "top_k": env.optional_whole("LLM_TOP_K", least=1),
        "thinking_budget": env.optional_whole("LLM_THINKING_BUDGET", least=-1),
        "thinking_level": level or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _has_valid_port(url: str) -> bool:
    try:
        port = urlsplit(url).port
    except ValueError:
        return False
    return port != 0


def _prices(env: Environment) -> PriceList:
    path = env.text("LLM_PRICES", may_be_path=True)
    return read_prices(Path(path) if path else None, datetime.now(timezone.utc).date())


def _rules(env: Environment) -> str:
    """Returns the rules of the user's organisation; empty when the rules of the package apply."""
    path = env.text("CLASSIFICATION_RULES", may_be_path=True)
    if not path:
        return ""
    try:
        with open_readable(Path(path)) as file:
            return file.read().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        env.wrong.append(f"CLASSIFICATION_RULES cannot be read: {reason}")
        return ""
