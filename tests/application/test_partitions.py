"""Partitions: each done once, and merged only if all are done from the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ticketattr.application.partitions import (
    Job,
    JobIdentity,
    Partition,
    PartitionProblem,
    PartitionRecord,
    PartitionResult,
    PartitionsDone,
    Tally,
    checked_records,
    digest_of_decided,
    do_missing,
    do_partition,
    one_after_the_other,
)
from ticketattr.domain.gold import GoldTicket
from ticketattr.domain.ticket import AttributedTicket, Attribution, Outcome, Ticket, Unattributed
from ticketattr.domain.usage import Bill, Usage
from ticketattr.errors import InputError, StageFileError

from ..fakes import LAPTOP, MIDNIGHT, a_correction

IDENTITY = JobIdentity("catalog", "classifier", "decided", "reading", "1.0")
JOB = Job("run", MIDNIGHT, IDENTITY)


def record(name: str, *, tickets: int = 2, digest: str = "", failed: int = 0, **more: str) -> PartitionRecord:
    outcomes = {"model": tickets - failed, "failed": failed}
    identity = replace(IDENTITY, **more)
    return PartitionRecord(
        *(name, identity, f"{name}.csv", 10, digest or name, 1, tickets, outcomes, 20, "answers"), Bill(Usage(calls=1))
    )


def partition(name: str) -> Partition:
    return Partition(name, Path(f"{name}.csv"))


@dataclass
class Folder:
    """A folder of a job in memory. `changed` are the partitions whose input is another one now."""

    kept: list[PartitionRecord] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)

    def done(self, partition: Partition) -> PartitionRecord | None:
        known = (one for one in self.kept if one.name == partition.name and not one.tally.failed)
        return next((one for one in known if one.name not in self.changed), None)

    def write(
        self, partition: Partition, identity: JobIdentity, tickets: Iterable[AttributedTicket], bill: Callable[[], Bill]
    ) -> PartitionRecord:
        count = len(list(tickets))
        return replace(record(partition.name, tickets=count), identity=identity, bill=bill())

    def records(self) -> list[PartitionRecord]:
        return self.kept

    def asked(self) -> set[str]:
        return self.named


def test_what_is_missing_is_done_and_told_as_it_comes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    steps: list[tuple[int, int | None]] = []
    problem = PartitionProblem("c", "no tickets", "Look.")
    results: dict[str, PartitionResult] = {"b": record("b", tickets=1), "c": problem, "d": record("d", tickets=1_200)}
    done = do_missing(
        [partition(name) for name in "abcd"],
        Folder([record("a")]),
        lambda one: results[one.name],
        one_after_the_other,
        lambda now, total: steps.append((now, total)),
    )
    assert done == PartitionsDone([record("a")], [results["b"], results["d"]], [problem])  # type: ignore[list-item]
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert caplog.messages == ["4 partitions, 1 of them done already", "b: 1 ticket", "d: 1,200 tickets"]
    assert (done.tally.tickets, done.bill.usage.calls) == (1_203, 2)


def test_without_anything_missing_nobody_is_asked_to_work() -> None:
    def runner(work: object, partitions: Sequence[Partition]) -> Iterable[PartitionResult]:
        raise AssertionError

    done = do_missing(
        [partition("a")],
        Folder([record("a")]),
        lambda one: record(one.name),
        runner,  # type: ignore[arg-type]
        lambda now, total: None,
    )
    assert done == PartitionsDone([record("a")], [], [])


def bill(number: int, cost: float | None) -> Bill:
    return Bill(Usage(*[number] * 7), cost, float(number), "m-1", ("a note",))


@pytest.mark.parametrize(
    ("before", "after", "cost"), [(1.0, 3.5, 2.5), (None, 3.5, None), (1.0, None, None), (0.0, 0.0, 0.0)]
)
def test_the_bill_of_a_partition_is_what_came_since_the_one_before(
    before: float | None, after: float | None, cost: float | None
) -> None:
    bills = iter([bill(2, before), bill(7, after)])
    done = do_partition(partition("a"), Folder(), IDENTITY, [], lambda: next(bills))
    assert done == replace(record("a", tickets=0), bill=bill(5, cost))


def test_an_input_that_is_wrong_is_the_problem_of_its_partition() -> None:
    def wrong() -> Iterable[AttributedTicket]:
        raise InputError("no tickets", hint="Look.")
        yield

    assert do_partition(partition("a"), Folder(), IDENTITY, wrong(), Bill) == PartitionProblem(
        "a", "no tickets", "Look."
    )


def test_tickets_are_counted_by_outcome_while_they_pass() -> None:
    outcomes: list[Outcome] = [
        Attribution(LAPTOP, "model"),
        Unattributed("no_match"),
        Unattributed("bad_answer"),
        Attribution(LAPTOP, "kept"),
    ]
    tickets = [AttributedTicket(Ticket(str(number), "x"), outcome) for number, outcome in enumerate(outcomes)]
    tally, told = Tally(), list[int]()
    assert list(tally.counted(tickets, told.append)) == tickets
    assert told == [1, 2, 3, 4]
    assert tally.outcomes == Counter({"model": 1, "no_match": 1, "failed": 1, "kept": 1})
    assert (tally.tickets, tally.failed, tally.attributed) == (4, 1, 2)


READING = "other settings for reading tickets (HELPDESK_PROFILE, HELPDESK_KEEP, TIME_FORMAT, TIME_ZONE)"
AGAIN = "Run the same `ticketattr classify` again: it does what is missing."
REMOVE = "Remove its files from the folder, and run `ticketattr classify` again."


@pytest.mark.parametrize(
    ("folder", "expected", "message", "hint"),
    [
        (Folder([record("a")], {"a", "c", "b"}), None, "2 partitions of 3 not done: b, c", AGAIN),
        (Folder([record("a")], {"z"}), "ab", "1 partition of 2 not done: b", AGAIN),
        (
            Folder([], set("abcdefg")),
            *(None, "7 partitions of 7 not done: a, b, c, d, e, and 2 more", AGAIN),
        ),
        (
            *(Folder([record(name) for name in "cab"]), "b", "done, but not among those of --input: a, c"),
            "Give all partitions with --input, or remove the files of these from the folder.",
        ),
        (
            *(Folder([record("a")], changed={"a"}), "a", "a.csv changed since it was classified"),
            "Run the same `ticketattr classify` again.",
        ),
        (
            *(Folder([record("a", digest="x"), record("b", digest="x")]), None),
            "partitions a and b have the same content, so each of their tickets is there twice",
            "Remove one of them, and its files b.* from the folder of the job.",
        ),
        (
            *(Folder([record("a", program="0.9")]), None),
            *("partition a was done with version 0.9 of ticketattr, and the job is of 1.0", REMOVE),
        ),
        (*(Folder([record("a", catalog="x")]), None, "partition a was done with another catalog", REMOVE),),
        (*(Folder([record("a", classifier="x")]), None, "partition a was done with another classifier", REMOVE),),
        (
            *(Folder([record("a", decided="x")]), None),
            *("partition a was done with other corrections or examples", REMOVE),
        ),
        (
            *(Folder([record("a"), record("b", reading="x")]), None),
            f"partition b was done with {READING}",
            REMOVE,
        ),
    ],
)
def test_partitions_that_do_not_belong_together_are_not_merged(
    folder: Folder, expected: str | None, message: str, hint: str
) -> None:
    with pytest.raises(StageFileError) as caught:
        checked_records(JOB, folder, expected and [partition(name) for name in expected])  # type: ignore[arg-type]
    assert (str(caught.value), caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    "folder",
    [
        Folder([record("a"), record("b")]),
        # Two empty partitions are equal, and no ticket is there twice.
        Folder([record("a", tickets=0, digest="x"), record("b", tickets=0, digest="x")]),
        # A partition with failures is not done for good, and merged nevertheless.
        Folder([record("a"), record("b", failed=1)]),
    ],
)
def test_partitions_that_belong_together_are_merged(folder: Folder) -> None:
    for expected in (None, [partition("a"), partition("b")]):
        assert checked_records(JOB, folder, expected) == folder.records()


def test_what_people_decided_has_a_digest_that_changes_with_every_decision() -> None:
    corrections, labelled = [a_correction("x"), a_correction("y")], [GoldTicket(Ticket("1", "x"), LAPTOP)]
    decided = [([], []), (corrections[:1], []), (corrections, []), (corrections[:1], labelled), ([], labelled)]
    digests = [digest_of_decided(*one) for one in decided]
    assert len(set(digests)) == len(decided)
    assert digests == [digest_of_decided(list(one), list(other)) for one, other in decided]
