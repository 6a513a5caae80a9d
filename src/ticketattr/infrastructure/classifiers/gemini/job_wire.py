"""Gemini's batch jobs as JSON: what makes one, what is told about it, and its answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ....application.batch_jobs import PreparedCall
from ....domain.batch_job import RemoteJob, RemoteState
from ....domain.wording import counted
from ....errors import InputError
from ...json_text import parse_json
from ...network.service_words import service_words, with_words
from ..llm.chat_model import ChatModelError, UnusableAnswer
from ..llm.job_endpoint import JobAnswer
from .wire import answer_in, object_of, objects_of, response_in

log = logging.getLogger(__name__)

_STATES: Mapping[str, RemoteState] = {
    "PENDING": "pending",
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "PARTIALLY_SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
    "EXPIRED": "expired",
}
_LONGEST_NAME = 200
_INLINED = "inlinedResponses"


def input_lines(calls: Sequence[PreparedCall]) -> bytes:
    """Returns the calls as a file: one JSON object a line, with the key of the call."""
    return b"".join(b'{"key":"%b","request":%b}\n' % (call.key.encode(), call.content) for call in calls)


def input_file(display_name: str, file: str) -> bytes:
    """Returns the body that makes a job of the calls in a file that the service has."""
    return json.dumps({"batch": {"displayName": display_name, "inputConfig": {"fileName": file}}}).encode()


def remote_job(operation: Mapping[str, Any]) -> RemoteJob:
    """Returns the job of an operation. A state that is not known is `unknown`, and does not count as an end."""
    metadata = object_of(operation.get("metadata"))
    word = str(metadata.get("state") or "").rpartition("STATE_")[2]
    error = object_of(operation.get("error"))
    state: RemoteState = _STATES.get(word, "failed" if error else "unknown")
    return RemoteJob(
        name=_name(operation.get("name")) or _name(metadata.get("name")),
        display_name=str(metadata.get("displayName") or "")[:_LONGEST_NAME],
        state=state,
        detail=with_words(_code(error), error.get("message") or "") if error else "",
        created=service_words(metadata.get("createTime") or "", _LONGEST_NAME),
        has_answers=state not in ("pending", "running", "unknown") and bool(output_of(operation)),
    )


def jobs_in(content: bytes) -> tuple[list[RemoteJob], str]:
    """Returns the jobs in a page of the list, and the token of the next page; empty on the last one."""
    page = response_in(content)
    return [remote_job(operation) for operation in objects_of(page.get("operations"))], str(
        page.get("nextPageToken") or ""
    )


def output_of(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns where the answers are: `responsesFile`, or `inlinedResponses`; empty if there are none."""
    metadata = object_of(operation.get("metadata"))
    places = (object_of(operation.get("response")), object_of(metadata.get("output")))
    return next((place for place in places if place.get("responsesFile") or place.get(_INLINED)), {})


def answers_in(output: bytes | Mapping[str, Any], model: str) -> list[JobAnswer]:
    """Returns the answers in a file or in an output, in their order. A line that cannot be read is left out."""
    rows = _lines(output) if isinstance(output, bytes) else _inlined(output)
    return [answer for row in rows if (answer := _answer(row, model))]


def _lines(content: bytes) -> Iterator[Mapping[str, Any]]:
    unreadable = 0
    for line in content.split(b"\n"):
        if not line.strip():
            continue
        try:
            yield object_of(parse_json(line, "a line"))
        except (InputError, UnusableAnswer):
            unreadable += 1
    if unreadable:
        log.warning("left out of the answers of a batch job: %s that cannot be read", counted(unreadable, "line"))


def _inlined(output: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    rows = output.get(_INLINED)
    rows = rows.get(_INLINED) if isinstance(rows, dict) else rows
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _answer(row: Mapping[str, Any], model: str) -> JobAnswer | None:
    """What came for one call, or None for what has the form of nothing."""
    try:
        key = str(row.get("key") or object_of(row.get("metadata")).get("key") or "")
        if row.get("response"):
            return JobAnswer(key, answer_in(object_of(row["response"]), model))
        # Without the message, which may repeat the call.
        return JobAnswer(key, ChatModelError(_code(object_of(row.get("error")))))
    except UnusableAnswer as error:
        return JobAnswer("", error)
    except ChatModelError as error:
        return JobAnswer(key, error)


def _code(error: Mapping[str, Any]) -> str:
    return f"Gemini answered {service_words(error.get('code') or '', _LONGEST_NAME)}".strip()


def _name(value: Any) -> str:
    """The name of a job; empty for what would change the path of a URL."""
    name = str(value or "")
    is_one = name.startswith("batches/") and ".." not in name and len(name) <= _LONGEST_NAME
    return name if is_one and name.replace("/", "").replace("-", "").replace("_", "").isalnum() else ""
