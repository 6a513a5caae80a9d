"""Settings of the store of reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .environment import Environment


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where reports are kept beside the folder; an empty URL: nowhere. `options` may contain secrets."""

    url: str
    options: Mapping[str, str] = field(repr=False)

    @classmethod
    def read(cls, env: Environment) -> StoreSettings:
        """The settings, with everything missing or wrong recorded in `env`."""
        url, options = env.text("REPORT_STORE_URL"), env.optional_secret("REPORT_STORE_OPTIONS")
        if url:
            env.has_extra("store", "obstore", "REPORT_STORE_URL")
        pairs = [part.partition("=") for part in options.split(",") if part.strip()]
        if not all(mark and name.strip() for name, mark, _ in pairs):
            # The text itself is not shown, because it may be a secret.
            env.wrong.append("REPORT_STORE_OPTIONS is not like name=value,name=value")
        return cls(url, {name.strip().lower(): value.strip() for name, _, value in pairs})
