"""Alerts through apprise: Telegram, Slack, Teams, mail and many more services, each given by a URL."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ...domain.alerting import Alert, AlertKind
from ..network.deadline import run_within

if TYPE_CHECKING:
    from apprise import Apprise

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AppriseAlerts:
    """Sends each alert to all services.

    The URLs contain tokens and passwords. They are never logged, nor are the messages of a library about them. All
    services together get `seconds`, because the time-outs of apprise bound single steps only.
    """

    urls: tuple[str, ...] = field(repr=False)
    seconds: float = 6.0

    def validate_urls(self) -> list[bool]:
        """Whether each URL is valid for apprise. Contacts no service."""
        _silence_libraries()
        return [_service(url) is not None for url in self.urls]

    def send(self, alert: Alert) -> bool:
        _silence_libraries()
        # Loading apprise takes a second, on a busy machine many. An alert that counts as not sent because of that would
        # arrive all the same, and be sent again.
        calls: list[Callable[[], str]] = [partial(_notify, _service(url), alert) for url in self.urls]
        problems = run_within(self.seconds, calls)
        for number, (url, problem) in enumerate(zip(self.urls, problems, strict=True), start=1):
            if problem != "":
                reason = problem or f"no answer within {self.seconds:g} s"
                log.warning("alert service %d of %d (%s): %s", number, len(self.urls), scheme_of(url), reason)
        return "" in problems


def _silence_libraries() -> None:
    # They log the URLs that they call, with the tokens in them.
    for name in ("apprise", "urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def scheme_of(url: str) -> str:
    """The part of a URL that may be shown."""
    return url.partition(":")[0]


def _service(url: str) -> Apprise | None:
    """The service behind a URL. None if the URL is not valid for apprise. Contacts nobody."""
    try:
        from apprise import Apprise, AppriseAsset

        service = Apprise(asset=AppriseAsset(app_id="ticketattr", app_desc="ticketattr", async_mode=False))
        return service if service.add(url) else None
    except Exception:  # noqa: BLE001  # any of some 130 plugins; its message may contain the URL
        return None


def _notify(service: Apprise | None, alert: Alert) -> str:
    """What went wrong; empty if the service took the alert."""
    from apprise import NotifyFormat, NotifyType

    if service is None:
        return "its URL is not valid for apprise"
    types: dict[AlertKind, NotifyType] = {"failure": NotifyType.FAILURE, "recovery": NotifyType.SUCCESS}
    try:
        taken = service.notify(
            alert.text,
            title=alert.title,
            notify_type=types.get(alert.kind, NotifyType.WARNING),
            body_format=NotifyFormat.TEXT,
        )
    except Exception as error:  # noqa: BLE001  # any of some 130 plugins; its message may contain the URL
        return f"apprise failed: {type(error).__name__}"
    return "" if taken else "the service did not take the message"
