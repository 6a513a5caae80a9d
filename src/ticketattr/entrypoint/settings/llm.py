"""Which large language model is asked, and how. `PROVIDERS` is the list of those that can be chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from ...domain.usage import Price
from ...infrastructure.classifiers.llm.prices import price_of
from ...infrastructure.options import ChatModelOptions, LLMOptions
from .environment import Environment

ProviderName: TypeAlias = Literal["gemini"]


@dataclass(frozen=True, slots=True)
class Provider:
    """What the settings of a provider are. `base_url` is the name of the setting.

    `packages` are the third-party packages of its client that take long to import.
    `model_name` is the form of its models' names. A name that becomes part of a URL must not change the URL's path.
    """

    default_model: str
    base_url: str
    api_version: str
    model_name: re.Pattern[str]
    packages: tuple[str, ...] = ()


PROVIDERS: Mapping[ProviderName, Provider] = {
    "gemini": Provider(
        default_model="gemini-flash-latest",
        base_url="GOOGLE_GEMINI_BASE_URL",
        api_version="v1beta",
        model_name=re.compile(r"(?!.*\.\.)[\w./-]+"),
        packages=("google.genai",),
    ),
}

_DEFAULTS = LLMOptions()


@dataclass(frozen=True, slots=True)
class LLMSettings:
    """A provider, the model of it that is asked, and how it is asked."""

    provider: ProviderName
    chat_model: ChatModelOptions
    options: LLMOptions

    @classmethod
    def read(cls, env: Environment, provider: ProviderName, *, calls: bool) -> LLMSettings:
        """Returns the settings of `provider`. Without `calls`, no key is needed."""
        options = _llm_options(env)
        chat_model = _chat_model_options(env, PROVIDERS[provider], options, calls=calls)
        price = _price(env, chat_model.model)
        if options.max_cost is not None and price is None:
            env.wrong.append(
                f"LLM_MAX_COST needs the price of {chat_model.model}, which is not known: name a list in LLM_PRICES"
            )
        return cls(provider, chat_model, replace(options, price=price))

    @property
    def model(self) -> str:
        return self.chat_model.model

    def without_retries(self) -> LLMSettings:
        """Returns these settings for a single attempt, as a check makes it."""
        return replace(self, options=replace(self.options, max_retries=0))


def _llm_options(env: Environment) -> LLMOptions:
    return LLMOptions(
        batch_size=env.whole("LLM_BATCH_SIZE", _DEFAULTS.batch_size, least=1, most=1000),
        concurrency=env.whole("LLM_MAX_CONCURRENCY", _DEFAULTS.concurrency, least=1, most=1000),
        pause=env.decimal("LLM_DELAY_BETWEEN_BATCHES", _DEFAULTS.pause, most=3600.0),
        requests_per_minute=env.optional_whole("LLM_REQUESTS_PER_MINUTE", least=1),
        tokens_per_minute=env.optional_whole("LLM_TOKENS_PER_MINUTE", least=1),
        max_cost=env.optional_decimal("LLM_MAX_COST", most=1_000_000.0),
        rules=_rules(env),
        max_retries=env.whole("LLM_MAX_RETRIES", _DEFAULTS.max_retries, least=0, most=20),
        timeout=env.decimal("LLM_TIMEOUT", _DEFAULTS.timeout, least=0.1),
    )


def _chat_model_options(env: Environment, provider: Provider, options: LLMOptions, *, calls: bool) -> ChatModelOptions:
    model = env.text("LLM_MODEL_NAME", provider.default_model)
    if not provider.model_name.fullmatch(model):
        env.wrong.append("LLM_MODEL_NAME is not the name of a model")
    base_url = env.text(provider.base_url)
    if not _has_valid_port(base_url):
        env.wrong.append(f"{provider.base_url} is not a valid URL")
    return ChatModelOptions(
        model=model,
        api_key=env.token("LLM_API_KEY") if calls else "",
        base_url=base_url,
        api_version=env.text("LLM_API_VERSION", provider.api_version),
        timeout=options.timeout,
        connections=options.concurrency,
        temperature=env.optional_decimal("LLM_TEMPERATURE", most=2.0),
        top_p=env.optional_decimal("LLM_TOP_P", most=1.0),
        top_k=env.optional_whole("LLM_TOP_K", least=1),
        thinking_budget=env.optional_whole("LLM_THINKING_BUDGET", least=-1),
    )


def _has_valid_port(url: str) -> bool:
    try:
        port = urlsplit(url).port
    except ValueError:
        return False
    return port != 0


def _price(env: Environment, model: str) -> Price | None:
    path = env.text("LLM_PRICES", may_be_path=True)
    return price_of(model, Path(path) if path else None)


def _rules(env: Environment) -> str:
    """Returns the rules of the user's organisation; empty when the rules of the package apply."""
    path = env.text("CLASSIFICATION_RULES", may_be_path=True)
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        env.wrong.append(f"CLASSIFICATION_RULES cannot be read: {reason}")
        return ""
