"""HTTP requests and files are bounded in time, size, tries and redirects."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path

import anyio
import httpx
import pytest
from pytest_httpx import HTTPXMock

from ticketattr.errors import ExitCode, InputError, ServiceError, SettingsError, TicketAttrError
from ticketattr.infrastructure import locations
from ticketattr.infrastructure.locations import read_location
from ticketattr.infrastructure.network import http as http_module
from ticketattr.infrastructure.network.http import (
    HTTPRequest,
    HTTPService,
    HTTPSession,
    open_session,
    send_once,
    shown_url,
)
from ticketattr.infrastructure.network.retries import MAX_WAIT, Transient, retry_after, retrying
from ticketattr.infrastructure.options import HTTPPolicy

from ...servers import HTTPServer, Response, http_server

ONCE = HTTPPolicy(max_retries=0, backoff_factor=0.0, timeout=5.0)
TWO_RETRIES = HTTPPolicy(max_retries=2, backoff_factor=0.0, timeout=5.0)


def helpdesk(url: str) -> HTTPService:
    return HTTPService("the helpdesk", url, url_setting="HELPDESK_API_URL", credentials="HELPDESK_API_KEY")


def catalog(url: str) -> HTTPService:
    return HTTPService("the service catalog", url, url_setting="SERVICE_CATALOG_URL", max_redirects=3)


def failure(service: HTTPService, policy: HTTPPolicy = ONCE) -> TicketAttrError:
    """The error of reading from the service; any other exception fails the test."""
    with pytest.raises(TicketAttrError) as caught:
        read_location(service, policy)
    return caught.value


def redirect(location: str) -> Response:
    return Response(302, headers={"Location": location})


class Endless(httpx.AsyncByteStream):
    """An answer that never ends, one byte every `pause` seconds."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.sent += 1
            yield b" "
            await anyio.sleep(self.pause)


def test_get_without_a_body(http: HTTPServer) -> None:
    http.routes["/catalog"] = [Response(body=b"content")]
    assert send_once(catalog(http.url + "/catalog"), ONCE).content == b"content"
    (asked,) = http.requests
    assert (asked.method, asked.body) == ("GET", b"")


def test_post_of_a_body_as_json(http: HTTPServer) -> None:
    http.routes["/hook"] = [Response(body=b"content")]
    assert (
        send_once(helpdesk(http.url + "/hook"), ONCE, HTTPRequest("POST", body={"key": "schlüssel"})).content
        == b"content"
    )
    (asked,) = http.requests
    assert (asked.method, asked.json) == ("POST", {"key": "schlüssel"})
    assert asked.headers["Content-Type"] == "application/json"


def test_a_request_names_its_program_and_refuses_compression(http: HTTPServer) -> None:
    http.routes["/"] = [Response(body=b"content")]
    send_once(helpdesk(http.url), ONCE)
    (asked,) = http.requests
    assert asked.headers["User-Agent"].startswith("ticketattr/")
    assert asked.headers["Accept-Encoding"] == "identity"


# Tries


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(Response(hang_up=True), id="connection lost"),
        pytest.param(Response(body=b"half", headers={"Content-Length": "100"}), id="cut off"),
        *(pytest.param(Response(status), id=str(status)) for status in (429, 500, 502, 503, 504, 599)),
    ],
)
def test_a_failure_that_may_pass_is_tried_again(http: HTTPServer, first: Response) -> None:
    http.routes["/"] = [first, Response(body=b"content")]
    assert send_once(helpdesk(http.url), TWO_RETRIES).content == b"content"
    assert len(http.requests) == 2


