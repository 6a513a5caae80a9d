"""Figures in the text format of Prometheus: as a file for node_exporter, or pushed to a Pushgateway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import TypeAlias, get_args
from urllib.parse import urlsplit

from ... import __version__
from ...domain.run_history import Ending, Figures, ReportFigures, RunHistory, RunRecord, TicketResult
from ...errors import ServiceError, SettingsError
from ..deadline import run_within
from ..files import replacing

_READABLE = 0o644
"""node_exporter runs as somebody else."""

Sample: TypeAlias = tuple[Mapping[str, str], float]
_OUTCOMES: tuple[TicketResult, ...] = get_args(TicketResult)
_TOKENS = ("in", "out", "thinking", "cached")


@dataclass(frozen=True, slots=True)
class Textfile:
    path: Path

    def publish(self, figures: Figures) -> None:
        with replacing(self.path, mode=_READABLE) as file:
            file.write(render_metrics(figures).encode())


@dataclass(frozen=True, slots=True)
class Pushgateway:
    """`url` is that of the gateway, or of a group in it; what the group held before is replaced.

    Pushing takes at most so many `seconds`.
    """

    url: str = field(repr=False)
    seconds: float = 5.0

    def publish(self, figures: Figures) -> None:
        content = render_metrics(figures).encode()
        answer = self._ask("PUT", content, {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
        if not answer.is_success:
            raise ServiceError(f"the metrics could not be pushed: {answer}", hint="Check METRICS_PUSH_URL.")

    def examine(self) -> None:
        """Whether there is somebody who takes figures; none are pushed. Raises SettingsError or ServiceError."""
        answer = self._ask("GET")
        if answer.may_pass:
            raise ServiceError(
                f"the Pushgateway cannot be had: {answer}", hint="Check METRICS_PUSH_URL, or try again later."
            )
        # A Pushgateway shows no group, but says so only where it takes one.
        if not answer.is_success and answer.status != HTTPStatus.METHOD_NOT_ALLOWED:
            raise SettingsError(
                f"nobody takes figures at METRICS_PUSH_URL: {answer}", hint="Check its path, and who may push there."
            )

    def _ask(self, method: str, content: bytes = b"", headers: Mapping[str, str] | None = None) -> _Answer:
        def ask() -> str:
            import httpx

            try:
                url = group_url(self.url)
                # What it says besides its status may have no end, and is not read.
                with httpx.stream(method, url, content=content, headers=headers, timeout=self.seconds) as response:
                    return str(response.status_code)
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
                # Its message may hold the URL, and that a password.
                return type(error).__name__

        (said,) = run_within(self.seconds, [ask])
        if said is None:
            return _Answer(problem=f"no answer within {self.seconds:g} s")
        return _Answer(int(said)) if said.isdecimal() else _Answer(problem=said)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Of a gateway: its status, or what went wrong."""

    status: int = 0
    problem: str = ""

    def __str__(self) -> str:
        return self.problem or f"it answered {self.status}"

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def may_pass(self) -> bool:
        return not self.status or self.status == HTTPStatus.TOO_MANY_REQUESTS or self.status >= 500


def group_url(url: str) -> str:
    """Where a Pushgateway takes the figures of this program."""
    if "/metrics/job/" in urlsplit(url).path:
        return url
    return f"{url.rstrip('/')}/metrics/job/ticketattr"


def render_metrics(figures: Figures) -> str:
    lines = [*_of_memory(figures.history), *(_of_reports(figures.reports) if figures.reports else ())]
    return "\n".join(lines) + "\n"


def _of_memory(history: RunHistory) -> Iterator[str]:
    yield from _gauge("info", "Which version ran last.", [({"version": __version__}, 1)])
    if history.main:
        yield from _of_last_run(history.last[history.main])
        yield from _gauge(
            "last_success_timestamp_seconds",
            "When a run last ended with exit code 0; 0 when none ever did.",
            [({}, _timestamp(history.succeeded.get(history.main)))],
        )
    totals = history.totals
    endings: tuple[Ending, ...] = get_args(Ending)
    yield from _counter(
        "runs_total", "How runs ended.", [({"outcome": ending}, totals.runs.get(ending, 0)) for ending in endings]
    )
    yield from _counter("tickets_total", "Tickets by what became of them.", _by_outcome(totals.tickets))
    usage = totals.usage
    yield from _counter("llm_calls_total", "Calls of the model, retries included.", [({}, usage.calls)])
    yield from _counter("llm_retries_total", "Calls of the model that repeated another one.", [({}, usage.retries)])
    tokens = asdict(usage)
    yield from _counter(
        "llm_tokens_total",
        "Tokens; those cached are among those that went in.",
        [({"kind": kind}, tokens[f"tokens_{kind}"]) for kind in _TOKENS],
    )
    yield from _counter("llm_cost_usd_total", "What the model cost, as far as prices are known.", [({}, totals.cost)])


def _of_last_run(record: RunRecord) -> Iterator[str]:
    yield from _gauge("last_run_timestamp_seconds", "When the last run ended.", [({}, _timestamp(record.ended))])
    yield from _gauge("last_run_exit_code", "How the last run ended.", [({}, record.exit_code)])
    yield from _gauge(
        "last_run_duration_seconds",
        "How long each stage of the last run took.",
        [({"stage": stage}, round(seconds, 3)) for stage, seconds in record.seconds.items()],
    )
    yield from _gauge(
        "last_run_tickets", "Tickets of the last run by what became of them.", _by_outcome(record.tickets)
    )
    yield from _gauge(
        "last_run_tickets_by_sla",
        "Attributed tickets of the last run by SLA.",
        [({"sla": sla}, count) for sla, count in sorted(record.by_sla.items())],
    )


def _of_reports(reports: ReportFigures) -> Iterator[str]:
    yield from _gauge(
        "reports_pending",
        "Reports that still have to reach somebody, those in doubt included.",
        [({}, reports.pending)],
    )
    yield from _gauge("reports_in_doubt", "Reports that may have arrived or not.", [({}, reports.in_doubt)])
    yield from _gauge(
        "oldest_pending_timestamp_seconds",
        "Since when the oldest pending report lies there; 0 when nothing is pending.",
        [({}, _timestamp(reports.oldest))],
    )
    yield from _counter("reports_delivered_total", "Reports delivered, as logged.", [({}, reports.delivered)])
    yield from _counter(
        "recipients_delivered_total",
        "Recipients that messages were delivered to, as logged.",
        [({}, reports.recipients)],
    )


def _by_outcome(counts: Mapping[TicketResult, int]) -> list[Sample]:
    return [({"outcome": outcome}, counts.get(outcome, 0)) for outcome in _OUTCOMES]


def _gauge(name: str, help: str, samples: Iterable[Sample]) -> Iterator[str]:
    return _family(name, "gauge", help, samples)


def _counter(name: str, help: str, samples: Iterable[Sample]) -> Iterator[str]:
    return _family(name, "counter", help, samples)


def _family(name: str, kind: str, help: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP ticketattr_{name} {help}"
    yield f"# TYPE ticketattr_{name} {kind}"
    for labels, value in samples:
        sanitize = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
        yield f"ticketattr_{name}{f'{{{sanitize}}}' if sanitize else ''} {value!r}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _timestamp(at: datetime | None) -> float:
    return round(at.timestamp(), 3) if at else 0
