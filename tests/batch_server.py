"""A fake of Gemini on loopback with its batch jobs: files, jobs, answers, and what all of that costs."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .servers import HTTPServer, Request, Response, asked_tickets, gemini, gemini_error

NOT_FOUND = gemini_error(404, "NOT_FOUND")

Choose = Callable[[dict[str, Any]], dict[str, Any] | None]
Row = dict[str, Any]


@dataclass
class Job:
    """A job: its calls, its state on the wire, and its answers, as a file or inlined."""

    name: str
    display_name: str
    calls: list[Row]
    is_file: bool
    state: str = "PENDING"
    error: str = ""
    answers: list[Row] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """The short descriptions that the job asks about."""
        return [ticket["short_description"] for call in self.calls for ticket in tickets_of(call["request"])]


def tickets_of(request: Row) -> list[Row]:
    return asked_tickets(Request("POST", "", {}, json.dumps(request).encode()))


@dataclass
class GeminiServer:
    """Answers jobs and ordinary calls with `choose`. A new job has `state_of_new`; `finish` answers those at work.

    `spoil` may change the answers of a job before they are sent. `instead` answers a request in the place of the
    server, which does not see it, and `lose_answer` keeps the answer to a request that had its effect from the client.
    `charge` puts the tokens into an answer.
    """

    http: HTTPServer
    choose: Choose
    state_of_new: str = "PENDING"
    spoil: Callable[[list[Row]], list[Row]] = lambda rows: rows
    instead: Callable[[Request], Response | None] = lambda request: None
    lose_answer: Callable[[Request], bool] = lambda request: False
    charge: Callable[[Request, Response], Response] = lambda request, response: response
    jobs: dict[str, Job] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    asked_at_once: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http.routes = {"/": self.answer}

    def answer(self, request: Request) -> Response:
        if response := self.instead(request):
            return response
        response = self._answer(request)
        return Response(hang_up=True) if self.lose_answer(request) else response

    def _answer(self, request: Request) -> Response:
        path = urlsplit(request.path).path
        if path.startswith("/upload/"):
            return self._upload(request)
        for pattern, handler in (
            (r"/v1beta/models/[\w.-]+:generateContent", self._ordinary),
            (r"/v1beta/models/[\w.-]+:batchGenerateContent", self.create),
            (r"/v1beta/(batches/\w+):cancel", self._cancel),
            (r"/v1beta/(batches/\w+)", self._get),
            (r"/v1beta/batches", self._list),
            (r"/v1beta/(files/[\w-]+):download", self._download),
        ):
            if found := re.fullmatch(pattern, path):
                return handler(request, *found.groups())
        return NOT_FOUND

    def _ordinary(self, request: Request) -> Response:
        self.asked_at_once += [ticket["short_description"] for ticket in asked_tickets(request)]
        return gemini(self.choose)(request)

    def _upload(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        command = headers["x-goog-upload-command"]
        if command == "start":
            number = f"u{len(self.uploads) + 1}"
            self.uploads[number] = b""
            # Another host: the client must not go there.
            url = f"http://elsewhere.invalid/upload/v1beta/files?upload_id={number}&upload_protocol=resumable"
            return Response(headers={"x-goog-upload-status": "active", "x-goog-upload-url": url})
        (number,) = parse_qs(urlsplit(request.path).query)["upload_id"]
        assert int(headers["x-goog-upload-offset"]) == len(self.uploads[number])
        self.uploads[number] += request.body
        if "finalize" not in command:
            return Response(headers={"x-goog-upload-status": "active"})
        self.files[f"files/{number}"] = self.uploads[number]
        return Response(body={"file": {"name": f"files/{number}"}}, headers={"x-goog-upload-status": "final"})

    def create(self, request: Request) -> Response:
        batch = request.json["batch"]
        config = batch["inputConfig"]
        if "fileName" in config:
            calls = [json.loads(line) for line in self.files[config["fileName"]].splitlines()]
        else:
            rows = config["requests"]["requests"]
            calls = [{"key": row["metadata"]["key"], "request": row["request"]} for row in rows]
        name = f"batches/b{len(self.jobs) + 1}"
        job = self.jobs[name] = Job(name, batch["displayName"], calls, "fileName" in config)
        self._move(job, self.state_of_new)
        return Response(body=self._operation(job))

    def finish(self, state: str = "SUCCEEDED", error: str = "") -> None:
        """End the jobs that are at work in this state."""
        for job in self.jobs.values():
            if job.state in ("PENDING", "RUNNING"):
                self._move(job, state, error)

    def _move(self, job: Job, state: str, error: str = "") -> None:
        job.state, job.error = state, error
        if state == "SUCCEEDED":
            # Their order is not promised.
            rows = [{"key": call["key"], "response": self.response_to(call["request"])} for call in job.calls]
            job.answers = self.spoil(rows[::-1])

    def response_to(self, request: Row) -> Row:
        asked = Request("POST", "", {}, json.dumps(request).encode())
        body = self.charge(asked, gemini(self.choose)(asked)).body
        assert isinstance(body, dict)
        return body

    def _operation(self, job: Job) -> Row:
        metadata: Row = {"displayName": job.display_name, "state": f"BATCH_STATE_{job.state}", "name": job.name}
        operation: Row = {"name": job.name, "metadata": metadata}
        if job.state == "SUCCEEDED":
            file = f"files/answers-{job.name.rpartition('/')[2]}"
            self.files[file] = b"".join(json.dumps(row).encode() + b"\n" for row in job.answers)
            inlined = [
                {"metadata": {"key": row["key"]}, **row} if isinstance(row, dict) and "key" in row else row
                for row in job.answers
            ]
            output = {"responsesFile": file} if job.is_file else {"inlinedResponses": {"inlinedResponses": inlined}}
            operation |= {"done": True, "response": output}
            metadata["output"] = output
        if job.error:
            operation |= {"done": True, "error": {"code": 3, "message": job.error}}
        return operation

    def _get(self, request: Request, name: str) -> Response:
        return Response(body=self._operation(self.jobs[name])) if name in self.jobs else NOT_FOUND

    def _list(self, request: Request) -> Response:
        return Response(body={"operations": [self._operation(job) for job in self.jobs.values()]})

    def _cancel(self, request: Request, name: str) -> Response:
        if name not in self.jobs:
            return NOT_FOUND
        if self.jobs[name].state in ("PENDING", "RUNNING"):
            self.jobs[name].state = "CANCELLED"
        return Response(body={})

    def _download(self, request: Request, name: str) -> Response:
        return Response(body=self.files[name]) if name in self.files else NOT_FOUND

    def paid(self) -> Counter[str]:
        """How often each ticket was paid for: by an ordinary call, or by a job that is at work or has answered."""
        by_jobs = (text for job in self.jobs.values() if job.state in _PAID for text in job.texts)
        return Counter([*self.asked_at_once, *by_jobs])


_PAID = ("PENDING", "RUNNING", "SUCCEEDED")
