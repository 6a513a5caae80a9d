"""Alerts through apprise: Telegram, Slack, Teams, mail and many more, each behind a URL."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ...domain.alerting import Alert
from ...domain.run_history import AlertKind
from ..deadline import run_within

if TYPE_CHECKING:
    from apprise import Apprise

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AppriseAlerts:
    """The URLs hold tokens and passwords: none of them is ever shown, nor what a library says of them.

    All services together get so many `seconds`. apprise has bounds too, on each step of each of them.
    """

    urls: tuple[str, ...] = field(repr=False)
    seconds: float = 6.0

    def understood(self) -> list[bool]:
        """Of each URL, whether apprise knows what to do with it. Asks nobody, sends nothing."""
        _silence_libraries()
        return [_is_understood(url) for url in self.urls]

    def send(self, alert: Alert) -> bool:
        _silence_libraries()
        calls: list[Callable[[], str]] = [partial(_notify, url, alert) for url in self.urls]
        problems = run_within(self.seconds, calls)
        for number, (url, problem) in enumerate(zip(self.urls, problems, strict=True), start=1):
            if problem != "":
                reason = problem or f"no answer within {self.seconds:g} s"
                log.warning("alert service %d of %d (%s): %s", number, len(self.urls), scheme_of(url), reason)
        return "" in problems


def _silence_libraries() -> None:
    # They log the addresses that they call, tokens included.
    for name in ("apprise", "urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def scheme_of(url: str) -> str:
    """What of a URL may be shown."""
    return url.partition(":")[0]


def _service(url: str) -> Apprise | None:
    """None for a URL that apprise does not understand."""
    from apprise import Apprise, AppriseAsset

    service = Apprise(asset=AppriseAsset(app_id="ticketattr", app_desc="ticketattr", async_mode=False))
    return service if service.add(url) else None


def _is_understood(url: str) -> bool:
    try:
        return _service(url) is not None
    except Exception:  # noqa: BLE001  # of some 130 plugins, any; its message may hold the URL
        return False


def _notify(url: str, alert: Alert) -> str:
    """Empty when the service took it, or what went wrong."""
    try:
        from apprise import NotifyFormat, NotifyType

        types: dict[AlertKind, NotifyType] = {"failure": NotifyType.FAILURE, "recovery": NotifyType.SUCCESS}
        service = _service(url)
        if service is None:
            return "apprise does not understand its URL"
        taken = service.notify(
            alert.text,
            title=alert.title,
            notify_type=types.get(alert.kind, NotifyType.WARNING),
            body_format=NotifyFormat.TEXT,
        )
    except Exception as error:  # noqa: BLE001  # of some 130 plugins, any; its message may hold the URL
        return f"apprise failed: {type(error).__name__}"
    return "" if taken else "the message was not taken"
