"""An event loop that a signal ends in an orderly way."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from ticketattr.application.interruptible import run_interruptible
from ticketattr.errors import InputError

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def signals_as_they_were() -> Iterator[None]:
    """Listened to at first, whatever a shell told the tests."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in BOTH}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def add(one: int, other: int) -> int:
    await anyio.lowlevel.checkpoint()
    return one + other


def test_it_returns_what_the_function_does() -> None:
    assert run_interruptible(add, 2, 3) == 5


def test_an_error_comes_as_it_is() -> None:
    async def fail() -> None:
        raise InputError("the catalog is empty")

    with pytest.raises(InputError, match="the catalog is empty"):
        run_interruptible(fail)


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_what_runs_and_then_the_program(number: signal.Signals, exit_code: int) -> None:
    left = []

    async def interrupted() -> None:
        try:
            signal.raise_signal(number)
            await anyio.sleep(50)
        finally:
            left.append("in order")

    with pytest.raises(SystemExit) as ended:
        run_interruptible(interrupted)
    assert (ended.value.code, left) == (exit_code, ["in order"])


def test_whoever_listened_before_listens_afterwards() -> None:
    run_interruptible(add, 2, 3)
    assert [signal.getsignal(number) for number in BOTH] == [signal.default_int_handler] * 2


@pytest.mark.parametrize("ignored", [(signal.SIGINT,), BOTH], ids=["one", "both"])
def test_what_the_program_was_told_to_ignore_is_ignored(ignored: tuple[signal.Signals, ...]) -> None:
    async def go_on() -> str:
        signal.raise_signal(signal.SIGINT)
        await anyio.sleep(0.01)
        return "done"

    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    assert run_interruptible(go_on) == "done"


def test_signals_are_a_matter_of_the_main_thread() -> None:
    with ThreadPoolExecutor() as pool:
        assert pool.submit(run_interruptible, add, 2, 3).result() == 5
