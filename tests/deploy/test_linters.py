"""Linters find no problems in the deployment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .scripts import DEPLOY, ROOT, TOOLS

pytestmark = pytest.mark.deploy

SCRIPTS = sorted(str(path.relative_to(ROOT)) for path in DEPLOY.rglob("*.sh"))
ISSUE_FORMS = sorted(
    str(path.relative_to(ROOT)) for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"
)
WORKFLOWS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / ".github/workflows").glob("*.yml"))
UNITS = sorted((DEPLOY / "systemd").iterdir())
systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def lint(*command: str) -> str:
    """The output of the linter, which must exit with 0."""
    path = f"{TOOLS}:{os.environ['PATH']}"
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env={"PATH": path})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_zizmor_with_the_auditor_persona_finds_nothing() -> None:
    lint("zizmor", "--offline", "--quiet", "--persona=auditor", ".github")


def test_the_only_ignored_finding_is_the_call_of_ci_and_has_a_reason() -> None:
    text = "".join((ROOT / workflow).read_text(encoding="utf-8") for workflow in WORKFLOWS)
    call = r"^ +# .+\n +uses: \./\.github/workflows/ci\.yml # zizmor: ignore\[self-repository\]$"
    assert len(re.findall(call, text, re.MULTILINE)) == text.count("zizmor: ignore") == 2


def test_workflows_match_their_schema() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    lint("check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml")


def test_issue_forms_match_their_schema() -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.github-issue-forms", *ISSUE_FORMS)
    lint("check-jsonschema", "--builtin-schema", "vendor.github-issue-config", ".github/ISSUE_TEMPLATE/config.yml")


def test_actionlint_finds_nothing() -> None:
    assert lint("actionlint", "-color=false", *WORKFLOWS) == ""


def test_hadolint_finds_nothing() -> None:
    assert lint("hadolint", "deploy/Dockerfile") == ""


def test_shellcheck_finds_nothing() -> None:
    assert lint("shellcheck", "--external-sources", "--enable=avoid-nullary-conditions", *SCRIPTS) == ""


def test_shellcheck_finds_nothing_in_the_script_of_the_document(tmp_path: Path) -> None:
    (step,) = json.loads((DEPLOY / "ssm_document.json").read_text(encoding="utf-8"))["mainSteps"]
    lines = step["inputs"]["runCommand"]
    inner = tmp_path / "inner.sh"
    inner.write_text("#!/bin/bash\nset -euo pipefail\n" + "\n".join(lines[1:-1]) + "\n", encoding="utf-8")
    # The settings of the host are not available here, and the name of the folder needs no quotes.
    assert lint("shellcheck", "--exclude=SC1091,SC2064", str(inner)) == ""
    # The shell of the agent may be dash. It receives one command, which starts bash.
    assert lines[0].startswith("exec /usr/bin/env bash ")
    assert "'" not in "".join(lines[1:-1])


def test_scripts_are_formatted() -> None:
    assert lint("shfmt", "--indent=4", "--diff", *SCRIPTS) == ""


@systemd
def test_systemd_says_nothing_about_the_units(tmp_path: Path) -> None:
    """Any output is a failure, because an unknown key is only a warning with exit code 0.

    What it says about other units that are installed here does not count.
    """
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/ticketattr/current", str(DEPLOY))
        # The unit of the engine is not installed everywhere, so it is replaced below.
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    (tmp_path / "docker.service").write_text("[Service]\nExecStart=/bin/true\n", encoding="utf-8")
    names = [str(tmp_path / unit.name.replace("@.", "@ticketattr.service.")) for unit in UNITS]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    assert [line for line in (done.stdout + done.stderr).splitlines() if "ticketattr" in line] == []


@systemd
@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda path: path.name)
def test_systemd_rates_the_exposure_of_the_units_as_low(unit: Path) -> None:
    """The threshold 20 means 2.0 of 10. Without a sandbox, the exposure is 9.6."""
    said = lint("systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit))
    assert re.search(r"Overall exposure level for \S+: 1\.\d", said)


@systemd
def test_the_timer_has_a_time_with_a_time_zone() -> None:
    timer = (DEPLOY / "systemd/ticketattr.timer").read_text(encoding="utf-8")
    (when,) = re.findall(r"^OnCalendar=(.*)", timer, re.MULTILINE)
    assert re.search(r" [A-Z]\w+/\w+$", when)
    assert "Next elapse" in lint("systemd-analyze", "calendar", when)
    assert "Persistent=true" in timer