@pytest.mark.parametrize("status", [300, 304, 400, 401, 403, 404, 405, 410, 418, 422, 451])
def test_a_failure_that_will_not_pass_fails_at_once(http: HTTPServer, status: int) -> None:
    http.routes["/"] = [Response(status), Response(body=b"content")]
    error = failure(helpdesk(http.url), TWO_RETRIES)
    assert error.exit_code == ExitCode.USAGE
    assert f"the helpdesk answered {status}" in str(error)
    assert len(http.requests) == 1


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_retries_do_not_count_the_first_try(http: HTTPServer, retries: int) -> None:
    http.routes["/"] = [Response(503)]
    error = failure(helpdesk(http.url), HTTPPolicy(max_retries=retries, backoff_factor=0.0))
    assert error.exit_code == ExitCode.SERVICE
    assert str(error) == "the helpdesk answered 503 Service Unavailable"
    assert len(http.requests) == retries + 1


def test_a_refused_connection_is_reported_as_a_service_that_did_not_answer() -> None:
    with http_server() as gone:
        url = gone.url
    error = failure(helpdesk(url), TWO_RETRIES)
    assert isinstance(error, ServiceError)
    assert str(error).startswith("the helpdesk did not answer")
    assert error.hint == "Try again later."


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_names_the_settings_to_check(http: HTTPServer, status: int) -> None:
    http.routes["/"] = [Response(status)]
    assert failure(helpdesk(http.url)).hint == "Check HELPDESK_API_KEY."


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_that_no_key_can_change_names_the_url(http: HTTPServer, status: int) -> None:
    http.routes["/"] = [Response(status)]
    error = failure(catalog(f"{http.url}/catalog.yaml"))
    assert f"{http.url}/catalog.yaml" in str(error)
    assert error.hint == "Check SERVICE_CATALOG_URL."


def test_an_unknown_status_is_shown_as_a_number(http: HTTPServer) -> None:
    http.routes["/"] = [Response(599)]
    assert str(failure(helpdesk(http.url))) == "the helpdesk answered 599"


# Waits


