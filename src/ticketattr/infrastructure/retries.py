"""When to try again, and how long to wait: for services over HTTP, and for the mail server."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import stamina
import stamina.instrumentation

from ..application.ports import Retry, TransientFailure
from ..errors import MailServerError, ServiceError

log = logging.getLogger(__name__)

MAX_WAIT = 60.0
"""The longest wait between two tries, in seconds, even if the server asks for more."""

_FIRST_MAIL_WAIT = 2.0


class Transient(ServiceError):
    """A failure that may pass. `wait`: the seconds that the server asks to wait, or None."""

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message, hint="Try again later.")
        self.wait = wait


def retrying(max_retries: int, backoff_factor: float) -> Any:
    """Attempts for `async for`: the first, and at most `max_retries` more after a `Transient`.

    The waits are `backoff_factor` times 1, 2, 4 … seconds, plus a random time of the same size, at most `MAX_WAIT`.
    """
    stamina.instrumentation.set_on_retry_hooks([_log_retry])
    return stamina.retry_context(
        on=_should_retry,
        attempts=max_retries + 1,
        timeout=None,
        wait_initial=backoff_factor,
        wait_jitter=backoff_factor,
        wait_max=MAX_WAIT,
    )


def retry_sending(max_retries: int) -> Retry:
    """Waits 2, 4, 8 … seconds before each of at most `max_retries` repetitions, and never longer than `MAX_WAIT`."""
    stamina.instrumentation.set_on_retry_hooks([_log_retry])
    caller = stamina.RetryingCaller(
        attempts=max_retries + 1, timeout=None, wait_initial=_FIRST_MAIL_WAIT, wait_jitter=0.0, wait_max=MAX_WAIT
    )
    return caller.on((TransientFailure, MailServerError))


def is_transient(status: int) -> bool:
    """Whether a failure with this HTTP status may pass."""
    return status in (408, 425, 429) or status >= 500


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The seconds that a Retry-After header asks to wait, or None; it holds seconds or a date."""
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return (date - (now or datetime.now(timezone.utc))).total_seconds()


def _should_retry(error: Exception) -> bool | float:
    if not isinstance(error, Transient):
        return False
    # stamina does not apply its own bounds to this number.
    return True if error.wait is None else min(max(error.wait, 0.0), MAX_WAIT)


# The hook of stamina logs the arguments of the call: tickets and keys.
def _log_retry(details: stamina.instrumentation.RetryDetails) -> None:
    log.warning("%s; retry %d in %.1f s", details.caused_by, details.retry_num, details.wait_for)
