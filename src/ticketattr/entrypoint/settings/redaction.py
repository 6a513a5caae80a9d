"""What is hidden from models: the rules for private text, and the user's own names and patterns."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ...infrastructure.redaction.terms_file import Terms, read_terms
from .environment import Environment


@dataclass(frozen=True, slots=True)
class RedactionSettings:
    """Whether private text is hidden from models, and the `terms` of the file that REDACT_TERMS names."""

    is_on: bool = True
    terms: Terms = field(default_factory=Terms)

    @classmethod
    def read(cls, env: Environment) -> RedactionSettings:
        """Returns the settings of redaction. Each wrong line of the file is named."""
        path = env.text("REDACT_TERMS", may_be_path=True)
        terms, wrong = read_terms(Path(path)) if path else (Terms(), [])
        env.wrong += [f"REDACT_TERMS {problem}" for problem in wrong]
        return cls(env.choice("REDACT", "on", ("on", "off")) == "on", terms)
