"""When to try again, and how long to wait: for services over HTTP, and for the mail server."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import count
from typing import Any, TypeVar

import stamina
import stamina.instrumentation

from ...application.ports import Retry, TransientFailure
from ...domain.numbers import read_http_date, read_seconds
from ...errors import MailServerError, ServiceError

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_WAIT = 60.0
"""The longest wait between two tries, in seconds, even if the server asks for more."""

LONGEST_PATIENCE = 3600.0
"""How long all requests of a stage to one service may wait together, in seconds, whatever the service asks for."""

_FIRST_MAIL_WAIT = 2.0


@dataclass(slots=True)
class Patience:
    """The time that a stage still waits for a service, in seconds. Waits at the same time count once."""

    left: float = LONGEST_PATIENCE
    _until: float = 0.0

    def allows(self, seconds: float) -> bool:
        """Whether there is time to wait so long from now; if so, it is counted."""
        now = time.monotonic()
        more = max(0.0, now + seconds - max(now, self._until))
        if more > self.left:
            return False
        self.left -= more
        self._until = max(self._until, now + seconds)
        return True


class Transient(ServiceError):
    """A failure that may pass. `wait`: the seconds that the server asks to wait, or None."""

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message, hint="Try again later.")
        self.wait = wait


def retrying(max_retries: int, backoff_factor: float, patience: Patience | None = None) -> Any:
    """Attempts for `async for`: the first, and at most `max_retries` more after a `Transient`.

    The waits are `backoff_factor` times 1, 2, 4 … seconds, plus a random time of the same size, at most `MAX_WAIT`.
    There is no further attempt if `patience` does not allow the wait.
    """
    stamina.instrumentation.set_on_retry_hooks([_log_retry])
    backoffs = _backoffs(backoff_factor, jitter=backoff_factor)

    def should_retry(error: Exception) -> bool | float:
        decision = _should_retry(error)
        if decision is False or patience is None:
            return decision
        backoff = next(backoffs)
        return decision if patience.allows(backoff if decision is True else decision) else False

    return stamina.retry_context(
        on=should_retry,
        attempts=max_retries + 1,
        timeout=None,
        wait_initial=backoff_factor,
        wait_jitter=backoff_factor,
        wait_max=MAX_WAIT,
    )


def retry_sending(max_retries: int) -> Retry:
    """Waits 2, 4, 8 … seconds before each of at most `max_retries` repetitions, and never longer than `MAX_WAIT`.

    All waits together are at most `LONGEST_PATIENCE`.
    """
    patience = Patience()
    stamina.instrumentation.set_on_retry_hooks([_log_retry])
    caller = stamina.RetryingCaller(
        attempts=max_retries + 1, timeout=None, wait_initial=_FIRST_MAIL_WAIT, wait_jitter=0.0, wait_max=MAX_WAIT
    )

    def retry(attempt: Callable[[], T], /) -> T:
        backoffs = _backoffs(_FIRST_MAIL_WAIT)

        def should_retry(error: Exception) -> bool:
            return isinstance(error, (TransientFailure, MailServerError)) and patience.allows(next(backoffs))

        return caller(should_retry, attempt)

    return retry


def is_transient(status: int) -> bool:
    """Whether a failure with this HTTP status may pass."""
    return status in (408, 425, 429) or status >= 500


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The seconds that a Retry-After header asks to wait, or None; it holds seconds or a date."""
    value = headers.get("Retry-After", "").strip()
    seconds = read_seconds(value) if value.isdecimal() else None
    if seconds is not None:
        return seconds
    date = read_http_date(value)
    return (date - (now or datetime.now(timezone.utc))).total_seconds() if date else None


def _should_retry(error: Exception) -> bool | float:
    if not isinstance(error, Transient):
        return False
    # stamina does not apply its own bounds to this number.
    return True if error.wait is None else min(max(error.wait, 0.0), MAX_WAIT)


def _backoffs(first: float, *, jitter: float = 0.0) -> Iterator[float]:
    """The longest wait before each further attempt, in seconds."""
    for number in count():
        yield min(first * 2.0 ** min(number, 30) + jitter, MAX_WAIT)


# The hook of stamina logs the arguments of the call: tickets and keys.
def _log_retry(details: stamina.instrumentation.RetryDetails) -> None:
    log.warning("%s; retry %d in %.1f s", details.caused_by, details.retry_num, details.wait_for)
