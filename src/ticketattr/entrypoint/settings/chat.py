"""Settings of the chat."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...domain.chat import AllowedSender, parse_allowed
from .environment import Environment


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """The accounts of the program, and who may send commands to them. An empty token: not on that platform."""

    telegram_token: str = field(repr=False)
    telegram_url: str
    matrix_homeserver: str
    matrix_user: str
    matrix_token: str = field(repr=False)
    allowed: tuple[AllowedSender, ...]

    @classmethod
    def read(cls, env: Environment) -> ChatSettings:
        """The settings, with everything missing or wrong recorded in `env`."""
        telegram, matrix = env.optional_secret("CHAT_TELEGRAM_TOKEN"), env.optional_secret("CHAT_MATRIX_TOKEN")
        homeserver, user = env.text("CHAT_MATRIX_HOMESERVER"), env.text("CHAT_MATRIX_USER")
        if matrix and not (homeserver and user):
            env.wrong.append("CHAT_MATRIX_TOKEN needs CHAT_MATRIX_HOMESERVER and CHAT_MATRIX_USER")
        if telegram:
            env.has_extra("telegram", "telegram", "CHAT_TELEGRAM_TOKEN")
        allowed = _allowed(env)
        if (telegram or matrix) and not allowed:
            env.wrong.append("a chat needs CHAT_ALLOW: without it, nobody is answered")
        return cls(
            telegram_token=telegram.strip(),
            telegram_url=env.text("CHAT_TELEGRAM_BASE_URL", "https://api.telegram.org"),
            matrix_homeserver=homeserver,
            matrix_user=user,
            matrix_token=matrix.strip(),
            allowed=allowed,
        )


def _allowed(env: Environment) -> tuple[AllowedSender, ...]:
    found: list[AllowedSender] = []
    for entry in filter(None, map(str.strip, env.text("CHAT_ALLOW").split(","))):
        try:
            found.append(parse_allowed(entry))
        except ValueError as error:  # noqa: PERF203  # every mistake is named
            env.wrong.append(f"CHAT_ALLOW contains {entry}: {error}")
    return tuple(found)
