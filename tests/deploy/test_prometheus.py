"""The alert rules: fast checks, and in `nox -s prometheus` tests with promtool and a real Prometheus.

The latter need the Debian packages prometheus and prometheus-node-exporter. All ports are on loopback.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from ..conftest import CLI
from .metrics import DEPLOY, SAMPLE, Metric, read_metrics, sample, unknown_in
from .test_grafana import QUERIES, Query

RULES = DEPLOY / "prometheus" / "ticketattr.rules.yml"
RULE_TESTS = DEPLOY / "prometheus" / "ticketattr.rules.test.yml"
CONFIG = DEPLOY / "prometheus" / "prometheus.yml"
RUNBOOK = DEPLOY.parent / "docs" / "operations.md"
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
def test_an_alert_uses_only_metrics_that_a_run_writes(alert: dict[str, Any]) -> None:
    # Prometheus itself writes `up`, for each job of its configuration.
    of_prometheus = {"up", *(f"job={job['job_name']}" for job in yaml(CONFIG)["scrape_configs"])}
    assert set(unknown_in(alert["expr"])) <= of_prometheus


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
    assert (file, anchor) == ("docs/operations.md", alert["alert"].lower())
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


@pytest.mark.prometheus
def test_the_rule_tests_pass() -> None:
    promtool("test", "rules", str(RULE_TESTS))


@dataclass
class Prometheus:
    """A Prometheus that scrapes a node_exporter, which reads `textfile`. It also has the metrics of the week before."""

    url: str
    textfile: Path

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

    def firing(self) -> set[str]:
        return {alert["labels"]["alertname"] for alert in self.get("alerts")["alerts"] if alert["state"] == "firing"}

    def shows(self, metrics: list[Metric]) -> None:
        """Replace the text file and wait until Prometheus has scraped it."""
        text = "".join(f"{metric.line()}\n" for metric in metrics)
        new = self.textfile.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(self.textfile)
        self.waits_for(metrics)

    def waits_for(self, metrics: list[Metric]) -> None:
        expected = next(metric.value for metric in metrics if metric.name == "ticketattr_last_run_timestamp_seconds")
        wait_for(lambda: self.ask(Query("", "ticketattr_last_run_timestamp_seconds", instant=True)) == [[expected]])


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def ended(ago: float) -> list[Metric]:
    """The sample, as if its run ended so many seconds ago."""
    last = next(metric.value for metric in sample() if metric.name == "ticketattr_last_run_timestamp_seconds")
    return [metric.moved(round(time.time() - ago - last)) for metric in sample()]


def history(instance: str, until: float) -> str:
    """A week of daily runs before the sample, as OpenMetrics. Each run increases the counters."""
    lines: dict[str, list[str]] = {}
    metrics = sample()
    first = until - HISTORY_DAYS * DAY
    for step in range(int((until - first) // BACKFILL_STEP)):
        at = first + step * BACKFILL_STEP
        share = (1 + int((at - first) // DAY)) / (HISTORY_DAYS + 1)
        for metric in metrics:
            value = metric.value * share if metric.is_counter else metric.value
            line = Metric(metric.name, metric.labels, value).line(("instance", instance), ("job", "node"))
            lines.setdefault(f"{metric.name}{metric.labels}", []).append(f"{line} {at:.0f}\n")
    return "".join("".join(series) for series in lines.values()) + "# EOF\n"


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
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Set up as in docs/operations.md, but with other ports and an interval of one second."""
    folder = tmp_path_factory.mktemp("prometheus")
    exporter, port = free_port(), free_port()
    textfile = folder / "state" / SAMPLE.name
    directory = folder / "node-exporter"
    for path in (textfile.parent, directory):
        path.mkdir()
    (directory / SAMPLE.name).symlink_to(textfile)

    settings = yaml(CONFIG)
    settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    settings["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{exporter}"]}]
    config = folder / CONFIG.name
    YAML(typ="safe", pure=True).dump(settings, config)
    shutil.copy(RULES, folder)
    weeks = folder / "history.om"
    weeks.write_text(history(f"127.0.0.1:{exporter}", time.time() - 60), encoding="utf-8")
    promtool("tsdb", "create-blocks-from", "openmetrics", "--quiet", str(weeks), str(folder / "data"))

    server = Prometheus(f"http://127.0.0.1:{port}", textfile)
    with ExitStack() as stack:
        node_exporter = (program("prometheus-node-exporter"), "--collector.disable-defaults", "--collector.textfile")
        listen = f"--web.listen-address=127.0.0.1:{exporter}"
        where = f"--collector.textfile.directory={directory}"
        stack.enter_context(running(folder / "exporter.log", *node_exporter, where, listen))
        options = (f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}")
        listen = f"--web.listen-address=127.0.0.1:{port}"
        stack.enter_context(running(folder / "prometheus.log", program("prometheus"), *options, listen))
        wait_for(lambda: answers(port))
        server.shows(ended(60))
        yield server


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/-/ready", trust_env=False).is_success
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


@pytest.mark.prometheus
def test_an_alert_fires_only_when_the_last_success_is_old(prometheus: Prometheus) -> None:
    prometheus.shows(ended(60))
    wait_for(lambda: "TicketattrReportInDoubt" in prometheus.firing())
    assert "TicketattrNoRecentSuccess" not in prometheus.firing()
    prometheus.shows(ended(5 * 3600))
    wait_for(lambda: "TicketattrNoRecentSuccess" in prometheus.firing())
    prometheus.shows(ended(60))
    wait_for(lambda: "TicketattrNoRecentSuccess" not in prometheus.firing())


@pytest.mark.prometheus
def test_the_metrics_of_a_run_are_scraped_and_shown_in_the_dashboard(prometheus: Prometheus, cli: CLI) -> None:
    cli.settings["METRICS_TEXTFILE"] = str(prometheus.textfile)
    cli.ok("run")
    promtool("check", "metrics", stdin=prometheus.textfile.read_bytes())
    written = read_metrics(prometheus.textfile)
    try:
        prometheus.waits_for(written)
        found = prometheus.get("query", query='{__name__=~"ticketattr_.+"}')["result"]
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
