"""The copy of the last catalog: an unchanged catalog is not sent again, and a run can use the copy for a while."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_httpx import HTTPXMock

from ticketattr.errors import CatalogError, ExitCode, InputError, ServiceError
from ticketattr.infrastructure.catalog.cache import CachedCatalog
from ticketattr.infrastructure.catalog.source import Validators, YAMLCatalog
from ticketattr.infrastructure.options import HTTPPolicy

from ...conftest import CLI, DATA
from ...fakes import MIDNIGHT
from ...servers import HTTPServer, Request, Response

CATALOG = (DATA / "catalog.yaml").read_bytes()
OTHER = CATALOG.replace(b"value: 4", b"value: 5")
POLICY = HTTPPolicy(max_retries=0, backoff_factor=0.0, timeout=5.0)
DOWN = [Response(503)]


@pytest.fixture
def cached(http: HTTPServer, tmp_path: Path) -> Callable[..., CachedCatalog]:
    def make(at: datetime = MIDNIGHT, path: str = "/catalog.yaml", max_stale: float = 24) -> CachedCatalog:
        source = YAMLCatalog(http.url + path, POLICY)
        return CachedCatalog(source, tmp_path / "catalog.json", timedelta(hours=max_stale), lambda: at)

    return make


def versioned(content: bytes, tag: str) -> Callable[[Request], Response]:
    """A server that answers 304 to a client that has this version."""

    def answer(request: Request) -> Response:
        if request.headers.get("If-None-Match") == tag:
            return Response(304, headers={"ETag": tag})
        return Response(200, content, headers={"ETag": tag})

    return answer


def test_an_unchanged_catalog_is_not_sent_again(http: HTTPServer, cached: Callable[..., CachedCatalog]) -> None:
    http.routes["/"] = versioned(CATALOG, '"one"')
    first, second = cached().fetch_catalog(), cached().fetch_catalog()
    assert first == second
    assert "If-None-Match" not in http.requests[0].headers
    assert http.requests[1].headers["If-None-Match"] == '"one"'


def test_a_server_without_an_etag_is_asked_by_date(http: HTTPServer, cached: Callable[..., CachedCatalog]) -> None:
    date = "Mon, 23 Nov 2026 00:00:00 GMT"
    http.routes["/"] = [Response(200, CATALOG, headers={"Last-Modified": date}), Response(304)]
    assert cached().fetch_catalog() == cached().fetch_catalog()
    assert http.requests[1].headers["If-Modified-Since"] == date


def test_a_changed_catalog_is_taken(http: HTTPServer, cached: Callable[..., CachedCatalog]) -> None:
    http.routes["/"] = versioned(CATALOG, '"one"')
    first = cached().fetch_catalog()
    http.routes["/"] = versioned(OTHER, '"two"')
    assert cached().fetch_catalog() != first
    assert cached().fetch_catalog() != first
    assert http.requests[2].headers["If-None-Match"] == '"two"'


def test_while_the_server_is_down_the_copy_is_used(
    http: HTTPServer, cached: Callable[..., CachedCatalog], caplog: pytest.LogCaptureFixture
) -> None:
    http.routes["/"] = [Response(200, CATALOG)]
    good = cached().fetch_catalog()
    http.routes["/"] = DOWN
    assert cached(MIDNIGHT + timedelta(hours=24)).fetch_catalog() == good
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert "503" in warning
    assert "the run uses the copy of 2026-11-23 00:00 UTC" in warning


def test_the_age_of_the_copy_counts_from_its_last_confirmation(
    http: HTTPServer, cached: Callable[..., CachedCatalog]
) -> None:
    http.routes["/"] = versioned(CATALOG, '"one"')
    cached().fetch_catalog()
    cached(MIDNIGHT + timedelta(hours=20)).fetch_catalog()
    http.routes["/"] = DOWN
    assert cached(MIDNIGHT + timedelta(hours=40)).fetch_catalog().entries


@pytest.mark.parametrize(
    ("hours", "max_stale"), [(24.1, 24), (-1, 24), (0.1, 0)], ids=["too old", "the clock was set back", "never"]
)
def test_a_copy_of_unknown_or_greater_age_is_not_used(
    http: HTTPServer, cached: Callable[..., CachedCatalog], hours: float, max_stale: float
) -> None:
    http.routes["/"] = [Response(200, CATALOG)]
    cached().fetch_catalog()
    http.routes["/"] = DOWN
    with pytest.raises(ServiceError) as caught:
        cached(MIDNIGHT + timedelta(hours=hours), max_stale=max_stale).fetch_catalog()
    assert "503" in str(caught.value)
    assert "too old" in str(caught.value)


def test_without_a_copy_a_server_that_is_down_is_an_error(
    http: HTTPServer, cached: Callable[..., CachedCatalog]
) -> None:
    http.routes["/"] = DOWN
    with pytest.raises(ServiceError):
        cached().fetch_catalog()


def test_a_broken_catalog_is_refused_and_not_replaced_by_the_last_one(
    http: HTTPServer, cached: Callable[..., CachedCatalog]
) -> None:
    """The person who breaks the catalog must learn it, instead of the people whose tickets get old SLAs."""
    http.routes["/"] = [Response(200, CATALOG), Response(200, b"service_catalog: {}"), Response(503)]
    good = cached().fetch_catalog()
    with pytest.raises(CatalogError):
        cached().fetch_catalog()
    assert cached().fetch_catalog() == good


def test_the_copy_of_another_address_is_never_used(http: HTTPServer, cached: Callable[..., CachedCatalog]) -> None:
    http.routes["/"] = versioned(CATALOG, '"one"')
    cached().fetch_catalog()
    http.routes["/"] = DOWN
    with pytest.raises(ServiceError):
        cached(path="/other.yaml").fetch_catalog()
    assert "If-None-Match" not in http.requests[1].headers


@pytest.mark.parametrize("content", ["", "{", '{"kind": "catalog_cache"}', "[1]", "\0"])
def test_a_damaged_copy_is_reported_and_written_again(
    http: HTTPServer, cached: Callable[..., CachedCatalog], caplog: pytest.LogCaptureFixture, content: str
) -> None:
    http.routes["/"] = versioned(CATALOG, '"one"')
    good = cached().fetch_catalog()
    cached().path.write_text(content)
    assert cached().fetch_catalog() == good
    assert "damaged" in caplog.text
    caplog.clear()
    assert cached().fetch_catalog() == good
    assert not caplog.records


def test_a_copy_that_cannot_be_written_does_not_stop_a_run(
    http: HTTPServer, cached: Callable[..., CachedCatalog], caplog: pytest.LogCaptureFixture
) -> None:
    http.routes["/"] = [Response(200, CATALOG)]
    cached().path.mkdir()
    assert cached().fetch_catalog().entries
    assert "cannot be written" in caplog.text


def test_a_catalog_that_lost_more_than_half_of_its_entries_causes_a_warning(
    http: HTTPServer, cached: Callable[..., CachedCatalog], caplog: pytest.LogCaptureFixture
) -> None:
    shorter = b"""\
