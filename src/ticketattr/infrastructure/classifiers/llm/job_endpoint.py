"""The port to the batch jobs of a provider. Its adapter makes one attempt at each request."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from ....application.batch_jobs import JobInput, PreparedCall
from ....domain.batch_job import RemoteJob
from .chat_model import ChatAnswer, ChatModelError, ChatRequest


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """What came for one call: its key, empty if it came without one, and the answer or why there is none."""

    key: str
    answer: ChatAnswer | ChatModelError


class JobEndpoint(AbstractAsyncContextManager["JobEndpoint"], Protocol):
    """Where a provider takes batch jobs. Usable inside `async with`, in one event loop.

    All methods raise what a ChatModel raises.
    """

    @property
    def provider(self) -> str:
        """The name of the provider, as messages show it."""

    def content_of(self, request: ChatRequest) -> bytes:
        """The request as the provider wants it in a job."""

    async def upload(self, display_name: str, calls: Sequence[PreparedCall]) -> JobInput:
        """Give the provider the calls, if they are too many for the request that makes the job."""

    async def create(self, display_name: str, model: str, calls: JobInput) -> RemoteJob:
        """Make a job."""

    async def find(self, display_name: str) -> list[RemoteJob]:
        """The jobs of this display name."""

    async def poll(self, name: str) -> RemoteJob | None:
        """The job; None if the provider does not know it."""

    async def cancel(self, name: str) -> None:
        """Ask for the end of a job. One that ended, or is not known, stays as it is."""

    async def answers(self, name: str, model: str) -> list[JobAnswer]:
        """What the job, which asked `model`, has answered, in any order. What cannot be read is left out."""
