"""The API against its own OpenAPI document, with requests that Schemathesis invents; run by `nox -s api`.

It finds nothing: no fault of the server, no undocumented status or media type, no answer of another shape, no wrong
request that is accepted, and no call without a token.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from .conftest import Web
from .test_api import put_report, record_doubt

pytestmark = pytest.mark.api

EXAMPLES = 40
# No schema can say which cron expressions come true, and which changes can be put back.
CONFIG = """
[[operations]]
include-name = "POST /api/v1/changes/undo"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "422", "503"]

[[operations]]
include-name = "GET /api/v1/schedule/times"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "422", "503"]

[[operations]]
include-name = "PUT /api/v1/schedule"
checks.positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "422", "503"]
"""


@pytest.mark.parametrize("scope", ["operate", "read"])
def test_schemathesis_finds_nothing(web: Web, tmp_path: Path, scope: str) -> None:
    assert find_spec("schemathesis"), "install the extra `api`"
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert program
    record_doubt(web, put_report(tmp_path))
    web.service.state.request_run("api", "ann", web.clock(), dry_run=False, key="")
    token = web.token("operate" if scope == "operate" else "read")
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    command = [
        program,
        f"--config-file={config}",
        "run",
        f"{web.url}/api/v1/openapi.json",
        f"--header=Authorization: Bearer {token}",
    ]
    options = [f"--max-examples={EXAMPLES}", "--suppress-health-check=all", "--no-color", "--seed=1"]
    ended = subprocess.run([*command, *options], capture_output=True, text=True, check=False, timeout=600, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout
