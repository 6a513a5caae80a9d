"""The alert rules: fast checks, and in `nox -s prometheus` tests with promtool and a real Prometheus.

The latter need the Debian packages prometheus and prometheus-node-exporter. All ports are on loopback.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from ticketattr.entrypoint.web.metrics import metrics_app

from ..chat_servers import TELEGRAM_TOKEN, TelegramServer, chat_server
from ..conftest import CLI, OFFLINE_SETTINGS
from ..entrypoint.web.conftest import listening, parts_in
from .metrics import (
    DEPLOY,
    OF_PROMETHEUS,
    SAMPLE,
    SERVICE_SAMPLE,
    Metric,
    read_metrics,
    sample,
    service_sample,
    unknown_in,
)
from .test_grafana import QUERIES, Query

RULES = DEPLOY / "prometheus" / "ticketattr.rules.yml"
RULE_TESTS = DEPLOY / "prometheus" / "ticketattr.rules.test.yml"
CONFIG = DEPLOY / "prometheus" / "prometheus.yml"
RUNBOOK = DEPLOY.parent / "docs" / "how-to" / "operations.md"
DAY = 86400.0
HISTORY_DAYS = 8
# Prometheus considers a series gone five minutes after its last sample.
BACKFILL_STEP = 240


def yaml(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


ALERTS: list[dict[str, Any]] = yaml(RULES)["groups"][0]["rules"]


def alert_names(alerts: list[dict[str, Any]]) -> list[str]:
    return [alert["alert"] for alert in alerts]


@pytest.mark.parametrize("alert", ALERTS, ids=alert_names(ALERTS))
def test_an_alert_uses_only_metrics_that_are_published(alert: dict[str, Any]) -> None:
    assert unknown_in(alert["expr"]) == []


def test_the_jobs_are_those_of_the_configuration() -> None:
    jobs = {job["job_name"] for job in yaml(CONFIG)["scrape_configs"]}
    assert {dict(metric.labels)["job"] for metric in OF_PROMETHEUS} == jobs


def test_a_misspelt_metric_label_or_value_is_detected() -> None:
    assert unknown_in('sum by (stge) (ticketattr_last_run_ticket{outcome!~"no_match|faild"}) > 3 * time()') == [
        "ticketattr_last_run_ticket",
        "outcome=faild",
        "by stge",
    ]


@pytest.mark.parametrize("alert", ALERTS, ids=alert_names(ALERTS))
def test_an_alert_has_a_severity_a_summary_a_description_and_a_runbook(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert {"summary", "description", "runbook"} == set(alert["annotations"])
    headings = re.findall(r"^#+ (.+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    file, _, anchor = alert["annotations"]["runbook"].partition("#")
    assert (file, anchor) == ("docs/how-to/operations.md", alert["alert"].lower())
    assert alert["alert"] in headings


def test_the_runbook_has_exactly_these_alerts() -> None:
    headings = re.findall(r"^#+ (Ticketattr\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == alert_names(ALERTS)


def test_every_alert_is_tested_firing_and_not_firing() -> None:
    cases = [case for test in yaml(RULE_TESTS)["tests"] for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == set(alert_names(ALERTS))
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == set(alert_names(ALERTS))


def test_the_configuration_of_prometheus_names_the_rules_file() -> None:
    assert yaml(CONFIG)["rule_files"] == [RULES.name]


Series = tuple[str, tuple[tuple[str, str], ...]]


def series_of(metrics: list[Metric]) -> set[Series]:
    """The names and labels of the metrics, without label values that depend on the run."""
    return {
        (metric.name, tuple((name, "*" if name in ("version", "sla") else value) for name, value in metric.labels))
        for metric in metrics
    }


def types_in(textfile: Path) -> set[tuple[str, str]]:
    return set(re.findall(r"^# TYPE (\w+) (\w+)$", textfile.read_text(encoding="utf-8"), re.MULTILINE))


def test_a_run_writes_the_metrics_of_the_sample(cli: CLI) -> None:
    cli.settings["METRICS_TEXTFILE"] = "ticketattr.prom"
    cli.ok("run")
    written = cli.folder / "ticketattr.prom"
    assert series_of(read_metrics(written)) == series_of(sample())
    assert types_in(written) == types_in(SAMPLE)


def test_the_service_publishes_the_metrics_of_its_sample(tmp_path: Path) -> None:
    parts = replace(parts_in(tmp_path), platforms=["matrix", "telegram"])
    with listening(metrics_app(parts, lambda: None)) as url:
        published = tmp_path / "service.prom"
        published.write_text(httpx.get(f"{url}/metrics").text, encoding="utf-8")
    of_the_service = [metric for metric in read_metrics(published) if "_service_" in metric.name]
    assert series_of(of_the_service) == series_of(service_sample())
    assert types_in(published) >= types_in(SERVICE_SAMPLE)


# --- with Debian's programs --------------------------------------------------------------------------------


def program(name: str) -> str:
    path = shutil.which(name)
    assert path, f"{name} is missing; install the Debian packages prometheus and prometheus-node-exporter"
    return path


def promtool(*arguments: str, stdin: bytes = b"") -> None:
    done = subprocess.run([program("promtool"), *arguments], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


@pytest.mark.prometheus
def test_promtool_finds_no_problem_in_rules_configuration_and_metrics() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", str(RULES))
    promtool("check", "config", "--lint=all", "--lint-fatal", str(CONFIG))
    promtool("check", "metrics", stdin=SAMPLE.read_bytes())
    promtool("check", "metrics", stdin=SERVICE_SAMPLE.read_bytes())


@pytest.mark.prometheus
def test_the_rule_tests_pass() -> None:
    promtool("test", "rules", str(RULE_TESTS))


@dataclass
class Service:
    """`ticketattr serve` in a folder of its own, with a chat, and with a port for its metrics."""

    folder: Path
    telegram: TelegramServer
    port: int = field(default_factory=lambda: free_port())
    metrics_port: int = field(default_factory=lambda: free_port())
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **OFFLINE_SETTINGS,
            "SERVE_PORT": f"{self.port}",
            "METRICS_PORT": f"{self.metrics_port}",
            "CHAT_TELEGRAM_TOKEN": TELEGRAM_TOKEN,
            "CHAT_TELEGRAM_BASE_URL": self.telegram.url,
            "CHAT_ALLOW": "telegram:7:7:operate",
        }

    def program(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "ticketattr", *arguments]
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE)

    def start(self) -> None:
        self.process = self.program("--quiet", "serve")
        wait_for(lambda: answers(self.port, "healthz"))

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.communicate(timeout=30)
            self.process = None

    def token(self) -> str:
        return self.program("--quiet", "token", "create", "ann", "--scope", "operate").communicate()[0].decode().strip()


@dataclass
class Prometheus:
    """A Prometheus that scrapes a node_exporter, which reads `textfile`, and a service.

    It also has the metrics of the week before.
    """

    url: str
    textfile: Path
    service: Service

    def get(self, path: str, **parameters: str | float) -> Any:
        return (
            httpx.get(f"{self.url}/api/v1/{path}", params=parameters, trust_env=False).raise_for_status().json()["data"]
        )

    def ask(self, query: Query) -> list[list[float]]:
        """The values of each series that a panel shows."""
        expression = query.expr.replace("$instance", ".*")
        if query.instant:
            found = self.get("query", query=expression)["result"]
            return [[float(series["value"][1])] for series in found]
        now = time.time()
        found = self.get("query_range", query=expression, start=now - 7 * DAY, end=now, step=query.step)["result"]
        return [[float(value) for _, value in series["values"]] for series in found]

    def value(self, expression: str) -> float | None:
        """The value of the only series; None if there is none."""
        found = self.ask(Query("", expression, instant=True))
        return found[0][0] if len(found) == 1 else None

    def firing(self, port: str = "") -> set[str]:
        """The alerts that fire, about any target, or about the one that listens on this port."""
        alerts = [alert for alert in self.get("alerts")["alerts"] if alert["state"] == "firing"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["labels"]["instance"].endswith(port)}

    def shows(self, metrics: list[Metric]) -> None:
        """Replace the text file and wait until Prometheus has scraped it."""
        text = "".join(f"{metric.line()}\n" for metric in metrics)
        new = self.textfile.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(self.textfile)
        self.waits_for(metrics)

    def waits_for(self, metrics: list[Metric]) -> None:
        expected = next(metric.value for metric in metrics if metric.name == "ticketattr_last_run_timestamp_seconds")
        wait_for(lambda: self.value('ticketattr_last_run_timestamp_seconds{job="node"}') == expected)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def ended(ago: float) -> list[Metric]:
    """The sample, as if its run ended so many seconds ago."""
    last = next(metric.value for metric in sample() if metric.name == "ticketattr_last_run_timestamp_seconds")
    return [metric.moved(round(time.time() - ago - last)) for metric in sample()]


def history(job: str, instance: str, metrics: Sequence[Metric], until: float) -> str:
    """A week of daily runs before `metrics`, as OpenMetrics. Each run increases the counters."""
    lines: dict[str, list[str]] = {}
    first = until - HISTORY_DAYS * DAY
    for step in range(int((until - first) // BACKFILL_STEP)):
        at = first + step * BACKFILL_STEP
        share = (1 + int((at - first) // DAY)) / (HISTORY_DAYS + 1)
        for metric in metrics:
            value = metric.value * share if metric.is_counter else metric.value
            line = Metric(metric.name, metric.labels, value).line(("instance", instance), ("job", job))
            lines.setdefault(f"{metric.name}{metric.labels}", []).append(f"{line} {at:.0f}\n")
    return "".join("".join(series) for series in lines.values())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(log: Path, *command: str) -> Iterator[None]:
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    telegram = TelegramServer()
    with chat_server(telegram):
        started = Service(tmp_path_factory.mktemp("service"), telegram)
        started.start()
        try:
            yield started
        finally:
            started.stop()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[Prometheus]:
    """Set up as in docs/how-to/operations.md, but with other ports and an interval of one second."""
    folder = tmp_path_factory.mktemp("prometheus")
    exporter, port = free_port(), free_port()
    textfile = folder / "state" / SAMPLE.name
    directory = folder / "node-exporter"
    for path in (textfile.parent, directory):
        path.mkdir()
    (directory / SAMPLE.name).symlink_to(textfile)

    settings = yaml(CONFIG)
    settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    targets = {"node": f"127.0.0.1:{exporter}", "ticketattr": f"127.0.0.1:{service.metrics_port}"}
    for job in settings["scrape_configs"]:
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
    config = folder / CONFIG.name
    YAML(typ="safe", pure=True).dump(settings, config)
    write_impatient_rules(folder / RULES.name)
    weeks, until = folder / "history.om", time.time() - 60
    metrics = {"node": sample(), "ticketattr": service_sample()}
    texts = (history(job, target, metrics[job], until) for job, target in targets.items())
    weeks.write_text("".join(texts) + "# EOF\n", encoding="utf-8")
    promtool("tsdb", "create-blocks-from", "openmetrics", "--quiet", str(weeks), str(folder / "data"))

    server = Prometheus(f"http://127.0.0.1:{port}", textfile, service)
    with ExitStack() as stack:
        node_exporter = (program("prometheus-node-exporter"), "--collector.disable-defaults", "--collector.textfile")
        listen = f"--web.listen-address=127.0.0.1:{exporter}"
        where = f"--collector.textfile.directory={directory}"
        stack.enter_context(running(folder / "exporter.log", *node_exporter, where, listen))
        options = (f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}")
        listen = f"--web.listen-address=127.0.0.1:{port}"
        stack.enter_context(running(folder / "prometheus.log", program("prometheus"), *options, listen))
        wait_for(lambda: answers(port, "-/ready"))
        server.shows(ended(60))
        wait_for(lambda: server.value('up{job="ticketattr"}') == 1)
        yield server


def write_impatient_rules(path: Path) -> None:
    """The rules, without the minutes for which a condition must last. The tests of promtool judge those."""
    rules = yaml(RULES)
    for rule in rules["groups"][0]["rules"]:
        rule.pop("for", None)
    YAML(typ="safe", pure=True).dump(rules, path)


def answers(port: int, path: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/{path}", trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.mark.prometheus
@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_panel_shows_data(prometheus: Prometheus, query: Query) -> None:
    series = prometheus.ask(query)
    assert series, query.expr
    assert all(value == value for values in series for value in values), "some values are NaN"
    if "increase" in query.expr:
        assert any(value > 0 for values in series for value in values), "no counter increased"


def with_values(values: dict[str, float]) -> list[Metric]:
    """The sample of a run that ended a minute ago and was good in all, except for these values.

    They are named as in `last_run_tickets` or `last_run_tickets failed`; times count back from now.
    """
    good = {"last_run_exit_code": 0, "reports_in_doubt": 0, "oldest_pending_timestamp_seconds": 60}
    wanted = good | values
    return [
        replace(metric, value=round(time.time() - wanted[name]) if metric.is_time else wanted[name])
        if (name := named(metric)) in wanted
        else metric
        for metric in ended(60)
    ]


def named(metric: Metric) -> str:
    return " ".join((metric.name.removeprefix("ticketattr_"), *(value for _, value in metric.labels)))


BAD: dict[str, dict[str, float]] = {
    "TicketattrNoRecentSuccess": {"last_success_timestamp_seconds": 27 * 3600},
    "TicketattrRunFailed": {"last_run_exit_code": 2},
    "TicketattrRunPartial": {"last_run_exit_code": 5},
    "TicketattrReportInDoubt": {"reports_in_doubt": 1},
    "TicketattrReportPendingTooLong": {"oldest_pending_timestamp_seconds": 25 * 3600},
    "TicketattrFewAttributed": {"last_run_tickets failed": 50},
    "TicketattrCostJump": {"llm_cost_usd_total": 6},
}
"""What is wrong with a run, so that the alert fires."""


def test_every_alert_is_raised_in_a_real_prometheus() -> None:
    # The last two are about targets that are gone, and have tests of their own.
    assert [*BAD, "TicketattrMetricsMissing", "TicketattrServiceDown"] == alert_names(ALERTS)


@pytest.mark.prometheus
@pytest.mark.parametrize("alert", BAD)
def test_an_alert_about_a_run_fires_while_its_condition_holds(prometheus: Prometheus, alert: str) -> None:
    (expression,) = (rule["expr"] for rule in ALERTS if rule["alert"] == alert)
    prometheus.shows(with_values({}))
    wait_for(lambda: alert not in prometheus.firing())
    assert prometheus.value(expression) is None
    prometheus.shows(with_values(BAD[alert]))
    wait_for(lambda: alert in prometheus.firing())
    assert prometheus.value(expression) is not None


@pytest.mark.prometheus
def test_an_alert_fires_when_the_metrics_of_a_host_are_gone(prometheus: Prometheus) -> None:
    prometheus.shows(with_values({}))
    port = prometheus.get("query", query='up{job="node"}')["result"][0]["metric"]["instance"].partition(":")[2]
    wait_for(lambda: "TicketattrMetricsMissing" not in prometheus.firing(port))
    prometheus.textfile.unlink()
    wait_for(lambda: "TicketattrMetricsMissing" in prometheus.firing(port))
    prometheus.shows(with_values({}))


@pytest.mark.prometheus
def test_a_service_that_does_not_answer_is_down_on_the_dashboard_and_in_an_alert(prometheus: Prometheus) -> None:
    (panel,) = (query for query in QUERIES if query.panel == "Service")
    wait_for(lambda: prometheus.ask(panel) == [[1]])
    assert "TicketattrServiceDown" not in prometheus.firing()
    prometheus.service.stop()
    wait_for(lambda: prometheus.ask(panel) == [[0]])
    wait_for(lambda: "TicketattrServiceDown" in prometheus.firing())
    prometheus.service.start()
    wait_for(lambda: prometheus.ask(panel) == [[1]])
    wait_for(lambda: "TicketattrServiceDown" not in prometheus.firing())


@pytest.mark.prometheus
def test_what_a_service_does_is_counted_and_shown_on_the_dashboard(prometheus: Prometheus) -> None:
    service, telegram = prometheus.service, prometheus.service.telegram
    of_service = f'{{instance="127.0.0.1:{service.metrics_port}"'
    wait_for(lambda: prometheus.value(f"ticketattr_service_runs_total{of_service},trigger='api'}}") == 0)
    with httpx.Client(headers={"Authorization": f"Bearer {service.token()}"}, trust_env=False) as client:
        assert client.post(f"http://127.0.0.1:{service.port}/api/v1/runs").status_code == 202
    telegram.write("/status")
    for name, value in {
        "service_runs_total{},trigger='api'}}": 1,
        "service_runs{},state='ended'}}": 1,
        "service_requests_total{},door='api',status='2xx'}}": 1,
        "service_chat_commands_total{},platform='telegram',command='status',outcome='done'}}": 1,
        "reports_delivered_total{}}}": 1,
        "recipients_delivered_total{}}}": 1,
        "last_run_exit_code{}}}": 0,
    }.items():
        expression = f"ticketattr_{name.format(of_service)}"
        wait_for(lambda expression=expression, value=value: prometheus.value(expression) == value)  # type: ignore[misc]
    port = f"127.0.0.1:{service.metrics_port}"
    for query in QUERIES:
        if "increase" in query.expr and ("service" in query.expr or "delivered" in query.expr):
            shown = replace(query, expr=query.expr.replace("$instance", port), instant=True)
            assert max(value for (value,) in prometheus.ask(shown)) > 0, query


@pytest.mark.prometheus
def test_the_metrics_of_a_run_are_scraped_and_shown_in_the_dashboard(prometheus: Prometheus, cli: CLI) -> None:
    cli.settings["METRICS_TEXTFILE"] = str(prometheus.textfile)
    cli.ok("run")
    promtool("check", "metrics", stdin=prometheus.textfile.read_bytes())
    written = read_metrics(prometheus.textfile)
    try:
        prometheus.waits_for(written)
        found = prometheus.get("query", query='{__name__=~"ticketattr_.+", job="node"}')["result"]
        assert series_of_answer(found) == {(metric.name, metric.labels): metric.value for metric in written}
        for query in QUERIES:
            if query.instant:
                values = prometheus.ask(query)
                assert values, query.expr
                assert all(value == value for (value,) in values), query.expr
    finally:
        prometheus.shows(ended(60))


def series_of_answer(found: list[dict[str, Any]]) -> dict[Series, float]:
    return {(one["metric"].pop("__name__"), labels_of(one["metric"])): float(one["value"][1]) for one in found}


def labels_of(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in labels.items() if name not in ("instance", "job"))
