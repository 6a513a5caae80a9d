"""Gemini's batch jobs over its REST API: https://ai.google.dev/api/batch-api."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import httpx

from ....application.batch_jobs import JobInput, PreparedCall
from ....domain.batch_job import RemoteJob
from ...network.retries import Transient
from ...options import ChatModelOptions
from ..llm.chat_model import ChatModelError, ChatRequest, UnknownModel, UnusableAnswer
from ..llm.http import http_client, translated_transport_errors
from ..llm.job_endpoint import JobAnswer
from .chat_model import API_VERSION, BASE_URL
from .job_wire import answers_in, input_file, input_lines, jobs_in, output_of, remote_job
from .wire import PROVIDER, error_of, object_of, request_body, response_in

MOST_INLINE = 10 * 1024 * 1024
"""The size of the calls up to which they go into the request that makes the job, in bytes. The service takes twice as
much there, and sends the answers of such a job with each poll."""

CHUNK = 8 * 1024 * 1024
"""The size of the parts in which a file is sent, in bytes: the granularity that the service wants."""

_MOST_READ = 512 * 1024 * 1024
_PAGE_SIZE = 100
_MOST_PAGES = 20


class GeminiJobEndpoint:
    """Usable inside `async with`, in one event loop."""

    provider = PROVIDER

    def __init__(self, options: ChatModelOptions) -> None:
        self._options = options
        self._base = (options.base_url or BASE_URL).rstrip("/")
        self._version = options.api_version or API_VERSION

    async def __aenter__(self) -> GeminiJobEndpoint:
        options = self._options
        self._http = http_client(
            PROVIDER,
            timeout=options.timeout,
            connections=options.connections,
            ca_file=options.ca_file,
            max_bytes=_MOST_READ,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    def content_of(self, request: ChatRequest) -> bytes:
        return json.dumps(request_body(request), ensure_ascii=False).encode("utf-8", "replace")

    async def upload(self, display_name: str, calls: Sequence[PreparedCall]) -> JobInput:
        if sum(len(call.content) for call in calls) <= MOST_INLINE:
            return JobInput(calls=calls)
        content = input_lines(calls)
        address = await self._begin_upload(display_name, len(content))
        for start in range(0, len(content), CHUNK):
            response = await self._send_chunk(address, content, start)
        return JobInput(file=_file_name(response.content))

    async def _begin_upload(self, display_name: str, size: int) -> str:
        """The address that takes the chunks, at the server of the base URL: no other one gets the key and the texts."""
        about = {"file": {"display_name": display_name, "mime_type": "application/jsonl", "size_bytes": size}}
        headers = {
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Length": str(size),
            "X-Goog-Upload-Header-Content-Type": "application/jsonl",
            "X-Goog-Upload-File-Name": f"{display_name}.jsonl",
        }
        url = f"{self._base}/upload/{self._version}/files"
        response = await self._call("POST", url, content=json.dumps(about).encode(), headers=headers)
        address = urlsplit(str(response.headers.get("x-goog-upload-url", "")))
        if not address.path.startswith("/"):
            raise UnusableAnswer("Gemini does not say where to upload a file")
        base = urlsplit(self._base)
        return urlunsplit(base._replace(path=address.path, query=address.query, fragment=""))

    async def _send_chunk(self, address: str, content: bytes, start: int) -> httpx.Response:
        is_last = start + CHUNK >= len(content)
        headers = {
            "X-Goog-Upload-Command": "upload, finalize" if is_last else "upload",
            "X-Goog-Upload-Offset": str(start),
        }
        response = await self._call("POST", address, content=content[start : start + CHUNK], headers=headers)
        if response.headers.get("x-goog-upload-status") != ("final" if is_last else "active"):
            raise Transient("Gemini did not take a part of a file")
        return response

    async def create(self, display_name: str, model: str, calls: JobInput) -> RemoteJob:
        model = model if "/" in model else f"models/{model}"
        url = self._url(f"{quote(model)}:batchGenerateContent")
        content = input_file(display_name, calls.file) if calls.file else _inline(display_name, calls.calls)
        response = await self._call("POST", url, content=content)
        job = remote_job(response_in(response.content))
        if not job.name:
            raise UnusableAnswer("Gemini made a batch job and does not say its name")
        return job

    async def find(self, display_name: str) -> list[RemoteJob]:
        found: list[RemoteJob] = []
        page_mark = ""
        for _ in range(_MOST_PAGES):
            query = {"pageSize": str(_PAGE_SIZE), **({"pageToken": page_mark} if page_mark else {})}
            response = await self._call("GET", self._url("batches"), params=query)
            jobs, page_mark = jobs_in(response.content)
            found += [job for job in jobs if job.display_name == display_name and job.name]
            if not page_mark:
                break
        return found

    async def poll(self, name: str) -> RemoteJob | None:
        try:
            response = await self._call("GET", self._url(quote(name)))
        except UnknownModel:
            return None
        return remote_job(response_in(response.content))

    async def cancel(self, name: str) -> None:
        try:
            await self._call("POST", self._url(f"{quote(name)}:cancel"))
        except (UnknownModel, ChatModelError):
            # It ended before, or is not known any more. The next poll says which.
            return

    async def answers(self, name: str, model: str) -> list[JobAnswer]:
        operation = response_in((await self._call("GET", self._url(quote(name)))).content)
        output = output_of(operation)
        if file := output.get("responsesFile"):
            response = await self._call("GET", self._url(f"{quote(str(file))}:download"), params={"alt": "media"})
            return answers_in(response.content, model)
        return answers_in(output, model)

    def _url(self, path: str) -> str:
        return f"{self._base}/{self._version}/{path}"

    async def _call(
        self, method: str, url: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """Returns the answer to one request. Raises what a ChatModel may raise."""
        sent = {"x-goog-api-key": self._options.api_key, "Content-Type": "application/json", **(headers or {})}
        with translated_transport_errors(PROVIDER, url_setting="GOOGLE_GEMINI_BASE_URL"):
            response = await self._http.request(method, url, headers=sent, **more)
        if response.status_code != 200:
            raise error_of(response, None)
        return response


def _inline(display_name: str, calls: Sequence[PreparedCall]) -> bytes:
    requests = b",".join(
        b'{"request":%b,"metadata":%b}' % (call.content, json.dumps({"key": call.key}).encode()) for call in calls
    )
    name = json.dumps(display_name).encode()
    return b'{"batch":{"displayName":%b,"inputConfig":{"requests":{"requests":[%b]}}}}' % (name, requests)


def _file_name(content: bytes) -> str:
    name = str(object_of(response_in(content).get("file")).get("name") or "")
    if not name.startswith("files/"):
        raise UnusableAnswer("Gemini took a file and does not say its name")
    return name
