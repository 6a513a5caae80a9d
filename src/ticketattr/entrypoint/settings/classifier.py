"""Who chooses the request types."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ...domain.usage import Price
from ...infrastructure.options import GeminiOptions
from .environment import Environment

ClassifierName = Literal["gemini", "offline", "cascade"]

_UNSET = GeminiOptions(model="gemini-2.5-pro", api_key="")
"""What counts where nothing is set."""

_CASCADE_THRESHOLD = 0.8


@dataclass(frozen=True, slots=True)
class ClassifierSettings:
    """`gemini` is None for the embedded classifier alone.

    In a cascade, the embedded classifier decides from the confidence `cascade_threshold` on.
    """

    name: str
    gemini: GeminiOptions | None
    calibration: Path | None
    cascade_threshold: float = _CASCADE_THRESHOLD

    @classmethod
    def read(cls, env: Environment, *, calls: bool = True) -> ClassifierSettings:
        """Without calls, no key is needed."""
        name = env.choice("CLASSIFIER", "gemini", get_args(ClassifierName))
        calibration = env.text("CALIBRATION_FILE")
        gemini = None if name == "offline" else _gemini_options(env, calls=calls)
        return cls(
            name=name,
            gemini=gemini,
            calibration=Path(calibration) if calibration else None,
            cascade_threshold=env.decimal("CASCADE_THRESHOLD", _CASCADE_THRESHOLD, most=1.0),
        )

    @property
    def title(self) -> str:
        """The name, and that of the model."""
        return f"{self.name} ({self.gemini.model})" if self.gemini else self.name

    @property
    def confidence_mapped_by(self) -> str:
        """What makes a probability of what a classifier says of its confidence, or what that is where nothing does."""
        if self.calibration:
            return str(self.calibration)
        if not self.gemini:
            return "the shipped map"
        nothing = "nothing: it is the model's own word"
        return f"the shipped map; what the model decides, {nothing}" if self.name == "cascade" else nothing


def _gemini_options(env: Environment, *, calls: bool) -> GeminiOptions:
    model = env.text("LLM_MODEL_NAME", _UNSET.model)
    price = _price(env, model)
    max_cost = env.optional_decimal("LLM_MAX_COST", most=1_000_000.0)
    if max_cost is not None and price is None:
        env.wrong.append(f"LLM_MAX_COST needs the price of {model}, which is not known: name a list in LLM_PRICES")
    return GeminiOptions(
        model=model,
        api_key=env.token("LLM_API_KEY") if calls else "",
        concurrency=env.whole("LLM_MAX_CONCURRENCY", _UNSET.concurrency, least=1, most=1000),
        requests_per_minute=env.optional_whole("LLM_REQUESTS_PER_MINUTE", least=1),
        tokens_per_minute=env.optional_whole("LLM_TOKENS_PER_MINUTE", least=1),
        max_cost=max_cost,
        price=price,
        rules=_rules(env),
        thinking_budget=env.optional_whole("LLM_THINKING_BUDGET", least=-1),
        batch_size=env.whole("LLM_BATCH_SIZE", _UNSET.batch_size, least=1, most=1000),
        pause=env.decimal("LLM_DELAY_BETWEEN_BATCHES", _UNSET.pause, most=3600.0),
        max_retries=env.whole("LLM_MAX_RETRIES", _UNSET.max_retries, least=0, most=20),
        timeout=env.decimal("LLM_TIMEOUT", _UNSET.timeout, least=0.1),
        temperature=env.optional_decimal("LLM_TEMPERATURE", most=2.0),
        top_p=env.optional_decimal("LLM_TOP_P", most=1.0),
        top_k=env.optional_whole("LLM_TOP_K", least=1),
        api_version=env.text("LLM_API_VERSION", _UNSET.api_version),
        base_url=env.text("GOOGLE_GEMINI_BASE_URL"),
    )


def _price(env: Environment, model: str) -> Price | None:
    from ...infrastructure.classifiers.llm.prices import price_of

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
