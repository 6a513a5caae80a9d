"""Which classifier chooses the request types."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ...errors import SettingsError
from .environment import Environment
from .llm import PROVIDERS, LLMSettings, ProviderName

ClassifierName = Literal[ProviderName, "offline", "cascade"]

_DEFAULT_PROVIDER: ProviderName = "gemini"
_CASCADE_THRESHOLD = 0.8


@dataclass(frozen=True, slots=True)
class ClassifierSettings:
    """`llm` is None when the embedded classifier alone decides.

    In a cascade, the embedded classifier decides from the confidence `cascade_threshold` on. It uses `model`, the file
    of what it learned from the history of the desk.
    """

    name: str
    llm: LLMSettings | None
    calibration: Path | None = None
    model: Path | None = None
    cascade_threshold: float = _CASCADE_THRESHOLD

    @classmethod
    def read(cls, env: Environment, *, calls: bool = True) -> ClassifierSettings:
        """Returns the classifier that is set. Without `calls`, no key is needed."""
        name = env.choice("CLASSIFIER", _DEFAULT_PROVIDER, get_args(ClassifierName))
        provider = _provider(env, name)
        calibration = env.text("CALIBRATION_FILE", may_be_path=True)
        model = env.text("OFFLINE_MODEL", may_be_path=True)
        llm = None if name == "offline" else LLMSettings.read(env, provider, calls=calls)
        if llm and llm.batch_above is not None and not llm.has_jobs:
            env.wrong.append(f"LLM_BATCH_ABOVE needs Gemini, and CLASSIFIER is {_named(name, llm)}")
        return cls(
            name=name,
            llm=llm,
            calibration=Path(calibration) if calibration else None,
            model=Path(model) if model else None,
            cascade_threshold=env.decimal("CASCADE_THRESHOLD", _CASCADE_THRESHOLD, most=1.0),
        )

    def require_jobs(self) -> None:
        """Raises SettingsError unless the classifier can be asked in batch jobs."""
        if not self.has_jobs:
            raise SettingsError(
                f"batch jobs need Gemini, and CLASSIFIER is {_named(self.name, self.llm)}",
                hint="Set CLASSIFIER=gemini, or cascade with LLM_PROVIDER=gemini; or leave batch jobs out.",
            )

    @property
    def has_jobs(self) -> bool:
        """Whether the classifier can be asked in batch jobs."""
        return self.llm is not None and self.llm.has_jobs

    @property
    def title(self) -> str:
        """The name of the classifier, and of the model that it asks."""
        return f"{self.name} ({', '.join(self.llm.models)})" if self.llm else self.name

    @property
    def confidence_mapped_by(self) -> str:
        """What maps the confidence of a classifier to a probability, or what the confidence is without a map."""
        if self.calibration:
            return str(self.calibration)
        if not self.llm:
            return f"what {self.model} measured" if self.model else "the shipped map"
        nothing = "nothing: it is the model's own word"
        return f"the shipped map; what the model decides, {nothing}" if self.name == "cascade" else nothing


def _named(name: str, llm: LLMSettings | None) -> str:
    return f"{name} over {llm.provider}" if llm and llm.provider != name else name


def _provider(env: Environment, name: str) -> ProviderName:
    """Returns the provider that the classifier `name` is, or the one that a cascade asks."""
    wanted = name
    if name == "cascade":
        # Only servers with OpenAI's protocol have this setting.
        likely: ProviderName = "openai" if env.text("LLM_BASE_URL") else _DEFAULT_PROVIDER
        wanted = env.choice("LLM_PROVIDER", "", tuple(PROVIDERS)) if env.text("LLM_PROVIDER") else likely
    return next((provider for provider in PROVIDERS if provider == wanted), _DEFAULT_PROVIDER)
