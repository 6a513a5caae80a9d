"""The API: runs, reports, deliveries, schedule and logs for programs, and what it refuses."""

from __future__ import annotations

import hashlib
import io
import json
import os
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import openpyxl
import pytest

from ticketattr.application.report import report_name
from ticketattr.application.report_store import store_reports
from ticketattr.domain.delivery import Message, ReportFile
from ticketattr.infrastructure.delivery.report_log_rows import read_recent
from ticketattr.infrastructure.store.object_store import open_store

from ...infrastructure.delivery.test_report_folder import workbook
from .conftest import Web, await_no_downloads, serving

RUN = "20261127T120000Z-0000"


def put_report(folder: Path, run_id: str = RUN) -> Path:
    path = folder / "output" / report_name(run_id)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(workbook(run_id))
    return path


def record_doubt(web: Web, path: Path) -> None:
    report = web.tracker.folder.inspect(path)
    message = Message(
        "<1@example.com>", web.clock(), "file", "desk@example.com", ("lead@example.com",), "=1+1", (report,)
    )
    with web.log.acquire_sender_lock(web.clock()):
        web.log.start_attempt(message, web.clock())
        web.log.record_result(message, "in_doubt", "no reply", web.clock())


def test_a_run_is_accepted_and_can_be_followed(web: Web) -> None:
    with web.client() as client:
        accepted = client.post("/api/v1/runs")
        assert accepted.status_code == 202
        shown = client.get(accepted.headers["location"])
        assert shown.status_code == 200
        assert shown.json()["number"] == accepted.json()["number"] == 1
        assert shown.json()["trigger"] == "api"
        assert [run["number"] for run in client.get("/api/v1/runs").json()["items"]] == [1]


def test_the_same_idempotency_key_starts_one_run(web: Web) -> None:
    with web.client() as client:
        numbers = {
            client.post("/api/v1/runs", headers={"Idempotency-Key": "update 7"}, json={"dry_run": True}).json()[
                "number"
            ]
            for _ in range(3)
        }
    assert numbers == {1}
    assert web.service.state.run(1).dry_run  # type: ignore[union-attr]


@pytest.mark.thorough
def test_two_hundred_requests_at_once_make_one_run_that_waits(web: Web) -> None:
    token = {"Authorization": f"Bearer {web.token()}"}
    with httpx.Client(base_url=web.url, headers=token) as client, ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: client.post("/api/v1/runs").status_code, range(200)))
    assert set(answers) == {202}
    assert len(web.service.state.runs(limit=500)) <= 2


def test_the_schedule_is_read_and_changed(web: Web) -> None:
    with web.client() as client:
        assert client.get("/api/v1/schedule").json()["cron"] == ""
        changed = client.put("/api/v1/schedule", json={"cron": "30 6 * * 1-5"}).json()
        assert (changed["cron"], changed["changed_by"], len(changed["next"])) == ("30 6 * * 1-5", "operate", 5)
        refused = client.put("/api/v1/schedule", json={"cron": "99 99 * * *"})
        assert refused.status_code == 422
        assert refused.headers["content-type"] == "application/problem+json"
        assert "not a valid cron expression" in refused.json()["detail"]
        assert client.get("/api/v1/schedule").json() == changed


def test_the_times_of_any_expression_are_shown_and_nothing_is_changed(web: Web) -> None:
    with web.client("read") as client:
        times = client.get("/api/v1/schedule/times", params={"cron": " 30 6  * * 1-5"}).json()
        assert (times["cron"], times["time_zone"], len(times["next"])) == ("30 6 * * 1-5", "UTC", 5)
        assert all(time.endswith("06:30:00Z") for time in times["next"])
        for impossible in (
            "99 99 * * *",
            "0 6 30 2 *",
            "0 6 * *",
            "0 0 6 * * *",
            "",
            " ",
            "\0",
            "0 6 * * 1\n2",
            "x" * 201,
        ):
            refused = client.get("/api/v1/schedule/times", params={"cron": impossible})
            assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
        assert client.get("/api/v1/schedule/times").status_code == 422
        assert client.get("/api/v1/schedule").json()["cron"] == ""


