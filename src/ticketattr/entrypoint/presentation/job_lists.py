"""Lists of batch jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...domain.batch_job import BatchJob
from .listing import print_list
from .log_lines import plain

_FIELDS = ("job", "created", "state", "changed", "calls", "tickets", "model", "run_id", "name", "detail")
_IN_TABLE = ("job", "created", "state", "tickets", "detail")


def print_jobs(jobs: Sequence[BatchJob], format: str) -> None:
    """Print batch jobs and their states."""
    print_list([_row(job) for job in jobs], format, _FIELDS, _IN_TABLE, "no batch job")


def _row(job: BatchJob) -> dict[str, Any]:
    return {
        "job": plain(job.display_name),
        "created": f"{job.created:%Y-%m-%dT%H:%M:%SZ}",
        "state": job.state,
        "changed": f"{job.changed:%Y-%m-%dT%H:%M:%SZ}",
        "calls": len(job.calls),
        "tickets": job.tickets,
        "model": plain(job.model),
        "run_id": plain(job.run_id),
        "name": plain(job.name),
        "detail": plain(job.detail),
    }
