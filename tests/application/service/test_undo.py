"""Asking for what a run wrote to be put back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ticketattr.application.service.runs import Service
from ticketattr.application.service.undo import request_undo
from ticketattr.domain.access import Caller
from ticketattr.domain.service_run import AuditEntry, Undo
from ticketattr.domain.write_back import Change, ChangeMode, ChangeState
from ticketattr.errors import InputError
from ticketattr.infrastructure.service.cron import CronExpressions
from ticketattr.infrastructure.service.state_db import SQLiteServiceState

from ...fakes import MIDNIGHT, PASSWORD
from .test_runs import Clock, Processes

ANN = Caller("ann", "operate", "192.0.2.7")


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(SQLiteServiceState(tmp_path / "service.db"), Processes(), CronExpressions(ZoneInfo("UTC")), Clock())


def change(number: int, mode: ChangeMode = "fill", state: ChangeState = "applied", undoes: int = 0) -> Change:
    pairs = (("", ""), PASSWORD.pair)
    return Change("", "run", f"T-{number}", mode, *pairs, state, MIDNIGHT, MIDNIGHT, undoes=undoes, number=number)


LEDGER = [change(1), change(2), change(3, "suggest"), change(4, "fill", "refused"), change(5, "undo", undoes=2)]


@pytest.mark.parametrize("undo", [Undo("run"), Undo("run", 1)])
def test_what_a_run_set_is_queued_once_to_be_put_back(service: Service, undo: Undo) -> None:
    run, is_new = request_undo(service, LEDGER, ANN, "page", undo, key="k")
    assert (run.number, run.undo, run.trigger, run.requested_by, run.state, is_new) == (
        *(1, undo, "page", "ann", "queued"),
        True,
    )
    assert request_undo(service, LEDGER, ANN, "page", undo, key="k") == (run, False)
    service.state.save_run(replace(run, state="ended"))
    assert request_undo(service, LEDGER, ANN, "page", undo, key="k")[0].number == 1, "the same request"
    # Without a key, it is another request, each time.
    for number in (2, 3):
        run, is_new = request_undo(service, LEDGER, ANN, "page", undo)
        assert (run.number, is_new) == (number, True)
        service.state.save_run(replace(run, state="ended"))


@pytest.mark.parametrize(
    ("undo", "message"),
    [
        (Undo("other"), "not in the ledger of changes: all of other"),
        (Undo("run", 9), "not in the ledger of changes: change 9 of run"),
        (Undo("run", 2), "nothing of it can be put back: change 2 of run"),
        (Undo("run", 3), "nothing of it can be put back: change 3 of run"),
        (Undo("run", 4), "nothing of it can be put back: change 4 of run"),
    ],
)
def test_what_cannot_be_put_back_is_refused_and_the_audit_shows_it(service: Service, undo: Undo, message: str) -> None:
    with pytest.raises(InputError) as caught:
        request_undo(service, LEDGER, ANN, "page", undo)
    assert str(caught.value) == message
    assert caught.value.hint == "Only a value that a run set, and that was not put back yet, can be put back."
    assert service.state.audit() == [
        AuditEntry(service.clock(), "ann", "192.0.2.7", "undo", str(undo), "refused", number=1)
    ]
    assert service.state.runs() == []


def test_the_audit_keeps_200_characters_of_what_was_asked_for(service: Service) -> None:
    with pytest.raises(InputError):
        request_undo(service, LEDGER, ANN, "page", Undo("x" * 300))
    assert service.state.audit()[0].detail == f"all of {'x' * 193}"
