"""Settings of writing back into the helpdesk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from ...domain.write_back import APPLY_ABOVE, WriteMode
from ...infrastructure.options import WEBHOOK
from .environment import Environment


@dataclass(frozen=True, slots=True)
class WriteBackSettings:
    """What is written, and from which confidence on: a number, or a YAML file with one for each category."""

    mode: WriteMode
    above: float | Path

    @classmethod
    def read(cls, env: Environment) -> WriteBackSettings:
        """The settings, with everything wrong recorded in `env`."""
        mode = cast(WriteMode, env.choice("HELPDESK_WRITE", "off", get_args(WriteMode)))
        if mode in ("fill", "suggest"):
            _refuse_what_cannot_be_written(env, mode)
        return cls(mode, _above(env))


def _refuse_what_cannot_be_written(env: Environment, mode: str) -> None:
    location = env.text("HELPDESK_API_URL", may_be_path=True)
    if location and not location.lower().startswith(("http://", "https://")):
        env.wrong.append(f"HELPDESK_WRITE={mode} needs a helpdesk, but HELPDESK_API_URL is a file")
    elif env.text("HELPDESK_PROFILE", WEBHOOK) == WEBHOOK:
        env.wrong.append(f"HELPDESK_WRITE={mode} needs another profile than webhook (HELPDESK_PROFILE)")


def _above(env: Environment) -> float | Path:
    text = env.text("APPLY_ABOVE", f"{APPLY_ABOVE:g}", may_be_path=True)
    try:
        number = float(text)
    except ValueError:
        return Path(text)
    if not 0 <= number <= 1:
        env.wrong.append(f"APPLY_ABOVE is not a number from 0 to 1, or the path of a YAML file: {text}")
    return number
