"""Values that wait in a temporary file."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest

import pytest

from ticketattr.errors import TicketAttrError
from ticketattr.infrastructure.evaluation.disk_list import DiskList

MEGABYTE = "x" * 1024 * 1024


@pytest.mark.parametrize("text", ["", MEGABYTE], ids=["small", "large"])
def test_values_come_back_in_their_order_as_often_as_they_are_asked_for(text: str) -> None:
    values = DiskList(f"{number}{text}" for number in range(40))
    assert len(values) == 40
    assert [one[:2].rstrip("x") for one in values] == [str(number) for number in range(40)]
    assert all(one == other for one, other in zip_longest(values, values))


def test_nothing_is_no_values() -> None:
    assert (len(DiskList([])), list(DiskList([]))) == (0, [])


def test_a_disk_without_room_is_an_error_that_a_user_can_read() -> None:
    with no_file_larger_than(1024), pytest.raises(TicketAttrError, match="cannot be written"):
        DiskList(MEGABYTE for _ in range(40))


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
