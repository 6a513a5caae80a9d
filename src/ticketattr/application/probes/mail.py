"""Check of the mail server, without sending a mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Protocol

from ...domain.wording import counted
from ..check import CheckResult
from ..ports import Clock

_SOON = timedelta(days=14)
"""A certificate that ends within this time is a warning."""


class MailServerAccess(Protocol):
    """How the mail server is reached. An empty `username` means that there is no login."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def use_tls(self) -> bool: ...

    @property
    def username(self) -> str: ...


class ExaminedMailServer(Protocol):
    """What a session without a message shows."""

    @property
    def max_size(self) -> int | None:
        """The largest mail that the server accepts, in bytes; None means no limit."""

    @property
    def certificate_end(self) -> datetime | None:
        """When the certificate of the server ends; None without TLS."""


def probe_mail_server(
    server: MailServerAccess, examine: Callable[[], ExaminedMailServer], clock: Clock, *, is_local: bool
) -> Iterator[CheckResult]:
    """Whether the server accepts the login and the sender, and how well the connection is protected.

    `is_local`: the server is on this machine, where mails need no encryption. Raises what `examine` raises.
    """
    examined = examine()
    login = f", the login of {server.username}" if server.username else ""
    size = f"; a mail may have {examined.max_size:,} bytes" if examined.max_size else ""
    encryption = " over TLS" if server.use_tls else ""
    yield CheckResult("mail", f"{server.host}:{server.port}{encryption} accepts the sender{login}{size}")
    if not server.use_tls and not is_local:
        yield CheckResult.warning(
            "mail", "mails travel in plain text", "Set EMAIL_USE_TLS=true if the server offers it."
        )
    end, now = examined.certificate_end, clock()
    if end and end - now < _SOON:
        left = counted(max(0, (end - now).days), "day")
        yield CheckResult.warning(
            "mail", f"the certificate of {server.host} ends in {left}, on {end:%Y-%m-%d}", "Have it renewed before."
        )