NOW = datetime(2026, 11, 23, 15, 0, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param("0", 0.0, id="zero"),
        pytest.param("120", 120.0, id="seconds"),
        pytest.param(" 7 ", 7.0, id="spaces"),
        pytest.param("Mon, 23 Nov 2026 15:01:30 GMT", 90.0, id="date"),
        pytest.param("Mon, 23 Nov 2026 16:01:30 +0100", 90.0, id="date with offset"),
        pytest.param("Mon, 23 Nov 2026 15:01:30 -0000", 90.0, id="date without zone"),
        pytest.param("Mon, 23 Nov 2026 14:59:00 GMT", -60.0, id="past date"),
        pytest.param("", None, id="empty"),
        pytest.param("soon", None, id="word"),
        pytest.param("-5", None, id="negative"),
        pytest.param("1.5", None, id="fraction"),
        pytest.param("²", None, id="superscript"),
        pytest.param("Mon, 99 Nov 2026 99:99:99 GMT", None, id="no such date"),
        pytest.param("Mon, 23 Nov 99999 15:00:00 GMT", None, id="year beyond the calendar"),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(header: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": header}, NOW) == seconds


def test_without_retry_after_the_server_asks_for_no_wait() -> None:
    assert retry_after({}) is None


@pytest.mark.parametrize("header", ["0", "Mon, 23 Nov 2020 15:00:00 GMT"], ids=["zero", "past date"])
def test_retry_after_beats_the_backoff(http: HTTPServer, header: str) -> None:
    http.routes["/"] = [Response(429, headers={"Retry-After": header}), Response(body=b"content")]
    an_hour = HTTPPolicy(max_retries=1, backoff_factor=3600.0)
    assert send_once(helpdesk(http.url), an_hour).content == b"content"


@pytest.mark.parametrize(
    ("asked_for", "waited"),
    [(12.0, "12.0"), (86_400.0, f"{MAX_WAIT:.1f}"), (float("inf"), f"{MAX_WAIT:.1f}")],
    ids=["honoured", "cut", "for ever"],
)
def test_a_wait_that_the_server_asks_for_is_honoured_up_to_a_limit(
    caplog: pytest.LogCaptureFixture, asked_for: float, waited: str
) -> None:
    caplog.set_level(logging.WARNING, logger="ticketattr")

    async def try_until_the_first_wait() -> None:
        with anyio.move_on_after(0.05):
            async for attempt in retrying(1, 0.0):
                with attempt:
                    raise Transient("busy", wait=asked_for)

    anyio.run(try_until_the_first_wait)
    assert caplog.messages == [f"busy; retry 1 in {waited} s"]


# Time and size


def test_each_try_of_a_silent_server_ends_after_the_timeout(http: HTTPServer) -> None:
    done = threading.Event()
    http.routes["/"] = lambda _: Response(hang_up=done.wait(5))
    error = failure(helpdesk(http.url), HTTPPolicy(max_retries=1, backoff_factor=0.0, timeout=0.2))
    done.set()
    assert isinstance(error, ServiceError)
    assert str(error) == "the helpdesk did not answer within 0.2 s"
    assert len(http.requests) == 2


def test_a_server_that_sends_single_bytes_is_given_up_after_the_timeout(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(stream=Endless(pause=0.02))
    error = failure(helpdesk("https://desk.example"), HTTPPolicy(max_retries=0, timeout=0.3))
    assert str(error) == "the helpdesk did not answer within 0.3 s"


@pytest.mark.parametrize(("size", "is_taken"), [(100, True), (101, False)], ids=["largest", "one more"])
def test_an_oversize_answer_is_refused(
    http: HTTPServer, monkeypatch: pytest.MonkeyPatch, size: int, is_taken: bool
) -> None:
    monkeypatch.setattr(http_module, "MAX_BYTES", 100)
    http.routes["/"] = [Response(body=b"x" * size)]
    if is_taken:
        assert len(send_once(helpdesk(http.url), ONCE).content) == size
        return
    error = failure(helpdesk(http.url), TWO_RETRIES)
    assert isinstance(error, InputError)
    assert str(error) == "the helpdesk sent more than 100 bytes, which is refused"
    assert len(http.requests) == 1


def test_an_endless_answer_is_read_up_to_the_limit(httpx_mock: HTTPXMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "MAX_BYTES", 100)
    answer = Endless()
    httpx_mock.add_response(stream=answer)
    assert isinstance(failure(helpdesk("https://desk.example")), InputError)
    assert answer.sent == 101


def test_a_compressed_answer_is_refused(http: HTTPServer) -> None:
    http.routes["/"] = [Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})]
    error = failure(helpdesk(http.url), TWO_RETRIES)
    assert isinstance(error, InputError)
    assert "compressed" in str(error)
    assert len(http.requests) == 1


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_the_helpdesk_is_refused_and_gets_no_key(http: HTTPServer, status: int) -> None:
    http.routes["/hook"] = [Response(status, headers={"Location": f"{http.url}/elsewhere?token=canary"})]
    with pytest.raises(SettingsError) as caught:
        send_once(helpdesk(f"{http.url}/hook"), TWO_RETRIES, HTTPRequest("POST", body={"api_key": "secret"}))
    assert f"redirects to {http.url}/elsewhere, which is not followed" in str(caught.value)
    assert "HELPDESK_API_URL" in caught.value.hint
    assert [asked.path for asked in http.requests] == ["/hook"]


def test_the_catalog_may_redirect_three_times(http: HTTPServer) -> None:
    for step in (1, 2, 3):
        http.routes[f"/{step}"] = [redirect(f"/{step + 1}")]
    http.routes["/4"] = [Response(body=b"content")]
    assert send_once(catalog(f"{http.url}/1"), ONCE).content == b"content"
    assert [asked.path for asked in http.requests] == ["/1", "/2", "/3", "/4"]


def test_the_catalog_may_not_redirect_a_fourth_time(http: HTTPServer) -> None:
    http.routes["/"] = [redirect("/again")]
    error = failure(catalog(f"{http.url}/"), TWO_RETRIES)
    assert isinstance(error, SettingsError)
    assert str(error) == "the service catalog redirects more than 3 times"
    assert len(http.requests) == 4


@pytest.mark.parametrize("target", ["http://desk.example/c", "ftp://desk.example/c", "file:///c"])
def test_a_redirect_from_https_to_an_unsafe_scheme_is_refused(httpx_mock: HTTPXMock, target: str) -> None:
    httpx_mock.add_response(status_code=302, headers={"Location": f"{target}?token=canary"})
    error = failure(catalog("https://desk.example/catalog.yaml"))
    assert isinstance(error, SettingsError)
    assert "unsafe address" in str(error)
    assert "canary" not in f"{error} {error.hint}"
    assert len(httpx_mock.get_requests()) == 1


def test_a_redirect_from_http_to_https_is_followed(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(
        url="http://desk.example/c", status_code=301, headers={"Location": "https://desk.example/c"}
    )
    httpx_mock.add_response(url="https://desk.example/c", content=b"content")
    assert send_once(catalog("http://desk.example/c"), ONCE).content == b"content"


@pytest.mark.parametrize("target", ["http://[::1", "http://xn--/", "http://127.0.0.1:99999/"])
def test_a_redirect_to_an_invalid_address_is_an_error_of_the_catalog(http: HTTPServer, target: str) -> None:
    http.routes["/"] = [redirect(target)]
    assert str(failure(catalog(http.url))).startswith("the service catalog ")


def test_user_and_password_of_a_url_do_not_follow_a_redirect_to_another_server(http: HTTPServer) -> None:
    with http_server() as stranger:
        stranger.routes["/"] = [Response(body=b"content")]
        http.routes["/"] = [redirect(f"{stranger.url}/catalog.yaml")]
        send_once(catalog(http.url.replace("//", "//user:password@")), ONCE)
    assert "Authorization" in http.requests[0].headers
    assert "Authorization" not in stranger.requests[0].headers


# Secrets in URLs


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://desk.example/hook", "https://desk.example/hook"),
        ("https://user:canary@desk.example:8443/hook", "https://desk.example:8443/hook"),
        ("https://canary@desk.example/hook", "https://desk.example/hook"),
        ("https://desk.example/hook?key=canary#canary", "https://desk.example/hook"),
        ("https://u:p@canary@desk.example/", "https://desk.example/"),
    ],
    ids=["nothing secret", "password", "user", "query and fragment", "two at signs"],
)
def test_a_url_is_shown_without_the_parts_that_may_be_secret(url: str, text: str) -> None:
    assert shown_url(url) == text


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(Response(404), id="not found"),
        pytest.param(Response(401), id="unauthorized"),
        pytest.param(Response(503), id="busy"),
        pytest.param(Response(hang_up=True), id="hangs up"),
        pytest.param(redirect("/?token=canary"), id="redirects"),
        pytest.param(Response(headers={"Content-Encoding": "br"}), id="compressed"),
    ],
)
def test_no_error_holds_a_secret_of_the_url(http: HTTPServer, response: Response) -> None:
    http.routes["/"] = [response]
    url = http.url.replace("//", "//canary:canary@") + "/hook?token=canary#canary"
    for service in (helpdesk(url), catalog(url)):
        error = failure(service)
        assert "canary" not in f"{error} {error.hint}"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://", id="no host"),
        pytest.param("http:///hook", id="path without host"),
        pytest.param("http://[::1/hook", id="open bracket"),
        pytest.param("http://127.0.0.1:port/hook", id="port is a word"),
        pytest.param("http://127.0.0.1:99999/hook", id="port too large"),
        pytest.param("http://℀.example/hook", id="character that splits names"),
        pytest.param("http://xn--/hook", id="broken punycode"),
        pytest.param("http://desk\udcff.example/hook", id="not UTF-8"),
        pytest.param("http://127.0.0.1/ho\udcffok", id="path not UTF-8"),
        pytest.param("ftp://127.0.0.1/tickets.json", id="other scheme"),
        pytest.param("file:///tickets%00.json", id="file with a zero byte"),
        pytest.param("file://[x/tickets.json", id="file with an open bracket"),
        pytest.param("file://tickets.json", id="file taken for a host"),
        pytest.param("file://data/tickets.json", id="folder taken for a host"),
    ],
)
def test_an_invalid_url_is_a_wrong_setting(url: str) -> None:
    error = failure(helpdesk(url))
    assert isinstance(error, SettingsError)
    assert "HELPDESK_API_URL" in str(error)


