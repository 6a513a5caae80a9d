"""The metrics of a run and of the service, from text files, and the metrics that PromQL expressions use."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"
SAMPLE = Path(__file__).parent / "data" / "ticketattr.prom"
SERVICE_SAMPLE = SAMPLE.with_name("ticketattr-service.prom")

_LINE = re.compile(r"(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
# The parts of a PromQL expression that are not names of metrics.
_NO_NAMES = re.compile(
    r"\{[^}]*\}"  # matchers
    r"|\[[^\]]*\]"  # ranges
    r"|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"
    r"|\boffset\s+\w+"
    r"|\b(?:and|or|unless|bool)\b"
    r"|\b\w+\s*(?=\()"  # functions
    r"|\b\w+\s+(?=(?:by|without)\b)"  # functions over groups
    r"|\b\d[\w.]*"
)


@dataclass(frozen=True)
class Metric:
    """One line of a text file."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float

    @property
    def is_counter(self) -> bool:
        return self.name.endswith("_total")

    @property
    def is_time(self) -> bool:
        return self.name.endswith("_timestamp_seconds")

    def moved(self, seconds: float) -> Metric:
        """The same metric; if it is a time and not 0, so many seconds later."""
        return replace(self, value=self.value + seconds) if self.is_time and self.value else self

    def line(self, *more: tuple[str, str]) -> str:
        labels = ",".join(f'{name}="{value}"' for name, value in (*self.labels, *more))
        return f"{self.name}{{{labels}}} {self.value!r}"


# Prometheus itself writes it, for each job of deploy/prometheus/prometheus.yml.
OF_PROMETHEUS = [Metric("up", (("job", "ticketattr"),), 1), Metric("up", (("job", "node"),), 1)]


def sample() -> list[Metric]:
    """What a run writes."""
    return read_metrics(SAMPLE)


def service_sample() -> list[Metric]:
    """What the service publishes in addition."""
    return read_metrics(SERVICE_SAMPLE)


def _known() -> list[Metric]:
    return [*sample(), *service_sample(), *OF_PROMETHEUS]


def read_metrics(textfile: Path) -> list[Metric]:
    return [
        Metric(match["name"], tuple(_LABEL.findall(match["labels"] or "")), float(match["value"]))
        for line in textfile.read_text(encoding="utf-8").splitlines()
        if not line.startswith("#") and (match := _LINE.fullmatch(line))
    ]


def names_in(expression: str) -> set[str]:
    """The names of the metrics in an expression."""
    return set(re.findall(r"[a-zA-Z_:]\w*", _NO_NAMES.sub(" ", expression)))


def unknown_in(expression: str) -> list[str]:
    """The metrics, labels and label values of an expression that are not in the samples."""
    known = _label_values()
    return [
        *sorted(names_in(expression) - {metric.name for metric in _known()}),
        *(
            f"{name}={value}"
            for name, operator, pattern in _MATCHER.findall(expression)
            for value in (pattern.split("|") if "~" in operator else [pattern])
            if value not in {*known[name], "$instance"}
        ),
        *(f"by {name}" for name in _grouped_by(expression) if name not in known),
    ]


def _grouped_by(expression: str) -> Iterator[str]:
    for names in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression):
        yield from re.findall(r"\w+", names)


def _label_values() -> dict[str, set[str]]:
    values: dict[str, set[str]] = defaultdict(set)
    for metric in _known():
        for name, value in metric.labels:
            values[name].add(value)
    return values
