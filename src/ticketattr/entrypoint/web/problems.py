"""Errors as problem details (RFC 9457), for the API and for requests that are refused before they reach anything."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import JSONResponse

from ...errors import BusyError, InputError, ServiceError, SettingsError, TicketAttrError
from ..presentation.log_lines import plain

MEDIA_TYPE = "application/problem+json"


def problem_response(status: int, detail: str, *, hint: str = "", wait: float = 0.0) -> JSONResponse:
    """A response that says what is wrong: `{"type", "title", "status", "detail"}`, and a `hint` if there is one.

    `wait`: the seconds after which the same request may succeed (0: no such time).
    """
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": plain(detail)}
    headers = {"Retry-After": str(int(wait) + 1)} if wait else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="ticketattr"'
    return JSONResponse(
        {**content, "hint": plain(hint)} if hint else content, status, media_type=MEDIA_TYPE, headers=headers
    )


def status_of(error: TicketAttrError) -> int:
    """The HTTP status of an error."""
    match error:
        case BusyError():
            return HTTPStatus.CONFLICT
        case InputError():
            return HTTPStatus.UNPROCESSABLE_ENTITY
        case ServiceError():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case SettingsError():
            return HTTPStatus.INTERNAL_SERVER_ERROR
        case _:
            return HTTPStatus.INTERNAL_SERVER_ERROR
