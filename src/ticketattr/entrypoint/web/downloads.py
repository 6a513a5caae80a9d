"""Files that are made for one download. They are on the disk, because a client may read them slowly."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

import anyio
from anyio.to_thread import run_sync
from fastapi import Request
from fastapi.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

from ...infrastructure.files import make_folder, write_error


class MadeFile(FileResponse):
    """A file that is deleted once it was sent, or the client is gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(lambda: Path(self.path).unlink(missing_ok=True))


def clear_downloads(folder: Path) -> None:
    """Delete what a service that was killed left in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)


def made_path(folder: Path, write: Callable[[Path], None]) -> Path:
    """A new file in `folder` with what `write` writes to it. Raises what `write` raises, and the errors of files."""
    make_folder(folder)
    try:
        with NamedTemporaryFile(dir=folder, delete=False) as file:
            path = Path(file.name)
    except OSError as error:
        raise write_error(folder, error) from error
    try:
        write(path)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise write_error(path, error) from error
        raise
    return path


def content_download(request: Request, folder: Path, content: bytes, media_type: str, name: str) -> Response:
    """A download of `content`, whole or in part. Its ETag is its SHA-256."""
    etag = etag_of(hashlib.sha256(content).hexdigest())
    if is_known(request, etag):
        return not_modified(etag)
    path = made_path(folder, lambda path: write_bytes(path, content))
    return MadeFile(path, media_type=media_type, filename=name, headers=headers_of(etag))


def write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def etag_of(sha256: str) -> str:
    """The ETag of a file with this SHA-256."""
    return f'"{sha256}"'


def headers_of(etag: str) -> dict[str, str]:
    """The headers of a download that only its caller may keep, and asks for again."""
    return {"ETag": etag, "Cache-Control": "private, no-cache"}


def is_known(request: Request, etag: str) -> bool:
    """Whether the client has a file with this ETag."""
    known = request.headers.get("if-none-match", "").split(",")
    return etag in [tag.strip().removeprefix("W/") for tag in known]


def not_modified(etag: str) -> Response:
    """The answer to a client that has the file."""
    return Response(status_code=304, headers=headers_of(etag))
