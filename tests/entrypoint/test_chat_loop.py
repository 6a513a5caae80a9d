"""Messages are received and answered for as long as the service runs, whatever happens to its state meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import anyio

from ticketattr.application.service.runs import advance
from ticketattr.domain.chat import ChatMessage, Platform, Reply, TextReply
from ticketattr.entrypoint.chat.loop import serve_chat

from ..application.service.test_chat import Chat


@dataclass
class Messenger:
    """A platform on which messages are written and answers are read by the test."""

    name: ClassVar[Platform] = "telegram"
    max_file: ClassVar[int] = 1000
    written: list[ChatMessage] = field(default_factory=list)
    said: list[Reply] = field(default_factory=list)

    async def receive(self) -> Sequence[ChatMessage]:
        while not self.written:
            await anyio.sleep(0.01)
        return [self.written.pop(0)]

    async def send(self, chat: str, reply: Reply) -> None:
        self.said.append(reply)

    async def close(self) -> None:
        pass

    async def next_reply(self) -> TextReply:
        with anyio.fail_after(20):
            while not self.said:
                await anyio.sleep(0.01)
        reply = self.said.pop(0)
        assert isinstance(reply, TextReply)
        return reply


def test_the_end_of_a_run_is_told_after_a_time_in_which_the_state_could_not_be_read(tmp_path: Path) -> None:
    chat, messenger, state = Chat(tmp_path), Messenger(), tmp_path / "service.db"

    async def talk() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve_chat, chat.desk, [messenger])
            messenger.written.append(chat.message("/run"))
            messenger.written.append(chat.message((await messenger.next_reply()).answer))
            assert "You will be told how it ends." in (await messenger.next_reply()).text
            content = state.read_bytes()
            state.write_bytes(b"damaged")
            await anyio.sleep(3)
            state.write_bytes(content)
            advance(chat.service)
            chat.processes.end(1, 0)
            advance(chat.service)
            assert (await messenger.next_reply()).text == "Run 1: done."
            tasks.cancel_scope.cancel()

    anyio.run(talk)
