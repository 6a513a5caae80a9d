"""Metrics in the text format of Prometheus: as a file for node_exporter, or pushed to a Pushgateway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from http import HTTPStatus
from itertools import product
from pathlib import Path
from typing import TypeAlias, get_args
from urllib.parse import urlsplit

from ... import __version__
from ...domain.chat import CHAT_COMMANDS
from ...domain.metrics import MetricsSnapshot, ReportCounts, ServiceCounts
from ...domain.run_history import OutcomeLabel, RunHistory, RunRecord, RunStatus
from ...domain.service_run import RunState, Trigger
from ...errors import ServiceError, SettingsError
from ..files import replacing
from ..network.deadline import run_within

_READABLE = 0o644
"""node_exporter runs as another user."""

Sample: TypeAlias = tuple[Mapping[str, str], float]
_OUTCOMES: tuple[OutcomeLabel, ...] = get_args(OutcomeLabel)
_TOKENS = ("in", "out", "thinking", "cached")
_DOORS = ("api", "page")
_STATUSES = ("2xx", "3xx", "4xx", "5xx")


@dataclass(frozen=True, slots=True)
class Textfile:
    """The file that the textfile collector of node_exporter reads. It is replaced as a whole, readable by everybody."""

    path: Path

    def publish(self, snapshot: MetricsSnapshot) -> None:
        with replacing(self.path, mode=_READABLE) as file:
            file.write(render_metrics(snapshot).encode())


@dataclass(frozen=True, slots=True)
class Pushgateway:
    """A Pushgateway. `url` is that of the gateway or of a group in it. A push replaces the metrics of the group.

    A request takes at most `seconds`.
    """

    url: str = field(repr=False)
    seconds: float = 5.0

    def publish(self, snapshot: MetricsSnapshot) -> None:
        content = render_metrics(snapshot).encode()
        response = self._request("PUT", content, {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
        if not response.is_success:
            raise ServiceError(f"the metrics could not be pushed: {response}", hint="Check METRICS_PUSH_URL.")

    def probe(self) -> None:
        """Ask whether a Pushgateway answers, without pushing. Raises SettingsError or ServiceError if none does."""
        response = self._request("GET")
        if response.is_temporary:
            raise ServiceError(
                f"the Pushgateway is not available: {response}", hint="Check METRICS_PUSH_URL, or try again later."
            )
        # A Pushgateway does not answer a GET of a group: it says 405 if the path is one where it takes metrics.
        if not response.is_success and response.status != HTTPStatus.METHOD_NOT_ALLOWED:
            raise SettingsError(
                f"METRICS_PUSH_URL does not take metrics: {response}", hint="Check its path, and who may push there."
            )

    def _request(self, method: str, content: bytes = b"", headers: Mapping[str, str] | None = None) -> _Response:
        def send() -> str:
            import httpx

            try:
                url = group_url(self.url)
                # The body is not read, because it may be endless.
                with httpx.stream(method, url, content=content, headers=headers, timeout=self.seconds) as response:
                    return str(response.status_code)
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ImportError) as error:
                # Its message may contain the URL, and the URL a password.
                return type(error).__name__

        (result,) = run_within(self.seconds, [send])
        if result is None:
            return _Response(problem=f"no answer within {self.seconds:g} s")
        return _Response(int(result)) if result.isdecimal() else _Response(problem=result)


@dataclass(frozen=True, slots=True)
class _Response:
    """The status of an HTTP response, or what went wrong."""

    status: int = 0
    problem: str = ""

    def __str__(self) -> str:
        return self.problem or f"it answered {self.status}"

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def is_temporary(self) -> bool:
        """Whether the same request may succeed later."""
        return not self.status or self.status == HTTPStatus.TOO_MANY_REQUESTS or self.status >= 500


def group_url(url: str) -> str:
    """The URL of the group that takes the metrics of this program."""
    if "/metrics/job/" in urlsplit(url).path:
        return url
    return f"{url.rstrip('/')}/metrics/job/ticketattr"


def render_metrics(snapshot: MetricsSnapshot) -> str:
    """All metrics in the text format of Prometheus."""
    lines = [
        *_history_metrics(snapshot.history),
        *(_report_metrics(snapshot.reports) if snapshot.reports else ()),
        *(_service_metrics(snapshot.service) if snapshot.service else ()),
    ]
    return "\n".join(lines) + "\n"


def _history_metrics(history: RunHistory) -> Iterator[str]:
    yield from _gauge("info", "The version of the last run.", [({"version": __version__}, 1)])
    if history.main_command:
        yield from _last_run_metrics(history.last_run[history.main_command])
        yield from _gauge(
            "last_success_timestamp_seconds",
            "When a run last ended with exit code 0; 0 if none ever did.",
            [({}, _timestamp(history.last_success.get(history.main_command)))],
        )
    totals = history.totals
    statuses: tuple[RunStatus, ...] = get_args(RunStatus)
    yield from _counter(
        "runs_total",
        "Runs, by how they ended.",
        [({"outcome": status}, totals.runs.get(status, 0)) for status in statuses],
    )
    yield from _counter("tickets_total", "Tickets, by outcome.", _by_outcome(totals.tickets))
    if totals.changes:
        yield from _counter("changes_total", "Changes in the helpdesk, by mode and state.", _by_change(totals.changes))
    usage = totals.usage
    yield from _counter("llm_calls_total", "Calls of the model, including retries.", [({}, usage.calls)])
    yield from _counter("llm_retries_total", "Calls of the model that were retries.", [({}, usage.retries)])
    tokens = asdict(usage)
    yield from _counter(
        "llm_tokens_total",
        "Tokens; the cached ones are included in those of kind in.",
        [({"kind": kind}, tokens[f"tokens_{kind}"]) for kind in _TOKENS],
    )
    yield from _counter("llm_cost_usd_total", "Cost of the model, as far as prices are known.", [({}, totals.cost)])


def _last_run_metrics(record: RunRecord) -> Iterator[str]:
    yield from _gauge("last_run_timestamp_seconds", "When the last run ended.", [({}, _timestamp(record.ended))])
    yield from _gauge("last_run_exit_code", "Exit code of the last run.", [({}, record.exit_code)])
    yield from _gauge(
        "last_run_duration_seconds",
        "Duration of each stage of the last run.",
        [({"stage": stage}, round(seconds, 3)) for stage, seconds in record.seconds.items()],
    )
    yield from _gauge("last_run_tickets", "Tickets of the last run, by outcome.", _by_outcome(record.tickets))
    yield from _gauge(
        "last_run_tickets_by_sla",
        "Attributed tickets of the last run, by SLA.",
        [({"sla": sla}, count) for sla, count in sorted(record.by_sla.items())],
    )
    if record.changes:
        yield from _gauge(
            "last_run_changes",
            "Changes of the last run in the helpdesk, by mode and state.",
            _by_change(record.changes),
        )


def _report_metrics(reports: ReportCounts) -> Iterator[str]:
    yield from _gauge(
        "reports_pending",
        "Reports that have not reached all recipients, including those in doubt.",
        [({}, reports.pending)],
    )
    yield from _gauge("reports_in_doubt", "Reports that may or may not have arrived.", [({}, reports.in_doubt)])
    yield from _gauge(
        "oldest_pending_timestamp_seconds",
        "When the oldest pending report was made; 0 if nothing is pending.",
        [({}, _timestamp(reports.oldest))],
    )
    yield from _counter("reports_delivered_total", "Reports delivered, from the report log.", [({}, reports.delivered)])
    yield from _counter(
        "recipients_delivered_total",
        "Recipients that messages were delivered to, from the report log.",
        [({}, reports.recipients)],
    )


def _service_metrics(service: ServiceCounts) -> Iterator[str]:
    yield from _gauge("service_up", "1 while the service answers.", [({}, 1)])
    yield from _gauge(
        "service_start_timestamp_seconds", "When the service started.", [({}, _timestamp(service.started))]
    )
    # Everything that is known from the start begins at 0. Prometheus does not count a series whose first value is 1.
    triggers: tuple[Trigger, ...] = get_args(Trigger)
    states: tuple[RunState, ...] = get_args(RunState)
    yield from _counter(
        "service_runs_total",
        "Runs that the service was asked for, by trigger.",
        [
            ({"trigger": trigger}, sum(service.runs.get((trigger, state), 0) for state in states))
            for trigger in triggers
        ],
    )
    yield from _gauge(
        "service_runs",
        "Runs that the service was asked for, by the state that they are in.",
        [({"state": state}, sum(service.runs.get((trigger, state), 0) for trigger in triggers)) for state in states],
    )
    requests = dict.fromkeys(product(_DOORS, _STATUSES), 0) | dict(service.requests)
    yield from _counter(
        "service_requests_total",
        "Answered requests, by door and class of the status.",
        [({"door": door, "status": status}, count) for (door, status), count in sorted(requests.items())],
    )
    commands = dict.fromkeys(product(service.platforms, (*CHAT_COMMANDS, "other"), ("done", "refused")), 0)
    yield from _counter(
        "service_chat_commands_total",
        "Chat commands of those who may send them, by platform, command and outcome.",
        [
            ({"platform": platform, "command": command, "outcome": outcome}, count)
            for (platform, command, outcome), count in sorted((commands | dict(service.chat_commands)).items())
        ],
    )


def _by_change(counts: Mapping[str, int]) -> list[Sample]:
    """A sample for each mode and state that occurred."""
    names = (name.split(" ", 1) for name in sorted(counts))
    return [({"mode": mode, "state": state}, counts[f"{mode} {state}"]) for mode, state in names]


def _by_outcome(counts: Mapping[OutcomeLabel, int]) -> list[Sample]:
    return [({"outcome": outcome}, counts.get(outcome, 0)) for outcome in _OUTCOMES]


def _gauge(name: str, help: str, samples: Iterable[Sample]) -> Iterator[str]:
    return _family(name, "gauge", help, samples)


def _counter(name: str, help: str, samples: Iterable[Sample]) -> Iterator[str]:
    return _family(name, "counter", help, samples)


def _family(name: str, kind: str, help: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP ticketattr_{name} {help}"
    yield f"# TYPE ticketattr_{name} {kind}"
    for labels, value in samples:
        label_list = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
        yield f"ticketattr_{name}{f'{{{label_list}}}' if label_list else ''} {value!r}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _timestamp(at: datetime | None) -> float:
    return round(at.timestamp(), 3) if at else 0
