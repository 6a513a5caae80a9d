"""The pages in Chromium, as a person uses them, on a desk and on a telephone, light and dark; by `nox -s browser`.

On every page: axe finds no violation, nothing is asked of another host, the policy of the page is kept, and the page
does not scroll sideways. BROWSER_PICTURES names a folder for pictures of the pages.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ticketattr.application.ports import Run
from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.service_run import RunStatus
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket
from ticketattr.domain.usage import Bill
from ticketattr.infrastructure.stage_files.work_folder import WorkFolder

from .conftest import Web
from .test_api import RUN, put_report, record_doubt
from .test_changes import OTHER, put_change

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DESK, TELEPHONE = (1280, 900), (390, 844)
NOTE_VIOLATIONS = (
    "addEventListener('securitypolicyviolation', e => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`))"
)
VIOLATIONS = "axe.run().then(found => found.violations.map(one => [one.id, one.nodes.map(node => node.html)]))"
OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CATALOG = ServiceCatalog(
    tuple(
        RequestType(category, name, SLA(4, "hours"))
        for category, name in (
            ("Hardware", "Phone"),
            ("Hardware", "Replacement of a notebook or of its docking station"),
            ("Access", "Password"),
            ("Software", "Installation"),
        )
    )
)


@dataclass
class Visit:
    """A page in Chromium, and what went wrong on it. `pictures`: where to keep pictures, if anywhere."""

    page: Any
    name: str
    pictures: Path | None
    axe: str
    wrong: list[str] = field(default_factory=list)

    def judge(self, place: str) -> None:
        """Judge the page that is shown, and take its picture."""
        if self.pictures:
            self.page.screenshot(path=self.pictures / f"{place}-{self.name}.png", full_page=True)
        self.page.evaluate(self.axe)
        self.wrong += [f"{place}: {violation}" for violation in self.page.evaluate(VIOLATIONS)]
        if overhang := self.page.evaluate(OVERHANG):
            self.wrong.append(f"{place}: scrolls sideways by {overhang} pixels")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(
    params=[(DESK, "light"), (DESK, "dark"), (TELEPHONE, "light"), (TELEPHONE, "dark")],
    ids=["desk-light", "desk-dark", "telephone-light", "telephone-dark"],
)
def visit(request: pytest.FixtureRequest, chromium: Any, web: Web) -> Iterator[Visit]:
    (width, height), scheme = request.param
    context = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, base_url=web.url, accept_downloads=True
    )
    context.add_init_script(NOTE_VIOLATIONS)
    package = find_spec("axe_playwright_python")
    assert package, "install the extra `browser`"
    assert package.origin
    axe = Path(package.origin).with_name("axe.min.js").read_text(encoding="utf-8")
    folder = os.environ.get("BROWSER_PICTURES")
    page = context.new_page()
    page.set_default_timeout(15_000)
    made = Visit(page, f"{width}-{scheme}", Path(folder) if folder else None, axe)
    page.on("console", lambda said: made.wrong.extend([said.text] if said.type == "error" else []))
    page.on("pageerror", lambda error: made.wrong.append(str(error)))
    page.on("request", lambda asked: made.wrong.extend([] if asked.url.startswith((web.url, "data:")) else [asked.url]))
    yield made
    context.close()
    refused = "the server responded with a status of 422"  # the schedule that is refused on purpose
    assert [line for line in made.wrong if refused not in line] == []


def put_review(folder: Path, web: Web) -> None:
    """A run with four doubtful tickets, one of them with long texts."""
    entries = CATALOG.entries
    long_word = "https://intranet.example.com/" + "a" * 120
    tickets = [
        Ticket("INC-1", "The notebook does not start", "It beeps.", created_at="2026-11-20T06:00:00Z"),
        Ticket(
            "INC-2", f"Please look at {long_word}", f"{long_word}\nsecond line " * 20, created_at="2026-11-21T06:00:00Z"
        ),
        Ticket("INC-3", "Password forgotten"),
        Ticket("INC-4", "Phone"),
    ]
    work, run = WorkFolder(folder / "work"), Run(RUN, web.clock)
    work.save_catalog(CATALOG, run)
    outcome = Attribution(entries[1], "model", 0.3, alternatives=(entries[0], entries[2], entries[3]))
    work.save_attributions([AttributedTicket(ticket, outcome) for ticket in tickets], run, Bill())


def put_runs(web: Web) -> None:
    """A run that is done, one that failed, one that works, and one that waits."""
    state = web.service.state
    ends: list[dict[str, Any]] = [
        {"state": "ended", "exit_code": 0, "figures": {"model": 30, "corrected": 4, "no_match": 3, "failed": 2}},
        {"state": "ended", "exit_code": 4, "message": "the helpdesk at https://helpdesk.example.com did not answer"},
        {"state": "running", "started": web.clock(), "run_id": RUN},
    ]
    for end in ends:
        run, _ = state.request_run("api", "ann", web.clock(), dry_run=False, key="")
        state.save_run(replace(run, **end))
    web.processes.alive.add(3)
    web.processes.reported[3] = RunStatus(RUN, "classify", 3, 14)
    web.processes.log = lambda run, lines: ["a line of the log " * 12, "40 tickets"]  # type: ignore[method-assign]
    state.request_run("schedule", "schedule", web.clock(), dry_run=False, key="")


def sign_in(visit: Visit, web: Web) -> None:
    visit.page.goto("/")
    visit.judge("sign-in")
    visit.page.get_by_label("Token").fill(web.token())
    visit.page.get_by_label("Token").press("Enter")
    visit.page.wait_for_url("**/")


def test_a_person_works_through_all_pages(visit: Visit, web: Web, tmp_path: Path) -> None:
    report = put_report(tmp_path)
    record_doubt(web, report)
    put_review(tmp_path, web)
    put_runs(web)
    put_change(web, tmp_path, "INC-1")
    put_change(web, tmp_path, "INC-2", state="refused")
    put_change(web, tmp_path, "INC-3", mode="suggest", run=OTHER)
    page = visit.page
    sign_in(visit, web)
    visit.judge("overview")
    page.get_by_role("link", name="Run 3 is in the stage classify").click()
    visit.judge("run")
    page.get_by_role("link", name="Reports", exact=True).click()
    visit.judge("reports")
    with page.expect_download() as download:
        page.get_by_role("link", name=report.name).click()
    assert Path(download.value.path()).read_bytes() == report.read_bytes()
    page.get_by_role("link", name=f"Open the report of {RUN}").click()
    visit.judge("report")
    page.get_by_role("searchbox").fill("forgotten")
    page.get_by_text("1 of 4 tickets").wait_for()
    assert page.evaluate("self.origin") == "null"
    page.go_back()
    page.get_by_role("link", name="Deliveries", exact=True).click()
    visit.judge("deliveries")
    page.get_by_role("button", name="It arrived").click()
    page.get_by_text("sent", exact=True).wait_for()
    page.get_by_role("link", name="Changes", exact=True).click()
    visit.judge("changes")
    page.get_by_role("button", name="Put back the change of INC-1").click()
    page.get_by_text(f"puts back change 1 of {RUN}").wait_for()
    page.goto(f"/changes?run={RUN}")
    visit.judge("changes-of-a-run")
    page.get_by_role("link", name="Logs", exact=True).click()
    visit.judge("logs")
    page.get_by_role("link", name="Schedule", exact=True).click()
    page.get_by_role("textbox").fill("0 25 * * *")
    page.get_by_role("button", name="Save").click()
    assert "not a valid cron expression" in page.get_by_role("alert").inner_text()
    visit.judge("schedule-refused")
    page.get_by_role("textbox").fill("30 6 * * 1-5")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Next times").wait_for()
    visit.judge("schedule")
    page.get_by_role("link", name="Audit", exact=True).click()
    visit.judge("audit")
    done = ["schedule", "schedule", "undo", "resolve", "sign in"]
    assert [entry.action for entry in web.service.state.audit()] == done
    page.goto("/nothing")
    visit.judge("not-found")
    visit.wrong = [line for line in visit.wrong if "status of 404" not in line]


def test_tickets_are_reviewed_by_keyboard_alone(visit: Visit, web: Web, tmp_path: Path) -> None:
    put_review(tmp_path, web)
    sign_in(visit, web)
    visit.page.goto("/review")
    visit.judge("review")
    keyboard = visit.page.keyboard
    for key in ("j", "j", "k", "j", "2"):
        keyboard.press(key)
    visit.page.get_by_text("1 decided since").wait_for()
    visit.page.wait_for_function("document.activeElement.matches('.ticket')")
    keyboard.press("1")
    visit.page.get_by_text("2 decided since").wait_for()
    corrections = web.parts.reviewing.store.all()
    assert [(one.place, one.request_type) for one in corrections] == [
        (2, "Phone"),
        (3, "Replacement of a notebook or of its docking station"),
    ]


def test_the_overview_follows_a_run_to_its_end(visit: Visit, web: Web, tmp_path: Path) -> None:
    put_runs(web)
    sign_in(visit, web)
    visit.page.get_by_text("3 of 14").wait_for()
    web.processes.reported[3] = RunStatus(RUN, "classify", 4, 14)
    visit.page.get_by_text("4 of 14").wait_for()
    for run in web.service.state.unfinished():
        web.service.state.save_run(replace(run, state="ended", exit_code=0, ended=web.clock() + timedelta(minutes=1)))
    visit.page.get_by_text("No run is in progress.").wait_for()
