"""What a batch job answers, and which job of several is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from ticketattr.domain.batch_job import BatchJob, JobCall, JobState, RemoteJob, RemoteState, best_of, join_answers
from ticketattr.domain.ticket import Attribution, Outcome, Unattributed

from ..fakes import LAPTOP, MIDNIGHT, PASSWORD

CALLS = (JobCall("a", 0, ("k0", "k1")), JobCall("b", 2, ("k2",)))
ANSWER = Attribution(LAPTOP, "model", 0.9)
OTHER = Attribution(PASSWORD, "model", 0.9)
NOTHING = Unattributed("no_match")


def test_a_call_numbers_its_tickets_and_a_job_counts_them() -> None:
    assert list(CALLS[0].ids) == [0, 1]
    assert list(CALLS[1].numbered) == [(2, "k2")]
    job = BatchJob("name", "run", "print", "model", MIDNIGHT, "open", MIDNIGHT, CALLS)
    assert job.tickets == 3
    assert not job.is_overdue(MIDNIGHT + timedelta(hours=48))
    assert job.is_overdue(MIDNIGHT + timedelta(hours=48, seconds=1))


@pytest.mark.parametrize(
    ("state", "is_open"),
    [
        *((state, True) for state in ("uploading", "creating", "open", "cancelling")),
        *((state, False) for state in ("answered", "not created", "refused", "failed", "expired", "cancelled", "lost")),
    ],
)
def test_a_job_is_open_while_it_may_answer(state: JobState, is_open: bool) -> None:
    assert BatchJob("name", "run", "print", "model", MIDNIGHT, state, MIDNIGHT).is_open is is_open


def remote(state: RemoteState, created: str = "2", name: str = "x") -> RemoteJob:
    return RemoteJob(name, "ours", state, created=created)


@pytest.mark.parametrize(
    ("doubles", "kept"),
    [
        ([remote("pending"), remote("running"), remote("succeeded"), remote("failed")], 2),
        ([remote("pending"), remote("running")], 1),
        ([remote("failed"), remote("pending")], 1),
        ([remote("running", "2"), remote("running", "1")], 1),
        ([remote("running", "1", "y"), remote("running", "1", "x")], 1),
        ([remote("failed", "1"), remote("unknown", "0"), remote("cancelled", "2")], 1),
    ],
)
def test_of_several_jobs_the_one_that_came_furthest_is_kept_then_the_oldest(
    doubles: list[RemoteJob], kept: int
) -> None:
    assert best_of(doubles) is doubles[kept]


@pytest.mark.parametrize(
    ("answers", "joined"),
    [
        ([("a", {0: ANSWER, 1: NOTHING}), ("b", {2: OTHER})], {0: ANSWER, 1: NOTHING, 2: OTHER}),
        ([("b", {2: OTHER}), ("a", {1: NOTHING})], {1: NOTHING, 2: OTHER}),
        ([("", {0: ANSWER}), ("", {2: OTHER})], {0: ANSWER, 2: OTHER}),
        # Under the key of another call, the ids say which one was answered.
        ([("b", {0: ANSWER, 1: OTHER})], {0: ANSWER, 1: OTHER}),
        # Ids of several calls are of none, unless the key says so.
        ([("", {0: ANSWER, 2: OTHER})], {}),
        ([("a", {0: ANSWER, 2: OTHER})], {0: ANSWER}),
        ([("a", {7: OTHER, 0: ANSWER})], {0: ANSWER}),
        ([("", {7: OTHER})], {}),
        ([("", {})], {}),
        # A key that is not of the job.
        ([("z", {0: ANSWER})], {}),
        # Twice the same counts once; different answers are none.
        ([("a", {0: ANSWER}), ("a", {0: Attribution(LAPTOP, "model", 0.1)})], {0: Attribution(LAPTOP, "model", 0.1)}),
        ([("a", {0: NOTHING}), ("a", {0: NOTHING})], {0: NOTHING}),
        (
            [("a", {0: ANSWER}), ("a", {0: OTHER})],
            {0: Unattributed("bad_answer", "two answers of the batch job differ")},
        ),
        (
            [("a", {0: ANSWER}), ("a", {0: NOTHING})],
            {0: Unattributed("bad_answer", "two answers of the batch job differ")},
        ),
    ],
)
def test_answers_are_joined_by_the_ids_inside_them(
    answers: list[tuple[str, Mapping[int, Outcome]]], joined: dict[int, Outcome]
) -> None:
    assert join_answers(answers, CALLS) == joined
