"""Receives messages from every platform, and sends what is answered."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack

import anyio
from anyio.to_thread import run_sync
from stamina import retry_context

from ...application.service.chat import ChatDesk, ChatPlatform
from ...domain.chat import Platform, Reply
from ...errors import ServiceError, TicketAttrError

_ANNOUNCE = 2.0
_SHORTEST, _LONGEST = 1.0, 60.0
_ATTEMPTS = 4

log = logging.getLogger(__name__)


async def serve_chat(desk: ChatDesk, platforms: Sequence[ChatPlatform]) -> None:
    """Answer commands until this is cancelled. A platform that is down is tried again, ever more slowly."""
    one_at_a_time = anyio.Lock()
    async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
        for platform in platforms:
            stack.push_async_callback(platform.close)
            tasks.start_soon(_serve_platform, desk, platform, one_at_a_time)
        tasks.start_soon(_announce, desk, {platform.name: platform for platform in platforms}, one_at_a_time)


async def _serve_platform(desk: ChatDesk, platform: ChatPlatform, lock: anyio.Lock) -> None:
    wait, problem = _SHORTEST, ""
    while True:
        try:
            messages = await platform.receive()
            wait, problem = _SHORTEST, ""
        except TicketAttrError as error:
            # Once per problem: a network that is down for a night must not fill the log.
            if str(error) != problem:
                log.error("%s", error)
            problem = str(error)
            await anyio.sleep(wait)
            wait = min(2 * wait, _LONGEST)
            continue
        for message in messages:
            async with lock:
                reply = await run_sync(desk.answer, message)
            if reply:
                await _send(platform, message.sender.chat, reply)


async def _announce(desk: ChatDesk, platforms: dict[Platform, ChatPlatform], lock: anyio.Lock) -> None:
    while True:
        await anyio.sleep(_ANNOUNCE)
        async with lock:
            announcements = await run_sync(desk.announcements)
        for sender, reply in announcements:
            await _send(platforms[sender.platform], sender.chat, reply)


async def _send(platform: ChatPlatform, chat: str, reply: Reply) -> None:
    """Send a reply, and try again a few times: the command was carried out already."""
    try:
        async for attempt in retry_context(ServiceError, attempts=_ATTEMPTS, wait_initial=1.0):
            with attempt:
                await platform.send(chat, reply)
    except TicketAttrError as error:
        log.error("a reply could not be sent: %s", error)
