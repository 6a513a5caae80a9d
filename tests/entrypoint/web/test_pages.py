"""The pages: who may see and change what, and that what a ticket or a stranger says stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timezone
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from ticketattr.application.ports import Run
from ticketattr.application.service.chat import ChatDesk, ChatFiles
from ticketattr.domain.catalog import SLA, RequestType, ServiceCatalog
from ticketattr.domain.chat import AllowedSender, ChatMessage, Sender, TextReply
from ticketattr.domain.service_run import AuditEntry
from ticketattr.domain.ticket import AttributedTicket, Attribution, Ticket
from ticketattr.domain.usage import Bill
from ticketattr.entrypoint.web import pages
from ticketattr.infrastructure.stage_files.work_folder import WorkFolder

from ...doors import routes
from .conftest import Web, serving
from .test_api import RUN, put_report, record_doubt

PAGES = tuple(place.removeprefix("GET ") for place in routes(pages.router) if re.fullmatch("GET [^{]+", place))
"""Those with one address; the others show one run or one report, or are files."""


@pytest.mark.parametrize("path", [*PAGES, "/runs/1", f"/reports/{RUN}/workbook", "/deliveries.csv"])
def test_whoever_did_not_sign_in_is_sent_to_sign_in(web: Web, path: str) -> None:
    answer = httpx.get(web.url + path)
    asked = "" if path == "/" else f"?to={path}"
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in{asked}")


@pytest.mark.parametrize("path", ["/review", "/reports?page=2", "/changes?run=a%20b"])
def test_who_signs_in_goes_on_to_the_page_that_was_asked_for(web: Web, path: str) -> None:
    with httpx.Client(base_url=web.url, follow_redirects=True) as client:
        form = client.get(path).text
        (to,) = re.findall('name="to" value="([^"]*)"', form)
        answer = client.post("/sign-in", data={"token": web.token(), "to": unescape(to)}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, path)


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:1", "/\r\n"])
def test_nobody_is_sent_to_another_site_after_signing_in(web: Web, to: str) -> None:
    answer = httpx.post(f"{web.url}/sign-in", data={"token": web.token(), "to": to})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("path", ["/runs", "/schedule", "/deliveries/resolve", "/changes/undo"])
def test_whoever_did_not_sign_in_changes_nothing(web: Web, path: str) -> None:
    assert httpx.post(web.url + path, data={"cron": "* * * * *"}).status_code == 303
    assert web.service.state.audit() == []


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_in_the_navigation_or_below_one_that_is(web: Web, path: str) -> None:
    with web.browser("read") as person:
        assert f'href="/{path.split("/")[1]}"' in person.get("/").text, "add it to base.html"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_and_loads_nothing_from_elsewhere(web: Web, tmp_path: Path, path: str) -> None:
    record_doubt(web, put_report(tmp_path))
    web.service.state.request_run("api", "ann", web.clock(), dry_run=False, key="")
    with web.browser() as person:
        page = person.get(path)
    assert page.status_code == 200
    assert "</html>" in page.text
    assert "//" not in page.text.replace("<!doctype html>", "")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"


def test_a_session_cookie_is_out_of_reach_of_scripts_and_other_sites(web: Web) -> None:
    answer = httpx.post(f"{web.url}/sign-in", data={"token": web.token()}, headers={"Sec-Fetch-Site": "same-origin"})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie


def test_behind_a_trusted_proxy_with_tls_the_cookie_is_secure_and_its_path_is_that_of_the_service(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, {"SERVE_TRUSTED_PROXIES": "127.0.0.1", "SERVE_ROOT_PATH": "/desk"}) as web:
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9, 192.0.2.8"}
        answer = httpx.post(f"{web.url}/desk/sign-in", data={"token": web.token()}, headers=headers)
        assert "Secure" in answer.headers["set-cookie"]
        assert "Path=/desk" in answer.headers["set-cookie"]
        assert answer.headers["location"] == "/desk/"
        httpx.post(f"{web.url}/sign-in", data={"token": "wrong"}, headers=headers)
        assert web.service.state.audit()[0].origin == "192.0.2.8"


def test_a_wrong_token_signs_nobody_in_and_many_make_the_address_wait(web: Web) -> None:
    with httpx.Client(base_url=web.url) as client:
        answers = [client.post("/sign-in", data={"token": "wrong"}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert not any("set-cookie" in answer.headers for answer in answers)
    assert web.service.state.audit()[0].outcome == "refused"


def test_who_signs_in_is_in_the_audit(web: Web) -> None:
    with web.browser("read"):
        pass
    (entry,) = web.service.state.audit()
    assert (entry.who, entry.origin, entry.action, entry.outcome) == ("person-read", "127.0.0.1", "sign in", "done")


def test_a_cookie_of_another_installation_or_after_signing_out_opens_nothing(web: Web) -> None:
    with web.browser() as person:
        cookies = dict(person.cookies)
        assert person.get("/").status_code == 200
        person.post("/sign-out")
    for cookie in ({"ticketattr_session": "of-another-one"}, cookies):
        assert httpx.get(f"{web.url}/", cookies=cookie).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "", "Origin": "null"},
    ],
)
def test_a_form_of_another_site_changes_nothing(web: Web, headers: dict[str, str]) -> None:
    with web.browser() as person:
        assert person.post("/runs", headers=headers).status_code == 403
    assert web.service.state.runs() == []


def test_a_person_starts_a_run_and_pressing_twice_starts_one(web: Web) -> None:
    with web.browser() as person:
        for _ in range(2):
            assert person.post("/runs", data={"key": "of-this-page", "dry_run": "yes"}).status_code == 303
        assert "Run 1 (dry run) waits" in person.get("/").text
    (run,) = web.service.state.runs()
    assert (run.trigger, run.dry_run, run.requested_by) == ("page", True, "person-operate")


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ({"state": "ended", "exit_code": 0}, "done"),
        ({"state": "ended", "exit_code": 5}, "done in part (exit code 5)"),
        ({"state": "ended", "exit_code": 4}, "failed (exit code 4)"),
        ({"state": "ended", "exit_code": -9}, "killed"),
        ({"state": "lost"}, "killed"),
        ({}, "queued"),
    ],
)
def test_page_api_and_chat_say_the_same_about_a_run(web: Web, end: dict[str, Any], words: str) -> None:
    run, _ = web.service.state.request_run("page", "ann", web.clock(), dry_run=True, key="")
    web.service.state.save_run(replace(run, **end))
    ann = Sender("telegram", "7", "7")
    desk = ChatDesk(
        web.service, [AllowedSender(ann, "read")], ChatFiles(web.parts.reports.get, bytes, str), lambda: "secret"
    )
    reply = desk.answer(ChatMessage("1", ann, "/status", web.clock()))
    with web.browser("read") as person, web.client("read") as program:
        assert f">{words}</span>" in person.get("/runs/1").text
        assert f">{words}</span>" in person.get("/").text
        assert program.get("/api/v1/runs/1").json()["state_text"] == words
    assert isinstance(reply, TextReply)
    assert not end or f"Run 1 (dry run): {words}" in reply.text


def test_a_person_changes_the_schedule_and_is_told_why_one_is_refused(web: Web) -> None:
    with web.browser() as person:
        assert person.post("/schedule", data={"cron": "30 6 * * 1-5"}).status_code == 303
        refused = person.post("/schedule", data={"cron": '"><script>alert(1)</script>'})
        assert refused.status_code == 422
        assert "<script>" not in refused.text
        assert "not a cron expression" in refused.text
        assert "30 6 * * 1-5" in person.get("/schedule").text


def test_a_person_decides_about_a_doubt_and_the_audit_says_who(web: Web, tmp_path: Path) -> None:
    path = put_report(tmp_path)
    record_doubt(web, path)
    sha256 = web.tracker.folder.inspect(path).sha256
    with web.browser() as person:
        assert "It arrived" in person.get("/deliveries").text
        assert person.post("/deliveries/resolve", data={"report": sha256, "decision": "sent"}).status_code == 303
        assert person.post("/deliveries/resolve", data={"report": sha256, "decision": "sent"}).status_code == 422
        assert person.post("/deliveries/resolve", data={"report": sha256, "decision": "?"}).status_code == 422
    assert [status.state for status in web.tracker.statuses()] == ["sent"]
    refused, done = web.service.state.audit(limit=2)
    assert (done.who, done.action, done.outcome) == ("person-operate", "resolve", "done")
    assert refused.outcome.startswith("refused: ")


@pytest.mark.parametrize("report", ["report.xlsx", "/etc/passwd", "../secret", "0" * 63, "0" * 64 + "\n", ""])
def test_a_doubt_is_decided_by_the_sha256_of_its_report_and_no_file_is_opened_by_its_name(
    web: Web, tmp_path: Path, report: str
) -> None:
    record_doubt(web, put_report(tmp_path))
    with web.browser() as person:
        refused = person.post("/deliveries/resolve", data={"report": report, "decision": "sent"})
    assert refused.status_code == 422
    assert "that is not the SHA-256 of a report" in refused.text


def test_who_may_only_read_sees_no_button_and_changes_nothing(web: Web, tmp_path: Path) -> None:
    record_doubt(web, put_report(tmp_path))
    with web.browser("read") as person:
        for path in PAGES:
            assert person.get(path).text.count("<button") == 1, path  # to sign out
        for path in ("/runs", "/schedule", "/deliveries/resolve", "/changes/undo"):
            assert person.post(path, data={"cron": ""}).status_code == 403
    assert web.service.state.runs() == []


def test_the_audit_shows_no_control_characters(web: Web) -> None:
    entry = AuditEntry(web.clock(), "telegram:7:7", "telegram", "chat x\0", "a\u202eb\0", "refused: \x1b[31m")
    web.service.state.add_audit(entry)
    with web.browser("read") as person:
        page = person.get("/audit").text
    assert not {"\0", "\u202e", "\x1b"} & set(page)


def test_a_workbook_and_the_list_of_deliveries_are_downloaded_from_their_pages(web: Web, tmp_path: Path) -> None:
    content = put_report(tmp_path).read_bytes()
    with web.browser("read") as person:
        assert person.get(f"/reports/{RUN}/workbook").content == content
        assert person.get("/deliveries.csv").headers["content-type"].startswith("text/csv")
        assert person.get("/deliveries.xlsx").content.startswith(b"PK")
        assert person.get("/deliveries.exe").status_code == 404


def test_pages_that_do_not_exist_say_so(web: Web) -> None:
    with web.browser() as person:
        for path in ("/runs/99", "/nothing", "/reports/x/workbook"):
            answer = person.get(path)
            assert answer.status_code == 404
            assert answer.text.lower().count("not found") == 2, "in the title and the heading"
        assert person.get("/runs/x").status_code == 422


def test_a_person_whom_a_listed_proxy_names_is_signed_in_and_no_one_else(tmp_path: Path) -> None:
    header = {"X-Remote-User": "ann"}
    trusted = {"SERVE_USER_HEADER": "X-Remote-User", "SERVE_TRUSTED_PROXIES": "127.0.0.1"}
    with serving(tmp_path, trusted) as web:
        assert "proxy:ann" in httpx.get(f"{web.url}/", headers=header).text
        assert httpx.get(f"{web.url}/").status_code == 303
        assert httpx.get(f"{web.url}/api/v1/runs", headers=header).status_code == 401
    with serving(tmp_path, {**trusted, "SERVE_TRUSTED_PROXIES": "10.0.0.0/8"}) as web:
        assert httpx.get(f"{web.url}/", headers=header).status_code == 303


def put_run(folder: Path) -> Ticket:
    """A run with one doubtful ticket, whose texts are hostile."""
    entry = RequestType("Hardware", "Phone <b>", SLA(4, "hours"))
    ticket = Ticket("<script>1", "<img src=x onerror=alert(1)>", "hidden\u202eword", created_at="2026-11-20T06:00:00Z")
    work, run = WorkFolder(folder / "work"), Run(RUN, lambda: datetime(2026, 11, 27, 12, tzinfo=timezone.utc))
    work.save_catalog(ServiceCatalog((entry,)), run)
    work.save_attributions([AttributedTicket(ticket, Attribution(entry, "model", 0.3))], run, Bill())
    return ticket


def test_the_overview_says_how_many_tickets_are_to_review(web: Web, tmp_path: Path) -> None:
    with web.browser() as person:
        assert "0 tickets to review" in person.get("/").text
        put_run(tmp_path)
        (tmp_path / "work" / RUN / "attributions.json").write_text("damaged")
        assert "to review" not in person.get("/").text
        put_run(tmp_path)
        assert "1 ticket to review" in person.get("/").text
        person.post("/review", data={"run": RUN, "place": "1", "entry": "Hardware\x1fPhone <b>"})
        assert "0 tickets to review" in person.get("/").text


def test_a_person_reviews_a_ticket_and_the_choice_is_a_correction(web: Web, tmp_path: Path) -> None:
    put_run(tmp_path)
    web.clock.now = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
    with web.browser() as person:
        page = person.get("/review").text
        assert "1 ticket of the run" in page
        assert "overdue by 7\u00a0d 2\u00a0h" in page, "as in the report"
        assert "<script>1" not in page
        assert "<img" not in page
        assert "\u202e" not in page
        choice = {"run": RUN, "place": "1", "entry": "Hardware\x1fPhone <b>"}
        assert person.post("/review", data=choice).status_code == 303
        assert "1 decided since" in person.get("/review").text
        for wrong in ({"run": RUN, "place": "9" * 30}, {"place": "x"}, {}, {**choice, "entry": "Hardware\x1fFax"}):
            assert person.post("/review", data=wrong).status_code == 422
    (correction,) = web.parts.reviewing.store.all()
    assert (correction.reviewer, correction.is_confirmation) == ("person-operate", True)
    entry = web.service.state.audit(limit=100)[-2]
    assert (entry.action, entry.detail) == ("review", f"ticket 1 of {RUN}: Hardware / Phone <b>")


def test_who_may_only_read_decides_about_no_ticket(web: Web, tmp_path: Path) -> None:
    put_run(tmp_path)
    with web.browser("read") as person:
        assert 'name="entry"' not in person.get("/review").text
        assert (
            person.post("/review", data={"run": RUN, "place": "1", "entry": "Hardware\x1fPhone <b>"}).status_code == 403
        )
    assert web.parts.reviewing.store.all() == []