@pytest.mark.parametrize("character", ["/", "?", "#"])
def test_a_password_that_breaks_its_url_is_not_shown(character: str) -> None:
    error = failure(helpdesk(f"https://user:canary{character}canary@desk.example/hook"))
    assert isinstance(error, SettingsError)
    assert "canary" not in f"{error} {error.hint}"


# The environment


@pytest.mark.parametrize("proxy", ["socks://user:canary@127.0.0.1:1", "gopher://canary@127.0.0.1:1"])
def test_an_unusable_proxy_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    error = failure(helpdesk("http://desk.example/hook"))
    assert isinstance(error, SettingsError)
    assert "PROXY" in f"{error} {error.hint}"
    assert "canary" not in f"{error} {error.hint}"


def test_unreadable_certificates_are_a_wrong_setting(
    http: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    error = failure(helpdesk(http.url))
    assert isinstance(error, SettingsError)
    assert "SSL_CERT_FILE" in f"{error} {error.hint}"


# Files


@pytest.mark.parametrize("kind", ["path", "file URL", "file URL of localhost", "upper case"])
def test_a_location_may_be_a_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "my tickets.json"
    path.write_bytes(b"content")
    url = path.as_uri()
    location = {
        "path": str(path),
        "file URL": url,
        "file URL of localhost": url.replace("file://", "file://localhost"),
        "upper case": url.replace("file:", "FILE:"),
    }[kind]
    assert (
        read_location(helpdesk(location), ONCE, HTTPRequest("POST", body={"api_key": "unused"})).content == b"content"
    )


def test_a_path_counts_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tickets.json").write_bytes(b"content")
    assert read_location(helpdesk("tickets.json"), ONCE).content == b"content"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing.json", "No such file or directory"), (".", "Is a directory"), ("file/x.json", "Not a directory")],
    ids=["missing", "folder", "below a file"],
)
def test_an_unreadable_file_is_an_error_that_names_the_setting(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / name
    error = failure(helpdesk(str(path)))
    assert isinstance(error, InputError)
    assert str(error) == f"the helpdesk: {path} cannot be read: {reason}"
    assert error.hint == "Check HELPDESK_API_URL."


def test_an_oversize_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locations, "MAX_BYTES", 100)
    path = tmp_path / "tickets.json"
    path.write_bytes(b"x" * 101)
    assert "is larger than 100 bytes" in str(failure(helpdesk(str(path))))


