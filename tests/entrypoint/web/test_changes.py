"""The list of changes in the helpdesk, on its page and by the API, and putting them back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from ticketattr.domain.service_run import Undo
from ticketattr.domain.write_back import Change, ChangeMode, ChangeState
from ticketattr.infrastructure.helpdesk.applied_db import SQLiteChangeLedger

from .conftest import Web
from .test_api import RUN

OTHER = "20261126T120000Z-0000"


def put_change(
    web: Web,
    folder: Path,
    ticket: str,
    *,
    run: str = RUN,
    mode: ChangeMode = "fill",
    state: ChangeState = "applied",
    undoes: int = 0,
) -> Change:
    """A change in the ledger: number 1 is the first."""
    now = web.clock()
    pairs = (("", ""), ("Access", "Password <b>"))
    change = Change(
        *("https://desk.example.com", run, ticket, mode, *pairs, state, now, now), confidence=0.95, undoes=undoes
    )
    web.clock.now += timedelta(seconds=1)
    return SQLiteChangeLedger(folder / "work" / "applied.db").add(change)


def test_the_page_shows_what_a_run_did_to_each_ticket_newest_first(web: Web, tmp_path: Path) -> None:
    put_change(web, tmp_path, "<script>1")
    put_change(web, tmp_path, "INC-2", run=OTHER, mode="suggest")
    put_change(web, tmp_path, "INC-3", state="in_doubt")
    with web.browser("read") as person:
        page = person.get("/changes").text
        assert page.index("INC-3") < page.index("INC-2") < page.index("&lt;script&gt;1")
        assert "<script>1" not in page
        assert "Password &lt;b&gt;" in page
        assert "in doubt" in page
        assert "Put back" not in page
        of_run = person.get(f"/changes?run={OTHER}").text
        assert "INC-2" in of_run
        assert "INC-3" not in of_run
        assert "0 in all" in person.get("/changes?run=%3Cscript%3E").text


def test_a_list_of_changes_goes_on_with_the_same_run(web: Web, tmp_path: Path) -> None:
    for number in range(51):
        put_change(web, tmp_path, f"INC-{number}")
    with web.browser("read") as person:
        assert f"?page=2&amp;run={RUN}" in person.get(f"/changes?run={RUN}").text
        assert "INC-0" in person.get(f"/changes?run={RUN}&page=2").text
    with web.client("read") as client:
        found: list[int] = []
        url: str | None = f"?limit=20&run={RUN}"
        while url:
            page = client.get(f"/api/v1/changes{url}").json()
            found += [change["number"] for change in page["items"]]
            url = page["next"]
    assert found == list(range(51, 0, -1))


def test_a_person_puts_back_one_change_or_those_of_a_run_and_the_audit_says_who(web: Web, tmp_path: Path) -> None:
    put_change(web, tmp_path, "INC-1")
    put_change(web, tmp_path, "INC-2")
    with web.browser() as person:
        assert person.get("/changes").text.count(">Put back</button>") == 2
        one = {"run": RUN, "change": "2", "key": "of-this-page"}
        answers = [person.post("/changes/undo", data=one) for _ in range(2)]
        assert {(answer.status_code, answer.headers["location"]) for answer in answers} == {(303, "/runs/1")}
        assert "Put back all of this run" in person.get(f"/changes?run={RUN}").text
        assert person.post("/changes/undo", data={"run": RUN}).headers["location"] == "/runs/2"
        assert f"puts back change 2 of {RUN}" in person.get("/runs/1").text
        assert f"puts back all of {RUN}" in person.get("/").text
    assert [run.undo for run in web.service.state.runs()] == [Undo(RUN), Undo(RUN, 2)]
    entries = [(entry.who, entry.action, entry.detail, entry.outcome) for entry in web.service.state.audit(limit=2)]
    assert entries == [
        ("person-operate", "undo", f"all of {RUN}", "run 2 queued"),
        ("person-operate", "undo", f"change 2 of {RUN}", "run 1 was asked for before"),
    ]


def test_what_cannot_be_put_back_is_refused_and_in_the_audit(web: Web, tmp_path: Path) -> None:
    put_change(web, tmp_path, "INC-1", mode="suggest")
    put_change(web, tmp_path, "INC-2")
    put_change(web, tmp_path, "INC-2", mode="undo", undoes=2)
    put_change(web, tmp_path, "INC-3", state="refused")
    with web.browser() as person:
        assert "Put back" not in person.get(f"/changes?run={RUN}").text
        for form in (
            *({"run": RUN}, {"run": RUN, "change": "1"}, {"run": RUN, "change": "2"}, {"run": OTHER}, {}),
            *({"run": RUN, "change": "x"}, {"run": RUN, "change": "9" * 30}, {"run": "--help", "change": "2"}),
        ):
            assert person.post("/changes/undo", data=form).status_code == 422, form
    assert web.service.state.runs() == []
    assert {(entry.action, entry.outcome) for entry in web.service.state.audit() if entry.action != "sign in"} == {
        ("undo", "refused")
    }


def test_a_program_lists_changes_and_puts_them_back_once(web: Web, tmp_path: Path) -> None:
    put_change(web, tmp_path, "INC-1")
    put_change(web, tmp_path, "INC-2", mode="suggest")
    with web.client() as client:
        note, filled = client.get("/api/v1/changes").json()["items"]
        assert (filled["ticket_id"], filled["new_type"], filled["can_be_undone"]) == ("INC-1", "Password <b>", True)
        assert (note["mode"], note["can_be_undone"]) == ("suggest", False)
        wanted = {"run_id": RUN, "change": filled["number"]}
        accepted = [
            client.post("/api/v1/changes/undo", json=wanted, headers={"Idempotency-Key": "7"}) for _ in range(2)
        ]
        assert {(answer.status_code, answer.headers["location"]) for answer in accepted} == {(202, "/api/v1/runs/1")}
        assert client.get("/api/v1/runs/1").json()["undo"] == wanted
        assert client.post("/api/v1/changes/undo", json={"run_id": RUN, "change": 2}).status_code == 422
        assert client.post("/api/v1/changes/undo", json={"run_id": "../x"}).status_code == 422


def test_a_token_that_may_read_puts_nothing_back(web: Web, tmp_path: Path) -> None:
    put_change(web, tmp_path, "INC-1")
    with web.client("read") as client:
        assert client.post("/api/v1/changes/undo", json={"run_id": RUN}).status_code == 403
    assert web.service.state.runs() == []
