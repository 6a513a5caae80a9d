"""The requests of a profile with their placeholders filled."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from ...errors import SettingsError
from ..network.http import HTTPRequest
from ..options import Filter
from .placeholders import as_text, fill
from .profile import Profile, QueryFilters, Request


def render(
    request: Request, values: Mapping[str, Any], *, base_url: str, query: Mapping[str, Any] | None = None
) -> HTTPRequest:
    """`request` with `values` in place of its placeholders, and `query` besides its own parameters."""
    path = fill(request.path, {name: quote(as_text(value), safe="") for name, value in values.items()})
    parameters = [*_parameters(fill(request.query, values)), *_parameters(fill(query or {}, values))]
    headers = {name: str(value) for name, value in fill(request.headers, values).items()}
    body: Any = None
    if request.form:
        body = urlencode(list(_parameters(fill(request.form, values)))).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    elif request.json is not None:
        body = fill(request.json, values)
    return HTTPRequest(request.method, _address(base_url, path, parameters), headers, body=body)


def common_headers(profile: Profile, values: Mapping[str, Any]) -> dict[str, str]:
    """The headers that every request has. Raises SettingsError when a key cannot stand in a header."""
    filled = {name: as_text(value) for name, value in fill(profile.headers, values).items()}
    if auth := profile.auth:
        pair = f"{as_text(fill(auth.user, values))}:{as_text(fill(auth.password, values))}"
        filled["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    for name, value in filled.items():
        if not value.isascii() or not value.isprintable():
            raise SettingsError(
                f"the header {name} cannot be sent: its value has characters that no header can hold",
                hint=f"Check {profile.credentials}.",
            )
    return filled


def filter_parts(
    filters: QueryFilters, keep: frozenset[Filter], since: datetime | None = None
) -> tuple[str, dict[str, Any]]:
    """What `${filter}` stands for, and the query parameters that filter.

    With `since`, closed tickets are asked for, too: somebody has to say that they are closed now.
    """
    parts = [filters.always]
    if since and filters.since is not None:
        parts.append(fill(filters.since, _since_values(since)))
    else:
        parts += [getattr(filters, name) for name in sorted(keep)]
    texts = [str(part) for part in parts if part is not None and not isinstance(part, Mapping)]
    query = {name: value for part in parts if isinstance(part, Mapping) for name, value in part.items()}
    return filters.join.join(texts), query


def _since_values(since: datetime) -> dict[str, str]:
    """The spellings of a time, in UTC, of which a helpdesk takes one."""
    moment = since.astimezone(timezone.utc)
    return {
        "since": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "since_space": f"{moment:%Y-%m-%d %H:%M:%S}",
        "since_minute": f"{moment:%Y-%m-%d %H:%M}",
    }


def _parameters(query: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name and value of each parameter; a list repeats its name."""
    for name, value in query.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, as_text(each)


def _address(base_url: str, path: str, parameters: list[tuple[str, str]]) -> str:
    parts = urlsplit(base_url)
    query = "&".join(filter(None, [parts.query, urlencode(parameters, quote_via=quote)]))
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}{path}", query, ""))
