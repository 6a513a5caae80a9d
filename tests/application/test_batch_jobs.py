"""Batch jobs: what is asked in them, what becomes of each, and what the tickets are told meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, TypeVar

import anyio
import pytest

from ticketattr.application.batch_jobs import (
    BatchJobs,
    JobInput,
    JobRefused,
    PreparedCall,
    ask_in_jobs,
    cancel_jobs,
)
from ticketattr.application.classify import classify_tickets
from ticketattr.domain.batch_job import TRIED_STATES, BatchJob, JobCall, JobState, RemoteJob
from ticketattr.domain.catalog import ServiceCatalog
from ticketattr.domain.examples import NO_EXAMPLES, Examples
from ticketattr.domain.ticket import Attribution, Outcome, Reason, Ticket, Unattributed
from ticketattr.errors import ServiceError, SettingsError

from ..fakes import CATALOG, LAPTOP, PASSWORD, ScriptedClassifier
from ..fakes import MIDNIGHT as NOW
from .test_classify import Remembering

T = TypeVar("T")
HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
NEW, OLD = "ticketattr-run-1-ff", "ticketattr-old-1-aa"
DOWN = ServiceError("503: down")
ANSWER = Attribution(PASSWORD, "model", 0.9, "a quote")


@dataclass
class Journal:
    """A journal in memory. `records` has each state in the order in which it was recorded, with its detail."""

    kept: list[BatchJob] = field(default_factory=list)
    records: list[tuple[JobState, str]] = field(default_factory=list)
    locked: int = 0

    def exists(self) -> bool:
        return bool(self.kept)

    def lock(self, at: datetime, *, wait: float = 0.0) -> AbstractContextManager[datetime]:
        assert (at, wait) == (NOW, 60.0)
        self.locked += 1
        return nullcontext(at)

    def jobs(self, *, only_open: bool = False) -> list[BatchJob]:
        return [job for job in self.kept if job.is_open or not only_open]

    def tried(self, ticket_keys: Sequence[str]) -> set[str]:
        ended = [call for job in self.kept if job.state in TRIED_STATES for call in job.calls]
        return {key for call in ended for key in call.ticket_keys} & set(ticket_keys)

    def add(self, job: BatchJob) -> BatchJob:
        self.records.append((job.state, job.detail))
        self.kept.append(replace(job, number=len(self.kept) + 1))
        return self.kept[-1]

    def record(self, job: BatchJob, state: JobState, at: datetime, *, name: str = "", detail: str = "") -> BatchJob:
        assert at == NOW
        self.records.append((state, detail))
        place = next(place for place, one in enumerate(self.kept) if one.display_name == job.display_name)
        self.kept[place] = replace(job, state=state, changed=at, name=name or job.name, detail=detail)
        return self.kept[place]


def remote(state: Any = "running", name: str = "jobs/9", **more: Any) -> RemoteJob:
    return RemoteJob(name, OLD, state, **more)


@dataclass
class Service:
    """A service in memory: an exception among its answers is raised. `asked` are the calls that it got."""

    poll_answer: RemoteJob | Exception | None = None
    find_answer: Sequence[RemoteJob] | Exception = ()
    create_answer: RemoteJob | Exception = field(default_factory=lambda: remote("pending", "jobs/1"))
    upload_answer: JobInput | Exception = field(default_factory=lambda: JobInput("files/1"))
    outcomes: Mapping[int, Outcome] = field(default_factory=dict)
    decided: Mapping[str, Outcome] = field(default_factory=dict)
    most_calls: int | None = None
    content: bytes = b"x"
    batch_size: int = 2
    model: str = "m-1"
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    async def __aenter__(self) -> Service:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.asked.append(("leave",))

    async def without_model(
        self, tickets: Sequence[Ticket], catalog: ServiceCatalog, examples: Examples
    ) -> Sequence[Outcome | None]:
        assert (catalog, type(examples)) == (CATALOG, Examples)
        return [self.decided.get(ticket.id) for ticket in tickets]

    def prepare(
        self, batches: Sequence[Sequence[Ticket]], first: int, catalog: ServiceCatalog, examples: Examples
    ) -> list[PreparedCall]:
        assert (catalog, type(examples)) == (CATALOG, Examples)
        self.asked.append(("prepare", [[ticket.id for ticket in batch] for batch in batches], first))
        return [PreparedCall(f"call {place}", self.content) for place in range(len(batches))][: self.most_calls]

    async def upload(self, display_name: str, calls: Sequence[PreparedCall]) -> JobInput:
        return self._answer(self.upload_answer, "upload", display_name, [call.key for call in calls])

    async def create(self, display_name: str, calls: JobInput) -> RemoteJob:
        return self._answer(self.create_answer, "create", display_name, calls)

    async def find(self, display_name: str) -> list[RemoteJob]:
        return list(self._answer(self.find_answer, "find", display_name))

    async def poll(self, name: str) -> RemoteJob | None:
        return self._answer(self.poll_answer, "poll", name)

    async def cancel(self, name: str) -> None:
        self.asked.append(("cancel", name))

    async def answers(self, job: BatchJob, catalog: ServiceCatalog) -> Mapping[int, Outcome]:
        assert catalog == CATALOG
        return self._answer(self.outcomes, "answers", job.name)

    def restored(self, outcome: Outcome, ticket: Ticket) -> Outcome:
        return replace(outcome, evidence=f"of {ticket.id}") if isinstance(outcome, Attribution) else outcome

    def _answer(self, answer: T | Exception, *asked: object) -> T:
        self.asked.append(asked)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def calls(self) -> list[str]:
        """The kinds of the calls, and what was cancelled."""
        return [" ".join(asked) if asked[0] == "cancel" else asked[0] for asked in self.asked if asked[0] != "leave"]


def queue(count: int) -> dict[str, Ticket]:
    return {f"key {number}": Ticket(f"T-{number}", f"subject {number}") for number in range(1, count + 1)}


def parts(service: Service, journal: Journal, above: int | None = None) -> BatchJobs:
    return BatchJobs(service, journal, lambda: NOW, "run", lambda: "ff", above)


Kept = list[tuple[dict[str, Outcome], dict[str, Ticket]]]


def ask(
    service: Service,
    journal: Journal,
    tickets: Mapping[str, Ticket],
    above: int | None = None,
    kept: Kept | None = None,
) -> dict[str, Outcome]:
    """The outcomes. What is kept for later runs is added to `kept`; without one, nothing may be."""

    def keep(answers: Mapping[str, Outcome], of: Mapping[str, Ticket]) -> None:
        assert kept is not None
        kept.append((dict(answers), dict(of)))

    return anyio.run(ask_in_jobs, parts(service, journal, above), tickets, CATALOG, "print", NO_EXAMPLES, keep)


def pending(name: str, detail: str) -> Unattributed:
    return Unattributed("pending", f"asked about in the batch job {name}: {detail}")


def test_more_texts_than_set_are_asked_about_in_a_job(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    service, journal, tickets = Service(), Journal(), queue(5)
    assert ask(service, journal, tickets, above=4) == dict.fromkeys(
        tickets, pending(NEW, "the service has it since now")
    )
    first = 100_255  # 100,000, and the token
    assert service.asked == [
        ("prepare", [["T-1", "T-2"], ["T-3", "T-4"], ["T-5"]], first),
        ("upload", NEW, ["call 0", "call 1", "call 2"]),
        ("create", NEW, JobInput("files/1")),
        ("leave",),
    ]
    calls = (
        JobCall("call 0", first, ("key 1", "key 2")),
        JobCall("call 1", first + 2, ("key 3", "key 4")),
        JobCall("call 2", first + 4, ("key 5",)),
    )
    assert journal.kept == [BatchJob(NEW, "run", "print", "m-1", NOW, "open", NOW, calls, "jobs/1", number=1)]
    assert journal.records == [("uploading", ""), ("creating", ""), ("open", "")]
    assert caplog.messages == [f"batch job {NEW} asks about 5 tickets"]


@pytest.mark.parametrize(("count", "above"), [(5, 5), (5, 6), (5, None), (0, 0)])
def test_as_many_texts_as_set_are_asked_about_at_once_and_nobody_waits_for_a_journal(
    count: int, above: int | None
) -> None:
    service, journal = Service(), Journal()
    assert ask(service, journal, queue(count), above) == {}
    assert (service.asked, journal.locked) == ([], 0)


def test_what_is_decided_without_the_model_is_not_asked_about_and_does_not_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    decided = Attribution(LAPTOP, "offline", 0.99)
    service, journal = Service(decided={"T-1": decided}), Journal()
    assert ask(service, journal, queue(3), above=2) == {"key 1": decided}
    assert (service.asked, journal.kept) == ([], [])
    assert caplog.messages == ["1 of 3 texts decided without the model"]


@pytest.mark.parametrize(("above", "asked"), [(2, [["T-3", "T-4"], ["T-5"]]), (3, None), (4, None)])
def test_what_a_job_was_asked_about_for_good_is_asked_about_in_no_further_job(
    above: int, asked: list[list[str]] | None
) -> None:
    ended = replace(OPEN, state="failed", calls=(JobCall("k", 7, ("key 1", "key 2")),))
    service, journal = Service(), Journal([ended])
    outcomes = ask(service, journal, queue(5), above)
    assert list(outcomes) == (["key 3", "key 4", "key 5"] if asked else [])
    assert [batches for kind, *more in service.asked if kind == "prepare" for batches in more[:1]] == (
        [asked] if asked else []
    )


def test_what_the_cost_limit_leaves_out_is_asked_nowhere() -> None:
    service, journal = Service(most_calls=1), Journal()
    outcomes = ask(service, journal, queue(5), above=1)
    limit = Unattributed("cost_limit", "not asked in a batch job, because of LLM_MAX_COST")
    waits = pending(NEW, "the service has it since now")
    assert outcomes == {f"key {number}": waits if number < 3 else limit for number in range(1, 6)}
    assert journal.kept[0].tickets == 2


def test_a_cost_limit_that_allows_no_call_makes_no_job() -> None:
    service, journal = Service(most_calls=0), Journal()
    limit = Unattributed("cost_limit", "not asked in a batch job, because of LLM_MAX_COST")
    assert ask(service, journal, queue(2), above=1) == dict.fromkeys(queue(2), limit)
    assert (service.calls, journal.kept) == (["prepare"], [])


def test_a_queue_waits_for_its_job_and_takes_the_answers_when_it_ended() -> None:
    service, journal, cache, classifier = Service(), Journal(), Remembering(), ScriptedClassifier()
    tickets = list(queue(3).values())

    def classified(jobs: BatchJobs | None) -> list[Outcome]:
        attributed = classify_tickets(tickets, CATALOG, classifier, cache, lambda done, of: None, jobs=jobs)
        return [ticket.outcome for ticket in attributed]

    assert classified(parts(service, journal, above=2)) == [SINCE_NOW] * 3
    (job,) = journal.kept
    assert (job.fingerprint, job.tickets) == ("scripted", 3)
    service.poll_answer = remote("succeeded", has_answers=True)
    service.outcomes = {number: ANSWER for call in job.calls for number, _ in call.numbered}
    answers = [replace(ANSWER, evidence=f"of {ticket.id}") for ticket in tickets]
    assert classified(parts(service, journal)) == answers
    assert classified(None) == [replace(answer, source="cached") for answer in answers]
    assert classifier.shown == []
    assert classified(parts(service, Journal(), above=3)) == classified(None)


@pytest.mark.parametrize(
    ("count", "size", "jobs"),
    [(5_000, 1, [5_000]), (5_001, 1, [5_000, 1]), (4, 2**24, [4]), (5, 2**24, [4, 1]), (3, 2**25 + 1, [1, 1, 1])],
)
def test_a_job_has_at_most_5000_calls_and_64_megabytes(count: int, size: int, jobs: list[int]) -> None:
    service, journal = Service(batch_size=1, content=bytes(size)), Journal()
    tickets = queue(count)
    assert list(ask(service, journal, tickets, above=1)) == list(tickets)
    assert [(job.display_name, job.tickets) for job in journal.kept] == [
        (f"ticketattr-run-{part}-ff", tickets) for part, tickets in enumerate(jobs, start=1)
    ]
    assert [call.first for job in journal.kept for call in job.calls] == list(range(100_255, 100_255 + count))


def later(detail: str, reason: Reason = "service_error") -> Unattributed:
    return Unattributed(reason, f"no batch job was made, the next run tries again: {detail}")


SINCE_NOW = pending(NEW, "the service has it since now")
FOUND = [remote(name="jobs/1")]


@pytest.mark.parametrize(
    ("service", "outcome", "state", "detail", "calls"),
    [
        (Service(upload_answer=DOWN), later("503: down"), "not created", "503", []),
        (
            Service(create_answer=JobRefused("429: full", reason="quota", is_transient=True)),
            *(later("429: full", "quota"), "not created", "429", ["create"]),
        ),
        (Service(create_answer=JobRefused("400: no")), None, "refused", "400", ["create"]),
        (Service(create_answer=DOWN, find_answer=FOUND), SINCE_NOW, "open", "", ["create", "find"]),
        (
            Service(create_answer=DOWN),
            *(pending(NEW, "nobody knows yet whether the service has it: 503: down"), "creating", ""),
            ["create", "find"],
        ),
        (
            Service(create_answer=DOWN, find_answer=ServiceError("502: too")),
            *(pending(NEW, "nobody knows yet whether the service has it: 503: down"), "creating", ""),
            ["create", "find"],
        ),
    ],
)
def test_a_job_that_is_not_made_at_once_costs_nothing_twice(
    service: Service,
    outcome: Outcome | None,
    state: JobState,
    detail: str,
    calls: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    journal = Journal()
    assert ask(service, journal, queue(2), above=1) == (dict.fromkeys(queue(2), outcome) if outcome else {})
    (job,) = journal.kept
    assert (job.state, job.detail, job.name) == (state, detail, "jobs/1" if state == "open" else "")
    assert service.calls == ["prepare", "upload", *calls]
    said = {"503": "503: down", "429": "429: full", "400": "400: no"}.get(detail)
    assert caplog.messages == ([f"the batch job {NEW} was not made: {said}"] if said else [])


@pytest.mark.parametrize(
    ("answer", "found", "jobs"),
    [
        (JobRefused("400: no"), [], 2),
        (JobRefused("429: full", is_transient=True), [], 1),
        (DOWN, [], 1),
        (DOWN, [remote(name="jobs/1")], 2),
    ],
)
def test_after_a_job_that_may_be_made_later_no_further_one_is_tried(
    answer: Exception, found: list[RemoteJob], jobs: int
) -> None:
    journal = Journal()
    service = Service(batch_size=1, content=bytes(2**25 + 1), create_answer=answer, find_answer=found)
    ask(service, journal, queue(2), above=1)
    assert len(journal.kept) == jobs


def test_a_wrong_key_is_raised_and_the_journal_says_that_there_is_no_job() -> None:
    journal = Journal()
    with pytest.raises(SettingsError, match="the key is wrong"):
        ask(Service(create_answer=SettingsError("the key is wrong")), journal, queue(2), above=1)
    assert journal.records == [("uploading", ""), ("creating", ""), ("not created", "")]


OPEN = BatchJob(
    *(OLD, "old", "print", "m-1", NOW - HOUR, "open", NOW - HOUR),
    calls=(JobCall("k", 7, ("key 1", "key 2", "key 3")),),
    name="jobs/9",
    number=1,
)
CREATING = replace(OPEN, state="creating", name="")
UNCERTAIN = "nobody knows yet whether the service has it"
TWO = [remote("pending", "jobs/2"), remote(name="jobs/1")]
TWICE = f"the batch job {OLD} exists twice: one of both is cancelled"
STARTED = "the service has it running since 2026-11-22 23:00 UTC"


PASSED_OVER = (
    f"the batch job {OLD} asks about 3 tickets with another catalog, model or prompt: its answers are not used now; "
    "`ticketattr jobs cancel` stops it"
)


def ends(state: str, detail: str = "") -> str:
    why = f" ({detail})" if detail else ""
    return f"the batch job {OLD} is {state}{why}: its 3 tickets are asked about in ordinary calls"


def older(age: timedelta, job: BatchJob = OPEN) -> BatchJob:
    return replace(job, created=NOW - age)


@pytest.mark.parametrize(
    ("job", "service", "state", "detail", "waits", "messages", "calls"),
    [
        (OPEN, Service(remote()), "open", "", STARTED, [], ["poll"]),
        (
            OPEN,
            Service(remote("failed", detail="429: quota")),
            "failed",
            "429",
            "",
            [ends("failed", "429: quota")],
            ["poll"],
        ),
        (OPEN, Service(remote("failed")), "failed", "", "", [ends("failed")], ["poll"]),
        (OPEN, Service(remote("succeeded")), "failed", "", "", [ends("failed")], ["poll"]),
        (OPEN, Service(remote("expired")), "expired", "", "", [ends("expired")], ["poll"]),
        (OPEN, Service(remote("cancelled")), "cancelled", "", "", [], ["poll"]),
        # The service does not know it by its name any more.
        (
            *(OPEN, Service(None), "lost", "the service does not know it any more", ""),
            *([ends("lost", "the service does not know it any more")], ["poll", "find"]),
        ),
        (OPEN, Service(None, [remote(name="jobs/1")]), "open", "", STARTED, [], ["poll", "find"]),
        (OPEN, Service(None, TWO), "open", "", STARTED, [TWICE], ["poll", "find", "cancel jobs/2"]),
        # It works for too long.
        (
            *(older(2 * DAY), Service(remote()), "open", ""),
            *("the service has it running since 2026-11-21 00:00 UTC", [], ["poll"]),
        ),
        (
            *(
                older(2 * DAY + SECOND),
                Service(remote()),
                "expired",
                "still running after 48 hours, and so cancelled",
                "",
            ),
            [ends("expired", "still running after 48 hours, and so cancelled")],
            ["poll", "cancel jobs/9"],
        ),
        # It cannot be asked about.
        (
            *(older(3 * DAY), Service(DOWN), "open", "", "the service did not say how far it is: 503: down"),
            *([f"the batch job {OLD} was not looked at: 503: down"], ["poll"]),
        ),
        (
            *(older(3 * DAY + SECOND), Service(DOWN), "lost"),
            *("the service did not say how far it is for three days", ""),
            [ends("lost", "the service did not say how far it is for three days: 503: down")],
            ["poll"],
        ),
        # The run that made it ended in between.
        (replace(CREATING, state="uploading"), Service(), "not created", "the run ended before", "", [], []),
        (replace(CREATING, changed=NOW), Service(), "creating", "", UNCERTAIN, [], ["find"]),
        (replace(CREATING, changed=NOW - 9 * SECOND), Service(), "creating", "", UNCERTAIN, [], ["find"]),
        (
            *(replace(CREATING, changed=NOW - 10 * SECOND), Service()),
            *("not created", "never reached the service", "", [], ["find"]),
        ),
        (
            *(replace(CREATING, changed=NOW + SECOND), Service()),
            *("not created", "never reached the service", "", [], ["find"]),
        ),
        (CREATING, Service(remote(), TWO), "open", "", STARTED, [TWICE], ["find", "cancel jobs/2", "poll"]),
        # It asks about another catalog.
        (
            replace(older(7 * DAY), fingerprint="other"),
            *(Service(), "open", "", ""),
            [PASSED_OVER],
            [],
        ),
        (
            replace(older(7 * DAY + SECOND), fingerprint="other"),
            *(Service(), "lost", "its catalog or model was not used again", "", [], []),
        ),
    ],
)
def test_a_job_of_an_earlier_run_is_settled_and_its_tickets_wait_or_are_asked_about_at_once(
    job: BatchJob,
    service: Service,
    state: JobState,
    detail: str,
    waits: str,
    messages: list[str],
    calls: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    # The third ticket of the job is no longer in the queue.
    journal, tickets = Journal([job]), queue(2)
    assert ask(service, journal, tickets) == (dict.fromkeys(tickets, pending(OLD, waits)) if waits else {})
    (now,) = journal.kept
    assert not isinstance(service.find_answer, Exception)
    named = "jobs/1" if any(one.name == "jobs/1" for one in service.find_answer) else job.name
    assert now == replace(job, state=state, detail=detail, name=named, changed=NOW if journal.records else job.changed)
    assert (caplog.messages, service.calls) == (messages, calls)


def test_the_answers_of_a_job_are_kept_before_the_journal_says_that_they_were_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    no_match, failed = Unattributed("no_match"), Unattributed("bad_answer")
    job = replace(OPEN, calls=(JobCall("k", 7, ("key 1", "gone", "key 2")), JobCall("l", 10, ("key 3",))))
    service = Service(remote(has_answers=True), outcomes={7: ANSWER, 8: ANSWER, 9: failed, 10: no_match})
    journal = Journal([job])
    kept: Kept = []
    outcomes = ask(service, journal, queue(3), kept=kept)
    restored = replace(ANSWER, evidence="of T-1")
    assert outcomes == {"key 1": restored, "key 3": no_match}
    # Of the ticket that left the queue, nobody can put the private words back into the quote.
    answers = {"key 1": restored, "gone": replace(ANSWER, evidence=""), "key 3": no_match}
    assert kept == [(answers, {"key 1": queue(3)["key 1"], "gone": Ticket("", ""), "key 3": queue(3)["key 3"]})]
    assert journal.kept == [replace(job, state="answered", changed=NOW, detail="3 of 4 tickets answered")]
    assert caplog.messages == [f"batch job {OLD}: 3 of 4 tickets answered"]
    assert service.asked == [("poll", "jobs/9"), ("answers", "jobs/9"), ("leave",)]


def test_answers_are_taken_from_the_job_that_has_our_name_if_the_other_is_gone() -> None:
    service = Service(None, [remote("succeeded", "jobs/1", has_answers=True)])
    ask(service, Journal([OPEN]), queue(2), kept=[])
    assert service.asked == [("poll", "jobs/9"), ("find", OLD), ("answers", "jobs/1"), ("leave",)]


def test_every_job_is_settled_whatever_became_of_those_before() -> None:
    other = replace(older(7 * DAY + SECOND), fingerprint="other")
    journal = Journal([other, *(replace(OPEN, display_name=name) for name in ("a", "b"))])
    ask(Service(remote("cancelled")), journal, queue(2))
    assert [job.state for job in journal.kept] == ["lost", "cancelled", "cancelled"]
    journal = Journal([replace(OPEN, display_name=name) for name in ("a", "b")])
    service = Service(DOWN)
    ask(service, journal, queue(2))
    assert service.calls == ["poll", "poll"]
    journal = Journal([replace(older(3 * DAY + SECOND), display_name=name) for name in ("a", "b")])
    ask(service, journal, queue(2))
    assert [job.state for job in journal.kept] == ["lost", "lost"]


def test_an_error_that_repeats_the_text_of_a_ticket_is_cut_to_its_code(caplog: pytest.LogCaptureFixture) -> None:
    text = "The salary of our new colleague was printed for everybody to see"
    tickets = {"key 1": Ticket("T-1", "Printer", text)}
    outcomes = ask(Service(ServiceError(f"400: cannot read {text}")), Journal([OPEN]), tickets)
    assert outcomes == {"key 1": pending(OLD, "the service did not say how far it is: 400")}
    assert caplog.messages == [f"the batch job {OLD} was not looked at: 400"]


@pytest.mark.parametrize(
    ("job", "service", "state", "calls"),
    [
        (OPEN, Service(None), "cancelled", ["cancel jobs/9", "poll"]),
        (OPEN, Service(remote("cancelled")), "cancelled", ["cancel jobs/9", "poll"]),
        (OPEN, Service(remote("cancelled", has_answers=True)), "cancelling", ["cancel jobs/9", "poll"]),
        (OPEN, Service(remote()), "cancelling", ["cancel jobs/9", "poll"]),
        (CREATING, Service(), "not created", ["find"]),
        (replace(CREATING, changed=NOW), Service(), "creating", ["find"]),
        (CREATING, Service(None, [remote(name="jobs/9")]), "cancelled", ["find", "cancel jobs/9", "poll"]),
        (replace(CREATING, state="uploading"), Service(), "not created", []),
    ],
)
def test_a_job_is_cancelled_as_far_as_the_service_says_so(
    job: BatchJob, service: Service, state: JobState, calls: list[str]
) -> None:
    journal = Journal([job])
    (told,) = anyio.run(cancel_jobs, parts(service, journal))
    assert (told.state, [told], service.calls) == (state, journal.kept, calls)


@pytest.mark.parametrize(
    ("names", "cancelled"), [((), ["a", "b"]), (("b",), ["b"]), (("b", "a"), ["a", "b"]), (("c",), []), (("d",), [])]
)
def test_the_named_jobs_are_cancelled_if_they_are_open(names: Sequence[str], cancelled: list[str]) -> None:
    journal = Journal(
        [*(replace(OPEN, display_name=name) for name in "ab"), replace(OPEN, display_name="c", state="failed")]
    )
    service = Service(None)
    assert [job.display_name for job in anyio.run(cancel_jobs, parts(service, journal), names)] == cancelled
    assert [job.state for job in journal.kept] == [
        *("cancelled" if name in cancelled else "open" for name in "ab"),
        "failed",
    ]
    assert bool(service.asked) == bool(cancelled)
