"""Telegram, by long polling: nothing has to reach this machine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from telegram.constants import ChatType, FileSizeLimit, MessageLimit
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from ...application.ports import Clock
from ...domain.chat import ChatMessage, FileReply, Platform, Reply, Sender, TextReply
from ...errors import ServiceError, SettingsError
from ..json_text import whole_characters
from ..network.service_words import service_words

POLL = 25
"""Seconds that Telegram may wait for a message before it answers."""

_NOT_TELEGRAM = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What the library raises where a field is missing, or is of another type."""


@dataclass(slots=True)
class Telegram:
    """A bot with the token `token`. `base_url` is that of the Bot API, without `/bot`.

    `clock` tells when a button was pressed, because Telegram does not.
    """

    token: str = field(repr=False)
    clock: Clock
    base_url: str = "https://api.telegram.org"
    name: ClassVar[Platform] = "telegram"
    max_file: ClassVar[int] = int(FileSizeLimit.FILESIZE_UPLOAD)
    _bot: Bot | None = field(default=None, repr=False)
    _next: int = 0

    async def receive(self) -> Sequence[ChatMessage]:
        try:
            bot = await self._connected()
            updates = await bot.get_updates(
                self._next, timeout=POLL, allowed_updates=["message", "callback_query"], read_timeout=POLL + 10
            )
            for update in updates:
                self._next = update.update_id + 1
                if update.callback_query:
                    # Otherwise the button shows for a minute that it is at work. The message counts in any case.
                    with suppress(TelegramError):
                        await update.callback_query.answer()
            now = self.clock()
            return [message for update in updates if (message := _message(update, now))]
        except TelegramError as error:
            raise _error(error) from error
        except _NOT_TELEGRAM as error:
            raise ServiceError(
                "Telegram answers something else than messages", hint="Check CHAT_TELEGRAM_BASE_URL."
            ) from error

    async def send(self, chat: str, reply: Reply) -> None:
        try:
            bot = await self._connected()
            if isinstance(reply, FileReply):
                content = reply.path.read_bytes() if reply.path else reply.content
                await bot.send_document(int(chat), content, filename=reply.name, caption=reply.caption or None)
            else:
                await bot.send_message(
                    int(chat), reply.text[: MessageLimit.MAX_TEXT_LENGTH], reply_markup=_buttons(reply)
                )
        except OSError as error:
            raise ServiceError(f"the file for a chat cannot be read: {error.strerror}") from error
        except TelegramError as error:
            raise _error(error) from error

    async def close(self) -> None:
        if self._bot:
            # What was received and not answered comes again, here or on another host.
            bot, self._bot, self._next = self._bot, None, 0
            await bot.shutdown()

    async def _connected(self) -> Bot:
        if self._bot is None:
            base = self.base_url.rstrip("/")
            polling = HTTPXRequest(connection_pool_size=1)
            bot = Bot(self.token, base_url=f"{base}/bot", base_file_url=f"{base}/file/bot", get_updates_request=polling)
            # Known before it is initialized, so that its connections end with it, whatever happens.
            self._bot = bot
            await bot.initialize()
        return self._bot


def _message(update: Update, now: datetime) -> ChatMessage | None:
    """The message of an update that came `now`; None for what has no text, or no sender."""
    pressed, written = update.callback_query, update.message
    source = pressed.message if pressed else written
    user = pressed.from_user if pressed else written.from_user if written else None
    text = pressed.data if pressed else written.text if written else None
    if not (source and user and text):
        return None
    sender = Sender("telegram", str(source.chat.id), str(user.id))
    # A button carries the date of its message, and may be pressed later.
    sent = now if pressed or not isinstance(source, Message) else source.date
    return ChatMessage(
        str(update.update_id), sender, whole_characters(text), sent, source.chat.type == ChatType.PRIVATE
    )


def _buttons(reply: TextReply) -> InlineKeyboardMarkup | None:
    return (
        InlineKeyboardMarkup.from_button(InlineKeyboardButton(reply.button, callback_data=reply.answer))
        if reply.button
        else None
    )


def _error(error: TelegramError) -> ServiceError | SettingsError:
    """The error that says what Telegram refused, without the token, which is in every address of the Bot API."""
    if isinstance(error, InvalidToken):
        return SettingsError("Telegram refuses the token", hint="Check CHAT_TELEGRAM_TOKEN.")
    if isinstance(error, Conflict):
        return ServiceError(
            "another program receives the messages of this bot",
            hint="A bot has one receiver: end the other one, or delete its webhook.",
        )
    if isinstance(error, RetryAfter):
        return ServiceError("Telegram asks to wait")
    if isinstance(error, NetworkError):
        return ServiceError("Telegram cannot be reached", hint="Check the network and CHAT_TELEGRAM_BASE_URL.")
    return ServiceError(f"Telegram refuses: {service_words(error.message)}")
