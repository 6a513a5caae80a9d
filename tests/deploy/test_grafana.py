"""The dashboard. test_prometheus.py tests that its queries return data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pytest

from .metrics import DEPLOY, names_in, sample, service_sample, unknown_in

DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "ticketattr.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]


@dataclass(frozen=True)
class Query:
    """`step` is in seconds."""

    panel: str
    expr: str
    instant: bool
    step: int = 600

    def __str__(self) -> str:
        return f"{self.panel}: {self.expr}"


def queries() -> Iterator[Query]:
    for panel in PANELS:
        step = {"1d": 86400}.get(panel.get("interval", ""), 600)
        for target in panel.get("targets", ()):
            yield Query(panel["title"], target["expr"], target["instant"], step)


QUERIES = list(queries())


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_panel_queries_only_metrics_that_are_published(query: Query) -> None:
    assert unknown_in(query.expr) == []
    assert query.expr.count("$instance") == len(re.findall(r"ticketattr_\w|\bup\b", query.expr)), (
        "each query is restricted to the selected hosts"
    )


def test_every_metric_that_is_published_is_shown() -> None:
    shown = {name for query in QUERIES for name in names_in(query.expr)}
    published = {metric.name for metric in (*sample(), *service_sample())}
    # The second one is always 1; the panel shows what Prometheus says about the service that does not answer.
    assert published - shown == {"ticketattr_last_run_timestamp_seconds", "ticketattr_service_up"}


def test_every_panel_queries_the_selected_data_source() -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    asking = [panel for panel in PANELS if panel["type"] != "row"]
    asked = [part["datasource"] for panel in asking for part in (panel, *panel["targets"])]
    assert [source for source in asked if source != chosen] == []
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource", "instance"]


def test_panels_have_unique_ids_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    places = [(panel["title"], cells(**panel["gridPos"])) for panel in PANELS]
    assert [(a, b) for (a, mine), (b, other) in combinations(places, 2) if mine & other] == []
    assert max(x for _, place in places for x, _ in place) < 24


def cells(x: int, y: int, w: int, h: int) -> set[tuple[int, int]]:
    return {(column, line) for column in range(x, x + w) for line in range(y, y + h)}
