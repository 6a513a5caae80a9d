"""The application: routes, errors, and the loop that starts runs and notices their end."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import anyio
from anyio.to_thread import run_sync
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.routing import Match

from ... import __version__
from ...application.service.runs import advance
from ...errors import TicketAttrError
from . import api, pages
from .guard import BODY_TIMEOUT, Guard
from .parts import Parts, parts_of
from .problems import problem_response, status_of

STATIC = Path(__file__).with_name("static")

log = logging.getLogger(__name__)


def build_app(parts: Parts, *, interval: float = 1.0, body_timeout: float = BODY_TIMEOUT) -> FastAPI:
    """The application of the service. While its lifespan lasts, it starts runs and looks after them.

    `interval`: the seconds between two looks. `body_timeout`: those in which a client sends the body of a request.
    """
    app = FastAPI(
        title="ticketattr",
        version=__version__,
        description="Run the pipeline, change its schedule, undo its changes, and read reports, deliveries and logs.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.parts, app.state.interval = parts, interval
    app.include_router(api.router)
    app.include_router(pages.router, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_api_route("/healthz", healthy, include_in_schema=False, methods=["GET", "HEAD"])
    app.add_api_route("/readyz", ready, include_in_schema=False, methods=["GET", "HEAD"])
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(TicketAttrError, _our_error)
    settings = parts.settings
    app.add_middleware(
        Guard,
        hosts=frozenset(settings.hosts),
        proxies=settings.proxies,
        root_path=settings.root_path,
        body_timeout=body_timeout,
        count=lambda path, status: app.state.parts.requests.add(path, status),
    )
    return app


async def healthy() -> Response:
    """Whether the process answers at all. Needs no token."""
    return PlainTextResponse("ok\n")


def ready(request: Request) -> Response:
    """Whether the service can do its work: its state can be read. Needs no token."""
    parts_of(request).service.state.unfinished()
    return PlainTextResponse("ready\n")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_keep_advancing, app)
        for task in app.state.parts.tasks:
            tasks.start_soon(task)
        yield
        tasks.cancel_scope.cancel()


async def _keep_advancing(app: FastAPI) -> None:
    problem = ""
    while True:
        try:
            await run_sync(advance, app.state.parts.service)
            problem = ""
        except TicketAttrError as error:
            # Once per problem: a disk that is full for a night must not fill the log.
            if str(error) != problem:
                log.error("%s", error)
            problem = str(error)
        await anyio.sleep(app.state.interval)


def _is_page(request: Request) -> bool:
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return not path.startswith(("/api/", "/healthz", "/readyz", "/static"))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # nosec B101  # for the type checker
    if _is_page(request):
        # What Starlette says about an address that does not exist is the title of the page already.
        message = "this page does not exist" if str(error.detail) == "Not Found" else str(error.detail)
        return pages.error_page(request, error.status_code, message)
    response = problem_response(error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(sorted(_methods(request)))
    return response


def _methods(request: Request) -> set[str]:
    """The methods that the address of the request takes. Starlette names those of the first route alone."""
    found: set[str] = set()
    for route in (*api.router.routes, *pages.router.routes):
        match, _ = route.matches(request.scope)
        found |= set(getattr(route, "methods", None) or ()) if match is not Match.NONE else set()
    return found


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # nosec B101  # for the type checker
    wrong = [
        f"{'.'.join(str(part) for part in one['loc'][1:]) or one['loc'][0]}: {one['msg']}" for one in error.errors()
    ]
    if _is_page(request):
        return pages.error_page(request, 422, "; ".join(wrong))
    return problem_response(422, "; ".join(wrong))


async def _our_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TicketAttrError)  # noqa: S101  # nosec B101  # for the type checker
    status = status_of(error)
    if status >= 500:
        log.error("%s", error)
    if _is_page(request):
        return pages.error_page(request, status, str(error), error.hint)
    return problem_response(status, str(error), hint=error.hint)
