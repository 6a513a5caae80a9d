"""An event loop that a signal ends cleanly."""

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
    """Start each test with the default handlers, even if a shell started the tests with a signal ignored."""
    before = {number: signal.signal(number, signal.default_int_handler) for number in BOTH}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def add(one: int, other: int) -> int:
    await anyio.lowlevel.checkpoint()
    return one + other


def test_the_result_of_the_function_is_returned() -> None:
    assert run_interruptible(add, 2, 3) == 5


def test_an_error_of_the_function_is_raised_unchanged() -> None:
    async def fail() -> None:
        raise InputError("the catalog is empty")

    with pytest.raises(InputError, match="the catalog is empty"):
        run_interruptible(fail)


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_the_function_and_then_exits(number: signal.Signals, exit_code: int) -> None:
    cleaned_up = []

    async def interrupted() -> None:
        try:
            signal.raise_signal(number)
            await anyio.sleep(50)
        finally:
            cleaned_up.append(True)

    with pytest.raises(SystemExit) as ended:
        run_interruptible(interrupted)
    assert (ended.value.code, cleaned_up) == (exit_code, [True])


def test_the_signal_handlers_are_restored() -> None:
    run_interruptible(add, 2, 3)
    assert [signal.getsignal(number) for number in BOTH] == [signal.default_int_handler] * 2


@pytest.mark.parametrize("ignored", [(signal.SIGINT,), BOTH], ids=["one", "both"])
def test_a_signal_that_was_ignored_stays_ignored(ignored: tuple[signal.Signals, ...]) -> None:
    async def go_on() -> str:
        signal.raise_signal(signal.SIGINT)
        await anyio.sleep(0.01)
        return "done"

    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    assert run_interruptible(go_on) == "done"


def test_the_function_also_runs_outside_the_main_thread() -> None:
    with ThreadPoolExecutor() as pool:
        assert pool.submit(run_interruptible, add, 2, 3).result() == 5
