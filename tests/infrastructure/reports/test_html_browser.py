"""The page in Chromium: axe finds nothing, and filter and sorting work under its policy; run by `nox -s browser`."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ticketattr.domain.catalog import SLA, RequestType
from ticketattr.domain.ticket import Attribution
from ticketattr.infrastructure.words import LANGUAGES

from .test_html_report import TICKETS, a_page, a_ticket

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
SIZES = ("1280,900", "390,844")
# Without its policy, the page takes the script of the test.
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
AXE = """<pre id="found"></pre><script>axe.run().then(found => {
  document.getElementById('found').textContent = JSON.stringify(found.violations.map(
    one => [one.id, one.help, one.nodes.map(node => node.html)]));
});</script>"""
USE = """<pre id="found"></pre><script>
const seen = () => Array.from(document.querySelectorAll('#tickets tbody tr'))
  .filter(row => !row.hidden).map(row => row.cells[0].textContent);
const found = [seen()];
const filter = (name, value) => {
  const field = document.getElementById(name);
  field.value = value;
  field.dispatchEvent(new Event('change'));
  found.push(seen());
};
filter('urgency', 'needs review');
filter('urgency', '*');
document.querySelectorAll('#tickets th button')[0].click();
found.push(seen());
document.querySelectorAll('#tickets th button')[0].click();
found.push(seen());
document.getElementById('found').textContent = JSON.stringify(found);
</script>"""


def in_chromium(page: str, folder: Path, size: str = SIZES[0], *options: str) -> str:
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={size}", *options]
    command += ["--virtual-time-budget=20000", "--dump-dom", f"file://{path}"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def found_in(page: str) -> Any:
    (found,) = re.findall(r'(?s)<pre id="found">(.*?)</pre>', page)
    return json.loads(html.unescape(found))


def with_script(page: str, script: str) -> str:
    return POLICY.sub("", page).replace("</body>", f"{script}</body>")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(tmp_path: Path, language: str, size: str, scheme: str) -> None:
    package = find_spec("axe_playwright_python")
    assert package, "install the extra `browser`"
    assert package.origin
    axe = Path(package.origin).with_name("axe.min.js").read_text(encoding="utf-8")
    page = with_script(a_page(tmp_path, language=language), f"<script>{axe}</script>{AXE}")
    options = ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    assert found_in(in_chromium(page, tmp_path, size, *options)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_makes_the_page_wider_than_a_usual_window(tmp_path: Path, language: str) -> None:
    entry = RequestType("Software & Licensing", "SaaS Platform Access (Jira/Salesforce)", SLA(24, "hours"))
    tickets = [a_ticket("REQ-1056", Attribution(entry, "offline", 1.0), 302, "Please install Python")]
    widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    script = f"""<pre id="found"></pre><script>
    document.getElementById('found').textContent = JSON.stringify({widths});</script>"""
    scrolled, shown = found_in(in_chromium(with_script(a_page(tmp_path, tickets, language), script), tmp_path))
    assert scrolled == shown


def test_filter_and_sorting_show_what_was_asked_for(tmp_path: Path) -> None:
    shown = found_in(in_chromium(with_script(a_page(tmp_path), USE), tmp_path))
    urgent_first = ["overdue", "soon", "review", "failed", "later"]
    assert shown == [
        urgent_first,
        ["overdue", "review", "failed"],
        urgent_first,
        sorted(urgent_first),
        sorted(urgent_first, reverse=True),
    ]


def test_the_script_runs_under_the_policy_of_the_page_and_shows_a_large_queue_in_steps(tmp_path: Path) -> None:
    tickets = [a_ticket(str(number), TICKETS[0].outcome, 1) for number in range(500)]
    page = in_chromium(a_page(tmp_path, tickets), tmp_path)
    assert "200 of 500 tickets" in page
    assert '<button id="more" type="button">Show 200 more</button>' in page
    assert not re.search(r'<form id="filter"[^>]*hidden', page)


def test_without_a_script_the_page_shows_everything(tmp_path: Path) -> None:
    page = a_page(tmp_path)
    assert re.search(r'<form id="filter"[^>]* hidden', page)
    assert "<tr hidden" not in page