def test_a_workbook_is_downloaded_whole_in_part_and_not_again(web: Web, tmp_path: Path) -> None:
    content = put_report(tmp_path).read_bytes()
    url = f"/api/v1/reports/{RUN}/workbook"
    with web.client("read") as client:
        (report,) = client.get("/api/v1/reports").json()["items"]
        assert (report["run_id"], report["state"]) == (RUN, "pending")
        whole = client.get(url)
        assert whole.content == content
        assert whole.headers["etag"] == f'"{report["sha256"]}"'
        assert report_name(RUN) in whole.headers["content-disposition"]
        head = client.head(url)
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(content)))
        part = client.get(url, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, content[10:20])
        assert client.get(url, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304


def test_a_workbook_that_is_written_in_place_has_another_etag_at_once(web: Web, tmp_path: Path) -> None:
    report = put_report(tmp_path)
    url = f"/api/v1/reports/{RUN}/workbook"
    with web.client("read") as client:
        before = client.get(url).headers["etag"]
        content = report.read_bytes()
        changed = content[:-1] + bytes([content[-1] ^ 1])
        with report.open("r+b") as file:  # the same name, inode and size
            file.write(changed)
        after = client.get(url, headers={"If-None-Match": before})
    assert (after.status_code, after.content) == (200, changed)
    assert after.headers["etag"] == f'"{hashlib.sha256(changed).hexdigest()}"'


@pytest.mark.parametrize(
    "name", ["../reports.db", "%2e%2e%2freports.db", f"{RUN}%00", "x", f"{RUN}/../x", "20261127T120000Z-000g"]
)
def test_a_workbook_is_found_by_the_id_of_its_run_alone(web: Web, tmp_path: Path, name: str) -> None:
    put_report(tmp_path)
    with web.client("read") as client:
        assert client.get(f"/api/v1/reports/{name}/workbook").status_code in (404, 422)


def test_a_report_that_retention_deleted_is_gone_and_not_unknown(web: Web, tmp_path: Path) -> None:
    path = put_report(tmp_path)
    record_doubt(web, path)
    path.unlink()
    with web.client("read") as client:
        assert client.get(f"/api/v1/reports/{RUN}/workbook").status_code == 410
        assert client.get("/api/v1/reports/20261127T120000Z-ffff/workbook").status_code == 404


def test_lists_are_read_page_by_page(web: Web, tmp_path: Path) -> None:
    for number in range(5):
        put_report(tmp_path, f"20261127T12000{number}Z-0000")
    found: list[str] = []
    with web.client("read") as client:
        url: str | None = "?limit=2"
        while url:
            page = client.get(f"/api/v1/reports{url}").json()
            found += [report["run_id"] for report in page["items"]]
            url = page["next"]
        assert len(found) == len(set(found)) == 5
        assert client.get(f"/api/v1/reports?after={'0' * 64}").status_code == 404


def record_messages(web: Web, folder: Path, count: int) -> None:
    """Messages that were sent, each with a report that is no longer in the folder; the newest is the last one."""
    with web.log.acquire_sender_lock(web.clock()):
        for number in range(count):
            report = ReportFile(folder / f"{number}.xlsx", f"{number:064x}", 10, web.clock(), RUN)
            message = Message(
                f"<{number}@example.com>", web.clock(), "file", "desk@example.com", ("lead@example.com",), "", (report,)
            )
            web.log.start_attempt(message, web.clock())
            web.log.record_result(message, "sent", "250 OK", web.clock())


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6, 7, 100])
def test_deliveries_are_read_page_by_page_what_was_not_sent_first(web: Web, tmp_path: Path, limit: int) -> None:
    for number in range(2):
        path = put_report(tmp_path, f"20261127T12000{number}Z-0000")
        os.utime(path, (number, number))
    record_messages(web, tmp_path, 4)
    found: list[str] = []
    with web.client("read") as client:
        url: str | None = f"?limit={limit}"
        while url:
            page = client.get(f"/api/v1/deliveries{url}").json()
            assert len(page["items"]) <= limit
            found += [Path(row["file"]).name for row in page["items"]]
            url = page["next"]
        assert client.get("/api/v1/deliveries?after=x1").status_code == 422
    pending = [report_name(f"20261127T12000{number}Z-0000") for number in (1, 0)]
    assert sorted(found[:2]) == sorted(pending)
    assert found[2:] == ["3.xlsx", "2.xlsx", "1.xlsx", "0.xlsx"]


def test_a_page_of_deliveries_takes_no_longer_when_the_log_is_long(web: Web, tmp_path: Path) -> None:
    def cost() -> int:
        """The steps of SQLite for the first page of ten messages and one in the middle."""
        steps = 0

        def count() -> None:
            nonlocal steps
            steps += 1

        with closing(sqlite3.connect(web.log.path)) as db:
            db.set_progress_handler(count, 1)
            (middle,) = db.execute("SELECT max(rowid) / 2 FROM messages").fetchone()
            steps = 0
            for before in (None, middle):
                assert len(read_recent(db, before, 10)) == 10
        return steps

    record_messages(web, tmp_path, 40)
    short = cost()
    with closing(sqlite3.connect(web.log.path)) as db:
        for table, columns in (
            (
                "messages",
                "date, transport, sender, recipients, subject, state, detail, attempts, changed, cc, reply_to",
            ),
            ("message_reports", "position, path, sha256, size, modified, run_id"),
            ("message_recipients", "position, address, state, reply"),
        ):
            db.execute(
                f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)"  # noqa: S608
                f" INSERT INTO {table} (message_id, {columns})"
                f" SELECT i || message_id, {columns} FROM {table}, n ORDER BY message_id, i"
            )
        db.commit()
    assert cost() < 1.2 * short


