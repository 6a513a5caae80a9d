"""Settings of the report."""

from __future__ import annotations

from dataclasses import dataclass

from ...domain.delivery import Transport
from ...domain.review import REVIEW_BELOW
from ...infrastructure.words import LANGUAGES
from .environment import Environment
from .report_tracker import read_transport


def read_language(env: Environment) -> str:
    """REPORT_LANGUAGE."""
    return env.choice("REPORT_LANGUAGE", "en", LANGUAGES)


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What the report says; it is compared with the last report that `transport` sent.

    `reports_empty_queue`: a queue without tickets gets a report, too.
    """

    review_below: float
    ticket_url: str
    time_zone: str
    transport: Transport
    reports_empty_queue: bool
    language: str

    @classmethod
    def read(cls, env: Environment) -> ReportSettings:
        """Read the settings; `env` collects what is missing or wrong."""
        url = env.text("TICKET_URL")
        if url and not (url.lower().startswith(("http://", "https://")) and "{id}" in url):
            env.wrong.append("TICKET_URL is not an http(s) URL with {id} in it")
        return cls(
            review_below=env.decimal("REVIEW_BELOW", REVIEW_BELOW, most=1.0),
            ticket_url=url,
            time_zone=env.time_zone("TIME_ZONE", "UTC"),
            transport=read_transport(env),
            reports_empty_queue=env.choice("EMAIL_WHEN_EMPTY", "skip", ("skip", "send")) == "send",
            language=read_language(env),
        )
