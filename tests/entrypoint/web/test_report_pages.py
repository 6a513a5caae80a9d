"""The report of a run as a page: made from its data, or from the store, and without any power in the browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ticketattr.application.report_store import store_reports
from ticketattr.errors import ServiceError
from ticketattr.infrastructure.store.object_store import ObjectStore, open_store

from .conftest import Web, await_no_downloads, serving
from .test_api import RUN, put_report
from .test_pages import put_run

PAGE = f"/reports/{RUN}/page"


def test_the_report_is_opened_in_a_sandbox_with_its_own_script_and_style_alone(web: Web, tmp_path: Path) -> None:
    put_report(tmp_path)
    put_run(tmp_path)
    with web.browser("read") as person:
        assert PAGE in person.get("/reports").text
        page = person.get(PAGE)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-disposition"] == f'inline; filename="ticket-attribution-{RUN}.html"'
    assert "&lt;img src=x onerror=alert(1)&gt;" in page.text
    policy = page.headers["content-security-policy"]
    hashes = re.findall(r"'sha256-[^']+'", page.text)
    assert policy == (
        f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; sandbox allow-scripts"
    )
    await_no_downloads(web)


def test_a_run_without_data_has_no_page_and_no_name_leads_elsewhere(web: Web, tmp_path: Path) -> None:
    put_report(tmp_path)
    with web.browser("read") as person:
        assert PAGE not in person.get("/reports").text
        gone = person.get(PAGE)
        assert gone.status_code == 410
        assert "Download the workbook." in gone.text
        for name in ("..%2f..", "x", f"{RUN}%00", "2026"):
            assert person.get(f"/reports/{name}/page").status_code == 404


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return open_store((tmp_path / "store").as_uri(), {})


def test_workbook_and_page_come_from_the_store_when_retention_deleted_them(tmp_path: Path, store: ObjectStore) -> None:
    with serving(tmp_path, store=store) as web, web.browser("read") as person:
        content = put_report(tmp_path).read_bytes()
        put_run(tmp_path)
        made = person.get(PAGE).content
        store_reports(web.tracker.folder, store, lambda run: made)
        put_report(tmp_path).unlink()
        web.parts.reviewing.runs.__self__.remove(RUN)  # type: ignore[attr-defined]
        web.parts.stored.look(store)
        assert "1 more in the store" in person.get("/reports").text
        listed = person.get("/reports/stored").text
        assert PAGE in listed
        assert person.get(f"/reports/{RUN}/workbook").content == content
        again = person.get(PAGE)
        assert again.content == made
        assert "sandbox allow-scripts" in again.headers["content-security-policy"]


def test_a_page_in_the_store_that_is_none_of_ours_runs_nothing(tmp_path: Path, store: ObjectStore) -> None:
    store.put_new(f"reports/2026/11/{RUN}.html", b'<script>alert(1)</script><meta http-equiv=x content="script-src *">')
    with serving(tmp_path, store=store) as web, web.browser("read") as person:
        assert "style-src 'none'; script-src 'none'" in person.get(PAGE).headers["content-security-policy"]


def test_a_store_that_is_down_is_said_and_keeps_no_page_waiting(web: Web, tmp_path: Path) -> None:
    class Down:
        def keys(self, prefix: str) -> list[str]:
            raise ServiceError("the store of reports cannot be used")

        put_new = remove = read = keys

    put_report(tmp_path)
    web.parts.stored.look(Down())  # type: ignore[arg-type]
    with web.browser("read") as person, web.client("read") as client:
        page = person.get("/reports").text
        assert "the store of reports cannot be used" in page
        assert RUN in page
        assert client.get("/api/v1/stored-reports").status_code == 503
