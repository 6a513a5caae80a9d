"""A location is a URL, a `file:` URL or a path; its content is read within bounds."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..errors import InputError
from .files import read_bounded
from .network.http import GET, MAX_BYTES, HTTPRequest, HTTPResponse, HTTPService, invalid_url, send_once
from .options import HTTPPolicy
from .picture_cutter import PictureCutter


def is_remote(location: str) -> bool:
    """Whether `location` is asked over HTTP."""
    return location.lower().startswith(("http://", "https://"))


def read_location(service: HTTPService, policy: HTTPPolicy, request: HTTPRequest = GET) -> HTTPResponse:
    """The response to `request`, or the content of the file that the URL of the service names.

    Raises SettingsError, InputError or ServiceError.
    """
    if is_remote(service.url):
        return send_once(service, policy, request)
    try:
        return HTTPResponse(read_bounded(local_path(service), MAX_BYTES, pictures=PictureCutter()))
    except InputError as error:
        raise InputError(f"{service.name}: {error}", hint=f"Check {service.url_setting}.") from error


def local_path(service: HTTPService) -> Path:
    """The path that the location of the service, which is not `is_remote`, names. Raises SettingsError."""
    if service.url.lower().startswith("file:"):
        try:
            parts = urlsplit(service.url)
        except ValueError as error:
            raise invalid_url(service) from error
        path = url2pathname(parts.path)
        # file://folder/name is a name on the host `folder`, which nobody means.
        if parts.netloc.lower() not in ("", "localhost") or "\0" in path:
            raise invalid_url(service)
        return Path(path)
    if "://" in service.url:
        raise invalid_url(service)
    return Path(service.url)
