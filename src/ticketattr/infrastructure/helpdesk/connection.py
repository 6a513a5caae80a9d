"""Requests of one profile to its helpdesk: signed in, within its limits, with errors inside a success found."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import anyio

from ...application.ports import WriteResult
from ...domain.numbers import read_count
from ...errors import InputError, ServiceError, SettingsError
from ..json_text import parse_foreign_json
from ..network.http import HTTPRequest, HTTPResponse, HTTPService, HTTPSession, NoAnswer, NotSent, open_session
from ..network.rate_limit import RateLimit
from ..network.retries import LONGEST_PATIENCE, MAX_WAIT, retry_after
from ..network.service_words import know_secrets, reason_in, service_words, with_words
from ..options import HelpdeskAccess, HTTPPolicy
from .expressions import Expression
from .mapping import HINT, plain_text
from .placeholders import as_text
from .profile import Profile, Request
from .requests import common_headers, render
from .sign_in import sign_in_of

_EPOCH, _LAST_RESET = 1_000_000_000, 10**15
"""A reset time from here on is a point in time, a smaller one is a number of seconds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON of a response, and its headers."""

    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Connection:
    """A helpdesk that is asked by a profile. Usable in one event loop."""

    def __init__(self, profile: Profile, access: HelpdeskAccess, session: HTTPSession) -> None:
        self._profile = profile
        self._base_url = access.location
        self._secrets = {"key": access.api_key, "secret": access.api_secret}
        self._http = session
        self._rate_limit = RateLimit(profile.requests_per_minute)
        self._signing_in = anyio.Lock()
        self._kept: Mapping[str, Any] = {}
        self._sign_ins = 0

    async def ask(
        self,
        request: Request,
        values: Mapping[str, Any],
        *,
        url: str = "",
        query: Mapping[str, Any] | None = None,
        error: Expression | None = None,
    ) -> Answer:
        """The answer to `request`, or to its like at `url`. Raises SettingsError, InputError or ServiceError.

        Where the session has expired, it is renewed once. `error` finds an error inside a success.
        """
        await self._sign_in(after=0)
        sign_ins = self._sign_ins
        try:
            return await self._ask_once(request, values, url, query, error)
        except (SettingsError, InputError) as refused:
            if self._profile.session is None or not isinstance(refused, _POSSIBLY_EXPIRED):
                raise
            await self._sign_in(after=sign_ins)
            return await self._ask_once(request, values, url, query, error)

    async def write(
        self, request: Request, values: Mapping[str, Any], *, stale: Collection[int], error: Expression | None = None
    ) -> WriteResult:
        """Send a request that changes a ticket: never twice, unless the helpdesk certainly did not take the first one.

        `stale` are the statuses that say that the ticket was changed meanwhile. Where the session has expired, it is
        renewed once. Raises SettingsError if the credentials are refused, and ServiceError if the helpdesk asks to wait
        for long: in both cases nothing was written.
        """
        await self._sign_in(after=0)
        sign_ins = self._sign_ins
        result, may_be_expired = await self._judged_once(request, values, stale, error)
        if may_be_expired and self._profile.session is not None:
            await self._sign_in(after=sign_ins)
            result, may_be_expired = await self._judged_once(request, values, stale, error)
        if result.detail.startswith(_UNAUTHORIZED):
            raise SettingsError(f"the helpdesk answered {result.detail}", hint=f"Check {self._profile.credentials}.")
        return result

    async def _judged_once(
        self, request: Request, values: Mapping[str, Any], stale: Collection[int], error: Expression | None
    ) -> tuple[WriteResult, bool]:
        """What became of the request, and whether an expired session may be the reason."""
        sent = await self._sent_once(request, values)
        if isinstance(sent, WriteResult):
            return sent, False
        result = self._judged(sent, stale, error)
        says_no = sent.status < HTTPStatus.MULTIPLE_CHOICES and result.outcome == "refused"
        return result, says_no or sent.status == HTTPStatus.UNAUTHORIZED

    async def _sent_once(self, request: Request, values: Mapping[str, Any]) -> HTTPResponse | WriteResult:
        """The response, after waiting for as long as the helpdesk asks to, within reason."""
        known = {**values, **self._secrets, **self._kept}
        rendered = render(request, known, base_url=self._base_url)
        headers = {**common_headers(self._profile, known), **rendered.headers}
        for _ in range(_MOST_WAITS + 1):
            await self._rate_limit.acquire(0)
            try:
                response = await self._http.send_once(replace(rendered, headers=headers))
            except NotSent as error:
                return WriteResult("refused", str(error))
            except (NoAnswer, InputError) as error:
                return WriteResult("unknown", str(error))
            if wait := _wait_of(response.headers):
                self._rate_limit.pause(min(wait, MAX_WAIT))
            if response.status != HTTPStatus.TOO_MANY_REQUESTS:
                return response
            asked = retry_after(response.headers)
            wait = _FIRST_WAIT if asked is None else max(asked, 0.0)
            if wait > MAX_WAIT:
                raise ServiceError(f"the helpdesk asks to wait {wait:,.0f} s (429)", hint="Try again later.")
            self._rate_limit.pause(wait)
        raise ServiceError("the helpdesk takes no more requests for now (429)", hint="Try again later.")

    def _judged(self, response: HTTPResponse, stale: Collection[int], error: Expression | None) -> WriteResult:
        detail = f"{response.status} {_words(response.content)}".strip()
        if response.status in stale:
            return WriteResult("stale", detail)
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status == HTTPStatus.REQUEST_TIMEOUT:
            return WriteResult("unknown", detail)
        if response.status >= HTTPStatus.MULTIPLE_CHOICES:
            return WriteResult("refused", detail)
        if error and (message := _error_in(response.content, error)):
            return WriteResult("refused", service_words(message))
        return WriteResult("done", detail)

    async def _ask_once(
        self,
        request: Request,
        values: Mapping[str, Any],
        url: str,
        query: Mapping[str, Any] | None,
        error: Expression | None,
    ) -> Answer:
        known = {**values, **self._secrets, **self._kept}
        rendered = render(request, known, base_url=self._base_url, query=query)
        headers = {**common_headers(self._profile, known), **rendered.headers}
        answer = await self._send(replace(rendered, headers=headers, url=url or rendered.url))
        if error and (message := plain_text(error.search(answer.body) or None)):
            raise HelpdeskSaysNo(with_words("the helpdesk answered with an error", message), hint=HINT)
        return answer

    async def _sign_in(self, *, after: int) -> None:
        """Ask for a session, unless somebody has done that since sign-in number `after`."""
        step = self._profile.session
        if step is None:
            return
        async with self._signing_in:
            if self._sign_ins > after:
                return
            rendered = render(step.request, self._secrets, base_url=self._base_url)
            headers = {**rendered.headers, **common_headers(replace(self._profile, headers={}), self._secrets)}
            answer = await self._send(replace(rendered, headers=headers))
            who = self._profile.credentials
            self._kept = {f"session.{name}": _kept(found, answer.body, who) for name, found in step.keep.items()}
            know_secrets(map(as_text, self._kept.values()))
            self._sign_ins += 1

    async def _send(self, request: HTTPRequest) -> Answer:
        await self._rate_limit.acquire(0)
        response = await self._http.send(request)
        if wait := min(_wait_of(response.headers), MAX_WAIT):
            if not self._http.patience.allows(wait):
                raise ServiceError(
                    f"the helpdesk has made this run wait for {LONGEST_PATIENCE / 60:g} minutes, and asks for more",
                    hint="Ask its administrator for a higher rate limit, or set FETCH_SINCE=last.",
                )
            self._rate_limit.pause(wait)
        body = parse_foreign_json(response.content, "the answer of the helpdesk", hint=HINT)
        return Answer(body, response.headers)


class HelpdeskSaysNo(InputError):
    """The helpdesk answered with a success that holds an error."""


_POSSIBLY_EXPIRED = (SettingsError, HelpdeskSaysNo)
_MOST_WAITS = 3
_UNAUTHORIZED = str(int(HTTPStatus.UNAUTHORIZED))
_FIRST_WAIT = 5.0


@asynccontextmanager
async def connect(profile: Profile, access: HelpdeskAccess, policy: HTTPPolicy) -> AsyncIterator[Connection]:
    """A connection by `profile`. Raises SettingsError, also where a secret that the profile uses is not set."""
    _refuse_missing(profile, access)
    service = HTTPService(
        "the helpdesk",
        access.location,
        url_setting="HELPDESK_API_URL",
        credentials=profile.credentials,
        signs_in=sign_in_of(profile),
    )
    async with open_session(service, policy) as session:
        yield Connection(profile, access, session)


def _words(content: bytes) -> str:
    """What an answer says: its reason if it gives one, or all of it unless it is a page."""
    reason = reason_in(content)
    return service_words(reason if reason or content.lstrip()[:1] == b"<" else content)


def _error_in(content: bytes, error: Expression) -> str:
    try:
        return plain_text(error.search(parse_foreign_json(content, "the answer")) or None) if content else ""
    except InputError:
        return ""


def _refuse_missing(profile: Profile, access: HelpdeskAccess) -> None:
    given = {"key": access.api_key, "secret": access.api_secret}
    explained = {"key": profile.key, "secret": profile.secret}
    for name in sorted(profile.secrets):
        if not given[name]:
            what = f" ({explained[name]})" if explained[name] else ""
            raise SettingsError(
                f"HELPDESK_API_{name.upper()} is not set, which the profile {profile.name} needs{what}",
                hint="Set it in the environment or in .env (see .env.example).",
            )


def _kept(expression: Expression, body: Any, credentials: str) -> str:
    found = plain_text(expression.search(body))
    if not found:
        raise SettingsError(
            f"the helpdesk gave no session: `{expression.text}` finds nothing in its answer ({expression.where})",
            hint=f"Check {credentials}.",
        )
    return found


def _wait_of(headers: Mapping[str, str]) -> float:
    """The seconds until the helpdesk takes another request, where it says that this was the last one for now."""
    if headers.get("X-RateLimit-Remaining", "").strip() != "0":
        return 0.0
    reset = read_count(headers.get("X-RateLimit-Reset", ""), most=_LAST_RESET) or 0
    return max(0.0, reset - time.time()) if reset >= _EPOCH else float(reset)
