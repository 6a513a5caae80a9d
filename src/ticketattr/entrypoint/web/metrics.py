"""Metrics on a listener of their own, so that pages and API can be open where metrics are not."""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ...application.report_counts import count_reports
from ...domain.metrics import MetricsSnapshot, ReportCounts, ServiceCounts
from ...domain.run_history import RunHistory
from ...errors import TicketAttrError
from ...infrastructure.monitoring.metrics import render_metrics
from .parts import Parts

log = logging.getLogger(__name__)


def metrics_app(parts: Parts, read_history: Callable[[], RunHistory | None]) -> Starlette:
    """The application that answers `/metrics` and nothing else. `read_history` may raise InputError."""
    started = parts.service.clock()

    def metrics(request: Request) -> Response:
        state = parts.service.state
        chat = state.count_chat_commands(), parts.platforms
        counts = ServiceCounts(started, state.count_runs(), parts.requests.all(), *chat)
        snapshot = MetricsSnapshot(_history(read_history), _reports(parts), counts)
        return PlainTextResponse(render_metrics(snapshot), media_type="text/plain; version=0.0.4")

    return Starlette(routes=[Route("/metrics", metrics)])


def _history(read: Callable[[], RunHistory | None]) -> RunHistory:
    try:
        return read() or RunHistory()
    except TicketAttrError as error:
        log.warning("the run history cannot be read: %s", error)
        return RunHistory()


def _reports(parts: Parts) -> ReportCounts | None:
    try:
        return count_reports(parts.tracker.log, parts.reports.get(), since=parts.service.clock())
    except TicketAttrError as error:
        log.warning("the reports cannot be counted: %s", error)
        return None
