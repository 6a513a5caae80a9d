"""420 tickets over the wire of every provider, and in a batch job: `python -m tests.wires_table` prints the table of
docs/how-to/models.md.

A scripted model answers rightly, and refuses two calls once. A token is four characters.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import stamina

from .batch_server import GeminiServer
from .conftest import CLI
from .entrypoint.test_providers import counted, outcomes_over, right_answer, with_420_tickets
from .servers import http_server


def in_a_job(cli: CLI) -> tuple[list[Any], dict[str, Any]]:
    """The attributions and the bill of a batch job of Gemini."""
    with http_server() as http:
        server = GeminiServer(http, right_answer, charge=counted)
        cli.settings |= {"CLASSIFIER": "gemini", "GOOGLE_GEMINI_BASE_URL": http.url}
        # The answers of the other wires are not taken.
        (cli.folder / "work" / "answers.db").unlink()
        cli.ok("fetch")
        cli("classify", "--batch")
        server.finish()
        cli.ok("classify", "--batch")
    content = json.loads(max(cli.folder.glob("work/*/attributions.json")).read_text())
    return [item["attribution"] for item in content["data"]], content["bill"]


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, stamina.set_testing(True, attempts=100, cap=True):
        os.chdir(folder)
        cli = CLI(Path(folder))
        with_420_tickets(cli)
        with http_server() as http:
            measured = {wire: outcomes_over(cli, http, wire) for wire in ("gemini", "openai")}
        measured["gemini, batch job"] = in_a_job(cli)
        os.chdir("/")
    first, _ = measured["gemini"]
    print(
        "| wire | tickets | equal results | calls | retries | tokens in | tokens out | US dollars for 1,000 tickets |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, (results, bill) in measured.items():
        usage, equal = bill["usage"], sum(one == other for one, other in zip(results, first, strict=True))
        cells = (len(results), equal, usage["calls"], usage["retries"], usage["tokens_in"], usage["tokens_out"])
        print(f"| {name} | {' | '.join(f'{cell:,}' for cell in cells)} | {1000 * bill['cost'] / len(results):.4f} |")


if __name__ == "__main__":
    main()
