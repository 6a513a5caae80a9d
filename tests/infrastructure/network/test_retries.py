"""How long sending waits before it tries again."""

from __future__ import annotations

import pytest

from ticketattr.application.ports import TransientFailure
from ticketattr.errors import MailServerError, SettingsError
from ticketattr.infrastructure.network.retries import retry_sending


class Attempt:
    """Fails with `error` every time, and counts its calls."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        raise self.error


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each wait, none of which is waited."""
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    return waits


@pytest.mark.parametrize("error", [TransientFailure("451 later"), MailServerError("no response")], ids=repr)
def test_sending_waits_twice_as_long_before_each_retry_and_at_most_a_minute(
    waits: list[float], error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    attempt = Attempt(error)
    with pytest.raises(type(error)):
        retry_sending(7)(attempt)
    assert waits == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert attempt.calls == 8
    assert caplog.messages[:2] == [f"{error}; retry 1 in 2.0 s", f"{error}; retry 2 in 4.0 s"]


def test_sending_does_not_retry_what_cannot_succeed_later(waits: list[float]) -> None:
    attempt = Attempt(SettingsError("a wrong password"))
    with pytest.raises(SettingsError):
        retry_sending(3)(attempt)
    assert (attempt.calls, waits) == (1, [])


def test_without_retries_sending_attempts_once(waits: list[float]) -> None:
    attempt = Attempt(MailServerError("no response"))
    with pytest.raises(MailServerError):
        retry_sending(0)(attempt)
    assert (attempt.calls, waits) == (1, [])