service_catalog:
  catalog:
    categories:
    - name: Access
      requests:
      - name: Password Reset
        sla: {value: 4, unit: hours}
"""
    http.routes["/"] = [Response(200, CATALOG), Response(200, shorter)]
    before = len(cached().fetch_catalog().entries)
    assert not caplog.records
    assert len(cached().fetch_catalog().entries) == 1
    assert f"has 1 request types, and had {before} at the last run" in caplog.text


def test_the_copy_holds_no_secret_of_the_address(http: HTTPServer, cached: Callable[..., CachedCatalog]) -> None:
    http.routes["/"] = [Response(200, CATALOG)]
    source = cached(path="/catalog.yaml?token=canary")
    source.fetch_catalog()
    assert "canary" not in source.path.read_text()
    assert json.loads(source.path.read_text())["content"] == CATALOG.decode()


def test_a_run_survives_a_catalog_server_that_is_down(cli: CLI, http: HTTPServer) -> None:
    http.routes["/"] = [Response(200, CATALOG), *DOWN]
    cli.settings |= {"SERVICE_CATALOG_URL": f"{http.url}/catalog.yaml", "HTTP_MAX_RETRIES": "0"}
    cli.ok("run", "--dry-run")
    assert "the run uses the copy" in cli.ok("run", "--dry-run").stderr
    assert cli("--env-file", "/dev/null", "fetch").exit_code == 0
    cli.settings["CATALOG_MAX_STALE"] = "0"
    assert cli("run", "--dry-run").exit_code == ExitCode.SERVICE


def test_a_missing_file_is_an_error_even_if_it_was_there_before(cli: CLI, tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.yaml"
    catalog.write_bytes(CATALOG)
    cli.settings["SERVICE_CATALOG_URL"] = str(catalog)
    cli.ok("fetch")
    catalog.unlink()
    assert cli("fetch").exit_code == InputError.exit_code


@pytest.mark.parametrize("name", ["ETag", "Last-Modified"])
@pytest.mark.parametrize("tag", ["\xff", "a\x01b", '"sm\xf8rrebr\xf8d"'])
def test_a_validator_that_no_request_can_send_back_is_left_out(httpx_mock: HTTPXMock, name: str, tag: str) -> None:
    """Otherwise every later request fails before it is sent."""
    httpx_mock.add_response(headers=[(name.encode(), tag.encode("latin-1"))], content=b"x")
    source = YAMLCatalog("http://127.0.0.1/", POLICY)
    answer = source.request()
    assert answer.validators == Validators("", "")
    httpx_mock.add_response(content=b"y")
    assert source.request(answer.validators).content == b"y"