# Several requests


def in_session(service: HTTPService, *requests: HTTPRequest, policy: HTTPPolicy = ONCE) -> list[bytes]:
    """The content of each response, all in one session."""

    async def send_all() -> list[bytes]:
        async with open_session(service, policy) as session:
            return [(await session.send(request)).content for request in requests]

    return anyio.run(send_all)


def test_a_session_sends_method_headers_query_and_body(http: HTTPServer) -> None:
    http.routes["/"] = [Response(body=b"content")]
    request = HTTPRequest("PUT", "tickets/7", {"X-Key": "the key"}, {"page": "2", "of": "a&b"}, {"state": "open"})
    in_session(helpdesk(f"{http.url}/api/?tenant=1"), request)
    (asked,) = http.requests
    assert (asked.method, asked.path) == ("PUT", "/api/tickets/7?page=2&of=a%26b")
    assert (asked.headers["X-Key"], asked.json) == ("the key", {"state": "open"})


def test_a_body_of_bytes_is_sent_as_it_is(http: HTTPServer) -> None:
    http.routes["/"] = [Response()]
    in_session(helpdesk(http.url), HTTPRequest("POST", headers={"Content-Type": "text/csv"}, body=b"a,b"))
    (asked,) = http.requests
    assert (asked.headers["Content-Type"], asked.body) == ("text/csv", b"a,b")