def test_deliveries_come_as_json_csv_and_a_workbook_without_live_formulas(web: Web, tmp_path: Path) -> None:
    record_doubt(web, put_report(tmp_path))
    with web.client("read") as client:
        (row,) = client.get("/api/v1/deliveries").json()["items"]
        assert (row["state"], row["run_id"]) == ("held", RUN)
        assert row["recipients"][0]["address"] == "lead@example.com"
        text = client.get("/api/v1/deliveries?format=csv")
        assert text.headers["content-type"] == "text/csv; charset=utf-8"
        assert len(text.text.splitlines()) == 2
        table = client.get("/api/v1/deliveries?format=xlsx")
        sheet = openpyxl.load_workbook(io.BytesIO(table.content)).active
        assert sheet is not None
        assert sheet.max_row == 2
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
        assert client.get("/api/v1/deliveries?format=pdf").status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/runs"),
        ("POST", "/api/v1/runs"),
        ("GET", "/api/v1/runs/1"),
        ("GET", "/api/v1/reports"),
        ("GET", f"/api/v1/reports/{RUN}/workbook"),
        ("GET", "/api/v1/deliveries"),
        ("GET", "/api/v1/schedule"),
        ("PUT", "/api/v1/schedule"),
        ("GET", "/api/v1/schedule/times?cron=0+6+*+*+*"),
        ("GET", "/api/v1/changes"),
        ("GET", "/api/v1/stored-reports"),
        ("POST", "/api/v1/changes/undo"),
        ("GET", "/api/v1/logs"),
    ],
)
def test_nothing_is_answered_without_a_token(web: Web, method: str, path: str) -> None:
    refused = httpx.request(method, web.url + path, json={"cron": ""} if method == "PUT" else None)
    assert refused.status_code == 401
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["www-authenticate"].startswith("Bearer")


def test_a_token_that_may_read_starts_and_changes_nothing(web: Web) -> None:
    with web.client("read") as client:
        assert client.post("/api/v1/runs").status_code == 403
        assert client.put("/api/v1/schedule", json={"cron": "* * * * *"}).status_code == 403
    assert web.service.state.runs() == []
    assert web.service.state.schedule() is None or web.service.state.schedule().cron == ""  # type: ignore[union-attr]


def test_an_expired_and_a_revoked_token_are_refused(web: Web) -> None:
    with web.client("read") as client:
        web.clock.now += timedelta(days=31)
        assert client.get("/api/v1/runs").status_code == 401
    with web.client("operate") as client:
        web.service.state.revoke_token("operate", web.clock())
        assert client.get("/api/v1/runs").status_code == 401


def test_an_address_that_tries_many_wrong_tokens_has_to_wait_also_with_a_right_one(web: Web) -> None:
    wrong = {"Authorization": "Bearer tka_wrong"}
    with httpx.Client(base_url=web.url) as client:
        assert [client.get("/api/v1/runs", headers=wrong).status_code for _ in range(10)] == [401] * 10
        refused = client.get("/api/v1/runs", headers={"Authorization": f"Bearer {web.token()}"})
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 300


def test_an_address_that_a_client_makes_up_does_not_end_its_wait(web: Web) -> None:
    with httpx.Client(base_url=web.url, headers={"Authorization": "Bearer tka_wrong"}) as client:
        answers = [
            client.get("/api/v1/runs", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
            for number in range(12)
        ]
    assert answers == [401] * 10 + [429] * 2


def test_a_session_of_a_person_does_not_open_the_api(web: Web) -> None:
    with web.browser() as person:
        assert person.get("/api/v1/runs").status_code == 401


@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({"Host": "evil.example"}, "/healthz", 400),
        ({"Host": "127.0.0.1.evil.example"}, "/", 400),
        ({"Host": "[::"}, "/", 400),
        ({}, "/api/v1/runs?token=x", 400),
        ({}, "/api/v1/runs?access_token=x", 400),
    ],
)
def test_a_request_that_no_client_of_ours_sends_is_refused(
    web: Web, headers: dict[str, str], path: str, status: int
) -> None:
    with httpx.Client(base_url=web.url) as client:
        assert client.get(path, headers=headers).status_code == status


@pytest.mark.parametrize("length", ["1073741824", "9" * 20])
def test_a_body_that_is_too_large_is_refused_before_it_is_sent(web: Web, length: str) -> None:
    address = urlsplit(web.url)
    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
        request = f"POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        connection.sendall(request.encode())
        assert connection.recv(1024).startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))


