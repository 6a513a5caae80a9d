"""Chat commands: who may send them, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from .access import Scope

Platform: TypeAlias = Literal["telegram", "matrix"]

CHAT_COMMANDS = ("status", "run", "schedule", "sent", "report", "logs", "help", "confirm")
"""The names of all commands. `confirm` is what a button sends."""

ChatCount: TypeAlias = tuple[str, str, Literal["done", "refused"]]
"""What chat commands are counted by: platform, name (`other`: no command of ours) and outcome."""


@dataclass(frozen=True, slots=True)
class Sender:
    """A person in a chat. `chat` and `user` are the ids that the platform gives them."""

    platform: Platform
    chat: str
    user: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.chat}:{self.user}"


@dataclass(frozen=True, slots=True)
class AllowedSender:
    """A person who may send commands in one chat, and what they may do."""

    sender: Sender
    scope: Scope


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message or a pressed button. `id` is the platform's own: a message that comes twice has the same one.

    `is_private`: nobody but the sender reads the chat. `sent` is in UTC.
    """

    id: str
    sender: Sender
    text: str
    sent: datetime
    is_private: bool = True


@dataclass(frozen=True, slots=True)
class TextReply:
    """A text. With `button`, the platform offers a button with that label, which sends `answer`."""

    text: str
    button: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class FileReply:
    """A file, and a text about it. The content is `content`, or that of the file at `path`."""

    name: str
    caption: str
    content: bytes = b""
    path: Path | None = None


Reply: TypeAlias = TextReply | FileReply


def parse_allowed(entry: str) -> AllowedSender:
    """`platform:chat:user:scope`, as in `telegram:-100:42:read`. Ids of Matrix contain colons of their own.

    Raises ValueError, which says what is wrong with it.
    """
    platform, _, rest = entry.strip().partition(":")
    rest, _, scope = rest.rpartition(":")
    if scope not in ("read", "operate"):
        raise ValueError("it does not end in :read or :operate")
    if platform == "matrix":
        chat, mark, user = rest.partition(":@")
        user = f"@{user}"
        if not (mark and chat.startswith("!") and ":" in user):
            raise ValueError("it is not like matrix:!room:server:@user:server:read")
        return AllowedSender(Sender("matrix", chat, user), "operate" if scope == "operate" else "read")
    if platform != "telegram":
        raise ValueError("it begins with neither telegram: nor matrix:")
    chat, _, user = rest.partition(":")
    if not (chat.removeprefix("-").isdecimal() and user.isdecimal()):
        raise ValueError("it is not like telegram:CHAT:USER:read, with the numbers of Telegram")
    return AllowedSender(Sender("telegram", chat, user), "operate" if scope == "operate" else "read")


def parse_command(text: str) -> tuple[str, str] | None:
    """The name and the argument of a command such as `/logs 50`; None for any other text.

    Telegram writes `/logs@name_of_the_bot` in groups. In Matrix, many programs keep a leading slash for themselves, so
    `!logs` is the same.
    """
    if text[:1] not in ("/", "!"):
        return None
    word, _, argument = text[1:].strip().partition(" ")
    return word.partition("@")[0].lower(), " ".join(argument.split())
