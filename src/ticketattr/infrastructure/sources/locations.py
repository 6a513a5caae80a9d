"""A location is a URL, a `file:` URL or a path; what lies there is read within bounds."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ...errors import InputError
from ..files import read_bounded
from ..options import HTTPPolicy
from .http import GET, MAX_BYTES, Answer, Call, Endpoint, request, unusable


def read_location(endpoint: Endpoint, policy: HTTPPolicy, call: Call = GET) -> Answer:
    """What the endpoint answers, or the file that its URL names. Raises SettingsError, InputError, ServiceError."""
    if is_remote(endpoint.url):
        return request(endpoint, policy, call)
    try:
        return Answer(read_bounded(_local_path(endpoint), MAX_BYTES))
    except InputError as error:
        raise InputError(f"{endpoint.what}: {error}", hint=f"Check {endpoint.url_setting}.") from error


def is_remote(location: str) -> bool:
    return location.lower().startswith(("http://", "https://"))


def _local_path(endpoint: Endpoint) -> Path:
    if endpoint.url.lower().startswith("file:"):
        try:
            parts = urlsplit(endpoint.url)
        except ValueError as error:
            raise unusable(endpoint) from error
        path = url2pathname(parts.path)
        # file://folder/name is a name on the host `folder`, which nobody means.
        if parts.netloc.lower() not in ("", "localhost") or "\0" in path:
            raise unusable(endpoint)
        return Path(path)
    if "://" in endpoint.url:
        raise unusable(endpoint)
    return Path(endpoint.url)