def test_the_query_of_a_request_is_added_to_that_of_the_setting(http: HTTPServer) -> None:
    http.routes["/"] = [Response()]
    in_session(helpdesk(f"{http.url}/hook?tenant=1&page=1"), HTTPRequest(query={"page": "2"}))
    assert http.requests[0].path == "/hook?tenant=1&page=2"


def test_the_requests_of_a_session_share_a_client(http: HTTPServer) -> None:
    http.routes["/"] = [Response(headers={"Set-Cookie": "session=1"}), Response()]
    in_session(helpdesk(http.url), HTTPRequest(), HTTPRequest(url="/next"))
    assert http.requests[1].headers["Cookie"] == "session=1"


def test_each_request_of_a_session_is_tried_again_by_itself(http: HTTPServer) -> None:
    http.routes["/"] = [Response(503), Response(body=b"1"), Response(503), Response(503), Response(body=b"2")]
    assert in_session(helpdesk(http.url), HTTPRequest(), HTTPRequest(), policy=TWO_RETRIES) == [b"1", b"2"]


def test_a_next_page_may_be_named_by_a_whole_url_and_gets_the_login_of_the_setting(http: HTTPServer) -> None:
    http.routes["/"] = [Response()]
    service = helpdesk(http.url.replace("//", "//user:password@") + "/tickets")
    in_session(service, HTTPRequest(), HTTPRequest(url=f"{http.url}/tickets?page=2"))
    assert http.requests[1].path == "/tickets?page=2"
    assert http.requests[1].headers["Authorization"] == http.requests[0].headers["Authorization"]


@pytest.mark.parametrize(
    "url", ["{other}/tickets?token=canary", "//127.0.0.1:1/tickets", "file:///tickets", "http://["]
)
def test_a_next_page_on_another_server_is_refused_and_gets_no_key(http: HTTPServer, url: str) -> None:
    with http_server() as other, pytest.raises(SettingsError) as caught:
        in_session(helpdesk(http.url), HTTPRequest(url=url.format(other=other.url), headers={"X-Key": "canary"}))
    assert str(caught.value).startswith("the helpdesk leads to ")
    assert "canary" not in f"{caught.value} {caught.value.hint}"
    assert http.requests == other.requests == []


def test_headers_of_a_request_do_not_follow_a_redirect_to_another_server(http: HTTPServer) -> None:
    with http_server() as stranger:
        stranger.routes["/"] = [Response(304)]
        http.routes["/"] = [redirect(f"{stranger.url}/catalog.yaml")]
        headers = {"X-Key": "the key", "If-None-Match": '"one"'}
        assert send_once(catalog(http.url), ONCE, HTTPRequest(headers=headers)).status == 304
    assert http.requests[0].headers["X-Key"] == "the key"
    assert "X-Key" not in stranger.requests[0].headers
    assert stranger.requests[0].headers["If-None-Match"] == '"one"'


def test_a_request_with_a_body_is_never_redirected(http: HTTPServer) -> None:
    http.routes["/"] = [redirect("/elsewhere"), Response()]
    with pytest.raises(SettingsError, match="which is not followed"):
        send_once(catalog(http.url), ONCE, HTTPRequest("POST", body={}))
    assert len(http.requests) == 1


def test_secrets_of_a_request_are_not_shown(http: HTTPServer) -> None:
    request = HTTPRequest("POST", "/?canary", {"X-Key": "canary"}, {"key": "canary"}, {"key": "canary"})
    service = helpdesk("https://user:canary@desk.example/")
    session = HTTPSession(service, ONCE, httpx.AsyncClient())
    assert "canary" not in f"{request} {service} {session}"


def test_the_headers_of_a_response_are_read_whatever_their_case(http: HTTPServer) -> None:
    http.routes["/"] = [Response(headers={"X-Total": "7"})]
    response = send_once(helpdesk(http.url), ONCE)
    assert (response.status, response.headers["x-total"]) == (200, "7")
