"""Receives messages from every platform, and sends what is answered."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import anyio
from anyio.to_thread import run_sync
from stamina import retry_context

from ...application.service.chat import ChatDesk, ChatPlatform
from ...domain.chat import ChatMessage, Platform, Reply, Sender
from ...errors import ServiceError, TicketAttrError

_ANNOUNCE = 2.0
_LOOK = 1.0
_LONGEST_PAUSE = 5.0
_SHORTEST, _LONGEST = 1.0, 60.0
_ATTEMPTS = 4

log = logging.getLogger(__name__)


@dataclass
class _Term:
    """The time in which this host leads."""

    is_over: bool = False
    receiving: set[anyio.CancelScope] = field(default_factory=set)

    def end(self) -> None:
        """Receive nothing more. What was received is still answered."""
        self.is_over = True
        for scope in self.receiving:
            scope.cancel()


async def serve_chat(desk: ChatDesk, platforms: Sequence[ChatPlatform]) -> None:
    """Answer commands until this is cancelled, as long as this host leads: a platform has one receiver."""
    one_at_a_time = anyio.Lock()
    while True:
        if await _leads(desk):
            async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
                term = _Term()
                for platform in platforms:
                    stack.push_async_callback(platform.close)
                    tasks.start_soon(_serve_platform, desk, platform, one_at_a_time, term)
                by_name = {platform.name: platform for platform in platforms}
                tasks.start_soon(_announce, desk, by_name, one_at_a_time, term)
                while await _leads(desk):
                    await anyio.sleep(_LOOK)
                term.end()
        await anyio.sleep(_LOOK)


async def _leads(desk: ChatDesk) -> bool:
    try:
        return await run_sync(desk.service.leads)
    except TicketAttrError:
        return False  # `advance` asks the same, and what calls it says what is wrong


async def _serve_platform(desk: ChatDesk, platform: ChatPlatform, lock: anyio.Lock, term: _Term) -> None:
    """Answer what comes. A platform that is down is tried again, ever more slowly."""
    wait, problem = _SHORTEST, ""
    while not term.is_over:
        messages: Sequence[ChatMessage] = ()
        with anyio.CancelScope() as scope:
            term.receiving.add(scope)
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
        term.receiving.discard(scope)
        for message in messages:
            async with lock:
                reply = await _answer(desk, message)
            if reply:
                await _send(platform, message.sender.chat, reply)


async def _answer(desk: ChatDesk, message: ChatMessage) -> Reply | None:
    """What to reply. While the state of the service cannot be used, it is asked again."""
    async for attempt in retry_context(TicketAttrError, attempts=None, timeout=None, wait_max=_LONGEST_PAUSE):
        with attempt:
            return await run_sync(desk.answer, message)
    return None


async def _announce(desk: ChatDesk, platforms: dict[Platform, ChatPlatform], lock: anyio.Lock, term: _Term) -> None:
    while not term.is_over:
        await anyio.sleep(_ANNOUNCE)
        announcements: Sequence[tuple[Sender, Reply]] = ()
        async with lock:
            with suppress(TicketAttrError):  # as in `_leads`
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
