"""The models that a key may use, for messages: a service that lists none is no reason to fail."""

from __future__ import annotations

import anyio

from ....errors import SettingsError
from ...network.retries import Transient
from .chat_model import ChatModel, ChatModelError


async def listed_models(chat_model: ChatModel, timeout: float) -> list[str]:
    """Returns the names of the models that `chat_model` lists within `timeout` seconds; none if it does not.

    Call it while `chat_model` is entered.
    """
    try:
        with anyio.fail_after(timeout):
            return await chat_model.list_models()
    except (TimeoutError, Transient, SettingsError, ChatModelError):
        return []


async def models_of(chat_model: ChatModel, timeout: float) -> list[str]:
    """Returns what `listed_models` returns, for a model that nobody has entered."""
    async with chat_model:
        return await listed_models(chat_model, timeout)