def test_a_body_without_an_end_is_not_read_to_its_end(web: Web) -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while read < 1024 * 1024 * 1024:
            read += 65536
            yield b"x" * 65536

    # The connection may be closed while the body is sent.
    with web.client() as client, suppress(httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
        assert client.post("/api/v1/runs", content=endless()).status_code == 413
    assert read < 64 * 1024 * 1024


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b'{"cron": 5}', b'{"cron": "", "more": 1}', b"\xff\xfe", b"[" * 5000, b'{"cron": "\\u0000"}'],
)
def test_a_body_that_is_not_valid_is_a_problem_and_not_a_fault(web: Web, content: bytes) -> None:
    with web.client() as client:
        refused = client.put("/api/v1/schedule", content=content, headers={"Content-Type": "application/json"})
    assert refused.status_code in (400, 422)
    assert set(json.loads(refused.text)) >= {"type", "title", "status", "detail"}


@pytest.mark.parametrize("dry_run", [0, "no", "0", None])
def test_a_wish_for_a_dry_run_that_is_no_boolean_starts_nothing(web: Web, dry_run: object) -> None:
    with web.client() as client:
        assert client.post("/api/v1/runs", json={"dry_run": dry_run}).status_code == 422
    assert web.service.state.runs() == []


@pytest.mark.parametrize(("path", "methods"), [("runs", "GET, POST"), ("schedule", "GET, PUT"), ("logs", "GET")])
def test_a_method_that_an_address_does_not_take_is_answered_with_all_that_it_takes(
    web: Web, path: str, methods: str
) -> None:
    with web.client() as client:
        refused = client.delete(f"/api/v1/{path}")
    assert (refused.status_code, refused.headers["allow"]) == (405, methods)


def test_health_and_readiness_need_no_token_and_say_nothing_else(web: Web) -> None:
    assert httpx.get(f"{web.url}/healthz").text == "ok\n"
    assert httpx.get(f"{web.url}/readyz").text == "ready\n"


def test_logs_have_no_control_characters(web: Web) -> None:
    web.service.state.request_run("api", "ann", web.clock(), dry_run=False, key="")
    web.processes.log = lambda run, lines: ["a\x1b[31mb"]  # type: ignore[method-assign]
    with web.client("read") as client:
        assert client.get("/api/v1/logs").json() == {"run": 1, "lines": ["a\\x1b[31mb"]}
        assert client.get("/api/v1/logs?run=9").status_code == 404
        assert client.get("/api/v1/logs?lines=0").status_code == 422


def test_the_openapi_document_names_every_call_and_its_problems(web: Web) -> None:
    document = httpx.get(f"{web.url}/api/v1/openapi.json").json()
    assert set(document["paths"]) == {
        f"/api/v1/{path}"
        for path in (
            *("runs", "runs/{number}", "reports", "reports/{run_id}/workbook", "deliveries"),
            *("stored-reports", "changes", "changes/undo", "schedule", "schedule/times", "logs"),
        )
    }
    assert "application/problem+json" in document["paths"]["/api/v1/runs"]["post"]["responses"]["401"]["content"]


def test_addresses_keep_the_path_under_which_a_proxy_shows_the_service(tmp_path: Path) -> None:
    with serving(tmp_path, {"SERVE_ROOT_PATH": "/desk/"}) as web, web.client() as client:
        assert client.post("/api/v1/runs").headers["location"] == "/desk/api/v1/runs/1"


def test_a_report_that_is_gone_from_the_folder_comes_from_the_store(tmp_path: Path) -> None:
    store = open_store((tmp_path / "store").as_uri(), {})
    with serving(tmp_path, store=store) as web, web.client("read") as client:
        content = put_report(tmp_path).read_bytes()
        store_reports(web.tracker.folder, store, lambda run: b"page")
        put_report(tmp_path).unlink()
        answer = client.get(f"/api/v1/reports/{RUN}/workbook")
        assert (answer.status_code, answer.content) == (200, content)
        etag = {"If-None-Match": answer.headers["etag"]}
        assert client.get(f"/api/v1/reports/{RUN}/workbook", headers=etag).status_code == 304
        part = client.get(f"/api/v1/reports/{RUN}/workbook", headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, content[10:20])
        head = client.head(f"/api/v1/reports/{RUN}/workbook")
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(content)))
        await_no_downloads(web)
        web.parts.stored.look(store)
        assert client.get("/api/v1/stored-reports").json() == {"items": [{"run_id": RUN}], "next": None}
        assert client.get("/api/v1/reports/20261127T120000Z-ffff/workbook").status_code == 404
