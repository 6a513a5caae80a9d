"""How the runs of the service are named, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ticketattr.domain.service_run import RunState, ServiceRun, Undo

from ..fakes import MIDNIGHT

RUN = ServiceRun(3, "page", "anna", MIDNIGHT)


@pytest.mark.parametrize(
    ("run", "name"),
    [
        (RUN, "Run 3"),
        (replace(RUN, dry_run=True), "Run 3 (dry run)"),
        (replace(RUN, undo=Undo("r1")), "Run 3 (puts back all of r1)"),
        (replace(RUN, undo=Undo("r1", 7), dry_run=True), "Run 3 (puts back change 7 of r1)"),
    ],
)
def test_a_run_is_named_by_its_number_and_what_it_does(run: ServiceRun, name: str) -> None:
    assert run.name == name
    assert f"Run 3{run.kind_text}" == name


@pytest.mark.parametrize(
    ("state", "exit_code", "text", "is_over"),
    [
        ("queued", None, "queued", False),
        ("running", None, "running", False),
        ("ended", 0, "done", True),
        ("ended", 5, "done in part (exit code 5)", True),
        ("ended", 1, "failed (exit code 1)", True),
        ("ended", 143, "failed (exit code 143)", True),
        ("ended", -9, "killed", True),
        ("lost", None, "killed", True),
    ],
)
def test_the_state_of_a_run_is_one_word_or_how_it_failed(
    state: RunState, exit_code: int | None, text: str, is_over: bool
) -> None:
    run = replace(RUN, state=state, exit_code=exit_code)
    assert (run.state_text, run.is_over) == (text, is_over)


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (RUN, "Run 3 has started"),
        (replace(RUN, stage="fetch"), "Run 3 is in the stage fetch"),
        (replace(RUN, stage="classify", done=3, total=14), "Run 3 is in the stage classify, 3 of 14 tickets"),
        (replace(RUN, stage="classify", done=0, total=1), "Run 3 is in the stage classify, 0 of 1 ticket"),
        (replace(RUN, stage="apply", done=1_234, total=5_678), "Run 3 is in the stage apply, 1,234 of 5,678 tickets"),
    ],
)
def test_the_progress_of_a_run_names_the_stage_and_counts_tickets(run: ServiceRun, text: str) -> None:
    assert run.progress_text == text
