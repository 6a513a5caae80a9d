"""One contract for all chat platforms, against stand-ins on loopback; what is special about each follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import pytest

from ticketattr.application.service.chat import ChatPlatform
from ticketattr.domain.chat import ChatMessage, FileReply, Reply, TextReply
from ticketattr.errors import ServiceError, SettingsError
from ticketattr.infrastructure.chat.matrix import Matrix
from ticketattr.infrastructure.chat.telegram import Telegram

from ...chat_servers import BOT, MATRIX_TOKEN, PERSON, ROOM, TELEGRAM_TOKEN, MatrixServer, TelegramServer, chat_server

Server: TypeAlias = "TelegramServer | MatrixServer"


def platform_of(server: Server, token: str = "") -> ChatPlatform:
    if isinstance(server, TelegramServer):
        return Telegram(token or TELEGRAM_TOKEN, lambda: datetime.now(timezone.utc), server.url)
    return Matrix(server.url, BOT, token or MATRIX_TOKEN, frozenset({ROOM}))


@pytest.fixture(params=[TelegramServer, MatrixServer])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made: Server = request.param()
    with chat_server(made):
        yield made


def received(server: Server, platform: ChatPlatform, count: int = 1) -> list[ChatMessage]:
    async def receive() -> list[ChatMessage]:
        found: list[ChatMessage] = []
        try:
            with anyio.fail_after(20):
                while len(found) < count:
                    found += await platform.receive()
        finally:
            await platform.close()
        return found

    return anyio.run(receive)


def test_what_was_not_answered_comes_again_after_the_platform_was_closed(server: Server) -> None:
    platform = platform_of(server)
    server.write("/status")
    (first,) = received(server, platform)
    (again,) = received(server, platform)
    assert again.id == first.id


def test_a_message_is_not_lost_with_a_call_that_fails_when_it_comes(server: Server) -> None:
    """Telegram is told that a button was pressed; Matrix is told who enters a room, and asked who is in it."""
    answer, refused = server.answer, list[str]()

    def refuse_once(method: str, path: str, query: dict[str, str], headers: Any, body: bytes) -> tuple[int, Any]:
        if not path.endswith(("answerCallbackQuery", "joined_members", f"join/{ROOM}")) or path in refused:
            return answer(method, path, query, headers, body)
        refused.append(path)
        return 500, {"ok": False, "error_code": 500, "description": "x"}

    async def receive() -> list[ChatMessage]:
        platform, found = platform_of(server), list[ChatMessage]()
        with anyio.move_on_after(10):
            while not found:
                with suppress(ServiceError):
                    found += await platform.receive()
        await platform.close()
        return found

    server.answer = refuse_once  # type: ignore[method-assign]
    if isinstance(server, TelegramServer):
        server.press("/confirm x")
    else:
        server.write("/status")
    assert len(anyio.run(receive)) == 1
    assert refused


def send(platform: ChatPlatform, server: Server, *replies: Reply) -> None:
    async def send_all() -> None:
        try:
            for reply in replies:
                await platform.send("7" if isinstance(server, TelegramServer) else ROOM, reply)
        finally:
            await platform.close()

    anyio.run(send_all)


def test_a_message_arrives_with_who_wrote_it_where_and_when(server: Server) -> None:
    server.write("/status")
    (message,) = received(server, platform_of(server))
    assert message.text == "/status"
    assert message.is_private
    assert abs((message.sent - datetime.now(timezone.utc)).total_seconds()) < 60
    where = (message.sender.chat, message.sender.user)
    assert where == (("7", "7") if isinstance(server, TelegramServer) else (ROOM, PERSON))


def test_a_message_comes_once_and_two_have_different_ids(server: Server) -> None:
    server.write("/status")
    server.write("/run")
    first, second = received(server, platform_of(server), 2)
    assert first.id != second.id
    assert [first.text, second.text] == ["/status", "/run"]


def test_a_text_arrives_as_it_is(server: Server) -> None:
    text = "a_b <b>*c*</b> & `d`\nsecond line"
    send(platform_of(server), server, TextReply(text))
    assert [said.text for said in server.said] == [text]


def test_a_file_arrives_byte_for_byte(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "ticket-attribution-20261127T120000Z-0000.xlsx"
    path.write_bytes(bytes(range(256)) * 10)
    send(platform_of(server), server, FileReply(path.name, "of a run", path=path))
    send(platform_of(server), server, FileReply("list.csv", "", b"a,b\n"))
    assert [(said.name, said.content) for said in server.said] == [
        (path.name, path.read_bytes()),
        ("list.csv", b"a,b\n"),
    ]


def test_a_file_that_is_gone_is_a_service_error(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="the file for a chat cannot be read"):
        send(platform_of(server), server, FileReply("x", "", path=tmp_path / "gone"))


def test_a_question_says_how_to_confirm_it(server: Server) -> None:
    send(platform_of(server), server, TextReply("Start a run?", "Start the run", "/confirm abc"))
    (said,) = server.said
    assert ("/confirm abc" in said.button) or ("!confirm abc" in said.text)


def test_a_wrong_token_is_a_setting_and_is_not_shown(server: Server) -> None:
    with pytest.raises(SettingsError) as error:
        send(platform_of(server, "1:wrong-token"), server, TextReply("x"))
    assert "wrong-token" not in f"{error.value} {error.value.hint}"
    assert "CHAT_" in error.value.hint


def test_a_platform_that_is_down_is_a_service_error(server: Server) -> None:
    server.url = "http://127.0.0.1:9"
    with pytest.raises(ServiceError, match="cannot be reached"):
        received(server, platform_of(server))


def test_half_a_surrogate_pair_arrives_as_a_replacement_character(server: Server) -> None:
    server.write("/logs \ud83d")
    (message,) = received(server, platform_of(server))
    assert message.text == "/logs \ufffd"


@pytest.mark.parametrize(
    "update",
    [
        {},
        {"update_id": 1000, "message": {"message_id": 1, "date": 10**30, "chat": {"id": 7, "type": "private"}}},
        {"update_id": 1000, "message": {"message_id": 1, "date": "now", "chat": {"id": 7, "type": "private"}}},
        {"update_id": 1000, "message": {"message_id": 1, "date": 1, "chat": {"id": 7}}},
        {"update_id": 1000, "message": {"message_id": 1, "date": 1, "from": {"id": 7}, "text": "/run"}},
    ],
)
def test_an_answer_that_is_not_one_of_telegram_is_a_service_error(update: dict[str, Any]) -> None:
    with chat_server(telegram := TelegramServer()):
        telegram.add(update)
        with pytest.raises(ServiceError, match="something else than messages"):
            received(telegram, platform_of(telegram))


def test_the_id_of_an_event_of_matrix_can_be_written_down() -> None:
    with chat_server(matrix := MatrixServer()):
        matrix.write("!help")
        matrix.updates[0]["event"]["event_id"] = "$\ud800"
        (message,) = received(matrix, platform_of(matrix))
    assert message.id == "$\ufffd"


def test_a_refusal_is_a_service_error(server: Server) -> None:
    server.refusals = [
        (429, {"ok": False, "error_code": 429, "description": "Too Many", "parameters": {"retry_after": 3}})
    ]
    with pytest.raises(ServiceError):
        send(platform_of(server), server, TextReply("x"))


class TestTelegram:
    @pytest.fixture
    def server(self) -> Iterator[TelegramServer]:
        made = TelegramServer()
        with chat_server(made):
            yield made

    def test_a_pressed_button_is_a_message_of_who_pressed_it(self, server: TelegramServer) -> None:
        server.press("/confirm abc", user=8)
        pressed = datetime(2026, 11, 28, tzinfo=timezone.utc)  # Telegram does not say it
        (message,) = received(server, Telegram(TELEGRAM_TOKEN, lambda: pressed, server.url))
        assert (message.text, message.sender.user, message.sent) == ("/confirm abc", "8", pressed)
        assert "answerCallbackQuery" in server.calls

    def test_a_message_in_a_group_is_not_private(self, server: TelegramServer) -> None:
        server.write("/logs", chat=-100)
        (message,) = received(server, platform_of(server))
        assert not message.is_private

    def test_what_has_no_text_is_passed_over(self, server: TelegramServer) -> None:
        server.add({"update_id": 1000, "message": {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}}})
        server.write("/status")
        assert [message.text for message in received(server, platform_of(server))] == ["/status"]

    def test_a_text_that_is_too_long_is_cut(self, server: TelegramServer) -> None:
        send(platform_of(server), server, TextReply("x" * 10_000))
        assert len(server.said[0].text) == 4096


class TestMatrix:
    @pytest.fixture
    def server(self) -> Iterator[MatrixServer]:
        made = MatrixServer()
        with chat_server(made):
            yield made

    def test_a_room_with_others_is_not_private(self, server: MatrixServer) -> None:
        server.members = 3
        server.write("/logs")
        (message,) = received(server, platform_of(server))
        assert not message.is_private

    def test_its_own_messages_and_those_of_a_strange_shape_are_passed_over(self, server: MatrixServer) -> None:
        server.write("/run", user=BOT)
        strange: list[Any] = [
            {},
            [],
            {"content": {"msgtype": "m.text", "body": 5}},
            {"content": {"msgtype": "m.text", "body": "x"}},
        ]
        for event in strange:
            server.add({"room": ROOM, "event": event})
        server.write("/status")
        assert [message.text for message in received(server, platform_of(server))] == ["/status"]


def test_a_matrix_account_enters_the_rooms_of_the_list_alone() -> None:
    server = MatrixServer()
    with chat_server(server):
        server.write("/status")
        received(server, platform_of(server))
        assert [call for call in server.calls if "/join/" in call] == [f"/_matrix/client/v3/join/{ROOM}"]
